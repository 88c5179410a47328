//! What the downstream pins: read from the first authority that is present.

use super::{assemble::View, snapshot::PinState};
use crate::domain::{IndexDigest, Presence, ReleaseFacts, SiteState, Version};

pub(super) fn pin_state(view: View<'_>, versions: &[(Version, &ReleaseFacts)]) -> PinState {
    let unknown = |why: String| PinState::Unknown { why, ask: None };
    let Some(facts) = view.memory.pin() else {
        return unknown("the downstream was not read yet".to_owned());
    };
    let readings = view.sites.iter().zip(&facts.sites);
    for (site, reading) in readings.filter(|(site, _)| site.authority) {
        return match &reading.state {
            SiteState::Absent if site.presence != Presence::Required => continue,
            SiteState::Absent => unknown(format!("{} is not there", reading.path)),
            SiteState::Faulty { why } => unknown(format!("{}: {why}", reading.path)),
            SiteState::Spelled { version: Some(version), digest: Some(digest), .. } => {
                PinState::Known { version: version.clone(), digest: digest.clone() }
            }
            SiteState::Spelled { version: None, digest: Some(digest), .. } => {
                version_of(view, digest, versions)
            }
            SiteState::Spelled { version, .. } => digest_of(view, version.as_ref()),
        };
    }
    unknown("no authority among the pin sites is present".to_owned())
}

/// A site that holds only a digest is resolved to its version from observations: the versions
/// that other sites spell are asked first, then the releases from the newest down.
fn version_of(
    view: View<'_>,
    digest: &IndexDigest,
    versions: &[(Version, &ReleaseFacts)],
) -> PinState {
    let spelled: Vec<&Version> = view.memory.pin().map_or_else(Vec::new, |facts| {
        let own = facts.sites.iter().filter(|reading| reading.companion.is_none());
        own.filter_map(|reading| spelled_version(&reading.state)).collect()
    });
    let mut known: Vec<&Version> = view
        .memory
        .images()
        .filter(|image| image.digest == *digest)
        .map(|image| &image.version)
        .collect();
    // Two tags may share a digest: the one that the downstream itself names is meant.
    known.sort_by(|a, b| (spelled.contains(a), *a).cmp(&(spelled.contains(b), *b)).reverse());
    if let Some(version) = known.first() {
        return PinState::Known { version: (*version).clone(), digest: digest.clone() };
    }
    let not_asked = |version: &&Version| {
        view.memory.image(version).is_none() && view.look_in_pass(version).is_none()
    };
    let ask =
        spelled.into_iter().chain(versions.iter().map(|(version, _)| version)).find(not_asked);
    PinState::Unknown {
        why: format!("no known release has the pinned digest {digest}"),
        ask: ask.cloned(),
    }
}

fn spelled_version(state: &SiteState) -> Option<&Version> {
    match state {
        SiteState::Spelled { version, .. } => version.as_ref(),
        SiteState::Absent | SiteState::Faulty { .. } => None,
    }
}

fn digest_of(view: View<'_>, version: Option<&Version>) -> PinState {
    let Some(version) = version else {
        return PinState::Unknown { why: "the authority spells nothing".to_owned(), ask: None };
    };
    match view.memory.image(version) {
        Some(image) => PinState::Known { version: version.clone(), digest: image.digest.clone() },
        None => PinState::Unknown {
            why: format!("the digest of the pinned version {version} is not known"),
            ask: view.look_in_pass(version).is_none().then(|| version.clone()),
        },
    }
}
