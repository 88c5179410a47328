//! Tags that were resolved before, resolved again. The tag of a release is for ever: one that leads
//! elsewhere is told, and never followed.

use super::{pass::Pass, world::World};
use crate::clients::registry::RegistryError;
use crate::config::Watch;
use crate::domain::{
    Digest, Fact, IndexDigest, Memory, Observation, PinnedFacts, PullState, Timestamp, Version,
};
use crate::policy::{Intent, PinState, all_alarms};
use crate::sources::{Pinned, Sources};
use anyhow::{Error, Result};
use futures_util::future::join_all;
use std::collections::BTreeSet;
use tracing::error;

/// What is to be resolved again.
#[derive(Debug, Default)]
pub(super) struct Wanted {
    /// The tags of these versions.
    versions: BTreeSet<Version>,
    /// The pin: its tag, and the digest itself if the tag leads elsewhere.
    pin: Option<(Version, IndexDigest)>,
}

/// What came of it.
#[derive(Debug, Default)]
pub(super) struct Again {
    tags: Vec<(Version, Option<Digest>)>,
    pinned: Option<PinnedFacts>,
    failed: Vec<(Version, RegistryError)>,
}

impl Wanted {
    /// In each pass: the pin, whatever an open pull request proposes, and one of all others in
    /// turn; `turn` counts the passes. A dry run has no turn.
    pub(super) fn in_pass(memory: &Memory, pin: &PinState, turn: Option<u64>) -> Self {
        let pin = match pin {
            PinState::Known { version, digest } => Some((version.clone(), digest.clone())),
            PinState::Unknown { .. } => None,
        };
        let pinned = pin.as_ref().map(|(version, _)| version);
        let known: BTreeSet<&Version> =
            memory.resolved_versions().filter(|version| Some(*version) != pinned).collect();
        let open = memory.pulls().filter(|pull| pull.state == PullState::Open);
        let proposed = open.filter_map(|pull| Some(&pull.marker.as_ref()?.version));
        let mut versions: BTreeSet<Version> =
            proposed.filter(|version| known.contains(version)).cloned().collect();
        let others: Vec<&Version> =
            known.into_iter().filter(|version| !versions.contains(*version)).collect();
        let place = turn.map(|turn| turn.checked_rem(others.len() as u64).unwrap_or_default());
        let next = place.and_then(|place| others.get(usize::try_from(place).ok()?));
        versions.extend(next.map(|version| (*version).clone()));
        Self { versions, pin }
    }

    /// Before a proposal: what is about to be proposed, unless its tag was resolved in this pass.
    pub(super) fn before(due: &[Intent], watch: &Watch, world: &World) -> Self {
        let proposed = due.iter().filter_map(|intent| match intent {
            Intent::Propose { version, .. } => Some(version),
            _ => None,
        });
        let image = &watch.upstream.image;
        let resolved =
            |version: &Version| world.resolved.contains(&(image.clone(), version.clone()));
        let open = proposed.filter(|version| !resolved(version));
        Self { versions: open.cloned().collect(), pin: None }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.versions.is_empty() && self.pin.is_none()
    }

    /// Asks for the pin first, whose token the others then share, and for those side by side. For
    /// nothing while a limit of the registry holds.
    pub(super) async fn resolve(
        self,
        watch: &Watch,
        sources: &Sources,
        memory: &Memory,
        now: Timestamp,
    ) -> Again {
        let mut again = Again::default();
        let mut limit = memory.registry_limit().filter(|until| now < *until);
        if let Some((version, digest)) = self.pin {
            let resolved = match limit {
                Some(until) => Err(RegistryError::RateLimited { until }),
                None => resolve_pin(&version, &digest, watch, sources, memory).await,
            };
            match resolved {
                Ok(pinned) => {
                    again.tags.push((version, pinned.tag));
                    again.pinned = Some(pinned.facts);
                }
                Err(error) => {
                    limit = limit_of(&error);
                    again.failed.push((version, error));
                }
            }
        }
        let tags = self.versions.into_iter().map(async |version| {
            if let Some(until) = limit {
                return (version, Err(RegistryError::RateLimited { until }));
            }
            let known = memory.image_tag(&version);
            let known = known.as_ref().and_then(|tag| tag.last());
            let resolved = sources.resolve_tag(watch, &version, known).await;
            (version, resolved)
        });
        for (version, resolved) in join_all(tags).await {
            match resolved {
                Ok(to) => again.tags.push((version, to)),
                Err(error) => again.failed.push((version, error)),
            }
        }
        again
    }
}

