//! What an image tag leads to.

use super::{IndexDigest, PlatformDigest, Version};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, fmt};

/// An image tag, resolved once to an index digest and what that index holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImageFacts {
    /// The version whose tag was resolved.
    pub version: Version,
    /// sha256 over the bytes of the index that were received.
    pub digest: IndexDigest,
    /// Each real platform; build attestations (`unknown/unknown`) are left out.
    pub platforms: Vec<PlatformFacts>,
}

/// One platform's image inside an index.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlatformFacts {
    /// Operating system and architecture.
    pub platform: Platform,
    /// The digest of this platform's manifest.
    pub digest: PlatformDigest,
    /// The labels of the image config. Foreign text.
    pub labels: BTreeMap<String, String>,
}

impl PlatformFacts {
    /// The value of `org.opencontainers.image.revision`: the commit that it was built from.
    #[must_use]
    pub fn revision(&self) -> Option<&str> {
        self.labels.get("org.opencontainers.image.revision").map(String::as_str)
    }

    /// The value of `org.opencontainers.image.version`.
    #[must_use]
    pub fn version_label(&self) -> Option<&str> {
        self.labels.get("org.opencontainers.image.version").map(String::as_str)
    }
}

/// Operating system and architecture, with the variant where there is one: `linux/arm64`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Platform(pub String);

impl Platform {
    /// `linux/amd64`, or several with commas between them.
    #[must_use]
    pub fn list(platforms: &[Self]) -> String {
        platforms.iter().map(|platform| platform.0.as_str()).collect::<Vec<_>>().join(", ")
    }
}

impl fmt::Display for Platform {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(&self.0)
    }
}
