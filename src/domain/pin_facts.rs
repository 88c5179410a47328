//! The pin sites as they were read, and what conflicts with the base branch.

use super::{CommitId, FilePath, ImageName, IndexDigest, Version};
use serde::{Deserialize, Serialize};

/// Every pin site at one commit of the downstream's base branch.
///
/// The commit itself is not part of it: a commit that touches no site is nothing new.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PinFacts {
    /// One reading per configured site, in the config's order.
    pub sites: Vec<SiteReading>,
    /// The majors that the migration document has a section for; none if there is no document.
    pub migrated: Vec<u64>,
    /// The versions that those sections lead to, as far as they are whole ones.
    #[serde(default)]
    pub migrated_to: Vec<Version>,
    /// Why the migration document cannot take a section, if it cannot.
    pub migration_fault: Option<String>,
    /// What the canary's harness is, in one short text that differs where it does.
    #[serde(default)]
    pub harness: String,
}

/// A commit at the head of a pull request of the bot's that conflicts with the base branch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConflictFacts {
    /// The head.
    pub head: CommitId,
    /// The commit of the base branch that it was first seen to conflict with.
    pub base: CommitId,
}

/// What one pin site says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SiteReading {
    /// The file.
    pub path: FilePath,
    /// The site's name in the config.
    pub site: String,
    /// The companion image whose pin stands there; `None` for the watched image's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub companion: Option<ImageName>,
    /// What was found there.
    pub state: SiteState,
}

/// The state of one pin site.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum SiteState {
    /// It spells a version, a digest, or both.
    Spelled {
        /// The version, if the site spells one.
        version: Option<Version>,
        /// The digest, if the site spells one.
        digest: Option<IndexDigest>,
        /// 1-based number of the line on which the pin stands.
        line: usize,
    },
    /// The file, or in an `if_present` site the line, is not there.
    Absent,
    /// The site cannot be read or edited; the text says why, for a maintainer.
    Faulty {
        /// A sentence fragment that names what was expected and what was found.
        why: String,
    },
}
