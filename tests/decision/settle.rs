//! Decide, do, decide again: in every small world this comes to rest.

use crate::case::{
    NOW, candidate, digest, faults, proposal, request, snapshot, stage_word, version,
};
use digest_bump::domain::{
    Bump, Check, CheckSeen, CheckState, Digest, PatchPolicy, ProposalKind, PullState, RequestId,
    RequestOutcome, RunId, Timestamp, Verdict, Version,
};
use digest_bump::policy::{
    Answer, Candidate, Carrier, Checks, Contract, Intent, Look, Migration, Proposal, Readiness,
    Running, Snapshot, decide,
};
use std::time::Duration;

/// What a release turns out to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Nature {
    Good,
    /// Its image never appears.
    Torn,
    /// A label is wrong.
    Mislabelled,
    /// The canary fails.
    Breaking,
    /// The canary never says anything.
    Mute,
    /// The canary's process dies the first time.
    Orphaned,
}

const NATURES: [Nature; 6] = [
    Nature::Good,
    Nature::Torn,
    Nature::Mislabelled,
    Nature::Breaking,
    Nature::Mute,
    Nature::Orphaned,
];

const RELEASES: [(&str, Bump); 4] = [
    ("4.0.0", Bump::Major),
    ("3.11.0", Bump::Minor),
    ("3.10.0", Bump::Minor),
    ("3.9.4", Bump::Patch),
];

/// What the releases are, what happens to a patch, and whether the downstream's checks are the canary.
type Case = ([Nature; 4], PatchPolicy, bool);

const MAX_ROUNDS: usize = 60;
const MAX_WAKES: usize = 20;

struct World {
    snapshot: Snapshot,
    natures: [Nature; 4],
    now: Timestamp,
    runs: i64,
    pulls: u64,
}

impl World {
    fn new((natures, patches, by_checks): Case) -> Self {
        let mut snapshot = snapshot(patches);
        snapshot.by_checks = by_checks;
        snapshot.candidates = RELEASES.map(|(text, bump)| candidate(text, bump)).into();
        for release in snapshot.candidates.iter_mut().filter(|c| c.bump != Bump::Major) {
            release.contract = Contract::Unread;
        }
        Self { snapshot, natures, now: NOW, runs: 0, pulls: 50 }
    }

    fn nature(&self, of: &Version) -> Nature {
        let index = RELEASES.iter().position(|(text, _)| version(text) == *of).unwrap();
        self.natures[index]
    }

    fn candidate(&mut self, of: &Version) -> &mut Candidate {
        self.snapshot.candidates.iter_mut().find(|c| c.version == *of).unwrap()
    }

    fn conclude(&mut self, of: &Version, check: Check, verdict: Verdict) {
        let at = self.now;
        let candidate = self.candidate(of);
        let before = candidate.answers.get(&check).map_or(0, |answer| answer.attempts);
        let attempts = if verdict == Verdict::Inconclusive { before + 1 } else { 0 };
        let (too_early_until, may_change) = (None, false);
        let summary = check.to_string();
        let answer = Answer { verdict, summary, at, attempts, too_early_until, may_change };
        candidate.answers.insert(check, answer);
    }

