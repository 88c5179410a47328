//! Several releases at once: every short list of states, held against rules that are spelled out
//! here once more, in the words of the requirements.

use crate::case::{
    NOW, candidate, faults, minutes_ago, proposal, request, running, snapshot, stage_word,
    with_evidence,
};
use digest_bump::domain::{
    Bump, PatchPolicy, ProposalKind, PullNumber, PullState, RequestId, Version,
};
use digest_bump::policy::{Candidate, Intent, Migration, Proposal, Snapshot, decide};

const POLICIES: [PatchPolicy; 3] = [PatchPolicy::Skip, PatchPolicy::Offer, PatchPolicy::Propose];

/// What a release of a list is like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Passes,
    Waits,
    Held,
    /// Its canary runs.
    Runs,
    /// Its canary is due.
    Starts,
    /// It passes, but a person closed its pull request.
    Declined,
}

const STATES: [State; 6] =
    [State::Passes, State::Waits, State::Held, State::Runs, State::Starts, State::Declined];

/// All lists of `length` states out of `states`.
fn lists(states: &[State], length: usize) -> Vec<Vec<State>> {
    (0..length).fold(vec![Vec::new()], |lists, _| {
        let longer = |list: &Vec<State>| {
            states.iter().map(|state| [&list[..], &[*state]].concat()).collect::<Vec<_>>()
        };
        lists.iter().flat_map(longer).collect()
    })
}

fn release(text: &str, bump: Bump, state: State, age: i64) -> Candidate {
    let words = match state {
        State::Passes | State::Declined => ["there", "there", "early", "passed", "passed"],
        State::Waits => ["unavailable", "there", "early", "none", "never"],
        State::Held => ["there", "there", "early", "failed", "never"],
        State::Runs | State::Starts => ["there", "there", "early", "passed", "never"],
    };
    let mut release = with_evidence(candidate(text, bump), &words);
    release.running = (state == State::Runs).then(|| running(-1));
    release.published_at = minutes_ago(age);
    release
}

/// A watch with `minors` MINORs over patches, newest first, in these states.
fn watch(states: &[State], minors: usize, patches: PatchPolicy) -> Snapshot {
    let mut snapshot = snapshot(patches);
    for (index, state) in states.iter().enumerate() {
        let (text, bump) = if index < minors {
            (format!("3.{}.0", 20 - index), Bump::Minor)
        } else {
            (format!("3.9.{}", 20 - index), Bump::Patch)
        };
        let age = 60 + i64::try_from(index).unwrap();
        let release = release(&text, bump, *state, age);
        if *state == State::Declined {
            let pull = 10 + u64::try_from(index).unwrap();
            let closed = proposal(ProposalKind::PinBump, &release.version, pull);
            snapshot.proposals.push(Proposal { state: PullState::Closed, ..closed });
        }
        snapshot.candidates.push(release);
    }
    snapshot
}

/// What is expected of a list.
#[derive(Debug, Clone)]
struct Expected {
    stages: Vec<&'static str>,
    /// The release whose canary is started.
    start: Option<usize>,
    /// The release that is proposed now, and whether a person asked.
    propose: Option<(usize, bool)>,
    /// How the request is ended.
    answer: Option<bool>,
}

/// From the newest down: the first that passes is the one. What waits or is held blocks nobody; what
/// is being worked on keeps older ones from being started, not from being the one.
fn descend(
    states: &[State],
    among: &[usize],
    mut busy: bool,
    expected: &mut Expected,
) -> (Option<usize>, bool) {
    let mut found = None;
    for index in among.iter().copied() {
        expected.stages[index] = match (found, states[index]) {
            (Some(_), _) => "covered",
            (None, State::Passes | State::Declined) => {
                found = Some(index);
                "ready"
            }
            (None, State::Waits) => "waiting",
            (None, State::Held) => "held",
            (None, State::Runs) => {
                busy = true;
                "running"
            }
            (None, State::Starts) if busy => "queued",
            (None, State::Starts) => {
                busy = true;
                expected.start = Some(index);
                "checking"
            }
        };
    }
    (found, busy)
}

/// What should happen by itself; `out` are those that a wish made step back.
fn expect(
    states: &[State],
    minors: usize,
    patches: PatchPolicy,
    out: &[usize],
) -> (Expected, Option<usize>) {
    let mut expected = Expected {
        stages: vec!["skipped"; states.len()],
        start: None,
        propose: None,
        answer: None,
    };
    let newest_declined = states.iter().position(|state| *state == State::Declined);
    for (index, state) in states.iter().enumerate() {
        if *state == State::Declined {
            expected.stages[index] = "declined";
        }
    }
    let free = 0..newest_declined.unwrap_or(states.len());
    let free: Vec<usize> = free.filter(|index| !out.contains(index)).collect();
    let (small, big): (Vec<usize>, Vec<usize>) = free.iter().partition(|index| **index >= minors);
    let found = match patches {
        PatchPolicy::Propose => descend(states, &free, false, &mut expected).0,
        PatchPolicy::Skip => descend(states, &big, false, &mut expected).0,
        PatchPolicy::Offer => {
            let (found, busy) = descend(states, &big, false, &mut expected);
            if found.is_some() {
                for index in &small {
                    expected.stages[*index] = "covered";
                }
            } else if let (Some(offered), _) = descend(states, &small, busy, &mut expected) {
                expected.stages[offered] = "offered";
            }
            found
        }
    };
    (expected, found)
}

