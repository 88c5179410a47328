//! What is proposed or offered without being asked for.

use super::{
    board::Board,
    canary::{AtPin, at_pin},
    chain::walk,
    orders::ignored,
    requests::Cutoff,
    snapshot::{Candidate, Proposal, Snapshot},
    stage::Stage,
};
use crate::domain::{Bump, PatchPolicy, ProposalKind, PullState, Timestamp, Verdict, Version};

/// The MINORs and patches that may be proposed without being asked for, newest first. A declined
/// one is not, nor one that was already out when a person declined a newer one.
pub(super) fn automatic<'a>(
    snapshot: &'a Snapshot,
    cutoff: Option<Cutoff<'_>>,
    board: &mut Board,
) -> Vec<&'a Candidate> {
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
            (None, None) => match ignored(candidate, snapshot) {
                Some(why) => board.set(&candidate.version, Stage::Skipped { why }),
                None => eligible.push(candidate),
            },
        }
    }
    eligible
}

/// What becomes of the patches where no MINOR contains them. A patch is offered; where the canary
/// fails at the pinned digest and passes at the patch, it mends what the downstream relies on, and
/// is returned: it is proposed without being asked for.
pub(super) fn offer_patches<'a>(
    automatic: &[&'a Candidate],
    minor: Option<&Candidate>,
    busy: Option<Version>,
    snapshot: &Snapshot,
    now: Timestamp,
    board: &mut Board,
) -> Option<&'a Candidate> {
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
            let (offered, idle) = (walk.target, walk.busy.is_none());
            board.take(walk);
            let patch = offered?;
            board.set(&patch.version, Stage::Offered);
            return rescues(idle, snapshot, now, board).then_some(patch);
        }
    }
    None
}

/// Whether the canary fails at the pinned digest, so that a patch at which it passes is a rescue.
/// Where it is not known, it is found out once nothing else is under way.
fn rescues(idle: bool, snapshot: &Snapshot, now: Timestamp, board: &mut Board) -> bool {
    match at_pin(snapshot, now) {
        AtPin::Known(verdict, _) => return verdict == Verdict::Failed,
        AtPin::Due(intents) if idle => board.due.extend(intents),
        AtPin::Running(running) => board.wakes.push(running.wake),
        AtPin::Waiting(until, _) => board.wakes.push(until),
        AtPin::Due(_) | AtPin::Spent(_) => {}
    }
    false
}