    /// Does what is due, and lets the canaries that speak come to their end.
    fn perform(&mut self, intent: &Intent) {
        match intent {
            Intent::Look(of) if self.nature(of) == Nature::Torn => {
                self.candidate(of).look = Some(Look::Absent);
            }
            Intent::Look(of) => self.candidate(of).digest = Some(digest(of)),
            Intent::ReadContract(of) => self.candidate(of).contract = Contract::Compared,
            Intent::Check { version, check } => {
                let wrong = self.nature(version) == Nature::Mislabelled;
                let failed = wrong && *check == Check::VersionLabel;
                let verdict = if failed { Verdict::Failed } else { Verdict::Passed };
                self.conclude(version, *check, verdict);
            }
            Intent::Companion(..) => panic!("nobody has companions here"),
            Intent::StartCanary(of) => self.start(of),
            Intent::Hold { pull, why, .. } => {
                let told = Digest::of(why.as_bytes()).short().to_owned();
                let draft = self.snapshot.proposals.iter_mut().find(|p| p.pull == *pull);
                let readiness = Readiness::Draft { held: Some(told) };
                assert_ne!(draft.as_ref().unwrap().readiness, readiness, "told twice");
                draft.unwrap().readiness = readiness;
            }
            Intent::Bury(run) | Intent::Conclude(run) => {
                let dead = |c: &&Candidate| c.running.as_ref().is_some_and(|r| r.run == *run);
                let of = self.snapshot.candidates.iter().find(dead).unwrap().version.clone();
                self.candidate(&of).running = None;
                self.conclude(&of, Check::Canary, Verdict::Inconclusive);
            }
            Intent::Propose { kind, version, over, requested } => {
                let number = over.map_or_else(
                    || {
                        self.pulls += 1;
                        self.pulls
                    },
                    |pull| pull.0,
                );
                let mut new = proposal(*kind, version, number);
                new.requested = *requested;
                let proposals = &mut self.snapshot.proposals;
                if let Some(old) = proposals.iter().find(|p| Some(p.pull) == *over) {
                    let down = version.cmp_precedence(&old.version).is_lt() && !old.is_draft();
                    assert!(!down || *requested, "{old:?} moves down unasked to {version}");
                }
                proposals.retain(|p| Some(p.pull) != *over);
                proposals.push(new);
            }
            Intent::Close { pull, .. } => {
                let open = self.snapshot.proposals.iter_mut().find(|p| p.pull == *pull);
                open.unwrap().state = PullState::Closed;
            }
            Intent::Warn { .. } => panic!("no tag moves here"),
            Intent::StepBack { .. } | Intent::TakeUp { .. } | Intent::GiveUp { .. } => {
                panic!("nobody works on a branch here")
            }
            Intent::Cancel { .. } => panic!("no workflow is dispatched here"),
            Intent::Answer { request, granted, answer } => {
                let at = self.now;
                let open = self.snapshot.requests.iter_mut().find(|r| r.id == *request).unwrap();
                assert!(open.outcome.is_none(), "answered twice");
                let (granted, answer) = (*granted, answer.clone());
                open.outcome = Some(RequestOutcome { granted, answer, at });
            }
        }
    }

    fn start(&mut self, of: &Version) {
        let nature = self.nature(of);
        assert!(self.candidate(of).running.is_none(), "two canaries for {of}");
        if self.snapshot.by_checks {
            self.draft(of);
        }
        let first = !self.candidate(of).answers.contains_key(&Check::Canary);
        match nature {
            Nature::Breaking => self.conclude(of, Check::Canary, Verdict::Failed),
            Nature::Mute => self.conclude(of, Check::Canary, Verdict::Inconclusive),
            Nature::Orphaned if first => {
                self.runs += 1;
                let alive_until = self.now + Duration::from_mins(1);
                let seen = CheckSeen {
                    name: "contract".to_owned(),
                    state: CheckState::Missing,
                    title: String::new(),
                    url: String::new(),
                    took: 0,
                };
                let checks = Checks { seen: vec![seen], carrier: Carrier::Draft, wanted: true };
                let checks = Some(checks).filter(|_| self.snapshot.by_checks);
                let run = RunId(self.runs);
                let running = Running { run, since: self.now, alive_until, checks };
                self.candidate(of).running = Some(running);
            }
            _ => self.conclude(of, Check::Canary, Verdict::Passed),
        }
    }

    /// Opens the draft, or has the one that is open prove this.
    fn draft(&mut self, of: &Version) {
        let open = |p: &Proposal| p.is_draft() && p.state == PullState::Open;
        let known = self.snapshot.proposals.iter().find(|p| open(p)).map(|p| p.pull.0);
        self.snapshot.proposals.retain(|p| !open(p));
        let number = known.unwrap_or_else(|| {
            self.pulls += 1;
            self.pulls
        });
        let draft = Proposal {
            readiness: Readiness::Draft { held: None },
            ..proposal(ProposalKind::PinBump, of, number)
        };
        self.snapshot.proposals.push(draft);
    }

    /// One settled pass.
    fn settle(&mut self) -> Option<Timestamp> {
        for _ in 0..MAX_ROUNDS {
            let decision = decide(&self.snapshot, self.now);
            let faults = faults(&self.snapshot, &decision);
            assert!(faults.is_empty(), "{faults:?} of {:?}", self.natures);
            if decision.due.is_empty() {
                return decision.wake;
            }
            decision.due.iter().for_each(|intent| self.perform(intent));
        }
        panic!("no rest for {:?}: {:?}", self.natures, decide(&self.snapshot, self.now).due);
    }

    /// Passes at each wake, until nothing changes by itself any more.
    fn rest(&mut self) {
        for _ in 0..MAX_WAKES {
            let Some(wake) = self.settle() else { return };
            assert!(wake > self.now, "a wake in the past for {:?}", self.natures);
            self.now = wake;
        }
        panic!("always another wake for {:?}", self.natures);
    }

