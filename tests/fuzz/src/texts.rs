//! What people and machines write in Markdown: release notes, and the bodies of pull requests.

use crate::harmless::{Seen, look};
use digest_bump::domain::{
    BreakingNote, Bump, CanaryReport, Check, Digest, DraftMark, FailedTest, HowToAsk, IndexDigest,
    Marker, Mention, Notes, Pin, Place, ProposalKind, StepResult, Verdict, Version,
};
use digest_bump::edit::{self, migration};
use digest_bump::policy::{Break, break_in_notes};
use digest_bump::render::{self, CanaryShown, Evidence, NotedRelease, StubBody};
use std::sync::LazyLock;

/// GitHub refuses a longer body.
const MAX_BODY_CHARS: usize = 65_536;
/// A document that has a place for a section.
const DOCUMENT: &str = "# Migration\n\n## Current Contract\n\n---\n";
/// A person has to be able to read the rows.
const MAX_CELL_BYTES: usize = 9_000;

/// The notes of a release, in a pull request's body and as rows of the migration document.
pub fn notes(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let notes = Notes::parse(&text);
    let mut length = 0;
    let sections = notes.sections.iter().flat_map(|section| &section.items);
    for item in notes.breaking.iter().chain(sections).chain(&notes.prose) {
        assert!(!item.text.contains(['\n', '\r']), "{item:?}");
        assert!(item.commit.as_ref().is_none_or(|it| (7..=40).contains(&it.len())), "{item:?}");
        assert!(!item.text.is_empty() || item.scope.is_some());
        length += item.text.len() + item.scope.as_ref().map_or(0, String::len);
    }
    // A new line of at least one character becomes "; " at most.
    assert!(length <= 2 * text.len(), "{length} of {}", text.len());
    assert!(notes.sections.iter().all(|section| !section.items.is_empty()));
    body(&text);
    rows(&notes.breaking);
    if let Some(broken) = break_in_notes(&Version::new(4, 0, 0), &text) {
        assert!(!broken.rows.is_empty() && broken.why.chars().count() < 200, "{broken:?}");
        rows(&broken.rows);
    }
}

fn pin(version: u64) -> Pin {
    Pin {
        image: "ghcr.io/toon-protocol/connector".parse().expect("an image"),
        version: Version::new(version, 0, 0),
        digest: IndexDigest::new(Digest::of(&version.to_be_bytes())),
    }
}

fn written() -> Marker {
    Marker {
        kind: ProposalKind::MigrationStub,
        version: Version::new(4, 0, 0),
        digest: IndexDigest::new(Digest::of(b"4")),
        commit: "0123456789abcdef0123456789abcdef01234567".parse().expect("a commit"),
        requested: false,
        from: None,
        whole: None,
        draft: DraftMark::None,
        held: None,
        companions: std::collections::BTreeMap::new(),
    }
}

/// What a reader sees of a body without notes.
static WITHOUT_NOTES: LazyLock<Seen> = LazyLock::new(|| look(&stub_body("")));

/// The body holds the notes, and nothing of them is more than text.
fn body(notes: &str) {
    let body = stub_body(notes);
    assert!(body.chars().count() <= MAX_BODY_CHARS);
    assert_eq!(render::parse_marker(&body), Some(written()));
    assert_eq!(render::parse_marker(&render::without_marker(&body)), None);
    assert_eq!(look(&body), *WITHOUT_NOTES, "{body}");
}

fn stub_body(notes: &str) -> String {
    let (from, to) = (pin(3), pin(4));
    let summary = notes.to_owned();
    let evidence = Evidence {
        check: Check::Canary,
        verdict: Verdict::Failed,
        not_required: false,
        points: vec![summary.clone()],
        summary,
        at: digest_bump::domain::Timestamp::from_millis(0),
        judged: Vec::new(),
        command: None,
    };
    let why = format!("the notes say “{notes}”");
    let broken = Break { since: to.version.clone(), why, rows: Vec::new() };
    render::stub_body(&StubBody {
        from: &from,
        to: &to,
        declared: Bump::Minor,
        understated: &[broken],
        lost: &[],
        companions: &[],
        release_url: "https://github.com/o/r/releases/tag/v4.0.0",
        document: &"MIGRATION.md".parse().expect("a path"),
        draft: true,
        rows: 1,
        uses: Some(&[Mention {
            name: format!("{notes}."),
            places: vec![Place { path: format!("{notes}."), line: 1 }],
            cut: false,
        }]),
        evidence: &[evidence],
        canary: Some(CanaryShown {
            verdict: Verdict::Failed,
            summary: notes,
            report: &failing(notes),
            // Where nothing is printed there is no place for it.
            output: &format!("{notes}."),
            log: None,
            checked: false,
            tree: &"1".repeat(40).parse().expect("a tree"),
            base: &"2".repeat(40).parse().expect("a commit"),
        }),
        at_pin: None,
        how: &HowToAsk::CommandLine,
        releases: &[NotedRelease { version: &to.version, url: "https://github.com/o/r", notes }],
        marker: &written(),
    })
}

/// A canary in which a test failed that is called so, and says so.
fn failing(text: &str) -> CanaryReport {
    let broken = FailedTest { file: None, name: format!("{text}."), message: format!("{text}.") };
    let step = StepResult {
        name: text.to_owned(),
        sees_digest: true,
        verdict: Verdict::Failed,
        summary: text.to_owned(),
        tests: None,
        failed: vec![broken],
        took: 1,
    };
    CanaryReport { attempts: vec![vec![step]], ..CanaryReport::NOTHING }
}

/// One row of four cells for each note, whatever it says.
fn rows(breaking: &[BreakingNote]) {
    let (from, to) = (Version::new(3, 0, 0), Version::new(4, 0, 0));
    let document = migration::insert_section(DOCUMENT.as_bytes(), &from, &to, breaking);
    let document = String::from_utf8(document.expect("there is a place")).expect("UTF-8");
    assert_eq!(migration::majors(&document), [4]);
    let section = document.strip_prefix(DOCUMENT).expect("what was there stays");
    let seen = look(section);
    // A hundred, and one that counts the others.
    let cells = 4 * (1 + breaking.len().clamp(1, 101));
    assert_eq!(seen, Seen { cells, breaks: 1, ..Seen::default() }, "{section}");
}

/// A foreign text as a cell.
pub fn cell(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let cell = edit::cell(&text);
    assert!(!cell.is_empty() && cell.trim() == cell);
    assert!(cell.len() <= MAX_CELL_BYTES, "{}", cell.len());
    assert!(!cell.contains(['\n', '\r']));
    let table = format!("| a | b |\n| --- | --- |\n| {cell} | end |\n");
    assert_eq!(look(&table), Seen { cells: 4, ..Seen::default() }, "{table}");
    // In a list as well, where the bodies of pull requests use it.
    assert_eq!(look(&format!("- **a:** {cell}\n")), Seen::default(), "{cell}");
}

/// The body of a pull request, which a person may have edited.
pub fn marker(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    if let Some(found) = render::parse_marker(&text) {
        assert_eq!(render::parse_marker(&render::marker(&found)), Some(found));
    }
    assert_eq!(render::parse_marker(&render::without_marker(&text)), None);
    // Whatever stands above it, the bot's own is found.
    let own = written();
    let body = format!("{text}\n\n{}", render::marker(&own));
    assert_eq!(render::parse_marker(&body), Some(own));
}
