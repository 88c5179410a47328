//! One candidate: what is due, and what its evidence says.

use super::{
    canary,
    checks::{self, UnderWay},
    companion::beside,
    contract::Contract,
    draft::in_the_way,
    required::required_checks,
    snapshot::{Answer, Candidate, Snapshot, Unavailable},
    stage::{Intent, Stage},
};
use crate::domain::{Check, Look, ProposalKind, Timestamp, Verdict, Version, human_duration};
use std::time::Duration;

/// The pause before another look where the config names none.
const LONGEST_PAUSE: Duration = Duration::from_hours(1);

/// What one candidate's evidence says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Assessment {
    /// Something is to be done about it now.
    Due(Vec<Intent>),
    /// Its canary is under way.
    Running(UnderWay),
    /// Not yet.
    Waiting { until: Option<Timestamp>, why: String },
    /// Something failed, or could not be found out in all attempts.
    Held(Vec<String>),
    /// Every required check passed.
    Ready,
}

impl Assessment {
    /// The stage of a candidate with this assessment, when nothing else is known of it.
    pub(super) fn stage(&self) -> Stage {
        match self {
            Self::Due(_) => Stage::Checking,
            Self::Running(run) => {
                Stage::CanaryRunning { since: run.since, checks: run.checks.clone() }
            }
            Self::Waiting { until, why } => Stage::Waiting { until: *until, why: why.clone() },
            Self::Held(reasons) => Stage::Held { reasons: reasons.clone() },
            Self::Ready => Stage::Ready,
        }
    }
}

/// Judges `candidate` for a proposal of this kind.
pub(super) fn assess(
    candidate: &Candidate,
    kind: ProposalKind,
    snapshot: &Snapshot,
    now: Timestamp,
) -> Assessment {
    let deadline = candidate.published_at + snapshot.artifact_deadline;
    let artifacts = Artifacts { published_at: candidate.published_at, deadline, now };
    if candidate.digest.is_none() {
        return match (&candidate.look, &candidate.unavailable) {
            (Some(Look::Unavailable(_)) | None, Some(unavailable)) => {
                look_again(&candidate.version, candidate.look.as_ref(), unavailable, snapshot, now)
            }
            (None, None) => Assessment::Due(vec![Intent::Look(candidate.version.clone())]),
            (Some(look), _) => artifacts.missing("its image", look),
        };
    }
    let cheap = || required_checks(kind, &snapshot.asked).filter(|c| *c != Check::Canary);
    let open = |check: &Check| {
        let answer = candidate.answers.get(check);
        answer.is_none_or(|answer| worth_another_look(answer, snapshot, now))
    };
    let unread = candidate.contract == Contract::Unread;
    let read = unread.then(|| Intent::ReadContract(candidate.version.clone()));
    let checks = cheap()
        .filter(open)
        .map(|check| Intent::Check { version: candidate.version.clone(), check });
    let mut beside = beside(candidate, kind, snapshot, &artifacts);
    let due: Vec<Intent> = read.into_iter().chain(checks).chain(beside.due.drain(..)).collect();
    if !due.is_empty() {
        return Assessment::Due(due);
    }
    let answers = || cheap().filter_map(|check| candidate.answers.get(&check));
    let mut failed: Vec<String> = answers()
        .filter(|answer| answer.verdict == Verdict::Failed)
        .map(|answer| answer.summary.clone())
        .collect();
    let cheap_ones = failed.len();
    failed.extend(beside.held);
    let broken = candidate
        .answers
        .get(&Check::Canary)
        .filter(|answer| answer.verdict == Verdict::Failed && kind == ProposalKind::PinBump);
    if let Some(look) = &candidate.npm {
        match artifacts.missing("its npm package", look) {
            Assessment::Held(torn) => failed.extend(torn),
            waiting if failed.is_empty() && broken.is_none() => return waiting,
            _ => {}
        }
    }
    if !failed.is_empty() {
        // A canary that ran before the cheap checks turned is still part of the whole picture.
        if let Some(answer) = broken {
            failed.insert(cheap_ones, answer.summary.clone());
        }
        return Assessment::Held(failed);
    }
    if let Some(answer) = broken {
        return canary::failed(answer, snapshot, now);
    }
    let unsure = cheap().filter_map(|check| {
        let answer = candidate.answers.get(&check)?;
        (answer.verdict == Verdict::Inconclusive).then_some((check, answer))
    });
    match ask_again(&candidate.version, unsure, snapshot, now).or(beside.waiting) {
        Some(unfinished) => unfinished,
        None => soaking(candidate, now).unwrap_or_else(|| run(candidate, kind, snapshot, now)),
    }
}

