//! Reading through GitHub's API: folders and files one by one, each once.

use super::Head;
use crate::clients::git::{Entry, Missing, Objects};
use crate::clients::github::{GitCommit, GithubError, Reader};
use crate::domain::{BranchName, Cached, CommitId, Fetched, FilePath, RepoName, Timestamp, TreeId};
use anyhow::{Context as _, Result, bail};
use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, PoisonError},
};

/// So many are asked for side by side.
const SIDE_BY_SIDE: usize = 8;

/// What is read through the API.
#[derive(Debug, Clone)]
pub(super) struct Api {
    objects: Objects,
    reader: Reader,
    repo: RepoName,
    /// What is known of commits. Their own bytes the API does not give.
    commits: Arc<Mutex<BTreeMap<CommitId, (TreeId, Timestamp)>>>,
}

impl Api {
    pub(super) fn new(objects: Objects, reader: Reader, repo: RepoName) -> Self {
        Self { objects, reader, repo, commits: Arc::default() }
    }

    pub(super) fn head_url(&self, branch: &BranchName) -> Result<String, GithubError> {
        self.reader.branch_url(&self.repo, branch)
    }

    pub(super) async fn fetch_head(
        &self,
        branch: &BranchName,
        cached: Option<Cached>,
    ) -> Result<Head> {
        self.objects.refresh().await?;
        let fetched = self.reader.fetch_branch(&self.repo, branch, cached.as_ref()).await?;
        let (body, fresh) = match (fetched, cached) {
            (Fetched::Fresh(fresh), _) => (fresh.clone(), Some(fresh)),
            (Fetched::NotModified, Some(cached)) => (cached, None),
            (Fetched::NotModified, None) => bail!("a 304 to a request that was not conditional"),
        };
        let head = self.learn(Reader::parse_branch(&body.body)?);
        Ok(Head { commit: head.id, fresh })
    }

    fn learn(&self, commit: GitCommit) -> GitCommit {
        let known = (commit.tree.clone(), commit.at);
        let mut commits = self.commits.lock().unwrap_or_else(PoisonError::into_inner);
        commits.insert(commit.id.clone(), known);
        commit
    }

    /// The tree of a commit, and when it was committed.
    pub(super) async fn commit(&self, id: &CommitId) -> Result<(TreeId, Timestamp)> {
        let known = self.commits.lock().unwrap_or_else(PoisonError::into_inner).get(id).cloned();
        if let Some(known) = known {
            return Ok(known);
        }
        let fetched = self.reader.fetch_git_commit(&self.repo, id).await;
        let fetched = self.learn(fetched.with_context(|| format!("commit {id}"))?);
        Ok((fetched.tree, fetched.at))
    }

    /// Fetches what is missing of `paths`, level by level. A whole tree comes at once, if it is not
    /// too large.
    pub(super) async fn provide(
        &self,
        tree: &TreeId,
        paths: &BTreeSet<FilePath>,
        wanted: Entry,
    ) -> Result<()> {
        loop {
            let missing = self.objects.missing(tree, paths, wanted).await?;
            if missing.is_empty() {
                return Ok(());
            }
            // Each is here afterwards, or this ends: so the loop does.
            stream::iter(missing)
                .map(Ok)
                .try_for_each_concurrent(SIDE_BY_SIDE, |missing| self.fetch(missing))
                .await?;
        }
    }

    async fn fetch(&self, missing: Missing) -> Result<()> {
        match missing {
            Missing::Blob(id) => {
                let content = self.reader.fetch_blob(&self.repo, &id).await;
                self.objects.put_blob(&id, content.with_context(|| format!("blob {id}"))?).await?;
                Ok(())
            }
            Missing::Tree(id) => {
                for all_below in [true, false] {
                    let listing = self.reader.fetch_tree(&self.repo, &id, all_below).await;
                    let listing = listing.with_context(|| format!("tree {id}"))?;
                    let put = self.objects.put_trees(listing.trees).await?;
                    if put.contains(&id) {
                        return Ok(());
                    }
                }
                bail!("what came as tree {id} is another one")
            }
        }
    }
}
