//! Whether a MINOR or a patch is what its version says. What the contract calls a MAJOR is treated
//! as one, whatever the version: a migration stub, no pin bump.

use super::{
    assemble::View,
    companion_pin::CompanionPin,
    contract::{self, Contract},
    snapshot::PinState,
    wording::{self, Named},
};
use crate::domain::{
    Break, BreakingNote, Bump, ImageName, IndexDigest, Memory, NoteItem, Notes, Platform,
    ReleaseFacts, Version,
};

/// So much of a sentence of the notes is quoted, in characters.
const MAX_QUOTE: usize = 100;

/// The releases above the pin, as far as their own word is to be doubted.
pub(super) struct Doubts<'a> {
    view: View<'a>,
    pinned: Option<(&'a Version, &'a IndexDigest)>,
    /// The git tag of the pinned release.
    tag: Option<&'a str>,
    /// What is remembered of each companion image that the downstream pins, with its pin.
    companions: Vec<(&'a ImageName, Memory, &'a IndexDigest)>,
    /// Newest first, each with what its notes name.
    releases: Vec<(&'a Version, &'a ReleaseFacts, Option<Break>)>,
}

/// What a release is after all.
pub(super) struct Doubted {
    /// How far it is from the pin: a MAJOR also where its version says less.
    pub(super) bump: Bump,
    /// Why it is treated as a MAJOR though its version says less, if so.
    pub(super) understated: Vec<Break>,
    /// The platforms that the pinned image has and this one lacks, if both are known.
    pub(super) lost: Vec<Platform>,
    /// Whether the contract was compared.
    pub(super) contract: Contract,
}

impl Doubted {
    /// What nobody doubts.
    pub(super) fn not(bump: Bump) -> Self {
        let (understated, lost, contract) = (Vec::new(), Vec::new(), Contract::NotAsked);
        Self { bump, understated, lost, contract }
    }
}

impl<'a> Doubts<'a> {
    /// `releases` are those of the stream, newest first.
    pub(super) fn about(
        view: View<'a>,
        pin: &'a PinState,
        companions: &'a [CompanionPin],
        releases: &'a [(Version, &'a ReleaseFacts)],
    ) -> Self {
        let pinned = match pin {
            PinState::Known { version, digest } => Some((version, digest)),
            PinState::Unknown { .. } => None,
        };
        let of_pin = |(version, _): &&(Version, &ReleaseFacts)| {
            pinned.is_some_and(|(pinned, _)| version.cmp_precedence(pinned).is_eq())
        };
        let tag = releases.iter().find(of_pin).map(|(_, release)| release.tag.as_str());
        let newer = releases.iter().take_while(|(version, _)| {
            pinned.is_some_and(|(pinned, _)| version.cmp_precedence(pinned).is_gt())
        });
        let releases = newer.map(|(version, release)| {
            let read = || break_in_notes(version, &release.notes);
            (version, *release, view.memory.named_breaks.of(&release.tag, read))
        });
        let companions = companions.iter().filter_map(|pin| {
            let CompanionPin { image, digest, .. } = pin;
            Some((image, view.memory.of_image(image), digest.as_ref()?))
        });
        let companions = companions.collect();
        Self { view, pinned, tag, companions, releases: releases.collect() }
    }

    /// What one of the stream's releases is after all.
    pub(super) fn judge(&self, version: &Version, release: &ReleaseFacts) -> Doubted {
        let Some((pinned, digest)) = self.pinned else {
            return Doubted::not(Bump::None);
        };
        let declared = super::classify(pinned, version);
        let lost = lost_since(self.view.memory, digest, version).unwrap_or_default();
        let mut doubted = Doubted { lost, ..Doubted::not(declared) };
        if matches!(declared, Bump::Minor | Bump::Patch) {
            doubted.understated = self.breaks(digest, version);
            doubted.contract = contract::compared(self.view, self.tag, &release.tag);
        }
        if !doubted.understated.is_empty() {
            doubted.bump = Bump::Major;
        }
        doubted
    }

    /// The platforms that the pinned companion image has and that of `version` lacks, if both are
    /// known.
    pub(super) fn lost_of(&self, companion: &ImageName, version: &Version) -> Vec<Platform> {
        let of_it = self.companions.iter().find(|(image, ..)| *image == companion);
        let lost = of_it.and_then(|(_, own, digest)| lost_since(own, digest, version));
        lost.unwrap_or_default()
    }

    /// What broke since the pin up to `version`: by the notes, oldest first; by the images; by the
    /// contract.
    fn breaks(&self, pinned: &IndexDigest, version: &Version) -> Vec<Break> {
        let chain = || {
            let newer = |other: &Version| other.cmp_precedence(version).is_gt();
            self.releases.iter().skip_while(move |(other, ..)| newer(other))
        };
        let notes = chain().filter_map(|(.., named)| named.clone()).collect::<Vec<_>>();
        let versions: Vec<&Version> = chain().map(|(version, ..)| *version).collect();
        let tags = chain().map(|(version, release, _)| (*version, release.tag.as_str()));
        let lost = lost_platforms(self.view.memory, pinned, &versions);
        let lost = lost.map(|(since, lost)| lost_break(since, "image", &lost));
        let companions = self.companions.iter().filter_map(|(image, own, digest)| {
            let (since, lost) = lost_platforms(own, digest, &versions)?;
            Some(lost_break(since, image.short(), &lost))
        });
        let dropped = contract::dropped(self.view, self.tag, tags);
        notes.into_iter().rev().chain(lost).chain(companions).chain(dropped).collect()
    }
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
fn lost_platforms<'a>(
    memory: &Memory,
    pinned: &IndexDigest,
    versions: &[&'a Version],
) -> Option<(&'a Version, Vec<Platform>)> {
    let lost = |version: &&Version| lost_since(memory, pinned, version);
    let at_last = versions.first().and_then(lost).filter(|lost| !lost.is_empty())?;
    let since = versions.iter().filter_map(|version| Some((version, lost(version)?)));
    let since =
        since.take_while(|(_, lost)| !lost.is_empty()).last().map(|(version, _)| version)?;
    Some((*since, at_last))
}

/// The loss of platforms of `what`: of the image, or of the companion with this short name.
fn lost_break(since: &Version, what: &str, lost: &[Platform]) -> Break {
    let missing = Platform::list(lost);
    Break {
        since: since.clone(),
        why: format!("its {what} has no {missing}, which the pinned one has"),
        rows: vec![BreakingNote {
            scope: Some(what.to_owned()),
            text: format!("no {missing} any more"),
            commit: None,
        }],
    }
}

/// The platforms of the pinned image that the image of `version` lacks; `None` if one of the two
/// is not known.
pub(super) fn lost_since(
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

/// The newest of some versions.
pub(super) fn newest<'a>(versions: impl IntoIterator<Item = &'a Version>) -> Option<&'a Version> {
    versions.into_iter().max_by(|a, b| a.cmp_precedence(b))
}
