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
    BranchName, Cached, CommitId, FileChange, FilePath, Mention, RepoName, Timestamp, TreeId,
};
use anyhow::{Context as _, Result, bail};
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
    /// Over git; commits that GitHub makes for the bot are not among those.
    Git(GitCache, Option<Box<Api>>),
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
        Self { objects: cache.objects().clone(), source: Source::Git(cache, None) }
    }

    /// A repository that is read over git, where GitHub makes the bot's commits: those are asked for
    /// through its API.
    #[must_use]
    pub fn over_git_beside_api(cache: GitCache, reader: Reader, repo: RepoName) -> Self {
        let objects = cache.objects().clone();
        let api = Api::new(objects.clone(), reader, repo);
        Self { objects, source: Source::Git(cache, Some(Box::new(api))) }
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
            Source::Git(..) => Ok(None),
            Source::Api(api) => api.head_url(branch).map(Some),
        }
    }

    /// Looks where `branch` is; over git, what is new on it is fetched as well.
    ///
    /// # Errors
    /// If there is no such branch or repository, or whatever went wrong on the way.
    pub async fn fetch_head(&self, branch: &BranchName, cached: Option<Cached>) -> Result<Head> {
        match &self.source {
            Source::Git(cache, _) => {
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
            Source::Git(_, api) => match (self.objects.tree_of(commit).await, api) {
                (Err(GitError::NotFound { .. }), Some(api)) => Ok(api.commit(commit).await?.tree),
                (tree, _) => Ok(tree?),
            },
            Source::Api(api) => Ok(api.commit(commit).await?.tree),
        }
    }

    /// When `commit` was committed.
    ///
    /// # Errors
    /// If it is unknown.
    pub async fn commit_time(&self, commit: &CommitId) -> Result<Timestamp> {
        match &self.source {
            Source::Git(..) => Ok(self.objects.commit_time(commit).await?),
            Source::Api(api) => Ok(api.commit(commit).await?.at),
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
        self.read_files_in(&self.tree_of(commit).await?, paths).await
    }

    /// Like [`Self::read_files`], in a tree.
    ///
    /// # Errors
    /// As there.
    pub async fn read_files_in(
        &self,
        tree: &TreeId,
        paths: &BTreeSet<FilePath>,
    ) -> Result<BTreeMap<FilePath, Option<Vec<u8>>>> {
        self.provide(tree, paths, Entry::Whole).await?;
        Ok(self.objects.read_files(tree, paths).await?)
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
        self.write_tree_on(&self.tree_of(base).await?, changes).await
    }

    /// Like [`Self::write_tree`], on top of a tree.
    ///
    /// # Errors
    /// As there.
    pub async fn write_tree_on(&self, old: &TreeId, changes: &[FileChange]) -> Result<TreeId> {
        let paths = changes.iter().map(|change| change.path.clone()).collect();
        self.provide(old, &paths, Entry::Named).await?;
        Ok(self.objects.write_tree(old, changes).await?)
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

    /// Whether merging `head`, a commit of the bot's, into `base` leaves conflicts for a person.
    ///
    /// # Errors
    /// If one of them is unknown, or whatever went wrong on the way.
    pub async fn conflicts(&self, base: &CommitId, head: &CommitId) -> Result<bool> {
        let api = match &self.source {
            Source::Git(_, api) => match (self.objects.conflicts(base, head).await, api) {
                (Err(GitError::NotFound { .. }), Some(api)) => api,
                (conflicts, _) => return Ok(conflicts?),
            },
            Source::Api(api) => api,
        };
        let head = api.commit(head).await?;
        let [parent] = head.parents.as_slice() else { bail!("{} is no edit", head.id) };
        if parent == base {
            return Ok(false);
        }
        let (ancestor, ours) = (self.tree_of(parent).await?, self.tree_of(base).await?);
        let edited = api.differing(&ancestor, &head.tree).await?;
        for tree in [&ancestor, &ours, &head.tree] {
            api.provide(tree, &edited, Entry::Whole).await?;
        }
        Ok(self.objects.conflicts_in(&edited, &ancestor, &ours, &head.tree).await?)
    }

    /// Where `names` stand in the files of `tree`, as [`Objects::mentions`] says; `None` if nobody
    /// looked: file by file, a large repository is not read.
    ///
    /// # Errors
    /// If the tree is unknown, or whatever went wrong on the way.
    pub async fn mentions(&self, tree: &TreeId, names: &[String]) -> Result<Option<Vec<Mention>>> {
        if names.is_empty() {
            return Ok(Some(Vec::new()));
        }
        if let Source::Api(api) = &self.source
            && !api.provide_texts(tree).await?
        {
            return Ok(None);
        }
        Ok(Some(self.objects.mentions(tree, names).await?))
    }

    /// Makes sure that what is `wanted` of `paths` in `tree` is on this disk.
    async fn provide(
        &self,
        tree: &TreeId,
        paths: &BTreeSet<FilePath>,
        wanted: Entry,
    ) -> Result<()> {
        match &self.source {
            Source::Git(..) => Ok(()),
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
