//! Releases that call themselves less than they are: a stub at a time, the pin untouched, and
//! nothing of it for those that are older than the break.

use crate::case::{
    NOW, PASSING, broken, candidate, digest, faults, proposal, snapshot, stage_word, version,
    with_evidence,
};
use crate::remembered::Told;
use digest_bump::domain::{
    Bump, Digest, Fact, ImageFacts, PatchPolicy, PinnedFacts, Platform, PlatformDigest,
    PlatformFacts, ProposalKind, PullNumber, PullState,
};
use digest_bump::policy::{
    Candidate, Decision, Intent, Migration, PinState, Proposal, Snapshot, Stage, decide,
};
use std::collections::BTreeMap;

pub(crate) const HELD: [&str; 5] = ["there", "there", "early", "failed", "never"];

/// What a release of a list is like: whether it breaks something, and whether its evidence passes.
type Kind = (bool, bool);

const TEXTS: [&str; 4] = ["3.13.0", "3.12.0", "3.11.0", "3.10.0"];

/// Each list of four releases.
fn all_kinds() -> Vec<[Kind; 4]> {
    (0..256_u32)
        .map(|code| {
            [0, 1, 2, 3].map(|at| (code >> (2 * at) & 1 == 1, code >> (2 * at + 1) & 1 == 1))
        })
        .collect()
}

/// The releases that broke something, at or below each, oldest first: what it contains.
fn breaks(kinds: [Kind; 4], index: usize) -> Vec<&'static str> {
    (index..4).rev().filter(|at| kinds[*at].0).map(|at| TEXTS[at]).collect()
}

fn watch(kinds: [Kind; 4]) -> Snapshot {
    let mut snapshot = snapshot(PatchPolicy::Offer);
    for (index, (_, passes)) in kinds.iter().enumerate() {
        let evidence = if *passes { &PASSING } else { &HELD };
        let release = with_evidence(candidate(TEXTS[index], Bump::Minor), evidence);
        let since = breaks(kinds, index);
        snapshot.candidates.push(if since.is_empty() { release } else { broken(release, &since) });
    }
    snapshot
}

fn stub(of: &str, state: PullState) -> Proposal {
    Proposal { state, ..proposal(ProposalKind::MigrationStub, &version(of), 20) }
}

fn proposed(decision: &Decision, kind: ProposalKind) -> Vec<String> {
    let of_kind = |intent: &Intent| match intent {
        Intent::Propose { kind: of, version, over: None, requested: false } if *of == kind => {
            Some(version.to_string())
        }
        _ => None,
    };
    decision.due.iter().filter_map(of_kind).collect()
}

/// Every list, with every stub that may be there already.
#[test]
fn the_newest_break_gets_a_stub_and_the_newest_honest_one_the_pin() {
    let pasts = TEXTS.iter().flat_map(|of| {
        [PullState::Open, PullState::Merged, PullState::Closed].map(|state| Some((*of, state)))
    });
    for past in std::iter::once(None).chain(pasts) {
        for kinds in all_kinds() {
            let mut watch = watch(kinds);
            watch.proposals.extend(past.map(|(of, state)| stub(of, state)));
            let decision = decide(&watch, NOW);
            let case = format!("{kinds:?} {past:?}");
            assert_eq!(faults(&watch, &decision), Vec::<String>::new(), "{case}");
            let honest = |at: &usize| breaks(kinds, *at).is_empty();
            let passes = |at: &usize| kinds[*at].1;
            let pin = (0..4).filter(honest).find(passes);
            let pins = proposed(&decision, ProposalKind::PinBump);
            assert_eq!(pins, pin.map(|at| TEXTS[at]).as_slice(), "{case}");
            // A stub contains what it and the older ones broke, and nothing that came later.
            let place = |text: &str| TEXTS.iter().position(|it| *it == text).unwrap();
            let met = |at: &usize| {
                let newest = breaks(kinds, *at).last().map(|text| place(text));
                newest.is_some_and(|newest| past.is_some_and(|(of, _)| place(of) <= newest))
            };
            let waits = past.is_some_and(|(_, state)| state == PullState::Open);
            let target = (0..4).filter(|at| !honest(at) && !met(at)).find(passes);
            let stubs = proposed(&decision, ProposalKind::MigrationStub);
            let expected = target.filter(|_| !waits).map(|at| TEXTS[at]);
            assert_eq!(stubs, expected.as_slice(), "{case}");
            for at in (0..4).filter(|at| !honest(at)) {
                let word = stage_word(&decision, &version(TEXTS[at]));
                let expected = match past {
                    Some((_, PullState::Merged)) if met(&at) => "migrated",
                    Some((_, PullState::Closed)) if met(&at) => "declined",
                    Some((of, PullState::Open)) if met(&at) && of == TEXTS[at] => "proposed",
                    Some((_, PullState::Open)) if met(&at) => "covered",
                    Some((_, PullState::Open)) => "waiting",
                    _ if target == Some(at) => "ready",
                    _ if target.is_some_and(|target| target < at) => "covered",
                    _ => "held",
                };
                assert_eq!(word, expected, "{case} {}", TEXTS[at]);
            }
        }
    }
}

