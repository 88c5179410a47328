//! Foreign text in a fence.

/// Longer runs of backticks are no Markdown that anybody wrote, and would take all the room.
pub(super) const LONGEST_RUN: usize = 1_000;

/// The longest run of backticks.
pub(super) fn longest_run(text: &str) -> usize {
    text.split(|c| c != '`').map(str::len).max().unwrap_or(0)
}

/// Plain text for a comment, as it stands.
#[must_use]
pub fn as_text(text: &str) -> String {
    fenced(text, "text")
}

/// The text in a fence of its own, which nothing in it can end; `language` says how it is coloured.
pub(super) fn fenced(text: &str, language: &str) -> String {
    let longest = longest_run(text);
    let (text, longest) = if longest > LONGEST_RUN {
        (text.replace('`', "'"), 0)
    } else {
        (text.to_owned(), longest)
    };
    let fence = "`".repeat(longest.max(2) + 1);
    format!("{fence}{language}\n{}\n{fence}", text.trim_end())
}
