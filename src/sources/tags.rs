//! Tags and digests that were resolved before, resolved again.

use super::Sources;
use crate::clients::registry::{RegistryError, Resolution};
use crate::domain::{Digest, ImageName, IndexDigest, PinnedFacts, Platform, Version};

/// What the registry has of the pin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pinned {
    /// What the tag of the pinned version leads to; `None` if it is gone, or the version is unknown.
    pub tag: Option<Digest>,
    /// What is served under the pinned digest.
    pub facts: PinnedFacts,
}

/// Something that a reference led to.
#[derive(Debug)]
struct Led {
    to: Digest,
    /// The platforms, where they were read.
    platforms: Option<Vec<Platform>>,
}

pub(super) async fn resolve_tag(
    sources: &Sources,
    image: &ImageName,
    version: &Version,
    known: Option<&Digest>,
) -> Result<Option<Digest>, RegistryError> {
    let led = lead(sources, image, &version.to_string(), known).await?;
    Ok(led.map(|led| led.to))
}

/// Asks the tag of the pinned version first; the digest only if the tag does not lead there.
pub(super) async fn resolve_pinned(
    sources: &Sources,
    image: &ImageName,
    version: Option<&Version>,
    digest: &IndexDigest,
    tag: Option<&Digest>,
    known: Option<&PinnedFacts>,
) -> Result<Pinned, RegistryError> {
    let known = known.and_then(|known| known.platforms.as_ref());
    let asked = digest.digest();
    // Without the platforms the document itself is wanted.
    let enough = |known_digest: &&Digest| known.is_some() || *known_digest != asked;
    let led = match version {
        Some(version) => lead(sources, image, &version.to_string(), tag.filter(enough)).await?,
        None => None,
    };
    let tag = led.as_ref().map(|led| led.to.clone());
    let led = match led.filter(|led| led.to == *asked) {
        Some(led) => Some(led),
        None => lead(sources, image, asked.as_str(), known.map(|_| asked)).await?,
    };
    let platforms = led.map(|led| led.platforms.or_else(|| known.cloned()).unwrap_or_default());
    Ok(Pinned { tag, facts: PinnedFacts { digest: digest.clone(), platforms } })
}

async fn lead(
    sources: &Sources,
    image: &ImageName,
    reference: &str,
    known: Option<&Digest>,
) -> Result<Option<Led>, RegistryError> {
    let resolved = sources.registry.resolve(image, reference, known).await;
    match resolved {
        Ok(Resolution::Same) => Ok(known.map(|to| Led { to: to.clone(), platforms: None })),
        Ok(Resolution::Found { digest, platforms }) => Ok(Some(Led { to: digest, platforms })),
        Err(RegistryError::NotFound { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}
