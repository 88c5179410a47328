//! Learn: what an intent that only reads asks for. The same for a pass and for a dry run; what was
//! learned is handed back, and only a pass records it.

use super::history::{Read, read_descent, read_tag};
use super::world::World;
use crate::clients::github::GithubError;
use crate::clients::registry::RegistryError;
use crate::config::Watch;
use crate::domain::{
    Check, Fact, FactKey, Finding, ImageFacts, ImageName, Learned, Look, Memory, Observation,
    Timestamp, Version,
};
use crate::policy::{Intent, release_of};
use crate::sources::Sources;
use crate::verify::{Material, Subject, looks_stale, unanswered, verify, verify_signature};
use anyhow::{Context as _, Result};
use futures_util::future::try_join_all;

/// Does what an intent that only reads asks for, and takes the result into memory.
pub(super) async fn learn(
    intent: &Intent,
    watch: &Watch,
    sources: &Sources,
    memory: &mut Memory,
    world: &mut World,
    now: Timestamp,
) -> Result<Learned> {
    match intent {
        Intent::Look(version) => Ok(look_at(version, watch, sources, memory, world, now).await),
        Intent::ReadContract(version) => {
            Box::pin(read_contracts(version, watch, sources, memory, world, now)).await
        }
        Intent::Check { version, check } => {
            let image = memory.image(version).context("its image was never resolved")?.clone();
            let learned = match check {
                Check::Signature => inspect_signature(&image, watch, sources, memory, now).await?,
                Check::Revision | Check::Agreement => {
                    inspect_history(*check, &image, watch, sources, memory, world, now).await?
                }
                check => {
                    let finding = inspect(*check, &image, watch, memory, world, now)?;
                    Learned { finding: Some(finding), ..Learned::default() }
                }
            };
            memory.findings.extend(learned.finding.clone());
            Ok(learned)
        }
        Intent::Companion(image, intent) => {
            of_companion(image, intent, watch, sources, memory, world, now).await
        }
        _ => Ok(Learned::default()),
    }
}

/// Learns about a companion image as if it were the watched one.
async fn of_companion(
    image: &ImageName,
    intent: &Intent,
    watch: &Watch,
    sources: &Sources,
    memory: &mut Memory,
    world: &mut World,
    now: Timestamp,
) -> Result<Learned> {
    let mut rules = watch.rules.companions.iter();
    let rule = rules.find(|rule| rule.image == *image).context("no such companion")?;
    let version = intent.version().context("it is about no release")?;
    let tag = release_of(version, memory, &watch.rules.tags).map(|release| release.tag.clone());
    let mut watch = watch.clone();
    watch.rules = watch.rules.for_companion(rule);
    watch.upstream.image = image.clone();
    let mut own = memory.of_companion(image, tag.as_deref().unwrap_or_default());
    let mut learned = Box::pin(learn(intent, &watch, sources, &mut own, world, now)).await?;
    let news = learned.news.into_iter().filter_map(|seen| match seen.fact {
        // What is upstream's is upstream's, whichever image asked for it.
        fact @ (Fact::TagCommit(_) | Fact::Descent(_)) => memory.observe(fact, seen.at),
        fact => {
            let (image, fact) = (image.clone(), Box::new(fact));
            memory.observe(Fact::Companion { image, fact }, seen.at)
        }
    });
    learned.news = news.collect();
    memory.findings.extend(learned.finding.clone());
    Ok(learned)
}

/// Resolves a version's tag.
async fn look_at(
    version: &Version,
    watch: &Watch,
    sources: &Sources,
    memory: &mut Memory,
    world: &mut World,
    now: Timestamp,
) -> Learned {
    let tag = (watch.upstream.image.clone(), version.clone());
    if let Some(until) = memory.registry_limit().filter(|until| now < *until) {
        // Met by another release. This one was not asked for: that is no attempt.
        let limited = look(RegistryError::RateLimited { until });
        world.looks.insert(tag, limited);
        return Learned::default();
    }
    match sources.fetch_image(watch, version).await {
        Ok(image) => {
            let digest = image.facts.digest.digest().clone();
            let first = memory.observe(Fact::Image(image.facts), now);
            // As the pin's, the tag may have been resolved before.
            let again = memory.observe_image_tag(version, Some(&digest), now);
            world.resolved.insert(tag);
            let news = first.into_iter().chain(again).collect();
            Learned { news, contents: image.contents, finding: None }
        }
        Err(error) => {
            let news = missed(tag, error, memory, world, now);
            Learned { news: news.into_iter().collect(), ..Learned::default() }
        }
    }
}

