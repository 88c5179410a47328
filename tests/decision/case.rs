//! Builds what the words of the table speak of.

use digest_bump::domain::Wish;
use digest_bump::domain::{
    Bump, Check, Digest, ImageName, IndexDigest, PatchPolicy, ProposalKind, PullNumber, PullState,
    Request, RequestId, RequestOutcome, RunId, Timestamp, Verdict, Version,
};
use digest_bump::policy::{
    Answer, Baseline, Break, Candidate, Contract, Decision, Intent, Look, Looks, Migration,
    PinState, Proposal, Readiness, Running, Snapshot, Soak, Stage,
};
use std::{collections::BTreeMap, time::Duration};

const MINUTE: i64 = 60_000;

/// The time at which every decision is made.
pub(crate) const NOW: Timestamp = minutes_ago(0);
/// How long a release may lack artifacts: 2 h.
pub(crate) const DEADLINE: Duration = Duration::from_hours(2);
/// The pauses: 10 min, then 1 h.
pub(crate) const PAUSES: [Duration; 2] = [Duration::from_mins(10), Duration::from_hours(1)];

/// Evidence, in the table's words: all that passes.
pub(crate) const PASSING: [&str; 5] = ["there", "there", "early", "passed", "passed"];
/// When a young release is old enough.
pub(crate) const OLD_ENOUGH: Timestamp = minutes_ago(-7);

/// A time before [`NOW`] (or after it, when negative).
pub(crate) const fn minutes_ago(minutes: i64) -> Timestamp {
    Timestamp::from_millis(1_790_000_000_000 - minutes * MINUTE)
}

/// A version, from its text.
pub(crate) fn version(text: &str) -> Version {
    text.parse().unwrap()
}

/// A digest that is a version's own.
pub(crate) fn digest(of: &Version) -> IndexDigest {
    IndexDigest::new(Digest::of(of.to_string().as_bytes()))
}

/// A candidate of which nothing is known.
pub(crate) fn candidate(text: &str, bump: Bump) -> Candidate {
    Candidate {
        version: version(text),
        bump,
        understated: Vec::new(),
        lost: Vec::new(),
        contract: Contract::NotAsked,
        published_at: minutes_ago(60),
        digest: None,
        look: None,
        unavailable: None,
        npm: None,
        soak: None,
        answers: BTreeMap::new(),
        running: None,
        companions: Vec::new(),
    }
}

/// `candidate`, treated as a MAJOR because of what these releases broke.
pub(crate) fn broken(candidate: Candidate, since: &[&str]) -> Candidate {
    let breaks = since.iter().map(|since| Break {
        since: version(since),
        why: format!("{since} broke it"),
        rows: Vec::new(),
    });
    Candidate { bump: Bump::Major, understated: breaks.collect(), ..candidate }
}

/// An answer that was found `ago` minutes ago.
pub(crate) fn answer(verdict: Verdict, attempts: usize, ago: i64) -> Answer {
    Answer {
        verdict,
        summary: format!("{verdict}, {attempts}"),
        at: minutes_ago(ago),
        attempts,
        too_early_until: None,
        may_change: false,
    }
}

/// An answer by the table's word; `None` for a word that is no answer.
fn answer_of(word: &str) -> Option<Answer> {
    match word {
        "passed" => Some(answer(Verdict::Passed, 0, 20)),
        "failed" => Some(answer(Verdict::Failed, 0, 20)),
        "parked" => Some(answer(Verdict::Inconclusive, 1, 5)),
        "due" | "rerun" => Some(answer(Verdict::Inconclusive, 1, 11)),
        "spent" => Some(answer(Verdict::Inconclusive, 3, 300)),
        _ => None,
    }
}

