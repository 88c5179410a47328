//! The migration document: which majors have a section, and a new section as a stub for a person
//! to fill in.

use super::cell::cell;
use crate::domain::{BreakingNote, Version};
use pulldown_cmark::{Event, HeadingLevel, Parser, Tag, TagEnd};

/// What a section's heading starts with.
const TITLE: &str = "Breaking Changes";
/// The section that the stubs come after.
const CONTRACT: &str = "Current Contract";
/// More rows than these nobody fills in one by one.
const MAX_ROWS: usize = 100;
/// What an unknown cell says.
const UNKNOWN: &str = "TODO";

/// The majors that have a section, in the document's order: `## Breaking Changes — v3.9.3 → v4.0.0`
/// is about 4. Headings inside code or quotes do not count.
#[must_use]
pub fn majors(document: &str) -> Vec<u64> {
    sections(document).filter_map(|to| leading_number(&to)).collect()
}

/// The versions that the sections lead to, as far as they are whole ones, in the document's order.
#[must_use]
pub fn targets(document: &str) -> Vec<Version> {
    sections(document).filter_map(|to| whole_version(&to)).collect()
}

/// How many rows a section for these notes has: one at least, for a person to fill in.
#[must_use]
pub fn rows(breaking: &[BreakingNote]) -> usize {
    breaking.len().clamp(1, MAX_ROWS + 1)
}

/// `document` with a new section above the older ones: before the first `## Breaking Changes`, or
/// after the first `---` that follows the heading "Current Contract". One row for each breaking
/// note, its unknown cells saying TODO; with more than a hundred the last row counts the others.
/// Everything else stays as it is, line endings included.
///
/// # Errors
/// A sentence fragment for a maintainer, if the document is not UTF-8, has a section for this major
/// already, or, where the major stays, for this version; or if it has no place for one.
pub fn insert_section(
    document: &[u8],
    from: &Version,
    to: &Version,
    breaking: &[BreakingNote],
) -> Result<Vec<u8>, String> {
    let text = std::str::from_utf8(document)
        .map_err(|error| format!("not UTF-8 from byte {} on", error.valid_up_to()))?;
    if from.major != to.major && majors(text).contains(&to.major) {
        return Err(format!("there is a section for v{} already", to.major));
    }
    if targets(text).contains(to) {
        return Err(format!("there is a section for v{to} already"));
    }
    let newline = newline_of(text);
    let place = place(text)?;
    let (before, after) = text.split_at(place);
    let mut section = String::new();
    if !before.is_empty() && !before.ends_with('\n') {
        section.push('\n');
    }
    if !ends_with_blank_line(before) {
        section.push('\n');
    }
    section.push_str(&stub(from, to, breaking));
    if !after.is_empty() && !after.starts_with(['\n', '\r']) {
        section.push('\n');
    }
    let section = section.replace('\n', newline);
    Ok([before, &section, after].concat().into_bytes())
}

/// The section, with LF.
fn stub(from: &Version, to: &Version, breaking: &[BreakingNote]) -> String {
    let mut out = format!(
        "## {TITLE} — v{from} → v{to}\n\n\
         | API | v{from} Behavior | v{to} Behavior | Migration |\n\
         | --- | --- | --- | --- |\n"
    );
    for note in breaking.iter().take(MAX_ROWS) {
        let api = note.scope.as_deref().map_or(UNKNOWN.to_owned(), cell);
        let row = format!("| {api} | {UNKNOWN} | {} | {UNKNOWN} |\n", cell(&note.text));
        out.push_str(&row);
    }
    if breaking.len() > MAX_ROWS {
        let more = breaking.len() - MAX_ROWS;
        let rest = format!("and {more} more in the release's notes");
        let row = format!("| {UNKNOWN} | {UNKNOWN} | {rest} | {UNKNOWN} |\n");
        out.push_str(&row);
    }
    if breaking.is_empty() {
        let row = format!("| {UNKNOWN} | {UNKNOWN} | {UNKNOWN} | {UNKNOWN} |\n");
        out.push_str(&row);
    }
    out
}

