//! The downstream's repository: what is read of it, and how commits get there. Each of the two comes
//! over git or through GitHub's API.
//!
//! Either way a [`Repository`] has git's objects on disk, and trees are made there. Over git they are
//! those of a whole branch; through the API only the folders and files that were asked for, so that
//! nothing is cloned. A [`CommitWriter`] is given what to put on which commit, with the id of the tree
//! that must come of it.

mod api;
mod error;
mod writer;

pub use error::PushError;
pub use writer::{ApiWriter, CommitWriter};

use crate::clients::git::{Author, Entry, GitCache, GitError, Objects};
use crate::clients::github::{GithubError, Reader};
use crate::domain::{
    BranchName, Cached, CommitId, FileChange, FilePath, RepoName, Timestamp, TreeId,
};
use anyhow::{Context as _, Result};
use api::Api;
use std::collections::{BTreeMap, BTreeSet};

/// The downstream's repository, as it is read.
#[derive(Debug, Clone)]
pub struct Repository {
    objects: Objects,
    source: Source,
}

/// Where objects come from.
#[derive(Debug, Clone)]
enum Source {
    Git(GitCache),
    Api(Box<Api>),
}

/// A branch, as it was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// The commit at its head.
    pub commit: CommitId,
    /// A body that is to be remembered for the next look.
    pub fresh: Option<Cached>,
}

impl Repository {
    /// A repository that is read over git.
    #[must_use]
    pub fn over_git(cache: GitCache) -> Self {
        Self { objects: cache.objects().clone(), source: Source::Git(cache) }
    }

    /// A repository that is read through GitHub's API, file by file, into `objects`.
    #[must_use]
    pub fn through_api(objects: Objects, reader: Reader, repo: RepoName) -> Self {
        let api = Api::new(objects.clone(), reader, repo);
        Self { objects, source: Source::Api(Box::new(api)) }
    }

    /// The objects on disk, for whoever needs all of a tree. Over git, they have it.
    #[must_use]
    pub const fn objects(&self) -> &Objects {
        &self.objects
    }

    /// The URL by which a look at `branch` is remembered, if looks can be.
    ///
    /// # Errors
    /// If it cannot be put together.
    pub fn head_url(&self, branch: &BranchName) -> Result<Option<String>, GithubError> {
        match &self.source {
            Source::Git(_) => Ok(None),
            Source::Api(api) => api.head_url(branch).map(Some),
        }
    }

    /// Looks where `branch` is; over git, what is new on it is fetched as well.
    ///
    /// # Errors
    /// If there is no such branch or repository, or whatever went wrong on the way.
    pub async fn fetch_head(&self, branch: &BranchName, cached: Option<Cached>) -> Result<Head> {
        match &self.source {
            Source::Git(cache) => {
                let commit = cache.fetch_branch(branch).await?;
                Ok(Head { commit, fresh: None })
            }
            Source::Api(api) => api.fetch_head(branch, cached).await,
        }
    }

    /// The tree of `commit`.
    ///
    /// # Errors
    /// If it is unknown.
    pub async fn tree_of(&self, commit: &CommitId) -> Result<TreeId> {
        match &self.source {
            Source::Git(_) => Ok(self.objects.tree_of(commit).await?),
            Source::Api(api) => Ok(api.commit(commit).await?.0),
        }
    }

    /// When `commit` was committed.
    ///
    /// # Errors
    /// If it is unknown.
    pub async fn commit_time(&self, commit: &CommitId) -> Result<Timestamp> {
        match &self.source {
            Source::Git(_) => Ok(self.objects.commit_time(commit).await?),
            Source::Api(api) => Ok(api.commit(commit).await?.1),
        }
    }

    /// The content of `paths` at `commit`; `None` where nothing is.
    ///
    /// # Errors
    /// [`GitError::NotAFile`] if a folder, a link or a submodule is at a path,
    /// [`GitError::TooLarge`] for a file over 8 MiB, or whatever went wrong on the way.
    pub async fn read_files(
        &self,
        commit: &CommitId,
        paths: &BTreeSet<FilePath>,
    ) -> Result<BTreeMap<FilePath, Option<Vec<u8>>>> {
        let tree = self.tree_of(commit).await?;
        self.provide(&tree, paths, Entry::Whole).await?;
        Ok(self.objects.read_files(&tree, paths).await?)
    }

    /// What stands at `paths` in `tree`, files and folders, in one short text that differs where
    /// they do; no paths: everything.
    ///
    /// # Errors
    /// If the tree is unknown.
    pub async fn state_of(&self, tree: &TreeId, paths: &[FilePath]) -> Result<String> {
        self.provide(tree, &paths.iter().cloned().collect(), Entry::Named).await?;
        Ok(self.objects.state_of(tree, paths).await?)
    }

    /// The tree of `base` with `changes` put in. A file keeps its mode; a new one is not executable.
    ///
    /// # Errors
    /// [`GitError::NotAFile`] if something else than a file is at a path; or if the result differs
    /// from `base` anywhere else than said.
    pub async fn write_tree(&self, base: &CommitId, changes: &[FileChange]) -> Result<TreeId> {
        let tree = self.tree_of(base).await?;
        let paths = changes.iter().map(|change| change.path.clone()).collect();
        self.provide(&tree, &paths, Entry::Named).await?;
        Ok(self.objects.write_tree(&tree, changes).await?)
    }

    /// The unified diff from `base` to `tree`; bytes that are not UTF-8 are replaced.
    ///
    /// # Errors
    /// If one of them is unknown.
    pub async fn diff(&self, base: &CommitId, tree: &TreeId) -> Result<String> {
        let old = self.tree_of(base).await?;
        let changed = self.objects.paths_between(&old, tree).await?;
        let changed: Result<_, _> = changed.iter().map(|path| path.parse()).collect();
        self.provide(&old, &changed?, Entry::Whole).await?;
        Ok(self.objects.diff(&old, tree).await?)
    }

    /// The commit of `tree` on `base` that a push over git would bring: fixed times make it the same
    /// each time, so that a repeated push changes nothing.
    ///
    /// # Errors
    /// If `base` or `tree` is unknown on this disk, as they are where nothing was fetched over git.
    pub async fn commit(
        &self,
        base: &CommitId,
        tree: &TreeId,
        message: &str,
        author: &Author,
        at: Timestamp,
    ) -> Result<CommitId> {
        let commit = self.objects.commit(base, tree, message, author, at);
        commit.await.context("the commit")
    }

    /// Makes sure that what is `wanted` of `paths` in `tree` is on this disk.
    async fn provide(
        &self,
        tree: &TreeId,
        paths: &BTreeSet<FilePath>,
        wanted: Entry,
    ) -> Result<()> {
        match &self.source {
            Source::Git(_) => Ok(()),
            Source::Api(api) => api.provide(tree, paths, wanted).await,
        }
    }
}

/// Whether reading failed because something else than a file is at a path, and at which.
#[must_use]
pub fn not_a_file(error: &anyhow::Error) -> Option<&FilePath> {
    match error.downcast_ref() {
        Some(GitError::NotAFile { path }) => Some(path),
        _ => None,
    }
}
