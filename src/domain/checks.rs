//! The checks that the downstream's own CI makes of a commit: what was seen of them.

use super::CommitId;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// The checks that stand for the canary, where the downstream's own CI is the canary.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedChecks {
    /// The names of the check runs or commit statuses; at least one.
    pub names: Vec<String>,
    /// How long they are waited for.
    pub time_limit: Duration,
    /// Whether they test the very image.
    pub sees_digest: bool,
}

/// What was last seen of the named checks of a commit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChecksFacts {
    /// The commit in the downstream.
    pub commit: CommitId,
    /// One for each name, in the config's order.
    pub checks: Vec<CheckSeen>,
}

/// What was seen of one named check. Of several with its name, by several apps or as a check run and
/// as a commit status, this is the one that tells most: a failure, then what is not over, then
/// what found nothing out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckSeen {
    /// Its name.
    pub name: String,
    /// Where it is.
    pub state: CheckState,
    /// What it says of itself; empty if it says nothing. Foreign text.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub title: String,
    /// The page that people read; empty if there is none. Foreign text.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub url: String,
    /// How long it took, in milliseconds; 0 if that is not known.
    #[serde(default)]
    pub took: u64,
}

/// Whether anybody's CI has started at the head of a pull request of the bot's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CiFacts {
    /// The head.
    pub commit: CommitId,
    /// Whether it has: `false` if nothing of anybody's was there after the time that it has.
    pub started: bool,
}

/// Where a named check is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", content = "conclusion", rename_all = "snake_case")]
pub enum CheckState {
    /// There is none of this name at the commit.
    Missing,
    /// It has not concluded.
    UnderWay,
    /// It concluded with `success`.
    Passed,
    /// It concluded with `failure`.
    Failed,
    /// It concluded with something else, such as `skipped` or `cancelled`, which finds nothing out.
    Other(String),
}

impl CheckState {
    /// How much it tells beside others of the same name: the higher the more.
    #[must_use]
    pub const fn weight(&self) -> u8 {
        match self {
            Self::Failed => 4,
            Self::UnderWay => 3,
            Self::Other(_) => 2,
            Self::Passed => 1,
            Self::Missing => 0,
        }
    }
}
