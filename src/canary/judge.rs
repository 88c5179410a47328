//! What one step showed: its exit status, its report, or both.

use super::{
    apart,
    command::Target,
    output::last_line,
    process::End,
    report::{self, Judgement},
    sandbox::{COULD_NOT_START, Cell, Run},
};
use crate::config::{Reading, ReportRule, Step};
use crate::domain::{Verdict, human_duration};
use std::{
    fs::{self, File},
    io::{self, ErrorKind, Read as _},
    os::unix::process::ExitStatusExt as _,
    path::{Path, PathBuf},
    process::ExitStatus,
};

/// How a step says of itself that it could not find out (`EX_TEMPFAIL` of sysexits.h).
const EXIT_TEMPFAIL: i32 = 75;
/// The exit status of what a signal ended is this and the signal's number.
const SIGNALLED: i32 = 128;
/// No signal has a larger number than 64.
const SIGNALLED_END: i32 = SIGNALLED + 65;
/// Reports are foreign, and as large as their writer likes.
const MAX_REPORT_BYTES: u64 = 16 * 1024 * 1024;
/// What is quoted of a line that a step printed, in characters.
const MAX_QUOTED: usize = 200;

/// A step's report: what it has to show, and where it is.
#[derive(Debug)]
pub(super) struct Report<'a> {
    rule: &'a ReportRule,
    path: PathBuf,
}

impl<'a> Report<'a> {
    pub(super) fn of(step: &'a Step, target: &Target, cell: &Cell) -> Option<Self> {
        let rule = match &step.reading {
            Reading::Exit => return None,
            Reading::Report(rule) | Reading::Both(rule) => rule,
        };
        Some(Self { rule, path: cell.directory.join(target.fill(&rule.path)) })
    }

    /// Removes what is there before the step runs: an older attempt's report, or one that lies in
    /// the downstream's tree, is none of this one.
    pub(super) async fn clear(&self, room: &Run, cell: &Cell) -> Result<(), String> {
        let removed = if room.is_apart() {
            apart::remove(room, cell, &self.path).await
        } else {
            remove_below(&cell.tree, &self.path)
        };
        removed
            .map_err(|error| format!("the report of an earlier run could not be removed: {error}"))
    }

    /// What the report shows; `Err` if there is none that can be read.
    pub(super) async fn read(&self, room: &Run, cell: &Cell) -> Result<Judgement, String> {
        let bytes = if room.is_apart() {
            apart::read(room, cell, &self.path, MAX_REPORT_BYTES + 1).await
        } else {
            read_below(&cell.tree, &self.path)
        };
        let bytes = bytes.map_err(|error| format!("its report cannot be read: {error}"))?;
        let bytes = bytes.ok_or_else(|| format!("it left no report at {}", self.rule.path))?;
        if bytes.len() as u64 > MAX_REPORT_BYTES {
            return Err(format!("its report is larger than {} MiB", MAX_REPORT_BYTES >> 20));
        }
        let parsed = report::parse(self.rule.format, &bytes).map_err(|error| error.to_string())?;
        Ok(report::judge(&parsed, &self.rule.demand))
    }
}

/// The file at `path`, a little more than a report may have at most. The step is foreign: a link
/// would have the bot read what the step may not.
fn read_below(tree: &Path, path: &Path) -> io::Result<Option<Vec<u8>>> {
    let path = match fs::canonicalize(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        path => path?,
    };
    if !path.starts_with(fs::canonicalize(tree)?) || !fs::metadata(&path)?.is_file() {
        return Err(io::Error::other("it is no file of the tree"));
    }
    let mut bytes = Vec::new();
    File::open(&path)?.take(MAX_REPORT_BYTES + 1).read_to_end(&mut bytes)?;
    Ok(Some(bytes))
}

/// Removes the file at `path`, if there is one. A step that ran before is foreign as well: a link in
/// place of a directory would have the bot remove what the step may not.
fn remove_below(tree: &Path, path: &Path) -> io::Result<()> {
    let missing = |error: &io::Error| error.kind() == ErrorKind::NotFound;
    let (Some(directory), Some(name)) = (path.parent(), path.file_name()) else {
        return Err(io::Error::other("it is no file"));
    };
    let directory = match fs::canonicalize(directory) {
        Err(error) if missing(&error) => return Ok(()),
        directory => directory?,
    };
    if !directory.starts_with(fs::canonicalize(tree)?) {
        return Err(io::Error::other("it is in no directory of the tree"));
    }
    match fs::remove_file(directory.join(name)) {
        Err(error) if missing(&error) => Ok(()),
        removed => removed,
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
    let nothing = if status.success() { "exit status 0" } else { "it printed nothing" };
    let last = last_line(printed).unwrap_or(nothing);
    let last: String = last.chars().take(MAX_QUOTED).collect();
    match (status.code(), status.signal()) {
        (Some(0), _) => (Verdict::Passed, last),
        (Some(COULD_NOT_START), _) => {
            (Verdict::Inconclusive, format!("it could not be started: {last}"))
        }
        // As a shell tells of it, and a cell.
        (Some(code @ SIGNALLED..SIGNALLED_END), _) => {
            (Verdict::Inconclusive, format!("signal {} ended it: {last}", code - SIGNALLED))
        }
        (Some(EXIT_TEMPFAIL), _) => (Verdict::Inconclusive, format!("exit status 75: {last}")),
        (Some(code), _) => (Verdict::Failed, format!("exit status {code}: {last}")),
        (None, Some(signal)) => {
            (Verdict::Inconclusive, format!("signal {signal} ended it: {last}"))
        }
        (None, None) => (Verdict::Inconclusive, format!("it ended without a status: {last}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn an_old_report_is_removed_in_the_tree_alone() {
        let room = tempfile::tempdir().unwrap();
        let (tree, other) = (room.path().join("tree"), room.path().join("other"));
        fs::create_dir_all(tree.join("packages")).unwrap();
        fs::create_dir_all(&other).unwrap();
        fs::write(other.join("out.json"), "somebody else's").unwrap();
        fs::write(tree.join("packages/out.json"), "old").unwrap();
        symlink(&other, tree.join("planted")).unwrap();
        symlink(other.join("out.json"), tree.join("link.json")).unwrap();

        remove_below(&tree, &tree.join("packages/out.json")).unwrap();
        assert!(!tree.join("packages/out.json").exists());
        for absent in ["packages/out.json", "nowhere/out.json"] {
            remove_below(&tree, &tree.join(absent)).unwrap();
        }
        // Of a link to a file only the link goes.
        remove_below(&tree, &tree.join("link.json")).unwrap();
        assert!(fs::symlink_metadata(tree.join("link.json")).is_err());
        for outside in ["planted/out.json", "../other/out.json"] {
            assert!(remove_below(&tree, &tree.join(outside)).is_err(), "{outside}");
        }
        assert_eq!(fs::read(other.join("out.json")).unwrap(), b"somebody else's");
    }
}
