//! Observe: the world's facts, taken into memory. The same for a pass and for a dry run; what is
//! new is handed back, and only a pass records it.

use super::world::World;
use crate::clients::git::GitCache;
use crate::clients::registry::RegistryError;
use crate::config::Watch;
use crate::domain::{Cached, Fact, Finding, Look, Memory, Observation, Timestamp, Version};
use crate::policy::{Intent, branches_to_ask};
use crate::sources::{Gathered, Sources, read_pin};
use crate::verify::{Subject, verify};
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

/// Reads releases, npm and the pin side by side, then the pull requests that they make relevant.
pub(super) async fn observe(
    watch: &Watch,
    sources: &Sources,
    git: &GitCache,
    memory: &mut Memory,
    now: Timestamp,
) -> Seen {
    let mut seen = Seen::default();
    let (releases, npm, pin) = tokio::join!(
        sources.observe_releases(watch),
        sources.observe_npm(watch),
        read_pin(git, watch),
    );
    seen.world.releases_unknown = !seen.take(releases, memory, now);
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
    let pulls = sources.observe_pulls(watch, &branches).await;
    seen.world.pulls_known = seen.take(pulls, memory, now);
    seen
}

/// What an intent that only reads brought.
#[derive(Debug)]
pub(super) enum Learned {
    /// An image, or that there is none, if that is news.
    Image(Option<Observation>),
    /// An answer to a check.
    Finding(Finding),
}

/// Does what an intent that only reads asks for, and takes the result into memory.
pub(super) async fn learn(
    intent: &Intent,
    watch: &Watch,
    sources: &Sources,
    memory: &mut Memory,
    world: &mut World,
    now: Timestamp,
) -> Result<Option<Learned>> {
    match intent {
        Intent::Look(version) => {
            if let Some(until) = memory.registry_limit().filter(|until| now < *until) {
                // Met by another release. This one was not asked for: that is no attempt.
                let limited = look(RegistryError::RateLimited { until });
                world.looks.insert(version.clone(), limited);
                return Ok(None);
            }
            match sources.fetch_image(watch, version).await {
                Ok(image) => Ok(Some(Learned::Image(memory.observe(Fact::Image(image), now)))),
                Err(error) => Ok(Some(Learned::Image(missed(version, error, memory, world, now)))),
            }
        }
        Intent::Check { version, check } => {
            let pinned = match world.snapshot(watch, memory).pin {
                crate::policy::PinState::Known { digest, .. } => Some(digest),
                crate::policy::PinState::Unknown { .. } => None,
            };
            let subject = Subject {
                image: memory.image(version).context("its image was never resolved")?,
                sites: memory.pin(),
                rules: &watch.rules,
                pinned: pinned.as_ref().map(crate::domain::IndexDigest::digest),
            };
            let finding = verify(*check, subject, now).context("the canary is no cheap check")?;
            memory.findings.push(finding.clone());
            Ok(Some(Learned::Finding(finding)))
        }
        _ => Ok(None),
    }
}

/// Takes a look that gave no image into memory.
fn missed(
    version: &Version,
    error: RegistryError,
    memory: &mut Memory,
    world: &mut World,
    now: Timestamp,
) -> Option<Observation> {
    let limited_until = match &error {
        RegistryError::RateLimited { until } => Some(*until),
        _ => None,
    };
    let look = look(error);
    let before = memory.no_image(version).map_or(0, |(_, _, attempts)| attempts);
    let unknown = matches!(look, Look::Unavailable(_));
    let attempts = if unknown { before + 1 } else { 0 };
    let version = version.clone();
    world.looks.insert(version.clone(), look.clone());
    memory.observe(Fact::NoImage { version, look, attempts, limited_until }, now)
}

fn look(error: RegistryError) -> Look {
    match error {
        RegistryError::NotFound { .. } => Look::Absent,
        RegistryError::NotAnIndex { .. } => Look::Unusable(error.to_string()),
        error => Look::Unavailable(format!("{:#}", anyhow::Error::new(error))),
    }
}
