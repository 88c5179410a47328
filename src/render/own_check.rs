//! What the bot's own check of a commit says to whoever opens it.

use super::canary::{CanaryShown, capital, steps};
use super::fence::{LONGEST_RUN, fenced, longest_run};
use super::notes::brief;

/// What GitHub takes of a text. It says characters; there are never more of those than bytes.
const MOST: usize = 65_535;
/// What stands for the beginning of a log that is too long.
const CUT: &str = "The beginning is left out.\n\n";

/// The sentence and the table of a run, for the check's summary.
#[must_use]
pub fn check_summary(shown: &CanaryShown<'_>) -> String {
    let summary = capital(&brief(shown.summary));
    let place = match shown.report.executor.as_str() {
        "" => String::new(),
        executor => format!(", {}", brief(executor)),
    };
    let mut out = format!(
        "{summary}. It ran on the tree `{}`, made on `{}`{place}.",
        shown.tree,
        shown.base.short()
    );
    if let Some(run) = shown.report.of {
        out = format!(
            "{summary}. That was found out by run {run}{place}, with the same steps, at the same \
             digest and on the same harness, which are not run twice."
        );
    }
    let table = steps(shown.report);
    if table.is_empty() { out } else { format!("{out}\n\n{table}") }
}

/// All that a run printed, for the check's text: foreign text in a fence that it cannot leave, cut
/// to what GitHub takes by leaving out its beginning.
#[must_use]
pub fn check_text(log: &str) -> String {
    let log = log.trim_end();
    if log.trim_start().is_empty() {
        return String::new();
    }
    let whole = fenced(log, "text");
    if whole.len() <= MOST {
        return whole;
    }
    // The fence is as long for a part of it, or shorter.
    let frame = fenced("", "text").len() + 2 * longest_run(log).min(LONGEST_RUN);
    let room = MOST.saturating_sub(frame + CUT.len());
    let start = log.len().saturating_sub(room);
    let start = (start..=log.len()).find(|at| log.is_char_boundary(*at)).unwrap_or(log.len());
    let end = &log[start..];
    // From a whole line on, if there is one.
    let end = end.split_once('\n').map_or(end, |(_, rest)| rest);
    format!("{CUT}{}", fenced(end, "text"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_short_log_is_whole_and_an_empty_one_is_nothing() {
        assert_eq!(check_text("one\ntwo\n"), "```text\none\ntwo\n```");
        assert_eq!(check_text("a ``` b"), "````text\na ``` b\n````");
        assert_eq!(check_text(" \n"), "");
    }

    #[test]
    fn of_a_long_log_the_end_is_kept_from_a_whole_line_on() {
        let lines: Vec<String> = (0..20_000).map(|number| format!("line {number}")).collect();
        let text = check_text(&lines.join("\n"));
        assert!(text.len() <= MOST && text.len() > MOST - 100, "{}", text.len());
        assert!(text.starts_with("The beginning is left out.\n\n```text\nline "));
        assert!(text.ends_with("\nline 19999\n```"));
        // One line without an end, in characters of four bytes.
        let text = check_text(&"🎺".repeat(40_000));
        assert!(text.len() <= MOST && text.ends_with("🎺\n```"), "{}", text.len());
        assert!(check_text(&"`".repeat(100_000)).len() <= MOST);
    }

    proptest! {
        #[test]
        fn whatever_is_printed_fits_and_stays_in_its_fence(
            part in "[`~\n a€]{1,40}", times in 1_usize..6_000,
        ) {
            let text = check_text(&part.repeat(times));
            prop_assert!(text.len() <= MOST, "{}", text.len());
            let inside = text.strip_prefix(CUT).unwrap_or(&text);
            if let Some((first, rest)) = inside.split_once('\n') {
                let fence = first.strip_suffix("text").unwrap();
                let (printed, last) = rest.rsplit_once('\n').unwrap();
                prop_assert_eq!(fence, last);
                prop_assert!(!printed.contains(fence));
            }
        }
    }
}
