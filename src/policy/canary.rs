//! The canary: what its result depends on, and what a failure means beside the pinned release's.

use super::{
    anew::wish,
    assess::{Assessment, retry},
    checks::{self, UnderWay},
    snapshot::{Answer, PinState, Snapshot},
    stage::Intent,
    trials::wanted_since,
};
use crate::domain::{
    CanaryRun, CommitId, Digest, Memory, ProposalKind, PullState, Request, RunState, Timestamp,
    Verdict, Version, Wish,
};

/// What the canary's result at `version` depends on besides the digest: its steps, the pin, the
/// harness in the downstream, and the companion images.
///
/// A pass stays one while the downstream moves on, which it does with every commit: what is proposed
/// is the tree that the canary saw. A failure, and the pinned release that it is compared with, are
/// about one harness: another one may mend it.
pub(super) fn inputs(
    version: &Version,
    canary: &str,
    companions: &[&Digest],
    memory: &Memory,
    pinned: Option<&Digest>,
) -> String {
    let canary = Digest::of(canary.as_bytes());
    let start = format!("{} on {}", canary.short(), pinned.map_or("no pin", Digest::short));
    let with: Vec<&str> = companions.iter().map(|digest| digest.short()).collect();
    let end = if with.is_empty() { String::new() } else { format!(" with {}", with.join(" ")) };
    let same = |run: &&CanaryRun| {
        let other = |rest: &str| rest.strip_suffix(&end).is_some_and(|it| !it.contains(" with "));
        run.version == *version
            && pinned.is_none_or(|pinned| run.subject.digest() != pinned)
            && run.inputs.strip_prefix(&start).is_some_and(other)
    };
    if let Some(inputs) = passed(version, same, memory).or_else(|| checked(same, memory)) {
        return inputs.to_owned();
    }
    let harness = memory.pin().map_or("", |facts| facts.harness.as_str());
    let harness = if harness.is_empty() { String::new() } else { format!(" in {harness}") };
    let repair = repair(version, memory);
    let repair = repair.filter(|_| memory.image(version).map(|it| it.digest.digest()) == pinned);
    let anew = repair.or_else(|| anew(version, memory)).unwrap_or_default();
    format!("{start}{harness}{anew}{end}")
}

/// What makes a run at the pinned version one on the tree in which the pin sites agree: that
/// somebody asked for that.
fn repair(version: &Version, memory: &Memory) -> Option<String> {
    let asked = memory.requests.iter().rev().find(|asked| {
        asked.wish == Wish::Bump && asked.outcome.is_none() && asked.version == *version
    });
    asked.map(|asked| format!(" in line for request {}", asked.id))
}

/// Whether the canary at the pinned version is to run on the tree in which the pin sites agree: for a
/// pull request that brings them in line, or one that does and is made anew.
#[must_use]
pub fn repairs(version: &Version, memory: &Memory) -> bool {
    repair(version, memory).or_else(|| anew(version, memory)).is_some()
}

/// What makes a run one that is made anew for the open pull request for `version`: that it conflicts
/// with a commit of the base branch, or that somebody asked for it.
fn anew(version: &Version, memory: &Memory) -> Option<String> {
    let onto = conflict(version, memory).map(|base| format!(" onto {}", base.short()));
    let proposed = memory.pulls().any(|pull| {
        let marker = pull.marker.as_ref().filter(|_| pull.state == PullState::Open);
        marker.is_some_and(|it| it.version == *version && it.kind == ProposalKind::PinBump)
    });
    let asked = wish(memory, version).filter(|_| proposed);
    onto.or_else(|| asked.map(|asked| format!(" for request {}", asked.id)))
}

/// The commit of the base branch with which the open pull request for `version` conflicts. It is
/// made anew there, and so is its evidence.
fn conflict<'a>(version: &Version, memory: &'a Memory) -> Option<&'a CommitId> {
    memory.pulls().find_map(|pull| {
        let marker = pull.marker.as_ref().filter(|_| pull.state == PullState::Open)?;
        let bump = marker.version == *version && marker.kind == ProposalKind::PinBump;
        memory.conflict(&pull.head).filter(|_| bump && marker.commit == pull.head)
    })
}

