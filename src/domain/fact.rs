//! Facts: what was read in the outside world. A fact says what was seen, never what it means.

use super::{
    Advisory, ChecksFacts, CiFacts, CommitId, ConflictFacts, ContractFacts, DashboardFacts,
    Descent, ImageFacts, ImageName, MirrorFacts, MirrorHunks, NpmDrift, NpmFacts, PinFacts,
    PinnedFacts, PullFacts, TagCommit, TagFacts, Timestamp, TreeId, Version, WorkflowFacts,
};
use serde::{Deserialize, Serialize};

/// One thing that was read, of whatever kind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "fact", rename_all = "snake_case")]
pub enum Fact {
    /// A release of the upstream repository.
    Release(ReleaseFacts),
    /// An image tag, resolved.
    Image(ImageFacts),
    /// An image tag that gave nothing to pin.
    NoImage {
        /// The version whose tag was asked for.
        version: Version,
        /// What was seen instead.
        look: Look,
        /// How many looks in a row found out nothing, this one included; 0 if it was told.
        #[serde(default)]
        attempts: usize,
        /// When the registry lets itself be asked again, if it named a time.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        limited_until: Option<Timestamp>,
    },
    /// Upstream's contract document at a git tag.
    Contract(ContractFacts),
    /// Where a git tag of the upstream is.
    TagCommit(TagCommit),
    /// How one commit of the upstream stands to another.
    Descent(Descent),
    /// What was read of a companion image: a fact of its own tags.
    Companion {
        /// The image.
        image: ImageName,
        /// What was read of it.
        #[serde(rename = "of_it")]
        fact: Box<Fact>,
    },
    /// What became of an image tag since it was first resolved.
    ImageTag(TagFacts),
    /// When the registry lets itself be asked again, met while tags were resolved again.
    RegistryLimit {
        /// The end of the limit.
        until: Timestamp,
    },
    /// A version of the npm package.
    Npm(NpmFacts),
    /// A version of the npm package that was published once and is there no longer.
    NpmWithdrawn {
        /// The version.
        version: Version,
    },
    /// A version of the npm package that is not what it was.
    NpmDrift(NpmDrift),
    /// The upstream's published security advisories.
    Advisories {
        /// All of them.
        list: Vec<Advisory>,
    },
    /// Whether npm could be asked at all.
    NpmTrouble {
        /// Why it could not, for a maintainer; `None` once it could again.
        why: Option<String>,
    },
    /// What the last pass could not read or do.
    Troubles {
        /// One line each; none if all went well.
        lines: Vec<String>,
    },
    /// The pin sites at the head of the downstream's base branch.
    Pin(PinFacts),
    /// What the registry serves under the pinned digest.
    Pinned(PinnedFacts),
    /// A pull request from one of the bot's branches.
    Pull(PullFacts),
    /// The downstream's own checks of a commit.
    Checks(ChecksFacts),
    /// Whether CI has started at the head of a pull request of the bot's.
    Ci(CiFacts),
    /// The run of a workflow that the bot dispatched.
    Workflow(WorkflowFacts),
    /// A pull request of the bot's that no machine can merge any more.
    Conflict(ConflictFacts),
    /// The downstream's copy of upstream's contract document.
    Mirror(MirrorFacts),
    /// Where that copy differs from the document.
    MirrorHunks(MirrorHunks),
    /// Whether the bot's token may edit files below `.github/workflows`.
    WorkflowFiles {
        /// It may.
        may_edit: bool,
        /// When GitHub said so.
        told: Timestamp,
    },
    /// The tree of a commit that a person put on a branch of the bot's.
    HeadTree {
        /// The commit.
        head: CommitId,
        /// Its tree.
        tree: TreeId,
    },
    /// The dashboard issue.
    Dashboard(DashboardFacts),
    /// How far the downstream's comments were read.
    Comments {
        /// What was written before is not heard: the bot was not there, or has forgotten what became
        /// of it.
        from: Timestamp,
        /// The latest change of a comment that was seen.
        until: Timestamp,
    },
    /// That this memory began, and what outlives the database was looked for.
    Recalled {
        /// Whether there was a memory before it, which is lost.
        lost: bool,
    },
}

/// A fact with the time at which it was first read so.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Observation {
    /// What was read.
    pub fact: Fact,
    /// When it was first read with this value.
    pub at: Timestamp,
}

