//! What the bot's token may not edit: workflow files, where GitHub did not grant that. The edit is
//! made all the same, as a patch for a person.

use super::{draft::Draft, plan::Workshop};
use crate::clients::git::hunks;
use crate::config::is_workflow;
use crate::domain::{BranchName, FileChange, Pin, TreeId};
use crate::edit;
use crate::render::LeftOut;
use anyhow::{Context as _, Result};
use std::fmt::Write as _;

/// An edit that is left to a person.
#[derive(Debug, Clone)]
pub struct Withheld {
    /// The whole tree once it is made.
    pub tree: TreeId,
    /// The edit, as `git apply` takes it.
    pub patch: String,
    /// The files that it changes, with what stays in them without it.
    pub files: Vec<FileChange>,
}

impl Withheld {
    /// It, as the reader of the pull request is told; `branch` is where it is to be committed.
    pub(super) fn told<'a>(&'a self, branch: &'a BranchName) -> LeftOut<'a> {
        let files = self.files.iter().map(|change| (&change.path, change.notes.as_slice()));
        LeftOut { branch, patch: &self.patch, files: files.collect() }
    }
}

impl Workshop<'_> {
    /// What a draft leaves out, because the bot may not edit it; `None` if that is nothing.
    pub(super) async fn withheld(
        &self,
        draft: &Draft,
        to: &Pin,
        companions: &[Pin],
    ) -> Result<Option<Withheld>> {
        if self.memory.may_edit_workflows() {
            return Ok(None);
        }
        let sites = &self.watch.downstream.sites;
        let files = self.git.read_files(&draft.base, &edit::paths(sites)).await?;
        let lockstep = edit::lockstep(sites, &self.watch.upstream.image, &files, to, companions);
        let mut changes =
            lockstep.map_err(|_| anyhow::anyhow!("the workflow files cannot be edited"))?.changes;
        changes.retain(|change| is_workflow(&change.path));
        if changes.is_empty() {
            return Ok(None);
        }
        let mut patch = String::new();
        for change in &changes {
            let old = files.get(&change.path).and_then(Option::as_deref).unwrap_or_default();
            let hunks = hunks(old, &change.content).context("the patch")?;
            let at = &change.path;
            let _ = write!(patch, "diff --git a/{at} b/{at}\n--- a/{at}\n+++ b/{at}\n{hunks}");
        }
        let tree = self.git.write_tree_on(&draft.tree, &changes).await.context("the whole tree")?;
        Ok(Some(Withheld { tree, patch, files: changes }))
    }
}
