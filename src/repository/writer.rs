//! The two ways in which a commit gets onto a branch of the bot.

use super::{PushError, Repository};
use crate::clients::git::{GitCache, Pushed};
use crate::clients::github::{GitCommit, GithubError, Place, Reader, Writer};
use crate::config::is_workflow;
use crate::domain::{BranchName, CommitId, RepoName, TreeFile, TreeId};
use anyhow::Result;
use std::collections::BTreeSet;

/// How commits get onto branches.
#[derive(Debug, Clone)]
pub enum CommitWriter {
    /// By a push over git, from the cache that has the commit.
    Git(GitCache),
    /// Through GitHub's API, which makes the commit itself.
    Api(Box<ApiWriter>),
}

/// Writes through GitHub's API. A commit's id is only known when GitHub has made it.
#[derive(Debug, Clone)]
pub struct ApiWriter {
    /// Looks where branches are.
    pub reader: Reader,
    /// Writes.
    pub writer: Writer,
    /// Has the trees that are to be written.
    pub source: Repository,
    /// The downstream.
    pub repo: RepoName,
}

impl CommitWriter {
    /// Looks where `branch` is, at this moment; `None` if there is no such branch.
    ///
    /// # Errors
    /// Whatever went wrong on the way.
    pub async fn fetch_head(&self, branch: &BranchName) -> Result<Option<CommitId>, PushError> {
        match self {
            Self::Git(cache) => Ok(cache.remote_head(branch).await?),
            Self::Api(api) => Ok(api.place(branch).await?.head),
        }
    }

    /// Moves `branch` to `commit`, from the head that is there and from no other. A branch that is
    /// absent is created. One whose head is in `ours` is moved, forwards or not.
    ///
    /// # Errors
    /// As [`PushError`] says.
    pub async fn push(
        &self,
        branch: &BranchName,
        commit: &CommitId,
        ours: &BTreeSet<CommitId>,
    ) -> Result<Pushed, PushError> {
        match self {
            Self::Git(cache) => Ok(cache.push(branch, commit, ours).await?),
            Self::Api(api) => api.push(branch, commit, ours).await,
        }
    }

    /// Deletes `branch`, if it is at `commit`. A branch that is gone already is as good.
    ///
    /// # Errors
    /// As [`PushError`] says; [`PushError::Foreign`] if it is somewhere else.
    pub async fn delete_branch(
        &self,
        branch: &BranchName,
        commit: &CommitId,
    ) -> Result<(), PushError> {
        match self {
            Self::Git(cache) => Ok(cache.delete_branch(branch, commit).await?),
            Self::Api(api) => api.delete_branch(branch, commit).await,
        }
    }
}

impl ApiWriter {
    async fn place(&self, branch: &BranchName) -> Result<Place, GithubError> {
        self.reader.fetch_place(&self.repo, branch).await
    }

    async fn push(
        &self,
        branch: &BranchName,
        commit: &CommitId,
        ours: &BTreeSet<CommitId>,
    ) -> Result<Pushed, PushError> {
        let Place { repository, head } = self.place(branch).await?;
        let pushed = match &head {
            None => Pushed::Created,
            Some(head) if head == commit => return Ok(Pushed::AlreadyThere),
            Some(head) if ours.contains(head) => Pushed::Moved,
            Some(head) => return Err(PushError::Foreign { head: head.clone() }),
        };
        self.writer.move_branch(&repository, branch, head.as_ref(), commit).await?;
        Ok(pushed)
    }

    async fn delete_branch(&self, branch: &BranchName, commit: &CommitId) -> Result<(), PushError> {
        let Place { repository, head } = self.place(branch).await?;
        match head {
            None => Ok(()),
            Some(head) if head == *commit => {
                Ok(self.writer.delete_branch(&repository, branch, commit).await?)
            }
            Some(head) => Err(PushError::Foreign { head }),
        }
    }

    /// Makes the commit of `tree` on `base`, and gives its id. Nothing leads to it until a branch is
    /// moved there, so making it twice harms nobody.
    ///
    /// # Errors
    /// [`PushError`] for what GitHub refused: [`PushError::Differs`] if it made another tree of the
    /// same files. Or if the trees are unknown on this disk.
    pub async fn write(&self, base: &CommitId, tree: &TreeId, message: &str) -> Result<CommitId> {
        let repo = &self.repo;
        let old = self.source.tree_of(base).await?;
        let files = self.source.objects().files_between(&old, tree).await?;
        let made = self.writer.create_tree(repo, &old, &files).await;
        let made = made.map_err(|error| hidden(error, &files))?;
        expect("tree", made.as_str(), tree.as_str())?;
        let made = self.writer.create_commit(repo, base, tree, message).await;
        let commit = made.map_err(PushError::from)?;
        expect("tree", commit.tree.as_str(), tree.as_str())?;
        match commit.parents.as_slice() {
            [parent] => expect("parent", parent.as_str(), base.as_str())?,
            parents => {
                let found = format!("{} parents", parents.len());
                let expected = base.to_string();
                return Err(PushError::Differs { what: "a commit with", found, expected }.into());
            }
        }
        Ok(commit.id)
    }

    /// Looks for the commit that [`Self::write`] would make: the one that is `known`, or the one at
    /// the head of `branch`. It is found by its content, so that it is one though nobody remembers
    /// having made it.
    ///
    /// # Errors
    /// Whatever went wrong on the way.
    pub async fn find(
        &self,
        known: Option<&CommitId>,
        branch: &BranchName,
        base: &CommitId,
        tree: &TreeId,
        message: &str,
    ) -> Result<Option<CommitId>, PushError> {
        let wanted = |commit: &GitCommit| {
            commit.tree == *tree
                && commit.parents.as_slice() == std::slice::from_ref(base)
                && commit.message == message.trim_end()
        };
        if let Some(known) = known
            && self.fetch(known).await?.is_some_and(|commit| wanted(&commit))
        {
            return Ok(Some(known.clone()));
        }
        let Some(head) = self.place(branch).await?.head else { return Ok(None) };
        let there = self.fetch(&head).await?.is_some_and(|commit| wanted(&commit));
        Ok(there.then_some(head))
    }

    /// A commit, if it is still there: what nothing leads to may be swept away.
    async fn fetch(&self, id: &CommitId) -> Result<Option<GitCommit>, GithubError> {
        match self.reader.fetch_git_commit(&self.repo, id).await {
            Ok(commit) => Ok(Some(commit)),
            Err(GithubError::NotFound { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// GitHub answers a token that may read a repository and not write these files as if there were none.
fn hidden(error: GithubError, files: &[TreeFile]) -> PushError {
    let GithubError::NotFound { .. } = error else { return error.into() };
    let mut message = "github knows nothing that could be written there".to_owned();
    if files.iter().any(|file| is_workflow(&file.path)) {
        message.push_str(": a token may need a permission of its own for workflow files");
    }
    PushError::Denied { message }
}

fn expect(what: &'static str, found: &str, expected: &str) -> Result<(), PushError> {
    if found == expected {
        return Ok(());
    }
    let (found, expected) = (found.to_owned(), expected.to_owned());
    Err(PushError::Differs { what, found, expected })
}
