//! An open pull request for what is no release of the stream any more.

use crate::case::{
    NOW, PASSING, broken, candidate, minutes_ago, proposal, request, snapshot, version,
    with_evidence,
};
use crate::pulls::pull;
use crate::remembered::Told;
use digest_bump::domain::{
    Bump, Fact, HowToAsk, Memory, Order, Ordered, PatchPolicy, ProposalKind, PullState,
    ReleaseFacts, RequestId,
};
use digest_bump::policy::{Intent, Proposal, Readiness, Snapshot, all_alarms, decide};

const WITHDRAWN: &str = "upstream withdrew it";

/// A watch with a pull request for 3.11.0, which was withdrawn, and these MINORs, which pass.
fn watch(minors: &[&str], ours: bool) -> Snapshot {
    let mut watch = snapshot(PatchPolicy::Offer);
    let minors = minors.iter().map(|text| candidate(text, Bump::Minor));
    watch.candidates = minors.map(|minor| with_evidence(minor, &PASSING)).collect();
    let open = proposal(ProposalKind::PinBump, &version("3.11.0"), 12);
    watch.proposals = vec![Proposal { ours, gone: Some(WITHDRAWN.to_owned()), ..open }];
    watch
}

fn due(watch: &Snapshot) -> Vec<String> {
    let told = decide(watch, NOW).due.into_iter().map(|intent| match intent {
        Intent::Propose { version, over, .. } => {
            let over = over.map_or(String::new(), |pull| format!(" over {pull}"));
            format!("propose {version}{over}")
        }
        Intent::Close { pull, why } => format!("close {pull}: {why}"),
        other => format!("{other:?}"),
    });
    told.collect()
}

fn alarms(watch: &Snapshot) -> String {
    all_alarms(&Memory::default(), watch, &HowToAsk::CommandLine, NOW).join("\n")
}

#[test]
fn it_is_closed_unless_something_else_takes_it_over() {
    let closed = "close #12: 3.11.0 is no release of the stream any more: upstream withdrew it";
    assert_eq!(due(&watch(&[], true)), [closed]);
    // An older one is proposed in a pull request of its own, once this one is closed.
    assert_eq!(due(&watch(&["3.10.0"], true)), [closed]);
    let newer = watch(&["3.12.0", "3.10.0"], true);
    assert_eq!(due(&newer), ["propose 3.12.0 over #12"]);
    let mut asked = watch(&["3.10.0"], true);
    asked.requests = vec![request(&version("3.10.0"), false)];
    assert_eq!(due(&asked), ["propose 3.10.0 over #12"]);
    for watch in [watch(&["3.10.0"], true), newer] {
        assert_eq!(alarms(&watch), "");
    }
}

#[test]
fn a_draft_is_closed_for_it_too_but_not_where_its_release_is_only_unknown() {
    let draft = |gone: Option<&str>| {
        let mut watch = watch(&[], true);
        watch.by_checks = true;
        let draft = &mut watch.proposals[0];
        draft.readiness = Readiness::Draft { held: None };
        draft.gone = gone.map(str::to_owned);
        watch
    };
    let closed = "close #12: 3.11.0 is no release of the stream any more: upstream withdrew it";
    assert_eq!(due(&draft(Some(WITHDRAWN))), [closed]);
    assert_eq!(due(&draft(None)), [""; 0]);
}

/// A watch with the stub for 4.0.0, which was withdrawn, and these MAJORs, the newest first.
fn with_stub(majors: &[(&str, [&str; 5])]) -> Snapshot {
    let mut watch = snapshot(PatchPolicy::Offer);
    let known =
        majors.iter().map(|(text, evidence)| with_evidence(candidate(text, Bump::Major), evidence));
    watch.candidates = known.collect();
    let stub = proposal(ProposalKind::MigrationStub, &version("4.0.0"), 20);
    watch.proposals = vec![Proposal { gone: Some(WITHDRAWN.to_owned()), ..stub }];
    watch
}

