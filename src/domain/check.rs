//! Checks and what they found.

use super::{Digest, IndexDigest, SignatureOutcome, Timestamp, Version};
use serde::{Deserialize, Serialize};
use std::fmt;

/// A named question about a candidate. A closed list: a new check does not compile until the
/// policy, the verifier and the texts know it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Check {
    /// Did the producer's own workflow sign the index?
    Signature,
    /// Is every promised platform in the index?
    Platforms,
    /// Does each platform's version label name the tag?
    VersionLabel,
    /// Was the image built from the release's commit?
    Revision,
    /// Does the tag still give what it was first resolved to?
    TagStability,
    /// Are git tag, release, npm version and image one release?
    Agreement,
    /// Is the tag not known to hold something else?
    KnownIssue,
    /// Can every required pin site of the downstream be edited?
    Sites,
    /// Does the downstream's contract canary pass at the digest?
    Canary,
}

impl Check {
    /// All checks, in the order in which people read them.
    pub const ALL: [Self; 9] = [
        Self::Signature,
        Self::Platforms,
        Self::VersionLabel,
        Self::Revision,
        Self::Agreement,
        Self::KnownIssue,
        Self::TagStability,
        Self::Sites,
        Self::Canary,
    ];

    /// The name in files, tables and JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Signature => "signature",
            Self::Platforms => "platforms",
            Self::VersionLabel => "version_label",
            Self::Revision => "revision",
            Self::TagStability => "tag_stability",
            Self::Agreement => "agreement",
            Self::KnownIssue => "known_issue",
            Self::Sites => "sites",
            Self::Canary => "canary",
        }
    }

    /// What was found in two or three words, for a line of marks.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Signature => "signature",
            Self::Platforms => "platforms",
            Self::VersionLabel => "version label",
            Self::Revision => "source commit",
            Self::TagStability => "tag unmoved",
            Self::Agreement => "tag, package and image agree",
            Self::KnownIssue => "no known issue",
            Self::Sites => "pin sites",
            Self::Canary => "canary",
        }
    }

    /// What the check asks, for a reader who meets it for the first time.
    #[must_use]
    pub const fn question(self) -> &'static str {
        match self {
            Self::Signature => "the producer's own workflow signed it",
            Self::Platforms => "every promised platform is in the index",
            Self::VersionLabel => "each platform's version label names this release",
            Self::Revision => "the image was built from the release's commit",
            Self::TagStability => "the tag still gives what it first gave",
            Self::Agreement => "git tag, release, package and image are one release",
            Self::KnownIssue => "the tag is not known to hold something else",
            Self::Sites => "every required pin site can be edited",
            Self::Canary => "the contract canary passes at this digest",
        }
    }
}

impl fmt::Display for Check {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(self.name())
    }
}

/// The answer to a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Yes.
    Passed,
    /// No.
    Failed,
    /// It could not be found out. Never a pass and never a rejection.
    Inconclusive,
}

impl Verdict {
    /// The name in files, tables and JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed => "failed",
            Self::Inconclusive => "inconclusive",
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(self.name())
    }
}

/// One answer to one check about one digest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// The question.
    pub check: Check,
    /// The answer.
    pub verdict: Verdict,
    /// The release that was judged.
    pub version: Version,
    /// The digest that was judged.
    pub subject: IndexDigest,
    /// What else the answer depended on, as a short text; another text makes the finding stale.
    pub inputs: String,
    /// One line that a maintainer reads: what was seen.
    pub summary: String,
    /// What else there is to tell.
    pub detail: Detail,
    /// When the answer was found.
    pub at: Timestamp,
}

impl Finding {
    /// What was found out about the signature, if this is about it.
    #[must_use]
    pub fn signature_outcome(&self) -> Option<SignatureOutcome> {
        let name = self.detail.outcome.as_deref()?;
        let mut all = SignatureOutcome::ALL.into_iter().filter(|_| self.check == Check::Signature);
        all.find(|outcome| outcome.name() == name)
    }
}

/// What a finding tells besides its verdict and its one line.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Detail {
    /// The check's own name for the outcome, where people act differently on answers with the same
    /// verdict.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outcome: Option<String>,
    /// It is too early to tell. The question is asked again after the usual pauses, at this time
    /// at the latest; until then the answer is no failure and no spent attempt.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub too_early_until: Option<Timestamp>,
    /// The world can still make it good: even once it has failed, or was asked in vain in all
    /// attempts, the question is asked again after each longest pause.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub may_change: bool,
    /// When what was found to be signed was signed, by the log's clock or a timestamp authority's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signed_at: Option<Timestamp>,
    /// What a reviewer should look at although the check passed, one sentence fragment each.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub points: Vec<String>,
    /// The documents that the answer rests on. Their bytes are kept.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub judged: Vec<Judged>,
}

/// A document that an answer rests on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Judged {
    /// What it was to the check: `index`, `signature`, `trusted root`.
    pub role: String,
    /// sha256 over its bytes.
    pub digest: Digest,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_glossary_has_all_names_of_each_check() {
        let glossary = include_str!("../../docs/glossary.md");
        for check in Check::ALL {
            let (name, label, question) = (check.name(), check.label(), check.question());
            let row = format!("| `{name}` | {label} | {question} |");
            assert!(glossary.lines().any(|line| line == row), "no line `{row}`");
        }
    }
}
