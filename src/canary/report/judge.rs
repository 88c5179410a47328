//! Whether a report shows what the config wants to have seen.

use super::{BrokenFile, Demand, FailedTest, Report, Test, TestOutcome, broken, files};
use crate::domain::{TestCounts, Verdict};
use std::collections::{BTreeMap, BTreeSet};

/// How many failed tests are kept with their messages; the others are counted.
const MAX_FAILED: usize = 50;
/// How many of them are named in one line, and how much of each name.
const NAMED: usize = 3;
const NAME_CHARS: usize = 80;

/// What a report shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judgement {
    /// Passed, if everything that was demanded was seen. Failed, if a test that counts failed, or
    /// its file does not fit the new package. Inconclusive, if too little ran to tell.
    pub verdict: Verdict,
    /// One line that a maintainer reads. Names and messages in it are foreign text.
    pub summary: String,
    /// How many tests that count were executed.
    pub executed: usize,
    /// Of these, how many passed.
    pub passed: usize,
    /// How many tests that count were not executed.
    pub skipped: usize,
    /// Those that count and failed, the first fifty.
    pub failed: Vec<FailedTest>,
    /// How many files the report names that were not asked for.
    pub other_files: usize,
}

impl Judgement {
    /// What there is to say when the runner wrote no report.
    #[must_use]
    pub fn without_report() -> Self {
        Self {
            verdict: Verdict::Inconclusive,
            summary: "did not run: no report was written".to_owned(),
            executed: 0,
            passed: 0,
            skipped: 0,
            failed: Vec::new(),
            other_files: 0,
        }
    }

    /// The numbers, to be stored.
    #[must_use]
    pub const fn counts(&self) -> TestCounts {
        TestCounts { executed: self.executed, passed: self.passed, skipped: self.skipped }
    }
}

/// Judges a report.
///
/// A failed test in a file that counts is a failure, whatever else is wrong. Then a file that lacks
/// what the new package no longer gives. A pass takes a report that is complete, files that ran to
/// their end, in each file that counts a test that passed, and in all as many as were demanded.
/// All else is inconclusive. What other files did is told, and decides nothing.
#[must_use]
pub fn judge(report: &Report, demand: &Demand) -> Judgement {
    let seen = Seen::of(report, demand);
    let failing = failing(&seen);
    let doubt = || doubt(report, demand, &seen);
    let (verdict, mut summary) = if let Some(summary) = failing {
        (Verdict::Failed, summary)
    } else if let Some(summary) = doubt() {
        (Verdict::Inconclusive, summary)
    } else {
        (Verdict::Passed, passing(demand, &seen.all))
    };
    summary.push_str(&aside(&seen));
    Judgement {
        verdict,
        summary,
        executed: seen.all.executed,
        passed: seen.all.passed,
        skipped: seen.all.skipped,
        failed: seen.failed,
        other_files: seen.other_files.len(),
    }
}

/// The report's tests, sorted by what was demanded.
struct Seen<'a> {
    all: TestCounts,
    /// One for each file that was demanded.
    each: Vec<TestCounts>,
    failed: Vec<FailedTest>,
    /// Files that count and broke, and whether a test of theirs was executed.
    broken: Vec<(&'a BrokenFile, bool)>,
    other_files: BTreeSet<&'a str>,
    other_tests: usize,
    other_failed: usize,
    other_broken: usize,
}

impl<'a> Seen<'a> {
    fn of(report: &'a Report, demand: &Demand) -> Self {
        let mut seen = Self {
            all: TestCounts::default(),
            each: vec![TestCounts::default(); demand.files.len()],
            failed: Vec::new(),
            broken: Vec::new(),
            other_files: BTreeSet::new(),
            other_tests: 0,
            other_failed: 0,
            other_broken: 0,
        };
        let mut places = Places { demanded: &demand.files, known: BTreeMap::new() };
        for test in &report.tests {
            match places.of(test.file.as_deref()) {
                Place::Counts(index) => seen.count(test, index),
                Place::Other => seen.set_aside(test),
            }
        }
        for file in &report.broken_files {
            match places.of(Some(&file.file)) {
                Place::Counts(index) => {
                    let counts = index.map_or(seen.all, |index| seen.each[index]);
                    seen.broken.push((file, counts.executed > 0));
                }
                Place::Other => {
                    seen.other_files.insert(&file.file);
                    seen.other_broken += 1;
                }
            }
        }
        seen
    }

    fn count(&mut self, test: &Test, index: Option<usize>) {
        let mut nobody = TestCounts::default();
        let each = index.map_or(&mut nobody, |index| &mut self.each[index]);
        for counts in [&mut self.all, each] {
            match test.outcome {
                TestOutcome::Passed => {
                    counts.executed += 1;
                    counts.passed += 1;
                }
                TestOutcome::Failed { .. } => counts.executed += 1,
                TestOutcome::Skipped => counts.skipped += 1,
            }
        }
        if let TestOutcome::Failed { message } = &test.outcome
            && self.failed.len() < MAX_FAILED
        {
            self.failed.push(FailedTest {
                file: test.file.clone(),
                name: test.name.clone(),
                message: message.clone(),
            });
        }
    }

    fn set_aside(&mut self, test: &'a Test) {
        self.other_files.extend(test.file.as_deref());
        match test.outcome {
            TestOutcome::Skipped => return,
            TestOutcome::Passed => {}
            TestOutcome::Failed { .. } => self.other_failed += 1,
        }
        self.other_tests += 1;
    }
}

