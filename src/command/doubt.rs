//! The places of a comment that GitHub reads otherwise than the parser of Markdown does.

use std::ops::Range;

/// The places of a document about which the two do not agree. Nothing there is a command.
pub(super) struct Doubts(Vec<Range<usize>>);

impl Doubts {
    /// The doubts about a document whose lines end with `\n`.
    ///
    /// To GitHub, a table may begin below other lines of a paragraph, and an empty box of a task
    /// list goes on in the next line here and not there. So from such a mark, or from the header
    /// above it, to the next blank line all is in doubt, whatever else it may be.
    pub(super) fn of(body: &str) -> Self {
        let mut doubts: Vec<Range<usize>> = Vec::new();
        let (mut at, mut above, mut inside) = (0, 0, false);
        for line in body.split_inclusive('\n') {
            let end = at + line.len();
            if inside {
                // Other white space makes no blank line.
                inside = !line.trim_matches([' ', '\t', '\n']).is_empty();
                if let Some(doubt) = doubts.last_mut() {
                    doubt.end = end;
                }
            } else if is_delimiter_row(line) || is_empty_box(line) {
                inside = true;
                doubts.push(above..end);
            }
            (above, at) = (at, end);
        }
        Self(doubts)
    }

    /// Whether the place `at` is in doubt.
    pub(super) fn cover(&self, at: usize) -> bool {
        let next = self.0.partition_point(|doubt| doubt.end <= at);
        self.0.get(next).is_some_and(|doubt| doubt.start <= at)
    }
}

/// Whether a line may be the one below the header of a table, such as `|:--|--:|`. Dashes alone
/// make a heading or a rule.
fn is_delimiter_row(line: &str) -> bool {
    let line = line.trim();
    line.contains('-')
        && line.contains(['|', ':'])
        && line.chars().all(|c| matches!(c, '|' | '-' | ':' | ' ' | '\t'))
}

/// Whether a line may be an item of a list that has a box, and no text.
fn is_empty_box(line: &str) -> bool {
    let line = line.trim_end();
    let before = ["[ ]", "[x]", "[X]"].iter().find_map(|mark| line.strip_suffix(mark));
    before.is_some_and(|before| before.trim_end().ends_with(['-', '*', '+', '.', ')']))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Which of the lines are in doubt.
    fn doubted(body: &str) -> String {
        let doubts = Doubts::of(body);
        let starts = std::iter::once(0).chain(body.match_indices('\n').map(|(at, _)| at + 1));
        starts.map(|at| if doubts.cover(at) { '?' } else { '.' }).collect()
    }

    #[test]
    fn from_a_mark_to_the_next_blank_line_all_is_in_doubt() {
        for (body, expected) in [
            ("", "."),
            ("a\nb\nc", "..."),
            ("a\nb\n|-|\nc\nd\n\ne", ".?????."),
            ("a\nb\n:-\nc\n  \ne\n", ".????.."),
            ("|-|\na", "??"),
            ("|-|\n\u{a0}\na", "???"),
            ("a\n- | -\nb\n\nc\n> - [ ]  \nd\n\ne", "????????."),
            ("a\n\nb\n1) [x]\nc", "..???"),
            ("a\n---\nb\n- - -\nc", "....."),
            ("a\n|a-|\nb", "..."),
            ("- [ ] a\nb [x]\nc", "..."),
            ("a:\n||\nb", "..."),
        ] {
            assert_eq!(doubted(body), expected, "{body:?}");
        }
    }
}
