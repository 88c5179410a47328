//! The bot's pull requests, as the decision sees them.

use super::{
    alarms::moved_under,
    anew::{given_up, is_patched, is_pushed, notice, pushed_at, to_be_made_anew},
    assemble::View,
    branch::is_own_branch,
    snapshot::{PinState, Proposal, Readiness},
    stream::no_release_any_more,
    trials::rerun,
};
use crate::domain::{
    BranchName, Branches, DraftMark, Effect, EffectState, Marker, Memory, ProposalKind, PullFacts,
    PullNumber, PullState, Verdict,
};

pub(super) fn proposals(
    view: View<'_>,
    pin: &PinState,
) -> (Vec<Proposal>, Vec<(BranchName, PullNumber)>) {
    let (mut proposals, mut foreign) = (Vec::new(), Vec::new());
    let branches = Branches { prefix: &view.rules.branches, image: view.image };
    let own = |pull: &&PullFacts| is_own_branch(pull.branch.as_str(), branches);
    for pull in view.memory.pulls().filter(own) {
        match pull.marker.as_ref() {
            // The bot took it back. Opened again it is a person's.
            Some(marker) if marker.draft == DraftMark::Spent => {
                let open = (pull.state == PullState::Open).then_some(pull.number);
                foreign.extend(open.map(|number| (pull.branch.clone(), number)));
            }
            Some(marker) => proposals.push(Proposal {
                kind: marker.kind,
                version: marker.version.clone(),
                pull: pull.number,
                state: pull.state,
                head: pull.head.clone(),
                ours: is_pushed(view.memory, pull, marker) || given_up(view.memory, pull, marker),
                notice: notice(view.memory, pull, marker),
                remade_at: pushed_at(view.memory, pull),
                settled: (pull.head == marker.commit || is_patched(view.memory, pull))
                    && starts_from(marker, pin)
                    && tells_of_rerun(view.memory, pull, marker)
                    && view.memory.conflict(&pull.head).is_none()
                    // The bot may edit by now what it had to leave to a person.
                    && (marker.whole.is_none()
                        || is_patched(view.memory, pull)
                        || !view.memory.may_edit_workflows())
                    && !to_be_made_anew(view.memory, pull, marker),
                from_pin: marker.from.is_some() && starts_from(marker, pin),
                requested: marker.requested,
                readiness: readiness(marker),
                warning: warning(view.memory, pull, marker),
                gone: gone(view, pull, marker),
            }),
            None if pull.state == PullState::Open => {
                foreign.push((pull.branch.clone(), pull.number));
            }
            None => {}
        }
    }
    proposals.sort_by_key(|proposal| proposal.pull);
    (proposals, foreign)
}

/// Why what an open one proposes is no release of the stream any more, if so.
fn gone(view: View<'_>, pull: &PullFacts, marker: &Marker) -> Option<String> {
    if pull.state != PullState::Open {
        return None;
    }
    no_release_any_more(&marker.version, view.memory, view.rules)
}

fn readiness(marker: &Marker) -> Readiness {
    match marker.draft {
        DraftMark::Waits => Readiness::Draft { held: marker.held.clone() },
        DraftMark::None | DraftMark::Proved | DraftMark::Spent => Readiness::Ready,
    }
}

/// Whether a proposal's edits start from what is pinned now; else they do not apply any more.
fn starts_from(marker: &Marker, pin: &PinState) -> bool {
    match (&marker.from, pin) {
        (Some(from), PinState::Known { digest, .. }) => from == digest,
        (None, _) | (_, PinState::Unknown { .. }) => true,
    }
}

/// Whether its text is younger than the last run of its canary that somebody asked for, if that
/// changes what it says. A failure is told by a warning: it proves no other text.
fn tells_of_rerun(memory: &Memory, pull: &PullFacts, marker: &Marker) -> bool {
    let Some(rerun) = rerun(memory, &marker.version, &marker.digest) else { return true };
    if rerun.verdict == Verdict::Failed && marker.kind == ProposalKind::PinBump {
        return true;
    }
    let writes = memory.effects.iter().filter(|record| match &record.effect {
        Effect::OpenPull { commit, .. } => *commit == marker.commit,
        Effect::EditPull { number, .. } => *number == pull.number,
        _ => false,
    });
    let written = writes.filter_map(|record| record.done_at).max();
    written.is_none_or(|at| at >= rerun.ended_at)
}

/// What a reader of an open pull request has to know of its tags and its canary, and what was not
/// written into it before. A person who took it out has read it.
fn warning(memory: &Memory, pull: &PullFacts, marker: &Marker) -> Option<String> {
    if pull.state != PullState::Open || marker.kind != ProposalKind::PinBump {
        return None;
    }
    let mut stories: Vec<String> =
        moved_under(memory, pull).into_iter().map(|moved| moved.story).collect();
    let rerun = rerun(memory, &marker.version, &marker.digest);
    let failed = rerun.filter(|rerun| rerun.verdict == Verdict::Failed);
    // What it printed is foreign text, and stands at the bot's check of the head.
    stories.extend(failed.map(|rerun| {
        format!("the canary was asked for again, and run {} of it failed", rerun.run.id)
    }));
    let told = |story: &String| {
        memory.effects.iter().any(|record| {
            record.state == EffectState::Done
                && matches!(&record.effect, Effect::EditPull { number, body, .. }
                    if *number == pull.number && body.contains(story))
        })
    };
    (!stories.iter().all(told)).then(|| stories.join("; "))
}
