//! Tags that were resolved before, resolved again. The tag of a release is for ever: one that leads
//! elsewhere is told, and never followed.

use super::world::World;
use crate::clients::registry::RegistryError;
use crate::config::Watch;
use crate::domain::{
    CompanionRule, Digest, Fact, ImageName, IndexDigest, Memory, Observation, PinnedFacts,
    PullState, Timestamp, Version,
};
use crate::policy::{CompanionPin, Intent, PinState, Snapshot};
use crate::sources::{Pinned, Sources};
use anyhow::Error;
use futures_util::future::join_all;
use std::{borrow::Cow, collections::BTreeSet};

/// What is to be resolved again, of one image or of several.
#[derive(Debug, Default)]
pub(super) struct Wanted(Vec<OfImage>);

/// What is to be resolved again of one image.
#[derive(Debug)]
struct OfImage {
    image: ImageName,
    /// The tags of these versions.
    versions: BTreeSet<Version>,
    /// What the downstream pins: its tag, and the digest itself if the tag leads elsewhere.
    pin: Option<Pinning>,
}

/// What the downstream pins of an image, as far as it is known; one of the two always is.
#[derive(Debug, Clone)]
struct Pinning {
    version: Option<Version>,
    digest: Option<IndexDigest>,
}

/// What came of it.
#[derive(Debug, Default)]
pub(super) struct Again {
    tags: Vec<(ImageName, Version, Option<Digest>)>,
    pinned: Vec<(ImageName, PinnedFacts)>,
    failed: Vec<(ImageName, Option<Version>, RegistryError)>,
}

impl Wanted {
    /// In each pass, of the watched image and of each companion: the pin, whatever an open pull
    /// request proposes, and one of all others in turn; `turn` counts the passes. A dry run has no
    /// turn.
    pub(super) fn in_pass(
        watch: &Watch,
        memory: &Memory,
        snapshot: &Snapshot,
        turn: Option<u64>,
    ) -> Self {
        let pin = match &snapshot.pin {
            PinState::Known { version, digest } => {
                Some(Pinning { version: Some(version.clone()), digest: Some(digest.clone()) })
            }
            PinState::Unknown { .. } => None,
        };
        let watched = OfImage::in_pass(&watch.upstream.image, memory, pin, turn);
        let companions = snapshot.companions.iter().map(|pin| {
            let CompanionPin { image, version, digest } = pin.clone();
            let known = version.is_some() || digest.is_some();
            let pin = known.then_some(Pinning { version, digest });
            OfImage::in_pass(&image, &memory.of_image(&image), pin, turn)
        });
        Self(std::iter::once(watched).chain(companions).collect())
    }

    /// Before a proposal: what is about to be proposed, unless its tag was resolved in this pass.
    pub(super) fn before(due: &[Intent], watch: &Watch, memory: &Memory, world: &World) -> Self {
        let proposed = || {
            due.iter().filter_map(|intent| match intent {
                Intent::Propose { version, .. } => Some(version),
                _ => None,
            })
        };
        let open = |image: &ImageName, version: &Version| {
            !world.resolved.contains(&(image.clone(), version.clone()))
        };
        let image = &watch.upstream.image;
        let versions = proposed().filter(|version| open(image, version));
        let watched = OfImage::of_tags(image, versions);
        let companions = watch.rules.companions.iter().map(|CompanionRule { image, .. }| {
            let versions = proposed().filter(|version| {
                memory.companion(image, version).is_some() && open(image, version)
            });
            OfImage::of_tags(image, versions)
        });
        Self(std::iter::once(watched).chain(companions).collect())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.iter().all(|of| of.versions.is_empty() && of.pin.is_none())
    }

