//! The draft on which the downstream's own checks prove a release.

use crate::case::{
    NOW, PASSING, answer, candidate, faults, minutes_ago, proposal, request, running, snapshot,
    version, with_evidence, word_of,
};
use digest_bump::domain::{
    Bump, CheckSeen, CheckState, Digest, PatchPolicy, ProposalKind, Request, Verdict, Wish,
};
use digest_bump::policy::{
    Answer, Baseline, Carrier, Checks, Intent, Proposal, Readiness, Running, Snapshot, Stage,
    decide,
};

const FAILING: [&str; 5] = ["there", "there", "early", "passed", "failed"];
const UNTRIED: [&str; 5] = ["there", "there", "early", "passed", "none"];

fn draft(of: &str, pull: u64) -> Proposal {
    Proposal {
        readiness: Readiness::Draft { held: None },
        ..proposal(ProposalKind::PinBump, &version(of), pull)
    }
}

fn ready(of: &str, pull: u64) -> Proposal {
    proposal(ProposalKind::PinBump, &version(of), pull)
}

/// A watch whose MINORs have this evidence, the newest first, and that has these pull requests.
fn watch(minors: &[(&str, [&str; 5])], proposals: &[Proposal]) -> Snapshot {
    let mut snapshot = snapshot(PatchPolicy::Offer);
    snapshot.by_checks = true;
    let known =
        minors.iter().map(|(text, evidence)| with_evidence(candidate(text, Bump::Minor), evidence));
    snapshot.candidates.extend(known);
    snapshot.proposals.extend(proposals.iter().cloned());
    snapshot
}

fn checks(state: CheckState, of_base: bool) -> Checks {
    let carrier = if of_base { Carrier::Base } else { Carrier::Draft };
    let (name, title, url) = ("contract".to_owned(), String::new(), String::new());
    Checks { seen: vec![CheckSeen { name, state, title, url, took: 0 }], carrier, wanted: true }
}

/// What is due, in short words.
fn due(snapshot: &Snapshot) -> Vec<String> {
    let decision = decide(snapshot, NOW);
    assert_eq!(faults(snapshot, &decision).len(), 0, "{:?}", faults(snapshot, &decision));
    let told = decision.due.iter().map(|intent| match intent {
        Intent::StartCanary(version) => format!("start {version}"),
        Intent::Propose { version, over, .. } => {
            let over = over.map_or(String::new(), |pull| format!(" over {pull}"));
            format!("propose {version}{over}")
        }
        Intent::Close { pull, why } => format!("close {pull}: {why}"),
        Intent::Hold { pull, why, offered } => {
            let verb = if *offered { "offer" } else { "hold" };
            format!("{verb} {pull}: {why}")
        }
        Intent::Conclude(run) => format!("conclude {run}"),
        other => format!("{other:?}"),
    });
    told.collect()
}

#[test]
fn a_draft_is_no_proposal_until_its_evidence_is_complete() {
    let untried = watch(&[("3.10.0", UNTRIED)], &[]);
    assert_eq!(due(&untried), ["start 3.10.0"]);
    let waits = watch(&[("3.10.0", UNTRIED)], &[draft("3.10.0", 12)]);
    assert_eq!(due(&waits), ["start 3.10.0"]);
    let proved = watch(&[("3.10.0", PASSING)], &[draft("3.10.0", 12)]);
    assert_eq!(due(&proved), ["propose 3.10.0 over #12"]);
}

#[test]
fn the_ready_one_takes_over_what_the_draft_proved_which_is_then_closed() {
    let both = [ready("3.10.0", 12), draft("3.11.0", 13)];
    let known = [("3.11.0", PASSING), ("3.10.0", PASSING)];
    assert_eq!(due(&watch(&known, &both)), ["propose 3.11.0 over #12"]);
    let after = [ready("3.11.0", 12), draft("3.11.0", 13)];
    assert_eq!(due(&watch(&known, &after)), ["close #13: pull request #12 proposes 3.11.0"]);
    // While the newer one is tried, the ready one is left alone.
    let trying = [("3.11.0", UNTRIED), ("3.10.0", PASSING)];
    assert_eq!(due(&watch(&trying, &both)), ["start 3.11.0"]);
}

