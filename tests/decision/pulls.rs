//! The bot's own pull requests and branches, and those of others.

use crate::case::{digest, minutes_ago, version};
use crate::remembered::Told;
use digest_bump::domain::{
    BranchName, BranchPrefix, Branches, CommitId, DraftMark, Effect, EffectKey, EffectRecord,
    EffectState, Fact, ImageName, Marker, ProposalKind, PullFacts, PullNumber, PullState,
    SiteState,
};
use digest_bump::policy::{Line, branches_to_ask, is_own_branch, pin_branch, stub_branch};
use std::sync::LazyLock;

const PIN: &str = "digest-bump/connector";

static NAMES: LazyLock<(BranchPrefix, ImageName)> =
    LazyLock::new(|| (BranchPrefix::default(), "ghcr.io/toon-protocol/connector".parse().unwrap()));

fn branches() -> Branches<'static> {
    Branches { prefix: &NAMES.0, image: &NAMES.1 }
}

fn commit(digit: &str) -> CommitId {
    digit.repeat(40).parse().unwrap()
}

fn branch(text: &str) -> BranchName {
    text.parse().unwrap()
}

/// A pull request of the bot whose head is the commit `a` that its marker names.
pub(super) fn pull(number: u64, from: &str, state: PullState) -> PullFacts {
    let of = version("3.10.0");
    PullFacts {
        number: PullNumber(number),
        branch: branch(from),
        head: commit("a"),
        state,
        draft: false,
        title: String::new(),
        url: String::new(),
        updated_at: None,
        marker: Some(Marker {
            kind: ProposalKind::PinBump,
            digest: digest(&of),
            version: of,
            commit: commit("a"),
            requested: false,
            from: Some(digest(&version("3.9.3"))),
            whole: None,
            draft: DraftMark::None,
            held: None,
            companions: std::collections::BTreeMap::new(),
        }),
    }
}

fn pushed(to: &str, what: CommitId) -> EffectRecord {
    EffectRecord {
        key: EffectKey("push".to_owned()),
        effect: Effect::PushBranch { branch: branch(to), commit: what },
        state: EffectState::Intended,
        intended_at: minutes_ago(5),
        done_at: None,
        remote_id: None,
    }
}

/// Whether the one pull request is the bot's own, and settled.
fn seen(pull: PullFacts, effects: Vec<EffectRecord>) -> (bool, bool) {
    let mut told = Told::new();
    told.memory.effects = effects;
    told.memory.observe(Fact::Pull(pull), minutes_ago(1));
    let proposals = told.snapshot().proposals;
    assert_eq!(proposals.len(), 1);
    (proposals[0].ours, proposals[0].settled)
}

#[test]
fn a_head_is_ours_if_the_marker_or_a_recorded_push_names_it() {
    let settled = pull(1, PIN, PullState::Open);
    let moved = PullFacts { head: commit("b"), ..settled.clone() };
    assert_eq!(seen(settled.clone(), vec![]), (true, true));
    assert_eq!(seen(moved.clone(), vec![]), (false, false));
    assert_eq!(seen(moved.clone(), vec![pushed(PIN, commit("b"))]), (true, false));
    assert_eq!(seen(moved.clone(), vec![pushed(PIN, commit("c"))]), (false, false));
    let elsewhere = vec![pushed("digest-bump/connector-3.10.0", commit("b"))];
    assert_eq!(seen(moved, elsewhere), (false, false));
    let pushed_too = vec![pushed(PIN, commit("a"))];
    assert_eq!(seen(settled, pushed_too), (true, true));
}

#[test]
fn a_proposal_that_starts_from_another_pin_is_not_settled() {
    let mut proposal = pull(1, PIN, PullState::Open);
    let from = |proposal: &mut PullFacts, it| proposal.marker.as_mut().unwrap().from = it;
    from(&mut proposal, Some(digest(&version("3.9.2"))));
    assert_eq!(seen(proposal.clone(), vec![]), (true, false));
    let mut told = Told::new();
    told.pinned(SiteState::Faulty { why: "it is no JSON".to_owned() });
    told.memory.observe(Fact::Pull(proposal.clone()), minutes_ago(1));
    assert!(told.snapshot().proposals[0].settled, "no pin says that it does not");
    from(&mut proposal, None);
    assert_eq!(seen(proposal, vec![]), (true, true));
}

#[test]
fn only_open_pull_requests_of_others_on_our_branches_are_in_the_way() {
    let mut told = Told::new();
    let bare = |number, from, state| PullFacts { marker: None, ..pull(number, from, state) };
    for pull in [
        pull(12, PIN, PullState::Open),
        pull(3, "digest-bump/connector-3.9.4", PullState::Closed),
        pull(4, "feature", PullState::Open),
        bare(5, PIN, PullState::Open),
        bare(6, PIN, PullState::Closed),
        bare(7, PIN, PullState::Merged),
        bare(8, "feature", PullState::Open),
    ] {
        told.memory.observe(Fact::Pull(pull), minutes_ago(1));
    }
    let snapshot = told.snapshot();
    let numbers: Vec<u64> = snapshot.proposals.iter().map(|p| p.pull.0).collect();
    assert_eq!(numbers, [3, 12], "the oldest first");
    assert_eq!(snapshot.proposals[0].state, PullState::Closed);
    assert_eq!(snapshot.foreign, [(branch(PIN), PullNumber(5))]);
}

