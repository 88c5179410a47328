//! The pin sites at the head of the downstream's base branch → facts.

use crate::clients::git::GitCache;
use crate::config::Watch;
use crate::domain::{CommitId, PinFacts};
use crate::edit::{self, Files, migration};
use anyhow::{Context as _, Result};

/// The downstream at one commit.
#[derive(Debug, Clone)]
pub struct Downstream {
    /// The head of the base branch.
    pub base: CommitId,
    /// The files that the sites and the migration document are in.
    pub files: Files,
    /// What they say.
    pub facts: PinFacts,
}

/// Fetches what is new on the base branch and reads every pin site there.
///
/// # Errors
/// If the downstream could not be fetched. A site that cannot be read is a fact, not an error.
pub async fn read_pin(git: &GitCache, watch: &Watch) -> Result<Downstream> {
    let downstream = &watch.downstream;
    let base = git
        .fetch_branch(&downstream.branch)
        .await
        .with_context(|| format!("{} of {}", downstream.branch, downstream.repository))?;
    let mut paths = edit::paths(&downstream.sites);
    let document = watch.rules.migration.as_ref().map(|rule| rule.path.clone());
    paths.extend(document.clone());
    let files = git.read_files(&base, &paths).await.context("the pin sites")?;
    let sites = edit::read(&downstream.sites, &watch.upstream.image, &files);
    let (migrated, migration_fault) = match document {
        None => (Vec::new(), None),
        Some(path) => match files.get(&path).and_then(Option::as_deref) {
            None => (Vec::new(), Some(format!("{path} is not there"))),
            Some(bytes) => match std::str::from_utf8(bytes) {
                Err(_) => (Vec::new(), Some(format!("{path} is not UTF-8"))),
                Ok(text) => (migration::majors(text), None),
            },
        },
    };
    Ok(Downstream { base, files, facts: PinFacts { sites, migrated, migration_fault } })
}
