//! What a workflow's run comes to.

use super::{HandedBack, PREPARED};
use crate::canary::report;
use crate::domain::{
    CanaryReport, CheckSeen, CheckState, FailedTest, FilePath, StepResult, TestCounts, Verdict,
    WorkflowReport, WorkflowRule, fits_path, human_duration, verdict_of,
};
use crate::policy::Concluded;
use std::collections::BTreeMap;

/// What is quoted of GitHub's own words, in characters.
const MAX_QUOTED: usize = 200;
/// So many failed tests are kept of a report.
const MAX_FAILED: usize = 20;
/// So many paths of a fault are named.
const NAMED: usize = 5;

/// What the run of a workflow came to: its conclusion, which its reports must not contradict.
/// `handed_back` is what was in its artifact, or why there is nothing; of no interest where the
/// rule asks for nothing.
#[must_use]
pub fn conclude(
    rule: &WorkflowRule,
    seen: &CheckSeen,
    handed_back: &Result<HandedBack, String>,
) -> Concluded {
    let own = workflow_step(rule, seen);
    let mut steps: Vec<StepResult> = Vec::new();
    if own.verdict != Verdict::Inconclusive {
        steps.extend(rule.reports.iter().map(|report| report_step(rule, report, handed_back)));
    }
    let failed = verdict_of(&steps) == Verdict::Failed;
    match (own.verdict, rule.reports.is_empty()) {
        // Something else than a test went wrong, such as an installation.
        (Verdict::Failed, false) if !failed => steps.insert(
            0,
            StepResult {
                verdict: Verdict::Inconclusive,
                summary: format!("{}, and yet no report shows a test that failed", own.summary),
                ..own
            },
        ),
        _ => steps.insert(0, own),
    }
    let verdict = verdict_of(&steps);
    let telling = steps.iter().filter(|step| step.verdict == verdict);
    // The reports say more than that it failed.
    let telling = telling.filter(|step| !failed || step.name != rule.name());
    let lines: Vec<String> =
        telling.map(|step| format!("{}: {}", step.name, step.summary)).collect();
    let page = match (verdict, seen.url.is_empty()) {
        (Verdict::Passed, _) | (_, true) => String::new(),
        _ => format!(", {}", quoted(&seen.url)),
    };
    let lines = lines.join("; ");
    let summary = match verdict {
        Verdict::Passed => lines,
        Verdict::Failed => format!("the canary failed: {lines}{page}"),
        Verdict::Inconclusive => format!("the canary did not find out: {lines}{page}"),
    };
    let pages = (!seen.url.is_empty()).then(|| (rule.name(), seen.url.clone()));
    let report = CanaryReport {
        executor: format!("by the downstream's own {}", rule.name()),
        pages: pages.into_iter().collect::<BTreeMap<_, _>>(),
        attempts: vec![steps],
        ..CanaryReport::default()
    };
    Concluded { verdict, summary, report }
}

/// The files that the run hands back for the edit, those that did not change among them.
///
/// # Errors
/// If there is one that it may not hand back.
pub fn prepared(
    rule: &WorkflowRule,
    handed_back: &HandedBack,
) -> Result<BTreeMap<FilePath, Vec<u8>>, String> {
    let files = handed_back.iter().filter_map(|(path, bytes)| {
        Some((path.strip_prefix(PREPARED).filter(|path| !path.is_empty())?, bytes))
    });
    let (mut taken, mut faults) = (BTreeMap::new(), Vec::new());
    for (path, bytes) in files {
        match path.parse::<FilePath>().ok().filter(|_| fits_path(&rule.files, path)) {
            Some(path) => _ = taken.insert(path, bytes.clone()),
            None => faults.push(quoted(path)),
        }
    }
    if faults.is_empty() {
        return Ok(taken);
    }
    let more = faults.len().saturating_sub(NAMED);
    let more = if more == 0 { String::new() } else { format!(", and {more} more") };
    faults.truncate(NAMED);
    Err(format!("it changed what it may not: {}{more}", faults.join(", ")))
}

/// The workflow itself, by its conclusion.
fn workflow_step(rule: &WorkflowRule, seen: &CheckSeen) -> StepResult {
    let limit = human_duration(rule.time_limit);
    let (verdict, summary) = match &seen.state {
        CheckState::Passed => (Verdict::Passed, "success".to_owned()),
        CheckState::Failed => (Verdict::Failed, "failure".to_owned()),
        CheckState::Missing => (
            Verdict::Inconclusive,
            format!(
                "it was dispatched, and within {limit} no run of it was found by its marker, \
                 which its `run-name` has to show"
            ),
        ),
        CheckState::UnderWay => (Verdict::Inconclusive, format!("it did not end within {limit}")),
        CheckState::Other(conclusion) => (Verdict::Inconclusive, quoted(conclusion)),
    };
    step(rule, &rule.name(), verdict, summary, seen.took)
}

fn report_step(
    rule: &WorkflowRule,
    wanted: &WorkflowReport,
    handed_back: &Result<HandedBack, String>,
) -> StepResult {
    let read = || {
        let files = handed_back.as_ref().map_err(Clone::clone)?;
        let bytes = files.get(&wanted.path);
        let bytes = bytes
            .ok_or_else(|| format!("there is no {} in artifact {}", wanted.path, rule.artifact))?;
        let parsed = report::parse(wanted.format, bytes).map_err(|error| error.to_string())?;
        Ok::<_, String>(report::judge(&parsed, &wanted.demand))
    };
    match read() {
        Ok(judged) => {
            let counts = judged.counts();
            let failed = judged.failed.into_iter().take(MAX_FAILED).collect();
            let own = step(rule, &wanted.name, judged.verdict, judged.summary, 0);
            with_tests(own, counts, failed)
        }
        Err(why) => {
            step(rule, &wanted.name, Verdict::Inconclusive, format!("did not run: {why}"), 0)
        }
    }
}

