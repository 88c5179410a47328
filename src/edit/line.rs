//! A pin site on lines that match a pattern. Only what `{{version}}` and `{{digest}}` matched is a
//! spot; the rest of the line is a landmark.

use super::site::{Part, Spelling, Spot, line_of};
use crate::domain::{Digest, IndexDigest, LinePattern, Presence, Version};
use regex::{Captures, Match};

/// What the matching lines spell; `None` if there may be none and is none. The error is a sentence
/// fragment for a maintainer.
pub(super) fn look(
    text: &str,
    pattern: &LinePattern,
    count: usize,
    presence: Presence,
) -> Result<Option<Spelling>, String> {
    let matches: Vec<Captures<'_>> = pattern.regex().captures_iter(text).collect();
    if matches.is_empty() && presence != Presence::Required {
        return Ok(None);
    }
    if matches.len() != count || matches.is_empty() {
        return Err(wrong_count(text, &matches, count));
    }
    let mut spelling = Spelling { version: None, digest: None, spots: Vec::new() };
    for found in &matches {
        let line = line_of(text, found.get_match().start());
        add(&mut spelling, text, found).map_err(|why| format!("line {line}: {why}"))?;
    }
    spelling.spots.sort_by_key(|spot| spot.span.start);
    Ok(Some(spelling))
}

