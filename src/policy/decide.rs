//! The decision: a snapshot of a watch becomes the stage of each release and what is due.

use super::{
    assess::{Assessment, assess},
    chain::{Walk, walk},
    requests::{self, Standing},
    snapshot::{Candidate, PinState, Proposal, Snapshot},
    stage::{Intent, Stage},
    stubs::{foreign_branch, stub_of_line},
};
use crate::domain::{Bump, PatchPolicy, ProposalKind, PullState, Timestamp, Version};
use std::collections::BTreeMap;

/// What a snapshot comes to.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Decision {
    /// Each release of the stream, newest first.
    pub stages: Vec<(Version, Stage)>,
    /// What is to be done now. Empty means that everything is parked.
    pub due: Vec<Intent>,
    /// When something changes by itself, at the earliest; `None` if nothing does.
    pub wake: Option<Timestamp>,
}

/// Decides over all candidates of a watch at once. No decision depends on how the pass was woken.
#[must_use]
pub fn decide(snapshot: &Snapshot, now: Timestamp) -> Decision {
    let mut board = Board::default();
    match &snapshot.pin {
        PinState::Unknown { why, ask } => {
            board.due.extend(ask.clone().map(Intent::Look));
            let reasons = vec![format!("the pin is unknown: {why}")];
            for candidate in &snapshot.candidates {
                board.set(&candidate.version, Stage::Held { reasons: reasons.clone() });
            }
        }
        PinState::Known { version, .. } => decide_from(version, snapshot, now, &mut board),
    }
    board.finish(snapshot)
}

/// The stages and intents, as they come together. A stage that is set later wins.
#[derive(Default)]
struct Board {
    stages: BTreeMap<Version, Stage>,
    due: Vec<Intent>,
    wakes: Vec<Timestamp>,
}

impl Board {
    fn set(&mut self, version: &Version, stage: Stage) {
        self.stages.insert(version.clone(), stage);
    }

    fn take(&mut self, walk: Walk<'_>) {
        self.stages.extend(walk.stages);
        self.due.extend(walk.due);
        self.wakes.extend(walk.wakes);
    }

    fn finish(mut self, snapshot: &Snapshot) -> Decision {
        let stages = snapshot.candidates.iter().filter_map(|candidate| {
            self.stages.remove(&candidate.version).map(|stage| (candidate.version.clone(), stage))
        });
        let mut due = Vec::new();
        for intent in self.due {
            if !due.contains(&intent) {
                due.push(intent);
            }
        }
        Decision { stages: stages.collect(), due, wake: self.wakes.into_iter().min() }
    }
}

fn decide_from(pinned: &Version, snapshot: &Snapshot, now: Timestamp, board: &mut Board) {
    for candidate in snapshot.candidates.iter().filter(|c| c.bump == Bump::None) {
        let same = candidate.version.cmp_precedence(pinned).is_eq();
        board.set(&candidate.version, if same { Stage::Pinned } else { Stage::Older });
    }
    // A run whose process died is inconclusive, also where nothing waits for it any more.
    let current = snapshot.candidates.iter().filter_map(|c| c.running.as_ref());
    let dead = current.chain(&snapshot.runs).filter(|run| run.alive_until <= now);
    board.due.extend(dead.map(|dead| Intent::Bury(dead.run)));
    for (major, line) in major_lines(snapshot) {
        board.take(stub_of_line(major, &line, snapshot, now));
    }
    pin_bump(pinned, snapshot, now, board);
}

fn major_lines(snapshot: &Snapshot) -> BTreeMap<u64, Vec<&Candidate>> {
    let mut lines: BTreeMap<u64, Vec<&Candidate>> = BTreeMap::new();
    for candidate in snapshot.candidates.iter().filter(|c| c.bump == Bump::Major) {
        lines.entry(candidate.version.major).or_default().push(candidate);
    }
    lines
}