#[test]
fn a_section_of_the_document_counts_like_a_merged_stub() {
    // The two newest contain the break of 3.12.0, the third one is that of 3.11.0 alone.
    let kinds = [(false, true), (true, true), (true, true), (false, true)];
    for (targets, words) in [
        (vec![], ["ready", "covered", "covered", "ready"]),
        (vec!["3.3.2", "4.12.0"], ["ready", "covered", "covered", "ready"]),
        (vec!["3.10.0"], ["ready", "covered", "covered", "ready"]),
        (vec!["3.11.0"], ["ready", "covered", "migrated", "ready"]),
        (vec!["3.12.0"], ["migrated", "migrated", "migrated", "ready"]),
        (vec!["3.13.0"], ["migrated", "migrated", "migrated", "ready"]),
        (vec!["3.14.0"], ["migrated", "migrated", "migrated", "ready"]),
    ] {
        let mut watch = watch(kinds);
        let sections = targets.iter().map(|text| version(text)).collect();
        watch.migration = Migration::Ready { majors: vec![3], targets: sections };
        let decision = decide(&watch, NOW);
        let got = TEXTS.map(|text| stage_word(&decision, &version(text)));
        assert_eq!(got, words, "{targets:?}");
    }
}

#[test]
fn what_is_migrated_stays_so_while_a_later_migration_is_proposed() {
    let kinds = [(false, true), (true, true), (false, true), (true, true)];
    let mut watch = watch(kinds);
    for (first, second, words) in [
        (PullState::Merged, PullState::Open, ["covered", "proposed", "migrated", "migrated"]),
        (PullState::Merged, PullState::Closed, ["declined", "declined", "migrated", "migrated"]),
        (PullState::Closed, PullState::Open, ["covered", "proposed", "covered", "covered"]),
        (PullState::Closed, PullState::Merged, ["migrated"; 4]),
    ] {
        watch.proposals = vec![
            stub("3.10.0", first),
            Proposal { pull: PullNumber(21), ..stub("3.12.0", second) },
        ];
        let decision = decide(&watch, NOW);
        let got = TEXTS.map(|text| stage_word(&decision, &version(text)));
        assert_eq!(got, words, "{first:?} {second:?}");
        assert_eq!(decision.due, []);
    }
}

#[test]
fn an_open_stub_at_or_below_the_pin_is_in_nobodys_way() {
    let kinds = [(false, true), (true, true), (false, true), (false, true)];
    for (of, word) in [("3.9.3", "ready"), ("3.9.2", "ready"), ("3.11.0", "waiting")] {
        let mut watch = watch(kinds);
        watch.proposals.push(stub(of, PullState::Open));
        assert_eq!(stage_word(&decide(&watch, NOW), &version("3.13.0")), word, "{of}");
    }
    let mut watch = watch(kinds);
    watch.proposals.push(stub("3.11.0", PullState::Open));
    let why = "the migration to 3.11.0, pull request #20, comes first".to_owned();
    let decision = decide(&watch, NOW);
    assert_eq!(decision.stages[0].1, Stage::Waiting { until: None, why });
}

#[test]
fn what_a_newer_release_takes_back_needs_no_migration() {
    for (image, word) in [("there", "skipped"), ("absent", "ready")] {
        let mut watch = snapshot(PatchPolicy::Offer);
        let newer = [image, "there", "early", "none", "never"];
        let newer = with_evidence(candidate("3.11.0", Bump::Minor), &newer);
        let lost = with_evidence(candidate("3.10.0", Bump::Minor), &PASSING);
        watch.candidates = vec![newer, broken(lost, &["3.10.0"])];
        let decision = decide(&watch, NOW);
        assert_eq!(stage_word(&decision, &version("3.10.0")), word, "{image}");
    }
}

