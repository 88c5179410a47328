//! Documents that are kept by their content, so that a verdict can be looked at again years later.

use super::{Digest, Finding, Observation};

/// A document as it came over the wire.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Content {
    /// sha256 over `bytes`.
    pub digest: Digest,
    /// What it is; empty if nobody said.
    pub media_type: String,
    /// The whole document.
    pub bytes: Vec<u8>,
}

impl Content {
    /// A document with its digest.
    #[must_use]
    pub fn new(media_type: impl Into<String>, bytes: Vec<u8>) -> Self {
        Self { digest: Digest::of(&bytes), media_type: media_type.into(), bytes }
    }
}

/// What looking at a release brought: to be recorded together.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Learned {
    /// Facts that are new or say something else than before.
    pub news: Vec<Observation>,
    /// An answer to a check.
    pub finding: Option<Finding>,
    /// The documents that they rest on.
    pub contents: Vec<Content>,
}