#[test]
fn a_ready_one_that_is_to_be_made_anew_is_proved_on_a_draft() {
    let conflicts = Proposal { settled: false, ..ready("3.10.0", 12) };
    let both = [conflicts.clone(), draft("3.10.0", 13)];
    assert_eq!(due(&watch(&[("3.10.0", UNTRIED)], &[conflicts])), ["start 3.10.0"]);
    let mut trying = watch(&[("3.10.0", UNTRIED)], &both);
    let under_way = Some(checks(CheckState::UnderWay, false));
    trying.candidates[0].running = Some(Running { checks: under_way, ..running(-60) });
    assert_eq!(due(&trying), [""; 0]);
    assert_eq!(due(&watch(&[("3.10.0", PASSING)], &both)), ["propose 3.10.0 over #12"]);
    let closed = ["close #13: pull request #12 proposes 3.10.0"];
    let after = [ready("3.10.0", 12), draft("3.10.0", 13)];
    assert_eq!(due(&watch(&[("3.10.0", PASSING)], &after)), closed);
    assert_eq!(due(&watch(&[("3.10.0", FAILING)], &both)), closed);
}

#[test]
fn a_wish_that_a_ready_one_is_made_anew_is_not_met_by_its_draft() {
    let asked = Request { wish: Wish::Rebase, ..request(&version("3.10.0"), false) };
    let old = Proposal { settled: false, ..ready("3.10.0", 12) };
    let fresh = Proposal { remade_at: Some(minutes_ago(5)), ..draft("3.10.0", 13) };
    let mut watch = watch(&[("3.10.0", PASSING)], &[old, fresh]);
    watch.requests = vec![asked];
    assert_eq!(due(&watch), ["propose 3.10.0 over #12"]);
}

#[test]
fn a_draft_that_is_held_says_why_once() {
    let known = [("3.10.0", FAILING)];
    let why = "failed, 0; it passes at the pinned 3.9.3";
    assert_eq!(due(&watch(&known, &[draft("3.10.0", 12)])), [format!("hold #12: {why}")]);
    let held = Some(Digest::of(why.as_bytes()).short().to_owned());
    let told = Proposal { readiness: Readiness::Draft { held }, ..draft("3.10.0", 12) };
    assert_eq!(due(&watch(&known, &[told])), [""; 0]);
}

#[test]
fn a_draft_with_nothing_left_to_prove_is_closed() {
    let pinned = watch(&[], &[draft("3.9.3", 12)]);
    assert_eq!(due(&pinned), ["close #12: the pin is at 3.9.3 already"]);
    let mut local = watch(&[("3.10.0", FAILING)], &[draft("3.10.0", 12)]);
    local.by_checks = false;
    let why = "the downstream's own checks are not the canary any more";
    assert_eq!(due(&local), [format!("close #12: {why}")]);
    let mut covered = watch(&[("3.10.0", PASSING)], &[draft("3.9.4", 12)]);
    let patch = with_evidence(candidate("3.9.4", Bump::Patch), &PASSING);
    covered.candidates.push(patch);
    // It is used for what covers it.
    assert_eq!(due(&covered), ["propose 3.10.0 over #12"]);
}

#[test]
fn nobodys_work_on_a_draft_is_overwritten() {
    let theirs = Proposal { ours: false, ..draft("3.10.0", 12) };
    for evidence in [UNTRIED, PASSING, FAILING] {
        let snapshot = watch(&[("3.10.0", evidence)], std::slice::from_ref(&theirs));
        assert_eq!(due(&snapshot), [""; 0]);
        let stages = decide(&snapshot, NOW).stages;
        assert_eq!(word_of(&stages[0].1), "held", "{evidence:?}");
    }
}

#[test]
fn what_was_asked_for_has_the_draft_first() {
    let mut asked = watch(&[("3.11.0", UNTRIED), ("3.10.0", UNTRIED)], &[]);
    asked.candidates[0].published_at = minutes_ago(5);
    asked.requests.push(request(&version("3.10.0"), false));
    assert_eq!(due(&asked), ["start 3.10.0"]);
    let stage = decide(&asked, NOW).stages.remove(0).1;
    assert_eq!(stage, Stage::Queued { behind: version("3.10.0") });
    // Also while it is tried.
    let trying = Running { checks: Some(checks(CheckState::UnderWay, false)), ..running(-60) };
    asked.candidates[1].running = Some(trying);
    assert_eq!(due(&asked), [""; 0]);
}