    /// Asks for the pins first, whose tokens the others then share, and for those side by side. For
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
        let own: Vec<(OfImage, Cow<'_, Memory>)> = self
            .0
            .into_iter()
            .map(|of| {
                let own = own_memory(&of.image, watch, memory);
                (of, own)
            })
            .collect();
        let pins = own.iter().filter_map(|(of, own)| Some((of, own, of.pin.as_ref()?)));
        let pins = pins.map(async |(of, own, pin)| {
            let resolved = match limit {
                Some(until) => Err(RegistryError::RateLimited { until }),
                None => resolve_pin(&of.image, pin, sources, own).await,
            };
            (&of.image, pin, resolved)
        });
        for (image, pin, resolved) in join_all(pins).await {
            match resolved {
                Ok(pinned) => again.pin(image, pin.version.as_ref(), pinned),
                Err(error) => again.failed.push((image.clone(), pin.version.clone(), error)),
            }
        }
        limit = again.limit().max(limit);
        let tags = own
            .iter()
            .flat_map(|(of, own)| of.versions.iter().map(move |version| (&of.image, own, version)));
        let tags = tags.map(async |(image, own, version)| {
            if let Some(until) = limit {
                return (image, version, Err(RegistryError::RateLimited { until }));
            }
            let known = own.image_tag(version);
            let known = known.as_ref().and_then(|tag| tag.last());
            (image, version, sources.resolve_tag(image, version, known).await)
        });
        for (image, version, resolved) in join_all(tags).await {
            let (image, version) = (image.clone(), version.clone());
            match resolved {
                Ok(to) => again.tags.push((image, version, to)),
                Err(error) => again.failed.push((image, Some(version), error)),
            }
        }
        again
    }

    /// Whether this is a proposal of what is still to be resolved.
    pub(super) fn concerns(&self, intent: &Intent) -> bool {
        let version = intent.version().filter(|_| matches!(intent, Intent::Propose { .. }));
        version.is_some_and(|version| self.0.iter().any(|of| of.versions.contains(version)))
    }
}

impl OfImage {
    /// `own` is what is remembered of the image, as if it were the watched one.
    fn in_pass(image: &ImageName, own: &Memory, pin: Option<Pinning>, turn: Option<u64>) -> Self {
        let pinned = pin.as_ref().and_then(|pin| pin.version.as_ref());
        let known: BTreeSet<&Version> =
            own.resolved_versions().filter(|version| Some(*version) != pinned).collect();
        let open = own.pulls().filter(|pull| pull.state == PullState::Open);
        let proposed = open.filter_map(|pull| Some(&pull.marker.as_ref()?.version));
        let mut versions: BTreeSet<Version> =
            proposed.filter(|version| known.contains(version)).cloned().collect();
        let others: Vec<&Version> =
            known.into_iter().filter(|version| !versions.contains(*version)).collect();
        let place = turn.map(|turn| turn.checked_rem(others.len() as u64).unwrap_or_default());
        let next = place.and_then(|place| others.get(usize::try_from(place).ok()?));
        versions.extend(next.map(|version| (*version).clone()));
        Self { image: image.clone(), versions, pin }
    }

    fn of_tags<'a>(image: &ImageName, versions: impl Iterator<Item = &'a Version>) -> Self {
        Self { image: image.clone(), versions: versions.cloned().collect(), pin: None }
    }
}

/// What is remembered of an image of the watch, as if it were the watched one.
fn own_memory<'a>(image: &ImageName, watch: &Watch, memory: &'a Memory) -> Cow<'a, Memory> {
    if *image == watch.upstream.image {
        Cow::Borrowed(memory)
    } else {
        Cow::Owned(memory.of_image(image))
    }
}

/// `None` if nothing is known of what is pinned: only its version is, and that has no tag.
async fn resolve_pin(
    image: &ImageName,
    pin: &Pinning,
    sources: &Sources,
    own: &Memory,
) -> Result<Option<Pinned>, RegistryError> {
    let version = pin.version.as_ref();
    let tag = version.and_then(|version| own.image_tag(version));
    let digest = match (&pin.digest, version) {
        (Some(digest), _) => Some(digest.clone()),
        // What its version was never resolved to is what is pinned.
        (None, Some(version)) => {
            sources.resolve_tag(image, version, None).await?.map(IndexDigest::new)
        }
        (None, None) => None,
    };
    let Some(digest) = digest else { return Ok(None) };
    // Of a tag that was never resolved the pin itself says what it gives.
    let last = tag.as_ref().map_or(Some(digest.digest()), |tag| tag.last());
    let known = own.pinned(&digest);
    sources.resolve_pinned(image, version, &digest, last, known).await.map(Some)
}