/// What the open pull request makes of that: it moves up by itself, down only when asked, and
/// contains what is older.
fn with_open(
    mut expected: Expected,
    target: Option<(usize, bool)>,
    open: Option<usize>,
) -> Expected {
    let moves = match (target, open) {
        (Some((target, asked)), Some(open)) => target < open || (asked && target > open),
        (Some(_), None) => true,
        (None, _) => false,
    };
    expected.propose = target.filter(|_| moves);
    if let Some((index, _)) = target {
        expected.stages[index] = "ready";
    }
    let Some(open) = open else { return expected };
    let proposed = expected.propose.map_or(open, |(index, _)| index);
    if proposed == open {
        expected.stages[open] = "proposed";
    }
    for stage in expected.stages.iter_mut().skip(proposed + 1) {
        if !matches!(*stage, "declined" | "held" | "running") {
            *stage = "covered";
        }
    }
    expected
}

const PULL: PullNumber = PullNumber(40);

fn due(expected: &Expected, versions: &[Version], open: bool) -> Vec<Intent> {
    let start = expected.start.map(|index| Intent::StartCanary(versions[index].clone()));
    let propose = expected.propose.map(|(index, requested)| Intent::Propose {
        kind: ProposalKind::PinBump,
        version: versions[index].clone(),
        over: open.then_some(PULL),
        requested,
    });
    let answer = expected.answer.map(|granted| Intent::Answer {
        request: RequestId(1),
        granted,
        answer: String::new(),
    });
    start.into_iter().chain(propose).chain(answer).collect()
}

/// Holds the decision against what is expected. A canary of what the open pull request contains
/// already may be started or not: the requirements do not say.
fn compare(snapshot: &Snapshot, expected: &Expected, open: Option<usize>) -> Result<(), String> {
    let decision = decide(snapshot, NOW);
    let mut faults = faults(snapshot, &decision);
    let versions: Vec<Version> = snapshot.candidates.iter().map(|c| c.version.clone()).collect();
    let stages: Vec<&str> = versions.iter().map(|of| stage_word(&decision, of)).collect();
    if stages != expected.stages {
        faults.push(format!("stages {stages:?} instead of {:?}", expected.stages));
    }
    let wanted = due(expected, &versions, open.is_some());
    let got: Vec<Intent> = decision
        .due
        .into_iter()
        .map(|intent| match intent {
            Intent::Answer { request, granted, .. } => {
                Intent::Answer { request, granted, answer: String::new() }
            }
            other => other,
        })
        .collect();
    let contained = |intent: &Intent| match intent {
        Intent::StartCanary(of) => {
            let index = versions.iter().position(|version| version == of);
            open.is_some() && index > open
        }
        _ => false,
    };
    let missing = wanted.iter().any(|intent| !got.contains(intent) && !contained(intent));
    let extra = got.iter().any(|intent| !wanted.contains(intent) && !contained(intent));
    if missing || extra {
        faults.push(format!("due {got:?} instead of {wanted:?}"));
    }
    if faults.is_empty() { Ok(()) } else { Err(faults.join("; ")) }
}

fn push_open(snapshot: &mut Snapshot, index: usize, requested: bool) {
    let of = snapshot.candidates[index].version.clone();
    let open = proposal(ProposalKind::PinBump, &of, PULL.0);
    snapshot.proposals.push(Proposal { requested, ..open });
}

/// Fails with the first few disagreements.
fn assert_none(failures: &[String]) {
    let first = failures.iter().take(20).cloned().collect::<Vec<_>>().join("\n");
    assert!(failures.is_empty(), "{} disagreements:\n{first}", failures.len());
}

#[test]
fn the_newest_that_passes_is_proposed_and_nothing_parked_blocks_it() {
    let mut failures = Vec::new();
    for (minors, length) in (0..=4).flat_map(|length| (0..=length).map(move |m| (m, length))) {
        for states in lists(&STATES, length) {
            for patches in POLICIES {
                for open in std::iter::once(None).chain((0..length).map(Some)) {
                    let mut snapshot = watch(&states, minors, patches);
                    if let Some(index) = open {
                        push_open(&mut snapshot, index, false);
                    }
                    let (expected, found) = expect(&states, minors, patches, &[]);
                    let expected = with_open(expected, found.map(|index| (index, false)), open);
                    let case = format!("{states:?}, {minors} minors, {patches:?}, open {open:?}");
                    let differs = compare(&snapshot, &expected, open).err();
                    failures.extend(differs.map(|differs| format!("{case}: {differs}")));
                }
            }
        }
    }
    assert_none(&failures);
}