/// The byte at which a new section starts.
fn place(text: &str) -> Result<usize, String> {
    let blocks = outline(text);
    let older = blocks.iter().find_map(|block| match block {
        Block::Heading { title, start } if after_title(title).is_some() => Some(*start),
        _ => None,
    });
    if let Some(start) = older {
        return Ok(start);
    }
    let mut rest = blocks.iter().skip_while(
        |block| !matches!(block, Block::Heading { title, .. } if title.contains(CONTRACT)),
    );
    if rest.next().is_none() {
        return Err(format!("neither a heading `## {TITLE} …` nor a heading `## {CONTRACT} …`"));
    }
    rest.find_map(|block| match block {
        Block::Rule { start } => Some(end_of_line(text, *start)),
        Block::Heading { .. } => None,
    })
    .ok_or_else(|| format!("no heading `## {TITLE} …`, and no line `---` after `{CONTRACT}`"))
}

/// What the place of a section depends on; both only at the top level of the document.
enum Block {
    /// A heading of level 2.
    Heading { title: String, start: usize },
    /// A thematic break.
    Rule { start: usize },
}

fn outline(text: &str) -> Vec<Block> {
    let (mut blocks, mut depth) = (Vec::new(), 0_usize);
    let mut title: Option<String> = None;
    for (event, span) in Parser::new(text).into_offset_iter() {
        match event {
            Event::Start(tag) => {
                if depth == 0 && is_level_two(&tag) {
                    title = Some(String::new());
                }
                depth += 1;
            }
            Event::End(tag) => {
                depth = depth.saturating_sub(1);
                if let (TagEnd::Heading(_), Some(title)) = (tag, title.take_if(|_| depth == 0)) {
                    blocks.push(Block::Heading { title, start: span.start });
                }
            }
            Event::Text(part) | Event::Code(part) => {
                if let Some(title) = &mut title {
                    title.push_str(&part);
                }
            }
            Event::Rule if depth == 0 => blocks.push(Block::Rule { start: span.start }),
            _ => {}
        }
    }
    blocks
}

fn is_level_two(tag: &Tag<'_>) -> bool {
    matches!(tag, Tag::Heading { level: HeadingLevel::H2, .. })
}

/// What follows "Breaking Changes" in a title that starts with it.
fn after_title(title: &str) -> Option<&str> {
    let title = title.trim_start();
    let head = title.get(..TITLE.len())?;
    head.eq_ignore_ascii_case(TITLE).then(|| &title[TITLE.len()..])
}

/// Where each section leads to: `v4.0.0` of `Breaking Changes — v3.9.3 → v4.0.0`.
fn sections(document: &str) -> impl Iterator<Item = String> {
    outline(document).into_iter().filter_map(|block| match block {
        Block::Heading { title, .. } => {
            let rest = after_title(&title)?;
            let (from, to) = rest.split_once('→').or_else(|| rest.split_once("->"))?;
            let from = from.trim_start_matches(|c: char| c.is_whitespace() || "—–-:".contains(c));
            leading_number(from).and(leading_number(to))?;
            Some(without_v(to).to_owned())
        }
        Block::Rule { .. } => None,
    })
}

fn without_v(version: &str) -> &str {
    let version = version.trim_start();
    version.strip_prefix(['v', 'V']).unwrap_or(version)
}

fn leading_number(version: &str) -> Option<u64> {
    let version = without_v(version);
    let end = version.find(|c: char| !c.is_ascii_digit());
    version[..end.unwrap_or(version.len())].parse().ok()
}

/// `3.10.0` of `3.10.0 (June)`.
fn whole_version(text: &str) -> Option<Version> {
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.');
    text[..end.unwrap_or(text.len())].trim_end_matches('.').parse().ok()
}

/// The line ending that most lines of `text` have.
fn newline_of(text: &str) -> &'static str {
    let (crlf, lf) = (text.matches("\r\n").count(), text.matches('\n').count());
    if crlf * 2 > lf { "\r\n" } else { "\n" }
}

fn ends_with_blank_line(text: &str) -> bool {
    let without_last = |text: &'_ str| {
        text.strip_suffix('\n').map(|text| text.strip_suffix('\r').unwrap_or(text).len())
    };
    text.is_empty()
        || without_last(text).is_some_and(|end| end == 0 || without_last(&text[..end]).is_some())
}

