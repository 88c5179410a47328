//! Canaries that people asked to have run again, whatever they showed before.

use super::{
    assess::{Assessment, assess},
    board::Board,
    canary::{AtPin, at_pin},
    requests::unknown,
    snapshot::{Candidate, Snapshot},
};
use crate::domain::{
    Bump, CanaryRun, Check, IndexDigest, Memory, ProposalKind, Request, RunState, Timestamp,
    Verdict, Version, Wish,
};

/// Has the canaries run that were asked for, and answers with what they showed.
pub(super) fn try_again(pinned: &Version, snapshot: &Snapshot, now: Timestamp, board: &mut Board) {
    let open = |asked: &&Request| asked.wish == Wish::Canary && asked.outcome.is_none();
    for asked in snapshot.requests.iter().filter(open) {
        match trial(&asked.version, pinned, snapshot, now) {
            Trial::Due(assessment) => match assessment {
                Assessment::Due(intents) => board.due.extend(intents),
                Assessment::Running(running) => board.wakes.push(running.wake),
                Assessment::Waiting { until, .. } => board.wakes.extend(until),
                Assessment::Held(_) | Assessment::Ready => {}
            },
            Trial::Over { granted, answer } => {
                board.answer(asked.id, granted, answer);
            }
        }
    }
}

/// Where a wish for a canary stands.
enum Trial {
    /// There is something to be done or to be waited for.
    Due(Assessment),
    /// It has its answer. It is granted if the canary ran and found something out.
    Over { granted: bool, answer: String },
}

impl Trial {
    fn refused(answer: impl Into<String>) -> Self {
        Self::Over { granted: false, answer: answer.into() }
    }

    fn told(verdict: Verdict, summary: &str) -> Self {
        let answer = match verdict {
            Verdict::Passed => format!("the canary passed: {summary}"),
            // They say so themselves.
            Verdict::Failed | Verdict::Inconclusive => summary.to_owned(),
        };
        Self::Over { granted: verdict != Verdict::Inconclusive, answer }
    }
}

fn trial(wanted: &Version, pinned: &Version, snapshot: &Snapshot, now: Timestamp) -> Trial {
    if snapshot.by_checks {
        return Trial::refused(
            "the downstream's own checks are the canary: have them run again at GitHub, and ask for \
             the release once more if it is held",
        );
    }
    if wanted == pinned {
        return at_the_pin(snapshot, now);
    }
    if wanted.cmp_precedence(pinned).is_lt() {
        return Trial::refused(format!("the pin is at {pinned}, and nothing older is tried"));
    }
    let Some(candidate) = snapshot.candidate(wanted) else {
        return Trial::refused(unknown(snapshot, wanted));
    };
    // What a MAJOR would be held for as a bump is no reason not to try it.
    let kind = match candidate.bump {
        Bump::Major => ProposalKind::MigrationStub,
        Bump::Minor | Bump::Patch | Bump::None => ProposalKind::PinBump,
    };
    of_candidate(candidate, assess(candidate, kind, snapshot, now))
}

fn of_candidate(candidate: &Candidate, assessment: Assessment) -> Trial {
    let canary = candidate.answers.get(&Check::Canary);
    match assessment {
        Assessment::Ready => match canary {
            Some(answer) => Trial::told(answer.verdict, &answer.summary),
            None => Trial::refused("there is no tree to run it on: the pin sites are broken"),
        },
        Assessment::Held(reasons) => Trial::Over {
            granted: canary.is_some_and(|answer| answer.verdict == Verdict::Failed),
            answer: reasons.join("; "),
        },
        assessment @ (Assessment::Due(_) | Assessment::Running(_) | Assessment::Waiting { .. }) => {
            Trial::Due(assessment)
        }
    }
}

/// The canary at the pinned digest, which failures are compared with.
fn at_the_pin(snapshot: &Snapshot, now: Timestamp) -> Trial {
    match at_pin(snapshot, now) {
        AtPin::Known(verdict, summary) => Trial::told(verdict, &summary),
        AtPin::Due(intents) => Trial::Due(Assessment::Due(intents)),
        AtPin::Running(running) => Trial::Due(Assessment::Running(running)),
        AtPin::Waiting(until, why) => Trial::Due(Assessment::Waiting { until: Some(until), why }),
        AtPin::Spent(why) => Trial::refused(why),
    }
}

/// When the canary of `version` was last asked for, by a wish that still waits for its answer: what
/// was found out before then does not count.
pub(super) fn wanted_since(memory: &Memory, version: &Version) -> Option<Timestamp> {
    let asked = memory.requests.iter().filter(|asked| asked.wants_canary(version));
    asked.map(|asked| asked.at).max()
}

/// A run that a person asked for, and that found something out.
pub(super) struct Rerun<'a> {
    pub(super) run: &'a CanaryRun,
    pub(super) ended_at: Timestamp,
    pub(super) verdict: Verdict,
}

/// The last run of the canary at this digest that found something out, if somebody asked for it.
pub(super) fn rerun<'a>(
    memory: &'a Memory,
    version: &Version,
    digest: &IndexDigest,
) -> Option<Rerun<'a>> {
    let told = |run: &'a CanaryRun| match run.state {
        RunState::Ended { at, verdict: verdict @ (Verdict::Passed | Verdict::Failed), .. } => {
            Some(Rerun { run, ended_at: at, verdict })
        }
        RunState::Ended { .. } | RunState::Running { .. } => None,
    };
    let mut of_it =
        memory.runs.iter().rev().filter(|run| {
            run.version == *version && run.subject == *digest && run.checked.is_none()
        });
    let last = of_it.find_map(told)?;
    let asked = memory.requests.iter().any(|asked| {
        asked.wish == Wish::Canary && asked.version == *version && asked.at <= last.run.started_at
    });
    asked.then_some(last)
}
