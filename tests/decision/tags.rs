//! Tags that moved and a pin that is gone: what is told of them, and what it stops.

use crate::case::{NOW, candidate, digest, minutes_ago, snapshot, version};
use crate::pulls::pull;
use crate::remembered::Told;
use digest_bump::domain::{
    Bump, Check, Digest, Fact, HowToAsk, ImageFacts, IndexDigest, Memory, PatchPolicy, PinnedFacts,
    Platform, PullState, Version,
};
use digest_bump::policy::{
    Intent, PinState, Stage, alarms, all_alarms, decide, inputs_of, required_checks, tag_drift,
};

const MOVED: &str = "3.10.0";

fn image(of: &Version) -> Fact {
    Fact::Image(ImageFacts { digest: digest(of), version: of.clone(), platforms: Vec::new() })
}

fn other(name: &str) -> Digest {
    Digest::of(name.as_bytes())
}

/// Texts with the names of the digests.
fn named(lines: &[String]) -> String {
    let mut text = lines.join("\n");
    let known = ["3.8.0", "3.8.1", "3.9.3", "3.9.4", "3.10.0", "4.0.0"];
    for of in known {
        text = text.replace(digest(&version(of)).as_str(), &format!("<{of}>"));
    }
    for name in ["a", "b"] {
        text = text.replace(other(name).as_str(), &format!("<{name}>"));
    }
    text
}

fn pin() -> PinState {
    let pinned = version("3.9.3");
    PinState::Known { digest: digest(&pinned), version: pinned }
}

fn served(memory: &mut Memory, yes: bool) {
    let platforms = yes.then(|| vec![Platform("linux/amd64".to_owned())]);
    let digest = digest(&version("3.9.3"));
    memory.observe(Fact::Pinned(PinnedFacts { digest, platforms }), minutes_ago(2));
}

/// Lets the tag of a version that gave its own digest give these, minute by minute.
fn gives(memory: &mut Memory, of: &str, then: &[Option<&str>]) {
    let of = version(of);
    memory.observe_image_tag(&of, Some(digest(&of).digest()), minutes_ago(60));
    for (minute, to) in (0..).zip(then) {
        let to = to.map(other);
        memory.observe_image_tag(&of, to.as_ref(), minutes_ago(50 - minute));
    }
}

