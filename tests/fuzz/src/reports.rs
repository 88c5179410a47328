//! What test runners write. Whatever the bytes are: a pass takes tests that passed, what is told
//! of them has an end and no control characters, and all is told again by the numbers.

use digest_bump::canary::report::{Demand, Format, MAX_TESTS, Report, TestOutcome, judge, parse};
use digest_bump::domain::Verdict;

/// The JSON of Vitest and Jest, which is read alike.
pub fn runner(bytes: &[u8]) {
    let vitest = look(Format::VitestJson, bytes);
    assert_eq!(vitest.is_some(), look(Format::JestJson, bytes).is_some());
    if let Some(report) = vitest {
        assert!(report.tests.iter().all(|test| test.file.is_some()));
    }
}

/// `JUnit` XML.
pub fn junit(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let elements = text.matches("testcase").count();
    if let Some(report) = look(Format::Junit, bytes) {
        assert!(report.tests.len() <= elements, "more tests than elements");
    }
}

/// The Test Anything Protocol.
pub fn tap(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    if let Some(report) = look(Format::Tap, bytes) {
        assert!(report.tests.len() + report.broken_files.len() <= text.matches("ok").count());
    }
}

fn look(format: Format, bytes: &[u8]) -> Option<Report> {
    let report = parse(format, bytes).ok()?;
    assert!(report.tests.len() <= MAX_TESTS && report.broken_files.len() <= MAX_TESTS);
    for test in &report.tests {
        harmless(&test.name);
        harmless(test.file.as_deref().unwrap_or_default());
        if let TestOutcome::Failed { message } = &test.outcome {
            harmless(message);
        }
    }
    for file in &report.broken_files {
        harmless(&file.file);
        harmless(&file.message);
    }
    let first = report.tests.iter().find_map(|test| test.file.clone());
    for files in [Vec::new(), first.into_iter().collect(), vec!["a/contract.test.ts".to_owned()]] {
        let judgement = judge(&report, &Demand { files, at_least: 1 });
        assert!(judgement.passed <= judgement.executed);
        assert!(judgement.executed + judgement.skipped <= report.tests.len());
        assert!(judgement.failed.len() <= judgement.executed - judgement.passed);
        match judgement.verdict {
            Verdict::Passed => {
                assert!(judgement.passed > 0 && judgement.passed == judgement.executed);
                assert!(report.incomplete.is_none());
            }
            Verdict::Failed => {
                assert!(judgement.passed < judgement.executed || !report.broken_files.is_empty());
            }
            Verdict::Inconclusive => assert_eq!(judgement.passed, judgement.executed),
        }
        assert!(
            judgement.summary.len() < 8 * 1024 && !judgement.summary.contains(char::is_control)
        );
    }
    Some(report)
}

fn harmless(text: &str) {
    assert!(!text.contains(char::is_control), "{text:?}");
    assert!(text.chars().count() <= 501, "{text:?}");
}
