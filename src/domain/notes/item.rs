//! One item of release notes: its scope, its text, and the references at its end.

use super::{NoteItem, line::bullet};

/// Lines of the commit message that leak into the notes: who wrote it, what it closes.
pub(super) fn is_trailer(text: &str) -> bool {
    let text = bullet(text).unwrap_or(text);
    let text = text.trim_start_matches(|c: char| !c.is_ascii() || c == ' ');
    if text.starts_with("Generated with [") {
        return true;
    }
    let Some((key, value)) = text.split_once(':') else {
        return false;
    };
    let key = key.trim_end().to_ascii_lowercase();
    let word = !key.is_empty() && key.bytes().all(|b| b.is_ascii_lowercase() || b == b'-');
    let closes =
        matches!(key.as_str(), "close" | "closes" | "fix" | "fixes" | "refs" | "ref" | "resolves");
    word && (key.ends_with("-by")
        || (key == "cc" && value.contains('@'))
        || (closes && is_references(value)))
}

/// Makes an item of its raw parts; `None` if nothing is left of it.
pub(super) fn item(parts: &[String]) -> Option<NoteItem> {
    let (mut commit, mut scope) = (None, None);
    let mut text = String::new();
    for (index, part) in parts.iter().enumerate() {
        let mut part = without_trailer(part);
        part = without_references(part, &mut commit);
        if let (0, Some((name, rest))) = (index, split_scope(part)) {
            (scope, part) = (Some(name.to_owned()), rest);
        }
        if !text.is_empty() && !part.is_empty() {
            text.push_str(if text.ends_with(':') { " " } else { "; " });
        }
        text.push_str(part);
    }
    (!text.is_empty() || scope.is_some()).then_some(NoteItem { scope, text, commit })
}

/// Cuts a trailer that was joined to the end of a line.
fn without_trailer(text: &str) -> &str {
    let lower = text.to_ascii_lowercase();
    ["co-authored-by:", "signed-off-by:"]
        .into_iter()
        .filter_map(|key| lower.find(key))
        .min()
        .map_or(text, |at| &text[..at])
        .trim()
}

/// `**scope:** text` and `**scope**: text`.
fn split_scope(text: &str) -> Option<(&str, &str)> {
    let (scope, rest) = text.strip_prefix("**")?.split_once("**")?;
    let (scope, rest) = match scope.strip_suffix(':') {
        Some(scope) => (scope, rest),
        None => (scope, rest.strip_prefix(':')?),
    };
    let scope = scope.trim();
    (!scope.is_empty() && scope.len() <= 100).then(|| (scope, rest.trim()))
}

/// How many commits and closed issues are cut from the end of an item; a bound for hostile text.
const MAX_REFERENCES: usize = 8;

/// Cuts `([sha](url)), closes [#1](url)` from the end.
fn without_references<'a>(text: &'a str, commit: &mut Option<String>) -> &'a str {
    let mut text = text.trim();
    for _ in 0..MAX_REFERENCES {
        if let Some((rest, sha)) = split_commit(text) {
            text = rest;
            if let Some(sha) = sha {
                commit.get_or_insert_with(|| sha.to_owned());
            }
        } else if let Some(rest) = split_closes(text) {
            text = rest;
        } else {
            break;
        }
    }
    text
}

/// Cuts `([sha](url))`, `(sha)`, or `([#1](url))`, which carries no commit.
fn split_commit(text: &str) -> Option<(&str, Option<&str>)> {
    let inner = text.strip_suffix(')')?;
    let (rest, label) = match inner.strip_suffix(')') {
        Some(link) => {
            let (before, url) = link.rsplit_once("](")?;
            let (rest, label) = before.rsplit_once("([")?;
            (!url.contains([' ', '(', ')'])).then_some((rest, label))?
        }
        None => inner.rsplit_once('(')?,
    };
    let sha = label.trim_matches('`');
    let is_sha = (7..=40).contains(&sha.len()) && sha.bytes().all(|b| b.is_ascii_hexdigit());
    let is_issue = label.strip_prefix('#').is_some_and(is_number);
    (is_sha || is_issue).then(|| (rest.trim_end_matches([' ', ',']), is_sha.then_some(sha)))
}

/// Cuts `, closes [#1](url) #2` and its like.
fn split_closes(text: &str) -> Option<&str> {
    const WORDS: [&str; 5] = ["closes", "fixes", "resolves", "refs", "references"];
    let lower = text.to_ascii_lowercase();
    let (at, word) =
        WORDS.into_iter().filter_map(|word| lower.rfind(word).map(|at| (at, word))).max()?;
    let (before, after) = (text.get(..at)?, text.get(at + word.len()..)?);
    let apart = before.is_empty() || before.ends_with([' ', ',']);
    (apart && is_references(after)).then(|| before.trim_end_matches([' ', ',']))
}

/// One reference or more, and nothing else: `[#1](url)`, `[owner/name#1](url)`, `#1`.
fn is_references(text: &str) -> bool {
    let mut rest = text.trim();
    let any = !rest.is_empty();
    while !rest.is_empty() {
        let after = if let Some(link) = rest.strip_prefix('[') {
            link.split_once("](")
                .filter(|(label, _)| is_linked(label))
                .and_then(|(_, url)| url.split_once(')'))
                .map(|(_, after)| after)
        } else {
            let end = rest.find([' ', ',']).unwrap_or(rest.len());
            is_issue(&rest[..end]).then(|| &rest[end..])
        };
        match after {
            Some(after) => rest = after.trim_start_matches([' ', ',', '.']),
            None => return false,
        }
    }
    any
}

/// The label of a link to an issue. The tool links all that follows a `#`, also a colour in the
/// commit message: `#0D1829`.
fn is_linked(label: &str) -> bool {
    let is_word = |word: &str| {
        !word.is_empty() && word.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
    };
    is_issue(label) || label.strip_prefix('#').is_some_and(is_word)
}

/// `#1` or `owner/name#1`.
fn is_issue(text: &str) -> bool {
    text.split_once('#').is_some_and(|(repo, number)| {
        is_number(number) && repo.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_./".contains(&b))
    })
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}