const fn limit_of(error: &RegistryError) -> Option<Timestamp> {
    match error {
        RegistryError::RateLimited { until } => Some(*until),
        _ => None,
    }
}

impl Again {
    fn pin(&mut self, image: &ImageName, version: Option<&Version>, pinned: Option<Pinned>) {
        let Some(Pinned { tag, facts }) = pinned else { return };
        self.tags.extend(version.map(|version| (image.clone(), version.clone(), tag)));
        self.pinned.push((image.clone(), facts));
    }

    /// The last limit that was met.
    fn limit(&self) -> Option<Timestamp> {
        self.failed.iter().filter_map(|(.., error)| limit_of(error)).max()
    }

    /// Takes it into memory: what is news, and what stood in the way. That the registry could not
    /// be asked says nothing about a tag.
    pub(super) fn take(
        self,
        watch: &Watch,
        memory: &mut Memory,
        world: &mut World,
        now: Timestamp,
    ) -> (Vec<Observation>, Option<Error>) {
        let watched = |image: &ImageName| *image == watch.upstream.image;
        let limit = self.limit();
        let mut news = Vec::new();
        for (image, version, to) in self.tags {
            news.extend(if watched(&image) {
                memory.observe_image_tag(&version, to.as_ref(), now)
            } else {
                memory.observe_companion_tag(&image, &version, to.as_ref(), now)
            });
            world.resolved.insert((image, version));
        }
        for (image, pinned) in self.pinned {
            let fact = Fact::Pinned(pinned);
            news.extend(if watched(&image) {
                memory.observe(fact, now)
            } else {
                memory.observe_companion(&image, fact, now)
            });
        }
        // One that holds already is known.
        let limit = limit.filter(|_| memory.registry_limit().is_none_or(|until| until <= now));
        news.extend(limit.and_then(|until| memory.observe(Fact::RegistryLimit { until }, now)));
        (news, trouble(self.failed, watch))
    }
}

/// What could not be resolved, in one line: it is one registry, and one cause mostly.
fn trouble(
    mut failed: Vec<(ImageName, Option<Version>, RegistryError)>,
    watch: &Watch,
) -> Option<Error> {
    let key = |image: &ImageName| (*image != watch.upstream.image, image.clone());
    failed.sort_by(|(a, of_a, _), (b, of_b, _)| (key(a), of_a).cmp(&(key(b), of_b)));
    let name = |(image, version, _): &(ImageName, Option<Version>, RegistryError)| {
        let short = image.short();
        match version {
            Some(version) if *image == watch.upstream.image => version.to_string(),
            Some(version) => format!("{short} {version}"),
            None => format!("that {short} is pinned at"),
        }
    };
    let names: Vec<String> = failed.iter().map(name).collect();
    let (.., first) = failed.into_iter().next()?;
    let tags = if names.len() == 1 { "the tag" } else { "the tags" };
    let what = format!("{tags} {} could not be resolved again", names.join(", "));
    Some(Error::new(first).context(what))
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

    fn image() -> ImageName {
        "ghcr.io/o/p".parse().unwrap()
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
            updated_at: None,
            marker: Some(Marker {
                kind: ProposalKind::PinBump,
                digest: digest(&of),
                version: of,
                commit,
                requested: false,
                from: None,
                whole: None,
                draft: DraftMark::None,
                held: None,
                companions: std::collections::BTreeMap::new(),
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
        let pin = Pinning { digest: Some(digest(&pinned)), version: Some(pinned) };
        let wanted = OfImage::in_pass(&image(), &memory(), Some(pin), turn);
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
        let wanted = |memory: &Memory, turn| OfImage::in_pass(&image(), memory, None, turn);
        assert!(Wanted(vec![wanted(&Memory::default(), Some(3))]).is_empty());
        let wanted = wanted(&memory(), None);
        assert!(wanted.pin.is_none() && wanted.versions.len() == 1);
    }
}