/// The one pull request that moves the pin: what it should propose, and what it takes to get there.
fn pin_bump(pinned: &Version, snapshot: &Snapshot, now: Timestamp, board: &mut Board) {
    let open = open_proposal(snapshot);
    let standing = requests::standing(snapshot, pinned, open, now, &mut board.due);
    let automatic = automatic(snapshot, standing.as_ref(), board);
    let minors = automatic
        .iter()
        .copied()
        .filter(|c| c.bump == Bump::Minor || snapshot.patches == PatchPolicy::Propose);
    let kind = ProposalKind::PinBump;
    let chain = walk(minors, kind, snapshot, now, None);
    let (found, busy) = (chain.target, chain.busy.clone());
    board.take(chain);
    offer_patches(&automatic, found, busy, snapshot, now, board);

    let asked = standing.as_ref().and_then(|standing| wish(standing, board));
    let target = asked.map(|candidate| (candidate, true)).or(found.map(|c| (c, false)));
    if let Some((candidate, _)) = target {
        board.set(&candidate.version, Stage::Ready);
    }
    match open {
        Some(open) => {
            let target = repair(open, target, snapshot, now);
            tend(open, target, pinned, snapshot, board);
            if let Some(standing) = standing.filter(|s| s.candidate.version != open.version) {
                stay_visible(&standing, board);
            }
        }
        None => open_new(target, snapshot, board),
    }
}

/// The bot died between the push and the text: where nothing else takes the pull request over, it
/// is made to say again what it proposed, whether or not that is still wanted by itself. One that
/// was asked for stays so, or it would climb again.
fn repair<'a>(
    open: &Proposal,
    target: Option<(&'a Candidate, bool)>,
    snapshot: &'a Snapshot,
    now: Timestamp,
) -> Option<(&'a Candidate, bool)> {
    let moves = target.is_some_and(|(candidate, requested)| {
        requested || candidate.version.cmp_precedence(&open.version).is_gt()
    });
    if open.settled || !open.ours || moves {
        return target;
    }
    let proposed = |c: &&Candidate| c.bump != Bump::None && c.version == open.version;
    let sound =
        |c: &&Candidate| assess(c, ProposalKind::PinBump, snapshot, now) == Assessment::Ready;
    let same = snapshot.candidates.iter().find(proposed).filter(sound);
    same.map(|candidate| (candidate, open.requested)).or(target)
}

/// A wish that is still being worked on says so, also while a newer one is proposed.
fn stay_visible(standing: &Standing<'_>, board: &mut Board) {
    if standing.request.outcome.is_none() && standing.assessment != Assessment::Ready {
        board.set(&standing.candidate.version, standing.assessment.stage());
    }
}

fn open_proposal(snapshot: &Snapshot) -> Option<&Proposal> {
    snapshot
        .proposals
        .iter()
        .rev()
        .find(|p| p.kind == ProposalKind::PinBump && p.state == PullState::Open)
}

/// The MINORs and patches that may be proposed without being asked for, newest first. A declined
/// one is not, nor one that was already out when a person declined a newer one.
fn automatic<'a>(
    snapshot: &'a Snapshot,
    standing: Option<&Standing<'_>>,
    board: &mut Board,
) -> Vec<&'a Candidate> {
    let cutoff = standing.filter(|s| s.outranks()).map(|s| (s.request.at, &s.candidate.version));
    let declined: Vec<(&Proposal, Timestamp)> = snapshot
        .proposals
        .iter()
        .filter(|p| p.kind == ProposalKind::PinBump && p.state == PullState::Closed)
        .filter_map(|p| {
            let candidate = snapshot.candidates.iter().find(|c| c.version == p.version)?;
            Some((p, candidate.published_at))
        })
        .collect();
    let mut eligible = Vec::new();
    let small = |c: &&Candidate| matches!(c.bump, Bump::Minor | Bump::Patch);
    for candidate in snapshot.candidates.iter().filter(small) {
        let stage = declined.iter().rev().find_map(|(p, published)| {
            let older = candidate.version.cmp_precedence(&p.version).is_lt();
            if candidate.version == p.version {
                Some(Stage::Declined { pull: p.pull })
            } else if older && candidate.published_at <= *published {
                let why = format!("{} was declined in {}", p.version, p.pull);
                Some(Stage::Skipped { why })
            } else {
                None
            }
        });
        let outranked = cutoff.filter(|(at, version)| {
            candidate.published_at <= *at && candidate.version != **version
        });
        match (stage, outranked) {
            (Some(stage), _) => board.set(&candidate.version, stage),
            (None, Some((_, version))) => {
                let why = format!("a person asked for {version} when this was already out");
                board.set(&candidate.version, Stage::Skipped { why });
            }
            (None, None) => eligible.push(candidate),
        }
    }
    eligible
}