/// The inputs of the last run that found something out, if that was a pass. Who asks for a release
/// asks for it on the downstream of today, unless it is proposed already; and who asks for another
/// run, in any case.
fn passed<'a>(
    version: &Version,
    same: impl Fn(&&CanaryRun) -> bool,
    memory: &'a Memory,
) -> Option<&'a str> {
    let told = |run: &&CanaryRun| match run.state {
        RunState::Ended { verdict, .. } => verdict != Verdict::Inconclusive,
        RunState::Running { .. } => false,
    };
    let run = memory.runs.iter().rev().filter(same).find(told)?;
    // A run before the conflict was about a tree that cannot be merged.
    if anew(version, memory).is_some_and(|anew| !run.inputs.contains(&anew)) {
        return None;
    }
    let passes = matches!(run.state, RunState::Ended { verdict: Verdict::Passed, .. });
    let later = |asked: &&Request| asked.version == *version && asked.at > run.started_at;
    let mut wishes = memory.requests.iter().filter(later);
    let asked = wishes.any(|asked| asked.wish == Wish::Bump);
    let again = wanted_since(memory, version).is_some_and(|since| since > run.started_at);
    let proposed = memory.pulls().any(|pull| {
        let marker = pull.marker.as_ref().filter(|_| pull.state == PullState::Open);
        marker.is_some_and(|it| it.version == *version && it.kind == ProposalKind::PinBump)
    });
    (passes && !again && (proposed || !asked)).then_some(run.inputs.as_str())
}

/// The inputs of the last run, if the downstream's own checks are still at it: they take their time,
/// and must not begin anew with every commit.
fn checked(same: impl Fn(&&CanaryRun) -> bool, memory: &Memory) -> Option<&str> {
    let run = memory.runs.iter().rev().find(same)?;
    let under_way = matches!(run.state, RunState::Running { .. }) && run.checked.is_some();
    under_way.then_some(run.inputs.as_str())
}

/// A release whose canary failed. The release is not to blame for what was broken before, so the
/// canary is run at the pinned digest too, on the same harness.
pub(super) fn failed(answer: &Answer, snapshot: &Snapshot, now: Timestamp) -> Assessment {
    let PinState::Known { version: pinned, .. } = &snapshot.pin else {
        return Assessment::Held(vec![answer.summary.clone()]);
    };
    match at_pin(snapshot, now) {
        AtPin::Known(Verdict::Passed, _) => {
            Assessment::Held(vec![format!("{}; it passes at the pinned {pinned}", answer.summary)])
        }
        AtPin::Known(_, before) => Assessment::Held(vec![format!(
            "broken before: the canary fails at the pinned {pinned} as well, so the release is not \
             to blame; there: {}; here: {}",
            bare(&before),
            bare(&answer.summary)
        )]),
        AtPin::Due(intents) => Assessment::Due(intents),
        AtPin::Running(running) => Assessment::Running(running),
        AtPin::Waiting(until, why) => Assessment::Waiting {
            until: Some(until),
            why: format!("{}; at the pinned {pinned} {why}", answer.summary),
        },
        AtPin::Spent(why) => Assessment::Held(vec![format!(
            "{}; whether it passes at the pinned {pinned} {why}",
            answer.summary
        )]),
    }
}

/// A MAJOR whose canary failed: whether it passes at the pinned digest is news for whoever migrates,
/// and found out where the bot itself can. What cannot be had is not waited for.
pub(super) fn news_at_pin(snapshot: &Snapshot, now: Timestamp) -> Assessment {
    if snapshot.by_checks {
        return Assessment::Ready;
    }
    match at_pin(snapshot, now) {
        AtPin::Known(..) | AtPin::Spent(_) => Assessment::Ready,
        AtPin::Due(intents) => Assessment::Due(intents),
        AtPin::Running(running) => Assessment::Running(running),
        AtPin::Waiting(until, why) => Assessment::Waiting { until: Some(until), why },
    }
}

/// A failure without the words that say that it is one.
fn bare(summary: &str) -> &str {
    summary.strip_prefix("the canary failed: ").unwrap_or(summary)
}

/// What is known of the canary at the pinned digest.
pub(super) enum AtPin {
    /// It passed or failed, and how.
    Known(Verdict, String),
    /// It has to be run.
    Due(Vec<Intent>),
    /// It runs.
    Running(UnderWay),
    /// It is run again then, because of this.
    Waiting(Timestamp, String),
    /// It found nothing out in all attempts.
    Spent(String),
}

/// Asks for the canary at the pinned digest.
pub(super) fn at_pin(snapshot: &Snapshot, now: Timestamp) -> AtPin {
    let PinState::Known { version, .. } = &snapshot.pin else {
        return AtPin::Spent("could not be found out: the pin is unknown".to_owned());
    };
    if let Some(running) = &snapshot.baseline.running {
        return AtPin::Running(checks::under_way(running, snapshot, now));
    }
    let start = || AtPin::Due(vec![Intent::StartCanary(version.clone())]);
    match &snapshot.baseline.answer {
        None => start(),
        Some(answer) if answer.verdict == Verdict::Inconclusive => {
            match retry(answer, snapshot, now) {
                Ok(()) => start(),
                Err(Assessment::Waiting { until: Some(until), why }) => AtPin::Waiting(until, why),
                Err(Assessment::Held(reasons)) => AtPin::Spent(reasons.join("; ")),
                Err(_) => AtPin::Spent("could not be found out".to_owned()),
            }
        }
        Some(answer) => AtPin::Known(answer.verdict, answer.summary.clone()),
    }
}
