//! Wishes of people, recorded first and acted on by the next pass.

use super::{Timestamp, Version};
use serde::{Deserialize, Serialize};
use std::fmt;

/// The id of a request: counted by the store, from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RequestId(pub i64);

impl fmt::Display for RequestId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}", self.0)
    }
}

/// "Bump the pin to this version."
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// Its id.
    pub id: RequestId,
    /// The version that is asked for.
    pub version: Version,
    /// Who asked, as far as the way in knows: a login, or the operating system's user.
    pub actor: String,
    /// When.
    pub at: Timestamp,
    /// What came of it; `None` while it is open.
    pub outcome: Option<RequestOutcome>,
}

/// What came of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestOutcome {
    /// Whether the wish was met.
    pub granted: bool,
    /// The answer, in one sentence.
    pub answer: String,
    /// When.
    pub at: Timestamp,
}