#[test]
fn a_pull_request_that_is_due_comes_before_the_draft_is_taken_for_the_next() {
    let mut both = watch(&[("3.11.0", UNTRIED), ("3.10.0", PASSING)], &[draft("3.10.0", 12)]);
    both.candidates[0].published_at = minutes_ago(5);
    assert_eq!(due(&both), ["propose 3.10.0 over #12", "start 3.11.0"]);
}

#[test]
fn a_run_by_checks_ends_by_them_or_by_its_time() {
    let with = |state, of_base, left| {
        let mut snapshot = watch(&[("3.10.0", UNTRIED)], &[draft("3.10.0", 12)]);
        let running = Running { checks: Some(checks(state, of_base)), ..running(left) };
        snapshot.candidates[0].running = Some(running.clone());
        snapshot.runs.push(running);
        snapshot
    };
    for state in [CheckState::Passed, CheckState::Failed, CheckState::Other("skipped".to_owned())] {
        assert_eq!(due(&with(state, false, -60)), ["conclude 7"]);
    }
    assert_eq!(due(&with(CheckState::Missing, false, -60)), [""; 0]);
    assert_eq!(due(&with(CheckState::Missing, true, -60)), ["conclude 7"]);
    assert_eq!(due(&with(CheckState::UnderWay, false, 0)), ["conclude 7"]);
    // Looked at again after the longest pause that is no longer than it runs already: 10 min of 30.
    let waits = decide(&with(CheckState::UnderWay, false, -60), NOW);
    assert_eq!(waits.wake, Some(minutes_ago(-10)));
    // Not later than it is given up.
    assert_eq!(decide(&with(CheckState::UnderWay, false, -3), NOW).wake, Some(minutes_ago(-3)));
    let Stage::CanaryRunning { checks: Some(line), .. } = &waits.stages[0].1 else {
        panic!("{:?}", waits.stages)
    };
    assert_eq!(line, "contract is under way");
}

#[test]
fn a_stub_is_opened_without_news_that_takes_a_draft() {
    let mut snapshot = watch(&[], &[]);
    snapshot.candidates.push(with_evidence(candidate("4.0.0", Bump::Major), &UNTRIED));
    assert_eq!(due(&snapshot), ["propose 4.0.0"]);
}

#[test]
fn an_offered_patch_keeps_its_draft_which_says_so() {
    let mut snapshot = watch(&[], &[draft("3.9.4", 12)]);
    snapshot.candidates.push(with_evidence(candidate("3.9.4", Bump::Patch), &PASSING));
    let [told] = &due(&snapshot)[..] else { panic!("{:?}", due(&snapshot)) };
    assert!(told.starts_with("offer #12: every check passed"), "{told}");
    snapshot.requests.push(request(&version("3.9.4"), false));
    assert_eq!(due(&snapshot), ["propose 3.9.4 over #12"]);
}

#[test]
fn a_failure_is_compared_with_the_base_branch_without_a_draft_in_the_way() {
    let at_pin = |answer: Option<Answer>| {
        let mut snapshot = watch(&[("3.10.0", FAILING)], &[draft("3.10.0", 12)]);
        snapshot.baseline = Baseline { answer, running: None };
        due(&snapshot)
    };
    assert_eq!(at_pin(None), ["start 3.9.3"]);
    let [held] = &at_pin(Some(answer(Verdict::Inconclusive, 3, 300)))[..] else { panic!() };
    assert!(held.contains("could not be found out in 3 attempts"), "{held}");
}

#[test]
fn what_was_asked_for_keeps_its_draft_below_what_is_ready() {
    let proposals = [ready("3.11.0", 12), draft("3.10.0", 13)];
    let mut asked = watch(&[("3.11.0", PASSING), ("3.10.0", UNTRIED)], &proposals);
    asked.candidates[1].running =
        Some(Running { checks: Some(checks(CheckState::UnderWay, false)), ..running(-60) });
    asked.requests.push(request(&version("3.10.0"), false));
    assert_eq!(due(&asked), [""; 0]);
}
