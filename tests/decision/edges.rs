//! What the tables leave out: times, wakes, wishes that cannot be met, an unknown pin, strangers.

use crate::case::{
    DEADLINE, NOW, PAUSES, answer, candidate, minutes_ago, request, running, snapshot, stage_word,
    version, with_evidence,
};
use crate::single::{EVIDENCE, all_evidence, fill, mute, open};
use crate::table::Table;
use digest_bump::domain::{
    Bump, Check, PatchPolicy, ProposalKind, PullNumber, RequestId, RunId, Verdict,
};
use digest_bump::policy::{Intent, PinState, decide};

#[test]
fn what_is_waited_for_wakes_the_loop() {
    let evidence = all_evidence(&Table::read("evidence", EVIDENCE));
    for (evidence, bump, _) in &evidence {
        let mut snapshot = snapshot(PatchPolicy::Offer);
        snapshot.candidates.push(with_evidence(candidate("3.10.0", Bump::Minor), evidence));
        let published = snapshot.candidates[0].published_at;
        let wake = match *bump {
            "wait-deadline" => Some(published + DEADLINE),
            "wait-retry" => Some(minutes_ago(5) + PAUSES[0]),
            "running" => Some(minutes_ago(-1)),
            _ => None,
        };
        assert_eq!(decide(&snapshot, NOW).wake, wake, "{evidence:?}");
    }
}

#[test]
fn the_edges_of_time_belong_to_the_later_side() {
    let mut snapshot = snapshot(PatchPolicy::Offer);
    let absent = ["absent", "there", "early", "none", "never"];
    snapshot.candidates.push(with_evidence(candidate("3.10.0", Bump::Minor), &absent));
    let of = version("3.10.0");
    snapshot.candidates[0].published_at = minutes_ago(120);
    assert_eq!(stage_word(&decide(&snapshot, NOW), &of), "held", "the deadline is now");
    let unsure = ["there", "there", "early", "passed", "parked"];
    fill(&mut snapshot, &of, &unsure);
    let retried = answer(Verdict::Inconclusive, 1, 10);
    snapshot.candidates[0].answers.insert(Check::Canary, retried);
    assert_eq!(decide(&snapshot, NOW).due, [Intent::StartCanary(of)], "the pause ends now");
    snapshot.candidates[0].running = Some(running(0));
    let decision = decide(&snapshot, NOW);
    assert_eq!(decision.due, [Intent::Bury(RunId(7))], "the sign of life was due now");
    assert_eq!(stage_word(&decision, &version("3.10.0")), "checking");
    assert_eq!(decision.wake, None);
}

#[test]
fn wishes_that_cannot_be_met_are_refused_and_the_latest_counts() {
    let passing = ["there", "there", "early", "passed", "passed"];
    for (wanted, granted) in [("3.9.3", true), ("3.9.2", false), ("9.9.9", false)] {
        let mut snapshot = snapshot(PatchPolicy::Offer);
        snapshot.requests.push(request(&version(wanted), false));
        let [Intent::Answer { granted: got, .. }] = decide(&snapshot, NOW).due[..] else {
            panic!("{wanted}")
        };
        assert_eq!(got, granted, "{wanted}");
    }
    let mut snapshot = snapshot(PatchPolicy::Offer);
    snapshot.candidates =
        ["3.9.5", "3.9.4"].map(|text| with_evidence(candidate(text, Bump::Patch), &passing)).into();
    snapshot.requests.push(request(&version("3.9.5"), false));
    let mut later = request(&version("3.9.4"), false);
    (later.id, later.at) = (RequestId(2), minutes_ago(29));
    snapshot.requests.push(later);
    let due: Vec<Intent> = decide(&snapshot, NOW).due.into_iter().map(mute).collect();
    let refused = Intent::Answer { request: RequestId(1), granted: false, answer: String::new() };
    let proposed = Intent::Propose {
        kind: ProposalKind::PinBump,
        version: version("3.9.4"),
        over: None,
        requested: true,
    };
    assert_eq!(due, [refused, proposed]);
}

#[test]
fn an_unknown_pin_holds_everything_and_asks_for_what_would_tell() {
    let passing = ["there", "there", "early", "passed", "passed"];
    for ask in [None, Some(version("3.9.3"))] {
        let mut snapshot = snapshot(PatchPolicy::Propose);
        snapshot.pin = PinState::Unknown { why: "a site is faulty".to_owned(), ask: ask.clone() };
        snapshot.candidates.push(with_evidence(candidate("3.10.0", Bump::None), &passing));
        snapshot.requests.push(request(&version("3.10.0"), false));
        snapshot.proposals.extend(open("same", &version("3.10.0"), false, false));
        let decision = decide(&snapshot, NOW);
        assert_eq!(stage_word(&decision, &version("3.10.0")), "held");
        assert_eq!(decision.due, ask.map(Intent::Look).into_iter().collect::<Vec<_>>());
    }
}

#[test]
fn somebody_elses_pull_request_on_a_branch_is_left_alone() {
    let passing = ["there", "there", "early", "passed", "passed"];
    for (text, bump, branch) in [
        ("3.10.0", Bump::Minor, "digest-bump/connector"),
        ("4.0.0", Bump::Major, "digest-bump/connector-4-migration"),
    ] {
        for (foreign, stage) in [(branch, "held"), ("digest-bump/connector-5-migration", "ready")] {
            let mut snapshot = snapshot(PatchPolicy::Offer);
            snapshot.candidates.push(with_evidence(candidate(text, bump), &passing));
            snapshot.foreign.push((foreign.parse().unwrap(), PullNumber(3)));
            let decision = decide(&snapshot, NOW);
            assert_eq!(stage_word(&decision, &version(text)), stage, "{text} {foreign}");
            assert_eq!(decision.due.is_empty(), stage == "held", "{text} {foreign}");
        }
    }
}
