//! Changes the pin in the files that spell it, and nothing else; opens sections in the migration
//! document. Pure: bytes in, bytes out.
//!
//! A file is never parsed and written anew. Sites are found as byte spans in the text as it
//! stands, only those spans are replaced, and the result is read again before it is handed out. So
//! indentation, line endings, a byte-order mark and a missing last newline stay as they are.

mod cell;
mod json;
mod line;
mod lockstep;
mod manifest;
pub mod migration;
mod outcome;
mod site;

pub use cell::cell;
pub use lockstep::lockstep;
pub use outcome::{Lockstep, SiteFault, SiteLine, SiteOutcome};

use crate::domain::{
    FilePath, ImageName, IndexDigest, Pin, PinSite, Presence, SiteReading, SiteState, Version,
};
use std::collections::{BTreeMap, BTreeSet};

/// Files of the downstream by path; `None` if the file is not there. A path that is missing from
/// the map was never looked at, which is a fault and not an absence.
pub type Files = BTreeMap<FilePath, Option<Vec<u8>>>;

/// The files that must be read before [`read`] and [`lockstep()`] can be asked.
#[must_use]
pub fn paths(sites: &[PinSite]) -> BTreeSet<FilePath> {
    sites.iter().map(|site| site.path.clone()).collect()
}

/// What every site says, in the config's order. A site that cannot be read is a reading too.
#[must_use]
pub fn read(sites: &[PinSite], image: &ImageName, files: &Files) -> Vec<SiteReading> {
    sites
        .iter()
        .map(|site| SiteReading {
            path: site.path.clone(),
            site: site.name.clone(),
            companion: site.companion.clone(),
            state: match site::look(site, image, files) {
                Ok(Some(spelling)) => SiteState::Spelled {
                    line: spelling.line(),
                    version: spelling.version,
                    digest: spelling.digest,
                },
                Ok(None) => SiteState::Absent,
                Err(why) => SiteState::Faulty { why },
            },
        })
        .collect()
}

/// A site that spells something else than the pin. `Display` is one readable line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PinDrift {
    /// The site's name in the config.
    pub site: String,
    /// The file.
    pub path: FilePath,
    text: String,
}

impl std::fmt::Display for PinDrift {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.pad(&self.text)
    }
}

/// The sites that spell something else than `pin`. Absent and faulty sites
/// spell nothing and are not among them. A companion image may have no release of its own for each
/// version, so its sites have to agree among themselves only.
#[must_use]
pub fn disagreements(readings: &[SiteReading], pin: &Pin) -> Vec<PinDrift> {
    let mut firsts: BTreeMap<&ImageName, (Option<&Version>, Option<&IndexDigest>)> =
        BTreeMap::new();
    let mut drift = Vec::new();
    for reading in readings {
        let SiteState::Spelled { version, digest, line } = &reading.state else { continue };
        let (version, digest) = (version.as_ref(), digest.as_ref());
        let (wanted, whose) = match &reading.companion {
            None => ((Some(&pin.version), Some(&pin.digest)), "the pin".to_owned()),
            Some(companion) => {
                let first = firsts.entry(companion).or_default();
                *first = (first.0.or(version), first.1.or(digest));
                (*first, format!("the first pin of {}", companion.short()))
            }
        };
        let same = version.is_none_or(|it| wanted.0.is_none_or(|wanted| it == wanted))
            && digest.is_none_or(|it| wanted.1.is_none_or(|wanted| it == wanted));
        if !same {
            let text = format!(
                "{} spells {}, {whose} is {}",
                site::place(&reading.site, &reading.path, Some(*line)),
                site::spelled(version, digest),
                site::spelled(wanted.0, wanted.1),
            );
            let (site, path) = (reading.site.clone(), reading.path.clone());
            drift.push(PinDrift { site, path, text });
        }
    }
    drift
}

/// Those of the disagreements that the bot may repair.
#[must_use]
pub fn repairable(sites: &[PinSite], readings: &[SiteReading], pin: &Pin) -> Vec<PinDrift> {
    let by_hand = |it: &PinDrift| {
        sites.iter().any(|site| {
            site.presence == Presence::ByHand && site.name == it.site && site.path == it.path
        })
    };
    let mut drift = disagreements(readings, pin);
    drift.retain(|it| !by_hand(it));
    drift
}

#[cfg(test)]
mod tests;