/// What a fact is about. A later fact with the same key replaces an earlier one, whose row stays.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FactKey {
    /// What kind of thing it is about: `release`, `image`, `npm` and so on.
    pub aspect: &'static str,
    /// Which one: a git tag, a version, a digest, a pull request's number; empty where there is
    /// only one.
    pub subject: String,
}

impl Fact {
    /// Whether this is to take the place of what is known of the same subject.
    pub(super) fn is_news_to(&self, known: &Self) -> bool {
        match (self, known) {
            (Self::Pull(pull), Self::Pull(known)) => pull.is_news_to(known),
            _ => self != known,
        }
    }

    /// When the rate limit of the registry ends that was met in reading it.
    pub(super) fn registry_limit(&self) -> Option<Timestamp> {
        match self {
            Self::NoImage { limited_until, .. } => *limited_until,
            Self::RegistryLimit { until } => Some(*until),
            Self::Companion { fact, .. } => fact.registry_limit(),
            _ => None,
        }
    }

    /// What this fact is about.
    #[must_use]
    pub fn key(&self) -> FactKey {
        let (aspect, subject) = match self {
            Self::Release(release) => ("release", release.tag.clone()),
            Self::Image(ImageFacts { version, .. }) | Self::NoImage { version, .. } => {
                ("image", version.to_string())
            }
            Self::Contract(contract) => ("contract", contract.tag.clone()),
            Self::TagCommit(tag) => ("tag_commit", tag.tag.clone()),
            Self::Descent(known) => ("descent", format!("{}...{}", known.base, known.head)),
            Self::Companion { image, fact } => {
                let FactKey { aspect, subject } = fact.key();
                ("companion", format!("{image} {aspect} {subject}"))
            }
            Self::ImageTag(tag) => ("image_tag", tag.version.to_string()),
            Self::RegistryLimit { .. } => ("registry_limit", String::new()),
            Self::Npm(NpmFacts { version, .. }) | Self::NpmWithdrawn { version } => {
                ("npm", version.to_string())
            }
            Self::NpmDrift(drift) => ("npm_drift", drift.version.to_string()),
            Self::Advisories { .. } => ("advisories", String::new()),
            Self::NpmTrouble { .. } => ("npm", String::new()),
            Self::Troubles { .. } => ("troubles", String::new()),
            Self::Pin(_) => ("pin", String::new()),
            Self::Pinned(pinned) => ("pinned", pinned.digest.to_string()),
            Self::Pull(pull) => ("pull", pull.number.0.to_string()),
            Self::Checks(checks) => ("checks", checks.commit.to_string()),
            Self::Ci(ci) => ("ci", ci.commit.to_string()),
            Self::Workflow(workflow) => ("workflow", workflow.marker.clone()),
            Self::Conflict(conflict) => ("conflict", conflict.head.to_string()),
            Self::Mirror(_) => ("mirror", String::new()),
            Self::MirrorHunks(_) => ("mirror_hunks", String::new()),
            Self::WorkflowFiles { .. } => ("workflow_files", String::new()),
            Self::HeadTree { head, .. } => ("head_tree", head.to_string()),
            Self::Dashboard(_) => ("dashboard", String::new()),
            Self::Comments { .. } => ("comments", String::new()),
            Self::Recalled { .. } => ("recalled", String::new()),
        };
        FactKey { aspect, subject }
    }
}

/// A look at an artifact that brought nothing to pin.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "look", content = "why", rename_all = "snake_case")]
pub enum Look {
    /// There is no such tag or version.
    Absent,
    /// It could not be asked for, or the answer not be believed.
    Unavailable(String),
    /// There is something that can never be pinned.
    Unusable(String),
}

/// A GitHub release, as the list endpoint gives it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReleaseFacts {
    /// The git tag, as it is spelled there. Foreign text.
    pub tag: String,
    /// Not published yet; only seen with a token that may see it.
    pub draft: bool,
    /// Marked as a pre-release by a person.
    pub prerelease: bool,
    /// When it was published.
    pub published_at: Timestamp,
    /// The page that people read.
    pub url: String,
    /// The release notes in Markdown. Foreign text.
    pub notes: String,
    /// Whether upstream's list does not show it any more.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub withdrawn: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_look_that_was_recorded_before_there_were_limits_is_still_read() {
        let old = r#"{"fact":"no_image","version":"3.10.0","look":{"look":"unavailable","why":"status 503"},"attempts":2}"#;
        let fact: Fact = serde_json::from_str(old).unwrap();
        assert_eq!(serde_json::to_string(&fact).unwrap(), old);
    }
}
