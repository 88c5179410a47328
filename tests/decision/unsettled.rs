//! An open pull request that is to be made anew, such as one that conflicts, and whose evidence is
//! not complete: when that is sought, whatever the policy says of its release.

use crate::case::{
    NOW, PASSING, candidate, proposal, request, running, snapshot, version, with_evidence,
};
use crate::single::mute;
use digest_bump::domain::{Bump, PatchPolicy, ProposalKind, PullNumber};
use digest_bump::policy::{Candidate, Intent, Migration, Proposal, Snapshot, decide};

/// Everything has passed but the canary, which did not run yet.
const WITHOUT_CANARY: [&str; 5] = ["there", "there", "early", "passed", "never"];
const PULL: u64 = 40;

fn unproved(text: &str, bump: Bump) -> Candidate {
    with_evidence(candidate(text, bump), &WITHOUT_CANARY)
}

fn proved(text: &str, bump: Bump) -> Candidate {
    with_evidence(candidate(text, bump), &PASSING)
}

/// A watch with these releases, newest first, and the open pull request for one of them.
fn watch(open: &str, candidates: Vec<Candidate>) -> Snapshot {
    let mut watch = snapshot(PatchPolicy::Offer);
    let open = proposal(ProposalKind::PinBump, &version(open), PULL);
    watch.proposals.push(Proposal { settled: false, ..open });
    watch.candidates = candidates;
    watch
}

fn due(watch: &Snapshot) -> Vec<Intent> {
    decide(watch, NOW).due.into_iter().map(mute).collect()
}

fn start(text: &str) -> Intent {
    Intent::StartCanary(version(text))
}

fn close() -> Intent {
    Intent::Close { pull: PullNumber(PULL), why: String::new() }
}

#[test]
fn what_no_chain_looks_at_is_proved_anew() {
    let mut major = watch("4.0.0", vec![unproved("4.0.0", Bump::Major)]);
    major.migration = Migration::Ready { majors: vec![4], targets: Vec::new() };
    assert_eq!(due(&major), [start("4.0.0")]);
    let releases = vec![proved("3.9.5", Bump::Patch), unproved("3.9.4", Bump::Patch)];
    assert_eq!(due(&watch("3.9.4", releases)), [start("3.9.4")], "3.9.5 is only offered");
    let mut back = watch("3.9.2", vec![unproved("3.9.2", Bump::None)]);
    assert_eq!(due(&back), [close()], "it leads nowhere");
    back.retreat = Some("it was withdrawn".to_owned());
    assert_eq!(due(&back), [start("3.9.2")]);
    let mut repair = watch("3.9.3", vec![unproved("3.9.3", Bump::None)]);
    assert_eq!(due(&repair), [close()], "nothing is to be repaired");
    repair.drifted = true;
    assert_eq!(due(&repair), [start("3.9.3")]);
}

#[test]
fn it_is_not_proved_where_something_takes_it_over_or_comes_first() {
    let both = |newer| vec![newer, unproved("3.10.0", Bump::Minor)];
    let successor = watch("3.10.0", both(proved("3.11.0", Bump::Minor)));
    let propose = Intent::Propose {
        kind: ProposalKind::PinBump,
        version: version("3.11.0"),
        over: Some(PullNumber(PULL)),
        requested: false,
    };
    assert_eq!(due(&successor), [propose]);
    let queued = watch("3.10.0", both(unproved("3.11.0", Bump::Minor)));
    assert_eq!(due(&queued), [start("3.11.0")]);
    let releases = vec![unproved("3.10.0", Bump::Minor), unproved("3.9.4", Bump::Patch)];
    let mut wished = watch("3.10.0", releases);
    wished.requests.push(request(&version("3.9.4"), false));
    assert_eq!(due(&wished), [start("3.9.4")]);
    // A canary that is the downstream's own CI begins with a draft, of which there is one.
    let mut by_checks = watch("4.0.0", vec![unproved("4.0.0", Bump::Major)]);
    by_checks.migration = Migration::Ready { majors: vec![4], targets: Vec::new() };
    by_checks.by_checks = true;
    assert_eq!(due(&by_checks), [start("4.0.0")]);
    by_checks.candidates.push(unproved("3.11.0", Bump::Minor));
    assert_eq!(due(&by_checks), [start("3.11.0")]);
    by_checks.candidates[1].running = Some(running(-60));
    assert_eq!(due(&by_checks), []);
    let mut person = watch("3.9.4", vec![unproved("3.9.4", Bump::Patch)]);
    person.patches = PatchPolicy::Skip;
    person.proposals[0].ours = false;
    assert_eq!(due(&person), []);
}
