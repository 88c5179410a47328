//! What one step showed: its exit status, its report, or both.

use super::{
    command::{Target, directory},
    output::last_line,
    process::End,
    report::{self, Judgement},
};
use crate::config::{Reading, ReportRule, Step};
use crate::domain::{Verdict, human_duration};
use std::{
    fs::{self, File},
    io::{ErrorKind, Read as _},
    os::unix::process::ExitStatusExt as _,
    path::{Path, PathBuf},
    process::ExitStatus,
};

/// How a step says of itself that it could not find out (`EX_TEMPFAIL` of sysexits.h).
const EXIT_TEMPFAIL: i32 = 75;
/// Reports are foreign, and as large as their writer likes.
const MAX_REPORT_BYTES: u64 = 16 * 1024 * 1024;
/// What is quoted of a line that a step printed, in characters.
const MAX_QUOTED: usize = 200;

/// A step's report: what it has to show, and where it is.
#[derive(Debug)]
pub(super) struct Report<'a> {
    rule: &'a ReportRule,
    path: PathBuf,
    tree: PathBuf,
}

impl<'a> Report<'a> {
    pub(super) fn of(step: &'a Step, target: &Target, work: &Path) -> Option<Self> {
        let rule = match &step.reading {
            Reading::Exit => return None,
            Reading::Report(rule) | Reading::Both(rule) => rule,
        };
        let path = directory(step, work).join(target.fill(&rule.path));
        Some(Self { rule, path, tree: work.join("tree") })
    }

    /// Removes what is there before the step runs: an older attempt's report, or one that lies in
    /// the downstream's tree, is none of this one.
    pub(super) fn clear(&self) -> Result<(), String> {
        match fs::remove_file(&self.path) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                Err(format!("the report of an earlier run could not be removed: {error}"))
            }
            _ => Ok(()),
        }
    }

    /// What the report shows; `Err` if there is none that can be read.
    pub(super) fn read(&self) -> Result<Judgement, String> {
        let bytes = self.bytes()?;
        let parsed = report::parse(self.rule.format, &bytes).map_err(|error| error.to_string())?;
        Ok(report::judge(&parsed, &self.rule.demand))
    }

    fn bytes(&self) -> Result<Vec<u8>, String> {
        let told = |error: std::io::Error| match error.kind() {
            ErrorKind::NotFound => format!("it left no report at {}", self.rule.path),
            _ => format!("its report cannot be read: {error}"),
        };
        // The step is foreign: a link would have the bot read what the step may not.
        let path = fs::canonicalize(&self.path).map_err(told)?;
        let tree = fs::canonicalize(&self.tree).map_err(told)?;
        if !path.starts_with(&tree) || !fs::metadata(&path).map_err(told)?.is_file() {
            return Err("its report is no file of the tree".to_owned());
        }
        let mut bytes = Vec::new();
        let file = File::open(&path).map_err(told)?;
        file.take(MAX_REPORT_BYTES + 1).read_to_end(&mut bytes).map_err(told)?;
        if bytes.len() as u64 > MAX_REPORT_BYTES {
            return Err(format!("its report is larger than {} MiB", MAX_REPORT_BYTES >> 20));
        }
        Ok(bytes)
    }
}

/// The verdict on a step, and one line for a maintainer.
pub(super) fn judge(
    step: &Step,
    end: &End,
    printed: &str,
    tests: Option<&Result<Judgement, String>>,
) -> (Verdict, String) {
    let (verdict, summary) = match end {
        End::Broken(why) => (Verdict::Inconclusive, why.clone()),
        End::TimeLimit => {
            let limit = human_duration(step.time_limit);
            (Verdict::Inconclusive, format!("it did not end within {limit}, and was ended"))
        }
        End::Stopped => (Verdict::Inconclusive, "the bot was stopped".to_owned()),
        End::Exited(status) => judge_end(step, *status, printed, tests),
    };
    // What prepares a canary says nothing of the release.
    let verdict =
        if step.setup && verdict == Verdict::Failed { Verdict::Inconclusive } else { verdict };
    (verdict, summary)
}

fn judge_end(
    step: &Step,
    status: ExitStatus,
    printed: &str,
    tests: Option<&Result<Judgement, String>>,
) -> (Verdict, String) {
    let (by_status, told) = judge_status(status, printed);
    let Some(tests) = tests else {
        return (by_status, told);
    };
    let could_not = by_status == Verdict::Inconclusive;
    match tests {
        _ if could_not => (by_status, told),
        // The runner itself failed, or wrote its report elsewhere.
        Err(why) if by_status == Verdict::Failed => {
            (Verdict::Inconclusive, format!("did not run: {why}; {told}"))
        }
        Err(why) => (Verdict::Inconclusive, format!("did not run: {why}")),
        Ok(tests) if tests.verdict == Verdict::Passed && by_status == Verdict::Failed => {
            match step.reading {
                Reading::Exit | Reading::Report(_) => (Verdict::Passed, tests.summary.clone()),
                Reading::Both(_) => {
                    (Verdict::Inconclusive, format!("{}, and yet {told}", tests.summary))
                }
            }
        }
        Ok(tests) => (tests.verdict, tests.summary.clone()),
    }
}

fn judge_status(status: ExitStatus, printed: &str) -> (Verdict, String) {
    let last = last_line(printed).unwrap_or("it printed nothing");
    let last: String = last.chars().take(MAX_QUOTED).collect();
    match (status.code(), status.signal()) {
        (Some(0), _) => (Verdict::Passed, last),
        (Some(EXIT_TEMPFAIL), _) => (Verdict::Inconclusive, format!("exit status 75: {last}")),
        (Some(code), _) => (Verdict::Failed, format!("exit status {code}: {last}")),
        (None, Some(signal)) => {
            (Verdict::Inconclusive, format!("signal {signal} ended it: {last}"))
        }
        (None, None) => (Verdict::Inconclusive, format!("it ended without a status: {last}")),
    }
}
