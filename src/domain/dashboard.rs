//! The dashboard issue, as it was last seen.

use super::{IssueNumber, Timestamp, Version};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// What is known of the dashboard issue of a watch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum DashboardFacts {
    /// It is open.
    Open {
        /// Its number.
        number: IssueNumber,
        /// The versions whose boxes a person has ticked and the bot has not taken back.
        #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
        ticked: BTreeSet<Version>,
    },
    /// A person closed it: that is respected.
    Closed {
        /// Its number.
        number: IssueNumber,
    },
    /// GitHub refuses it: issues are disabled, or the token may not.
    Refused {
        /// Why, with the remedy.
        why: String,
        /// When it is tried again.
        again: Timestamp,
    },
}

impl DashboardFacts {
    /// Its number, if there is one.
    #[must_use]
    pub const fn number(&self) -> Option<IssueNumber> {
        match self {
            Self::Open { number, .. } | Self::Closed { number } => Some(*number),
            Self::Refused { .. } => None,
        }
    }

    /// The versions whose boxes are known to be ticked.
    #[must_use]
    pub fn ticked(&self) -> BTreeSet<Version> {
        match self {
            Self::Open { ticked, .. } => ticked.clone(),
            Self::Closed { .. } | Self::Refused { .. } => BTreeSet::new(),
        }
    }
}
