//! What a test runner wrote of its run, and whether it shows that the contract was tested.
//!
//! An exit status alone is not believed: the measured runners exit with 0 when a name matched no
//! package, when every test was skipped, and when they ran other files than the ones asked for.
//! A report names each test, so what ran can be counted.
//!
//! Everything here is pure. What a report says is foreign: it is bounded, its control characters
//! are removed, and whoever shows it escapes it.

mod broken;
mod files;
mod judge;
mod junit;
mod tap;
mod text;
mod vitest;

pub use crate::domain::{FailedTest, ReportDemand as Demand, ReportFormat as Format};
pub use judge::{Judgement, judge};

/// The largest report that is read, in bytes.
pub const MAX_REPORT_BYTES: usize = 16 * 1024 * 1024;
/// The most tests, or files that broke, that a report may name.
pub const MAX_TESTS: usize = 100_000;

/// What a report says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// Every test that it names, in its order. A test that was tried several times is there once,
    /// with its last outcome; cases that share a name are there as often as the report has them.
    pub tests: Vec<Test>,
    /// Files and suites that failed outside their tests: while being loaded, set up or cleaned up.
    pub broken_files: Vec<BrokenFile>,
    /// Why the report does not tell all of the run, if it says so itself.
    pub incomplete: Option<String>,
}

/// One test, as a report tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Test {
    /// The file that it stands in, spelled as in the report, if the report says so.
    pub file: Option<String>,
    /// Its name, with the suites that it stands in: `admin > GET /peers answers 200`.
    pub name: String,
    /// What became of it.
    pub outcome: TestOutcome,
}

/// What became of a test.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TestOutcome {
    /// It was executed, and passed; for a test that was tried again, in the end.
    Passed,
    /// It was executed, and failed.
    Failed {
        /// What it said, in one line; may be empty.
        message: String,
    },
    /// It was not executed, or its outcome counts for nothing: skipped, pending, to do, excluded
    /// by another's `only`.
    Skipped,
}

/// A file or a suite that failed outside its tests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BrokenFile {
    /// The file, spelled as in the report; the suite's name, where the report names no file.
    pub file: String,
    /// What it said, in one line; may be empty.
    pub message: String,
}

/// Why a report cannot be read. It then says nothing about the contract.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReportError {
    /// It is larger than anybody needs.
    #[error("the report has {0} bytes; at most {MAX_REPORT_BYTES} are read")]
    TooLarge(usize),
    /// It names more tests than anybody has.
    #[error("the report names more than {MAX_TESTS} tests")]
    TooMany,
    /// It is not written as the config says, or it was cut off.
    #[error("the report is no {format}: {why}")]
    Malformed {
        /// What it should be, as the config calls it.
        format: &'static str,
        /// What is wrong, and where.
        why: String,
    },
}

impl ReportError {
    fn malformed(format: Format, why: impl std::fmt::Display) -> Self {
        Self::Malformed { format: format.name(), why: text::message(&why.to_string()) }
    }
}

/// Reads a report.
///
/// # Errors
/// [`ReportError`] if it is too large, was cut off, or is not of that format.
pub fn parse(format: Format, bytes: &[u8]) -> Result<Report, ReportError> {
    if bytes.len() > MAX_REPORT_BYTES {
        return Err(ReportError::TooLarge(bytes.len()));
    }
    let mut report = match format {
        Format::VitestJson | Format::JestJson => vitest::parse(format, bytes)?,
        Format::Junit => junit::parse(utf8(format, bytes)?)?,
        Format::Tap => tap::parse(utf8(format, bytes)?)?,
    };
    set_empty_suites_aside(&mut report);
    if report.tests.len().max(report.broken_files.len()) > MAX_TESTS {
        return Err(ReportError::TooMany);
    }
    Ok(report)
}

/// Vitest reports a suite without tests as a failed test of that name: nothing ran.
fn set_empty_suites_aside(report: &mut Report) {
    let (empty, tests) = std::mem::take(&mut report.tests).into_iter().partition(|test| {
        matches!(&test.outcome, TestOutcome::Failed { message }
            if message.starts_with("No test found in suite "))
    });
    report.tests = tests;
    report.broken_files.extend(Vec::into_iter(empty).map(|test: Test| {
        let message = match test.outcome {
            TestOutcome::Failed { message } => message,
            TestOutcome::Passed | TestOutcome::Skipped => String::new(),
        };
        BrokenFile { file: test.file.unwrap_or(test.name), message }
    }));
}

