//! One release in every situation, held against the table.

use crate::case::{
    NOW, broken, candidate, faults, minutes_ago, proposal, request, snapshot, stage_word, version,
    with_evidence,
};
use crate::table::{Row, Table, product};
use digest_bump::domain::{
    Bump, Check, PatchPolicy, ProposalKind, PullNumber, PullState, RequestId, RunId, Version,
};
use digest_bump::policy::{Intent, Migration, Proposal, Snapshot, decide};

type Dimensions = [(&'static str, &'static [&'static str])];

pub(super) const EVIDENCE: &Dimensions = &[
    ("kind", &["bump", "stub"]),
    ("image", &["unlooked", "there", "absent", "unavailable", "unusable"]),
    ("npm", &["there", "absent", "unavailable"]),
    ("age", &["early", "late", "young"]),
    ("cheap", &["none", "rest", "failed", "sites", "lost", "passed", "parked", "due", "spent"]),
    ("canary", &["never", "alive", "dead", "rerun", "passed", "failed", "parked", "due", "spent"]),
];

const LIFE: &Dimensions = &[
    ("way", &["older", "pinned", "minor", "propose", "offer", "skip"]),
    ("evidence", CLASSES),
    (
        "open",
        &[
            "none",
            "same",
            "unsettled",
            "lower",
            "higher",
            "person",
            "person-same",
            "stale",
            "stale-person",
        ],
    ),
    ("past", &["none", "declined", "newer"]),
    ("request", &["none", "this", "other", "granted"]),
];

const MAJOR: &Dimensions = &[
    ("migration", &["unset", "faulty", "ready", "section", "open", "merged", "closed"]),
    ("stub", CLASSES),
    ("pin", CLASSES),
    ("open", &["none", "same", "unsettled", "lower", "person"]),
    ("request", &["none", "this"]),
];

const CLASSES: &[&str] = &["due", "wait", "held", "running", "ready"];

/// Evidence that can exist: answers are about a digest, so there are none without an image; and no
/// canary is started, nor an unsure answer asked for again, while the npm half is missing.
fn can_be(evidence: &[&str]) -> bool {
    let [image, npm, age, cheap, canary] = evidence else { panic!("{evidence:?}") };
    // Nobody asks for the age before the artifacts are there.
    if *age == "young" && (*image != "there" || *npm != "there") {
        return false;
    }
    let ended = matches!(*canary, "never" | "passed" | "failed");
    let unsure = matches!(*cheap, "parked" | "due" | "spent");
    match *image {
        "there" => {
            let calm = ended || !(unsure || (*npm != "there"));
            calm && !(unsure && *npm != "there")
        }
        _ => *cheap == "none" && *canary == "never",
    }
}

/// All evidence that can be, with the table's word for a pin bump and for a stub.
pub(super) fn all_evidence(table: &Table) -> Vec<(Vec<&'static str>, &'static str, &'static str)> {
    let possible = product(&EVIDENCE[1..]).into_iter().filter(|words| can_be(words));
    possible
        .map(|words| {
            let word = |kind| table.row(&[&[kind], &words[..]].concat()).expected[0][0];
            let (bump, stub) = (word("bump"), word("stub"));
            (words, bump, stub)
        })
        .collect()
}

fn class(word: &str) -> &'static str {
    match word {
        "look" | "check" | "rest" | "recheck" | "start" | "bury" => "due",
        "wait" | "wait-deadline" | "wait-retry" | "wait-soak" => "wait",
        "held" => "held",
        "running" => "running",
        "ready" => "ready",
        other => panic!("{other}"),
    }
}

/// What an evidence's word asks to be done.
fn work(word: &str, kind: ProposalKind, of: &Version) -> Vec<Intent> {
    let checks = |checks: &[Check]| {
        let moves_the_pin = [Check::Platforms, Check::Sites];
        let needed = checks
            .iter()
            .filter(|check| kind == ProposalKind::PinBump || !moves_the_pin.contains(check));
        needed.map(|check| Intent::Check { version: of.clone(), check: *check }).collect()
    };
    let all_but = |left: &[Check]| {
        let asked: Vec<Check> = Check::ALL.into_iter().filter(|it| !left.contains(it)).collect();
        checks(&asked)
    };
    match word {
        "look" => vec![Intent::Look(of.clone())],
        "check" => all_but(&[Check::Canary]),
        "rest" => all_but(&[Check::Signature, Check::Canary]),
        "recheck" => checks(&[Check::VersionLabel]),
        "start" => vec![Intent::StartCanary(of.clone())],
        "bury" => vec![Intent::Bury(RunId(7))],
        _ => Vec::new(),
    }
}

const OTHER: &str = "3.9.4";
const PULL: PullNumber = PullNumber(40);

/// What an intent's word stands for.
fn intents(word: &str, of: &Version, bump: &str, stub: &str) -> Vec<Intent> {
    let propose = |kind, over, requested| {
        vec![Intent::Propose { kind, version: of.clone(), over, requested }]
    };
    let answer =
        |granted| vec![Intent::Answer { request: RequestId(1), granted, answer: String::new() }];
    match word {
        "work" | "pin-work" => work(bump, ProposalKind::PinBump, of),
        "stub-work" => work(stub, ProposalKind::MigrationStub, of),
        "other" => vec![Intent::Look(version(OTHER))],
        "propose" => propose(ProposalKind::PinBump, None, false),
        "propose-asked" => propose(ProposalKind::PinBump, None, true),
        "over" => propose(ProposalKind::PinBump, Some(PULL), false),
        "over-asked" => propose(ProposalKind::PinBump, Some(PULL), true),
        "stub" => propose(ProposalKind::MigrationStub, None, false),
        "close" => vec![Intent::Close { pull: PULL, why: String::new() }],
        "grant" => answer(true),
        "refuse" => answer(false),
        other => panic!("{other}"),
    }
}

/// Without the texts, which the tests of `render` and of the daemon read.
pub(super) fn mute(intent: Intent) -> Intent {
    match intent {
        Intent::Close { pull, .. } => Intent::Close { pull, why: String::new() },
        Intent::Answer { request, granted, .. } => {
            Intent::Answer { request, granted, answer: String::new() }
        }
        other => other,
    }
}

/// The words that one case is judged by.
struct Expected<'a> {
    row: &'a Row,
    evidence: &'a [&'static str],
    bump: &'static str,
    stub: &'static str,
}

