//! The canary at the pinned digest: what a failure is compared with, and what makes a patch a
//! rescue.

use crate::case::{
    NOW, PASSING, answer, candidate, minutes_ago, proposal, request, running, snapshot, version,
    with_evidence,
};
use digest_bump::domain::{Bump, PatchPolicy, ProposalKind, Verdict};
use digest_bump::policy::{Answer, Baseline, Intent, Running, Snapshot, Stage, decide};

const FAILING: [&str; 5] = ["there", "there", "early", "passed", "failed"];

fn baseline(answer: Option<Answer>, running: Option<Running>) -> Baseline {
    Baseline { answer, running }
}

fn watch(bump: Bump, text: &str, evidence: &[&str], baseline: Baseline) -> Snapshot {
    let mut snapshot = snapshot(PatchPolicy::Offer);
    snapshot.candidates.push(with_evidence(candidate(text, bump), evidence));
    snapshot.baseline = baseline;
    snapshot
}

/// The stage of the only release, for a reader, and what is due.
fn told(snapshot: &Snapshot) -> (String, Vec<Intent>) {
    let decision = decide(snapshot, NOW);
    let stage = match &decision.stages[0].1 {
        Stage::Held { reasons } => format!("held: {}", reasons.join("; ")),
        Stage::Waiting { why, .. } => format!("waiting: {why}"),
        Stage::CanaryRunning { .. } => "running".to_owned(),
        Stage::Checking => "checking".to_owned(),
        Stage::Offered => "offered".to_owned(),
        other => format!("{other:?}"),
    };
    (stage, decision.due)
}

#[test]
fn a_failure_is_compared_with_the_pinned_release_before_anybody_is_blamed() {
    let at_pin =
        |answer, running| told(&watch(Bump::Minor, "3.10.0", &FAILING, baseline(answer, running)));
    let start = vec![Intent::StartCanary(version("3.9.3"))];
    assert_eq!(at_pin(None, None), ("checking".to_owned(), start.clone()));
    assert_eq!(at_pin(None, Some(running(-1))), ("running".to_owned(), Vec::new()));

    let held = |answer: Answer| {
        let (stage, due) = at_pin(Some(answer), None);
        assert_eq!(due, Vec::new());
        stage
    };
    insta::assert_snapshot!(held(answer(Verdict::Passed, 0, 20)), @"held: failed, 0; it passes at the pinned 3.9.3");
    insta::assert_snapshot!(held(answer(Verdict::Failed, 0, 20)), @"held: broken before: the canary fails at the pinned 3.9.3 as well, so the release is not to blame; there: failed, 0; here: failed, 0");
    insta::assert_snapshot!(held(answer(Verdict::Inconclusive, 1, 5)), @"waiting: failed, 0; at the pinned 3.9.3 attempt 1 was inconclusive: inconclusive, 1");
    insta::assert_snapshot!(held(answer(Verdict::Inconclusive, 3, 300)), @"held: failed, 0; whether it passes at the pinned 3.9.3 could not be found out in 3 attempts: inconclusive, 3");
    // Its pause is over.
    let again = at_pin(Some(answer(Verdict::Inconclusive, 1, 11)), None);
    assert_eq!(again, ("checking".to_owned(), start));
}

#[test]
fn an_older_release_that_passes_is_proposed_whatever_the_pinned_one_does() {
    for verdict in [Verdict::Passed, Verdict::Failed] {
        let known = baseline(Some(answer(verdict, 0, 20)), None);
        let mut snapshot = watch(Bump::Minor, "3.11.0", &FAILING, known);
        snapshot.candidates.push(with_evidence(candidate("3.10.0", Bump::Minor), &PASSING));
        let due = decide(&snapshot, NOW).due;
        let proposed = due.iter().filter_map(|intent| match intent {
            Intent::Propose { version, .. } => Some(version.to_string()),
            _ => None,
        });
        assert_eq!(proposed.collect::<Vec<_>>(), ["3.10.0"], "{verdict}");
    }
}

#[test]
fn a_patch_that_mends_what_is_broken_at_the_pin_is_proposed_unasked() {
    let patch = |known| told(&watch(Bump::Patch, "3.9.4", &PASSING, known));
    // It is found out once whether there is something to mend; the patch is offered meanwhile.
    let start = vec![Intent::StartCanary(version("3.9.3"))];
    assert_eq!(patch(baseline(None, None)), ("offered".to_owned(), start));
    let waits = [
        baseline(None, Some(running(-1))),
        baseline(Some(answer(Verdict::Passed, 0, 20)), None),
        baseline(Some(answer(Verdict::Inconclusive, 1, 5)), None),
        baseline(Some(answer(Verdict::Inconclusive, 3, 300)), None),
    ];
    for known in waits {
        assert_eq!(patch(known), ("offered".to_owned(), Vec::new()));
    }
    let (_, due) = patch(baseline(Some(answer(Verdict::Failed, 0, 20)), None));
    let propose = Intent::Propose {
        kind: ProposalKind::PinBump,
        version: version("3.9.4"),
        over: None,
        requested: false,
    };
    assert_eq!(due, [propose]);
}

#[test]
fn a_rescue_stays_proposed_while_the_pin_is_looked_at_again() {
    let mut snapshot = watch(Bump::Patch, "3.9.4", &PASSING, baseline(None, Some(running(-1))));
    snapshot.proposals.push(proposal(ProposalKind::PinBump, &version("3.9.4"), 12));
    let decision = decide(&snapshot, NOW);
    assert_eq!(decision.due, []);
    assert!(matches!(decision.stages[0].1, Stage::Proposed { .. }), "{:?}", decision.stages);
}

#[test]
fn nothing_is_compared_for_a_patch_that_nobody_may_have() {
    for policy in [PatchPolicy::Skip, PatchPolicy::Propose] {
        let mut snapshot = watch(Bump::Patch, "3.9.4", &PASSING, baseline(None, None));
        snapshot.patches = policy;
        let due = decide(&snapshot, NOW).due;
        assert!(!due.contains(&Intent::StartCanary(version("3.9.3"))), "{policy:?}: {due:?}");
    }
}

#[test]
fn the_comparison_wakes_the_loop() {
    let known = baseline(None, Some(running(-1)));
    let wake = decide(&watch(Bump::Minor, "3.10.0", &FAILING, known), NOW).wake;
    assert_eq!(wake, Some(minutes_ago(-1)));
}

#[test]
fn a_wish_for_what_was_broken_before_says_so() {
    let known = baseline(Some(answer(Verdict::Failed, 0, 20)), None);
    let mut snapshot = watch(Bump::Minor, "3.10.0", &FAILING, known);
    snapshot.requests.push(request(&version("3.10.0"), false));
    let [Intent::Answer { granted: false, answer, .. }] = &decide(&snapshot, NOW).due[..] else {
        panic!("{:?}", decide(&snapshot, NOW).due)
    };
    assert!(answer.starts_with("broken before: "), "{answer}");
}
