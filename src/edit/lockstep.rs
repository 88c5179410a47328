//! The lockstep edit: every site or none.

use super::outcome::{Lockstep, SiteFault, SiteLine, SiteOutcome};
use super::site::{self, Part, Spelling};
use super::{Files, manifest};
use crate::domain::{FileChange, FilePath, ImageName, Pin, PinSite, Presence, SiteShape};
use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
};

/// Moves all sites to `to`, or none. Without any site there is nothing to do and nothing changes.
/// Sites of a companion image move to its pin among `companions`, and are kept where it has none.
/// Those that only a person may edit are read, and stay as they are.
///
/// # Errors
/// Every fault of every site: one that cannot be read, that would not spell `to` after the edit,
/// or that overlaps with another. Also if `to` can be no pin (another image, the placeholder
/// digest, build metadata, which no image tag can hold), and if no authority is present.
pub fn lockstep(
    sites: &[PinSite],
    image: &ImageName,
    files: &Files,
    to: &Pin,
    companions: &[Pin],
) -> Result<Lockstep, Vec<SiteFault>> {
    if let (Some(why), false) = (unfit(image, to), sites.is_empty()) {
        return Err(sites.iter().map(|it| SiteFault::at(it, &why)).collect());
    }
    let found = find(sites, image, files)?;
    let pins = Pins { own: to, companions };
    let edits = splices(&found, pins)?;
    let mut edited = files.clone();
    for (path, spans) in &edits {
        if let Some(Some(bytes)) = edited.get_mut(*path) {
            *bytes = spliced(bytes, spans.iter());
        }
    }
    confirm(&found, image, files, &edited, pins)?;
    let lines: Vec<SiteLine> =
        found.iter().map(|(site, it)| line(site, it.as_ref(), pins.of(site))).collect();
    let changes = edits
        .into_keys()
        .filter_map(|path| {
            let content = edited.remove(path).flatten()?;
            let notes = lines.iter().filter(|it| it.path == *path);
            Some(FileChange {
                path: path.clone(),
                content,
                notes: notes.filter_map(SiteLine::note).collect(),
            })
        })
        .collect();
    Ok(Lockstep { changes, lines })
}

/// The new pins of all images.
#[derive(Clone, Copy)]
struct Pins<'a> {
    own: &'a Pin,
    companions: &'a [Pin],
}

impl<'a> Pins<'a> {
    /// The pin that a site is to spell; `None` if its image has no new one.
    fn of(self, site: &PinSite) -> Option<&'a Pin> {
        match &site.companion {
            None => Some(self.own),
            Some(image) => self.companions.iter().find(|pin| pin.image == *image),
        }
    }
}

type Found<'a> = Vec<(&'a PinSite, Option<Spelling>)>;

/// A span and its new text; ordered by place.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Splice {
    start: usize,
    end: usize,
    text: String,
}

fn unfit(image: &ImageName, to: &Pin) -> Option<String> {
    if to.image != *image {
        Some(format!("the new pin is of `{}`, not of `{image}`", to.image))
    } else if to.digest.digest().is_placeholder() {
        Some("the placeholder digest is never written".to_owned())
    } else if !to.version.build.is_empty() {
        Some(format!("`{}` cannot be an image tag", to.version))
    } else {
        None
    }
}

/// What every site spells now.
fn find<'a>(
    sites: &'a [PinSite],
    image: &ImageName,
    files: &Files,
) -> Result<Found<'a>, Vec<SiteFault>> {
    let (mut found, mut faults) = (Vec::new(), Vec::new());
    let mut authority = false;
    for site in sites {
        match site::look(site, image, files) {
            Ok(spelling) => {
                authority |= site.authority && spelling.is_some();
                found.push((site, spelling));
            }
            Err(why) => {
                authority |= site.authority;
                faults.push(SiteFault::at(site, why));
            }
        }
    }
    let first = sites.iter().find(|site| site.authority).or(sites.first());
    if let (false, Some(site)) = (authority, first) {
        faults.push(SiteFault::at(site, "no authority among the sites is present"));
    }
    if faults.is_empty() { Ok(found) } else { Err(faults) }
}