#[test]
fn each_thing_that_is_wrong_has_its_line_and_the_old_ones_share_one() {
    let mut memory = Memory::default();
    served(&mut memory, true);
    gives(&mut memory, "3.9.3", &[]);
    assert_eq!(alarms(&memory, &pin(), &HowToAsk::CommandLine), [""; 0]);
    gives(&mut memory, "3.9.3", &[Some("a")]);
    gives(&mut memory, "3.9.4", &[Some("b"), None]);
    gives(&mut memory, "3.10.0", &[None]);
    gives(&mut memory, "4.0.0", &[None, Some("a")]);
    gives(&mut memory, "3.8.0", &[Some("a")]);
    gives(&mut memory, "3.8.1", &[None]);
    memory.observe(Fact::Pull(pull(7, "digest-bump/connector", PullState::Open)), minutes_ago(1));
    insta::assert_snapshot!(named(&alarms(&memory, &pin(), &HowToAsk::CommandLine)), @"
    the tag 4.0.0 moved: <4.0.0> (first seen 2026-09-21T13:13:20Z) → gone (seen 2026-09-21T13:23:20Z) → <a> (seen 2026-09-21T13:24:20Z); it is not proposed
    the tag 3.10.0 was taken away: <3.10.0> (first seen 2026-09-21T13:13:20Z) → gone (seen 2026-09-21T13:23:20Z); pull request #7 proposes <3.10.0>, which is what was verified
    the tag 3.9.4 moved: <3.9.4> (first seen 2026-09-21T13:13:20Z) → <b> (seen 2026-09-21T13:23:20Z) → gone (seen 2026-09-21T13:24:20Z); it is not proposed
    the tag 3.9.3 moved: <3.9.3> (first seen 2026-09-21T13:13:20Z) → <a> (seen 2026-09-21T13:23:20Z); the downstream pins <3.9.3>, which is still served
    the tags of releases older than the pin moved or were taken away: 3.8.1, 3.8.0; `digest-bump explain` tells more of each
    ");
    served(&mut memory, false);
    let lines = alarms(&memory, &pin(), &HowToAsk::CommandLine);
    insta::assert_snapshot!(named(&[lines[0].clone(), lines[4].clone()]), @"
    the registry does NOT serve the pinned digest <3.9.3> of 3.9.3 any more (seen 2026-09-21T14:11:20Z): whoever does not have it yet cannot pull what is pinned
    the tag 3.9.3 moved: <3.9.3> (first seen 2026-09-21T13:13:20Z) → <a> (seen 2026-09-21T13:23:20Z); the downstream pins <3.9.3>, which is NOT served any more
    ");
    // Without a pin nothing is older or newer.
    let unknown = PinState::Unknown { why: String::new(), ask: None };
    assert_eq!(alarms(&memory, &unknown, &HowToAsk::CommandLine).len(), 6);
}

#[test]
fn a_pin_that_its_tag_never_gave_is_told_and_one_that_it_gave_once_is_not() {
    let mut memory = Memory::default();
    let of = version("3.9.3");
    // A version without a tag: the content of a release that was tagged as another.
    assert_eq!(memory.observe_image_tag(&of, None, minutes_ago(9)), None);
    assert_eq!(alarms(&memory, &pin(), &HowToAsk::CommandLine), [""; 0]);
    memory.observe_image_tag(&of, Some(&other("a")), minutes_ago(8));
    insta::assert_snapshot!(named(&alarms(&memory, &pin(), &HowToAsk::CommandLine)), @"3.9.3 is pinned at <3.9.3>, but its tag gave <a> when it was first resolved (2026-09-21T14:05:20Z): it was moved before, or the pin is of another release");
    memory.observe_image_tag(&of, Some(digest(&of).digest()), minutes_ago(7));
    let lines = alarms(&memory, &pin(), &HowToAsk::CommandLine);
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert!(lines[0].starts_with("the tag 3.9.3 moved"), "{lines:?}");
}

#[test]
fn an_answer_about_a_tag_is_stale_as_soon_as_the_tag_gives_something_else() {
    let mut told = Told::new();
    let of = version(MOVED);
    told.memory.observe(image(&of), minutes_ago(60));
    let inputs = |told: &Told| inputs_of(Check::TagStability, &of, &told.rules, &told.memory, None);
    let mut seen = vec![inputs(&told)];
    assert_eq!(seen[0], "");
    for to in [Some("a"), Some("b"), None] {
        told.memory.observe_image_tag(&of, to.map(other).as_ref(), minutes_ago(10));
        assert!(!seen.contains(&inputs(&told)));
        seen.push(inputs(&told));
    }
    // One that is back as it was, and was only gone, is what it was.
    let mut told = Told::new();
    told.memory.observe(image(&of), minutes_ago(60));
    told.memory.observe_image_tag(&of, None, minutes_ago(10));
    assert_ne!(inputs(&told), "");
    told.memory.observe_image_tag(&of, Some(digest(&of).digest()), minutes_ago(5));
    assert_eq!(inputs(&told), "");
}

#[test]
fn a_pull_request_remembers_what_a_tag_gave_whatever_became_of_it() {
    for state in [PullState::Open, PullState::Closed, PullState::Merged] {
        let mut memory = Memory::default();
        let of = version(MOVED);
        memory.observe(Fact::Pull(pull(7, "digest-bump/connector", state)), minutes_ago(60));
        assert_eq!(tag_drift(&memory, &of), None, "nothing was resolved");
        memory.observe(image(&of), minutes_ago(50));
        assert_eq!(tag_drift(&memory, &of), None, "it is what was proposed");
        let mut memory = Memory::default();
        memory.observe(Fact::Pull(pull(7, "digest-bump/connector", state)), minutes_ago(60));
        let facts = ImageFacts {
            digest: IndexDigest::new(other("a")),
            version: of.clone(),
            platforms: Vec::new(),
        };
        memory.observe(Fact::Image(facts), minutes_ago(50));
        let drift = tag_drift(&memory, &of).unwrap();
        assert_eq!(
            named(&[drift]),
            "the tag 3.10.0 moved: pull request #7 proposed <3.10.0>, and now it gives <a>"
        );
    }
}

#[test]
fn what_was_never_looked_at_waits_for_the_end_of_a_limit_that_another_tag_met() {
    let mut told = Told::new();
    let of = version(MOVED);
    let until = minutes_ago(-30);
    told.memory.observe(Fact::RegistryLimit { until }, minutes_ago(1));
    let decision = decide(&told.snapshot(), NOW);
    assert_eq!((decision.due, decision.wake), (vec![], Some(until)));
    let (_, stage) = decision.stages.iter().find(|(known, _)| *known == of).unwrap();
    assert!(matches!(stage, Stage::Waiting { until: Some(at), .. } if *at == until), "{stage:?}");
    // Once it is over, as if there had been none.
    let mut told = Told::new();
    told.memory.observe(Fact::RegistryLimit { until: minutes_ago(1) }, minutes_ago(30));
    assert_eq!(decide(&told.snapshot(), NOW).due, [Intent::Look(of)]);
}

#[test]
fn whatever_is_proposed_has_a_tag_that_did_not_move() {
    use digest_bump::domain::ProposalKind::{MigrationStub, PinBump};
    let asked = Check::ALL.into_iter().collect();
    for kind in [PinBump, MigrationStub] {
        assert!(required_checks(kind, &asked).any(|check| check == Check::TagStability));
    }
}

#[test]
fn the_way_back_is_told_to_each_reader_in_their_own_words() {
    let mut snapshot = snapshot(PatchPolicy::Offer);
    snapshot.retreat = Some("nobody serves it".to_owned());
    snapshot.candidates.push(candidate("3.9.2", Bump::None));
    let alarms = |how: &HowToAsk| all_alarms(&Memory::default(), &snapshot, how, NOW).join("\n");
    insta::assert_snapshot!(alarms(&HowToAsk::CommandLine), @"what is pinned has to be left: nobody serves it; `digest-bump request bump 3.9.2` asks for the way back, to this release or an older one");
    let comment = HowToAsk::Comment { prefix: "/pin".to_owned() };
    insta::assert_snapshot!(alarms(&comment), @"what is pinned has to be left: nobody serves it; `/pin 3.9.2` asks for the way back, to this release or an older one");
}
