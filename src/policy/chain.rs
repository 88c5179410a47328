//! A chain of candidates, newest first, of which the newest that passes is wanted.

use super::{
    assess::{Assessment, assess},
    snapshot::{Candidate, Snapshot},
    stage::{Intent, Stage},
};
use crate::domain::{Check, ProposalKind, Timestamp, Verdict, Version};

/// After so many failed canaries in one chain the older ones are left alone: each run is dear, and
/// a break that old is a matter for people.
const MAX_FAILED_CANARIES: usize = 6;

/// What came of a walk down a chain.
#[derive(Debug, Default)]
pub(super) struct Walk<'a> {
    /// The newest with complete evidence.
    pub(super) target: Option<&'a Candidate>,
    /// The stage of each.
    pub(super) stages: Vec<(Version, Stage)>,
    /// What is to be done.
    pub(super) due: Vec<Intent>,
    /// When something changes by itself.
    pub(super) wakes: Vec<Timestamp>,
    /// The newest on which work is under way.
    pub(super) busy: Option<Version>,
}

/// Walks down `chain`. One that waits or is held blocks no older one; one on which work is under
/// way keeps older ones from being started, but not from being the target.
///
/// `behind` is a candidate of another chain that is to be looked at first.
pub(super) fn walk<'a>(
    chain: impl IntoIterator<Item = &'a Candidate>,
    kind: ProposalKind,
    snapshot: &Snapshot,
    now: Timestamp,
    behind: Option<Version>,
) -> Walk<'a> {
    let mut walk = Walk { busy: behind, ..Walk::default() };
    let mut failed_canaries = 0;
    for candidate in chain {
        let stage = walk.step(candidate, kind, snapshot, now, failed_canaries);
        walk.stages.push((candidate.version.clone(), stage));
        failed_canaries += usize::from(canary_failed(candidate));
    }
    walk
}

impl<'a> Walk<'a> {
    fn step(
        &mut self,
        candidate: &'a Candidate,
        kind: ProposalKind,
        snapshot: &Snapshot,
        now: Timestamp,
        failed_canaries: usize,
    ) -> Stage {
        if let Some(target) = self.target {
            return Stage::Covered { by: target.version.clone() };
        }
        let assessment = assess(candidate, kind, snapshot, now);
        let stage = assessment.stage();
        match assessment {
            Assessment::Ready => self.target = Some(candidate),
            Assessment::Waiting { until, .. } => self.wakes.extend(until),
            Assessment::Held(_) => {}
            Assessment::Running(running) => {
                self.wakes.push(running.wake);
                self.busy.get_or_insert_with(|| candidate.version.clone());
            }
            Assessment::Due(intents) => {
                if let Some(behind) = &self.busy {
                    return Stage::Queued { behind: behind.clone() };
                }
                if failed_canaries >= MAX_FAILED_CANARIES {
                    let why =
                        format!("not tried: the canary failed at {failed_canaries} newer ones");
                    return Stage::Skipped { why };
                }
                self.busy = Some(candidate.version.clone());
                self.due.extend(intents);
            }
        }
        stage
    }
}

fn canary_failed(candidate: &Candidate) -> bool {
    candidate.answers.get(&Check::Canary).is_some_and(|answer| answer.verdict == Verdict::Failed)
}
