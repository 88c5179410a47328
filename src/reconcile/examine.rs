//! Examine: every check that an image itself can answer, asked now. Nothing is recorded.

use super::{learn::learn, world::World};
use crate::config::Watch;
use crate::domain::{
    Check, Fact, Finding, ImageFacts, IndexDigest, Memory, Timestamp, Verdict, Version,
};
use crate::policy::{Intent, asked_checks, branches_to_ask, npm_drifts, release_of, tag_drift};
use crate::sources::Sources;
use crate::verify::{Subject, unanswered};
use anyhow::Result;

/// What is to be examined.
#[derive(Debug, Clone)]
pub enum Target {
    /// A release: what its tag resolves to now.
    Release(Version),
    /// A digest, whatever tag it has.
    Digest(IndexDigest),
}

/// What was found.
#[derive(Debug, Clone)]
pub struct Examination {
    /// The image.
    pub image: ImageFacts,
    /// The release that it was judged as; `None` for a digest that no known release has.
    pub release: Option<Version>,
    /// The answers, in the order in which people read them.
    pub findings: Vec<Finding>,
}

impl Examination {
    /// The worst of the verdicts: a failure, else what could not be found out, else passed.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        let some = |verdict| self.findings.iter().any(|found| found.verdict == verdict);
        let worst = [Verdict::Failed, Verdict::Inconclusive].into_iter().find(|it| some(*it));
        worst.unwrap_or(Verdict::Passed)
    }
}

/// Asks every check of the image. A digest that no known release has is judged by what it must be
/// whatever release it is; a signature is required of it, whatever its label says.
///
/// # Errors
/// As [`crate::clients::registry::RegistryError`] says, if the image cannot be read; "not there" is one of them. Others if a
/// check could not be asked at all.
pub async fn examine(
    watch: &Watch,
    sources: &Sources,
    mut memory: Memory,
    target: Target,
    now: Timestamp,
) -> Result<Examination> {
    let mut watch = watch.clone();
    let unknown = look_around(&watch, sources, &mut memory, now).await?;
    let (image, release) = match target {
        Target::Release(version) => {
            let image = sources.fetch_image(&watch, &version).await?;
            memory.observe_image_tag(&version, Some(image.facts.digest.digest()), now);
            (image.facts, Some(version))
        }
        Target::Digest(digest) => by_digest(&watch, sources, &mut memory, &digest, now).await?,
    };
    let mut checks: Vec<Check> = asked_checks(&watch.rules).into_iter().collect();
    checks.retain(|check| !matches!(check, Check::Sites | Check::Canary));
    if release.is_none() {
        checks.retain(|check| matches!(check, Check::Signature | Check::Platforms));
        if let Some(rule) = &mut watch.rules.signature {
            rule.required_from = None;
        }
    }
    let mut world = World::default();
    let version = image.version.clone();
    // Only now: what the tag gave before may be known from the image alone.
    memory.observe(Fact::Image(image.clone()), now);
    let mut findings = Vec::new();
    for check in checks {
        let subject = Subject { image: &image, memory: &memory, rules: &watch.rules, pinned: None };
        if let Some(why) = unknown.of(check, subject) {
            findings.push(unanswered(check, subject, why, now));
            continue;
        }
        let intent = Intent::Check { version: version.clone(), check };
        let learned = learn(&intent, &watch, sources, &mut memory, &mut world, now).await?;
        findings.extend(learned.finding);
    }
    Ok(Examination { image, release, findings })
}

/// What could not be read, in words.
#[derive(Debug, Default)]
struct Unknown {
    npm: Option<String>,
    pulls: Option<String>,
}

impl Unknown {
    /// Why a check cannot be answered, if it cannot.
    fn of(&self, check: Check, subject: Subject<'_>) -> Option<&str> {
        let Subject { image, memory, .. } = subject;
        match check {
            Check::Agreement if memory.npm(&image.version).is_none() => self.npm.as_deref(),
            // What is remembered may tell enough.
            Check::TagStability if tag_drift(memory, &image.version).is_none() => {
                self.pulls.as_deref()
            }
            _ => None,
        }
    }
}

/// Reads what a pass reads before it looks at an image, as far as an answer rests on it: releases,
/// npm, and the bot's pull requests, which remember what a tag gave though the database does not.
async fn look_around(
    watch: &Watch,
    sources: &Sources,
    memory: &mut Memory,
    now: Timestamp,
) -> Result<Unknown> {
    let snapshot = World::default().snapshot(watch, memory);
    let branches = branches_to_ask(watch.branches(), &snapshot, memory);
    let (releases, npm, pulls) = tokio::join!(
        sources.observe_releases(watch),
        sources.observe_npm(watch),
        sources.observe_pulls(watch, &branches),
    );
    let why = |what: &str, error: &anyhow::Error| format!("{what} could not be asked: {error:#}");
    let unknown = Unknown {
        npm: npm.as_ref().err().map(|error| why("npm", error)),
        pulls: pulls.as_ref().err().map(|error| why("the downstream", error)),
    };
    let npm = npm.unwrap_or_default().facts;
    let drifts = npm_drifts(memory, &npm);
    let gathered = [releases?.facts, npm, drifts, pulls.unwrap_or_default().facts];
    for fact in gathered.into_iter().flatten() {
        memory.observe(fact, now);
    }
    Ok(unknown)
}

/// An image by its digest, and the release that it is of: the one whose tag gave it once, or the
/// one that its label names, if that one's tag gives it now. Where none is known, it counts as the
/// one that its label names.
async fn by_digest(
    watch: &Watch,
    sources: &Sources,
    memory: &mut Memory,
    digest: &IndexDigest,
    now: Timestamp,
) -> Result<(ImageFacts, Option<Version>)> {
    let image = &watch.upstream.image;
    let known = memory.images().find(|image| image.digest == *digest);
    let mut release = known.map(|image| image.version.clone());
    let none = Version::new(0, 0, 0);
    let version = release.as_ref().unwrap_or(&none);
    let fetched = sources.registry.fetch_image_at(image, digest.as_str(), version).await?;
    let mut found = fetched.facts;
    if release.is_none()
        && let Some(label) = found.platforms.iter().find_map(|part| part.version_label())
    {
        found.version = label.strip_prefix('v').unwrap_or(label).parse().unwrap_or(none);
    }
    let version = &found.version;
    if release.is_none() && release_of(version, memory, &watch.rules.tags).is_none() {
        return Ok((found, None));
    }
    let last = memory.image_tag(version).and_then(|tag| tag.last().cloned());
    let tag = sources.resolve_tag(&watch.upstream.image, version, last.as_ref()).await?;
    if tag.as_ref() == Some(digest.digest()) {
        release = Some(version.clone());
    }
    if release.is_some() {
        memory.observe_image_tag(version, tag.as_ref(), now);
    }
    Ok((found, release))
}