/// Decides, and reports how that differs from the row, if it does.
fn compare(snapshot: &Snapshot, of: &Version, expected: &Expected<'_>) -> Option<String> {
    let decision = decide(snapshot, NOW);
    let faults = faults(snapshot, &decision);
    assert_eq!(decision, decide(snapshot, NOW), "the same answer twice");
    let [stages, words] = &expected.row.expected[..] else { panic!("a row has two right sides") };
    let (mut must, mut may) = (Vec::new(), Vec::new());
    for word in words {
        match word.strip_suffix('?') {
            Some(word) => may.extend(intents(word, of, expected.bump, expected.stub)),
            None => must.extend(intents(word, of, expected.bump, expected.stub)),
        }
    }
    if expected.evidence[4] == "dead" {
        must.push(Intent::Bury(RunId(7)));
    }
    if !words.contains(&"other") {
        // The other release is checked for its own sake where its wish was refused.
        may.push(Intent::Look(version(OTHER)));
    }
    let due: Vec<Intent> = decision.due.iter().cloned().map(mute).collect();
    let missing = must.iter().filter(|intent| !due.contains(intent)).count();
    let extra = due.iter().filter(|i| !must.contains(i) && !may.contains(i)).count();
    let stage = stage_word(&decision, of);
    (missing + extra + faults.len() > 0 || !stages.contains(&stage)).then(|| {
        format!(
            "line {}: expected {stages:?} {words:?}, got {stage} {due:?} {faults:?}; bump {}, stub {}, {:?}",
            expected.row.line(),
            expected.bump,
            expected.stub,
            expected.evidence,
        )
    })
}