    fn open(&self, kind: ProposalKind) -> Vec<Version> {
        let open = |p: &&Proposal| p.kind == kind && p.state == PullState::Open && !p.is_draft();
        self.snapshot.proposals.iter().filter(open).map(|p| p.version.clone()).collect()
    }

    fn ask(&mut self, text: &str) {
        let mut request = request(&version(text), false);
        request.id = RequestId(1 + i64::try_from(self.snapshot.requests.len()).unwrap());
        request.at = self.now;
        self.snapshot.requests.push(request);
    }
}

fn worlds() -> impl Iterator<Item = Case> {
    let policies = [PatchPolicy::Skip, PatchPolicy::Offer, PatchPolicy::Propose];
    (0..NATURES.len().pow(4)).flat_map(move |code| {
        let natures =
            [0, 1, 2, 3].map(|place| NATURES[code / NATURES.len().pow(place) % NATURES.len()]);
        let cases = policies.map(|patches| [false, true].map(|by| (natures, patches, by)));
        cases.into_iter().flatten()
    })
}

const fn comes_good(nature: Nature) -> bool {
    matches!(nature, Nature::Good | Nature::Orphaned)
}

/// The releases that are proposed in the end, if nobody asks for anything.
fn expected_pin(natures: [Nature; 4], patches: PatchPolicy) -> Vec<Version> {
    let last = if patches == PatchPolicy::Propose { 4 } else { 3 };
    let good = (1..last).find(|index| comes_good(natures[*index]));
    good.map(|index| version(RELEASES[index].0)).into_iter().collect()
}

#[test]
fn every_world_comes_to_rest_with_the_newest_good_release_proposed() {
    for case in worlds() {
        let (natures, patches, _) = case;
        let mut world = World::new(case);
        world.rest();
        let (pins, stubs) =
            (world.open(ProposalKind::PinBump), world.open(ProposalKind::MigrationStub));
        assert_eq!(pins, expected_pin(natures, patches), "{case:?}");
        // For the stub the canary is news, not a gate.
        let stub = !matches!(natures[0], Nature::Torn | Nature::Mislabelled);
        assert_eq!(stubs.len(), usize::from(stub), "{case:?}");
    }
}

#[test]
fn a_wish_is_met_or_refused_and_stays_met() {
    for case in worlds() {
        let (natures, patches, _) = case;
        for (index, (text, _)) in RELEASES.iter().enumerate().skip(1) {
            for before in [true, false] {
                let mut world = World::new(case);
                if !before {
                    world.rest();
                }
                world.ask(text);
                world.rest();
                let good = comes_good(natures[index]);
                let outcome = world.snapshot.requests[0].outcome.as_ref().unwrap();
                let told = format!("{case:?} {text}, at first: {before}");
                assert_eq!(outcome.granted, good, "{told}");
                let wanted =
                    if good { vec![version(text)] } else { expected_pin(natures, patches) };
                assert_eq!(world.open(ProposalKind::PinBump), wanted, "{told}");
            }
        }
    }
}

#[test]
fn a_major_moves_the_pin_on_request_once_its_stub_is_merged() {
    for case in worlds() {
        let (natures, patches, _) = case;
        let mut world = World::new(case);
        world.ask("4.0.0");
        world.rest();
        assert_eq!(world.open(ProposalKind::PinBump), expected_pin(natures, patches), "{case:?}");
        let Some(stub) =
            world.snapshot.proposals.iter_mut().find(|p| p.kind == ProposalKind::MigrationStub)
        else {
            continue;
        };
        stub.state = PullState::Merged;
        world.snapshot.migration = Migration::Ready { majors: vec![4], targets: Vec::new() };
        world.rest();
        let pins = world.open(ProposalKind::PinBump);
        if comes_good(natures[0]) {
            assert_eq!(pins, [version("4.0.0")], "{case:?}");
        } else {
            let decision = decide(&world.snapshot, world.now);
            assert_eq!(stage_word(&decision, &version("4.0.0")), "migrated", "{case:?}");
            assert_eq!(pins, expected_pin(natures, patches), "{case:?}");
        }
    }
}

#[test]
fn a_declined_proposal_is_not_revived() {
    for case in worlds() {
        let mut world = World::new(case);
        world.rest();
        for open in &mut world.snapshot.proposals {
            open.state = PullState::Closed;
        }
        let declined = world.snapshot.proposals.iter().any(|p| p.kind == ProposalKind::PinBump);
        world.rest();
        assert!(world.open(ProposalKind::MigrationStub).is_empty(), "{case:?}");
        // What was newer than the declined one had failed, what was older is not wanted either.
        assert!(!declined || world.open(ProposalKind::PinBump).is_empty(), "{case:?}");
    }
}