/// What the unsure cheap checks ask for; `None` if there are none. Never a pass: each is asked
/// again when its pause is over, and one that was asked often enough holds the candidate.
pub(super) fn ask_again<'a>(
    version: &Version,
    unsure: impl Iterator<Item = (Check, &'a Answer)>,
    snapshot: &Snapshot,
    now: Timestamp,
) -> Option<Assessment> {
    let (mut due, mut held, mut waiting) = (Vec::new(), Vec::new(), None);
    for (check, answer) in unsure {
        match retry(answer, snapshot, now) {
            Ok(()) => due.push(Intent::Check { version: version.clone(), check }),
            Err(Assessment::Held(reasons)) => held.extend(reasons),
            Err(parked) => waiting = waiting.or(Some(parked)),
        }
    }
    if !due.is_empty() {
        Some(Assessment::Due(due))
    } else if held.is_empty() {
        waiting
    } else {
        Some(Assessment::Held(held))
    }
}

/// Whether it is too young. Before the canary, not beside it: the canary runs foreign code, and
/// what others find out meanwhile shall keep it from running here.
fn soaking(candidate: &Candidate, now: Timestamp) -> Option<Assessment> {
    let soak = candidate.soak.as_ref().filter(|soak| now < soak.until)?;
    // One that was started before is not lost sight of.
    candidate
        .running
        .is_none()
        .then(|| Assessment::Waiting { until: Some(soak.until), why: soak.why.clone() })
}

/// The canary, once every cheap check has passed. For a stub a failure is news as good as a pass,
/// and what could not be found out in all attempts is not waited for any longer.
fn run(
    candidate: &Candidate,
    kind: ProposalKind,
    snapshot: &Snapshot,
    now: Timestamp,
) -> Assessment {
    if let Some(running) = &candidate.running {
        if checks::is_over(running, now) {
            return Assessment::Due(vec![checks::end(running)]);
        }
        return Assessment::Running(checks::under_way(running, snapshot, now));
    }
    let start = || start(candidate, snapshot);
    let Some(answer) = candidate.answers.get(&Check::Canary) else {
        // News that cannot be had is not waited for. Nor is a pull request opened for news.
        let unknown = !snapshot.editable || snapshot.by_checks;
        let news = kind == ProposalKind::MigrationStub && unknown;
        return if news { Assessment::Ready } else { start() };
    };
    match (answer.verdict, kind) {
        (Verdict::Failed, ProposalKind::MigrationStub) => canary::news_at_pin(snapshot, now),
        // For a pin bump a failure was looked at before.
        (Verdict::Passed | Verdict::Failed, _) => Assessment::Ready,
        (Verdict::Inconclusive, _) => match (retry(answer, snapshot, now), kind) {
            (Ok(()), _) => start(),
            (Err(Assessment::Held(_)), ProposalKind::MigrationStub) => Assessment::Ready,
            (Err(parked), _) => parked,
        },
    }
}

/// Starts the canary, unless that takes a draft pull request and somebody's work is in its way.
fn start(candidate: &Candidate, snapshot: &Snapshot) -> Assessment {
    match in_the_way(snapshot) {
        Some(reason) => Assessment::Held(vec![reason]),
        None => Assessment::Due(vec![Intent::StartCanary(candidate.version.clone())]),
    }
}

/// Whether an answer that would hold the candidate for good is to be sought once more, because the
/// world can still make it good.
pub(super) fn worth_another_look(answer: &Answer, snapshot: &Snapshot, now: Timestamp) -> bool {
    next_look(answer, snapshot).is_some_and(|at| at <= now)
}