#[test]
fn a_stub_is_closed_for_it_unless_another_release_of_the_major_takes_it_over() {
    let closed = "close #20: 4.0.0 is no release of the stream any more: upstream withdrew it";
    let start = format!("{:?}", Intent::StartCanary(version("4.1.0")));
    let taken = "propose 4.1.0 over #20";
    for (majors, expected) in [
        (&[][..], &[closed][..]),
        (&[("4.1.0", PASSING)], &[taken]),
        (&[("4.1.0", ["there", "there", "early", "passed", "never"])], &[&start]),
        (&[("4.1.0", ["there", "there", "early", "passed", "alive"])], &[]),
        // Those have to wait for what may never come.
        (&[("4.1.0", ["there", "there", "early", "failed", "never"])], &[closed]),
        (&[("4.1.0", ["absent", "there", "early", "none", "never"])], &[closed]),
        (&[("4.1.0", ["there", "there", "young", "passed", "never"])], &[closed]),
        // Another line has a stub of its own.
        (&[("5.0.0", PASSING)], &["propose 5.0.0", closed]),
        (&[("5.0.0", PASSING), ("4.1.0", PASSING)], &[taken, "propose 5.0.0"]),
    ] {
        assert_eq!(due(&with_stub(majors)), expected, "{majors:?}");
    }
}

#[test]
fn the_stub_of_a_release_that_calls_itself_less_is_closed_before_the_next_one() {
    let mut watch = with_stub(&[]);
    watch.proposals[0].version = version("3.10.0");
    let next = with_evidence(candidate("3.11.0", Bump::Minor), &PASSING);
    watch.candidates = vec![broken(next, &["3.11.0"])];
    let closed = "close #20: 3.10.0 is no release of the stream any more: upstream withdrew it";
    assert_eq!(due(&watch), [closed]);
    watch.proposals.clear();
    assert_eq!(due(&watch), ["propose 3.11.0"]);
}

#[test]
fn a_stub_that_the_bot_may_not_close_is_an_alarm() {
    let mut watch = with_stub(&[("4.1.0", PASSING)]);
    assert_eq!(alarms(&watch), "");
    watch.proposals[0].ours = false;
    assert_eq!(due(&watch), [""; 0]);
    assert_eq!(
        alarms(&watch),
        "pull request #20 proposes 4.0.0, which is no release of the stream any more: upstream \
         withdrew it; a person works on its branch, so it is left open"
    );
}

#[test]
fn what_the_bot_may_not_close_is_an_alarm() {
    let theirs = watch(&["3.10.0"], false);
    assert_eq!(due(&theirs), [""; 0]);
    assert_eq!(
        alarms(&theirs),
        "pull request #12 proposes 3.11.0, which is no release of the stream any more: upstream \
         withdrew it; a person works on its branch, so it is left open"
    );
    let mut held = watch(&["3.10.0"], true);
    held.orders = vec![Order {
        id: RequestId(9),
        ordered: Ordered::Hold { reason: None },
        actor: "ada".to_owned(),
        at: minutes_ago(20),
    }];
    assert_eq!(due(&held), [""; 0]);
    assert!(alarms(&held).ends_with("the bot is on hold, so it is left open"), "{held:?}");
}

/// What is seen of the one pull request, which is for 3.10.0, once its release is this.
fn seen(release: Option<ReleaseFacts>, state: PullState) -> Option<String> {
    let mut told = Told::new();
    told.memory.observations.retain(|_, seen| !matches!(seen.fact, Fact::Release(_)));
    if let Some(release) = release {
        told.observe(Fact::Release(release));
    }
    told.observe(Fact::Pull(pull(1, "digest-bump/connector", state)));
    let snapshot = told.snapshot();
    let [proposal] = &snapshot.proposals[..] else { panic!("one pull request") };
    proposal.gone.clone()
}

#[test]
fn only_a_release_that_was_seen_can_be_gone() {
    let release = |change: fn(&mut ReleaseFacts)| {
        let mut release = ReleaseFacts {
            tag: "v3.10.0".to_owned(),
            draft: false,
            prerelease: false,
            published_at: minutes_ago(60),
            url: String::new(),
            notes: String::new(),
            withdrawn: false,
        };
        change(&mut release);
        Some(release)
    };
    for (release, why) in [
        (release(|_| {}), None),
        (release(|it| it.withdrawn = true), Some(WITHDRAWN)),
        (release(|it| it.draft = true), Some("it is a draft")),
        (release(|it| it.prerelease = true), Some("it is a pre-release")),
        // The list could not be read since the memory was lost.
        (None, None),
    ] {
        assert_eq!(seen(release.clone(), PullState::Open).as_deref(), why);
        assert_eq!(seen(release, PullState::Merged), None);
    }
}