/// Fails with the first disagreement of each row.
fn assert_none(mut failures: Vec<String>) {
    let count = failures.len();
    failures.dedup_by_key(|failure| failure.split(':').next().unwrap().to_owned());
    failures.truncate(40);
    assert!(failures.is_empty(), "{count} disagreements:\n{}", failures.join("\n"));
}

fn bump_of(way: &str) -> (&'static str, Bump) {
    match way {
        "older" => ("3.9.2", Bump::None),
        "pinned" => ("3.9.3", Bump::None),
        "minor" => ("3.10.0", Bump::Minor),
        _ => ("3.9.6", Bump::Patch),
    }
}

fn policies(way: &str) -> &'static [PatchPolicy] {
    match way {
        "propose" => &[PatchPolicy::Propose],
        "offer" => &[PatchPolicy::Offer],
        "skip" => &[PatchPolicy::Skip],
        // Everything else is as it is, whatever happens to patches.
        _ => &[PatchPolicy::Propose, PatchPolicy::Offer, PatchPolicy::Skip],
    }
}

/// The open pull request of a word.
pub(super) fn open(word: &str, of: &Version, at_pin: bool, requested: bool) -> Option<Proposal> {
    let lower = version(if at_pin { "3.9.1" } else { "3.9.5" });
    let proposed = match word {
        "none" => return None,
        "same" | "unsettled" | "person-same" => of.clone(),
        "lower" | "person" => lower,
        "higher" => version("3.12.0"),
        "stale" | "stale-person" => version("3.9.3"),
        other => panic!("{other}"),
    };
    let mut open = proposal(ProposalKind::PinBump, &proposed, PULL.0);
    open.ours = !matches!(word, "person" | "person-same" | "stale-person");
    open.settled = open.ours && word != "unsettled";
    open.requested = requested;
    Some(open)
}

/// A watch as the words of a row of `life` say, the release's evidence still to be filled in.
fn life(words: &[&str], patches: PatchPolicy) -> (Snapshot, Version) {
    let [way, open_word, past, wish] = words else { panic!("{words:?}") };
    let (text, bump) = bump_of(way);
    let of = version(text);
    let mut snapshot = snapshot(patches);
    let declined = |version: &Version| Proposal {
        state: PullState::Closed,
        ..proposal(ProposalKind::PinBump, version, 30)
    };
    match *past {
        "declined" => snapshot.proposals.push(declined(&of)),
        "newer" => {
            let mut newer = candidate("3.11.0", Bump::Minor);
            newer.published_at = minutes_ago(45);
            snapshot.proposals.push(declined(&newer.version));
            snapshot.candidates.push(newer);
        }
        _ => {}
    }
    snapshot.candidates.push(candidate(text, bump));
    match *wish {
        "this" => snapshot.requests.push(request(&of, false)),
        "granted" => snapshot.requests.push(request(&of, true)),
        "other" => {
            let other = candidate(OTHER, Bump::Patch);
            snapshot.requests.push(request(&other.version, false));
            let at = snapshot.candidates.len() - usize::from(bump == Bump::None);
            snapshot.candidates.insert(at, other);
        }
        _ => {}
    }
    let requested =
        *wish == "granted" && matches!(*open_word, "same" | "unsettled" | "person-same");
    snapshot.proposals.extend(open(open_word, &of, bump == Bump::None, requested));
    (snapshot, of)
}

/// Replaces the candidate `of` by one with this evidence.
pub(super) fn fill(snapshot: &mut Snapshot, of: &Version, evidence: &[&str]) {
    let candidate = snapshot.candidates.iter_mut().find(|c| c.version == *of).unwrap();
    *candidate = with_evidence(self::candidate(&of.to_string(), candidate.bump), evidence);
}

