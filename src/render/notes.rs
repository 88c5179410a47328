//! Release notes inside a proposal: foreign text, made harmless.

use super::fit::MAX_BODY;
use crate::domain::{NoteItem, Notes, Version};
use crate::edit::cell;

/// One release whose notes are shown.
#[derive(Debug, Clone, Copy)]
pub struct NotedRelease<'a> {
    /// The version.
    pub version: &'a Version,
    /// The page that people read.
    pub url: &'a str,
    /// The notes, as they came.
    pub notes: &'a str,
}

/// What the notes get of it at most: nobody reads more.
const MAX_NOTES: usize = 40_000;

/// The notes of `releases`, newest first, folded; cut between bullets when there is no room for
/// them beside the `taken` bytes of the rest of the body.
#[must_use]
pub(super) fn folded(releases: &[NotedRelease<'_>], taken: usize) -> String {
    let title = match releases {
        [one] => format!("Release notes of {}", one.version),
        many => format!("Release notes of the {} releases since the pin", many.len()),
    };
    let room = MAX_NOTES.min(MAX_BODY.saturating_sub(taken));
    let mut fold = Fold { text: String::new(), room, full: false };
    let cut = releases.iter().find(|release| {
        fold.release(release);
        fold.full
    });
    let cut = cut.map(|release| {
        let (version, url) = (release.version, safe_url(release.url));
        format!(
            "\n*… cut here; the rest is [on the page of {version}]({url}) and on those below it.*\n"
        )
    });
    let cut = cut.unwrap_or_default();
    format!("<details>\n<summary>{title}</summary>\n{}{cut}\n</details>", fold.text)
}

/// The inside of the folded part, as far as it has room.
struct Fold {
    text: String,
    room: usize,
    full: bool,
}

impl Fold {
    fn release(&mut self, release: &NotedRelease<'_>) {
        let notes = Notes::parse(release.notes);
        self.push(&format!("\n#### [{}]({})\n", release.version, safe_url(release.url)));
        if !notes.breaking.is_empty() {
            self.push("\n**⚠ Breaking changes**\n\n");
            self.items(&notes.breaking);
        }
        for section in &notes.sections {
            let title = if section.title.is_empty() { "Notes" } else { &section.title };
            self.push(&format!("\n**{}**\n\n", brief(title)));
            self.items(&section.items);
        }
        if notes.breaking.is_empty() && notes.sections.is_empty() {
            self.push("\nNo notes.\n");
        }
    }

    fn items(&mut self, items: &[NoteItem]) {
        for item in items {
            if self.full {
                return;
            }
            self.push(&bullet(item.scope.as_deref(), &item.text));
        }
    }

    /// Appends whole pieces only, so that a cut never falls inside one.
    fn push(&mut self, piece: &str) {
        self.full |= self.text.len() + piece.len() > self.room;
        if !self.full {
            self.text.push_str(piece);
        }
    }
}

/// Foreign text that has to share a page with other text: a cell of a few lines at most.
#[must_use]
pub(super) fn brief(text: &str) -> String {
    const LONGEST: usize = 300;
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", cell(&text[..end])),
        None => cell(text),
    }
}

fn bullet(scope: Option<&str>, text: &str) -> String {
    let text = cell(text);
    match scope {
        Some(scope) => format!("- **{}:** {text}\n", cell(scope)),
        None => format!("{}\n", item(&text)),
    }
}

/// One line of a list; `text` is defused already.
pub(super) fn item(text: &str) -> String {
    // Behind something that is not seen, what would begin a heading or a list is text.
    if begins_a_block(text) { format!("- &#8203;{text}") } else { format!("- {text}") }
}

fn begins_a_block(text: &str) -> bool {
    let after_number = text.trim_start_matches(|c: char| c.is_ascii_digit());
    let ends_a_number = after_number.strip_prefix(['.', ')']).is_some_and(|rest| {
        after_number.len() < text.len() && (rest.is_empty() || rest.starts_with(' '))
    });
    ends_a_number || text.starts_with(['#', '-', '+', '='])
}

/// A URL that can stand in Markdown's parentheses; anything else becomes nothing.
pub(super) fn safe_url(url: &str) -> &str {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-._~:/?#@!$&+,;=%".contains(&b);
    let web = url.starts_with("https://") || url.starts_with("http://");
    if web && url.bytes().all(plain) { url } else { "#" }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(notes: &str, taken: usize) -> String {
        let version = "3.10.0".parse().unwrap();
        let url = "https://example.test/v3.10.0) [x](";
        folded(&[NotedRelease { version: &version, url, notes }], taken)
    }

    #[test]
    fn hostile_notes_are_cut_and_defused() {
        let bomb =
            format!("### Features\n\n{}", "* @everyone fixes #1 <img src=x>\n".repeat(50_000));
        let text = shown(&bomb, 0);
        assert!(text.len() < MAX_NOTES + 200, "{}", text.len());
        let cut =
            "\n*… cut here; the rest is [on the page of 3.10.0](#) and on those below it.*\n\n";
        assert!(text.ends_with(&format!("{cut}</details>")));
        assert!(!text.contains("@everyone") && !text.contains("<img") && !text.contains(" #1"));
        assert!(text.contains("#### [3.10.0](#)"));
    }

    #[test]
    fn the_notes_get_what_the_rest_leaves_and_end_after_a_whole_bullet() {
        let many = format!("### Features\n\n{}", "* eight by\n".repeat(10_000));
        for (taken, most) in [(0, MAX_NOTES), (60_000, 4_000), (63_990, 10), (1_000_000, 0)] {
            let text = shown(&many, taken);
            assert!(text.len() <= most + 200, "{taken}: {}", text.len());
            assert!(text.contains("cut here") && !text.contains("eight by*"), "{taken}");
            assert_eq!(text.matches("eight").count(), text.matches("- eight by\n").count());
        }
        assert!(!shown("### Features\n\n* a\n", 60_000).contains("cut here"));
    }

    #[test]
    fn a_bullet_is_one_line_of_text_whatever_it_begins_with() {
        let notes = "### X\n\n* # a\n* - b\n* 1. c\n* 2 d\n* --- e\n* **s:** # f\n* 3.10\n";
        insta::assert_snapshot!(shown(notes, 0), @"
        <details>
        <summary>Release notes of 3.10.0</summary>

        #### [3.10.0](#)

        **X**

        - &#8203;# a
        - &#8203;- b
        - &#8203;1. c
        - 2 d
        - &#8203;--- e
        - **s:** # f
        - 3.10

        </details>
        ");
    }

    #[test]
    fn nothing_to_say_is_said() {
        for notes in ["", " \n\t\r\n", "---\n", "## 3.10.0\n"] {
            insta::allow_duplicates!(insta::assert_snapshot!(shown(notes, 0), @"
            <details>
            <summary>Release notes of 3.10.0</summary>

            #### [3.10.0](#)

            No notes.

            </details>
            "));
        }
    }

    #[test]
    fn what_is_brief_has_an_end_before_its_marks_are_written_out() {
        assert_eq!(brief("a|b"), "a&#124;b");
        let long = brief(&"@".repeat(1_000));
        assert_eq!((long.matches('@').count(), long.ends_with('…')), (300, true));
    }
}