fn with_tests(step: StepResult, counts: TestCounts, failed: Vec<FailedTest>) -> StepResult {
    StepResult { tests: Some(counts), failed, ..step }
}

fn step(
    rule: &WorkflowRule,
    name: &str,
    verdict: Verdict,
    summary: String,
    took: u64,
) -> StepResult {
    StepResult {
        name: name.to_owned(),
        sees_digest: rule.sees_digest,
        verdict,
        summary,
        tests: None,
        failed: Vec::new(),
        took,
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
    use crate::domain::{ReportDemand, ReportFormat};
    use std::time::Duration;

    fn rule(reports: bool) -> WorkflowRule {
        let report = WorkflowReport {
            name: "contract".to_owned(),
            format: ReportFormat::Tap,
            path: "contract.tap".to_owned(),
            demand: ReportDemand { files: Vec::new(), at_least: 2 },
        };
        WorkflowRule {
            file: "canary.yml".to_owned(),
            artifact: "digest-bump".to_owned(),
            time_limit: Duration::from_hours(2),
            sees_digest: true,
            reports: reports.then_some(report).into_iter().collect(),
            files: vec!["pnpm-lock.yaml".to_owned(), "packages/*/package.json".to_owned()],
        }
    }

    fn seen(state: CheckState) -> CheckSeen {
        let (name, url) = ("workflow canary.yml".to_owned(), "https://example.com/1".to_owned());
        CheckSeen { name, state, title: String::new(), url, took: 7 }
    }

    fn came_to(state: CheckState, tap: Option<&str>) -> (Verdict, String) {
        let files = tap.map(|tap| ("contract.tap".to_owned(), tap.into()));
        let handed_back = Ok(files.into_iter().collect());
        let Concluded { verdict, summary, .. } = conclude(&rule(true), &seen(state), &handed_back);
        (verdict, summary)
    }

    #[test]
    fn a_success_is_believed_only_with_its_reports() {
        use CheckState::{Failed, Missing, Other, Passed, UnderWay};
        let (good, bad) = ("1..2\nok 1 - a\nok 2 - b\n", "1..2\nok 1 - a\nnot ok 2 - b\n");
        let skipped = "1..2\nok 1 - a # SKIP\nok 2 - b # SKIP\n";
        for (state, tap, verdict, says) in [
            (
                Passed,
                Some(good),
                Verdict::Passed,
                "workflow canary.yml: success; contract: 2 of 2 passed",
            ),
            (
                Passed,
                Some(skipped),
                Verdict::Inconclusive,
                "contract: did not run: all 2 tests were skipped",
            ),
            (
                Passed,
                None,
                Verdict::Inconclusive,
                "there is no contract.tap in artifact digest-bump",
            ),
            (Passed, Some(bad), Verdict::Failed, "the canary failed: contract: 1 of 2 failed: b"),
            (
                Failed,
                Some(bad),
                Verdict::Failed,
                "the canary failed: contract: 1 of 2 failed: b, https://example.com/1",
            ),
            // The installation failed, say: that is no break of the contract.
            (
                Failed,
                None,
                Verdict::Inconclusive,
                "failure, and yet no report shows a test that failed",
            ),
            (
                Failed,
                Some(good),
                Verdict::Inconclusive,
                "failure, and yet no report shows a test that failed",
            ),
            (Missing, Some(good), Verdict::Inconclusive, "which its `run-name` has to show"),
            (UnderWay, None, Verdict::Inconclusive, "it did not end within 2 h"),
            (Other("cancelled".to_owned()), Some(bad), Verdict::Inconclusive, "cancelled"),
        ] {
            let (found, summary) = came_to(state.clone(), tap);
            assert_eq!(found, verdict, "{state:?} {tap:?} {summary}");
            assert!(summary.contains(says), "{summary}");
        }
    }

    #[test]
    fn without_reports_the_conclusion_decides() {
        let nothing = Err("nobody asked".to_owned());
        let of = |state| conclude(&rule(false), &seen(state), &nothing);
        assert_eq!(of(CheckState::Passed).verdict, Verdict::Passed);
        let failed = of(CheckState::Failed);
        assert_eq!(failed.verdict, Verdict::Failed);
        assert_eq!(
            failed.summary,
            "the canary failed: workflow canary.yml: failure, https://example.com/1"
        );
        assert_eq!(failed.report.attempts[0][0].took, 7);
    }

    #[test]
    fn only_the_files_that_are_allowed_are_taken() {
        let of = |paths: &[&str]| {
            let files = paths.iter().map(|path| ((*path).to_owned(), b"x".to_vec())).collect();
            let taken = prepared(&rule(false), &files)?;
            Ok::<_, String>(taken.into_keys().map(|path| path.to_string()).collect::<Vec<_>>())
        };
        let good = ["prepared/pnpm-lock.yaml", "prepared/packages/a/package.json", "contract.tap"];
        assert_eq!(of(&good).unwrap(), ["packages/a/package.json", "pnpm-lock.yaml"]);
        let bad = of(&["prepared/pnpm-lock.yaml", "prepared/src/index.ts", "prepared/.git/config"]);
        assert_eq!(bad, Err("it changed what it may not: .git/config, src/index.ts".to_owned()));
    }
}
