//! The npm half of a release.

use super::{Timestamp, Version};
use serde::{Deserialize, Serialize};

/// One version of the npm package, from the packument.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NpmFacts {
    /// The version.
    pub version: Version,
    /// Subresource integrity of the tarball (`sha512-…`), where the registry gives it.
    pub integrity: Option<String>,
    /// The commit that was published, where npm recorded it.
    pub git_head: Option<String>,
    /// The value at the product guard's pointer, if a guard is configured and it is there.
    pub product: Option<String>,
    /// When it was published, where the registry says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub published_at: Option<Timestamp>,
}

/// What became of a version of the npm package that is not what it was. Once so, always so.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NpmDrift {
    /// The version.
    pub version: Version,
    /// The integrity that was seen first, where the registry gave one.
    pub before: Option<String>,
    /// When that was first seen.
    pub since: Timestamp,
    /// The integrity that was seen instead; `None` if the version was withdrawn.
    pub after: Option<String>,
}
