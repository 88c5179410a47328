//! What a person has to look at beside the releases: tags that moved, and a pin that is no more.

use super::{
    classify,
    departure::departure,
    npm_drift::npm_alarms,
    snapshot::{PinState, Snapshot},
};
use crate::domain::{
    Bump, Digest, ImageFacts, IndexDigest, Memory, PullFacts, PullState, TagChange, TagFacts,
    Timestamp, Version,
};
use std::collections::BTreeSet;

/// Why the digest that `version` was first resolved to is not what its tag gives; `None` if it is,
/// as far as was seen.
#[must_use]
pub fn tag_drift(memory: &Memory, version: &Version) -> Option<String> {
    let moved = memory.image_tag(version).as_ref().and_then(drift_line);
    moved.or_else(|| {
        let image = memory.image(version)?;
        memory.pulls().find_map(|pull| contradiction(pull, image))
    })
}

/// A pull request of the bot remembers a resolution too, also when the database was lost.
fn contradiction(pull: &PullFacts, image: &ImageFacts) -> Option<String> {
    let marker = pull.marker.as_ref()?;
    (marker.version == image.version && marker.digest != image.digest).then(|| {
        format!(
            "the tag {} moved: pull request {} proposed {}, and now it gives {}",
            image.version, pull.number, marker.digest, image.digest
        )
    })
}

/// The whole story of a tag that does not give what it first gave.
fn drift_line(tag: &TagFacts) -> Option<String> {
    if tag.changes.is_empty() {
        return None;
    }
    let verb = if tag.moved() { "moved" } else { "was taken away" };
    let step = |TagChange { to, at }: &TagChange| {
        let to = to.as_ref().map_or("gone", Digest::as_str);
        format!(" → {to} (seen {at})")
    };
    let steps: String = tag.changes.iter().map(step).collect();
    let TagFacts { version, first, first_seen, .. } = tag;
    Some(format!("the tag {version} {verb}: {first} (first seen {first_seen}){steps}"))
}

/// One line for each thing that is wrong with what was resolved before. They last: only a person
/// can find out who moved a tag, and why.
#[must_use]
pub fn alarms(memory: &Memory, pin: &PinState) -> Vec<String> {
    let PinState::Known { version: pinned, digest } = pin else {
        return drifts(memory).into_iter().map(|(_, line)| line).collect();
    };
    let mut lines = Vec::new();
    lines.extend(vanished(memory, pinned, digest));
    lines.extend(never_given(memory, pinned, digest));
    let (newer, older): (Vec<_>, Vec<_>) = drifts(memory)
        .into_iter()
        .partition(|(version, _)| *version == pinned || classify(pinned, version) != Bump::None);
    for (version, line) in newer {
        let rest = if version == pinned {
            still_served(memory, digest)
        } else {
            match proposing(memory, version) {
                Some(pull) => format!(
                    "; pull request {} proposes {}, which is what was verified",
                    pull.number,
                    pull.marker.as_ref().map_or("it", |marker| marker.digest.as_str()),
                ),
                None => "; it is not proposed".to_owned(),
            }
        };
        lines.push(format!("{line}{rest}"));
    }
    if !older.is_empty() {
        let names: Vec<String> = older.iter().map(|(version, _)| version.to_string()).collect();
        lines.push(format!(
            "the tags of releases older than the pin moved or were taken away: {}; \
             `digest-bump explain` tells more of each",
            names.join(", ")
        ));
    }
    lines
}

/// One line for each thing that a person has to look at, whatever it is about.
#[must_use]
pub fn all_alarms(memory: &Memory, snapshot: &Snapshot, now: Timestamp) -> Vec<String> {
    let mut lines = alarms(memory, &snapshot.pin);
    lines.extend(npm_alarms(memory, &snapshot.pin));
    lines.extend(departure(snapshot, now));
    lines
}

/// Every tag that does not give what it first gave, the newest version first.
fn drifts(memory: &Memory) -> Vec<(&Version, String)> {
    let versions: BTreeSet<&Version> = memory.resolved_versions().collect();
    let versions = versions.into_iter().rev();
    versions.filter_map(|version| Some((version, tag_drift(memory, version)?))).collect()
}

/// Worse than any tag that moves: what the downstream names cannot be pulled.
fn vanished(memory: &Memory, pinned: &Version, digest: &IndexDigest) -> Option<String> {
    let gone = memory.pinned(digest).is_some_and(|facts| facts.platforms.is_none());
    gone.then(|| {
        let seen = since(memory, digest).map(|at| format!(" (seen {at})")).unwrap_or_default();
        format!(
            "the registry does NOT serve the pinned digest {digest} of {pinned} any more{seen}: \
             whoever does not have it yet cannot pull what is pinned"
        )
    })
}

fn since(memory: &Memory, digest: &IndexDigest) -> Option<Timestamp> {
    let key = crate::domain::FactKey { aspect: "pinned", subject: digest.to_string() };
    memory.observations.get(&key).map(|seen| seen.at)
}

fn still_served(memory: &Memory, digest: &IndexDigest) -> String {
    match memory.pinned(digest).map(|facts| facts.platforms.is_some()) {
        Some(true) => format!("; the downstream pins {digest}, which is still served"),
        Some(false) => format!("; the downstream pins {digest}, which is NOT served any more"),
        None => format!("; the downstream pins {digest}"),
    }
}

/// The pinned version's tag was resolved, and never led to what is pinned.
fn never_given(memory: &Memory, pinned: &Version, digest: &IndexDigest) -> Option<String> {
    let tag = memory.image_tag(pinned)?;
    let changes = tag.changes.iter().filter_map(|change| change.to.as_ref());
    let given = std::iter::once(&tag.first).chain(changes).any(|given| given == digest.digest());
    (!given).then(|| {
        format!(
            "{pinned} is pinned at {digest}, but its tag gave {} when it was first resolved \
             ({}): it was moved before, or the pin is of another release",
            tag.first, tag.first_seen
        )
    })
}

/// The open pull request that proposes `version`.
fn proposing<'a>(memory: &'a Memory, version: &Version) -> Option<&'a PullFacts> {
    let proposes = |pull: &&PullFacts| {
        pull.state == PullState::Open
            && pull.marker.as_ref().is_some_and(|marker| marker.version == *version)
    };
    memory.pulls().find(proposes)
}
