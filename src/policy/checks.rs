//! The downstream's own checks as the canary: what they come to, and how long they are waited for.

use super::{
    snapshot::{Carrier, Checks, Running, Snapshot},
    stage::Intent,
};
use crate::domain::{
    CanaryReport, CheckSeen, CheckState, NamedChecks, StepResult, Timestamp, Verdict,
    human_duration, verdict_of,
};
use std::{collections::BTreeMap, time::Duration};

/// How long after a push CI has to show itself. GitHub queues its runs within seconds.
const STARTS_WITHIN: Duration = Duration::from_mins(10);
/// How often is looked where the config names no pause.
const PAUSE: Duration = Duration::from_mins(10);
/// What is quoted of a check's own words, in characters.
const MAX_QUOTED: usize = 200;

/// A canary under way, as far as a decision goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct UnderWay {
    pub(super) since: Timestamp,
    /// When something changes by itself, or is to be looked at again.
    pub(super) wake: Timestamp,
    /// Where the downstream's checks are, if they are the canary.
    pub(super) checks: Option<String>,
}

pub(super) fn under_way(running: &Running, snapshot: &Snapshot, now: Timestamp) -> UnderWay {
    let (since, last) = (running.since, running.alive_until);
    let Some(checks) = &running.checks else {
        return UnderWay { since, wake: last, checks: None };
    };
    let again = now + pause(&snapshot.pauses, now.since(since));
    let line = told(checks, now.since(since));
    UnderWay { since, wake: again.min(last), checks: Some(line) }
}

/// The longest pause that is no longer than what was waited already: CI that takes minutes is
/// looked at each minute, CI that takes hours less often.
fn pause(pauses: &[Duration], waited: Duration) -> Duration {
    let fits = pauses.iter().rev().find(|pause| **pause <= waited);
    fits.or(pauses.first()).copied().unwrap_or(PAUSE).max(Duration::from_secs(1))
}

/// Where they are, for a person.
fn told(checks: &Checks, waited: Duration) -> String {
    let seen = &checks.seen;
    if seen.is_empty() {
        return "they were not looked at yet".to_owned();
    }
    let started = seen.iter().any(|check| check.state != CheckState::Missing);
    if !started && waited >= STARTS_WITHIN {
        return match checks.carrier {
            Carrier::Workflow => no_run(seen),
            Carrier::Draft | Carrier::Base => no_ci(seen),
        };
    }
    let lines = seen.iter().map(|check| {
        let state = match &check.state {
            CheckState::Missing => "has not started",
            CheckState::UnderWay => "is under way",
            CheckState::Passed => "passed",
            CheckState::Failed => "failed",
            CheckState::Other(conclusion) => conclusion,
        };
        format!("{} {state}", check.name)
    });
    lines.collect::<Vec<_>>().join(", ")
}

fn no_run(seen: &[CheckSeen]) -> String {
    let names: Vec<&str> = seen.iter().map(|check| check.name.as_str()).collect();
    format!(
        "{} was dispatched, and within {} no run showed its marker: the `run-name` of the workflow \
         has to",
        names.join(", "),
        human_duration(STARTS_WITHIN)
    )
}

fn no_ci(seen: &[CheckSeen]) -> String {
    let names: Vec<&str> = seen.iter().map(|check| check.name.as_str()).collect();
    format!(
        "no {} has started within {}: a push with a workflow's own GITHUB_TOKEN starts no CI, and \
         neither does a workflow that is not called for pull requests or waits for an approval",
        names.join(" and no "),
        human_duration(STARTS_WITHIN)
    )
}

/// Whether nothing more is waited for: a local run whose supervisor fell silent, or checks that
/// have concluded or are late.
pub(super) fn is_over(running: &Running, now: Timestamp) -> bool {
    let late = running.alive_until <= now;
    late || running.checks.as_ref().is_some_and(|checks| {
        if !checks.wanted {
            return true;
        }
        let states = || checks.seen.iter().map(|check| &check.state);
        let open = |state: &CheckState| match state {
            CheckState::UnderWay => true,
            // On the base branch's own commit nothing is started any more.
            CheckState::Missing => checks.carrier != Carrier::Base,
            CheckState::Passed | CheckState::Failed | CheckState::Other(_) => false,
        };
        // One failure is enough, whatever the others say.
        let failed = states().any(|state| *state == CheckState::Failed);
        failed || (!checks.seen.is_empty() && !states().any(open))
    })
}

