//! What the tables leave out: times, wakes, wishes that cannot be met, an unknown pin, strangers.

use crate::case::{
    DEADLINE, NOW, OLD_ENOUGH, PAUSES, answer, candidate, digest, minutes_ago, proposal, request,
    running, snapshot, stage_word, version, with_evidence,
};
use crate::single::{EVIDENCE, all_evidence, fill, mute, open};
use crate::table::Table;
use digest_bump::domain::{
    Bump, Check, PatchPolicy, ProposalKind, PullNumber, PullState, RequestId, RunId, Verdict,
};
use digest_bump::policy::{
    Decision, Ignored, Intent, Look, Migration, PinState, Proposal, Snapshot, Stage, Unavailable,
    decide,
};

#[test]
fn what_is_waited_for_wakes_the_loop() {
    let evidence = all_evidence(&Table::read("evidence", EVIDENCE));
    for (evidence, bump, _) in &evidence {
        let mut snapshot = snapshot(PatchPolicy::Offer);
        snapshot.candidates.push(with_evidence(candidate("3.10.0", Bump::Minor), evidence));
        let published = snapshot.candidates[0].published_at;
        let wake = match *bump {
            "wait-deadline" => Some(published + DEADLINE),
            "wait-soak" => Some(OLD_ENOUGH),
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

#[test]
fn a_registry_that_says_nothing_is_asked_after_growing_pauses_and_never_given_up() {
    let of = version("3.10.0");
    let away = |attempts, ago, now| {
        let mut snapshot = snapshot(PatchPolicy::Offer);
        let mut release = candidate("3.10.0", Bump::Minor);
        let why = "it is down".to_owned();
        release.unavailable =
            Some(Unavailable { why, at: minutes_ago(ago), attempts, limited_until: None });
        release.look = now;
        snapshot.candidates.push(release);
        decide(&snapshot, NOW)
    };
    let looks = |decision: &Decision| decision.due == [Intent::Look(of.clone())];
    // The pauses are 10 minutes and an hour.
    for (attempts, ago, stage, due, wake) in [
        (1, 9, "waiting", false, Some(-1)),
        (1, 10, "checking", true, None),
        (1, 11, "checking", true, None),
        (2, 11, "waiting", false, Some(-49)),
        (2, 60, "checking", true, None),
        (3, 11, "held", false, None),
        (3, 59, "held", false, None),
        (3, 60, "checking", true, None),
        (9, 61, "checking", true, None),
    ] {
        let decision = away(attempts, ago, None);
        let seen = (stage_word(&decision, &of), looks(&decision), decision.wake);
        assert_eq!(seen, (stage, due, wake.map(minutes_ago)), "{attempts} {ago}");
        let again = away(attempts, ago, Some(Look::Unavailable("still".to_owned())));
        let parked = if attempts > 2 { "held" } else { "waiting" };
        assert_eq!((stage_word(&again, &of), again.due), (parked, vec![]), "once in a pass");
    }
    let Stage::Held { reasons } = &away(3, 30, None).stages[0].1 else { panic!("not held") };
    let until = minutes_ago(-30);
    assert_eq!(
        reasons[0],
        format!(
            "its image could not be asked for: it is down (attempt 3; the next one after {until})"
        )
    );
    // What was found out in this pass is newer.
    let found = away(3, 30, Some(Look::Unusable("no index".to_owned())));
    assert_eq!(found.stages[0].1, Stage::Held { reasons: vec!["no index".to_owned()] });
}

/// A watch with these MINORs, all of which pass, and an open pull request for 3.10.0.
fn proposing(minors: &[&str], ours: bool, requested: bool) -> Snapshot {
    let passing = ["there", "there", "early", "passed", "passed"];
    let mut snapshot = snapshot(PatchPolicy::Offer);
    let releases = minors.iter().map(|text| candidate(text, Bump::Minor));
    snapshot.candidates = releases.map(|release| with_evidence(release, &passing)).collect();
    let open = proposal(ProposalKind::PinBump, &version("3.10.0"), 40);
    snapshot.proposals.push(Proposal { ours, settled: ours, requested, ..open });
    snapshot
}

fn due(snapshot: &Snapshot) -> Vec<Intent> {
    decide(snapshot, NOW).due.into_iter().map(mute).collect()
}

#[test]
fn whose_pull_request_it_is_decides_what_it_does_to_the_others() {
    let pull = PullNumber(40);
    let stages = |ours, minors: &[&str]| -> Vec<Stage> {
        decide(&proposing(minors, ours, false), NOW).stages.into_iter().map(|it| it.1).collect()
    };
    for ours in [true, false] {
        let proposed = Stage::Proposed { pull, hands_off: !ours };
        let covered = Stage::Covered { by: version("3.10.0") };
        assert_eq!(stages(ours, &["3.10.0", "3.9.5"]), [proposed, covered.clone()]);
        // The one that it proposes may be gone by now; it still contains what is older.
        assert_eq!(stages(ours, &["3.9.5"]), [covered]);
    }
    let reason = "pull request #40 has commits by a person: hands off".to_owned();
    let held = Stage::Held { reasons: vec![reason] };
    let proposed = Stage::Proposed { pull, hands_off: true };
    assert_eq!(stages(false, &["3.11.0", "3.10.0"]), [held, proposed]);
    assert_eq!(due(&proposing(&["3.11.0", "3.10.0"], false, false)), []);
}

#[test]
fn a_pull_request_whose_tag_moved_says_so_unless_it_is_rewritten_or_somebody_elses() {
    let moved = "the tag 3.10.0 moved".to_owned();
    let warn = Intent::Warn { pull: PullNumber(40), why: moved.clone() };
    for (minors, ours, warned) in [
        (&["3.10.0"][..], true, true),
        (&["3.9.5"], true, true),
        (&["3.10.0"], false, false),
        (&["3.11.0", "3.10.0"], true, false),
    ] {
        let mut snapshot = proposing(minors, ours, false);
        snapshot.proposals[0].warning = Some(moved.clone());
        let due = decide(&snapshot, NOW).due;
        assert_eq!(due.contains(&warn), warned, "{minors:?} {ours}");
        assert_eq!(due.len(), usize::from(ours), "{due:?}");
    }
    let mut merged = proposing(&[], true, false);
    merged.proposals[0].warning = Some(moved);
    merged.pin = PinState::Known { version: version("3.10.0"), digest: digest(&version("3.10.0")) };
    assert!(!decide(&merged, NOW).due.contains(&warn), "it is closed");
}

#[test]
fn an_open_stub_covers_its_line() {
    let passing = ["there", "there", "early", "passed", "passed"];
    for ours in [true, false] {
        let mut watch = snapshot(PatchPolicy::Offer);
        watch.candidates = ["4.1.0", "4.0.0"]
            .map(|text| with_evidence(candidate(text, Bump::Major), &passing))
            .into();
        let stub = proposal(ProposalKind::MigrationStub, &version("4.0.0"), 20);
        watch.proposals.push(Proposal { ours, ..stub });
        let decision = decide(&watch, NOW);
        let covered = Stage::Covered { by: version("4.0.0") };
        let proposed = Stage::Proposed { pull: PullNumber(20), hands_off: !ours };
        let stages: Vec<Stage> = decision.stages.into_iter().map(|(_, stage)| stage).collect();
        assert_eq!((stages, decision.due), (vec![covered, proposed], vec![]));
    }
}

#[test]
fn a_wish_stands_only_where_its_own_pull_request_is_open() {
    let climbs = Intent::Propose {
        kind: ProposalKind::PinBump,
        version: version("3.11.0"),
        over: Some(PullNumber(40)),
        requested: false,
    };
    let minors = ["3.11.0", "3.10.0"];
    // It is proposed already, but not because somebody asked.
    let mut watch = proposing(&minors, true, false);
    watch.requests = vec![request(&version("3.10.0"), false)];
    let granted = Intent::Answer { request: RequestId(1), granted: true, answer: String::new() };
    assert_eq!(due(&watch), [granted, climbs.clone()]);
    // Granted as each request is, the latest last.
    let mut watch = proposing(&minors, true, true);
    for (of, grants, expected) in [
        (vec!["3.10.0"], vec![true], vec![]),
        (vec!["3.10.0", "3.9.3"], vec![true, true], vec![]),
        (vec!["3.10.0", "3.11.0"], vec![true, false], vec![]),
        (vec!["3.10.0"], vec![false], vec![climbs.clone()]),
        (vec!["3.11.0"], vec![true], vec![climbs]),
    ] {
        let asked = of.iter().zip(&grants).map(|(of, granted)| {
            let mut asked = request(&version(of), true);
            asked.outcome.as_mut().unwrap().granted = *granted;
            asked
        });
        watch.requests = asked.collect();
        assert_eq!(due(&watch), expected, "{of:?} {grants:?}");
    }
}

#[test]
fn what_was_granted_stands_beside_a_newer_wish_that_waits_or_is_refused() {
    let passing = ["there", "there", "early", "passed", "passed"];
    let mislabelled = ["there", "there", "early", "failed", "never"];
    // Not there, the pin itself, a MAJOR before its migration, one that is held.
    for wanted in ["3.99.0", "3.9.3", "4.0.0", "3.9.4"] {
        let mut watch = proposing(&["3.11.0", "3.10.0"], true, true);
        let major = with_evidence(candidate("4.0.0", Bump::Major), &passing);
        watch.candidates.insert(0, major);
        watch.candidates.push(with_evidence(candidate("3.9.4", Bump::Patch), &mislabelled));
        let mut newer = request(&version(wanted), false);
        (newer.id, newer.at) = (RequestId(2), minutes_ago(20));
        watch.requests = vec![request(&version("3.10.0"), true), newer];
        let decision = decide(&watch, NOW);
        let bump =
            |intent: &Intent| matches!(intent, Intent::Propose { kind: ProposalKind::PinBump, .. });
        assert!(!decision.due.iter().any(bump), "{wanted}: {:?}", decision.due);
        assert_eq!(stage_word(&decision, &version("3.11.0")), "skipped", "{wanted}");
        assert_eq!(stage_word(&decision, &version("3.10.0")), "proposed", "{wanted}");
        // What came after it was granted is news, as ever.
        watch.candidates[1].published_at = minutes_ago(10);
        assert!(decide(&watch, NOW).due.iter().any(bump), "{wanted}");
    }
}

#[test]
fn after_six_failed_canaries_older_releases_are_left_alone() {
    let failed = ["there", "there", "early", "passed", "failed"];
    let mislabelled = ["there", "there", "early", "failed", "never"];
    let untried = ["there", "there", "early", "passed", "never"];
    for (newer, count, tried) in
        [(failed, 5, true), (failed, 6, false), (failed, 7, false), (mislabelled, 7, true)]
    {
        let mut snapshot = snapshot(PatchPolicy::Offer);
        for minor in (0..count).map(|index| 30 - index) {
            let release = candidate(&format!("3.{minor}.0"), Bump::Minor);
            snapshot.candidates.push(with_evidence(release, &newer));
        }
        snapshot.candidates.push(with_evidence(candidate("3.10.0", Bump::Minor), &untried));
        let decision = decide(&snapshot, NOW);
        let start = Intent::StartCanary(version("3.10.0"));
        assert_eq!(decision.due, tried.then_some(start).into_iter().collect::<Vec<_>>());
        if !tried {
            let why = format!("not tried: the canary failed at {count} newer ones");
            assert_eq!(decision.stages.last().unwrap().1, Stage::Skipped { why });
        }
    }
}

#[test]
fn what_was_not_out_when_a_newer_one_was_declined_is_not_declined_with_it() {
    let passing = ["there", "there", "early", "passed", "passed"];
    for (declined, other, minutes, stage) in [
        ("3.10.0", "3.9.4", 61, "skipped"),
        ("3.10.0", "3.9.4", 60, "skipped"),
        ("3.10.0", "3.9.4", 59, "offered"),
        ("3.9.4", "3.10.0", 61, "ready"),
        ("3.9.4", "3.10.0", 59, "ready"),
    ] {
        let mut snapshot = snapshot(PatchPolicy::Offer);
        for text in [declined, other] {
            let bump = if text == "3.9.4" { Bump::Patch } else { Bump::Minor };
            snapshot.candidates.push(with_evidence(candidate(text, bump), &passing));
        }
        snapshot.candidates[1].published_at = minutes_ago(minutes);
        snapshot.candidates.sort_by(|a, b| b.version.cmp_precedence(&a.version));
        let closed = proposal(ProposalKind::PinBump, &version(declined), 30);
        snapshot.proposals.push(Proposal { state: PullState::Closed, ..closed });
        let decision = decide(&snapshot, NOW);
        assert_eq!(stage_word(&decision, &version(declined)), "declined");
        assert_eq!(stage_word(&decision, &version(other)), stage, "{declined} {other} {minutes}");
    }
}

#[test]
fn a_held_release_gives_all_of_its_reasons() {
    let torn = ["there", "absent", "late", "failed", "failed"];
    let mut snapshot = snapshot(PatchPolicy::Offer);
    snapshot.candidates.push(with_evidence(candidate("3.10.0", Bump::Minor), &torn));
    let decision = decide(&snapshot, NOW);
    let Stage::Held { reasons } = &decision.stages[0].1 else { panic!("{decision:?}") };
    let npm = "torn release: its npm package did not appear within 2 h";
    assert_eq!(reasons, &["failed, 0", "failed, 0", npm]);
}

#[test]
fn a_stub_does_not_wait_for_a_canary_that_has_no_tree() {
    let cheap = ["there", "there", "early", "passed", "never"];
    for (editable, stage) in [(true, "checking"), (false, "ready")] {
        let mut snapshot = snapshot(PatchPolicy::Offer);
        snapshot.editable = editable;
        snapshot.candidates.push(with_evidence(candidate("4.0.0", Bump::Major), &cheap));
        snapshot.candidates.push(with_evidence(candidate("3.10.0", Bump::Minor), &cheap));
        let decision = decide(&snapshot, NOW);
        assert_eq!(stage_word(&decision, &version("4.0.0")), stage);
        // The pin is not moved without one, whatever is said of its sites.
        assert_eq!(stage_word(&decision, &version("3.10.0")), "checking");
    }
}

/// The stage of `wanted` and the answer to a request for it.
fn asked(snapshot: &mut Snapshot, wanted: &str) -> (String, String) {
    snapshot.requests = vec![request(&version(wanted), false)];
    let decision = decide(snapshot, NOW);
    let answer = decision.due.iter().find_map(|intent| match intent {
        Intent::Answer { answer, .. } => Some(answer.clone()),
        _ => None,
    });
    let stage = decision.stages.iter().find(|(of, _)| *of == version(wanted));
    let stage = match stage.map(|(_, stage)| stage) {
        Some(Stage::Waiting { why, .. }) => why.clone(),
        Some(Stage::Held { reasons }) => reasons.join("; "),
        _ => String::new(),
    };
    (stage, answer.unwrap_or_default())
}

#[test]
fn who_asks_is_told_why() {
    let mut watch = snapshot(PatchPolicy::Offer);
    let ignored = |tag: &str, why: &str| Ignored {
        tag: tag.to_owned(),
        why: why.to_owned(),
        published_at: minutes_ago(60),
        unfinished: false,
    };
    watch.ignored = vec![ignored("v4.0.1", "it is a draft"), ignored("4.0.2", "it is another")];
    let mut answer = |wanted| asked(&mut watch, wanted).1;
    assert_eq!(answer("9.9.9"), "there is no release 9.9.9");
    assert_eq!(answer("4.0.1"), "release v4.0.1 is ignored: it is a draft");
    assert_eq!(answer("4.0.2"), "release 4.0.2 is ignored: it is another");
    assert_eq!(answer("3.9.3"), "the pin is at 3.9.3 already");
    assert_eq!(
        answer("3.9.2"),
        "the pin is at 3.9.3, and a downgrade is only proposed where that has to be left"
    );
}

#[test]
fn who_asks_for_a_major_is_told_what_comes_first() {
    let passing = ["there", "there", "early", "passed", "passed"];
    let mut watch = snapshot(PatchPolicy::Offer);
    watch.candidates.push(with_evidence(candidate("4.0.0", Bump::Major), &passing));
    let first = "the migration to 4.x has to be merged into the migration document first";
    for (migration, why) in [
        (Migration::Ready { majors: vec![3], targets: vec![version("3.10.0")] }, first),
        (Migration::Faulty("it has no place".to_owned()), "it has no place"),
        (Migration::Ready { majors: vec![4], targets: vec![] }, ""),
        (Migration::Unset, ""),
    ] {
        watch.migration = migration.clone();
        assert_eq!(asked(&mut watch, "4.0.0").0, why, "{migration:?}");
    }
}

#[test]
fn somebody_elses_branch_is_named() {
    let passing = ["there", "there", "early", "passed", "passed"];
    let mut watch = snapshot(PatchPolicy::Offer);
    watch.candidates.push(with_evidence(candidate("3.10.0", Bump::Minor), &passing));
    watch.foreign.push(("digest-bump/connector".parse().unwrap(), PullNumber(3)));
    let reason = "pull request #3 of somebody else uses the branch digest-bump/connector";
    let held = Stage::Held { reasons: vec![reason.to_owned()] };
    assert_eq!(decide(&watch, NOW).stages[0].1, held);
}

#[test]
fn an_intent_knows_its_release_and_whether_it_only_reads() {
    let of = version("3.10.0");
    let propose = Intent::Propose {
        kind: ProposalKind::PinBump,
        version: of.clone(),
        over: None,
        requested: false,
    };
    let answer = Intent::Answer { request: RequestId(1), granted: true, answer: String::new() };
    for (intent, about, reads) in [
        (Intent::Look(of.clone()), true, true),
        (Intent::ReadContract(of.clone()), true, true),
        (Intent::Check { version: of.clone(), check: Check::Sites }, true, true),
        (Intent::StartCanary(of.clone()), true, false),
        (propose, true, false),
        (Intent::Bury(RunId(1)), false, false),
        (Intent::Close { pull: PullNumber(1), why: String::new() }, false, false),
        (Intent::Warn { pull: PullNumber(1), why: String::new() }, false, false),
        (answer, false, false),
    ] {
        assert_eq!(intent.version(), about.then_some(&of), "{intent:?}");
        assert_eq!(intent.only_reads(), reads, "{intent:?}");
    }
}
