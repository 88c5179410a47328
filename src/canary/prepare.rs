//! What a tool of the downstream's own adds to the edit, such as a regenerated lockfile: exactly
//! the files that the config allows, and nothing else.

use super::{
    apart,
    sandbox::{Cell, Run},
};
use crate::clients::git::{Difference, Now, Objects};
use crate::config::Prepare;
use crate::domain::{FileChange, FilePath, TreeId};
use anyhow::{Context as _, Result, bail};

/// So many paths of a fault are named.
const NAMED: usize = 5;

/// What a step has to add to the tree before the canary runs on it.
#[derive(Debug, Clone)]
pub struct Preparation {
    /// What is run, and what it may change.
    pub rule: Prepare,
    /// Where the tree came from, and goes to.
    pub git: Objects,
    /// The tree as it was exported.
    pub tree: TreeId,
}

/// The tree with what was added.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Prepared {
    pub(super) tree: TreeId,
    pub(super) files: Vec<String>,
}

impl Preparation {
    /// Takes over what changed in the tree of `cell`, as which it was exported.
    pub(super) async fn take(&self, room: &Run, cell: &Cell) -> Result<Prepared> {
        let differences = if room.is_apart() {
            let archive = apart::archive(room, cell).await?;
            self.git.differences_in_archive(&self.tree, archive).await
        } else {
            self.git.differences(&self.tree, &cell.tree).await
        };
        let differences = differences.context("what it changed could not be read")?;
        let changes = allowed(&self.rule, differences)?;
        let files = changes.iter().map(|change| change.path.to_string()).collect();
        let tree = self.git.write_tree(&self.tree, &changes).await?;
        Ok(Prepared { tree, files })
    }
}

fn allowed(rule: &Prepare, differences: Vec<Difference>) -> Result<Vec<FileChange>> {
    let mut changes = Vec::new();
    let mut faults = Vec::new();
    for Difference { path, now } in differences {
        let parsed = path.parse::<FilePath>().ok().filter(|_| rule.allows(&path));
        match (parsed, now) {
            (Some(path), Now::Written(content)) => {
                let notes = vec![format!("written by `{}`", rule.step.command.join(" "))];
                changes.push(FileChange { path, content, notes });
            }
            (Some(path), Now::Other(what)) => faults.push(format!("{path} {what}")),
            (None, Now::Other(what)) => faults.push(format!("{path} {what}")),
            (None, Now::Written(_)) => faults.push(format!("{path} is not among its files")),
        }
    }
    if !faults.is_empty() {
        let more = faults.len().saturating_sub(NAMED);
        let more = if more == 0 { String::new() } else { format!(", and {more} more") };
        faults.truncate(NAMED);
        bail!("it changed what it may not: {}{more}", faults.join(", "));
    }
    Ok(changes)
}