/// Gives `candidate` the evidence that the words say: image, npm, age, cheap, canary.
pub(crate) fn with_evidence(mut candidate: Candidate, words: &[&str]) -> Candidate {
    let [image, npm, age, cheap, canary] = words else { panic!("{words:?}") };
    candidate.published_at = minutes_ago(if *age == "late" { 180 } else { 60 });
    if *age == "young" {
        let (until, why) = (OLD_ENOUGH, "it is too young".to_owned());
        candidate.soak = Some(Soak { until, why });
    }
    let away = |what: &str| Look::Unavailable(format!("{what} is down"));
    match *image {
        "there" => candidate.digest = Some(digest(&candidate.version)),
        "absent" => candidate.look = Some(Look::Absent),
        "unavailable" => candidate.look = Some(away("registry")),
        "unusable" => candidate.look = Some(Look::Unusable("no index".to_owned())),
        _ => {}
    }
    candidate.npm = match *npm {
        "absent" => Some(Look::Absent),
        "unavailable" => Some(away("npm")),
        _ => None,
    };
    let passed = || answer_of("passed");
    let cheap_answer = |check: Check| match (*cheap, check) {
        ("rest" | "failed", Check::Signature)
        | ("lost", Check::Platforms)
        | ("sites", Check::Sites) => answer_of("failed"),
        ("none" | "rest", _) => None,
        ("parked" | "due" | "spent", Check::VersionLabel) => answer_of(cheap),
        _ => passed(),
    };
    let given = Check::ALL.into_iter().map(|check| match check {
        Check::Canary => (check, answer_of(canary)),
        check => (check, cheap_answer(check)),
    });
    candidate.answers = given.filter_map(|(check, answer)| Some((check, answer?))).collect();
    candidate.running = match *canary {
        "alive" | "rerun" => Some(running(-1)),
        "dead" => Some(running(1)),
        _ => None,
    };
    candidate
}

/// A canary run that has to have spoken `ago` minutes ago.
pub(crate) fn running(ago: i64) -> Running {
    Running { run: RunId(7), since: minutes_ago(30), alive_until: minutes_ago(ago), checks: None }
}

/// A watch that pins 3.9.3, and nothing else.
pub(crate) fn snapshot(patches: PatchPolicy) -> Snapshot {
    Snapshot {
        // Nothing was broken before.
        baseline: Baseline { answer: answer_of("passed"), running: None },
        patches,
        asked: Check::ALL.into_iter().collect(),
        artifact_deadline: DEADLINE,
        pauses: PAUSES.to_vec(),
        pin: PinState::Known { version: version("3.9.3"), digest: digest(&version("3.9.3")) },
        companions: Vec::new(),
        candidates: Vec::new(),
        unresolved: Vec::new(),
        ignored: Vec::new(),
        proposals: Vec::new(),
        foreign: Vec::new(),
        editable: true,
        runs: Vec::new(),
        by_checks: false,
        drifted: false,
        retreat: None,
        next_look: None,
        reverses: false,
        ci_starts_within: None,
        requests: Vec::new(),
        orders: Vec::new(),
        migration: Migration::Ready { majors: Vec::new(), targets: Vec::new() },
    }
}

/// A pull request of the bot that nobody touched.
pub(crate) fn proposal(kind: ProposalKind, version: &Version, pull: u64) -> Proposal {
    Proposal {
        kind,
        version: version.clone(),
        pull: PullNumber(pull),
        state: PullState::Open,
        head: "a".repeat(40).parse().unwrap(),
        ours: true,
        notice: None,
        remade_at: None,
        settled: true,
        from_pin: true,
        requested: false,
        readiness: Readiness::Ready,
        warning: None,
        gone: None,
    }
}

/// A wish that was recorded half an hour ago.
pub(crate) fn request(version: &Version, granted: bool) -> Request {
    Request {
        id: RequestId(1),
        wish: Wish::Bump,
        version: version.clone(),
        actor: "maintainer".to_owned(),
        head: None,
        at: minutes_ago(30),
        said_at: minutes_ago(30),
        outcome: granted.then(|| RequestOutcome {
            granted: true,
            answer: "proposed".to_owned(),
            at: minutes_ago(25),
        }),
    }
}