fn offer_patches(
    automatic: &[&Candidate],
    minor: Option<&Candidate>,
    busy: Option<Version>,
    snapshot: &Snapshot,
    now: Timestamp,
    board: &mut Board,
) {
    let patches = || automatic.iter().copied().filter(|c| c.bump == Bump::Patch);
    match (snapshot.patches, minor) {
        (PatchPolicy::Propose, _) => {}
        (PatchPolicy::Skip, _) => {
            for patch in patches() {
                let why = "patches are skipped by policy".to_owned();
                board.set(&patch.version, Stage::Skipped { why });
            }
        }
        (PatchPolicy::Offer, Some(minor)) => {
            for patch in patches() {
                board.set(&patch.version, Stage::Covered { by: minor.version.clone() });
            }
        }
        (PatchPolicy::Offer, None) => {
            let walk = walk(patches(), ProposalKind::PinBump, snapshot, now, busy);
            let offered = walk.target.map(|patch| patch.version.clone());
            board.take(walk);
            if let Some(version) = offered {
                board.set(&version, Stage::Offered);
            }
        }
    }
}

/// The candidate that a person asked for, if its turn has come.
fn wish<'a>(standing: &Standing<'a>, board: &mut Board) -> Option<&'a Candidate> {
    let candidate = standing.candidate;
    // Granted already, and its pull request is open: it stands, but asks for nothing more.
    if standing.request.outcome.is_some() {
        return None;
    }
    board.set(&candidate.version, standing.assessment.stage());
    match &standing.assessment {
        Assessment::Ready => Some(candidate),
        Assessment::Due(intents) => {
            board.due.extend(intents.iter().cloned());
            None
        }
        Assessment::Running { alive_until, .. } => {
            board.wakes.push(*alive_until);
            None
        }
        Assessment::Waiting { until, .. } => {
            board.wakes.extend(*until);
            None
        }
        Assessment::Held(_) => None,
    }
}

/// Keeps the open pull request current. It is rewritten only when its successor's evidence is
/// complete, and never moves down unless asked.
fn tend(
    open: &Proposal,
    target: Option<(&Candidate, bool)>,
    pinned: &Version,
    snapshot: &Snapshot,
    board: &mut Board,
) {
    let left_over = open.version.cmp_precedence(pinned).is_le();
    if left_over && open.ours {
        let why = format!("the pin is at {pinned} already");
        board.due.push(Intent::Close { pull: open.pull, why });
        return;
    }
    let mut proposed = open.version.clone();
    if let Some((candidate, _)) = target.filter(|_| !open.ours) {
        let reason = format!("pull request {} has commits by a person: hands off", open.pull);
        board.set(&candidate.version, Stage::Held { reasons: vec![reason] });
    } else if let Some((candidate, requested)) = target {
        let step = candidate.version.cmp_precedence(&open.version);
        let moves = step.is_gt() || (step.is_lt() && requested);
        let requested = requested || (step.is_eq() && open.requested);
        if moves || (step.is_eq() && !open.settled) {
            board.due.push(Intent::Propose {
                kind: ProposalKind::PinBump,
                version: candidate.version.clone(),
                over: Some(open.pull),
                requested,
            });
            proposed = candidate.version.clone();
        }
    }
    if left_over {
        return;
    }
    let stage = Stage::Proposed { pull: open.pull, hands_off: !open.ours };
    if proposed == open.version {
        board.set(&open.version, stage);
    }
    cover(&proposed, snapshot, board);
}

/// What the open pull request contains, unless there is something else to be told of it.
fn cover(proposed: &Version, snapshot: &Snapshot, board: &mut Board) {
    for candidate in &snapshot.candidates {
        let contained = matches!(candidate.bump, Bump::Minor | Bump::Patch)
            && candidate.version.cmp_precedence(proposed).is_lt();
        let told = matches!(
            board.stages.get(&candidate.version),
            Some(Stage::Declined { .. } | Stage::Held { .. } | Stage::CanaryRunning { .. })
        );
        if contained && !told {
            board.set(&candidate.version, Stage::Covered { by: proposed.clone() });
        }
    }
}

fn open_new(target: Option<(&Candidate, bool)>, snapshot: &Snapshot, board: &mut Board) {
    let Some((candidate, requested)) = target else {
        return;
    };
    let kind = ProposalKind::PinBump;
    let taken = |branch: &str| !branch.ends_with("-migration");
    if let Some((branch, pull)) = snapshot.foreign.iter().find(|(b, _)| taken(b.as_str())) {
        let reason = foreign_branch(branch, *pull);
        board.set(&candidate.version, Stage::Held { reasons: vec![reason] });
        return;
    }
    board.due.push(Intent::Propose {
        kind,
        version: candidate.version.clone(),
        over: None,
        requested,
    });
}
