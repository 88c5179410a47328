//! Examine: every check that an image itself can answer, asked now. Nothing is recorded.

use super::{learn::learn, world::World};
use crate::clients::registry::{Image, RegistryError};
use crate::config::Watch;
use crate::domain::{
    Check, Fact, Finding, ImageFacts, IndexDigest, Memory, Timestamp, Verdict, Version,
};
use crate::policy::{Intent, asked_checks};
use crate::sources::Sources;
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
/// As [`RegistryError`] says, if the image cannot be read; "not there" is one of them. Others if a
/// check could not be asked at all.
pub async fn examine(
    watch: &Watch,
    sources: &Sources,
    mut memory: Memory,
    target: Target,
    now: Timestamp,
) -> Result<Examination> {
    let mut watch = watch.clone();
    let (releases, npm) =
        tokio::join!(sources.observe_releases(&watch), sources.observe_npm(&watch));
    for gathered in [releases?, npm?] {
        for fact in gathered.facts {
            memory.observe(fact, now);
        }
    }
    let (image, release) = match target {
        Target::Release(version) => {
            let image = sources.fetch_image(&watch, &version).await?;
            (image, Some(version))
        }
        Target::Digest(digest) => {
            let known = memory.images().find(|image| image.digest == digest);
            let release = known.map(|image| image.version.clone());
            (by_digest(&watch, sources, &digest, release.as_ref()).await?, release)
        }
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
    let version = image.facts.version.clone();
    memory.observe(Fact::Image(image.facts.clone()), now);
    let mut findings = Vec::new();
    for check in checks {
        let intent = Intent::Check { version: version.clone(), check };
        let learned = learn(&intent, &watch, sources, &mut memory, &mut world, now).await?;
        findings.extend(learned.finding);
    }
    Ok(Examination { image: image.facts, release, findings })
}

/// An image by its digest. Where no release is known it counts as the one that its label names.
async fn by_digest(
    watch: &Watch,
    sources: &Sources,
    digest: &IndexDigest,
    release: Option<&Version>,
) -> Result<Image, RegistryError> {
    let image = &watch.upstream.image;
    let unknown = Version::new(0, 0, 0);
    let version = release.unwrap_or(&unknown);
    let mut found = sources.registry.fetch_image_at(image, digest.as_str(), version).await?;
    let mut labels = found.facts.platforms.iter().filter_map(|part| part.version_label());
    if let (None, Some(label)) = (release, labels.next()) {
        let claimed = label.strip_prefix('v').unwrap_or(label).parse();
        found.facts.version = claimed.unwrap_or(unknown);
    }
    Ok(found)
}
