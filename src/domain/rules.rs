//! The rules of a watch, as the config states them: what the decision depends on besides facts.

use super::{FilePath, Platform, Version};
use regex::Regex;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// What happens to a patch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum PatchPolicy {
    /// It is listed, nothing more.
    Skip,
    /// It is checked and canaried like a MINOR, then waits for a request.
    #[default]
    Offer,
    /// It is proposed like a MINOR.
    Propose,
}

/// All rules of one watch.
#[derive(Debug, Clone)]
pub struct Rules {
    /// Which git tags are releases.
    pub tags: TagRule,
    /// What happens to a patch.
    pub patches: PatchPolicy,
    /// The npm half of a release; `None` if a release has none.
    pub npm: Option<NpmRule>,
    /// The platforms that every release promises.
    pub platforms: Vec<Platform>,
    /// How long after its publication a release may lack artifacts before it counts as torn.
    pub artifact_deadline: Duration,
    /// How inconclusive answers are retried.
    pub retry: RetryRule,
    /// A text that stands for the canary's whole configuration; another text makes its results
    /// stale.
    pub canary: String,
    /// Where a MAJOR's stub goes; `None` if MAJORs are only reported.
    pub migration: Option<MigrationRule>,
}

/// Which git tags are releases of this stream.
#[derive(Debug, Clone)]
pub struct TagRule {
    /// Has one group, `version`, that must be strict semver.
    pub pattern: Regex,
}

/// The npm half of a release.
#[derive(Debug, Clone)]
pub struct NpmRule {
    /// The package's name.
    pub package: String,
    /// The guard on what the package is: a JSON pointer into the version's entry of the packument,
    /// and the pattern that the text there must match.
    pub guard: Option<(String, Regex)>,
}

/// How inconclusive answers are retried.
#[derive(Debug, Clone)]
pub struct RetryRule {
    /// The pause after each inconclusive answer; one more after the last pause holds the candidate.
    pub pauses: Vec<Duration>,
}

/// Where a MAJOR's stub goes.
#[derive(Debug, Clone)]
pub struct MigrationRule {
    /// The migration document.
    pub path: FilePath,
}

impl Rules {
    /// Whether `version` is a stable version: a pre-release is never proposed.
    #[must_use]
    pub fn is_stable(version: &Version) -> bool {
        version.pre.is_empty()
    }
}
