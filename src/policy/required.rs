//! What must be true of a release before it is proposed: the whole policy, in one match.

use super::{alarms::tag_drift, canary, stream::release_of};
use crate::domain::{Check, Digest, Memory, PinFacts, ProposalKind, Rules, SiteState, Version};
use std::collections::BTreeSet;

/// The checks of `asked` that must have passed before a proposal of this kind is made.
///
/// A migration stub changes no running code: for it the canary's result is news for the reader,
/// not a gate. So is a platform that is lost, which by contract is a MAJOR.
pub fn required_checks(
    kind: ProposalKind,
    asked: &BTreeSet<Check>,
) -> impl Iterator<Item = Check> + use<'_> {
    let gates = move |check: &Check| match check {
        Check::Signature
        | Check::VersionLabel
        | Check::Revision
        | Check::TagStability
        | Check::Agreement
        | Check::KnownIssue => true,
        Check::Platforms | Check::Sites | Check::Canary => kind == ProposalKind::PinBump,
    };
    asked.iter().copied().filter(gates)
}

/// The checks that a watch with these rules asks at all.
#[must_use]
pub fn asked_checks(rules: &Rules) -> BTreeSet<Check> {
    let configured = |check: &Check| match check {
        Check::Signature => rules.signature.is_some(),
        Check::KnownIssue => !rules.known_issues.is_empty(),
        Check::Platforms
        | Check::VersionLabel
        | Check::Revision
        | Check::TagStability
        | Check::Agreement
        | Check::Sites
        | Check::Canary => true,
    };
    Check::ALL.into_iter().filter(configured).collect()
}

/// The checks that are asked of a companion image by its own rules: what the image itself can
/// answer. The agreement and the pin sites are the whole release's.
#[must_use]
pub fn companion_checks(rules: &Rules) -> BTreeSet<Check> {
    let own = |check: &Check| match check {
        Check::Signature
        | Check::Platforms
        | Check::VersionLabel
        | Check::Revision
        | Check::TagStability
        | Check::KnownIssue => true,
        Check::Agreement | Check::Sites | Check::Canary => false,
    };
    asked_checks(rules).into_iter().filter(own).collect()
}

/// What the answer to `check` about `version` depends on besides the digest. A finding with other
/// inputs is stale.
#[must_use]
pub fn inputs_of(
    check: Check,
    version: &Version,
    rules: &Rules,
    memory: &Memory,
    pinned: Option<&Digest>,
) -> String {
    let tag = || {
        let release = release_of(version, memory, &rules.tags);
        release.and_then(|release| memory.tag_commit(&release.tag))
    };
    match check {
        Check::Signature => {
            rules.signature.as_ref().map_or_else(String::new, |rule| short(&format!("{rule:?}")))
        }
        Check::Platforms => {
            rules.platforms.iter().map(|platform| platform.0.as_str()).collect::<Vec<_>>().join(",")
        }
        Check::VersionLabel => String::new(),
        Check::Revision => short(&format!("{:?} {:?}", rules.revision, tag())),
        Check::Agreement => {
            let npm = (memory.npm(version), memory.npm_drift(version).map(|(drift, _)| drift));
            short(&format!("{:?} {npm:?} {:?}", rules.npm, tag()))
        }
        Check::TagStability => {
            tag_drift(memory, version).map_or_else(String::new, |drift| short(&drift))
        }
        Check::KnownIssue => short(&format!("{:?}", rules.known_issues)),
        Check::Sites => short(&site_faults(memory.pin()).join("\n")),
        Check::Canary => {
            let companions = rules.companions.iter();
            let companions: Vec<&Digest> = companions
                .filter_map(|rule| memory.companion(&rule.image, version))
                .map(|image| image.digest.digest())
                .collect();
            // Another tree, and so another run.
            let withheld = rules.workflow_sites && !memory.may_edit_workflows();
            let steps = if withheld { "\nwithout workflow files" } else { "" };
            let steps = format!("{}{steps}", rules.canary);
            canary::inputs(version, &steps, &companions, memory, pinned)
        }
    }
}

/// A text of any length, as one that is short and differs where it does.
fn short(text: &str) -> String {
    Digest::of(text.as_bytes()).short().to_owned()
}

/// What stands in the way of an edit, one line for each site.
pub(super) fn site_faults(sites: Option<&PinFacts>) -> Vec<String> {
    let Some(facts) = sites else {
        return Vec::new();
    };
    facts
        .sites
        .iter()
        .filter_map(|reading| match &reading.state {
            SiteState::Faulty { why } => Some(format!("{}: {why}", reading.path)),
            SiteState::Spelled { .. } | SiteState::Absent => None,
        })
        .collect()
}