async fn resolve_pin(
    version: &Version,
    digest: &IndexDigest,
    watch: &Watch,
    sources: &Sources,
    memory: &Memory,
) -> Result<Pinned, RegistryError> {
    let tag = memory.image_tag(version);
    // Of a tag that was never resolved the pin itself says what it gives.
    let last = tag.as_ref().map_or(Some(digest.digest()), |tag| tag.last());
    sources.resolve_pinned(watch, version, digest, last, memory.pinned(digest)).await
}

const fn limit_of(error: &RegistryError) -> Option<Timestamp> {
    match error {
        RegistryError::RateLimited { until } => Some(*until),
        _ => None,
    }
}

impl Again {
    /// Takes it into memory: what is news, and what stood in the way. That the registry could not
    /// be asked says nothing about a tag.
    pub(super) fn take(
        self,
        watch: &Watch,
        memory: &mut Memory,
        world: &mut World,
        now: Timestamp,
    ) -> (Vec<Observation>, Option<Error>) {
        let mut news = Vec::new();
        for (version, to) in self.tags {
            news.extend(memory.observe_image_tag(&version, to.as_ref(), now));
            world.resolved.insert((watch.upstream.image.clone(), version));
        }
        let limit = self.failed.iter().filter_map(|(_, error)| limit_of(error)).max();
        // One that holds already is known.
        let limit = limit.filter(|_| memory.registry_limit().is_none_or(|until| until <= now));
        let limit = limit.map(|until| Fact::RegistryLimit { until });
        let facts = self.pinned.map(Fact::Pinned).into_iter().chain(limit);
        news.extend(facts.filter_map(|fact| memory.observe(fact, now)));
        (news, trouble(self.failed))
    }
}

/// What could not be resolved, in one line: it is one registry, and one cause mostly.
fn trouble(mut failed: Vec<(Version, RegistryError)>) -> Option<Error> {
    failed.sort_by(|(a, _), (b, _)| a.cmp(b));
    let names: Vec<String> = failed.iter().map(|(version, _)| version.to_string()).collect();
    let (_, first) = failed.into_iter().next()?;
    let tags = if names.len() == 1 { "the tag" } else { "the tags" };
    let what = format!("{tags} {} could not be resolved again", names.join(", "));
    Some(Error::new(first).context(what))
}

impl Pass<'_> {
    /// Resolves once more what is about to be proposed; whether the decision is to be made anew.
    /// While a tag cannot be resolved, nothing is proposed that it names.
    pub(super) async fn confirm_tags(&mut self, due: &[Intent]) -> Result<bool> {
        let wanted = Wanted::before(due, &self.bot.watch, &self.world);
        if wanted.is_empty() {
            return Ok(false);
        }
        let (bot, now) = (self.bot, self.bot.clock.now());
        let again = wanted.resolve(&bot.watch, &bot.sources, &self.memory, now).await;
        let (news, trouble) = again.take(&bot.watch, &mut self.memory, &mut self.world, now);
        bot.store.record_observations(self.lease, &bot.watch.name, &news, &[], now).await?;
        self.sound();
        if let Some(trouble) = trouble {
            self.trouble(&trouble);
            let still = Wanted::before(due, &self.bot.watch, &self.world);
            self.failed.extend(due.iter().filter(|intent| still.concerns(intent)).cloned());
        }
        Ok(true)
    }

    /// What a person has to look at, as far as is known now.
    pub(super) fn alarms(&self) -> Vec<String> {
        all_alarms(&self.memory, &self.snapshot(), self.bot.clock.now())
    }

    /// Tells the log of each alarm that was none before: a person must act.
    pub(super) fn sound(&mut self) {
        for alarm in self.alarms() {
            if !self.sounded.contains(&alarm) {
                error!("{alarm}");
                self.sounded.push(alarm);
            }
        }
    }
}

