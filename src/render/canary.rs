//! The canary, as the reader of a pull request is shown it.

use super::fence::fenced;
use super::{
    evidence::mark,
    notes::{brief, safe_url},
};
use crate::domain::{
    CanaryReport, CanaryRun, CommitId, Pin, RunState, StepResult, TreeId, Verdict,
};

/// What is shown of a canary's output, in bytes: its lines may be long.
const MAX_OUTPUT: usize = 6_000;

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

/// What it came to and where, in a few sentences.
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
    let summary = capital(&brief(shown.summary));
    format!("### Contract canary: {}\n\n{summary}. {ran}.", shown.verdict)
}

/// The canary at the pinned digest, where it failed there.
pub(super) fn before(shown: &CanaryShown<'_>, pinned: &Pin) -> String {
    let summary = capital(&brief(shown.summary));
    format!("#### At the pinned {}, the canary fails\n\n{summary}.", pinned.version)
}

/// A table of the steps, each attempt's for itself; empty if there were none.
pub(super) fn steps(report: &CanaryReport) -> String {
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
        return String::new();
    }
    let head = "| step | verdict | what was seen | saw the digest |\n| --- | --- | --- | --- |\n";
    format!("{head}{}", rows.join("\n"))
}

fn row(step: &StepResult, attempt: &str, page: Option<&String>) -> String {
    let saw = if step.sees_digest && step.verdict != Verdict::Inconclusive { "yes" } else { "no" };
    let mark = mark(step.verdict);
    let (name, summary) = (brief(&step.name), brief(&step.summary));
    let page = page.map(|page| safe_url(page)).filter(|page| *page != "#");
    let name = page.map_or_else(|| name.clone(), |page| format!("[{name}]({page})"));
    format!("| {name}{attempt} | {mark} | {summary} | {saw} |")
}

/// The end of what it printed, folded.
pub(super) fn printed(shown: &CanaryShown<'_>) -> String {
    let link = shown.log.as_ref().map(|url| format!("[All that it printed]({}).", safe_url(url)));
    let link = link.unwrap_or_default();
    if shown.output.trim().is_empty() {
        return link;
    }
    let fenced = fenced(end_of(shown.output), "text");
    let link = if link.is_empty() { link } else { format!("\n\n{link}") };
    format!(
        "<details>\n<summary>The last lines that it printed</summary>\n\n{fenced}{link}\n\n\
         </details>"
    )
}

/// The last part of `text`, which says what went wrong.
fn end_of(text: &str) -> &str {
    let start = text.len().saturating_sub(MAX_OUTPUT);
    let start = (start..text.len()).find(|at| text.is_char_boundary(*at)).unwrap_or_default();
    &text[start..]
}

pub(super) fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fence_is_longer_than_what_it_holds() {
        assert_eq!(fenced("a\n", "text"), "```text\na\n```");
        assert_eq!(fenced("x ```` y", "text"), "`````text\nx ```` y\n`````");
    }

    #[test]
    fn only_the_end_of_a_long_output_is_shown() {
        let text = format!("begin{}end", "é".repeat(MAX_OUTPUT));
        assert!(
            !fenced(end_of(&text), "text").contains("begin")
                && fenced(end_of(&text), "text").contains("éend")
        );
        assert!(fenced(end_of(&text), "text").len() <= MAX_OUTPUT + "```text\n\n```".len());
        assert_eq!(end_of(""), "");
        assert_eq!(end_of("é"), "é");
    }
}
