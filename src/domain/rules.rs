//! The rules of a watch, as the config states them: what the decision depends on besides facts.

use super::{
    BranchPrefix, FilePath, ImageName, KnownIssues, NamedChecks, Platform, Version, WorkflowRule,
};
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

/// What happens when what is pinned has to be left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum ReversalPolicy {
    /// The alarm says how to ask for the way back.
    #[default]
    Ask,
    /// The way back is proposed.
    Open,
}

/// All rules of one watch.
#[derive(Debug, Clone)]
pub struct Rules {
    /// Which git tags are releases.
    pub tags: TagRule,
    /// What happens to a patch.
    pub patches: PatchPolicy,
    /// What happens when what is pinned has to be left.
    pub reversal: ReversalPolicy,
    /// The npm half of a release; `None` if a release has none.
    pub npm: Option<NpmRule>,
    /// The platforms that every release promises.
    pub platforms: Vec<Platform>,
    /// Who signs the image; `None` if signatures are not looked at.
    pub signature: Option<SignatureRule>,
    /// The document with upstream's contract, in its repository; `None` if it is not looked at.
    pub contract: Option<FilePath>,
    /// Further images that a release may have, under the same tags.
    pub companions: Vec<CompanionRule>,
    /// What an image means that cannot be shown to be built from the release's commit.
    pub revision: RevisionPolicy,
    /// What is known of the image's tags and no check can find out.
    pub known_issues: KnownIssues,
    /// How long after its publication a release may lack artifacts before it counts as torn.
    pub artifact_deadline: Duration,
    /// How old a release has to be before it is tried and proposed.
    pub minimum_release_age: Duration,
    /// How inconclusive answers are retried.
    pub retry: RetryRule,
    /// A text that stands for the canary's whole configuration; another text makes its results
    /// stale.
    pub canary: String,
    /// Whether a pin site that the bot edits lies below `.github/workflows`.
    pub workflow_sites: bool,
    /// The downstream's own checks that are the canary; `None` if the bot runs it itself.
    pub checks: Option<NamedChecks>,
    /// The downstream's workflow that the bot dispatches: as the canary, or, beside `checks`, for
    /// the files that belong to the draft. `None` if there is none.
    pub workflow: Option<WorkflowRule>,
    /// The files and folders of the downstream that the canary's result depends on; none: all.
    pub harness: Vec<FilePath>,
    /// What the names of the bot's branches begin with.
    pub branches: BranchPrefix,
    /// Where a MAJOR's stub goes; `None` if MAJORs are only reported.
    pub migration: Option<MigrationRule>,
    /// How long after a push CI has to start at the head of a pull request; `None` if nobody looks.
    pub ci_starts_within: Option<Duration>,
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

/// A further image that a release may have.
#[derive(Debug, Clone)]
pub struct CompanionRule {
    /// The image.
    pub image: ImageName,
    /// The platforms that it promises.
    pub platforms: Vec<Platform>,
    /// Who signs it; `None` if its signatures are not looked at.
    pub signature: Option<SignatureRule>,
    /// What is known of its tags and no check can find out.
    pub known_issues: KnownIssues,
}

/// Who signs an image (keyless, by Sigstore), and from when on.
#[derive(Debug, Clone)]
pub struct SignatureRule {
    /// Who may have signed: the URI in the signing certificate, without the git ref. Anchored.
    pub identity: IdentityPattern,
    /// The OIDC issuer that vouched for the signer, exactly.
    pub issuer: String,
    /// The identities that are expected, with their git ref; `{version}` stands for the release's.
    /// None if every ref will do.
    pub expected: Vec<String>,
    /// What an identity means that is allowed, but not expected.
    pub unexpected: UnexpectedRef,
    /// The first version that must be signed; all, if there is none.
    pub required_from: Option<Version>,
    /// How long after an image was first seen it may still lack its signature: signing follows the
    /// push.
    pub grace: Duration,
}

/// What a signature means whose git ref is not one of the expected ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum UnexpectedRef {
    /// The proposal tells the reviewer to look at it.
    Warn,
    /// The release is held.
    #[default]
    Deny,
}

/// What an image means whose revision label is absent, or names a commit that is neither the release's
/// nor younger. A younger one always holds the release: its tag was pushed again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum RevisionPolicy {
    /// The proposal tells the reviewer to look at it.
    #[default]
    Warn,
    /// The release is held.
    Deny,
}

/// A regular expression that a whole identity has to match. cosign's own flag is not anchored, so
/// the same text there also accepts `https://evil.example/?u=https://github.com/…`.
#[derive(Debug, Clone)]
pub struct IdentityPattern {
    source: String,
    regex: Regex,
}

impl IdentityPattern {
    /// Compiles `source`, anchored at both ends.
    ///
    /// # Errors
    /// If it is no regular expression of the crate `regex`.
    pub fn new(source: &str) -> Result<Self, regex::Error> {
        // On its own first: a lone `)` must not close the group.
        Regex::new(source)?;
        Ok(Self { source: source.to_owned(), regex: Regex::new(&format!(r"\A(?:{source})\z"))? })
    }

    /// Whether the whole of `identity` matches.
    #[must_use]
    pub fn matches(&self, identity: &str) -> bool {
        self.regex.is_match(identity)
    }

    /// The text that it was made from.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.source
    }
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
    /// Whether a stub is opened as a draft.
    pub draft: bool,
}

impl Rules {
    /// Whether `version` is a stable version: a pre-release is never proposed.
    #[must_use]
    pub fn is_stable(version: &Version) -> bool {
        version.pre.is_empty()
    }

    /// These rules as they are for a companion image: its own promises, what is known of it, and
    /// none of its own companions.
    #[must_use]
    pub fn for_companion(&self, companion: &CompanionRule) -> Self {
        Self {
            platforms: companion.platforms.clone(),
            signature: companion.signature.clone(),
            companions: Vec::new(),
            contract: None,
            known_issues: companion.known_issues.clone(),
            npm: None,
            ..self.clone()
        }
    }

    /// The rules of a watch whose config says as little as it can.
    ///
    /// # Panics
    /// Never: the pattern is one.
    #[cfg(test)]
    pub(crate) fn plain() -> Self {
        Self {
            tags: TagRule { pattern: Regex::new(r"^v(?P<version>.+)$").unwrap() },
            patches: PatchPolicy::default(),
            reversal: ReversalPolicy::default(),
            workflow_sites: false,
            npm: None,
            platforms: Vec::new(),
            signature: None,
            contract: None,
            companions: Vec::new(),
            revision: RevisionPolicy::default(),
            known_issues: KnownIssues::default(),
            artifact_deadline: Duration::from_hours(24),
            minimum_release_age: Duration::ZERO,
            retry: RetryRule { pauses: Vec::new() },
            canary: String::new(),
            checks: None,
            workflow: None,
            harness: Vec::new(),
            branches: BranchPrefix::default(),
            migration: None,
            ci_starts_within: None,
        }
    }
}
