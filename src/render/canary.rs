//! The canary, as the reader of a pull request is shown it.

use super::{
    body::fenced,
    notes::{brief, safe_url},
};
use crate::domain::{CanaryReport, CanaryRun, CommitId, RunState, StepResult, TreeId, Verdict};
use std::fmt::Write as _;

/// A canary run, as far as a reader is shown it.
#[derive(Debug, Clone)]
pub struct CanaryShown<'a> {
    /// What it came to.
    pub verdict: Verdict,
    /// In one line.
    pub summary: &'a str,
    /// What its steps showed.
    pub report: &'a CanaryReport,
    /// The last lines that it printed.
    pub output: &'a str,
    /// Where all that it printed is found, if readers can reach it.
    pub log: Option<String>,
    /// The tree that it ran on.
    pub tree: &'a TreeId,
    /// The commit that this tree was made on.
    pub base: &'a CommitId,
    /// Whether it was the downstream's own checks of a commit.
    pub checked: bool,
}

/// So many lines of what a run printed are short enough for a pull request.
const LINES: usize = 20;

impl<'a> CanaryShown<'a> {
    /// A run that has ended, as a reader is shown it; `page` is where the status page is reached.
    #[must_use]
    pub fn of(run: &'a CanaryRun, page: Option<&str>) -> Option<Self> {
        let RunState::Ended { verdict, summary, output, report, .. } = &run.state else {
            return None;
        };
        let output = output.trim_end();
        let start = output.rmatch_indices('\n').nth(LINES - 1).map_or(0, |(at, _)| at + 1);
        Some(Self {
            verdict: *verdict,
            summary,
            report,
            output: &output[start..],
            log: page
                .filter(|_| run.checked.is_none())
                .map(|page| format!("{page}/runs/{}", report.of.unwrap_or(run.id))),
            tree: &run.tree,
            base: &run.base,
            checked: run.checked.is_some() && run.dispatched.is_none(),
        })
    }
}

/// The section about the canary.
pub(super) fn section(shown: &CanaryShown<'_>) -> String {
    let report = shown.report;
    let place = if report.executor.is_empty() {
        String::new()
    } else {
        format!(", {}", brief(&report.executor))
    };
    let ran = match report.of {
        None => {
            let place_of = if shown.checked {
                "It ran on the commit that this pull request pushes, or on GitHub's merge of it"
            } else {
                "It ran on exactly the tree that this pull request pushes"
            };
            format!("{place_of} (`{}`, made on `{}`){place}", shown.tree, shown.base.short())
        }
        Some(run) => format!(
            "That was found out by run {run}{place}, with the same steps, at the same digest and on \
             the same harness, which are not run twice"
        ),
    };
    let summary = super::body::capital(&brief(shown.summary));
    let mut out = format!("### Contract canary: {}\n\n{summary}. {ran}.", shown.verdict);
    if let Some(steps) = table(report) {
        let _ = write!(out, "\n\n{steps}");
    }
    out + &printed(shown)
}

/// A table of the steps, each attempt's for itself; `None` if there are none.
pub(super) fn table(report: &CanaryReport) -> Option<String> {
    let several = report.attempts.len() > 1;
    let numbered = report.attempts.iter().zip(1..);
    let judged = numbered.flat_map(|(steps, number)| steps.iter().map(move |step| (number, step)));
    let setup = report.setup.iter().map(|step| (0, step));
    let rows: Vec<String> = setup
        .chain(judged)
        .map(|(attempt, step)| {
            let attempt = match attempt {
                0 => " (setup)".to_owned(),
                number if several => format!(" (attempt {number})"),
                _ => String::new(),
            };
            row(step, &attempt, report.pages.get(&step.name))
        })
        .collect();
    if rows.is_empty() {
        return None;
    }
    let head = "| step | verdict | what was seen | saw the digest |\n| --- | --- | --- | --- |\n";
    Some(format!("{head}{}", rows.join("\n")))
}

fn row(step: &StepResult, attempt: &str, page: Option<&String>) -> String {
    let saw = if step.sees_digest && step.verdict != Verdict::Inconclusive { "yes" } else { "no" };
    let mark = super::body::mark(step.verdict);
    let (name, summary) = (brief(&step.name), brief(&step.summary));
    let page = page.map(|page| safe_url(page)).filter(|page| *page != "#");
    let name = page.map_or_else(|| name.clone(), |page| format!("[{name}]({page})"));
    format!("| {name}{attempt} | {mark} | {summary} | {saw} |")
}

/// The end of what it printed, folded.
pub(super) fn printed(shown: &CanaryShown<'_>) -> String {
    let link =
        shown.log.as_ref().map(|url| format!("\n\n[All that it printed]({}).", safe_url(url)));
    let link = link.unwrap_or_default();
    if shown.output.trim().is_empty() {
        return link;
    }
    let fenced = fenced(shown.output);
    format!(
        "\n\n<details>\n<summary>The last lines that it printed</summary>\n\n{fenced}{link}\n\n\
         </details>"
    )
}
