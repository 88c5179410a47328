//! Whether a MINOR or a patch is what its version says. What the contract calls a MAJOR is treated
//! as one, whatever the version: a migration stub, no pin bump.

use super::{
    assemble::View,
    wording::{self, Named},
};
use crate::domain::{
    BreakingNote, Bump, IndexDigest, Memory, NoteItem, Notes, Platform, ReleaseFacts, Version,
};

/// So much of a sentence of the notes is quoted, in characters.
const MAX_QUOTE: usize = 100;

/// Why a release is treated as a MAJOR though its version says less.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Break {
    /// The release that broke it; every later one of its major contains the break.
    pub since: Version,
    /// What it is, for a maintainer. May quote foreign text.
    pub why: String,
    /// What there is to migrate, for the rows of a migration's section.
    pub rows: Vec<BreakingNote>,
}

/// Why `version` is treated as a MAJOR, if it is: `releases` are those of the stream, newest first,
/// and `declared` is what its version says.
pub(super) fn understated(
    view: View<'_>,
    pinned: (&Version, &IndexDigest),
    releases: &[(Version, &ReleaseFacts)],
    version: &Version,
    declared: Bump,
) -> Vec<Break> {
    if !matches!(declared, Bump::Minor | Bump::Patch) {
        return Vec::new();
    }
    let chain: Vec<&(Version, &ReleaseFacts)> = releases
        .iter()
        .filter(|(other, _)| {
            other.cmp_precedence(pinned.0).is_gt() && other.cmp_precedence(version).is_le()
        })
        .collect();
    let notes = chain.iter().rev().filter_map(|(of, release)| break_in_notes(of, &release.notes));
    let versions: Vec<&Version> = chain.iter().map(|(of, _)| of).collect();
    notes.chain(lost_platforms(view.memory, pinned.1, &versions)).collect()
}

/// The break that the notes of a release name, if they name one.
#[must_use]
pub fn break_in_notes(version: &Version, notes: &str) -> Option<Break> {
    let notes = Notes::parse(notes);
    let items = || notes.sections.iter().flat_map(|section| &section.items).chain(&notes.prose);
    let marked = items().filter(|item| wording::is_marked(item));
    let mut rows: Vec<&NoteItem> =
        notes.breaking.iter().filter(|item| says_something(item)).chain(marked).collect();
    let why = match &rows[..] {
        [] => {
            let (item, named) = items().find_map(|item| Some((item, wording::named(item)?)))?;
            rows.extend(items().filter(|item| wording::named(item).is_some()));
            let what = match named {
                Named::Admin => "remove or rename something below `/admin/`",
                Named::Wire => "change the wire format",
            };
            format!("the notes of {version} {what}: “{}”", quote(&item.text))
        }
        [one] => format!("the notes of {version} name a breaking change: “{}”", quote(&one.text)),
        many => format!("the notes of {version} name {} breaking changes", many.len()),
    };
    Some(Break { since: version.clone(), why, rows: rows.into_iter().map(wording::row).collect() })
}

/// Not the "none" under a heading that every release has.
fn says_something(item: &NoteItem) -> bool {
    let text = item.text.trim_matches(|c: char| !c.is_alphanumeric()).to_lowercase();
    let nothing = ["", "none", "n/a", "nothing", "no breaking changes", "no breaking change"];
    !nothing.contains(&text.as_str())
}

fn quote(text: &str) -> String {
    match text.char_indices().nth(MAX_QUOTE) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// What is lost since the pin at the newest of `versions`, newest first; since when as far as it is
/// known.
fn lost_platforms(memory: &Memory, pinned: &IndexDigest, versions: &[&Version]) -> Option<Break> {
    let lost = |version: &&Version| lost_since(memory, pinned, version);
    let at_last = versions.first().and_then(lost).filter(|lost| !lost.is_empty())?;
    let since = versions.iter().filter_map(|version| Some((version, lost(version)?)));
    let since =
        since.take_while(|(_, lost)| !lost.is_empty()).last().map(|(version, _)| version)?;
    let list = list(&at_last);
    Some(Break {
        since: (*since).clone(),
        why: format!("its image has no {list}, which the pinned one has"),
        rows: vec![BreakingNote {
            scope: Some("image".to_owned()),
            text: format!("no {list} any more"),
            commit: None,
        }],
    })
}

/// The platforms of the pinned image that the image of `version` lacks; `None` if one of the two
/// is not known.
#[must_use]
pub fn lost_since(
    memory: &Memory,
    pinned: &IndexDigest,
    version: &Version,
) -> Option<Vec<Platform>> {
    let (before, after) = (platforms_of(memory, pinned)?, platforms_at(memory, version)?);
    Some(before.into_iter().filter(|platform| !after.contains(platform)).collect())
}

/// The platforms of the image of `version` that the pinned one lacks, if both are known.
#[must_use]
pub fn added_since(memory: &Memory, pinned: &IndexDigest, version: &Version) -> Vec<Platform> {
    let known = platforms_of(memory, pinned).zip(platforms_at(memory, version));
    known.map_or_else(Vec::new, |(before, after)| {
        after.into_iter().filter(|platform| !before.contains(platform)).collect()
    })
}

fn platforms_at(memory: &Memory, version: &Version) -> Option<Vec<Platform>> {
    let image = memory.image(version)?;
    Some(image.platforms.iter().map(|part| part.platform.clone()).collect())
}

/// As the registry serves it under the digest, or as it was when it was a candidate.
fn platforms_of(memory: &Memory, digest: &IndexDigest) -> Option<Vec<Platform>> {
    let served = memory.pinned(digest).and_then(|pinned| pinned.platforms.clone());
    served.or_else(|| {
        let image = memory.images().find(|image| image.digest == *digest)?;
        Some(image.platforms.iter().map(|part| part.platform.clone()).collect())
    })
}

/// `linux/arm64`, or several with commas.
#[must_use]
pub fn list(platforms: &[Platform]) -> String {
    platforms.iter().map(|platform| platform.0.as_str()).collect::<Vec<_>>().join(", ")
}

/// The newest of some versions.
pub(super) fn newest<'a>(versions: impl IntoIterator<Item = &'a Version>) -> Option<&'a Version> {
    versions.into_iter().max_by(|a, b| a.cmp_precedence(b))
}
