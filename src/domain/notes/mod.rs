//! Release notes in the form that semantic-release writes, as data.
//!
//! A line parser rather than a Markdown one: the form is line-based, what is kept stays Markdown as
//! it was written, and text that follows no rule is kept rather than lost. All of it is foreign
//! text: whoever shows it escapes it.

mod item;
mod line;

use item::{is_trailer, item};
use line::{
    LOWEST_HEADING, after_mark, bullet, heading, indent_of, is_breaking, is_rule, names_a_release,
};

/// What the notes of one release say.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Notes {
    /// What the section `⚠ BREAKING CHANGES` lists, and what is marked `BREAKING CHANGE:` elsewhere.
    pub breaking: Vec<BreakingNote>,
    /// The other sections with at least one item, in their order.
    pub sections: Vec<NoteSection>,
    /// Paragraphs outside the breaking section. They are not shown.
    pub prose: Vec<NoteItem>,
}

/// A section of release notes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoteSection {
    /// Its heading, such as `Bug Fixes`; empty for items before any heading.
    pub title: String,
    /// Its bullets.
    pub items: Vec<NoteItem>,
}

/// One bullet of release notes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoteItem {
    /// The scope of the conventional commit, without its colon.
    pub scope: Option<String>,
    /// The bullet on one line, as Markdown, without the links to commit and closed issues at its
    /// end. Bullets nested in it follow, separated by `;`.
    pub text: String,
    /// The commit, as it was abbreviated there.
    pub commit: Option<String>,
}

/// One breaking change; like any other item, but text that is no bullet counts as well.
pub type BreakingNote = NoteItem;

impl Notes {
    /// Reads the body of a release. Never fails: what is not understood becomes text, or nothing.
    #[must_use]
    pub fn parse(markdown: &str) -> Self {
        let mut parser = Parser::default();
        // A lone CR ends a line of Markdown too.
        for line in markdown.replace("\r\n", "\n").replace('\r', "\n").lines() {
            parser.line(line);
        }
        parser.close_item();
        parser.notes.sections.retain(|it| !it.items.is_empty());
        parser.notes
    }
}

/// Where the parser stands.
#[derive(Default)]
struct Parser {
    notes: Notes,
    /// In the breaking section, and the level of its heading.
    breaking: Option<usize>,
    /// The parts of the open item: its text, then what is nested in it.
    open: Option<Open>,
    /// The mark that ends the open code fence, and the indent of the one that opened it.
    fence: Option<(&'static str, usize)>,
    /// Whether the line before was blank.
    blank: bool,
}

struct Open {
    indent: usize,
    bullet: bool,
    breaking: bool,
    parts: Vec<String>,
}

impl Parser {
    fn line(&mut self, line: &str) {
        let text = line.trim();
        let indent = indent_of(line);
        if self.fenced(indent, text) {
            self.continue_item(text);
        } else if text.is_empty() || is_rule(text) || is_trailer(text) {
            self.blank = true;
            return;
        } else if let (true, Some((level, title))) = (indent < 4, heading(text)) {
            self.heading(level, title);
        } else if let Some(rest) = bullet(text) {
            self.bullet(indent, rest);
        } else {
            self.paragraph(indent, text);
        }
        self.blank = false;
    }

    /// Whether the line belongs to a code fence, in which a `#` is no heading.
    fn fenced(&mut self, indent: usize, text: &str) -> bool {
        // A fence inside an item ends with the item, closed or not.
        if self.fence.is_some_and(|(_, outer)| outer >= 2 && indent == 0 && !text.is_empty()) {
            self.fence = None;
        }
        let mark = ["```", "~~~"].into_iter().find(|it| text.starts_with(it));
        match (self.fence, mark) {
            (None, Some("```")) if text.trim_start_matches('`').contains('`') => false,
            (None, None) => false,
            (None, Some(mark)) => {
                self.fence = Some((mark, indent));
                true
            }
            (Some((open, _)), mark) => {
                if mark == Some(open) {
                    self.fence = None;
                }
                true
            }
        }
    }

    fn heading(&mut self, level: usize, title: &str) {
        self.close_item();
        if is_breaking(title) {
            self.breaking = Some(level);
        } else if self.breaking.is_some_and(|outer| level > outer) {
            self.open(0, false, title);
            self.close_item();
        } else {
            self.breaking = None;
            // The release's own heading opens a section without a name.
            let title = if names_a_release(title) { "" } else { title };
            self.section(title);
        }
    }

