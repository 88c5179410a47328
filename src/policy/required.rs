//! What must be true of a release before it is proposed: the whole policy, in one match.

use crate::domain::{Check, Digest, PinFacts, ProposalKind, Rules, SiteState};
use std::collections::BTreeSet;

/// The checks of `asked` that must have passed before a proposal of this kind is made.
///
/// A migration stub changes no running code: for it the canary's result is news for the reader,
/// not a gate. So is a platform that is lost, which by contract is a MAJOR.
pub fn required_checks(
    kind: ProposalKind,
    asked: &BTreeSet<Check>,
) -> impl Iterator<Item = Check> + use<'_> {
    let gates = move |check: &Check| match (check, kind) {
        (Check::Signature | Check::VersionLabel, _)
        | (Check::Platforms | Check::Sites | Check::Canary, ProposalKind::PinBump) => true,
        (Check::Platforms | Check::Sites | Check::Canary, ProposalKind::MigrationStub) => false,
    };
    asked.iter().copied().filter(gates)
}

/// The checks that a watch with these rules asks at all.
#[must_use]
pub fn asked_checks(rules: &Rules) -> BTreeSet<Check> {
    let configured = |check: &Check| match check {
        Check::Signature => rules.signature.is_some(),
        Check::Platforms | Check::VersionLabel | Check::Sites | Check::Canary => true,
    };
    Check::ALL.into_iter().filter(configured).collect()
}

/// What the answer to `check` depends on besides the digest. A finding with other inputs is stale.
#[must_use]
pub fn inputs_of(
    check: Check,
    rules: &Rules,
    sites: Option<&PinFacts>,
    pinned: Option<&Digest>,
) -> String {
    match check {
        Check::Signature => rules.signature.as_ref().map_or_else(String::new, |rule| {
            Digest::of(format!("{rule:?}").as_bytes()).short().to_owned()
        }),
        Check::Platforms => {
            rules.platforms.iter().map(|platform| platform.0.as_str()).collect::<Vec<_>>().join(",")
        }
        Check::VersionLabel => String::new(),
        Check::Sites => Digest::of(site_faults(sites).join("\n").as_bytes()).short().to_owned(),
        Check::Canary => {
            let pinned = pinned.map_or("no pin", Digest::short);
            format!("{} on {pinned}", Digest::of(rules.canary.as_bytes()).short())
        }
    }
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
