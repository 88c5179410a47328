//! What a canary run showed, step by step and attempt by attempt.

use super::{FailedTest, RunId, TestCounts, Verdict};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What a run showed: the evidence that a reader of the pull request is given.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct CanaryReport {
    /// Where it ran and what confined it, such as `on the bot's host, in bubblewrap 0.8.0`.
    pub executor: String,
    /// The run that showed this, if it was an earlier one: the same steps at the same digest on the
    /// same harness are not run twice.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub of: Option<RunId>,
    /// The pages on which people see what steps did, by the steps' names. Foreign text.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub pages: BTreeMap<String, String>,
    /// The files that a tool of the downstream's own added to the edit.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub prepared: Vec<String>,
    /// The steps that only prepare, run once.
    pub setup: Vec<StepResult>,
    /// The steps that judge, once for each attempt.
    pub attempts: Vec<Vec<StepResult>>,
}

/// What one step showed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepResult {
    /// The step's name in the config.
    pub name: String,
    /// Whether the config says of it that it tests the very image.
    pub sees_digest: bool,
    /// What it came to.
    pub verdict: Verdict,
    /// One line that a maintainer reads.
    pub summary: String,
    /// How many tests its report shows; `None` without one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tests: Option<TestCounts>,
    /// The tests that failed, as far as its report names them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub failed: Vec<FailedTest>,
    /// How long it took, in milliseconds.
    pub took: u64,
}

impl CanaryReport {
    /// Of a run that did not get so far.
    pub const NOTHING: Self = Self {
        executor: String::new(),
        of: None,
        pages: BTreeMap::new(),
        prepared: Vec::new(),
        setup: Vec::new(),
        attempts: Vec::new(),
    };

    /// The attempt that a reader is shown first: the last one that has the run's verdict, or the
    /// last one.
    #[must_use]
    pub fn telling(&self, verdict: Verdict) -> &[StepResult] {
        let with = |attempt: &&Vec<StepResult>| verdict_of(attempt) == verdict;
        let found = self.attempts.iter().rev().find(with).or(self.attempts.last());
        found.map_or(&[], Vec::as_slice)
    }

    /// Whether a step that tests the very image found something out. Without one the canary says
    /// nothing of the digest, whatever else it says.
    #[must_use]
    pub fn saw_digest(&self) -> bool {
        let judged = |step: &StepResult| step.sees_digest && step.verdict != Verdict::Inconclusive;
        self.attempts.iter().flatten().any(judged)
    }

    /// How many attempts came to `verdict`.
    #[must_use]
    pub fn count(&self, verdict: Verdict) -> usize {
        self.attempts.iter().filter(|attempt| verdict_of(attempt) == verdict).count()
    }
}

/// What the steps of one attempt come to together: the worst of them, a failure before what could
/// not be found out. No step at all found nothing out.
#[must_use]
pub fn verdict_of(steps: &[StepResult]) -> Verdict {
    let some = |verdict| steps.iter().any(|step| step.verdict == verdict);
    if some(Verdict::Failed) {
        Verdict::Failed
    } else if steps.is_empty() || some(Verdict::Inconclusive) {
        Verdict::Inconclusive
    } else {
        Verdict::Passed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(verdict: Verdict, sees_digest: bool) -> StepResult {
        StepResult {
            name: "a".to_owned(),
            sees_digest,
            verdict,
            summary: String::new(),
            tests: None,
            failed: Vec::new(),
            took: 0,
        }
    }

    #[test]
    fn the_worst_step_is_the_verdict_of_an_attempt() {
        use Verdict::{Failed, Inconclusive, Passed};
        let cases: [(&[Verdict], Verdict); 5] = [
            (&[], Inconclusive),
            (&[Passed, Passed], Passed),
            (&[Passed, Inconclusive], Inconclusive),
            (&[Inconclusive, Failed], Failed),
            (&[Failed, Passed], Failed),
        ];
        for (steps, expected) in cases {
            let steps: Vec<_> = steps.iter().map(|verdict| step(*verdict, false)).collect();
            assert_eq!(verdict_of(&steps), expected);
        }
    }

    #[test]
    fn a_digest_is_seen_only_by_a_step_that_found_something_out() {
        let of = |steps: Vec<StepResult>| CanaryReport {
            attempts: vec![steps],
            ..CanaryReport::default()
        };
        assert!(of(vec![step(Verdict::Passed, false), step(Verdict::Failed, true)]).saw_digest());
        assert!(
            !of(vec![step(Verdict::Passed, false), step(Verdict::Inconclusive, true)]).saw_digest()
        );
        assert!(!CanaryReport::default().saw_digest());
    }

    #[test]
    fn the_telling_attempt_has_the_verdict_of_the_run() {
        let report = CanaryReport {
            attempts: vec![vec![step(Verdict::Passed, true)], vec![step(Verdict::Failed, true)]],
            ..CanaryReport::default()
        };
        assert_eq!(report.telling(Verdict::Passed)[0].verdict, Verdict::Passed);
        assert_eq!(report.telling(Verdict::Inconclusive)[0].verdict, Verdict::Failed);
        assert_eq!((report.count(Verdict::Passed), report.count(Verdict::Failed)), (1, 1));
    }
}