    fn section(&mut self, title: &str) {
        self.notes.sections.push(NoteSection { title: title.to_owned(), items: Vec::new() });
    }

    fn bullet(&mut self, indent: usize, text: &str) {
        if let Some(rest) = after_mark(text) {
            self.marked(indent, true, rest);
            return;
        }
        match &mut self.open {
            Some(open) if open.bullet && indent >= open.indent + 2 => {
                open.parts.push(text.to_owned());
            }
            _ => {
                self.close_item();
                self.open(indent, true, text);
            }
        }
    }

    fn paragraph(&mut self, indent: usize, text: &str) {
        if let Some(rest) = after_mark(text) {
            self.marked(indent, false, rest);
            return;
        }
        let nested =
            self.open.as_ref().is_some_and(|open| open.bullet && indent >= open.indent + 2);
        if self.open.is_some() && (nested || !self.blank) {
            self.continue_item(text);
        } else {
            self.close_item();
            self.open(indent, false, text);
        }
    }

    /// What follows the mark; with nothing behind it on its line, the mark is a heading in all but
    /// its form.
    fn marked(&mut self, indent: usize, bullet: bool, rest: &str) {
        self.close_item();
        if rest.is_empty() {
            self.breaking = Some(LOWEST_HEADING);
        } else {
            self.open = Some(Open { indent, bullet, breaking: true, parts: vec![rest.to_owned()] });
        }
    }

    fn open(&mut self, indent: usize, bullet: bool, text: &str) {
        let breaking = self.breaking.is_some();
        self.open = Some(Open { indent, bullet, breaking, parts: vec![text.to_owned()] });
    }

    fn continue_item(&mut self, text: &str) {
        if let Some(part) = self.open.as_mut().and_then(|open| open.parts.last_mut()) {
            part.push(' ');
            part.push_str(text);
        } else if self.breaking.is_some() {
            self.open(0, false, text);
        }
    }

