//! What a person has to look at beside the releases: tags that moved, and a pin that is no more.

use super::{
    ci::ci_alarms,
    classify,
    companion_pin::CompanionPin,
    departure::departure,
    npm_drift::npm_alarms,
    orders::on_hold,
    retreat::retreat_alarm,
    snapshot::{PinState, Proposal, Snapshot},
};
use crate::domain::{
    Bump, Digest, HowToAsk, ImageFacts, IndexDigest, Marker, Memory, PullFacts, PullState,
    TagChange, TagFacts, Timestamp, Version,
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

/// What became of a tag of what an open pull request proposes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moved {
    /// The digest that the pull request proposes.
    pub proposed: IndexDigest,
    /// The whole story, for a maintainer.
    pub story: String,
}

/// Every image of what `pull` proposes whose tag does not give what it first gave: the watched one,
/// and those companions whose pins it moves.
#[must_use]
pub fn moved_under(memory: &Memory, pull: &PullFacts) -> Vec<Moved> {
    let Some(marker) = &pull.marker else { return Vec::new() };
    let own = tag_drift(memory, &marker.version);
    let own = own.map(|story| Moved { proposed: marker.digest.clone(), story });
    let companions = marker.companions.iter().filter_map(|(image, proposed)| {
        let story = tag_drift(&memory.of_image(image), &marker.version)?;
        let story = format!("{}: {story}", image.short());
        Some(Moved { proposed: proposed.clone(), story })
    });
    own.into_iter().chain(companions).collect()
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

/// What is pinned of an image, as far as it is known.
#[derive(Debug, Clone, Copy)]
struct Pinned<'a> {
    version: Option<&'a Version>,
    digest: Option<&'a IndexDigest>,
    /// What older releases are older than.
    base: Option<&'a Version>,
}

/// One line for each thing that is wrong with what was resolved before. They last: only a person
/// can find out who moved a tag, and why.
#[must_use]
pub fn alarms(memory: &Memory, pin: &PinState, how: &HowToAsk) -> Vec<String> {
    let (version, digest) = match pin {
        PinState::Known { version, digest } => (Some(version), Some(digest)),
        PinState::Unknown { .. } => (None, None),
    };
    of_image(memory, Pinned { version, digest, base: version }, how)
}

/// As [`alarms`], of a companion image; each begins with its short name. `from` is what the watch
/// itself pins.
fn of_companion(
    memory: &Memory,
    pin: &CompanionPin,
    from: &PinState,
    how: &HowToAsk,
) -> Vec<String> {
    let from = match from {
        PinState::Known { version, .. } => Some(version),
        PinState::Unknown { .. } => None,
    };
    let (version, digest) = (pin.version.as_ref(), pin.digest.as_ref());
    let pinned = Pinned { version, digest, base: version.or(from) };
    let lines = of_image(&memory.of_image(&pin.image), pinned, how);
    lines.into_iter().map(|line| format!("{}: {line}", pin.image.short())).collect()
}

fn of_image(memory: &Memory, pinned: Pinned<'_>, how: &HowToAsk) -> Vec<String> {
    let mut lines = Vec::new();
    lines.extend(vanished(memory, pinned));
    lines.extend(never_given(memory, pinned));
    let shown = |version: &Version| {
        let newer = |base| base == version || classify(base, version) != Bump::None;
        pinned.base.is_none_or(newer)
    };
    let (newer, older): (Vec<_>, Vec<_>) =
        drifts(memory).into_iter().partition(|(version, _)| shown(version));
    for (version, line) in newer {
        let rest = match (pinned.version == Some(version), pinned.digest, pinned.base) {
            (true, Some(digest), _) => still_served(memory, digest),
            (false, _, Some(_)) => what_is_proposed(memory, version),
            (true, None, _) | (false, _, None) => String::new(),
        };
        lines.push(format!("{line}{rest}"));
    }
    if !older.is_empty() {
        let names: Vec<String> = older.iter().map(|(version, _)| version.to_string()).collect();
        lines.push(format!(
            "the tags of releases older than the pin moved or were taken away: {}; {} tells more of \
             each",
            names.join(", "),
            how.explain("")
        ));
    }
    lines
}

