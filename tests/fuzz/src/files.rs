//! The files of the downstream. An edit goes through, or nothing changes; and if it goes through,
//! it changes only the bytes that spell the pin.

use digest_bump::domain::{
    BreakingNote, Digest, FilePath, ImageName, IndexDigest, LinePattern, Pin, PinSite, Presence,
    SiteShape, SiteState, Version,
};
use digest_bump::edit::{self, Files, migration};
use std::ops::Range;

const POINTER: &str = "/images/connector";

fn image() -> ImageName {
    "ghcr.io/toon-protocol/connector".parse().expect("an image")
}

fn path() -> FilePath {
    "file".parse().expect("a path")
}

fn pin(patch: u64) -> Pin {
    let digest = IndexDigest::new(Digest::of(&patch.to_be_bytes()));
    Pin { image: image(), version: Version::new(3, 10, patch), digest }
}

fn site(shape: SiteShape) -> PinSite {
    let name = "site".to_owned();
    PinSite {
        name,
        path: path(),
        companion: None,
        shape,
        presence: Presence::Required,
        authority: true,
    }
}

/// The file after the edit; `None` if it cannot be edited.
fn edited(site: &PinSite, bytes: &[u8], to: &Pin) -> Option<Vec<u8>> {
    let files = Files::from([(path(), Some(bytes.to_vec()))]);
    let sites = std::slice::from_ref(site);
    let done = edit::lockstep(sites, &image(), &files, to, &[]).ok()?;
    let change = done.changes.into_iter().next();
    Some(change.map_or_else(|| bytes.to_vec(), |change| change.content))
}

fn spells(site: &PinSite, bytes: &[u8], pin: &Pin) -> bool {
    let files = Files::from([(path(), Some(bytes.to_vec()))]);
    let readings = edit::read(std::slice::from_ref(site), &image(), &files);
    readings.iter().all(|reading| match &reading.state {
        SiteState::Spelled { version, digest, .. } => {
            version.as_ref().is_none_or(|it| *it == pin.version)
                && digest.as_ref().is_none_or(|it| *it == pin.digest)
        }
        SiteState::Absent | SiteState::Faulty { .. } => false,
    })
}

/// The bytes of `file` without what spells `pin`.
fn landmarks(file: &[u8], pin: &Pin) -> Vec<u8> {
    let (version, digest) = (pin.version.to_string(), pin.digest.to_string());
    let mut rest = file.to_vec();
    for text in [version, digest] {
        while let Some(at) = find(&rest, text.as_bytes()) {
            rest.drain(at);
        }
    }
    rest
}

fn find(bytes: &[u8], text: &[u8]) -> Option<Range<usize>> {
    let at = bytes.windows(text.len()).position(|window| window == text)?;
    Some(at..at + text.len())
}

/// Two edits in a row are one edit to the last pin, and nothing around the pin moved.
fn edit_twice(site: &PinSite, bytes: &[u8]) {
    let (one, two) = (pin(1), pin(2));
    let (Some(first), Some(direct)) = (edited(site, bytes, &one), edited(site, bytes, &two)) else {
        return;
    };
    assert!(spells(site, &first, &one) && spells(site, &direct, &two));
    assert_eq!(edited(site, &first, &one).as_ref(), Some(&first), "it is there already");
    assert_eq!(edited(site, &first, &two).as_ref(), Some(&direct));
    // Only if the file spells neither elsewhere can the two be told from what is around them.
    let foreign = |pin: &Pin| {
        let texts = [pin.version.to_string(), pin.digest.to_string()];
        texts.iter().all(|text| find(bytes, text.as_bytes()).is_none())
    };
    if foreign(&one) && foreign(&two) {
        assert_eq!(landmarks(&first, &one), landmarks(&direct, &two));
    }
}

/// The townhouse's image manifest.
pub fn manifest(bytes: &[u8]) {
    let site = site(SiteShape::Manifest { pointer: POINTER.to_owned() });
    edit_twice(&site, bytes);
    let Some(new) = edited(&site, bytes, &pin(1)) else { return };
    let json = |bytes: &[u8]| -> serde_json::Value {
        let bytes = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes);
        serde_json::from_slice(bytes).expect("what was edited is JSON")
    };
    let (mut before, after) = (json(bytes), json(&new));
    let entry = before.pointer_mut(POINTER).expect("the entry");
    entry["tag"] = pin(1).version.to_string().into();
    entry["digest"] = pin(1).digest.to_string().into();
    assert_eq!(before, after);
}

/// A pattern in the first line, and a file in the others.
pub fn lines(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let Some((pattern, file)) = text.split_once('\n') else { return };
    let Ok(pattern) = LinePattern::new(pattern) else { return };
    for count in 1..=2 {
        edit_twice(&site(SiteShape::Line { pattern: pattern.clone(), count }), file.as_bytes());
    }
}

/// The migration document.
pub fn migration(bytes: &[u8]) {
    let note = BreakingNote { scope: None, text: "it is gone".to_owned(), commit: None };
    let (from, to) = (Version::new(3, 9, 3), Version::new(4, 0, 0));
    let new = match migration::insert_section(bytes, &from, &to, &[note]) {
        Ok(new) => new,
        Err(why) => return assert!(!why.is_empty()),
    };
    let before = std::str::from_utf8(bytes).expect("only UTF-8 is edited");
    let after = std::str::from_utf8(&new).expect("UTF-8 stays UTF-8");
    let kept = |at: usize| new.starts_with(&bytes[..at]) && new.ends_with(&bytes[at..]);
    assert!((0..=bytes.len()).any(kept));
    let mut majors = migration::majors(after);
    let at = majors.iter().position(|major| *major == 4).expect("the new section");
    majors.remove(at);
    assert_eq!(majors, migration::majors(before));
    assert!(migration::insert_section(&new, &from, &to, &[]).is_err(), "once is enough");
}
