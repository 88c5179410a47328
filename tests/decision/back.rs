//! The way back, where what is pinned has to be left and the config wants it proposed.

use crate::case::{
    NOW, PASSING, candidate, minutes_ago, proposal, request, snapshot, version, with_evidence,
};
use digest_bump::domain::{Bump, Order, Ordered, PatchPolicy, ProposalKind, PullState, RequestId};
use digest_bump::policy::{Intent, Proposal, Snapshot, decide};

/// A watch whose pinned 3.9.3 was withdrawn, with two older releases to go back to.
fn withdrawn() -> Snapshot {
    let mut watch = snapshot(PatchPolicy::Offer);
    watch.retreat = Some("upstream withdrew the pinned release 3.9.3".to_owned());
    watch.reverses = true;
    let older = ["3.9.2", "3.9.1"].map(|text| candidate(text, Bump::None));
    watch.candidates = older.map(|release| with_evidence(release, &PASSING)).into();
    watch
}

/// The pull requests that are to move the pin, and those that are to be closed.
fn due(watch: &Snapshot) -> Vec<String> {
    let told = decide(watch, NOW).due.into_iter().filter_map(|intent| match intent {
        Intent::Propose { kind: ProposalKind::PinBump, version, requested, .. } => {
            Some(format!("propose {version}{}", if requested { ", asked for" } else { "" }))
        }
        Intent::Close { pull, .. } => Some(format!("close {pull}")),
        _ => None,
    });
    told.collect()
}

fn ignoring(releases: &[&str]) -> Vec<Order> {
    let orders = releases.iter().zip(10..).map(|(text, id)| Order {
        id: RequestId(id),
        ordered: Ordered::IgnoreRelease(version(text)),
        actor: "ada".to_owned(),
        at: minutes_ago(20),
    });
    orders.collect()
}

#[test]
fn what_is_ignored_is_passed_over_and_what_was_declined_ends_the_way() {
    for (releases, expected) in [
        (&[""; 0][..], &["propose 3.9.2"][..]),
        (&["3.9.1"], &["propose 3.9.2"]),
        (&["3.9.2"], &["propose 3.9.1"]),
        (&["3.9.2", "3.9.1"], &[]),
    ] {
        let mut watch = withdrawn();
        watch.orders = ignoring(releases);
        assert_eq!(due(&watch), expected, "{releases:?}");
        // One that is open goes, and is not opened again: its release is no way back any more.
        let back = proposal(ProposalKind::PinBump, &version("3.9.2"), 12);
        watch.proposals.push(back.clone());
        let closed = if releases.contains(&"3.9.2") { &["close #12"][..] } else { &[] };
        assert_eq!(due(&watch), closed, "{releases:?}");
        // Whoever closes it by hand stays where the pin is.
        watch.proposals = vec![Proposal { state: PullState::Closed, ..back }];
        assert_eq!(due(&watch), [""; 0], "{releases:?}");
    }
}

#[test]
fn a_wish_that_waits_does_not_hold_the_way_back_up() {
    let waits = ["unavailable", "there", "early", "none", "never"];
    let untried = ["there", "there", "early", "passed", "never"];
    for (text, bump, evidence, expected) in [
        // A MAJOR before its migration, and a patch whose image cannot be asked for.
        ("4.0.0", Bump::Major, PASSING, &["propose 3.9.2"][..]),
        ("3.9.4", Bump::Patch, waits, &["propose 3.9.2"]),
        // What is worked on leads away from the pin as well, and is waited for.
        ("3.9.4", Bump::Patch, untried, &[]),
        ("3.9.4", Bump::Patch, PASSING, &["propose 3.9.4, asked for"]),
    ] {
        let mut watch = withdrawn();
        watch.candidates.insert(0, with_evidence(candidate(text, bump), &evidence));
        watch.requests = vec![request(&version(text), false)];
        assert_eq!(due(&watch), expected, "{text} {evidence:?}");
    }
}
