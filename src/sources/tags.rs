//! Tags that were resolved before, resolved again → facts.

use super::Sources;
use crate::clients::registry::{RegistryError, Resolution};
use crate::config::Watch;
use crate::domain::{Digest, IndexDigest, PinnedFacts, Platform, Version};

/// What the registry serves under the pinned digest. The tag of the pinned version is asked first:
/// it says what it resolves to as well.
///
/// `known` is what was served the last time.
pub(super) async fn observe_pinned(
    sources: &Sources,
    watch: &Watch,
    version: &Version,
    digest: &IndexDigest,
    known: Option<&PinnedFacts>,
) -> Result<PinnedFacts, RegistryError> {
    let known = known.and_then(|known| known.platforms.as_ref());
    let asked = Asked { sources, watch, digest: digest.digest(), known };
    let served = match asked.ask(&version.to_string()).await? {
        Some(platforms) => Some(platforms),
        None => asked.ask(digest.as_str()).await?,
    };
    Ok(PinnedFacts { digest: digest.clone(), platforms: served })
}

/// A digest that is asked for, by whatever reference.
struct Asked<'a> {
    sources: &'a Sources,
    watch: &'a Watch,
    digest: &'a Digest,
    known: Option<&'a Vec<Platform>>,
}

impl Asked<'_> {
    /// The platforms of the digest, if the reference leads to it.
    async fn ask(&self, reference: &str) -> Result<Option<Vec<Platform>>, RegistryError> {
        let validator = self.known.map(|_| self.digest);
        let image = &self.watch.upstream.image;
        match self.sources.registry.resolve(image, reference, validator).await {
            Ok(Resolution::Same) => Ok(self.known.cloned()),
            Ok(Resolution::Found { digest, platforms }) if digest == *self.digest => {
                Ok(Some(platforms.unwrap_or_default()))
            }
            Ok(Resolution::Found { .. }) | Err(RegistryError::NotFound { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }
}
