//! Reading through GitHub's API: folders and files one by one, each once.

use super::Head;
use crate::clients::git::{Differing, Entry, Missing, Objects, Texts};
use crate::clients::github::{GitCommit, GithubError, Reader};
use crate::domain::{BranchName, Cached, CommitId, Fetched, FilePath, RepoName, TreeId};
use anyhow::{Context as _, Result, bail};
use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, PoisonError},
};

/// So many are asked for side by side.
const SIDE_BY_SIDE: usize = 8;
/// Each file that is looked through is a request, and GitHub grants 5000 in an hour.
const FILES_LIMIT: usize = 500;
/// So much is looked through at most, in bytes.
const BYTES_LIMIT: u64 = 32 << 20;
/// After so many files their bytes are counted.
const AT_A_TIME: usize = 64;

/// What is read through the API.
#[derive(Debug, Clone)]
pub(super) struct Api {
    objects: Objects,
    reader: Reader,
    repo: RepoName,
    /// What is known of commits. Their own bytes the API does not give.
    commits: Arc<Mutex<BTreeMap<CommitId, GitCommit>>>,
    /// Files that are too large to be fetched.
    too_large: Arc<Mutex<BTreeSet<Missing>>>,
}

impl Api {
    pub(super) fn new(objects: Objects, reader: Reader, repo: RepoName) -> Self {
        Self { objects, reader, repo, commits: Arc::default(), too_large: Arc::default() }
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
        let mut commits = self.commits.lock().unwrap_or_else(PoisonError::into_inner);
        commits.insert(commit.id.clone(), commit.clone());
        commit
    }

    /// A commit, which is asked for once.
    pub(super) async fn commit(&self, id: &CommitId) -> Result<GitCommit> {
        let known = self.commits.lock().unwrap_or_else(PoisonError::into_inner).get(id).cloned();
        if let Some(known) = known {
            return Ok(known);
        }
        let fetched = self.reader.fetch_git_commit(&self.repo, id).await;
        Ok(self.learn(fetched.with_context(|| format!("commit {id}"))?))
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
            self.fetch_all(missing).await?;
        }
    }

    /// The paths at which two trees differ; what is missing to tell is fetched.
    pub(super) async fn differing(&self, old: &TreeId, new: &TreeId) -> Result<BTreeSet<FilePath>> {
        loop {
            let Differing { paths, missing } = self.objects.differing(old, new).await?;
            if missing.is_empty() {
                return Ok(paths);
            }
            self.fetch_all(missing).await?;
        }
    }

    /// Fetches the files of `tree` that are looked through for names; whether they are not too many
    /// for that.
    pub(super) async fn provide_texts(&self, tree: &TreeId) -> Result<bool> {
        loop {
            let Texts { files, bytes, mut missing } = self.objects.texts(tree).await?;
            missing.retain(|object| !self.is_too_large(object));
            if files > FILES_LIMIT || bytes > BYTES_LIMIT {
                return Ok(false);
            }
            if missing.is_empty() {
                return Ok(true);
            }
            // A few at a time: what they weigh is only known when they are here.
            let some = stream::iter(missing.into_iter().take(AT_A_TIME)).map(Ok);
            some.try_for_each_concurrent(SIDE_BY_SIDE, |object| self.fetch_if_small(object))
                .await?;
        }
    }

    /// Fetches an object, unless it is larger than the client reads: no such file is looked through.
    async fn fetch_if_small(&self, missing: Missing) -> Result<()> {
        let Err(error) = self.fetch(missing.clone()).await else { return Ok(()) };
        match error.downcast_ref() {
            Some(GithubError::TooLarge { .. }) if matches!(missing, Missing::Blob(_)) => {
                let mut large = self.too_large.lock().unwrap_or_else(PoisonError::into_inner);
                large.insert(missing);
                Ok(())
            }
            _ => Err(error),
        }
    }

    fn is_too_large(&self, object: &Missing) -> bool {
        self.too_large.lock().unwrap_or_else(PoisonError::into_inner).contains(object)
    }

    /// Fetches these objects, or fails.
    pub(super) async fn fetch_all(&self, missing: impl IntoIterator<Item = Missing>) -> Result<()> {
        stream::iter(missing)
            .map(Ok)
            .try_for_each_concurrent(SIDE_BY_SIDE, |missing| self.fetch(missing))
            .await
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