/// When such an answer is sought once more, if it is.
pub(super) fn next_look(answer: &Answer, snapshot: &Snapshot) -> Option<Timestamp> {
    let spent = match answer.verdict {
        Verdict::Passed => false,
        Verdict::Failed => true,
        Verdict::Inconclusive => answer.attempts > snapshot.pauses.len(),
    };
    let pause = snapshot.pauses.last().copied().unwrap_or(LONGEST_PAUSE);
    (spent && answer.may_change).then(|| answer.at + pause)
}

/// Why an answer that could not be found out in all attempts holds the candidate.
pub(super) fn spent(answer: &Answer) -> String {
    format!("could not be found out in {} attempts: {}", answer.attempts, answer.summary)
}

/// Whether an inconclusive answer may be sought again now; otherwise what to do meanwhile.
pub(super) fn retry(
    answer: &Answer,
    snapshot: &Snapshot,
    now: Timestamp,
) -> Result<(), Assessment> {
    if let Some(until) = answer.too_early_until {
        return not_yet(answer, until, snapshot, now);
    }
    let Some(pause) = snapshot.pauses.get(answer.attempts.saturating_sub(1)) else {
        return Err(Assessment::Held(vec![spent(answer)]));
    };
    let until = answer.at + *pause;
    if until > now {
        return Err(Assessment::Waiting {
            until: Some(until),
            why: format!("attempt {} was inconclusive: {}", answer.attempts, answer.summary),
        });
    }
    Ok(())
}

/// An answer that came too early: sought again after each pause, and in any case when it no longer
/// is too early. Never spent by being asked often.
fn not_yet(
    answer: &Answer,
    until: Timestamp,
    snapshot: &Snapshot,
    now: Timestamp,
) -> Result<(), Assessment> {
    let pause = snapshot.pauses.get(answer.attempts.saturating_sub(1)).or(snapshot.pauses.last());
    let again = until.min(answer.at + pause.copied().unwrap_or_default()).max(answer.at);
    if again > now {
        return Err(Assessment::Waiting { until: Some(again), why: answer.summary.clone() });
    }
    Ok(())
}

/// After a look that found out nothing: again after growing pauses. Then the candidate is held,
/// but still looked at after each longest pause: a registry comes back without a person's help.
pub(super) fn look_again(
    version: &Version,
    look: Option<&Look>,
    unavailable: &Unavailable,
    snapshot: &Snapshot,
    now: Timestamp,
) -> Assessment {
    let Unavailable { why, at, attempts, limited_until } = unavailable;
    let pause = snapshot.pauses.get(attempts.saturating_sub(1)).or(snapshot.pauses.last());
    let paused = *at + pause.copied().unwrap_or_default();
    // A registry that asks for less than our own pause is not asked more often for it.
    let until = limited_until.map_or(paused, |limit| limit.max(paused));
    if until <= now && look.is_none() {
        return Assessment::Due(vec![Intent::Look(version.clone())]);
    }
    let why = format!("its image could not be asked for: {why}");
    if *attempts > snapshot.pauses.len() {
        let reason = format!("{why} (attempt {attempts}; the next one after {until})");
        return Assessment::Held(vec![reason]);
    }
    Assessment::Waiting { until: Some(until), why }
}

/// The artifacts of a release appear after the release itself, minutes apart, or never.
pub(super) struct Artifacts {
    pub(super) published_at: Timestamp,
    pub(super) deadline: Timestamp,
    pub(super) now: Timestamp,
}

impl Artifacts {
    pub(super) fn missing(&self, what: &str, look: &Look) -> Assessment {
        match look {
            // Never a rejection, however late: it could not be found out.
            Look::Unavailable(why) => Assessment::Waiting {
                until: None,
                why: format!("{what} could not be asked for: {why}"),
            },
            Look::Unusable(why) => Assessment::Held(vec![why.clone()]),
            Look::Absent if self.now < self.deadline => Assessment::Waiting {
                until: Some(self.deadline),
                why: format!("{what} is not there yet"),
            },
            Look::Absent => {
                let late = human_duration(self.deadline.since(self.published_at));
                let reason = format!("torn release: {what} did not appear within {late}");
                Assessment::Held(vec![reason])
            }
        }
    }
}
