//! The lines of a comment that are ordinary text: what its author says, and does not quote, show
//! or hide.

use super::doubt::Doubts;
use super::html::Enclosing;
use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};
use std::ops::Range;

/// So far a line may be indented.
const MAX_INDENT: usize = 3;

/// The lines of the top-level paragraphs of a comment in GitHub's Markdown, as they stand in the
/// source, without the white space around them. Lines that begin with anything but text are left
/// out: markup, an escaped character, an image. In `body`, lines end with `\n`.
pub(super) fn ordinary_lines(body: &str) -> Vec<&str> {
    // Without task lists, which are lists anyway: an empty box would swallow the paragraph that
    // goes on in the next line.
    let options = Options::ENABLE_TABLES
        | Options::ENABLE_FOOTNOTES
        | Options::ENABLE_STRIKETHROUGH
        | Options::ENABLE_GFM;
    let mut reader = Reader { body, ..Reader::default() };
    for (event, range) in Parser::new_ext(body, options).into_offset_iter() {
        reader.take(event, range);
    }
    let doubts = Doubts::of(body);
    let lines = reader.lines.into_iter().filter(|(at, _)| !doubts.cover(*at));
    lines.map(|(_, line)| line).collect()
}

/// What is known at a place of the document.
#[derive(Debug, Default)]
struct Reader<'a> {
    body: &'a str,
    /// How many blocks and spans are open.
    depth: usize,
    /// The open block is a paragraph that stands in no other block.
    in_paragraph: bool,
    /// Nothing of the line was read, and it is not in a span.
    at_start: bool,
    /// Where the line begins that is being read.
    line: Option<usize>,
    /// The HTML block that is being read.
    block: String,
    enclosing: Enclosing,
    /// Each line, with its place.
    lines: Vec<(usize, &'a str)>,
}

