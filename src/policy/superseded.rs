//! Workflow runs that nobody waits for any longer: they take the downstream's time, and are
//! cancelled.

use super::{
    board::Board,
    checks::is_over,
    snapshot::{Carrier, Running, Snapshot},
    stage::{Intent, Stage},
};
use crate::domain::{Timestamp, Version};

/// Has each such run cancelled. Comes last, when it is clear what becomes of each release.
pub(super) fn cancel(snapshot: &Snapshot, now: Timestamp, board: &mut Board) {
    let by_workflow = |run: &&Running| {
        let carrier = run.checks.as_ref().map(|checks| checks.carrier);
        carrier == Some(Carrier::Workflow) && !is_over(run, now)
    };
    for run in snapshot.runs.iter().filter(by_workflow) {
        if let Some(why) = superseded(run, snapshot, board) {
            board.due.push(Intent::Cancel { run: run.run, why });
        }
    }
}

/// Why nobody waits for the run any longer, if so.
fn superseded(run: &Running, snapshot: &Snapshot, board: &Board) -> Option<String> {
    let same = |other: &Option<Running>| other.as_ref().is_some_and(|it| it.run == run.run);
    if same(&snapshot.baseline.running) {
        return None;
    }
    let mut candidates = snapshot.candidates.iter();
    let Some(candidate) = candidates.find(|candidate| same(&candidate.running)) else {
        return Some("what it depends on has changed".to_owned());
    };
    let version = &candidate.version;
    match board.stages.get(version) {
        Some(stage) => settled(version, stage),
        None => Some(format!("{version} is no release of the stream any more")),
    }
}

/// Why the canary of a release at this stage is of no use, if so.
fn settled(version: &Version, stage: &Stage) -> Option<String> {
    match stage {
        Stage::Pinned => Some(format!("the pin is at {version} already")),
        Stage::Older => Some(format!("the pin is beyond {version}")),
        Stage::Covered { by } => Some(format!("{by} contains {version}")),
        Stage::Skipped { why } => Some(why.clone()),
        Stage::Declined { pull } => Some(format!("{version} was declined in {pull}")),
        Stage::Held { reasons } => Some(reasons.join("; ")),
        Stage::Queued { .. }
        | Stage::Checking
        | Stage::Waiting { .. }
        | Stage::CanaryRunning { .. }
        | Stage::Offered
        | Stage::Ready
        | Stage::Proposed { .. }
        | Stage::Migrated => None,
    }
}