/// The byte after the line that byte `start` is on.
fn end_of_line(text: &str, start: usize) -> usize {
    text[start..].find('\n').map_or(text.len(), |at| start + at + 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const DOCUMENT: &str = "# Connector Migration\n\n> See also: the contract.\n\n\
        ## Current Contract — `/admin/*` (verified through 3.9.3)\n\n> **3.9.3** — nothing.\n\n\
        ---\n\n## Breaking Changes — v2.3.0 → v3.3.2\n\n\
        | API | v2.3.0 Behavior | v3.3.2 Behavior | Migration |\n| --- | --- | --- | --- |\n\
        | `/admin/x` | a | b | c |\n";

    fn note(scope: Option<&str>, text: &str) -> BreakingNote {
        BreakingNote { scope: scope.map(str::to_owned), text: text.to_owned(), commit: None }
    }

    fn insert(document: &str, breaking: &[BreakingNote]) -> Result<String, String> {
        let (from, to) = (Version::new(3, 9, 3), Version::new(4, 0, 0));
        insert_section(document.as_bytes(), &from, &to, breaking)
            .map(|bytes| String::from_utf8(bytes).unwrap())
    }

    #[test]
    fn majors_are_read_from_headings_alone() {
        for (text, expected) in [
            (DOCUMENT, vec![3]),
            ("## Breaking Changes — v3.9.3 → v4.0.0\n## Breaking Changes - 2.0 -> 3.x", vec![4, 3]),
            ("## breaking changes: V9.0.0 → 10.0.0 #", vec![10]),
            ("Breaking Changes — v3 → v4\n---\n", vec![4]),
            ("### Breaking Changes — v3 → v4\n", vec![]),
            ("```\n## Breaking Changes — v3 → v4\n```\n", vec![]),
            ("<!--\n## Breaking Changes — v3 → v4\n-->\n", vec![]),
            ("> ## Breaking Changes — v3 → v4\n", vec![]),
            ("## Breaking Changes — v3\n## Breaking Changes — soon → v4\n## Breaking", vec![]),
        ] {
            assert_eq!(majors(text), expected, "{text:?}");
        }
    }

    #[test]
    fn a_section_leads_to_a_version_if_it_names_a_whole_one() {
        for (heading, expected) in [
            ("## Breaking Changes — v2.3.0 → v3.3.2", Some("3.3.2")),
            ("## Breaking Changes - 3.9.3 -> 3.10.0 (June)", Some("3.10.0")),
            ("## Breaking Changes: v3.9.3 → V3.10.0.", Some("3.10.0")),
            ("## Breaking Changes — v2 → v3", None),
            ("## Breaking Changes — v2.0.0 → v3.x", None),
            ("### Breaking Changes — v2.3.0 → v3.3.2", None),
        ] {
            let found: Vec<String> = targets(heading).iter().map(Version::to_string).collect();
            assert_eq!(found.first().map(String::as_str), expected, "{heading}");
        }
    }

    #[test]
    fn a_major_has_one_section_and_a_release_that_calls_itself_less_has_one_of_its_own() {
        let insert = |document: &str, from: &str, to: &str| {
            let (from, to) = (from.parse().unwrap(), to.parse().unwrap());
            let notes = [note(None, "x")];
            let new = insert_section(document.as_bytes(), &from, &to, &notes);
            new.map(|bytes| String::from_utf8(bytes).unwrap())
        };
        let one = insert(DOCUMENT, "3.9.3", "3.10.0").unwrap();
        let two = insert(&one, "3.10.0", "3.11.0").unwrap();
        let names: Vec<String> = targets(&two).iter().map(Version::to_string).collect();
        assert_eq!(names, ["3.11.0", "3.10.0", "3.3.2"]);
        let again = insert(&two, "3.9.3", "3.10.0").unwrap_err();
        assert_eq!(again, "there is a section for v3.10.0 already");
        assert_eq!(
            insert(&two, "2.0.0", "3.12.0").unwrap_err(),
            "there is a section for v3 already"
        );
        assert_eq!(majors(&insert(&two, "3.9.3", "4.0.0").unwrap())[0], 4);
    }

    #[test]
    fn a_section_goes_above_the_older_ones() {
        let notes = [
            note(Some("settlement"), "`openChannel()` takes a | and pings @octo, see #12"),
            note(None, "the <b>wire</b> format changed"),
        ];
        insta::assert_snapshot!(insert(DOCUMENT, &notes).unwrap(), @"
        # Connector Migration

        > See also: the contract.

        ## Current Contract — `/admin/*` (verified through 3.9.3)

        > **3.9.3** — nothing.

        ---

        ## Breaking Changes — v3.9.3 → v4.0.0

        | API | v3.9.3 Behavior | v4.0.0 Behavior | Migration |
        | --- | --- | --- | --- |
        | settlement | TODO | `openChannel()` takes a &#124; and pings @&#8203;octo, see #&#8203;12 | TODO |
        | TODO | TODO | the &lt;b&gt;wire&lt;/b&gt; format changed | TODO |

        ## Breaking Changes — v2.3.0 → v3.3.2

        | API | v2.3.0 Behavior | v3.3.2 Behavior | Migration |
        | --- | --- | --- | --- |
        | `/admin/x` | a | b | c |
        ");
    }

    #[test]
    fn more_notes_than_a_person_fills_in_are_counted() {
        let rows = |count| {
            let new = insert(DOCUMENT, &vec![note(None, "x"); count]).unwrap();
            let rows: Vec<_> = new.lines().filter(|it| it.starts_with("| TODO")).collect();
            (rows.len(), (*rows.last().unwrap()).to_owned())
        };
        assert_eq!(rows(100), (100, "| TODO | TODO | x | TODO |".to_owned()));
        let last = "| TODO | TODO | and 1 more in the release's notes | TODO |";
        assert_eq!(rows(101), (101, last.to_owned()));
        assert_eq!(rows(250_000).0, 101);
        assert!(rows(250_000).1.contains("and 249900 more"));
        let counts =
            [0, 1, 100, 101, 250_000].map(|count| super::rows(&vec![note(None, "x"); count]));
        assert_eq!(counts, [1, 1, 100, 101, 101]);
    }

    #[test]
    fn without_older_sections_it_goes_below_the_contract() {
        let document = "# M\n\n---\n\n## Current Contract — x\n\n> a\n\n---";
        insta::assert_snapshot!(insert(document, &[]).unwrap(), @"
        # M

        ---

        ## Current Contract — x

        > a

        ---

        ## Breaking Changes — v3.9.3 → v4.0.0

        | API | v3.9.3 Behavior | v4.0.0 Behavior | Migration |
        | --- | --- | --- | --- |
        | TODO | TODO | TODO | TODO |
        ");
    }

    #[test]
    fn blank_lines_stand_around_the_section_and_nowhere_else() {
        let contract = "## Current Contract\n\n---";
        let section = insert(contract, &[]).unwrap();
        let section = section.strip_prefix("## Current Contract\n\n---\n\n").unwrap();
        assert!(section.starts_with("## Breaking") && section.ends_with("TODO |\n"), "{section}");
        let older = "## Breaking Changes — v1.0.0 → v2.0.0\n";
        for (document, expected) in [
            (format!("{contract}\n"), format!("{contract}\n\n{section}")),
            (format!("{contract}\n\n"), format!("{contract}\n\n{section}\n")),
            (format!("{contract}\ntext"), format!("{contract}\n\n{section}\ntext")),
            (format!("{contract}\n\ntext"), format!("{contract}\n\n{section}\ntext")),
            (older.to_owned(), format!("{section}\n{older}")),
            (format!("\n{older}"), format!("\n{section}\n{older}")),
            (format!("a\n{older}"), format!("a\n\n{section}\n{older}")),
            (format!("a\n\n{older}"), format!("a\n\n{section}\n{older}")),
            (
                format!("{contract}\n\nb\n\n{older}"),
                format!("{contract}\n\nb\n\n{section}\n{older}"),
            ),
        ] {
            assert_eq!(insert(&document, &[]).unwrap(), expected, "{document:?}");
        }
    }

    #[test]
    fn only_a_rule_at_the_top_level_is_a_place() {
        let document = "## Current Contract\n\n> a\n>\n> ---\n\n---\n";
        let new = insert(document, &[]).unwrap();
        assert!(new.starts_with(&format!("{document}\n## Breaking")), "{new}");
    }

    #[test]
    fn a_document_without_a_place_says_what_is_missing() {
        let faults: String = [
            "# Only a title\n\n---\n",
            "## Current Contract — x\n\nno rule\n",
            "## Breaking Changes — v3.0.0 → v4.0.0\n",
        ]
        .map(|document| insert(document, &[]).unwrap_err() + "\n")
        .concat();
        insta::assert_snapshot!(faults, @"
        neither a heading `## Breaking Changes …` nor a heading `## Current Contract …`
        no heading `## Breaking Changes …`, and no line `---` after `Current Contract`
        there is a section for v4 already
        ");
        let one = Version::new(1, 0, 0);
        assert!(insert_section(b"\xff", &one, &one, &[]).is_err());
    }

    #[test]
    fn line_endings_stay() {
        let dos = insert(&DOCUMENT.replace('\n', "\r\n"), &[note(None, "x")]).unwrap();
        assert_eq!(dos.matches('\n').count(), dos.matches("\r\n").count());
        assert_eq!(dos.replace("\r\n", "\n"), insert(DOCUMENT, &[note(None, "x")]).unwrap());
        for (document, dos) in [
            ("## Current Contract\n---\r\n", 1),
            ("## Current Contract\r\n---\r\n", 8),
            ("## Current Contract\n\n\n\n---\r\n", 1),
        ] {
            let new = insert(document, &[]).unwrap();
            assert_eq!(new.matches("\r\n").count(), dos, "half of the lines are not most: {new:?}");
        }
    }

    /// Pipes that separate cells, counted without the code under test.
    fn pipes(row: &str) -> usize {
        let bytes = row.as_bytes();
        let bare = |at: &usize| bytes[*at] == b'|' && (*at == 0 || bytes[at - 1] != b'\\');
        (0..bytes.len()).filter(bare).count()
    }

    proptest! {
        #[test]
        fn any_notes_make_rows_of_four_cells(
            texts in prop::collection::vec((prop::option::of(".{0,20}"), r"[|\\`\n\r@#<*\[\](a1é ]{0,40}"), 0..5),
            crlf: bool,
            tail in "[a-z \n]{0,30}",
        ) {
            let notes: Vec<_> = texts.iter().map(|(s, t)| note(s.as_deref(), t)).collect();
            let document = format!("{DOCUMENT}{tail}");
            let document = if crlf { document.replace('\n', "\r\n") } else { document };
            let new = insert(&document, &notes).unwrap();

            prop_assert_eq!(majors(&new), [4, 3]);
            let at = document.find("## Breaking").unwrap();
            prop_assert!(new.starts_with(&document[..at]) && new.ends_with(&document[at..]));
            let section = &new[at..new.len() - (document.len() - at)];
            let rows: Vec<_> = section.lines().filter(|it| it.starts_with('|')).collect();
            prop_assert_eq!(rows.len(), 2 + notes.len().max(1));
            prop_assert!(rows.iter().all(|row| pipes(row) == 5), "{}", section);
            prop_assert_eq!(section.lines().count(), rows.len() + 3);
            // A second opinion on what a reader sees: one table with that many cells.
            let options = pulldown_cmark::Options::ENABLE_TABLES;
            let cells = Parser::new_ext(section, options)
                .filter(|event| matches!(event, Event::Start(Tag::TableCell)))
                .count();
            prop_assert_eq!(cells, 4 * (1 + notes.len().max(1)));
        }

        #[test]
        fn any_document_is_kept_around_the_section(
            parts in prop::collection::vec(
                prop::sample::select(vec![
                    "## Current Contract — x", "## Breaking Changes — v1 → v2", "---", "text",
                    "> quote", "```", "\n", "\r\n", "\n\n", "- item", "  ", "| a |", "é",
                ]),
                0..20,
            ),
        ) {
            let document = parts.concat();
            if let Ok(new) = insert(&document, &[note(None, "x")]) {
                prop_assert!(majors(&new).contains(&4), "{}", new);
                let kept = (0..=document.len()).filter(|at| document.is_char_boundary(*at)).any(
                    |at| new.starts_with(&document[..at]) && new.ends_with(&document[at..]),
                );
                prop_assert!(kept);
            }
        }
    }
}
