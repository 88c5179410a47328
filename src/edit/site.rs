//! Finds what one site spells, and where.

use super::{Files, line, manifest};
use crate::domain::{FilePath, ImageName, IndexDigest, PinSite, Presence, SiteShape, Version};
use std::ops::Range;

/// What a site spells, and the spans that would have to change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Spelling {
    pub(super) version: Option<Version>,
    pub(super) digest: Option<IndexDigest>,
    /// In the order of the file; never empty.
    pub(super) spots: Vec<Spot>,
}

/// One span of a file that spells a part of the pin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Spot {
    /// In bytes, from the start of the file.
    pub(super) span: Range<usize>,
    /// 1-based.
    pub(super) line: usize,
    pub(super) part: Part,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    Version,
    Digest,
}

impl Spelling {
    /// The line on which the pin first stands, 1-based.
    pub(super) fn line(&self) -> usize {
        self.spots.first().map_or(1, |spot| spot.line)
    }
}

/// What `site` spells of its companion image, or of `image`, the watched one; `None` if it may be absent and is. The error is a sentence fragment for a
/// maintainer.
pub(super) fn look(
    site: &PinSite,
    image: &ImageName,
    files: &Files,
) -> Result<Option<Spelling>, String> {
    let bytes = match (files.get(&site.path), site.presence) {
        (Some(Some(bytes)), _) => bytes,
        (Some(None), Presence::IfPresent | Presence::ByHand) => return Ok(None),
        (Some(None), Presence::Required) => return Err("the file is not there".to_owned()),
        (None, _) => return Err("the file was not read".to_owned()),
    };
    let text = std::str::from_utf8(bytes)
        .map_err(|error| format!("not UTF-8 from byte {} on", error.valid_up_to()))?;
    let image = site.companion.as_ref().unwrap_or(image);
    // A byte-order mark is no part of the JSON, nor of the first line.
    let body = text.strip_prefix('\u{feff}').unwrap_or(text);
    let found = match &site.shape {
        SiteShape::Manifest { pointer } => manifest::look(body, pointer, image).map(Some),
        SiteShape::Line { pattern, count } => line::look(body, pattern, *count, site.presence),
    }?;
    Ok(found.map(|mut spelling| {
        for spot in &mut spelling.spots {
            spot.span.start += text.len() - body.len();
            spot.span.end += text.len() - body.len();
        }
        spelling
    }))
}

/// The 1-based number of the line that byte `offset` of `text` is on.
pub(super) fn line_of(text: &str, offset: usize) -> usize {
    1 + text.bytes().take(offset).filter(|b| *b == b'\n').count()
}

/// The parts of a pin as prose: `3.9.3 (0123456789ab)`.
pub(super) fn spelled(version: Option<&Version>, digest: Option<&IndexDigest>) -> String {
    match (version, digest) {
        (Some(version), Some(digest)) => format!("{version} ({})", digest.digest().short()),
        (Some(version), None) => version.to_string(),
        (None, Some(digest)) => digest.digest().short().to_owned(),
        (None, None) => "nothing".to_owned(),
    }
}

/// Where a site is, as prose: `path:12 (name)`; the name only where it says more than the path.
pub(super) fn place(name: &str, path: &FilePath, line: Option<usize>) -> String {
    let line = line.map_or_else(String::new, |line| format!(":{line}"));
    if name == path.as_str() { format!("{path}{line}") } else { format!("{path}{line} ({name})") }
}

/// Foreign text for use between backticks: one line, 80 characters at most, no backtick.
pub(super) fn quoted(text: &str) -> String {
    text.chars().map(|c| if c.is_control() || c == '`' { ' ' } else { c }).take(80).collect()
}
