//! MAJORs: one migration stub for each major line, the pin untouched.

use super::{
    chain::{Walk, walk},
    snapshot::{Candidate, Migration, Proposal, Snapshot},
    stage::{Intent, Stage},
};
use crate::domain::{BranchName, ProposalKind, PullNumber, PullState, Timestamp, Version};

/// The stages and intents of one major line; `line` is newest first and not empty.
pub(super) fn stub_of_line<'a>(
    major: u64,
    line: &[&'a Candidate],
    snapshot: &Snapshot,
    now: Timestamp,
) -> Walk<'a> {
    let all = |stage: &dyn Fn(&Version) -> Stage| Walk {
        stages: line.iter().map(|c| (c.version.clone(), stage(&c.version))).collect(),
        ..Walk::default()
    };
    let proposal = snapshot
        .proposals
        .iter()
        .rev()
        .find(|p| p.kind == ProposalKind::MigrationStub && p.version.major == major);
    if let Some(proposal) = proposal {
        return all(&|version| stage_of(proposal, version));
    }
    match &snapshot.migration {
        Migration::Unset => {
            let why = "a MAJOR needs a migration, and no migration document is configured";
            all(&|_| Stage::Held { reasons: vec![why.to_owned()] })
        }
        Migration::Faulty(fault) => all(&|_| Stage::Held { reasons: vec![fault.clone()] }),
        Migration::Ready { majors } if majors.contains(&major) => all(&|_| Stage::Migrated),
        Migration::Ready { .. } => {
            let kind = ProposalKind::MigrationStub;
            let mut walk = walk(line.iter().copied(), kind, snapshot, now, None);
            if let Some(target) = walk.target {
                let branch = format!("-{major}-migration");
                let taken = |name: &BranchName| name.as_str().ends_with(&branch);
                if let Some((branch, pull)) = snapshot.foreign.iter().find(|(b, _)| taken(b)) {
                    let reason = foreign_branch(branch, *pull);
                    let held = Stage::Held { reasons: vec![reason] };
                    walk.stages.push((target.version.clone(), held));
                    return walk;
                }
                walk.due.push(Intent::Propose {
                    kind,
                    version: target.version.clone(),
                    over: None,
                    requested: false,
                });
            }
            walk
        }
    }
}

/// Why a branch of the bot cannot be used.
pub(super) fn foreign_branch(branch: &BranchName, pull: PullNumber) -> String {
    format!("pull request {pull} of somebody else uses the branch {branch}")
}

fn stage_of(proposal: &Proposal, version: &Version) -> Stage {
    match proposal.state {
        PullState::Merged => Stage::Migrated,
        PullState::Closed => Stage::Declined { pull: proposal.pull },
        PullState::Open if proposal.version == *version => {
            Stage::Proposed { pull: proposal.pull, hands_off: !proposal.ours }
        }
        PullState::Open => Stage::Covered { by: proposal.version.clone() },
    }
}