impl Wanted {
    /// Whether this is a proposal of what is still to be resolved.
    pub(super) fn concerns(&self, intent: &Intent) -> bool {
        let version = intent.version().filter(|_| matches!(intent, Intent::Propose { .. }));
        version.is_some_and(|version| self.versions.contains(version))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{
        BranchName, CommitId, DraftMark, ImageFacts, Marker, ProposalKind, PullFacts, PullNumber,
    };

    fn version(text: &str) -> Version {
        text.parse().unwrap()
    }

    fn digest(of: &Version) -> IndexDigest {
        IndexDigest::new(Digest::of(of.to_string().as_bytes()))
    }

    fn pull(number: u64, of: &str, state: PullState) -> Fact {
        let (of, commit) = (version(of), "1".repeat(40).parse::<CommitId>().unwrap());
        Fact::Pull(PullFacts {
            number: PullNumber(number),
            branch: "digest-bump/connector".parse::<BranchName>().unwrap(),
            head: commit.clone(),
            state,
            draft: false,
            title: String::new(),
            url: String::new(),
            marker: Some(Marker {
                kind: ProposalKind::PinBump,
                digest: digest(&of),
                version: of,
                commit,
                requested: false,
                from: None,
                draft: DraftMark::None,
                held: None,
            }),
        })
    }

    /// A watch that pins 1.0.0 and resolved five others, one of which an open pull request
    /// proposes.
    fn memory() -> Memory {
        let (mut memory, now) = (Memory::default(), Timestamp::from_millis(0));
        for of in ["0.9.0", "1.1.0", "1.2.0", "1.3.0", "1.10.0"].map(version) {
            let image =
                ImageFacts { digest: digest(&of), version: of.clone(), platforms: Vec::new() };
            memory.observe(Fact::Image(image), now);
        }
        // The pin's was resolved as well, and one that an open pull request names never was.
        memory.observe_image_tag(&version("1.0.0"), Some(digest(&version("1.0.0")).digest()), now);
        memory.observe(pull(1, "1.1.0", PullState::Merged), now);
        memory.observe(pull(2, "1.2.0", PullState::Open), now);
        memory.observe(pull(3, "7.0.0", PullState::Open), now);
        memory
    }

    fn wanted(turn: Option<u64>) -> Vec<String> {
        let pinned = version("1.0.0");
        let pin = PinState::Known { digest: digest(&pinned), version: pinned.clone() };
        let wanted = Wanted::in_pass(&memory(), &pin, turn);
        assert_eq!(wanted.pin.unwrap().0, pinned);
        wanted.versions.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn what_is_proposed_is_resolved_in_each_pass_and_of_the_others_one_in_turn() {
        assert_eq!(wanted(None), ["1.2.0"]);
        let turns: Vec<Vec<String>> = (0..8).map(|turn| wanted(Some(turn))).collect();
        let other = |turn: &Vec<String>| {
            assert_eq!(turn.len(), 2);
            turn.iter().find(|of| *of != "1.2.0").unwrap().clone()
        };
        let others: Vec<String> = turns.iter().map(other).collect();
        assert_eq!(others[..4], ["0.9.0", "1.1.0", "1.3.0", "1.10.0"]);
        assert_eq!(others[4..], others[..4]);
    }

    #[test]
    fn without_a_pin_or_anything_known_nothing_is_asked() {
        let unknown = PinState::Unknown { why: String::new(), ask: None };
        assert!(Wanted::in_pass(&Memory::default(), &unknown, Some(3)).is_empty());
        let wanted = Wanted::in_pass(&memory(), &unknown, None);
        assert!(wanted.pin.is_none() && wanted.versions.len() == 1);
    }
}
