//! An open pull request for what is no release of the stream any more.

use crate::case::{
    NOW, PASSING, candidate, minutes_ago, proposal, request, snapshot, version, with_evidence,
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
