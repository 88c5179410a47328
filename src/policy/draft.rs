//! The one draft pull request, on which the downstream's own checks prove a release.

use super::{
    assess::Assessment,
    board::Board,
    pull::is_to_be_proved,
    requests::Standing,
    snapshot::{Candidate, Proposal, Readiness, Snapshot},
    stage::{Intent, Stage},
    stubs::foreign_branch,
};
use crate::domain::{Digest, ProposalKind, PullState, Timestamp, Version};
use std::cmp::Ordering;

/// The open draft.
pub(super) fn open_draft(snapshot: &Snapshot) -> Option<&Proposal> {
    let open = |p: &&Proposal| p.kind == ProposalKind::PinBump && p.state == PullState::Open;
    snapshot.proposals.iter().rev().filter(open).find(|p| p.is_draft())
}

/// Whose work keeps a draft from being opened or rewritten, if anybody's does.
pub(super) fn in_the_way(snapshot: &Snapshot) -> Option<String> {
    if !snapshot.by_checks {
        return None;
    }
    if let Some(draft) = open_draft(snapshot) {
        return (!draft.ours).then(|| hands_off(draft));
    }
    let mut foreign = snapshot.foreign.iter();
    let taken = foreign.find(|(branch, _)| !branch.as_str().ends_with("-migration"));
    taken.map(|(branch, pull)| foreign_branch(branch, *pull))
}

fn hands_off(draft: &Proposal) -> String {
    format!("draft pull request {} has commits by a person: hands off", draft.pull)
}

/// The draft becomes the pull request for what has complete evidence.
pub(super) fn finish(draft: &Proposal, target: Option<(&Candidate, bool)>, board: &mut Board) {
    let Some((candidate, requested)) = target else { return };
    if !draft.ours {
        board.set(&candidate.version, Stage::Held { reasons: vec![hands_off(draft)] });
        return;
    }
    board.due.push(Intent::Propose {
        kind: ProposalKind::PinBump,
        version: candidate.version.clone(),
        over: Some(draft.pull),
        requested,
    });
}

/// Closes a draft that has nothing left to prove, and has one that is held say why.
pub(super) fn tend_draft(
    draft: &Proposal,
    open: Option<&Proposal>,
    pinned: &Version,
    snapshot: &Snapshot,
    now: Timestamp,
    board: &mut Board,
) {
    let reused = |intent: &Intent| match intent {
        Intent::StartCanary(version) => version != pinned,
        Intent::Propose { over, .. } => *over == Some(draft.pull),
        _ => false,
    };
    if !draft.ours || board.due.iter().any(reused) {
        return;
    }
    let pull = draft.pull;
    if let Some(why) = spent(draft, open, pinned, snapshot, now, board) {
        board.due.push(Intent::Close { pull, why });
        return;
    }
    let stage = board.stages.get(&draft.version);
    let offered = matches!(stage, Some(Stage::Offered));
    let why = match stage {
        Some(Stage::Held { reasons }) => Some(reasons.join("; ")),
        Some(Stage::Offered) => {
            Some("every check passed; it is a patch for which nobody has asked".to_owned())
        }
        _ => None,
    };
    let told = |why: &String| {
        let told = Digest::of(why.as_bytes()).short().to_owned();
        draft.readiness == Readiness::Draft { held: Some(told) }
    };
    let untold = why.filter(|why| !told(why));
    board.due.extend(untold.map(|why| Intent::Hold { pull, why, offered }));
}

/// Why a draft has nothing left to prove, if so.
fn spent(
    draft: &Proposal,
    open: Option<&Proposal>,
    pinned: &Version,
    snapshot: &Snapshot,
    now: Timestamp,
    board: &Board,
) -> Option<String> {
    if !snapshot.leads_to(&draft.version) {
        return Some(format!("the pin is at {pinned} already"));
    }
    if !snapshot.by_checks {
        return Some("the downstream's own checks are not the canary any more".to_owned());
    }
    // What was asked for may be older than what is ready, and is tried all the same.
    let stage = board.stages.get(&draft.version);
    let at_work = matches!(
        stage,
        Some(Stage::Checking | Stage::Waiting { .. } | Stage::CanaryRunning { .. })
    );
    let proposed = open.filter(|open| {
        match open.version.cmp_precedence(&draft.version) {
            // What proves a release for its ready pull request, which is to be made anew.
            Ordering::Equal => !is_to_be_proved(open, snapshot, now),
            Ordering::Greater => !at_work,
            Ordering::Less => false,
        }
    });
    if let Some(open) = proposed {
        return Some(format!("pull request {} proposes {}", open.pull, open.version));
    }
    match stage {
        Some(
            Stage::Checking
            | Stage::Queued { .. }
            | Stage::Waiting { .. }
            | Stage::CanaryRunning { .. }
            | Stage::Held { .. }
            | Stage::Offered
            | Stage::Ready
            | Stage::Proposed { .. },
        ) => None,
        Some(Stage::Covered { by }) => Some(format!("{by} contains it")),
        Some(Stage::Skipped { why }) => Some(why.clone()),
        Some(Stage::Declined { pull }) => Some(format!("it was declined in {pull}")),
        Some(Stage::Pinned | Stage::Older | Stage::Migrated) => {
            Some("its pin is not to be moved unasked".to_owned())
        }
        // Where it is only not known, such as after a lost memory, the draft may be good.
        None => draft.end(),
    }
}

/// There is one draft. What a person asked for has it first, and of what else is due a pull request
/// that is ready comes before it is taken for the next release.
pub(super) fn one_at_a_time(
    standing: Option<&Standing<'_>>,
    pinned: &Version,
    snapshot: &Snapshot,
    board: &mut Board,
) {
    if !snapshot.by_checks {
        return;
    }
    let takes_it = |intent: &Intent| matches!(intent, Intent::StartCanary(v) if v != pinned);
    if let Some(standing) = standing {
        let wanted = &standing.candidate.version;
        let at_work = match &standing.assessment {
            Assessment::Running(_) => true,
            Assessment::Due(intents) => intents.iter().any(takes_it),
            Assessment::Waiting { .. } | Assessment::Held(_) | Assessment::Ready => false,
        };
        let later: Vec<Version> = board
            .due
            .iter()
            .filter(|intent| takes_it(intent))
            .filter_map(|intent| intent.version().cloned())
            .filter(|version| at_work && version != wanted)
            .collect();
        board.due.retain(|intent| {
            !(takes_it(intent) && intent.version().is_some_and(|version| later.contains(version)))
        });
        for version in later {
            board.set(&version, Stage::Queued { behind: wanted.clone() });
        }
    }
    board.due.sort_by_key(takes_it);
}