impl Reader<'_> {
    fn take(&mut self, event: Event<'_>, range: Range<usize>) {
        let at_start = std::mem::take(&mut self.at_start);
        match event {
            Event::Start(tag) => {
                if self.depth == 0 {
                    self.in_paragraph = tag == Tag::Paragraph;
                    self.at_start = self.in_paragraph;
                }
                self.depth += 1;
            }
            Event::End(tag) => {
                self.depth = self.depth.saturating_sub(1);
                if tag == TagEnd::HtmlBlock {
                    self.enclosing.pass(&std::mem::take(&mut self.block));
                }
                if self.depth == 0 && self.in_paragraph {
                    self.end_line(range.end);
                    self.in_paragraph = false;
                }
            }
            Event::Text(_) => {
                if at_start && !self.enclosing.any() && self.begins_line(range.start) {
                    self.line = Some(range.start);
                }
            }
            // A block comes in pieces, one for each line.
            Event::Html(html) => self.block.push_str(&html),
            Event::InlineHtml(html) => self.enclosing.pass(&html),
            Event::SoftBreak | Event::HardBreak => {
                self.end_line(range.start);
                self.at_start = self.in_paragraph && self.depth == 1;
            }
            Event::Code(_)
            | Event::InlineMath(_)
            | Event::DisplayMath(_)
            | Event::FootnoteReference(_)
            | Event::Rule
            | Event::TaskListMarker(_) => {}
        }
    }

    /// Whether nothing but a small indentation stands before `at` in its line of the source. The
    /// parser leaves out what it reads over, such as the backslash of an escaped character.
    fn begins_line(&self, at: usize) -> bool {
        let before = self.body.as_bytes().get(..at).unwrap_or_default();
        let indent = before.iter().rev().take_while(|byte| **byte == b' ').take(MAX_INDENT).count();
        matches!(before.iter().rev().nth(indent), None | Some(b'\n'))
    }

    fn end_line(&mut self, end: usize) {
        let line = self.line.take().and_then(|at| Some((at, self.body.get(at..end)?)));
        if let Some((at, text)) = line {
            // A span may go on over the end of the line; a command does not.
            let text = text.split('\n').next().unwrap_or_default();
            self.lines.push((at, text.trim_end()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether the one line of `body` that has the letter X in it is ordinary text.
    fn ordinary(body: &str) -> bool {
        ordinary_lines(body).into_iter().any(|line| line.starts_with("/X"))
    }

    #[test]
    fn lines_of_top_level_paragraphs_are_text() {
        for body in [
            "/X",
            "   /X",
            "a\n/X\nb",
            "a\n   /X",
            "a  \n/X",
            "a\\\n/X",
            "# a\n/X",
            "> a\n\n/X",
            "- a\n\n/X",
            "```\na\n```\n/X",
            "| a |\n| - |\n| b |\n\n/X",
            "<details>\n\na\n\n</details>\n\n/X",
            "<!-- a\n\nb -->\n\n/X",
            "<img src='a'>\n\n/X",
            "a <br> b <kbd>c</kbd>\n/X",
            "a `<b>` \\<b> &lt;b>\n/X",
            "    <b>\n\n/X",
            "<https://a.b/> <a@b.c> a<b\n/X",
            "**a**\n/X",
            "a `b\nc`\n/X",
            "[a]: b\n/X",
            "a\n\n---\n\n/X **b** `c` [d](e) <f> \\",
            "[^1]: a\n\n/X [^1]",
            "| a\n/X",
            "a | b\n\n/X",
            "\0\n/X",
        ] {
            assert!(ordinary(body), "{body:?}");
        }
    }

    #[test]
    fn what_is_quoted_shown_or_hidden_is_none() {
        for body in [
            "> /X",
            ">/X",
            "> > /X",
            "> a\n/X",
            "> > a\n> /X\n/X",
            "> [!NOTE]\n> /X",
            "> - a\n/X",
            "    /X",
            "\t/X",
            "a\n    /X",
            "a\n\t/X",
            "```\n/X\n```",
            "```\n/X",
            "~~~ a\n```\n/X\n```",
            "````\n```\n/X\n````",
            "> ```\n> /X",
            "`/X`",
            "a `\n/X\n`",
            "``\n/X\n``",
            "- /X",
            "1. /X",
            "- a\n\n  /X",
            "- a\n/X",
            "* [ ] /X",
            "- [ ] \n/X",
            "> - [ ] \n/X",
            "[a]: b\n|-|\n/X",
            "--\n|-|\n===\n/X",
            "- [x] a\n/X",
            "# /X",
            "/X\n===",
            "/X\n---",
            "a\n/X\n-",
            "[/X](x)",
            "[a](\n/X)",
            "[a\n/X\n](x)",
            "[a][b\n/X\n]\n\n[b\n/X\n]: c",
            "[a]:\n/X",
            "[a]: b '\n/X\n'",
            "![a\n/X\n](x)",
            "*\\\n/X*",
            "**a\n/X**",
            "~~a\n/X~~",
            "*/X*",
            "[^1]: /X\n\n[^1]",
            "[^1]: a\n/X",
            "| /X |\n| - |",
            "| a |\n| - |\n/X",
            "| a |\n| - |\n| /X |",
            "a\n/X | b\n--|--",
            "a\n/X\n|-|",
            "a\n| b |\n| - |\n/X",
            "a\nb | c\n:-|-:\n/X | d\n",
            "\\/X",
            "a\n\\/X",
            "&#47;X",
            "&sol;X",
            "\u{200b}/X",
            "\u{200f}/X",
            "\u{202e}/X",
            "\u{feff}/X",
            "\u{a0}/X",
            "a\n\u{3000}/X",
            "\0/X",
            "\u{c}/X",
            "a\u{2028}/X",
            "a /X",
            "`` ` ``/X",
            "<br>/X",
            "<br> /X",
            "!/X",
            "",
        ] {
            assert!(!ordinary(body), "{body:?}");
        }
    }

    #[test]
    fn a_line_is_given_as_it_stands_and_ends_at_breaks() {
        for (body, lines) in [
            ("/X *a* `b` [c](d) \\e &amp;", &["/X *a* `b` [c](d) \\e &amp;"][..]),
            ("/X a\\\n/Y", &["/X a", "/Y"]),
            ("/X a  \n /Y  ", &["/X a", "/Y"]),
            ("/X\n/Y\n\n/Z", &["/X", "/Y", "/Z"]),
            ("/X `a\nb`\n/Y", &["/X `a", "/Y"]),
            ("/X *a\nb*\n/Y", &["/X *a", "/Y"]),
            ("/X <!--\na\n-->\n/Y", &["/X <!--", "/Y"]),
            ("/X\n/Y | a\n-|-\n/Z", &["/X"]),
        ] {
            assert_eq!(ordinary_lines(body), lines, "{body:?}");
        }
    }
}