/// Where a test stands: in a file that counts, which one if any were named, or elsewhere.
#[derive(Clone, Copy)]
enum Place {
    Counts(Option<usize>),
    Other,
}

/// Remembers what was found out of each path: reports have many tests and few files.
struct Places<'a> {
    demanded: &'a [String],
    known: BTreeMap<&'a str, Place>,
}

impl<'a> Places<'a> {
    fn of(&mut self, file: Option<&'a str>) -> Place {
        if self.demanded.is_empty() {
            return Place::Counts(None);
        }
        let Some(file) = file else { return Place::Other };
        *self.known.entry(file).or_insert_with(|| {
            let index = self.demanded.iter().position(|wanted| files::is_same(file, wanted));
            index.map_or(Place::Other, |index| Place::Counts(Some(index)))
        })
    }
}

/// What is broken, if anything is.
fn failing(seen: &Seen) -> Option<String> {
    let count = seen.all.executed - seen.all.passed;
    if count > 0 {
        let names: Vec<String> =
            seen.failed.iter().take(NAMED).map(|test| cut(&test.name, NAME_CHARS)).collect();
        let more =
            if count > NAMED { format!("; and {} more", count - NAMED) } else { String::new() };
        return Some(format!(
            "{count} of {} failed: {}{more}",
            seen.all.executed,
            names.join("; ")
        ));
    }
    let lacking = |(file, _): &&(&BrokenFile, bool)| broken::shows_a_broken_contract(&file.message);
    seen.broken.iter().find(lacking).map(|(file, ran)| broke(file, *ran))
}

/// Why too little was seen to tell, if so.
fn doubt(report: &Report, demand: &Demand, seen: &Seen) -> Option<String> {
    if let Some(why) = &report.incomplete {
        return Some(format!("the report does not tell all of the run: {why}"));
    }
    if let Some((file, ran)) = seen.broken.first() {
        let began = if *ran { "did not run to its end" } else { "did not run" };
        return Some(format!("{began}: {}", broke(file, *ran)));
    }
    if let Some(why) = not_run(demand, seen) {
        return Some(format!("did not run: {why}"));
    }
    let wanted = demand.at_least.max(1);
    (seen.all.passed < wanted).then(|| {
        let passed = tests(seen.all.passed);
        format!("{passed} passed{}, and at least {wanted} are demanded", left_out(&seen.all))
    })
}

/// The first file of which no test was executed.
fn not_run(demand: &Demand, seen: &Seen) -> Option<String> {
    if demand.files.is_empty() {
        return match (seen.all.executed, seen.all.skipped) {
            (0, 0) => Some("no test is in the report".to_owned()),
            (0, skipped) => Some(all_skipped(skipped, "")),
            _ => None,
        };
    }
    let (file, counts) = demand.files.iter().zip(&seen.each).find(|(_, it)| it.executed == 0)?;
    let file = file_name(file, &demand.files);
    Some(match counts.skipped {
        0 => format!("no test of {file} is in the report{}", ran_instead(seen)),
        skipped if demand.files.len() == 1 => all_skipped(skipped, ""),
        skipped => all_skipped(skipped, &format!(" of {file}")),
    })
}

fn ran_instead(seen: &Seen) -> String {
    match (seen.other_tests, seen.other_files.len()) {
        (0, _) => String::new(),
        (count, 0) => format!(" (it ran {}, and names no file)", tests(count)),
        (count, 1) => format!(" (it ran {} of 1 other file)", tests(count)),
        (count, files) => format!(" (it ran {} of {files} other files)", tests(count)),
    }
}

fn all_skipped(count: usize, of: &str) -> String {
    if count == 1 {
        format!("the only test{of} was skipped")
    } else {
        format!("all {count} tests{of} were skipped")
    }
}

fn passing(demand: &Demand, counts: &TestCounts) -> String {
    let place = match &demand.files[..] {
        [] => String::new(),
        [file] => format!(" in {}", files::short(file)),
        files => format!(" in {} files", files.len()),
    };
    format!("{} of {} passed{place}{}", counts.passed, counts.executed, left_out(counts))
}

fn left_out(counts: &TestCounts) -> String {
    if counts.skipped == 0 { String::new() } else { format!(", {} skipped", counts.skipped) }
}

fn broke(file: &BrokenFile, ran: bool) -> String {
    let when = if ran { "failed outside its tests" } else { "failed before its first test" };
    let why = if file.message.is_empty() { "no reason is told" } else { &file.message };
    format!("{} {when}: {why}", cut(files::short(&file.file), NAME_CHARS))
}

/// What went wrong where it does not count.
fn aside(seen: &Seen) -> String {
    let failed = match seen.other_failed {
        0 => String::new(),
        count => format!("; {count} failed in other files"),
    };
    let broken = match seen.other_broken {
        0 => String::new(),
        1 => "; 1 other file broke".to_owned(),
        count => format!("; {count} other files broke"),
    };
    failed + &broken
}

/// The short name of a file that was demanded, unless two share it.
fn file_name<'a>(file: &'a str, demanded: &[String]) -> &'a str {
    let short = files::short(file);
    let shared = demanded.iter().filter(|other| files::short(other) == short).count() > 1;
    if shared { file } else { short }
}

fn tests(count: usize) -> String {
    if count == 1 { "1 test".to_owned() } else { format!("{count} tests") }
}

fn cut(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