/// Reads upstream's contract at a version's tag and at the pinned one's, where it was not read yet.
async fn read_contracts(
    version: &Version,
    watch: &Watch,
    sources: &Sources,
    memory: &mut Memory,
    world: &World,
    now: Timestamp,
) -> Result<Learned> {
    let path = watch.rules.contract.as_ref().context("no contract is looked at")?;
    let pinned = world.pin(watch, memory)?.version;
    let tags = [&pinned, version].map(|of| {
        let release = release_of(of, memory, &watch.rules.tags);
        release.map(|release| release.tag.clone())
    });
    let unread = tags.iter().flatten().filter(|tag| memory.contract(tag).is_none());
    let read = unread.map(|tag| sources.fetch_contract(watch, path, tag));
    let facts = try_join_all(read).await?;
    let facts = facts.into_iter().map(Fact::Contract);
    let news = facts.filter_map(|fact| memory.observe(fact, now)).collect();
    Ok(Learned { news, ..Learned::default() })
}

/// A cheap check that what is remembered answers.
fn inspect(
    check: Check,
    image: &ImageFacts,
    watch: &Watch,
    memory: &Memory,
    world: &World,
    now: Timestamp,
) -> Result<Finding> {
    let pinned = world.pin(watch, memory).ok();
    let pinned = pinned.as_ref().map(|pin| pin.digest.digest());
    let subject = Subject { image, memory, rules: &watch.rules, pinned };
    verify(check, subject, now).context("no cheap check of what is remembered")
}

/// A check that takes the upstream's history: reads what it needs, and judges it.
async fn inspect_history(
    check: Check,
    image: &ImageFacts,
    watch: &Watch,
    sources: &Sources,
    memory: &mut Memory,
    world: &mut World,
    now: Timestamp,
) -> Result<Learned> {
    let Read { mut news, mut trouble } = read_tag(image, watch, sources, memory, world, now).await;
    if trouble.is_none() && check == Check::Revision {
        let descent = read_descent(image, watch, sources, memory, now).await;
        news.extend(descent.news);
        trouble = descent.trouble;
    }
    let finding = match trouble {
        None => inspect(check, image, watch, memory, world, now)?,
        // Nobody else is to be asked either: the pass ends, and what was read is read again.
        Some(limited @ GithubError::RateLimited { .. }) => return Err(limited.into()),
        Some(error) => {
            let why = format!("upstream could not be asked: {:#}", anyhow::Error::new(error));
            let subject = Subject { image, memory, rules: &watch.rules, pinned: None };
            unanswered(check, subject, &why, now)
        }
    };
    Ok(Learned { finding: Some(finding), news, contents: Vec::new() })
}

/// Fetches what is attached to the image and judges it; once more, if a newer trusted root may know
/// better.
async fn inspect_signature(
    image: &ImageFacts,
    watch: &Watch,
    sources: &Sources,
    memory: &Memory,
    now: Timestamp,
) -> Result<Learned> {
    let subject = Subject { image, memory, rules: &watch.rules, pinned: None };
    let key = FactKey { aspect: "image", subject: image.version.to_string() };
    let first_seen = memory.observations.get(&key).map_or(now, |seen| seen.at);
    let (found, root) = tokio::join!(
        sources.registry.fetch_signatures(&watch.upstream.image, &image.digest),
        sources.trust.root(),
    );
    let why = root.as_ref().err().map(|error| format!("{error:#}")).unwrap_or_default();
    let mut root = root.ok();
    let judge = |root: Option<&crate::clients::sigstore::TrustedRoot>| {
        let material = Material { found: &found, root: root.ok_or(&why), first_seen };
        verify_signature(subject, material, now).context("signatures are not looked at")
    };
    let (mut finding, mut contents) = judge(root.as_deref())?;
    if looks_stale(&finding)
        && let Some(known) = &root
        && let Some(newer) = sources.trust.newer(known).await
    {
        root = Some(newer);
        (finding, contents) = judge(root.as_deref())?;
    }
    Ok(Learned { finding: Some(finding), contents, news: Vec::new() })
}

/// Takes a look that gave no image into memory.
fn missed(
    (image, version): (ImageName, Version),
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
    let before = memory.no_image(&version).map_or(0, |(_, _, attempts)| attempts);
    let unknown = matches!(look, Look::Unavailable(_));
    let attempts = if unknown { before + 1 } else { 0 };
    world.looks.insert((image, version.clone()), look.clone());
    memory.observe(Fact::NoImage { version, look, attempts, limited_until }, now)
}

fn look(error: RegistryError) -> Look {
    match error {
        RegistryError::NotFound { .. } => Look::Absent,
        RegistryError::NotAnIndex { .. } => Look::Unusable(error.to_string()),
        error => Look::Unavailable(format!("{:#}", anyhow::Error::new(error))),
    }
}