fn utf8(format: Format, bytes: &[u8]) -> Result<&str, ReportError> {
    let text = std::str::from_utf8(bytes).map_err(|error| ReportError::malformed(format, error))?;
    Ok(text.strip_prefix('\u{feff}').unwrap_or(text))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Verdict::{self, Failed, Inconclusive, Passed};

    const CONTRACT: &str = "packages/sdk/tests/integration/contract.test.ts";
    const OTHER: &str = "packages/sdk/tests/integration/other.test.ts";

    fn tests(file: &str, outcomes: &str) -> Vec<Test> {
        let outcome = |letter| match letter {
            'P' => TestOutcome::Passed,
            'F' => TestOutcome::Failed { message: "404 is not 200".to_owned() },
            _ => TestOutcome::Skipped,
        };
        let test = |(number, letter)| Test {
            file: (!file.is_empty()).then(|| format!("/tree/{file}")),
            name: format!("test {number}"),
            outcome: outcome(letter),
        };
        (1..).zip(outcomes.chars()).map(test).collect()
    }

    fn report(contract: &str, other: &str) -> Report {
        Report {
            tests: [tests(CONTRACT, contract), tests(OTHER, other)].concat(),
            ..Report::default()
        }
    }

    fn broken(mut report: Report, file: &str, message: &str) -> Report {
        let file = format!("/tree/{file}");
        report.broken_files.push(BrokenFile { file, message: message.to_owned() });
        report
    }

    fn incomplete(mut report: Report) -> Report {
        report.incomplete = Some("the runner bailed out: no engine".to_owned());
        report
    }

    fn demand(files: &[&str], at_least: usize) -> Demand {
        Demand { files: files.iter().map(|&file| file.to_owned()).collect(), at_least }
    }

    #[test]
    fn a_report_is_judged_by_what_ran_in_the_files_that_count() {
        let cases: &[(Report, usize, Verdict, &str)] = &[
            (report("PPP", ""), 1, Passed, "3 of 3 passed in contract.test.ts"),
            (report("PPS", "P"), 2, Passed, "2 of 2 passed in contract.test.ts, 1 skipped"),
            (
                report("P", "FFP"),
                1,
                Passed,
                "1 of 1 passed in contract.test.ts; 2 failed in other files",
            ),
            (
                broken(report("P", ""), OTHER, "no x"),
                1,
                Passed,
                "1 of 1 passed in contract.test.ts; 1 other file broke",
            ),
            (report("PFPF", ""), 1, Failed, "2 of 4 failed: test 2; test 4"),
            (report("FFFFF", ""), 9, Failed, "5 of 5 failed: test 1; test 2; test 3; and 2 more"),
            (incomplete(report("F", "")), 1, Failed, "1 of 1 failed: test 1"),
            (broken(report("F", ""), CONTRACT, "no x"), 1, Failed, "1 of 1 failed: test 1"),
            (
                broken(report("", ""), CONTRACT, "gone is not a function"),
                1,
                Failed,
                "contract.test.ts failed before its first test: gone is not a function",
            ),
            (
                broken(report("", ""), CONTRACT, "Cannot find module 'x'"),
                1,
                Inconclusive,
                "did not run: contract.test.ts failed before its first test: Cannot find module 'x'",
            ),
            (
                broken(report("PPP", ""), CONTRACT, ""),
                1,
                Inconclusive,
                "did not run to its end: contract.test.ts failed outside its tests: no reason is told",
            ),
            (
                incomplete(report("PPP", "")),
                1,
                Inconclusive,
                "the report does not tell all of the run: the runner bailed out: no engine",
            ),
            (
                report("", ""),
                1,
                Inconclusive,
                "did not run: no test of contract.test.ts is in the report",
            ),
            (
                report("", "PPPPS"),
                1,
                Inconclusive,
                "did not run: no test of contract.test.ts is in the report (it ran 4 tests of 1 other file)",
            ),
            (report("SSS", "P"), 1, Inconclusive, "did not run: all 3 tests were skipped"),
            (report("S", ""), 0, Inconclusive, "did not run: the only test was skipped"),
            (
                report("PPS", ""),
                3,
                Inconclusive,
                "2 tests passed, 1 skipped, and at least 3 are demanded",
            ),
            (
                report("", ""),
                0,
                Inconclusive,
                "did not run: no test of contract.test.ts is in the report",
            ),
        ];
        for (report, at_least, verdict, summary) in cases {
            let judgement = judge(report, &demand(&[CONTRACT], *at_least));
            assert_eq!((judgement.verdict, &*judgement.summary), (*verdict, *summary));
        }
    }

    #[test]
    fn each_file_that_is_named_must_have_run() {
        let both = demand(&[CONTRACT, OTHER], 2);
        for (report, verdict, summary) in [
            (report("P", "PP"), Passed, "3 of 3 passed in 2 files"),
            (
                report("PP", ""),
                Inconclusive,
                "did not run: no test of other.test.ts is in the report",
            ),
            (
                report("PP", "SS"),
                Inconclusive,
                "did not run: all 2 tests of other.test.ts were skipped",
            ),
            (report("PP", "F"), Failed, "1 of 3 failed: test 1"),
        ] {
            let judgement = judge(&report, &both);
            assert_eq!((judgement.verdict, &*judgement.summary), (verdict, summary));
        }
        let alike = demand(&[CONTRACT, "packages/hub/contract.test.ts"], 1);
        let summary = judge(&report("P", ""), &alike).summary;
        assert_eq!(
            summary,
            "did not run: no test of packages/hub/contract.test.ts is in the report"
        );
    }

    #[test]
    fn without_names_everything_counts() {
        let nameless = Report { tests: tests("", "PP"), ..Report::default() };
        for (report, verdict, summary) in [
            (report("P", "PS"), Passed, "2 of 2 passed, 1 skipped"),
            (report("P", "F"), Failed, "1 of 2 failed: test 1"),
            (nameless.clone(), Passed, "2 of 2 passed"),
            (report("S", "S"), Inconclusive, "did not run: all 2 tests were skipped"),
            (Report::default(), Inconclusive, "did not run: no test is in the report"),
            (
                broken(report("P", ""), OTHER, "no x"),
                Inconclusive,
                "did not run to its end: other.test.ts failed outside its tests: no x",
            ),
        ] {
            let judgement = judge(&report, &demand(&[], 0));
            assert_eq!((judgement.verdict, &*judgement.summary), (verdict, summary));
        }
        // Where files are named, a test without one counts for none.
        let judgement = judge(&nameless, &demand(&[CONTRACT], 1));
        assert_eq!(judgement.verdict, Inconclusive);
        assert!(judgement.summary.ends_with("(it ran 2 tests, and names no file)"));
    }

    #[test]
    fn numbers_and_failures_are_kept() {
        let judgement = judge(&report("PFS", "PF"), &demand(&[CONTRACT], 1));
        let counts = crate::domain::TestCounts { executed: 2, passed: 1, skipped: 1 };
        assert_eq!((judgement.counts(), judgement.other_files), (counts, 1));
        let failed = FailedTest {
            file: Some(format!("/tree/{CONTRACT}")),
            name: "test 2".to_owned(),
            message: "404 is not 200".to_owned(),
        };
        assert_eq!(judgement.failed, [failed]);
        let many = judge(&report(&"F".repeat(1000), ""), &demand(&[], 1));
        assert_eq!((many.failed.len(), many.executed - many.passed), (50, 1000));
        assert!(many.summary.ends_with("test 3; and 997 more"));
    }

    #[test]
    fn a_suite_without_tests_ran_nothing() {
        let tap = "1..2\nnot ok 1 - t/a.test.ts > s\n  ---\n  message: \"No test found in suite s\"\n  ...\n\
                   ok 2 - t/a.test.ts > t\n";
        let report = parse(Format::Tap, tap.as_bytes()).unwrap();
        let judgement = judge(&report, &demand(&["t/a.test.ts"], 1));
        assert_eq!(judgement.verdict, Inconclusive);
        assert_eq!(report.broken_files[0].message, "No test found in suite s");
    }
}
