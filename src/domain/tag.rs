//! What became of image tags after they were first resolved.

use super::{IndexDigest, Platform};
use serde::{Deserialize, Serialize};

/// What the registry serves under the pinned digest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PinnedFacts {
    /// The pinned digest.
    pub digest: IndexDigest,
    /// The platforms of its index, in its order; none if it is a single platform's image. `None` if
    /// the registry serves the digest no longer.
    pub platforms: Option<Vec<Platform>>,
}