/// The table's word for a stage.
pub(crate) const fn word_of(stage: &Stage) -> &'static str {
    match stage {
        Stage::Pinned => "pinned",
        Stage::Older => "older",
        Stage::Skipped { .. } => "skipped",
        Stage::Queued { .. } => "queued",
        Stage::Checking => "checking",
        Stage::Waiting { .. } => "waiting",
        Stage::CanaryRunning { .. } => "running",
        Stage::Held { .. } => "held",
        Stage::Offered => "offered",
        Stage::Ready => "ready",
        Stage::Proposed { .. } => "proposed",
        Stage::Covered { .. } => "covered",
        Stage::Declined { .. } => "declined",
        Stage::Migrated => "migrated",
    }
}

/// The word for the stage of `version`.
pub(crate) fn stage_word(decision: &Decision, version: &Version) -> &'static str {
    decision
        .stages
        .iter()
        .find(|(of, _)| of == version)
        .map_or("no stage", |(_, stage)| word_of(stage))
}

/// What must have passed before a pull request of this kind is opened, by `DESIGN.md`: everything,
/// but for a stub, which moves no pin, neither the platforms, the sites nor the canary.
fn gates(kind: ProposalKind) -> impl Iterator<Item = Check> {
    let stub = kind == ProposalKind::MigrationStub;
    let free = move |check: &Check| {
        stub && matches!(check, Check::Platforms | Check::Sites | Check::Canary)
    };
    Check::ALL.into_iter().filter(move |check| !free(check))
}

/// What of that which has to hold of every decision does not hold of this one.
pub(crate) fn faults(snapshot: &Snapshot, decision: &Decision) -> Vec<String> {
    let mut faults = Vec::new();
    if decision.stages.len() != snapshot.candidates.len() {
        faults.push("a release without a stage".to_owned());
    }
    for (index, intent) in decision.due.iter().enumerate() {
        if decision.due[..index].contains(intent) {
            faults.push(format!("twice: {intent:?}"));
        }
        faults.extend(unfounded(snapshot, intent).map(|why| format!("{why}: {intent:?}")));
    }
    let pins = decision
        .due
        .iter()
        .filter(|intent| matches!(intent, Intent::Propose { kind: ProposalKind::PinBump, .. }));
    if pins.count() > 1 {
        faults.push(format!("two pins: {:?}", decision.due));
    }
    faults
}

/// Why a proposal must not be made, if it must not.
fn unfounded(snapshot: &Snapshot, intent: &Intent) -> Option<&'static str> {
    let Intent::Propose { kind, version, over, .. } = intent else {
        return None;
    };
    let candidate = snapshot.candidates.iter().find(|c| c.version == *version)?;
    let passed = |check: Check| {
        candidate.answers.get(&check).is_some_and(|answer| answer.verdict == Verdict::Passed)
    };
    let of_kind = |p: &&Proposal| {
        let line = p.version.major == version.major || *kind == ProposalKind::PinBump;
        p.kind == *kind && p.state == PullState::Open && line
    };
    // Where none is ready, the draft becomes what is.
    let mut open = snapshot.proposals.iter().filter(of_kind).collect::<Vec<_>>();
    open.sort_by_key(|p| p.is_draft());
    let open = open.first();
    if candidate.digest.is_none() || candidate.npm.is_some() {
        Some("without its artifacts")
    } else if !gates(*kind).all(passed) {
        Some("without its evidence")
    } else if candidate.soak.as_ref().is_some_and(|soak| NOW < soak.until) {
        Some("too young")
    } else if open.map(|p| p.pull) != *over {
        Some("a second one of its kind")
    } else if open.is_some_and(|p| !p.ours) {
        Some("over a person's commits")
    } else {
        None
    }
}

/// The watched image, and what looks at its tags gave.
pub(crate) fn looks_at_the_image(looks: &BTreeMap<Version, Look>) -> (ImageName, Looks) {
    let image: ImageName = "ghcr.io/toon-protocol/connector".parse().unwrap();
    let of_it =
        |(version, look): (&Version, &Look)| ((image.clone(), version.clone()), look.clone());
    let looks = looks.iter().map(of_it).collect();
    (image, looks)
}