fn wrong_count(text: &str, matches: &[Captures<'_>], count: usize) -> String {
    let noun = if count == 1 { "match" } else { "matches" };
    if matches.is_empty() {
        return format!("expected {count} {noun}, found none");
    }
    let lines: Vec<String> =
        matches.iter().map(|found| line_of(text, found.get_match().start()).to_string()).collect();
    format!(
        "expected {count} {noun}, found {} ({} {})",
        matches.len(),
        if lines.len() == 1 { "line" } else { "lines" },
        lines.join(", ")
    )
}

/// Adds what one match spells, which must agree with the matches before it.
fn add(spelling: &mut Spelling, text: &str, found: &Captures<'_>) -> Result<(), String> {
    let mut empty = true;
    if let Some(group) = found.name("version") {
        let version = version(text, found, group)?;
        agree(&mut spelling.version, version)?;
        spelling.spots.push(spot(text, group, Part::Version));
        empty = false;
    }
    if let Some(group) = found.name("digest") {
        let digest = digest(text, found, group)?;
        agree(&mut spelling.digest, digest)?;
        spelling.spots.push(spot(text, group, Part::Digest));
        empty = false;
    }
    if empty {
        return Err("the pattern matches without a version or a digest".to_owned());
    }
    Ok(())
}

fn spot(text: &str, group: Match<'_>, part: Part) -> Spot {
    Spot { span: group.range(), line: line_of(text, group.start()), part }
}

fn agree<T: PartialEq + std::fmt::Display>(seen: &mut Option<T>, new: T) -> Result<(), String> {
    match seen {
        Some(seen) if *seen != new => Err(format!("spells {new}, an earlier match {seen}")),
        _ => {
            *seen = Some(new);
            Ok(())
        }
    }
}

fn version(text: &str, found: &Captures<'_>, group: Match<'_>) -> Result<Version, String> {
    // A greedy `.*` before the placeholder eats digits of a longer number, and an open end leaves
    // the tail of `3.10.0-rc.1` behind: such a match names another version than the line does.
    let before = text[..group.start()].bytes().next_back();
    let glued_before = before.is_some_and(|b| b.is_ascii_digit() || b == b'.');
    let open_end = group.end() == found.get_match().end();
    if glued_before || (open_end && continues_a_version(&text[group.end()..])) {
        return Err(format!("the pattern matches only `{}` of a longer version", group.as_str()));
    }
    group.as_str().parse().map_err(|_| format!("`{}` is not a version", group.as_str()))
}

fn continues_a_version(rest: &str) -> bool {
    let mut bytes = rest.bytes();
    match bytes.next() {
        Some(b'0'..=b'9') => true,
        Some(b'.' | b'-' | b'+') => bytes.next().is_some_and(|b| b.is_ascii_alphanumeric()),
        _ => false,
    }
}

fn digest(text: &str, found: &Captures<'_>, group: Match<'_>) -> Result<IndexDigest, String> {
    let next = text[group.end()..].bytes().next();
    if group.end() == found.get_match().end() && next.is_some_and(|b| b.is_ascii_hexdigit()) {
        return Err("the digest has more than 64 digits".to_owned());
    }
    let digest: Digest =
        group.as_str().parse().map_err(|_| format!("`{}` is not a digest", group.as_str()))?;
    if digest.is_placeholder() {
        let short = digest.short();
        return Err(format!("the digest is the placeholder `sha256:{short}…`, which is no pin"));
    }
    Ok(IndexDigest::new(digest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(pattern: &str, count: usize, text: &str) -> Result<Option<Spelling>, String> {
        let pattern = LinePattern::new(pattern).unwrap();
        look(text, &pattern, count, Presence::Required)
    }

    /// What the spots of `text` are, as line and text.
    fn spots(pattern: &str, count: usize, text: &str) -> Vec<(usize, String)> {
        let spelling = seen(pattern, count, text).unwrap().unwrap();
        let spots = spelling.spots.iter();
        spots.map(|spot| (spot.line, text[spot.span.clone()].to_owned())).collect()
    }

    #[test]
    fn only_the_placeholders_are_spots() {
        for (pattern, count, text, expected) in [
            ("^TAG = '{{version}}';$", 1, "x\nTAG = '3.9.3';\ny", vec![(2, "3.9.3")]),
            ("^TAG = '{{version}}';$", 1, "x\r\nTAG = '3.9.3';\r\ny", vec![(2, "3.9.3")]),
            ("^a: {{version}}$", 2, "a: 1.2.3\nb\na: 1.2.3", vec![(1, "1.2.3"), (3, "1.2.3")]),
            (r":-{{version}}\}", 1, "T=\"${T:-3.10.0}\"", vec![(1, "3.10.0")]),
            ("v{{version}}", 1, "it is v1.2.3. Really.", vec![(1, "1.2.3")]),
        ] {
            let expected: Vec<_> =
                expected.into_iter().map(|(line, text)| (line, text.to_owned())).collect();
            assert_eq!(spots(pattern, count, text), expected, "{pattern} in {text:?}");
        }
    }

    #[test]
    fn one_line_may_spell_both() {
        let digest = Digest::of(b"x");
        let text = format!("image: c:3.9.3@{digest}\n");
        let spelling = seen("c:{{version}}@{{digest}}", 1, &text).unwrap().unwrap();
        assert_eq!(spelling.version, Some(Version::new(3, 9, 3)));
        assert_eq!(spelling.digest, Some(IndexDigest::new(digest)));
        assert_eq!(spelling.spots.len(), 2);
    }

    #[test]
    fn what_cannot_be_trusted_is_a_fault() {
        let digest = Digest::of(b"x");
        let placeholder = format!("c@sha256:dead{}", "0".repeat(60));
        let faults: String = [
            seen("^a {{version}}$", 1, "b 1.2.3"),
            seen("^a {{version}}$", 3, "b 1.2.3"),
            seen("^a {{version}}$", 1, "a 1.2.3\n\na 1.2.3"),
            seen("^a {{version}}$", 2, "a 1.2.3"),
            seen("^a {{version}}$", 2, "a 1.2.3\na 1.2.4"),
            seen("a .*{{version}}", 1, "a 13.2.3"),
            seen("a {{version}}", 1, "a 1.2.3-rc.1"),
            seen("a {{version}}", 1, "a 1.2.3.4"),
            seen("a {{version}}", 1, "a 1.2.03"),
            seen("c@{{digest}}", 1, &format!("c@{digest}0")),
            seen("c@{{digest}}", 1, &placeholder),
            seen("a(?: {{version}})?", 1, "a"),
        ]
        .into_iter()
        .map(|seen| seen.unwrap_err() + "\n")
        .collect();
        insta::assert_snapshot!(faults, @"
        expected 1 match, found none
        expected 3 matches, found none
        expected 1 match, found 2 (lines 1, 3)
        expected 2 matches, found 1 (line 1)
        line 2: spells 1.2.4, an earlier match 1.2.3
        line 1: the pattern matches only `3.2.3` of a longer version
        line 1: the pattern matches only `1.2.3` of a longer version
        line 1: the pattern matches only `1.2.3` of a longer version
        line 1: the pattern matches only `1.2.0` of a longer version
        line 1: the digest has more than 64 digits
        line 1: the digest is the placeholder `sha256:dead00000000…`, which is no pin
        line 1: the pattern matches without a version or a digest
        ");
    }

    #[test]
    fn only_none_at_all_counts_as_absent() {
        let pattern = LinePattern::new("^a {{version}}$").unwrap();
        let seen = |text| look(text, &pattern, 1, Presence::IfPresent);
        assert_eq!(seen("nothing here"), Ok(None));
        assert!(seen("a 1.2.3\na 1.2.3").is_err());
        assert!(seen("a 1.2.3").unwrap().is_some());
    }
}
