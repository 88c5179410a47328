//! Wishes of people, recorded first and acted on by the next pass.

use super::{CommitId, Timestamp, Version};
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

/// What can be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Wish {
    /// That the pin is bumped to a version.
    Bump,
    /// That the canary is run again at a version, whatever it showed before.
    Canary,
    /// That the open pull request for a version is made anew on the base branch of today.
    Rebase,
    /// The same, also where people committed to its branch: their commits are given up.
    Recreate,
}

impl Wish {
    /// Every wish.
    pub const ALL: [Self; 4] = [Self::Bump, Self::Canary, Self::Rebase, Self::Recreate];

    /// Whether it is that an open pull request is made anew.
    #[must_use]
    pub const fn makes_anew(self) -> bool {
        match self {
            Self::Rebase | Self::Recreate => true,
            Self::Bump | Self::Canary => false,
        }
    }

    /// The name in the database, in commands and in views.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Bump => "bump",
            Self::Canary => "canary",
            Self::Rebase => "rebase",
            Self::Recreate => "recreate",
        }
    }
}

/// A wish of a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// Its id.
    pub id: RequestId,
    /// What is asked for.
    pub wish: Wish,
    /// The version that it is asked for.
    pub version: Version,
    /// Who asked, as far as the way in knows: a login, or the operating system's user.
    pub actor: String,
    /// Where the pull request's branch was when it was asked for: whoever asked has seen nothing
    /// later. `None` where it is about no branch, or about the branch as it is.
    pub head: Option<CommitId>,
    /// When it was recorded.
    pub at: Timestamp,
    /// When it was said, for the last time while it was open.
    pub said_at: Timestamp,
    /// What came of it; `None` while it is open.
    pub outcome: Option<RequestOutcome>,
}

impl Request {
    /// When it was said, to be held against the standing orders, with which requests are counted.
    #[must_use]
    pub const fn said(&self) -> (Timestamp, RequestId) {
        (self.said_at, self.id)
    }

    /// Whether it asks for the canary of `version`, and is not answered yet.
    #[must_use]
    pub fn wants_canary(&self, version: &Version) -> bool {
        self.wish == Wish::Canary && self.outcome.is_none() && self.version == *version
    }
}

impl Request {
    /// Whether it asks for the open pull request for `version` to be made anew, and is not answered
    /// yet.
    #[must_use]
    pub fn wants_anew(&self, version: &Version) -> bool {
        self.wish.makes_anew() && self.outcome.is_none() && self.version == *version
    }
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