#[test]
fn one_release_against_pull_requests_past_and_wishes() {
    let evidence_table = Table::read("evidence", EVIDENCE);
    let evidence = all_evidence(&evidence_table);
    evidence_table.assert_all_used();
    let table = Table::read("life", LIFE);
    let without_evidence = [LIFE[0], LIFE[2], LIFE[3], LIFE[4]];
    let mut failures = Vec::new();
    for words in product(&without_evidence) {
        let [way, open, past, wish] = words[..] else { panic!("{words:?}") };
        let row_of = |class| table.row(&[way, class, open, past, wish]);
        let rows: Vec<(&str, &Row)> = CLASSES.iter().map(|word| (*word, row_of(word))).collect();
        for patches in policies(way) {
            let (mut snapshot, of) = life(&words, *patches);
            for (evidence, bump, stub) in &evidence {
                let row = rows.iter().find(|(word, _)| *word == class(bump)).unwrap().1;
                fill(&mut snapshot, &of, evidence);
                let expected = Expected { row, evidence, bump, stub };
                let differs = compare(&snapshot, &of, &expected);
                failures.extend(differs.map(|differs| format!("{differs} {words:?} {patches:?}")));
            }
        }
    }
    table.assert_all_used();
    failures.sort();
    assert_none(failures);
}

/// A release that calls itself a MINOR and is none goes the same way as a MAJOR in all of it.
#[test]
fn one_major_against_its_migration_and_wishes() {
    let evidence = all_evidence(&Table::read("evidence", EVIDENCE));
    let table = Table::read("major", MAJOR);
    let mut failures = Vec::new();
    for words in product(&[MAJOR[0], MAJOR[3], MAJOR[4]]) {
        let [migration, open_word, wish] = words[..] else { panic!("{words:?}") };
        if matches!(open_word, "same" | "unsettled") && !matches!(migration, "section" | "merged") {
            continue;
        }
        for (evidence, bump, stub) in &evidence {
            let row = table.row(&[migration, class(stub), class(bump), open_word, wish]);
            for text in ["4.0.0", "3.10.0"] {
                let (snapshot, of) = major(text, &words, evidence);
                let expected = Expected { row, evidence, bump, stub };
                let differs = compare(&snapshot, &of, &expected);
                failures.extend(differs.map(|differs| format!("{differs} {text} {words:?}")));
            }
        }
    }
    table.assert_all_used();
    failures.sort();
    assert_none(failures);
}

fn major(text: &str, words: &[&str], evidence: &[&str]) -> (Snapshot, Version) {
    let [migration, open_word, wish] = words else { panic!("{words:?}") };
    let of = version(text);
    let mut snapshot = snapshot(PatchPolicy::Offer);
    // There is a section for the pin's own major already.
    let (mut majors, mut targets) = (vec![3], vec![version("3.3.2")]);
    if matches!(*migration, "section" | "merged") {
        majors.push(of.major);
        targets.push(of.clone());
    }
    snapshot.migration = match *migration {
        "unset" => Migration::Unset,
        "faulty" => Migration::Faulty("no headings".to_owned()),
        _ => Migration::Ready { majors, targets },
    };
    let state = match *migration {
        "open" => Some(PullState::Open),
        "merged" => Some(PullState::Merged),
        "closed" => Some(PullState::Closed),
        _ => None,
    };
    let stub = proposal(ProposalKind::MigrationStub, &of, 20);
    snapshot.proposals.extend(state.map(|state| Proposal { state, ..stub }));
    snapshot.proposals.extend(open(open_word, &of, false, false));
    let major = with_evidence(candidate(text, Bump::Major), evidence);
    let understated = text == "3.10.0";
    snapshot.candidates.push(if understated { broken(major, &[text]) } else { major });
    if *wish == "this" {
        snapshot.requests.push(request(&of, false));
    }
    (snapshot, of)
}
