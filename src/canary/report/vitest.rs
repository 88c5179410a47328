//! The JSON of Vitest and of Jest, which Vitest copied.
//!
//! Only the status of each test is believed. The totals are not: Vitest 1.6 counts whatever did not
//! fail as passed, skipped tests among it. A file whose set-up failed has no failed test in
//! Vitest's report, only a status of its own.

use super::{BrokenFile, Format, Report, ReportError, Test, TestOutcome, text};
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Wire {
    test_results: Vec<WireFile>,
    success: Option<bool>,
    was_interrupted: Option<bool>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireFile {
    name: String,
    status: Option<String>,
    message: Option<String>,
    assertion_results: Vec<WireTest>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireTest {
    ancestor_titles: Option<Vec<String>>,
    title: String,
    status: String,
    failure_messages: Option<Vec<Option<String>>>,
}

pub(super) fn parse(format: Format, bytes: &[u8]) -> Result<Report, ReportError> {
    let wire: Wire =
        serde_json::from_slice(bytes).map_err(|error| ReportError::malformed(format, error))?;
    let mut report = Report::default();
    let mut failed = false;
    for file in wire.test_results {
        let path = text::name(&file.name);
        let before = report.tests.len();
        report.tests.extend(file.assertion_results.iter().map(|test| test_of(test, &path)));
        let failed_here = report.tests[before..].iter().any(is_failed);
        failed |= failed_here;
        // Jest's message repeats what the tests said.
        if file.status.as_deref() == Some("failed") && !failed_here {
            let message = broken_message(file.message.as_deref().unwrap_or_default());
            report.broken_files.push(BrokenFile { file: path, message });
        }
    }
    let unexplained = wire.success == Some(false) && !failed && report.broken_files.is_empty();
    report.incomplete = if wire.was_interrupted == Some(true) {
        Some("the run was interrupted".to_owned())
    } else {
        unexplained.then(|| "the runner calls the run failed, and names no failure".to_owned())
    };
    Ok(report)
}

fn test_of(test: &WireTest, file: &str) -> Test {
    // Vitest's outermost ancestor is the file, without a name.
    let ancestors = test.ancestor_titles.iter().flatten().filter(|title| !title.is_empty());
    let titles: Vec<&str> = ancestors.chain([&test.title]).map(String::as_str).collect();
    let outcome = match test.status.as_str() {
        "passed" => TestOutcome::Passed,
        "failed" => TestOutcome::Failed { message: failure_message(test) },
        // skipped, pending, todo, disabled: whatever a runner calls it, it is no pass.
        _ => TestOutcome::Skipped,
    };
    Test { file: Some(file.to_owned()), name: text::name(&titles.join(" > ")), outcome }
}

fn failure_message(test: &WireTest) -> String {
    let messages = test.failure_messages.iter().flatten().flatten();
    // The last one, where a test was tried again.
    messages.last().map(|message| text::message(message)).unwrap_or_default()
}

fn broken_message(message: &str) -> String {
    // Jest's heading, which says no more than that the file is broken.
    let rest = message.trim_start().trim_start_matches("● Test suite failed to run");
    text::message(rest)
}

fn is_failed(test: &Test) -> bool {
    matches!(test.outcome, TestOutcome::Failed { .. })
}

#[cfg(test)]
mod tests {
    use super::super::{Format, Report, ReportError, TestOutcome, parse};

    fn read(json: &str) -> Report {
        parse(Format::VitestJson, json.as_bytes()).unwrap()
    }

    fn one(status: &str) -> TestOutcome {
        let json = r#"{"testResults": [{"name": "a.test.ts", "assertionResults": [
            {"ancestorTitles": ["", "admin", "peers"], "title": "answers", "status": "STATUS",
             "failureMessages": ["AssertionError: first try", "AssertionError: 404 is not 200\n    at a.ts:1:2"]}
        ]}]}"#;
        let mut report = read(&json.replace("STATUS", status));
        assert_eq!(report.tests[0].name, "admin > peers > answers");
        report.tests.remove(0).outcome
    }

    #[test]
    fn only_passed_is_a_pass() {
        // With messages of an earlier try: flaky.
        assert_eq!(one("passed"), TestOutcome::Passed);
        let message = "AssertionError: 404 is not 200".to_owned();
        assert_eq!(one("failed"), TestOutcome::Failed { message });
        for status in ["skipped", "pending", "todo", "disabled", "focused", "", "of tomorrow"] {
            assert_eq!(one(status), TestOutcome::Skipped, "{status}");
        }
    }

    #[test]
    fn totals_are_not_believed() {
        // What Vitest 1.6 writes when all tests are skipped.
        let report = read(
            r#"{"numTotalTests": 2, "numPassedTests": 2, "numPendingTests": 0, "success": true,
            "testResults": [{"name": "/t/a.test.ts", "status": "passed", "message": "", "assertionResults": [
                {"ancestorTitles": [""], "title": "a", "status": "skipped", "failureMessages": []},
                {"ancestorTitles": [""], "title": "b", "status": "skipped", "failureMessages": []}]}]}"#,
        );
        assert!(report.tests.iter().all(|test| test.outcome == TestOutcome::Skipped));
        assert_eq!((report.tests.len(), report.incomplete), (2, None));
    }

    #[test]
    fn a_file_that_failed_without_a_failed_test_is_broken() {
        let report = read(
            r#"{"success": false, "testResults": [
            {"name": "/t/set-up.test.ts", "status": "failed", "message": "", "assertionResults": [
                {"title": "a", "status": "pending"}, {"title": "b", "status": "passed"}]},
            {"name": "/t/import.test.ts", "status": "failed", "assertionResults": [],
             "message": "  ● Test suite failed to run\n\n    Cannot find module 'x' from 'y'\n\n    > 1 | x"},
            {"name": "/t/fails.test.ts", "status": "failed", "message": "it says so again",
             "assertionResults": [{"title": "c", "status": "failed"}]}]}"#,
        );
        let broken: Vec<_> =
            report.broken_files.iter().map(|it| (&*it.file, &*it.message)).collect();
        assert_eq!(
            broken,
            [("/t/set-up.test.ts", ""), ("/t/import.test.ts", "Cannot find module 'x' from 'y'")]
        );
    }

    #[test]
    fn a_run_that_failed_without_saying_why_is_incomplete() {
        let cases = [
            (r#"{"testResults": [], "success": true}"#, None),
            (r#"{"testResults": [], "success": false}"#, Some("names no failure")),
            (r#"{"testResults": [], "wasInterrupted": true}"#, Some("interrupted")),
        ];
        for (json, why) in cases {
            let incomplete = read(json).incomplete;
            assert_eq!(incomplete.is_some(), why.is_some(), "{json}");
            assert!(incomplete.unwrap_or_default().contains(why.unwrap_or_default()), "{json}");
        }
    }

    #[test]
    fn what_is_no_report_is_refused() {
        let deep = "[".repeat(100_000);
        for json in ["", "{}", "[]x", r#"{"testResults": [{"name": "a"#, "null", "\u{fffd}", &deep]
        {
            let read = parse(Format::JestJson, json.as_bytes());
            assert!(
                matches!(read, Err(ReportError::Malformed { format: "jest-json", .. })),
                "{json:.40}"
            );
        }
        let large = vec![b' '; super::super::MAX_REPORT_BYTES + 1];
        assert_eq!(parse(Format::VitestJson, &large), Err(ReportError::TooLarge(large.len())));
    }
}