#[test]
fn a_wish_outranks_what_was_out_by_then_while_it_can_be_worked_on() {
    let mut failures = Vec::new();
    for (minors, length) in (1..=3).flat_map(|length| (0..=length).map(move |m| (m, length))) {
        for states in lists(&STATES, length) {
            for (patches, wanted) in POLICIES.iter().flat_map(|p| (0..length).map(move |w| (*p, w)))
            {
                for open in std::iter::once(None).chain((0..length).map(Some)) {
                    let mut snapshot = watch(&states, minors, patches);
                    let of = snapshot.candidates[wanted].version.clone();
                    snapshot.requests.push(request(&of, false));
                    let moved = open == Some(wanted);
                    if let Some(index) = open {
                        push_open(&mut snapshot, index, moved);
                    }
                    let expected = expect_wish(&states, (minors, patches), wanted, open);
                    let case = format!(
                        "{states:?}, {minors} minors, {patches:?}, open {open:?}, {wanted}"
                    );
                    let differs = compare(&snapshot, &expected, open).err();
                    failures.extend(differs.map(|differs| format!("{case}: {differs}")));
                }
            }
        }
    }
    assert_none(&failures);
}

fn expect_wish(
    states: &[State],
    (minors, patches): (usize, PatchPolicy),
    wanted: usize,
    open: Option<usize>,
) -> Expected {
    let others: Vec<usize> = (0..states.len()).filter(|index| *index != wanted).collect();
    let met = open == Some(wanted);
    let outranks = met || !matches!(states[wanted], State::Waits | State::Held);
    let out = if outranks { &others[..] } else { &[] };
    let (mut expected, found) = expect(states, minors, patches, out);
    if met {
        // It is there: the wish is granted, and stands as long as the pull request is open.
        expected.answer = Some(true);
        return with_open(expected, None, open);
    }
    let target = match states[wanted] {
        State::Passes | State::Declined => Some((wanted, true)),
        _ => found.map(|index| (index, false)),
    };
    match states[wanted] {
        State::Held => expected.answer = Some(false),
        State::Starts => expected.start = expected.start.or(Some(wanted)),
        _ => {}
    }
    let mut expected = with_open(expected, target, open);
    match states[wanted] {
        State::Waits => expected.stages[wanted] = "waiting",
        State::Runs => expected.stages[wanted] = "running",
        State::Starts => expected.stages[wanted] = "checking",
        State::Passes | State::Declined | State::Held => {}
    }
    expected
}

#[test]
fn majors_get_one_stub_for_each_line_and_leave_the_pin_alone() {
    let mut failures = Vec::new();
    let few = &STATES[..5];
    for states in lists(few, 3) {
        for small in lists(&STATES, 2) {
            for past in
                [None, Some(PullState::Open), Some(PullState::Merged), Some(PullState::Closed)]
            {
                let alone = watch(&small, 2, PatchPolicy::Offer);
                let mut snapshot = alone.clone();
                let texts = ["5.0.0", "4.1.0", "4.0.0"];
                let majors = texts
                    .iter()
                    .zip(&states)
                    .map(|(text, state)| release(text, Bump::Major, *state, 40));
                snapshot.candidates.splice(0..0, majors);
                let of = snapshot.candidates[2].version.clone();
                let stub = proposal(ProposalKind::MigrationStub, &of, 20);
                snapshot.proposals.extend(past.map(|state| Proposal { state, ..stub }));
                snapshot.migration = Migration::Ready {
                    majors: if past == Some(PullState::Merged) { vec![4] } else { Vec::new() },
                    targets: Vec::new(),
                };
                let mut wanted = decide(&alone, NOW).due;
                wanted.extend(stub_of(&states[..1], &texts[..1]));
                if past.is_none() {
                    wanted.extend(stub_of(&states[1..], &texts[1..]));
                }
                let decision = decide(&snapshot, NOW);
                let mut faults = faults(&snapshot, &decision);
                let same = wanted.len() == decision.due.len()
                    && wanted.iter().all(|intent| decision.due.contains(intent));
                if !same {
                    faults.push(format!("due {:?} instead of {wanted:?}", decision.due));
                }
                let case = format!("{states:?} over {small:?}, {past:?}");
                failures.extend(faults.iter().map(|fault| format!("{case}: {fault}")));
            }
        }
    }
    assert_none(&failures);
}

/// What a line of MAJORs asks for, newest first. Both can be due: a newer one's canary, and a stub
/// for the older one that passes.
fn stub_of(states: &[State], texts: &[&str]) -> Vec<Intent> {
    let all: Vec<usize> = (0..states.len()).collect();
    let mut expected =
        Expected { stages: vec![""; states.len()], start: None, propose: None, answer: None };
    let (found, _) = descend(states, &all, false, &mut expected);
    let version = |index: usize| texts[index].parse::<Version>().unwrap();
    let start = expected.start.map(|index| Intent::StartCanary(version(index)));
    let stub = found.map(|index| Intent::Propose {
        kind: ProposalKind::MigrationStub,
        version: version(index),
        over: None,
        requested: false,
    });
    stub.into_iter().chain(start).collect()
}
