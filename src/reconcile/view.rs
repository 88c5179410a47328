//! A watch as it is remembered, for people. Nothing is fetched: works beside a running daemon.

use super::world::World;
use crate::config::Watch;
use crate::domain::{HowToAsk, Memory, Timestamp, Version};
use crate::policy::{Decision, Ignored, Snapshot, decide, hunks_of_drift, mirror_drift};
use crate::render::{Explanation, WatchView, known_lines};

/// The watch from what is remembered, for whoever looks where the bot runs.
#[must_use]
pub fn look_at(watch: &Watch, memory: &Memory, now: Timestamp) -> WatchView {
    let snapshot = World::default().snapshot(watch, memory);
    let decision = decide(&snapshot, now);
    view_for(&HowToAsk::CommandLine, watch, memory, &snapshot, &decision, now)
}

/// The watch as it was decided on, for whoever reads in the downstream what the bot writes there.
pub(super) fn view_of(
    watch: &Watch,
    memory: &Memory,
    snapshot: &Snapshot,
    decision: &Decision,
    now: Timestamp,
) -> WatchView {
    view_for(&watch.downstream.how_to_ask(), watch, memory, snapshot, decision, now)
}

fn view_for(
    how: &HowToAsk,
    watch: &Watch,
    memory: &Memory,
    snapshot: &Snapshot,
    decision: &Decision,
    now: Timestamp,
) -> WatchView {
    let (name, image) = (watch.name.as_str(), &watch.upstream.image);
    let mut view = WatchView::of(name, image, memory, snapshot, decision, how, now);
    // What is no longer configured is remembered, and means nothing.
    if watch.downstream.mirror.is_some() {
        let (tags, pinned) = (&watch.rules.tags, view.pinned.clone());
        view.drift.extend(mirror_drift(memory, tags, pinned.as_ref()));
        let hunks = hunks_of_drift(memory, tags, pinned.as_ref());
        view.mirror_hunks = hunks.map(|it| it.hunks.clone());
    }
    view
}

/// What is known of a version besides what was observed: of its tag, and of where its content is; the
/// same of its companion images.
#[must_use]
pub fn known_issues(watch: &Watch, memory: &Memory, version: &Version) -> Vec<String> {
    let image = &watch.upstream.image;
    let mut lines = known_lines(version, image, &watch.rules.known_issues, memory);
    for rule in &watch.rules.companions {
        let (image, own) = (&rule.image, memory.of_image(&rule.image));
        let of_it = known_lines(version, image, &rule.known_issues, &own);
        lines.extend(of_it.into_iter().map(|line| format!("{}: {line}", image.short())));
    }
    lines
}

/// Why a release stands where it stands, for whoever looks where the bot runs.
///
/// # Errors
/// The reason for which the release is ignored, or that it is not known.
pub fn explain(
    watch: &Watch,
    memory: &Memory,
    version: &Version,
    now: Timestamp,
) -> Result<Explanation, String> {
    explain_to(&HowToAsk::CommandLine, watch, memory, version, now)
}

/// The same for whoever asks the bot in this way.
pub(super) fn explain_to(
    how: &HowToAsk,
    watch: &Watch,
    memory: &Memory,
    version: &Version,
    now: Timestamp,
) -> Result<Explanation, String> {
    let snapshot = World::default().snapshot(watch, memory);
    let decision = decide(&snapshot, now);
    let known = known_issues(watch, memory, version);
    Explanation::of(version, known, memory, &snapshot, &decision, how, now).ok_or_else(|| {
        let named = |ignored: &&Ignored| ignored.tag.trim_start_matches('v') == version.to_string();
        match snapshot.ignored.iter().find(named) {
            Some(ignored) => format!("{} is ignored: {}", ignored.tag, ignored.why),
            None => format!("no release {version} is known"),
        }
    })
}
