//! A watch as it is remembered, for people. Nothing is fetched: works beside a running daemon.

use super::world::World;
use crate::config::Watch;
use crate::domain::{Memory, Timestamp, Version};
use crate::policy::{Ignored, decide};
use crate::render::{Explanation, WatchView, known_lines};

/// The watch from what is remembered.
#[must_use]
pub fn look_at(watch: &Watch, memory: &Memory, now: Timestamp) -> WatchView {
    let snapshot = World::default().snapshot(watch, memory);
    let decision = decide(&snapshot, now);
    let (name, image) = (watch.name.as_str(), &watch.upstream.image);
    WatchView::of(name, image, memory, &snapshot, &decision, now)
}

/// What is known of a version besides what was observed: of its tag, and of where its content is.
#[must_use]
pub fn known_issues(watch: &Watch, memory: &Memory, version: &Version) -> Vec<String> {
    known_lines(version, &watch.upstream.image, &watch.rules.known_issues, memory)
}

/// Why a release stands where it stands.
///
/// # Errors
/// The reason for which the release is ignored, or that it is not known.
pub fn explain(
    watch: &Watch,
    memory: &Memory,
    version: &Version,
    now: Timestamp,
) -> Result<Explanation, String> {
    let snapshot = World::default().snapshot(watch, memory);
    let decision = decide(&snapshot, now);
    let known = known_issues(watch, memory, version);
    Explanation::of(version, known, memory, &snapshot, &decision, now).ok_or_else(|| {
        let named = |ignored: &&Ignored| ignored.tag.trim_start_matches('v') == version.to_string();
        match snapshot.ignored.iter().find(named) {
            Some(ignored) => format!("{} is ignored: {}", ignored.tag, ignored.why),
            None => format!("no release {version} is known"),
        }
    })
}