/// The open pull request, if it is closed, and the stage of the release.
fn withdrawn(watch: &Snapshot) -> (bool, &'static str) {
    let decision = decide(watch, NOW);
    let close = |intent: &Intent| matches!(intent, Intent::Close { pull: PullNumber(40), .. });
    (decision.due.iter().any(close), stage_word(&decision, &version("3.10.0")))
}

#[test]
fn a_proposal_that_turns_out_to_be_a_major_is_withdrawn_unless_somebody_asked_for_it() {
    let mut watch = snapshot(PatchPolicy::Offer);
    let release = with_evidence(candidate("3.10.0", Bump::Minor), &PASSING);
    watch.candidates = vec![release.clone()];
    watch.proposals = vec![proposal(ProposalKind::PinBump, &version("3.10.0"), 40)];
    assert_eq!(withdrawn(&watch), (false, "proposed"), "it is honest");
    watch.candidates = vec![broken(release.clone(), &["3.10.0"])];
    assert_eq!(withdrawn(&watch), (true, "ready"));
    watch.migration = Migration::Faulty("it is no text".to_owned());
    assert_eq!(withdrawn(&watch), (true, "held"));
    watch.migration = Migration::Ready { majors: vec![], targets: vec![version("3.10.0")] };
    assert_eq!(withdrawn(&watch), (false, "proposed"), "its migration is done");
    watch.migration = Migration::Unset;
    watch.proposals[0].requested = true;
    assert_eq!(withdrawn(&watch), (false, "proposed"), "somebody asked");
    watch.proposals[0] = Proposal { requested: false, ours: false, ..watch.proposals[0].clone() };
    assert_eq!(withdrawn(&watch), (false, "proposed"), "a person works on it");
    // One that is newer and honest takes its place instead.
    watch.proposals[0].ours = true;
    watch.candidates.insert(0, with_evidence(candidate("3.11.0", Bump::Minor), &PASSING));
    assert!(!withdrawn(&watch).0);
}

/// The images of these platforms; the first one is pinned.
fn with_images(told: &mut Told, images: &[(&str, &[&str])]) {
    let platforms = |names: &[&str]| names.iter().map(|it| Platform((*it).to_owned())).collect();
    for (index, (text, names)) in images.iter().enumerate() {
        let of = version(text);
        if index == 0 {
            let platforms = Some(platforms(names));
            told.observe(Fact::Pinned(PinnedFacts { digest: digest(&of), platforms }));
            continue;
        }
        let part = |platform| PlatformFacts {
            platform,
            digest: PlatformDigest::new(Digest::of(b"part")),
            labels: BTreeMap::new(),
        };
        let platforms: Vec<Platform> = platforms(names);
        let platforms = platforms.into_iter().map(part).collect();
        told.observe(Fact::Image(ImageFacts {
            version: of.clone(),
            digest: digest(&of),
            platforms,
        }));
    }
}

/// Each candidate above the pin: its bump, and what was broken since when.
pub(crate) fn seen(told: &Told) -> Vec<(String, Bump, Vec<String>)> {
    let snapshot = told.snapshot();
    let above = |c: &&Candidate| c.bump != Bump::None;
    let tell = |c: &Candidate| {
        let since = c.understated.iter().map(|broken| broken.since.to_string()).collect();
        (c.version.to_string(), c.bump, since)
    };
    snapshot.candidates.iter().filter(above).map(tell).collect()
}

#[test]
fn a_later_release_contains_the_break_and_an_older_one_does_not() {
    let mut told = Told::new();
    told.noted("3.9.3", "### BREAKING CHANGES\n* behind the pin\n");
    told.noted("3.11.0", "### ⚠ BREAKING CHANGES\n* one\n* two\n");
    told.released("3.12.0");
    told.noted("3.12.1", "* feat(admin)!: three\n");
    told.noted("4.0.0", "### BREAKING CHANGES\n* a MAJOR says so\n");
    let row = |text: &str, bump, since: &[&str]| {
        (text.to_owned(), bump, since.iter().map(|it| (*it).to_owned()).collect::<Vec<_>>())
    };
    assert_eq!(
        seen(&told),
        [
            row("4.0.0", Bump::Major, &[]),
            row("3.12.1", Bump::Major, &["3.11.0", "3.12.1"]),
            row("3.12.0", Bump::Major, &["3.11.0"]),
            row("3.11.0", Bump::Major, &["3.11.0"]),
            row("3.10.0", Bump::Minor, &[]),
        ]
    );
    let snapshot = told.snapshot();
    let whys = |index: usize| -> Vec<&str> {
        snapshot.candidates[index].understated.iter().map(|it| &*it.why).collect()
    };
    assert_eq!(
        whys(1),
        [
            "the notes of 3.11.0 name 2 breaking changes",
            "the notes of 3.12.1 name a breaking change: “feat(admin)!: three”"
        ]
    );
    assert_eq!(snapshot.declared(&version("3.12.1")), Bump::Minor);
    let PinState::Known { version: pinned, .. } = &snapshot.pin else { panic!("{snapshot:?}") };
    assert_eq!(pinned, &version("3.9.3"));
}

