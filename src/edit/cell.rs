//! Foreign text as the cell of a Markdown table.

/// What GitHub's renderer breaks a mention or a reference at. Written as an entity, so that a
/// person who edits the document sees it; the rendered text shows nothing.
const BREAK: &str = "&#8203;";

/// A longer cell is no longer read; it also bounds the work on hostile text.
const MAX_CHARS: usize = 1000;

/// `text` as one cell: it cannot end the cell or the row, open HTML, hide a link behind a label,
/// ping or refer to anybody.
///
/// Links become their labels and bold its words; code stays code where its backticks pair up. All
/// other marks are shown as they were written. `@`, `#` before a digit, `GH-` before a digit, the
/// colon of `://` and the first dot of `www.` are followed by a zero-width space (as Renovate does
/// it): a bare address in a pull request would leave a reference at the issue that it names. What
/// turns the direction of writing is left out, since it may turn more than the cell. What is empty
/// becomes `TODO`.
#[must_use]
pub fn cell(text: &str) -> String {
    let text = text.replace(char::is_control, " ").replace(turns_around, "");
    let mut line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if let Some((end, _)) = line.char_indices().nth(MAX_CHARS) {
        line.truncate(end);
        line.push('…');
    }
    let (mut out, mut words, mut rest) = (String::new(), String::new(), line.as_str());
    while let Some(at) = rest.find('`') {
        words.push_str(&rest[..at]);
        let (found, after) = code(&rest[at..]);
        rest = after;
        match found {
            Ok(span) => {
                out.push_str(&prose(&std::mem::take(&mut words)));
                // What stood between two spans may be gone: their backticks would be one run.
                if out.ends_with('`') {
                    out.push_str(BREAK);
                }
                out.push_str(&span);
            }
            Err(more) => words.push_str(more),
        }
    }
    words.push_str(rest);
    out.push_str(&prose(&words));
    let out = out.trim();
    if out.is_empty() { "TODO".to_owned() } else { out.to_owned() }
}

/// The code span that `text` starts with, ready for a cell, or what can only be shown as words;
/// and what comes after it.
fn code(text: &str) -> (Result<String, &str>, &str) {
    let body = text.trim_start_matches('`');
    let ticks = &text[..text.len() - body.len()];
    let end = body.match_indices(ticks).map(|(at, _)| at).find(|at| {
        // A run of backticks closes the span only if it is exactly as long.
        !body[..*at].ends_with('`') && !body[at + ticks.len()..].starts_with('`')
    });
    let Some(end) = end else {
        return (Err(ticks), body);
    };
    let (inner, after) = (&body[..end], &body[end + ticks.len()..]);
    // A table takes `\|` even inside code, but what it makes of `\\|` differs between renderers.
    if inner.contains('|') && inner.contains('\\') {
        return (Err(inner), after);
    }
    (Ok(format!("{ticks}{}{ticks}", inner.replace('|', "\\|"))), after)
}

/// Text outside code.
fn prose(text: &str) -> String {
    let text = without_links(text).replace("**", "").replace("__", "");
    let mut out = String::with_capacity(text.len());
    let mut before = None;
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        let after = chars.peek().copied();
        match c {
            '|' => out.push_str("&#124;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '`' | '\\' | '*' | '[' | ']' | '~' | '$' => out.extend(['\\', c]),
            '_' if !inside_a_word(before, after) => out.push_str("\\_"),
            '@' => out.extend([&c.to_string(), BREAK]),
            '#' if after.is_some_and(|c| c.is_ascii_digit()) => out.extend(["#", BREAK]),
            '-' if after.is_some_and(|c| c.is_ascii_digit()) && ends_with(&out, "gh") => {
                out.extend(["-", BREAK]);
            }
            ':' if after == Some('/') => out.extend([":", BREAK]),
            '.' if ends_with(&out, "www") => out.extend([".", BREAK]),
            c => out.push(c),
        }
        before = Some(c);
    }
    out
}

/// The marks, embeddings, overrides and isolates of the bidirectional algorithm (Unicode annex 9).
fn turns_around(c: char) -> bool {
    matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

fn inside_a_word(before: Option<char>, after: Option<char>) -> bool {
    before.is_some_and(char::is_alphanumeric) && after.is_some_and(char::is_alphanumeric)
}

/// Whether `text` ends with `word`, a lower-case one, in any case.
fn ends_with(text: &str, word: &str) -> bool {
    text.len()
        .checked_sub(word.len())
        .and_then(|at| text.get(at..))
        .is_some_and(|end| end.eq_ignore_ascii_case(word))
}

/// `[label](target)` as `label`.
fn without_links(text: &str) -> String {
    let (mut out, mut rest) = (String::with_capacity(text.len()), text);
    while let Some((before, link)) = rest.split_once('[') {
        let parts = link.split_once("](").and_then(|(label, target)| {
            let (_, after) = target.split_once(')')?;
            (!label.contains('[')).then_some((label, after))
        });
        out.push_str(before);
        if let Some((label, after)) = parts {
            out.push_str(label);
            rest = after;
        } else {
            out.push('[');
            rest = link;
        }
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_holds_what_it_is_given() {
        for (text, expected) in [
            ("plain words", "plain words"),
            ("", "TODO"),
            (" \n ", "TODO"),
            ("two\r\nlines", "two lines"),
            ("a | b", "a &#124; b"),
            (r"a \| b", r"a \\&#124; b"),
            ("`a|b` and `` c`d ``", "`a\\|b` and `` c`d ``"),
            (r"`a\|b`", r"a\\&#124;b"),
            (r"`a\|GH`-2, `b\|#`3 and **", r"a\\&#124;GH-&#8203;2, b\\&#124;#&#8203;3 and"),
            ("a ` b", "a \\` b"),
            ("``a``` b", "\\`\\`a\\`\\`\\` b"),
            ("`a`` b", "\\`a\\`\\` b"),
            ("`a\u{1b}[1m` \u{0}b", "`a [1m` b"),
            ("a \u{202e}`b\u{2066}`\u{200f} \u{5d0}", "a `b` \u{5d0}"),
            ("`a`**`@b`", "`a`&#8203;`@b`"),
            ("``a` b", "\\`\\`a\\` b"),
            ("<script>&amp;", "&lt;script&gt;&amp;amp;"),
            ("see [#12](https://x.y/12) now", "see #&#8203;12 now"),
            ("a [b](c", "a \\[b\\](c"),
            ("![x](https://evil)", "!x"),
            ("thanks @octo/team", "thanks @&#8203;octo/team"),
            ("fixes #1, GH-2 and o/r#3", "fixes #&#8203;1, GH-&#8203;2 and o/r#&#8203;3"),
            ("`@octo #1`", "`@octo #1`"),
            ("C# and # 1", "C# and # 1"),
            ("well-known gh-x, x-1: y", "well-known gh-x, x-1: y"),
            (
                "https://github.com/o/r/issues/1 WWW.x.y",
                "https:&#8203;//github.com/o/r/issues/1 WWW.&#8203;x.y",
            ),
            ("**bold** open_channel _x_ *y*", "bold open_channel \\_x\\_ \\*y\\*"),
        ] {
            assert_eq!(cell(text), expected, "{text:?}");
        }
    }

    #[test]
    fn a_cell_has_an_end() {
        assert_eq!(cell(&"ä".repeat(100_000)).chars().count(), MAX_CHARS + 1);
        assert!(cell(&"[".repeat(1_000_000)).len() < 4000);
    }
}
