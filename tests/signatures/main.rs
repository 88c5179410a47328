//! Signatures: genuine ones, and those that look like it. Each case says what has to come of it.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panic")]

mod case;
mod forgeries;
mod identities;
mod judge;
mod mixed;
mod places;
mod seeds;

use digest_bump::domain::{
    KnownIssues, PatchPolicy, Platform, RetryRule, RevisionPolicy, Rules, TagRule,
};
use std::time::Duration;

/// Rules in which nothing matters but the signature.
pub(crate) fn rules() -> Rules {
    Rules {
        reversal: digest_bump::domain::ReversalPolicy::Ask,
        workflow_sites: false,
        tags: TagRule { pattern: regex::Regex::new("^v(?P<version>.+)$").unwrap() },
        patches: PatchPolicy::Offer,
        npm: None,
        platforms: vec![Platform("linux/amd64".to_owned())],
        signature: None,
        companions: Vec::new(),
        contract: None,
        revision: RevisionPolicy::Warn,
        known_issues: KnownIssues::default(),
        artifact_deadline: Duration::from_hours(2),
        minimum_release_age: Duration::ZERO,
        retry: RetryRule { pauses: Vec::new() },
        canary: String::new(),
        checks: None,
        workflow: None,
        harness: Vec::new(),
        branches: digest_bump::domain::BranchPrefix::default(),
        migration: None,
        ci_starts_within: None,
    }
}
