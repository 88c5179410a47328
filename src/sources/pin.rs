//! The pin sites at the head of the downstream's base branch → facts.

use crate::config::Watch;
use crate::domain::{Cached, CommitId, FilePath, MirrorFacts, PinFacts, SiteState};
use crate::edit::{self, Files, migration};
use crate::repository::{Head, Repository, not_a_file};
use anyhow::{Context as _, Result};
use std::collections::BTreeSet;

/// The downstream at one commit.
#[derive(Debug, Clone)]
pub struct Downstream {
    /// The head of the base branch.
    pub base: CommitId,
    /// The files that the sites and the migration document are in.
    pub files: Files,
    /// What they say.
    pub facts: PinFacts,
    /// The copy of upstream's contract document, if there is to be one.
    pub mirror: Option<MirrorFacts>,
    /// A body that is to be remembered for the next look.
    pub fresh: Option<Cached>,
}

/// Looks what is new on the base branch and reads every pin site there. `cached` is what is
/// remembered of the last look, by its URL.
///
/// # Errors
/// If the downstream could not be fetched. A site that cannot be read is a fact, not an error.
pub async fn read_pin(
    git: &Repository,
    watch: &Watch,
    cached: Option<Cached>,
) -> Result<Downstream> {
    let downstream = &watch.downstream;
    let Head { commit: base, fresh } = git
        .fetch_head(&downstream.branch, cached)
        .await
        .with_context(|| format!("{} of {}", downstream.branch, downstream.repository))?;
    let mut paths = edit::paths(&downstream.sites);
    let document = watch.rules.migration.as_ref().map(|rule| rule.path.clone());
    paths.extend(document.clone());
    paths.extend(downstream.mirror.clone());
    let (files, others) = read_plain(git, &base, paths).await?;
    let mut sites = edit::read(&downstream.sites, &watch.upstream.image, &files);
    for reading in sites.iter_mut().filter(|reading| others.contains(&reading.path)) {
        let why = "a link, a folder or a submodule stands where a file should".to_owned();
        reading.state = SiteState::Faulty { why };
    }
    let tree = git.tree_of(&base).await?;
    let mut facts = PinFacts {
        sites,
        migrated: Vec::new(),
        migrated_to: Vec::new(),
        migration_fault: None,
        harness: git.state_of(&tree, &watch.rules.harness).await.context("the harness")?,
    };
    if let Some(path) = document {
        match files.get(&path).and_then(Option::as_deref).map(std::str::from_utf8) {
            None => facts.migration_fault = Some(format!("{path} is not there")),
            Some(Err(_)) => facts.migration_fault = Some(format!("{path} is not UTF-8")),
            Some(Ok(text)) => {
                facts.migrated = migration::majors(text);
                facts.migrated_to = migration::targets(text);
            }
        }
    }
    let mirror = downstream.mirror.clone().map(|path| {
        let content = files.get(&path).and_then(Option::as_deref);
        MirrorFacts::of(path, content)
    });
    Ok(Downstream { base, files, facts, mirror, fresh })
}

/// The files, and the paths at which something else stands: those make their own sites faulty,
/// and no others.
async fn read_plain(
    git: &Repository,
    base: &CommitId,
    mut paths: BTreeSet<FilePath>,
) -> Result<(Files, BTreeSet<FilePath>)> {
    let mut others = BTreeSet::new();
    loop {
        let files = git.read_files(base, &paths).await;
        match files.as_ref().err().and_then(not_a_file).cloned() {
            Some(path) if paths.remove(&path) => {
                others.insert(path);
            }
            _ => return Ok((files.context("the pin sites")?, others)),
        }
    }
}