/// The splices of every file that changes. Two sites may name the same span; they may not cross.
fn splices<'a>(
    found: &Found<'a>,
    pins: Pins<'_>,
) -> Result<BTreeMap<&'a FilePath, BTreeSet<Splice>>, Vec<SiteFault>> {
    let mut edits: BTreeMap<&FilePath, BTreeSet<Splice>> = BTreeMap::new();
    let mut faults = Vec::new();
    for (site, spelling) in found {
        let Some((spelling, to)) = spelling.as_ref().zip(pins.of(site)) else { continue };
        if spells(spelling, to) || site.presence == Presence::ByHand {
            continue;
        }
        let taken = edits.entry(&site.path).or_default();
        for splice in own_splices(spelling, to) {
            let crosses = |it: &Splice| it.start < splice.end && splice.start < it.end;
            if taken.iter().any(|it| *it != splice && crosses(it)) {
                faults.push(SiteFault::at(site, "overlaps with another site"));
            }
            taken.insert(splice);
        }
    }
    if faults.is_empty() { Ok(edits) } else { Err(faults) }
}

fn own_splices(spelling: &Spelling, to: &Pin) -> Vec<Splice> {
    spelling
        .spots
        .iter()
        .map(|spot| {
            let Range { start, end } = spot.span;
            let text = match spot.part {
                Part::Version => to.version.to_string(),
                Part::Digest => to.digest.to_string(),
            };
            Splice { start, end, text }
        })
        .collect()
}

fn spells(spelling: &Spelling, pin: &Pin) -> bool {
    let Spelling { version, digest, .. } = spelling;
    version.as_ref().is_none_or(|it| *it == pin.version)
        && digest.as_ref().is_none_or(|it| *it == pin.digest)
}

/// `bytes` with the spans replaced, which must be in order and apart.
fn spliced<'a>(bytes: &[u8], splices: impl Iterator<Item = &'a Splice>) -> Vec<u8> {
    let (mut out, mut at) = (Vec::with_capacity(bytes.len()), 0);
    for splice in splices {
        out.extend_from_slice(bytes.get(at..splice.start).unwrap_or_default());
        out.extend_from_slice(splice.text.as_bytes());
        at = splice.end;
    }
    out.extend_from_slice(bytes.get(at..).unwrap_or_default());
    out
}

/// Reads the edited files again: every site must spell `to`, and a manifest nothing else.
fn confirm(
    found: &Found<'_>,
    image: &ImageName,
    before: &Files,
    after: &Files,
    pins: Pins<'_>,
) -> Result<(), Vec<SiteFault>> {
    let mut faults = Vec::new();
    for (site, spelling) in found {
        let Some((spelling, to)) = spelling.as_ref().zip(pins.of(site)) else { continue };
        if site.presence == Presence::ByHand {
            continue;
        }
        match site::look(site, image, after) {
            Ok(Some(new)) if spells(&new, to) && new.spots.len() == spelling.spots.len() => {}
            Ok(_) => faults.push(SiteFault::at(
                site,
                format!("after the edit it would not spell {}", to.version),
            )),
            Err(why) => faults.push(SiteFault::at(site, format!("after the edit: {why}"))),
        }
        // Alone, because other sites may rightly change other lines of the same file.
        if let (SiteShape::Manifest { pointer }, Some(Some(bytes))) =
            (&site.shape, before.get(&site.path))
        {
            let own = own_splices(spelling, to);
            let alone = spliced(bytes, own.iter());
            if let Err(why) = manifest::only_the_pin_changed(bytes, &alone, pointer, to) {
                faults.push(SiteFault::at(site, why));
            }
        }
    }
    if faults.is_empty() { Ok(()) } else { Err(faults) }
}

fn line(site: &PinSite, spelling: Option<&Spelling>, to: Option<&Pin>) -> SiteLine {
    let outcome = match (spelling, to) {
        (None, _) => SiteOutcome::Absent,
        (Some(it), None) => SiteOutcome::Kept { line: it.line() },
        (Some(it), Some(to)) if spells(it, to) => SiteOutcome::AlreadyThere { line: it.line() },
        (Some(it), Some(pin)) => {
            let (version, digest) = (it.version.as_ref(), it.digest.as_ref());
            let from = site::spelled(version, digest);
            let to = site::spelled(version.map(|_| &pin.version), digest.map(|_| &pin.digest));
            let line = it.line();
            match site.presence {
                Presence::ByHand => SiteOutcome::ByHand { line, from, to },
                Presence::Required | Presence::IfPresent => SiteOutcome::Edited { line, from, to },
            }
        }
    };
    SiteLine { site: site.name.clone(), path: site.path.clone(), outcome }
}
