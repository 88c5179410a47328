//! What the bot says in comments of its own accord.

use super::CommitId;
use serde::{Deserialize, Serialize};
use std::fmt;

/// What a comment of the bot's says: each is said once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "says", rename_all = "snake_case")]
pub enum Saying {
    /// That a person works on the branch, and the bot does not any more.
    HandsOff {
        /// The bot's own last commit.
        since: CommitId,
        /// What people committed and was given up before, if so: then it is said once more.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        after: Option<CommitId>,
    },
    /// Which commits of people are given up, because somebody asked for that.
    GivenUp {
        /// The last of them, at the head of the branch.
        head: CommitId,
    },
}

impl fmt::Display for Saying {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::HandsOff { since, after: None } => write!(out, "hands-off {since}"),
            Self::HandsOff { since, after: Some(lost) } => {
                write!(out, "hands-off {since} after {lost}")
            }
            Self::GivenUp { head } => write!(out, "given-up {head}"),
        }
    }
}