/// What ends a run that is over.
pub(super) fn end(running: &Running) -> Intent {
    match running.checks {
        Some(_) => Intent::Conclude(running.run),
        None => Intent::Bury(running.run),
    }
}

/// What a run by checks came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Concluded {
    /// The verdict.
    pub verdict: Verdict,
    /// One line that a maintainer reads.
    pub summary: String,
    /// Each named check.
    pub report: CanaryReport,
}

/// What the named checks showed at last. `of_base` says that it is the base branch's own commit.
#[must_use]
pub fn conclude(rule: &NamedChecks, seen: &[CheckSeen], of_base: bool) -> Concluded {
    let missing = |name: &String| CheckSeen {
        name: name.clone(),
        state: CheckState::Missing,
        title: String::new(),
        url: String::new(),
        took: 0,
    };
    let found = |name: &String| seen.iter().find(|check| check.name == *name).cloned();
    let all: Vec<CheckSeen> =
        rule.names.iter().map(|name| found(name).unwrap_or_else(|| missing(name))).collect();
    let steps: Vec<StepResult> = all.iter().map(|check| step(check, rule, of_base)).collect();
    let verdict = verdict_of(&steps);
    let telling = steps.iter().filter(|step| step.verdict == verdict);
    let pages: BTreeMap<String, String> = all
        .iter()
        .filter(|check| !check.url.is_empty())
        .map(|check| (check.name.clone(), check.url.clone()))
        .collect();
    let line = |step: &StepResult| {
        let page = pages.get(&step.name).filter(|_| verdict != Verdict::Passed);
        let page = page.map(|page| format!(", {}", quoted(page))).unwrap_or_default();
        format!("{}: {}{page}", step.name, step.summary)
    };
    let lines: Vec<String> = telling.map(line).collect();
    let none = all.iter().all(|check| check.state == CheckState::Missing);
    let summary = match verdict {
        Verdict::Passed => lines.join("; "),
        Verdict::Failed => format!("the canary failed: {}", lines.join("; ")),
        Verdict::Inconclusive if none && !of_base => no_ci(&all),
        Verdict::Inconclusive => format!("the canary did not find out: {}", lines.join("; ")),
    };
    let executor = if of_base {
        "by the downstream's own checks of its base branch"
    } else {
        "by the downstream's own checks"
    };
    let report = CanaryReport {
        executor: executor.to_owned(),
        pages,
        attempts: vec![steps],
        ..CanaryReport::default()
    };
    Concluded { verdict, summary, report }
}

fn step(check: &CheckSeen, rule: &NamedChecks, of_base: bool) -> StepResult {
    let limit = human_duration(rule.time_limit);
    let (verdict, mut summary) = match &check.state {
        CheckState::Passed => (Verdict::Passed, "success".to_owned()),
        CheckState::Failed => (Verdict::Failed, "failure".to_owned()),
        CheckState::Missing if of_base => {
            (Verdict::Inconclusive, "it did not run on the base branch's commit".to_owned())
        }
        CheckState::Missing => (Verdict::Inconclusive, format!("it did not start within {limit}")),
        CheckState::UnderWay => (Verdict::Inconclusive, format!("it did not end within {limit}")),
        CheckState::Other(conclusion) if matches!(&**conclusion, "skipped" | "neutral") => {
            (Verdict::Inconclusive, format!("it did not run: {conclusion}"))
        }
        CheckState::Other(conclusion) => (Verdict::Inconclusive, quoted(conclusion)),
    };
    if !check.title.is_empty() {
        summary = format!("{summary}, {}", quoted(&check.title));
    }
    StepResult {
        name: check.name.clone(),
        sees_digest: rule.sees_digest,
        verdict,
        summary,
        tests: None,
        failed: Vec::new(),
        took: check.took,
    }
}

