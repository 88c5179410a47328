//! Companion images: what they ask for, and what they keep from happening.

use crate::case::{
    NOW, PASSING, answer, broken, candidate, digest, minutes_ago, snapshot, version, with_evidence,
};
use crate::pulls::pull;
use digest_bump::domain::{
    Bump, Check, Digest, Fact, ImageName, IndexDigest, Look, Memory, PatchPolicy, Platform,
    ProposalKind, PullState, Verdict,
};
use digest_bump::policy::{Candidate, Companion, Intent, Snapshot, Stage, decide, moved_under};
use std::collections::{BTreeMap, BTreeSet};

fn sidecar() -> ImageName {
    "ghcr.io/o/sidecar".parse().unwrap()
}

/// The sidecar of a release, of which nothing was asked yet.
fn companion(of: &str, lost: &[&str]) -> Companion {
    Companion {
        image: sidecar(),
        version: version(of),
        needed: true,
        asked: BTreeSet::from([Check::Signature, Check::Platforms, Check::TagStability]),
        lost: lost.iter().map(|name| Platform((*name).to_owned())).collect(),
        digest: Some(digest(&version(of))),
        look: None,
        unavailable: None,
        answers: BTreeMap::new(),
    }
}

/// A release all of whose own evidence is there, with this sidecar.
fn with(candidate: Candidate, companion: Companion) -> Candidate {
    Candidate { companions: vec![companion], ..with_evidence(candidate, &PASSING) }
}

fn watch(candidates: Vec<Candidate>) -> Snapshot {
    Snapshot { candidates, ..snapshot(PatchPolicy::Offer) }
}

/// The checks of the sidecar that are due.
fn asked(snapshot: &Snapshot) -> Vec<Check> {
    let due = decide(snapshot, NOW).due.into_iter();
    due.map(|intent| match intent {
        Intent::Companion(image, inner) if image == sidecar() => match *inner {
            Intent::Check { check, .. } => check,
            other => panic!("{other:?}"),
        },
        other => panic!("{other:?}"),
    })
    .collect()
}

#[test]
fn a_stub_asks_only_the_companion_that_makes_it_one_and_not_for_its_platforms() {
    let minor = with(candidate("3.10.0", Bump::Minor), companion("3.10.0", &[]));
    assert_eq!(
        asked(&watch(vec![minor])),
        [Check::Signature, Check::Platforms, Check::TagStability]
    );
    let major = |lost: &[&str]| {
        let own = companion("3.10.0", lost);
        watch(vec![with(broken(candidate("3.10.0", Bump::Minor), &["3.10.0"]), own)])
    };
    assert_eq!(asked(&major(&["linux/arm64"])), [Check::Signature, Check::TagStability]);
    let stub = Intent::Propose {
        kind: ProposalKind::MigrationStub,
        version: version("3.10.0"),
        over: None,
        requested: false,
    };
    assert_eq!(decide(&major(&[]), NOW).due, [stub]);
}

#[test]
fn what_fails_of_the_companion_holds_the_stub_that_it_makes() {
    let mut own = companion("3.10.0", &["linux/arm64"]);
    for (check, verdict) in [
        (Check::Signature, Verdict::Passed),
        (Check::Platforms, Verdict::Failed),
        (Check::TagStability, Verdict::Failed),
    ] {
        own.answers.insert(check, answer(verdict, 0, 20));
    }
    let major = with(broken(candidate("3.10.0", Bump::Minor), &["3.10.0"]), own.clone());
    let decision = decide(&watch(vec![major]), NOW);
    let held = Stage::Held { reasons: vec!["sidecar: failed, 0".to_owned()] };
    assert_eq!((decision.stages, decision.due), (vec![(version("3.10.0"), held)], vec![]));
}

#[test]
fn a_later_release_takes_a_loss_back_only_once_its_own_companion_is_known() {
    let stage = |newer: Companion| {
        let lost = companion("3.10.0", &["linux/arm64"]);
        let older = with(broken(candidate("3.10.0", Bump::Minor), &["3.10.0"]), lost);
        let newer = with(candidate("3.11.0", Bump::Minor), newer);
        let stages = decide(&watch(vec![newer, older]), NOW).stages;
        stages.into_iter().find(|(of, _)| *of == version("3.10.0")).unwrap().1
    };
    let known = companion("3.11.0", &[]);
    let unknown = || Companion { digest: None, ..companion("3.11.0", &[]) };
    let mended = Stage::Skipped { why: "3.11.0 is newer, and takes that back".to_owned() };
    assert_ne!(stage(unknown()), mended);
    assert_eq!(stage(known), mended);
    // One that it does not have changes no pin.
    assert_eq!(stage(Companion { look: Some(Look::Absent), ..unknown() }), mended);
    assert_eq!(stage(Companion { needed: false, ..unknown() }), mended);
}

#[test]
fn a_pull_request_tells_which_of_its_images_moved() {
    let other = |name: &str| Digest::of(name.as_bytes());
    let (of, theirs) = (version("3.10.0"), IndexDigest::new(other("theirs")));
    let mut open = pull(7, "digest-bump/connector", PullState::Open);
    let marker = open.marker.as_mut().unwrap();
    marker.companions.insert(sidecar(), theirs.clone());
    let mut memory = Memory::default();
    memory.observe(Fact::Pull(open.clone()), minutes_ago(60));
    memory.observe_image_tag(&of, Some(digest(&of).digest()), minutes_ago(50));
    memory.observe_companion_tag(&sidecar(), &of, Some(theirs.digest()), minutes_ago(50));
    assert_eq!(moved_under(&memory, &open), []);

    // A tag of another image is none of theirs.
    let another: ImageName = "ghcr.io/o/side".parse().unwrap();
    memory.observe_companion_tag(&another, &of, Some(&other("a")), minutes_ago(40));
    memory.observe_companion_tag(&another, &of, Some(&other("b")), minutes_ago(30));
    assert_eq!(moved_under(&memory, &open), []);

    memory.observe_companion_tag(&sidecar(), &of, None, minutes_ago(20));
    let moved = moved_under(&memory, &open);
    assert_eq!(moved.len(), 1, "{moved:?}");
    assert_eq!(moved[0].proposed, theirs);
    assert!(moved[0].story.starts_with("sidecar: the tag 3.10.0 was taken away: "), "{moved:?}");

    memory.observe_image_tag(&of, Some(&other("a")), minutes_ago(10));
    let proposed: Vec<IndexDigest> =
        moved_under(&memory, &open).into_iter().map(|moved| moved.proposed).collect();
    assert_eq!(proposed, [digest(&of), theirs]);
}