    fn close_item(&mut self) {
        let Some(open) = self.open.take() else {
            return;
        };
        let Some(item) = item(&open.parts) else {
            return;
        };
        if open.breaking {
            self.notes.breaking.push(item);
            return;
        }
        if !open.bullet {
            self.notes.prose.push(item);
            return;
        }
        if self.notes.sections.is_empty() {
            self.section("");
        }
        if let Some(section) = self.notes.sections.last_mut() {
            section.items.push(item);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const BODY: &str = "## [4.0.0](https://github.com/o/r/compare/v3.9.3...v4.0.0) (2026-06-01)

### ⚠ BREAKING CHANGES

* **settlement:** `openChannel()` now takes an options object,
and the old form is gone.

Co-Authored-By: Somebody <somebody@example.com>
* the peer table is keyed by id
  - old: by address
  - new: by id

Signed-off-by: A Person <a@example.com>

Set `ADMIN_PORT` before
you upgrade.

### Features

* **admin:** list peers ([0a1b2c3](https://github.com/o/r/commit/0a1b2c3d)), closes [#12](https://github.com/o/r/issues/12) [#13](https://github.com/o/r/issues/13)
* no scope (see [docs](https://x.y)) ([1234567](https://github.com/o/r/commit/1234567))

### Bug Fixes

- dash bullet (89abcde)
";

    fn breaking(markdown: &str) -> Vec<String> {
        let notes = Notes::parse(&format!("### ⚠ BREAKING CHANGES\n\n{markdown}"));
        notes.breaking.into_iter().map(|it| it.text).collect()
    }

    #[test]
    fn a_whole_body_is_read() {
        let notes = Notes::parse(BODY);
        insta::assert_debug_snapshot!(notes, @r#"
        Notes {
            breaking: [
                NoteItem {
                    scope: Some(
                        "settlement",
                    ),
                    text: "`openChannel()` now takes an options object, and the old form is gone.",
                    commit: None,
                },
                NoteItem {
                    scope: None,
                    text: "the peer table is keyed by id; old: by address; new: by id",
                    commit: None,
                },
                NoteItem {
                    scope: None,
                    text: "Set `ADMIN_PORT` before you upgrade.",
                    commit: None,
                },
            ],
            sections: [
                NoteSection {
                    title: "Features",
                    items: [
                        NoteItem {
                            scope: Some(
                                "admin",
                            ),
                            text: "list peers",
                            commit: Some(
                                "0a1b2c3",
                            ),
                        },
                        NoteItem {
                            scope: None,
                            text: "no scope (see [docs](https://x.y))",
                            commit: Some(
                                "1234567",
                            ),
                        },
                    ],
                },
                NoteSection {
                    title: "Bug Fixes",
                    items: [
                        NoteItem {
                            scope: None,
                            text: "dash bullet",
                            commit: Some(
                                "89abcde",
                            ),
                        },
                    ],
                },
            ],
            prose: [],
        }
        "#);
        assert_eq!(Notes::parse(&BODY.replace('\n', "\r\n")), notes);
        assert_eq!(Notes::parse(&BODY.replace('\n', "\r")), notes);
        assert_eq!(Notes::parse(&BODY.replace("\n* ", "\n- ")), notes);
    }

    #[test]
    fn the_end_of_an_item_is_cut() {
        for (line, text, commit) in [
            ("* a", "a", None),
            ("* a ([0a1b2c3](u))", "a", Some("0a1b2c3")),
            ("* a ([`0a1b2c3`](u))", "a", Some("0a1b2c3")),
            ("* a (0a1b2c3)", "a", Some("0a1b2c3")),
            ("* a ([#12](u)) ([0a1b2c3](u))", "a", Some("0a1b2c3")),
            ("* a ([0a1b2c3](u)), closes #1, o/r#2", "a", Some("0a1b2c3")),
            ("* a, closes [#1](u)", "a", None),
            ("* a ([0a1b2c3](u)), closes [#0D1829](u)", "a", Some("0a1b2c3")),
            ("* a (#12)", "a", None),
            ("* a (really)", "a (really)", None),
            ("* a ([docs](u))", "a ([docs](u))", None),
            ("* the door closes late", "the door closes late", None),
            ("* encloses #1", "encloses #1", None),
        ] {
            let notes = Notes::parse(&format!("### X\n{line}"));
            let item = &notes.sections[0].items[0];
            assert_eq!((&*item.text, item.commit.as_deref()), (text, commit), "{line}");
        }
    }

    #[test]
    fn scopes_are_told_from_bold_words() {
        for (line, scope, text) in [
            ("* **a:** b", Some("a"), "b"),
            ("* **a**: b", Some("a"), "b"),
            ("* **cc:** b", Some("cc"), "b"),
            ("* **stand-by:** b", Some("stand-by"), "b"),
            ("* **a, b:** c", Some("a, b"), "c"),
            ("* **a** b", None, "**a** b"),
            ("* **:** b", None, "**:** b"),
            ("* a: b", None, "a: b"),
        ] {
            let notes = Notes::parse(&format!("### X\n{line}"));
            let item = &notes.sections[0].items[0];
            assert_eq!((item.scope.as_deref(), &*item.text), (scope, text), "{line}");
        }
    }

    #[test]
    fn breaking_text_is_kept_and_trailers_are_not() {
        for (markdown, expected) in [
            ("* a\nb", vec!["a b"]),
            ("* a\n\n  b", vec!["a b"]),
            ("* a\n\nb\nc", vec!["a", "b c"]),
            ("a\n\n* b", vec!["a", "b"]),
            ("* a\n* b", vec!["a", "b"]),
            ("1. a\n2. b", vec!["a", "b"]),
            ("* a:\n\t* b\n\t* c", vec!["a: b; c"]),
            ("#### core\n* a", vec!["core", "a"]),
            ("* a\n***\n* b", vec!["a", "b"]),
            ("* a\n\nCloses #1", vec!["a"]),
            ("* a\n\nReviewed-by: B <b@c.d>", vec!["a"]),
            ("* a\n* Co-authored-by: B <b@c.d>", vec!["a"]),
            ("* a Co-Authored-By: B <b@c.d>", vec!["a"]),
            ("* a\n\n🤖 Generated with [X](https://x.y)", vec!["a"]),
            ("* a\n```\n# not a heading\n```\n* b", vec!["a ``` # not a heading ```", "b"]),
            ("* a\n  ```\n  b\n### Features\n* c", vec!["a ``` b"]),
            ("* a\n## Older\n* b", vec!["a"]),
            ("Co-Authored-By: B <b@c.d>", vec![]),
            ("", vec![]),
        ] {
            assert_eq!(breaking(markdown), expected, "{markdown:?}");
        }
    }

    #[test]
    fn what_is_marked_as_breaking_is_so_wherever_it_stands() {
        let texts = |items: &[NoteItem]| -> Vec<String> {
            items.iter().map(|item| item.text.clone()).collect()
        };
        for (markdown, breaking, others) in [
            ("* a\n\nBREAKING CHANGE: b\nc", vec!["b c"], vec!["a"]),
            ("* a\nBREAKING-CHANGE: b", vec!["b"], vec!["a"]),
            ("* BREAKING CHANGE: **admin:** b ([0a1b2c3](u))\n* c", vec!["b"], vec!["c"]),
            ("* a\n  * **BREAKING CHANGE:** b\n* c", vec!["b"], vec!["a", "c"]),
            ("* ⚠️ **BREAKING**: b\n\n  c", vec!["b c"], vec![]),
            ("BREAKING CHANGES:\n\n* b\n* c\n\n### Fixes\n* d", vec!["b", "c"], vec!["d"]),
            (
                "* the mark `BREAKING CHANGE:` is read",
                vec![],
                vec!["the mark `BREAKING CHANGE:` is read"],
            ),
            ("* `BREAKING CHANGE:` is read", vec![], vec!["`BREAKING CHANGE:` is read"]),
            ("* Breaking change: a word", vec![], vec!["Breaking change: a word"]),
            ("```\nBREAKING CHANGE: b\n```", vec![], vec![]),
        ] {
            let notes = Notes::parse(&format!("### Features\n{markdown}"));
            assert_eq!(texts(&notes.breaking), breaking, "{markdown:?}");
            let items: Vec<NoteItem> = notes.sections.into_iter().flat_map(|it| it.items).collect();
            assert_eq!(texts(&items), others, "{markdown:?}");
        }
    }

    #[test]
    fn paragraphs_are_kept_apart_from_the_bullets() {
        let notes = Notes::parse("## 3.10.0\n\nA line\nand its end.\n\n### X\n* a\n\nAnother.\n");
        let prose: Vec<&str> = notes.prose.iter().map(|item| item.text.as_str()).collect();
        assert_eq!(prose, ["A line and its end.", "Another."]);
        assert_eq!(notes.sections.len(), 1);
    }

    #[test]
    fn headings_are_told_apart() {
        for (heading, is) in [
            ("### BREAKING CHANGES", true),
            ("### ⚠️ Breaking changes ###", true),
            ("## Breaking", true),
            ("### Non-breaking changes", false),
            ("###BREAKING", false),
        ] {
            let notes = Notes::parse(&format!("{heading}\n* a"));
            assert_eq!(!notes.breaking.is_empty(), is, "{heading}");
        }
        let titles = |markdown: &str| -> Vec<String> {
            let sections = Notes::parse(markdown).sections;
            sections.into_iter().map(|section| section.title).collect()
        };
        assert_eq!(titles("* a"), [""]);
        assert_eq!(titles("## v1.2.3\n* a\n### Fixes\n### Features\n* b"), ["", "Features"]);
        assert_eq!(titles("## What's Changed\n* a"), ["What's Changed"]);
    }

    #[test]
    fn a_megabyte_of_anything_takes_no_time_to_speak_of() {
        for piece in ["(0a1b2c3)", "[", "* ", "`", "**", "\n* a\n", "closes #1 ", "#", "```\n"] {
            let text = format!("### Breaking\n* {}", piece.repeat(1_000_000 / piece.len()));
            let _ = Notes::parse(&text);
        }
    }

    proptest! {
        #[test]
        fn parsing_never_panics(text: String, marks in r"([#*\-` \t\n():,\[\]a1é⚠]|closes|Breaking){0,80}") {
            let _ = Notes::parse(&text);
            let notes = Notes::parse(&marks);
            prop_assert!(notes.sections.iter().all(|it| !it.items.is_empty()));
            prop_assert!(notes.breaking.iter().all(|it| !it.text.contains('\n')));
        }
    }
}
