//! Branches of the bot's whose work is done: those of merged pull requests, and those that were
//! there for one run of a workflow.

use super::pass::Pass;
use crate::domain::{
    BranchName, CommitId, Effect, EffectState, ImageName, Memory, PullFacts, PullState, RunState,
    Timestamp,
};
use crate::policy::{is_patched, scratch_marker};
use anyhow::Result;
use std::collections::BTreeMap;

impl Pass<'_> {
    /// Deletes the branches of merged pull requests. Comes before anything is proposed: the next
    /// proposal may have the same branch.
    pub(super) async fn tidy_merged(&mut self) -> Result<()> {
        let merged = merged(&self.memory);
        self.delete_branches(merged).await
    }

    /// Deletes the branches of dispatches whose runs are over. Comes after everything else: what a
    /// death left behind is taken up again before.
    pub(super) async fn tidy_scratch(&mut self) -> Result<()> {
        let scratch = left_behind(&self.bot.watch.upstream.image, &self.memory);
        self.delete_branches(scratch).await
    }

    async fn delete_branches(&mut self, branches: Vec<(BranchName, CommitId)>) -> Result<()> {
        for (branch, commit) in branches {
            if self.limited {
                return Ok(());
            }
            let line = format!("deleted the branch {branch}");
            match self.effect(&Effect::DeleteBranch { branch, commit }).await {
                Ok(_) => self.done(line),
                Err(error) if error.is::<crate::store::StoreError>() => return Err(error),
                Err(error) => self.trouble(&error),
            }
        }
        Ok(())
    }
}

/// The branches of merged pull requests, with the commits that were merged, where nobody but the
/// bot committed to them and no other pull request has them by now.
fn merged(memory: &Memory) -> Vec<(BranchName, CommitId)> {
    let mut newest: BTreeMap<&BranchName, &PullFacts> = BTreeMap::new();
    for pull in memory.pulls() {
        let known = newest.entry(&pull.branch).or_insert(pull);
        if pull.number > known.number {
            *known = pull;
        }
    }
    let done = |pull: &&PullFacts| {
        let ours = pull.marker.as_ref().is_some_and(|marker| marker.commit == pull.head)
            || is_patched(memory, pull);
        pull.state == PullState::Merged && ours
    };
    let merged = newest.into_values().filter(done);
    let merged = merged.map(|pull| (pull.branch.clone(), pull.head.clone()));
    merged.filter(|(branch, commit)| deleted_at(memory, branch, Some(commit)).is_none()).collect()
}

/// The branches that were pushed for dispatches and are of no more use, with their commits.
fn left_behind(image: &ImageName, memory: &Memory) -> Vec<(BranchName, CommitId)> {
    let running = |marker: &str| {
        let mut of_it = memory.runs.iter().filter(|run| run.dispatched.as_deref() == Some(marker));
        of_it.any(|run| matches!(run.state, RunState::Running { .. }))
    };
    let pushed = memory.effects.iter().filter_map(|record| match &record.effect {
        Effect::PushBranch { branch, commit } if record.state == EffectState::Done => {
            let marker = scratch_marker(image, branch)?;
            // What was pushed once more after a death is deleted once more.
            let gone =
                deleted_at(memory, branch, None).is_some_and(|at| Some(at) >= record.done_at);
            (!running(marker) && !gone).then(|| (branch.clone(), commit.clone()))
        }
        _ => None,
    });
    pushed.collect()
}

/// When the bot last deleted the branch, at this commit if one is given.
fn deleted_at(memory: &Memory, branch: &BranchName, at: Option<&CommitId>) -> Option<Timestamp> {
    let of_it = memory.effects.iter().filter(|record| match &record.effect {
        Effect::DeleteBranch { branch: gone, commit } => {
            gone == branch && at.is_none_or(|at| at == commit)
        }
        _ => false,
    });
    of_it.filter_map(|record| record.done_at).max()
}