#[test]
fn a_branch_is_ours_by_its_name() {
    for (name, ours) in [
        (PIN, true),
        ("digest-bump/connector-3.10.0", true),
        ("digest-bump/connector-4-migration", true),
        ("digest-bump/connectors", false),
        ("digest-bump/town", false),
        ("digest-bump", false),
        ("connector", false),
    ] {
        assert_eq!(is_own_branch(name, branches()), ours, "{name}");
        // Also what was opened before another prefix was configured.
        let prefix = "dependabot/docker/".parse().unwrap();
        let other = Branches { prefix: &prefix, ..branches() };
        assert_eq!(is_own_branch(name, other), ours, "{name}");
        let renamed = name.replace("digest-bump/", "dependabot/docker/");
        assert_eq!(is_own_branch(&renamed, other), ours, "{renamed}");
    }
}

#[test]
fn a_branch_that_a_person_may_need_again_is_kept() {
    let of = version("3.11.0");
    let bump =
        |pulls: &[PullFacts]| pin_branch(branches(), &of, pulls).unwrap().as_str().to_owned();
    let versioned = "digest-bump/connector-3.11.0";
    let by_a_person = PullFacts { head: commit("b"), ..pull(1, PIN, PullState::Merged) };
    let unmarked = PullFacts { marker: None, ..pull(1, PIN, PullState::Merged) };
    for (pulls, expected) in [
        (vec![], PIN),
        (vec![pull(1, PIN, PullState::Open)], PIN),
        (vec![pull(1, PIN, PullState::Merged)], PIN),
        (vec![pull(1, PIN, PullState::Closed)], versioned),
        (vec![pull(1, "digest-bump/connector-3.9.4", PullState::Closed)], PIN),
        (vec![pull(1, PIN, PullState::Closed), pull(2, PIN, PullState::Merged)], versioned),
        (vec![by_a_person], versioned),
        (vec![unmarked], versioned),
    ] {
        assert_eq!(bump(&pulls), expected, "{pulls:?}");
    }
}

#[test]
fn a_stubs_branch_is_named_after_its_line() {
    for (line, expected) in [
        (Line::Major(4), "digest-bump/connector-4-migration"),
        (Line::Since(version("3.10.0")), "digest-bump/connector-3.10.0-migration"),
    ] {
        let name = stub_branch(branches(), &line).unwrap();
        assert_eq!(name.as_str(), expected);
        assert!(is_own_branch(name.as_str(), branches()));
    }
}

#[test]
fn of_the_releases_that_call_themselves_less_the_newest_ten_are_asked_for() {
    let mut told = Told::new();
    told.noted("3.11.0", "### BREAKING CHANGES\n* a\n");
    told.released("3.11.1");
    told.released("4.0.0");
    let names = || branches_to_ask(branches(), &told.snapshot(), &told.memory);
    let names: Vec<String> = names().iter().map(|name| name.as_str().to_owned()).collect();
    let stub = |line: &str| format!("{PIN}-{line}-migration");
    assert_eq!(names, [PIN.to_owned(), stub("3.11.0"), stub("4")]);
    for minor in 12..32 {
        told.noted(&format!("3.{minor}.0"), "BREAKING CHANGE: b\n");
    }
    let names = branches_to_ask(branches(), &told.snapshot(), &told.memory);
    let names: Vec<&str> = names.iter().map(BranchName::as_str).collect();
    assert_eq!(names.len(), 1 + 10 + 1, "{names:?}");
    assert!(names.contains(&&*stub("3.31.0")) && names.contains(&&*stub("3.22.0")));
}

/// The branches that are asked for with these releases and remembered pull requests.
fn asked(releases: &[&str], pulls: Vec<PullFacts>) -> Vec<String> {
    let mut told = Told::new();
    for text in releases {
        told.released(text);
    }
    for pull in pulls {
        told.memory.observe(Fact::Pull(pull), minutes_ago(1));
    }
    let names = branches_to_ask(branches(), &told.snapshot(), &told.memory);
    names.iter().map(|name| name.as_str().to_owned()).collect()
}

#[test]
fn the_branches_that_decide_are_asked_for_and_no_others() {
    let stub = "digest-bump/connector-4-migration";
    assert_eq!(asked(&["3.9.4", "3.9.2"], vec![]), [PIN]);
    assert_eq!(asked(&["4.0.0", "4.1.0"], vec![]), [PIN, stub]);
    let old = "digest-bump/connector-3.9.4";
    let remembered = |from, state| vec![pull(1, from, state)];
    assert_eq!(asked(&[], remembered(old, PullState::Open)), [PIN, old]);
    assert_eq!(asked(&[], remembered(old, PullState::Closed)), [PIN, old]);
    assert_eq!(asked(&[], remembered(old, PullState::Merged)), [PIN]);
    assert_eq!(asked(&[], remembered("feature", PullState::Open)), [PIN]);
    assert_eq!(asked(&["3.9.4"], remembered("feature", PullState::Closed)), [PIN]);
}

#[test]
fn where_the_pins_branch_is_kept_the_newest_versions_have_branches_too() {
    let declined = || vec![pull(1, PIN, PullState::Closed)];
    let of = |version: &str| format!("{PIN}-{version}");
    let names = asked(&["3.9.4", "3.9.3", "3.9.2", "4.0.0"], declined());
    assert_eq!(names, [PIN.to_owned(), of("3.10.0"), of("3.9.4"), of("4-migration")]);
    let patches: Vec<String> = (4..24).map(|patch| format!("3.9.{patch}")).collect();
    let patches: Vec<&str> = patches.iter().map(String::as_str).collect();
    let names = asked(&patches, declined());
    assert_eq!(names.len(), 1 + 10, "ten of them, and MINORs first: {names:?}");
    assert!(names.contains(&of("3.10.0")) && names.contains(&of("3.9.23")));
    assert!(!names.contains(&of("3.9.14")));
}
