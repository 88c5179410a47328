//! Executions of the contract canary.

use super::{CanaryReport, CommitId, IndexDigest, Timestamp, TreeId, Verdict, Version};
use serde::{Deserialize, Serialize};
use std::fmt;

/// The id of a canary run: counted by the store, from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RunId(pub i64);

impl fmt::Display for RunId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}", self.0)
    }
}

/// One execution of the canary at one digest, on one tree of the downstream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CanaryRun {
    /// Its id.
    pub id: RunId,
    /// The release under test.
    pub version: Version,
    /// The digest under test.
    pub subject: IndexDigest,
    /// What else the result depends on; another text makes the run stale.
    pub inputs: String,
    /// The commit of the downstream that the draft was made on.
    pub base: CommitId,
    /// The tree that the canary saw, and that a proposal pushes.
    pub tree: TreeId,
    /// Its steps and the harness that it ran on, in one short text: at the same digest the same
    /// text gives the same result. Empty if nothing is known of it.
    pub remembered_by: String,
    /// The commit of the downstream whose own checks are its result; `None` if the bot runs it.
    pub checked: Option<CommitId>,
    /// The marker of the downstream's workflow that carries it, if one was dispatched for it on
    /// that commit; `None` otherwise.
    pub dispatched: Option<String>,
    /// When it was started.
    pub started_at: Timestamp,
    /// Where it is now.
    pub state: RunState,
}

impl CanaryRun {
    /// The files that a tool of the downstream's own added to the tree.
    #[must_use]
    pub fn prepared(&self) -> &[String] {
        match &self.state {
            RunState::Ended { report, .. } => &report.prepared,
            RunState::Running { prepared, .. } => prepared,
        }
    }
}

/// Where a run is in its life.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RunState {
    /// A supervisor carries it, and says so from time to time; or the downstream's own checks do.
    Running {
        /// If the supervisor has not spoken by then, the run is orphaned; the checks are not waited
        /// for any longer.
        alive_until: Timestamp,
        /// The files that were added to its tree already.
        prepared: Vec<String>,
    },
    /// It is over.
    Ended {
        /// When.
        at: Timestamp,
        /// What it showed.
        verdict: Verdict,
        /// One line that a maintainer reads.
        summary: String,
        /// The last part of what it printed, secrets masked.
        output: String,
        /// What each of its steps showed.
        report: CanaryReport,
    },
}
