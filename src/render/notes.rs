//! Release notes inside a proposal: foreign text, made harmless.

use crate::domain::{Notes, Version};
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

/// GitHub refuses a body over 65 536 characters; the notes get what the rest can spare.
const BUDGET: usize = 40_000;

/// The notes of `releases`, newest first, folded; cut between bullets when they are too long.
#[must_use]
pub(super) fn folded(releases: &[NotedRelease<'_>]) -> String {
    let title = match releases {
        [one] => format!("Release notes of {}", one.version),
        many => format!("Release notes of the {} releases since the pin", many.len()),
    };
    let mut out = format!("<details>\n<summary>{title}</summary>\n");
    for release in releases {
        let notes = Notes::parse(release.notes);
        push(&mut out, &format!("\n#### [{}]({})\n", release.version, safe_url(release.url)));
        let mut empty = true;
        if !notes.breaking.is_empty() {
            push(&mut out, "\n**⚠ Breaking changes**\n\n");
            for note in &notes.breaking {
                push(&mut out, &bullet(note.scope.as_deref(), &note.text));
            }
            empty = false;
        }
        for section in &notes.sections {
            let title = if section.title.is_empty() { "Notes" } else { &section.title };
            push(&mut out, &format!("\n**{}**\n\n", cell(title)));
            for item in &section.items {
                push(&mut out, &bullet(item.scope.as_deref(), &item.text));
            }
            empty = false;
        }
        if empty {
            push(&mut out, "\nNo notes.\n");
        }
        if out.len() > BUDGET {
            out.push_str("\n*… cut here; the rest is on the releases' pages.*\n");
            break;
        }
    }
    out.push_str("\n</details>");
    out
}

/// Appends whole pieces only, so that a cut never falls inside one.
fn push(out: &mut String, piece: &str) {
    if out.len() <= BUDGET {
        out.push_str(piece);
    }
}

fn bullet(scope: Option<&str>, text: &str) -> String {
    /// One bullet of a hostile release must not push all others out.
    const LONGEST: usize = 1_000;
    let text: String = text.chars().take(LONGEST).collect();
    match scope {
        Some(scope) => format!("- **{}:** {}\n", cell(scope), cell(&text)),
        None => format!("- {}\n", cell(&text)),
    }
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

    #[test]
    fn hostile_notes_are_cut_and_defused() {
        let bomb =
            format!("### Features\n\n{}", "* @everyone fixes #1 <img src=x>\n".repeat(50_000));
        let version = "3.10.0".parse().unwrap();
        let url = "https://example.test/v3.10.0) [x](";
        let text = folded(&[NotedRelease { version: &version, url, notes: &bomb }]);
        assert!(text.len() < BUDGET + 2_000, "{}", text.len());
        assert!(text.ends_with("</details>"));
        assert!(!text.contains("@everyone") && !text.contains("<img") && !text.contains(" #1"));
        assert!(text.contains("#### [3.10.0](#)"));
    }
}