fn what_is_proposed(memory: &Memory, version: &Version) -> String {
    match proposing(memory, version) {
        Some((pull, marker)) => format!(
            "; pull request {} proposes {}, which is what was verified",
            pull.number, marker.digest
        ),
        None => "; it is not proposed".to_owned(),
    }
}

/// One line for each thing that a person has to look at, whatever it is about; `how` its reader
/// asks the bot.
#[must_use]
pub fn all_alarms(
    memory: &Memory,
    snapshot: &Snapshot,
    how: &HowToAsk,
    now: Timestamp,
) -> Vec<String> {
    let mut lines = alarms(memory, &snapshot.pin, how);
    let companions = snapshot.companions.iter();
    lines.extend(companions.flat_map(|pin| of_companion(memory, pin, &snapshot.pin, how)));
    lines.extend(npm_alarms(memory, &snapshot.pin));
    lines.extend(departure(snapshot, now));
    lines.extend(retreat_alarm(snapshot, how));
    lines.extend(left_open(snapshot));
    lines.extend(ci_alarms(memory, snapshot.ci_starts_within));
    lines
}

/// Open pull requests for what is no release of the stream any more, where the bot may not close
/// them.
fn left_open(snapshot: &Snapshot) -> impl Iterator<Item = String> {
    let held = on_hold(snapshot).is_some();
    snapshot.proposals.iter().filter_map(move |Proposal { pull, version, ours, gone, .. }| {
        let why = gone.as_ref()?;
        let because = match (ours, held) {
            (false, _) => "a person works on its branch",
            (true, true) => "the bot is on hold",
            (true, false) => return None,
        };
        Some(format!(
            "pull request {pull} proposes {version}, which is no release of the stream any more: \
             {why}; {because}, so it is left open"
        ))
    })
}

/// Every tag that does not give what it first gave, the newest version first.
fn drifts(memory: &Memory) -> Vec<(&Version, String)> {
    let versions: BTreeSet<&Version> = memory.resolved_versions().collect();
    let versions = versions.into_iter().rev();
    versions.filter_map(|version| Some((version, tag_drift(memory, version)?))).collect()
}

/// Worse than any tag that moves: what the downstream names cannot be pulled.
fn vanished(memory: &Memory, pinned: Pinned<'_>) -> Option<String> {
    let digest = pinned.digest?;
    let gone = memory.pinned(digest).is_some_and(|facts| facts.platforms.is_none());
    gone.then(|| {
        let seen = since(memory, digest).map(|at| format!(" (seen {at})")).unwrap_or_default();
        let of = pinned.version.map(|version| format!(" of {version}")).unwrap_or_default();
        format!(
            "the registry does NOT serve the pinned digest {digest}{of} any more{seen}: \
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
fn never_given(memory: &Memory, pinned: Pinned<'_>) -> Option<String> {
    let (version, digest) = (pinned.version?, pinned.digest?);
    let tag = memory.image_tag(version)?;
    let changes = tag.changes.iter().filter_map(|change| change.to.as_ref());
    let given = std::iter::once(&tag.first).chain(changes).any(|given| given == digest.digest());
    (!given).then(|| {
        format!(
            "{version} is pinned at {digest}, but its tag gave {} when it was first resolved \
             ({}): it was moved before, or the pin is of another release",
            tag.first, tag.first_seen
        )
    })
}

/// The open pull request that proposes `version`, with what it says of itself.
fn proposing<'a>(memory: &'a Memory, version: &Version) -> Option<(&'a PullFacts, &'a Marker)> {
    let open = memory.pulls().filter(|pull| pull.state == PullState::Open);
    let mut known = open.filter_map(|pull| Some((pull, pull.marker.as_ref()?)));
    known.find(|(_, marker)| marker.version == *version)
}