/// Foreign words, on one line and not too many.
fn quoted(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    line.chars().take(MAX_QUOTED).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::RunId;

    fn check(name: &str, state: CheckState) -> CheckSeen {
        let (title, url) = ("2 tests failed".to_owned(), "https://example.com/1".to_owned());
        CheckSeen { name: name.to_owned(), state, title, url, took: 9 }
    }

    fn rule() -> NamedChecks {
        NamedChecks {
            names: vec!["contract".to_owned(), "image".to_owned()],
            time_limit: Duration::from_hours(2),
            sees_digest: true,
        }
    }

    fn came_to(first: CheckState, second: CheckState) -> (Verdict, String) {
        let seen = [check("contract", first), check("image", second)];
        let Concluded { verdict, summary, .. } = conclude(&rule(), &seen, false);
        (verdict, summary)
    }

    #[test]
    fn all_of_them_have_to_succeed_and_whatever_did_not_run_is_no_pass() {
        use CheckState::{Failed, Missing, Other, Passed, UnderWay};
        assert_eq!(came_to(Passed, Passed).0, Verdict::Passed);
        assert_eq!(came_to(Passed, Failed).0, Verdict::Failed);
        assert_eq!(came_to(Other("cancelled".to_owned()), Failed).0, Verdict::Failed);
        let others = ["neutral", "skipped", "cancelled", "timed_out", "stale", "action_required"]
            .map(|conclusion| Other(conclusion.to_owned()));
        for state in others.into_iter().chain([Missing, UnderWay]) {
            assert_eq!(came_to(Passed, state.clone()).0, Verdict::Inconclusive, "{state:?}");
        }
        let (_, failed) = came_to(Passed, Failed);
        let expected =
            "the canary failed: image: failure, 2 tests failed, https://example.com/1".to_owned();
        assert_eq!(failed, expected);
        assert!(came_to(Missing, Missing).1.contains("GITHUB_TOKEN"));
        assert!(came_to(Passed, Other("skipped".to_owned())).1.contains("did not run: skipped"));
        // A name that was never looked for is missing.
        assert_eq!(conclude(&rule(), &[], true).verdict, Verdict::Inconclusive);
    }

    fn over(seen: Vec<CheckSeen>, carrier: Carrier, left: i64) -> bool {
        let running = Running {
            run: RunId(1),
            since: Timestamp::from_millis(0),
            alive_until: Timestamp::from_millis(1_000 + left),
            checks: Some(Checks { seen, carrier, wanted: true }),
        };
        is_over(&running, Timestamp::from_millis(1_000))
    }

    #[test]
    fn it_is_over_when_all_have_concluded_or_one_has_failed_or_the_time_is() {
        use CheckState::{Failed, Missing, Passed, UnderWay};
        let two = |first, second| vec![check("contract", first), check("image", second)];
        assert!(over(two(Passed, Passed), Carrier::Draft, 1));
        assert!(over(two(UnderWay, Failed), Carrier::Draft, 1));
        assert!(!over(two(UnderWay, Passed), Carrier::Draft, 1));
        assert!(!over(two(Missing, Passed), Carrier::Draft, 1));
        assert!(over(two(Missing, Passed), Carrier::Base, 1));
        assert!(over(two(UnderWay, Passed), Carrier::Draft, 0));
        // Nobody has looked yet.
        assert!(!over(Vec::new(), Carrier::Base, 1));
    }

    #[test]
    fn it_is_looked_at_less_often_the_longer_it_takes() {
        let pauses = [1, 10, 60].map(Duration::from_mins);
        let after = |minutes| pause(&pauses, Duration::from_mins(minutes)).as_secs() / 60;
        assert_eq!([0, 1, 9, 10, 59, 60, 100].map(after), [1, 1, 1, 10, 10, 60, 60]);
        assert_eq!(pause(&[], Duration::ZERO), PAUSE);
    }
}
