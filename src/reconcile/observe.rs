//! Observe: the world's facts, taken into memory. The same for a pass and for a dry run; what is
//! new is handed back, and only a pass records it.

use super::world::World;
use crate::clients::git::GitCache;
use crate::config::Watch;
use crate::domain::{Cached, Fact, Memory, Observation, Timestamp};
use crate::policy::{PinState, branches_to_ask, npm_drifts};
use crate::sources::{Gathered, Sources, read_pin};
use anyhow::{Context as _, Result};

/// What observing brought.
#[derive(Debug, Default)]
pub(super) struct Seen {
    pub(super) world: World,
    /// Facts that are new or say something else than before.
    pub(super) news: Vec<Observation>,
    /// Response bodies to remember.
    pub(super) fresh: Vec<Cached>,
    pub(super) troubles: Vec<anyhow::Error>,
}

impl Seen {
    /// Takes in what a source gave; whether it gave anything.
    fn take(&mut self, gathered: Result<Gathered>, memory: &mut Memory, now: Timestamp) -> bool {
        match gathered {
            Ok(gathered) => {
                let news = gathered.facts.into_iter().filter_map(|fact| memory.observe(fact, now));
                self.news.extend(news);
                self.fresh.extend(gathered.fresh);
                true
            }
            Err(error) => {
                self.troubles.push(error);
                false
            }
        }
    }
}

/// Reads releases, npm and the pin side by side, then the pull requests that they make relevant,
/// and what is pinned.
pub(super) async fn observe(
    watch: &Watch,
    sources: &Sources,
    git: &GitCache,
    memory: &mut Memory,
    now: Timestamp,
) -> Seen {
    let mut seen = Seen::default();
    let (releases, npm, advisories, pin) = tokio::join!(
        sources.observe_releases(watch),
        sources.observe_npm(watch),
        // Seldom asked for, so it takes no room in every pass.
        Box::pin(sources.observe_advisories(watch)),
        read_pin(git, watch),
    );
    seen.world.releases_unknown = !seen.take(releases, memory, now);
    seen.take(advisories, memory, now);
    let mut npm = npm;
    if let Ok(gathered) = &mut npm {
        let drifts = npm_drifts(memory, &gathered.facts);
        gathered.facts.extend(drifts);
    }
    seen.world.npm_trouble = npm.as_ref().err().map(|error| format!("{error:#}"));
    seen.take(npm, memory, now);
    let why = seen.world.npm_trouble.clone();
    if memory.npm_trouble() != why.as_deref() {
        seen.news.extend(memory.observe(Fact::NpmTrouble { why }, now));
    }
    match pin {
        Ok(downstream) => {
            seen.news.extend(memory.observe(Fact::Pin(downstream.facts), now));
            seen.world.base = Some(downstream.base);
        }
        Err(error) => seen.troubles.push(error),
    }
    let now_known = seen.world.snapshot(watch, memory);
    let branches = branches_to_ask(&watch.upstream.image, &now_known, memory);
    let (pulls, pinned) = tokio::join!(
        sources.observe_pulls(watch, &branches),
        observe_pinned(watch, sources, memory, &now_known.pin, now),
    );
    seen.world.pulls_known = seen.take(pulls, memory, now);
    match pinned {
        Ok(pinned) => seen.news.extend(pinned.and_then(|fact| memory.observe(fact, now))),
        Err(error) => seen.troubles.push(error),
    }
    seen
}

/// Whether what is pinned is still served; nothing while the pin is not known, or while the
/// registry does not let itself be asked.
async fn observe_pinned(
    watch: &Watch,
    sources: &Sources,
    memory: &Memory,
    pin: &PinState,
    now: Timestamp,
) -> Result<Option<Fact>> {
    let PinState::Known { version, digest } = pin else {
        return Ok(None);
    };
    if memory.registry_limit().is_some_and(|until| now < until) {
        return Ok(None);
    }
    let pinned = sources.observe_pinned(watch, version, digest, memory.pinned(digest)).await;
    Ok(Some(Fact::Pinned(pinned.with_context(|| format!("the pinned image {version}"))?)))
}