#[test]
fn what_the_notes_say_makes_a_major_or_does_not() {
    for (notes, why) in [
        ("### Features\n* **admin:** list peers\n", None),
        ("### ⚠ BREAKING CHANGES\n\nNone.\n", None),
        ("### BREAKING CHANGES\n* n/a\n\n### Fixes\n* a\n", None),
        (
            "### Fixes\n* **admin:** remove GET /admin/peers\n",
            Some("remove or rename something below `/admin/`: “remove GET /admin/peers”"),
        ),
        (
            "This release removes GET /admin/peers.\n",
            Some(
                "remove or rename something below `/admin/`: “This release removes GET /admin/peers.”",
            ),
        ),
        (
            "* change the ILP wire format\n",
            Some("change the wire format: “change the ILP wire format”"),
        ),
        ("* a\n\nBREAKING CHANGE: b\n", Some("name a breaking change: “b”")),
    ] {
        let mut told = Told::new();
        told.noted("3.10.0", notes);
        let candidates = told.snapshot().candidates;
        let got = candidates[0].understated.first().map(|broken| broken.why.clone());
        assert_eq!(got, why.map(|why| format!("the notes of 3.10.0 {why}")), "{notes:?}");
    }
}

#[test]
fn a_platform_that_the_pinned_image_has_is_lost_since_the_release_that_lacks_it() {
    let (both, one): (&[&str], &[&str]) = (&["linux/amd64", "linux/arm64"], &["linux/amd64"]);
    let of = |images: &[(&str, &[&str])]| {
        let mut told = Told::new();
        for text in ["3.11.0", "3.12.0"] {
            told.released(text);
        }
        with_images(&mut told, images);
        let since = |(_, bump, since): (String, Bump, Vec<String>)| {
            assert_eq!(bump == Bump::Major, !since.is_empty());
            since.first().cloned().unwrap_or_default()
        };
        seen(&told).into_iter().map(since).collect::<Vec<_>>()
    };
    for (images, expected) in [
        (vec![("3.9.3", both), ("3.10.0", both)], ["", "", ""]),
        (vec![("3.9.3", both), ("3.10.0", one)], ["", "", "3.10.0"]),
        (vec![("3.9.3", one), ("3.10.0", both)], ["", "", ""]),
        (vec![("3.9.3", both), ("3.12.0", one)], ["3.12.0", "", ""]),
        (vec![("3.9.3", both), ("3.12.0", one), ("3.11.0", one)], ["3.11.0", "3.11.0", ""]),
        // What is not known is not counted on, but does not end it either.
        (vec![("3.9.3", both), ("3.12.0", one), ("3.10.0", one)], ["3.10.0", "", "3.10.0"]),
        (
            vec![("3.9.3", both), ("3.12.0", one), ("3.11.0", both), ("3.10.0", one)],
            ["3.12.0", "", "3.10.0"],
        ),
    ] {
        assert_eq!(of(&images), expected, "{images:?}");
    }
    // Nobody knows what was pinned.
    let mut told = Told::new();
    with_images(&mut told, &[("3.9.2", both), ("3.10.0", one)]);
    assert_eq!(seen(&told)[0].1, Bump::Minor);
}

#[test]
fn what_was_pinned_is_known_from_when_it_was_a_candidate_too() {
    let mut told = Told::new();
    let (both, one): (&[&str], &[&str]) = (&["linux/amd64", "linux/arm64"], &["linux/arm64"]);
    with_images(&mut told, &[("3.9.2", one), ("3.9.3", both), ("3.10.0", one)]);
    let candidates = told.snapshot().candidates;
    assert_eq!(candidates[0].lost, [Platform("linux/amd64".to_owned())]);
    let why = "its image has no linux/amd64, which the pinned one has";
    assert_eq!(candidates[0].understated[0].why, why);
}
