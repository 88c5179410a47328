//! The edited files and their tree, not yet a commit.

use crate::config::Watch;
use crate::domain::{
    BreakingNote, CanaryRun, Changeset, CommitId, FileChange, FilePath, Memory, Pin, TreeId,
    Version,
};
use crate::edit::{self, SiteLine, migration};
use crate::repository::Repository;
use anyhow::{Context as _, Result, bail};
use std::collections::BTreeSet;

/// The edited files of a proposal.
#[derive(Debug, Clone)]
pub struct Draft {
    /// The commit that they were made on.
    pub base: CommitId,
    /// The whole tree with the edits.
    pub tree: TreeId,
    /// The edits.
    pub changes: Vec<FileChange>,
    /// What happened to each pin site.
    pub sites: Vec<SiteLine>,
    /// The changeset among the edits, if there is one.
    pub changeset: Option<Changeset>,
}

impl Draft {
    /// This draft with what was added to it before the canary ran.
    ///
    /// # Errors
    /// If what the canary saw is not this draft with those files and nothing else, or git fails.
    pub(super) async fn prepared_as(self, git: &Repository, run: &CanaryRun) -> Result<Self> {
        if self.tree == run.tree {
            return Ok(self);
        }
        let added: BTreeSet<String> = run.prepared().iter().cloned().collect();
        let mut between = git.objects().paths_between(&self.tree, &run.tree).await?;
        between.retain(|path| !added.contains(path));
        if added.is_empty() || !between.is_empty() {
            bail!("the tree is not the one that the canary saw");
        }
        Ok(Self { tree: run.tree.clone(), ..self })
    }
}

/// The lockstep edit on top of `base`: all sites or none, those of the `companions` among them.
///
/// # Errors
/// If a site cannot be edited, nothing would change, or git fails.
pub async fn draft_pin_bump(
    git: &Repository,
    watch: &Watch,
    may_edit_workflows: bool,
    base: &CommitId,
    to: &Pin,
    companions: &[Pin],
) -> Result<Draft> {
    let sites = &watch.editable_sites(may_edit_workflows);
    let files = git.read_files(base, &edit::paths(sites)).await.context("the pin sites")?;
    let lockstep = edit::lockstep(sites, &watch.upstream.image, &files, to, companions);
    let lockstep = lockstep.map_err(|faults| {
        let lines: Vec<String> = faults.iter().map(ToString::to_string).collect();
        anyhow::anyhow!("the pin sites cannot be edited: {}", lines.join("; "))
    })?;
    let mut changes = lockstep.changes;
    if changes.is_empty() {
        bail!("every pin site spells {} already", to.version);
    }
    let changeset = watch.changeset.as_ref().map(|rule| rule.of(&to.image, &to.version));
    let changeset = changeset.transpose().context("the changeset")?;
    changes.extend(changeset.as_ref().map(|changeset| FileChange {
        path: changeset.path.clone(),
        content: changeset.content().into_bytes(),
        notes: vec!["a changeset".to_owned()],
    }));
    let tree = git.write_tree(base, &changes).await.context("the edited tree")?;
    Ok(Draft { base: base.clone(), tree, changes, sites: lockstep.lines, changeset })
}

/// The companion images of a release, as pins: those that its tag was resolved to.
#[must_use]
pub fn companion_pins(watch: &Watch, memory: &Memory, version: &Version) -> Vec<Pin> {
    let resolved = watch.rules.companions.iter().filter_map(|rule| {
        let digest = memory.companion(&rule.image, version)?.digest.clone();
        Some(Pin { image: rule.image.clone(), version: version.clone(), digest })
    });
    resolved.collect()
}

/// The new section in the migration document, on top of `base`.
pub(super) async fn draft_stub(
    git: &Repository,
    base: &CommitId,
    document: &FilePath,
    from: &Version,
    to: &Version,
    rows: &[BreakingNote],
) -> Result<Draft> {
    let files = git.read_files(base, &std::iter::once(document.clone()).collect()).await?;
    let Some(old) = files.get(document).and_then(Option::as_deref) else {
        bail!("{document} is not there");
    };
    let new = migration::insert_section(old, from, to, rows)
        .map_err(|why| anyhow::anyhow!("{document} cannot take a section: {why}"))?;
    let change = FileChange {
        path: document.clone(),
        content: new,
        notes: vec![format!("a section for {from} → {to}")],
    };
    let changes = vec![change];
    let tree = git.write_tree(base, &changes).await.context("the edited tree")?;
    let (sites, changeset) = (Vec::new(), None);
    Ok(Draft { base: base.clone(), tree, changes, sites, changeset })
}
