//! Proposals: what a pull request is for, and everything that it consists of.

use super::{BranchName, CommitId, FilePath, ImageName, IndexDigest, Invalid, TreeId, Version};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, fmt, str::FromStr};

/// What a proposal is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProposalKind {
    /// Move the pin.
    PinBump,
    /// Open a section in the migration document; the pin stays.
    MigrationStub,
}

impl ProposalKind {
    /// The name in files and JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::PinBump => "pin_bump",
            Self::MigrationStub => "migration_stub",
        }
    }
}

impl FromStr for ProposalKind {
    type Err = Invalid;
    fn from_str(text: &str) -> Result<Self, Invalid> {
        match text {
            "pin_bump" => Ok(Self::PinBump),
            "migration_stub" => Ok(Self::MigrationStub),
            _ => Err(Invalid::new("a kind of proposal", text)),
        }
    }
}

impl fmt::Display for ProposalKind {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(self.name())
    }
}

/// What the bot writes into a pull request's body for itself, so that it can find its own
/// proposals again without its database.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Marker {
    /// What the proposal is for.
    pub kind: ProposalKind,
    /// The version that it proposes.
    pub version: Version,
    /// The digest that it proposes.
    pub digest: IndexDigest,
    /// The commit that the bot pushed: another head means that a person worked on the branch.
    pub commit: CommitId,
    /// Whether a person asked for it.
    #[serde(default)]
    pub requested: bool,
    /// The pinned digest that a pin bump starts from: after another merge it has to be made anew.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<IndexDigest>,
    /// The digests that it proposes of companion images, where pin sites name them.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub companions: BTreeMap<ImageName, IndexDigest>,
    /// The tree with what only a person may edit: until the branch has it, it is a draft.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub whole: Option<TreeId>,
    /// Whether it is a draft of the bot's, which the downstream's own checks have to prove.
    #[serde(default, skip_serializing_if = "DraftMark::is_none")]
    pub draft: DraftMark,
    /// The fingerprint of the reason for which a draft says that it is held, if it says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held: Option<String>,
}

/// What a pull request's marker says of its being a draft.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DraftMark {
    /// The bot did not open it as one.
    #[default]
    None,
    /// It waits for its checks, or is held by them.
    Waits,
    /// It was one. Its evidence is complete, and it is to be marked as ready.
    Proved,
    /// The bot closed it: that is no person's no, and its branch is free.
    Spent,
}

impl DraftMark {
    /// Whether the bot did not open it as a draft.
    #[must_use]
    pub const fn is_none(&self) -> bool {
        matches!(self, Self::None)
    }
}

/// A file's new content in a draft.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileChange {
    /// The file.
    pub path: FilePath,
    /// Its whole new content.
    pub content: Vec<u8>,
    /// What changed, for a reader: one line for each site.
    pub notes: Vec<String>,
}

/// The complete content of a proposal. Applying it makes no choices.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// What it is for.
    pub kind: ProposalKind,
    /// The version that it proposes.
    pub version: Version,
    /// The branch to push.
    pub branch: BranchName,
    /// The branch to merge into.
    pub base: BranchName,
    /// The tree that the canary saw.
    pub tree: TreeId,
    /// The commit to push.
    pub commit: CommitId,
    /// The pull request's title.
    pub title: String,
    /// The pull request's body, marker included.
    pub body: String,
    /// The labels.
    pub labels: Vec<String>,
    /// Whether it is opened as a draft.
    pub draft: bool,
}
