//! What one line of release notes is.

/// What follows the mark `BREAKING CHANGE:` of Conventional Commits, in bold or not.
pub(super) fn after_mark(text: &str) -> Option<&str> {
    let text = text.trim_start_matches(['*', '_', '⚠', '\u{fe0f}', ' ']);
    let rest = text.strip_prefix("BREAKING")?;
    let rest = [" CHANGES", " CHANGE", "-CHANGE"]
        .into_iter()
        .find_map(|word| rest.strip_prefix(word))
        .unwrap_or(rest);
    let rest = rest.trim_start_matches(['*', '_']).strip_prefix(':')?;
    Some(rest.trim_start_matches(['*', '_']).trim_start())
}

/// In columns; a tab counts as four.
pub(super) fn indent_of(line: &str) -> usize {
    line.chars().take_while(|c| c.is_whitespace()).map(|c| if c == '\t' { 4 } else { 1 }).sum()
}

/// Markdown has no level below it.
pub(super) const LOWEST_HEADING: usize = 6;

pub(super) fn heading(text: &str) -> Option<(usize, &str)> {
    let rest = text.trim_start_matches('#');
    let level = text.len() - rest.len();
    let is_heading = (1..=LOWEST_HEADING).contains(&level) && rest.starts_with([' ', '\t']);
    is_heading.then(|| (level, rest.trim().trim_end_matches('#').trim_end()))
}

pub(super) fn is_breaking(title: &str) -> bool {
    let title = title.trim_start_matches(|c: char| !c.is_alphanumeric());
    title.get(.."breaking".len()).is_some_and(|word| word.eq_ignore_ascii_case("breaking"))
}

/// `[1.2.3](url) (date)`, `v1.2.3`, `[Unreleased]`.
pub(super) fn names_a_release(title: &str) -> bool {
    let title = title.trim_start_matches('[');
    let version = title.strip_prefix(['v', 'V']).unwrap_or(title);
    let numbers =
        version.split(|c: char| !c.is_ascii_digit()).take(3).filter(|number| !number.is_empty());
    numbers.count() == 3 || title.to_ascii_lowercase().starts_with("unreleased")
}

pub(super) fn is_rule(text: &str) -> bool {
    ['-', '*', '_']
        .into_iter()
        .any(|mark| text.matches(mark).count() >= 3 && text.chars().all(|c| c == mark || c == ' '))
}

pub(super) fn bullet(text: &str) -> Option<&str> {
    let rest = text.strip_prefix(['*', '-', '+']).or_else(|| {
        let digits = text.bytes().take_while(u8::is_ascii_digit).take(10).count();
        let rest = text.get(digits..).filter(|_| (1..=9).contains(&digits))?;
        rest.strip_prefix(['.', ')'])
    })?;
    (rest.is_empty() || rest.starts_with([' ', '\t'])).then(|| rest.trim_start())
}
