//! Reading and making objects. The same inputs make the same ids, so that a repeated run finds
//! its own work.

use super::{GitError, Objects};
use crate::domain::{CommitId, Digest, FileChange, FilePath, Timestamp, TreeId};
use git2::{
    Commit, DiffFormat, DiffOptions, FileMode, ObjectType, Oid, Patch, Repository, Signature, Tree,
    TreeEntry, build::TreeUpdateBuilder,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

/// No pin site is larger; a lockfile may come near.
pub(super) const FILE_LIMIT: u64 = 8 << 20;
pub(super) const FILE: i32 = 0o100_644;
pub(super) const EXECUTABLE: i32 = 0o100_755;

/// Who a commit is by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Author {
    /// The name.
    pub name: String,
    /// The address.
    pub email: String,
}

impl Objects {
    /// The content of `paths` in `tree`; `None` where nothing is.
    ///
    /// # Errors
    /// [`GitError::NotAFile`] if a folder, a link or a submodule is at a path,
    /// [`GitError::TooLarge`] for a file over 8 MiB, [`GitError::NotFound`] for an unknown tree.
    pub async fn read_files(
        &self,
        tree: &TreeId,
        paths: &BTreeSet<FilePath>,
    ) -> Result<BTreeMap<FilePath, Option<Vec<u8>>>, GitError> {
        let (tree, paths) = (tree.clone(), paths.clone());
        self.local(move |repository| {
            let tree = find_tree(repository, &tree)?;
            paths
                .into_iter()
                .map(|path| Ok((path.clone(), read_file(repository, &tree, &path)?)))
                .collect()
        })
        .await
    }

    /// The tree of `commit`.
    ///
    /// # Errors
    /// [`GitError::NotFound`] if it is unknown here.
    pub async fn tree_of(&self, commit: &CommitId) -> Result<TreeId, GitError> {
        let commit = commit.clone();
        self.local(move |repository| {
            Ok(tree_of(&find_commit(repository, &commit)?)?.id().to_string().parse()?)
        })
        .await
    }

    /// What stands at `paths` in `tree`, files and folders, in one short text that differs where
    /// they do; no paths: everything.
    ///
    /// # Errors
    /// [`GitError::NotFound`] if the tree is unknown here.
    pub async fn state_of(&self, tree: &TreeId, paths: &[FilePath]) -> Result<String, GitError> {
        let (tree, paths) = (tree.clone(), paths.to_vec());
        self.local(move |repository| {
            let whole = find_tree(repository, &tree)?;
            let mut state = if paths.is_empty() { tree.to_string() } else { String::new() };
            for path in &paths {
                let id = match whole.get_path(Path::new(path.as_str())) {
                    Ok(entry) => entry.id().to_string(),
                    Err(error) if error.code() == git2::ErrorCode::NotFound => "absent".to_owned(),
                    Err(error) => return Err(GitError::local(error)),
                };
                state.extend([path.as_str(), " ", &id, "\n"]);
            }
            Ok(Digest::of(state.as_bytes()).short().to_owned())
        })
        .await
    }

    /// The tree `old` with `changes` put in. A file keeps its mode; a new one is not executable.
    ///
    /// # Errors
    /// [`GitError::NotAFile`] if something else than a file is at a path; or if the result differs
    /// from `old` anywhere else than said.
    pub async fn write_tree(
        &self,
        old: &TreeId,
        changes: &[FileChange],
    ) -> Result<TreeId, GitError> {
        let (old, changes) = (old.clone(), changes.to_vec());
        self.local(move |repository| {
            let old = find_tree(repository, &old)?;
            write_tree(repository, &old, &changes)
        })
        .await
    }

    /// Whether `tree` is known here. What a tool wrote is known nowhere else.
    ///
    /// # Errors
    /// If the repository cannot be read.
    pub async fn has_tree(&self, tree: &TreeId) -> Result<bool, GitError> {
        let tree = tree.clone();
        let found = self.local(move |repository| find_tree(repository, &tree).map(drop)).await;
        match found {
            Ok(()) => Ok(true),
            Err(GitError::NotFound { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// The paths at which two trees differ.
    ///
    /// # Errors
    /// [`GitError::NotFound`] if one of them is unknown here.
    pub async fn paths_between(
        &self,
        old: &TreeId,
        new: &TreeId,
    ) -> Result<BTreeSet<String>, GitError> {
        let (old, new) = (old.clone(), new.clone());
        self.local(move |repository| {
            let (old, new) = (find_tree(repository, &old)?, find_tree(repository, &new)?);
            changed_paths(repository, &old, &new).map_err(GitError::local)
        })
        .await
    }

    /// A commit of `tree` on top of `base`. Nothing points to it until it is pushed.
    ///
    /// # Errors
    /// [`GitError::NotFound`] if `base` or `tree` is unknown here.
    pub async fn commit(
        &self,
        base: &CommitId,
        tree: &TreeId,
        message: &str,
        author: &Author,
        at: Timestamp,
    ) -> Result<CommitId, GitError> {
        let (base, tree, message) = (base.clone(), tree.clone(), message.to_owned());
        let author = author.clone();
        self.local(move |repository| {
            let time = git2::Time::new(at.seconds(), 0);
            let signature =
                Signature::new(&author.name, &author.email, &time).map_err(GitError::local)?;
            let parent = find_commit(repository, &base)?;
            let tree = find_tree(repository, &tree)?;
            let id = repository
                .commit(None, &signature, &signature, &message, &tree, &[&parent])
                .map_err(GitError::local)?;
            Ok(id.to_string().parse()?)
        })
        .await
    }

    /// When `commit` was committed.
    ///
    /// # Errors
    /// [`GitError::NotFound`] if it is unknown here.
    pub async fn commit_time(&self, commit: &CommitId) -> Result<Timestamp, GitError> {
        let commit = commit.clone();
        self.local(move |repository| {
            let seconds = find_commit(repository, &commit)?.time().seconds();
            Ok(Timestamp::from_millis(seconds.saturating_mul(1000)))
        })
        .await
    }

    /// The unified diff from `old` to `new`; bytes that are not UTF-8 are replaced.
    ///
    /// # Errors
    /// [`GitError::NotFound`] if one of them is unknown here.
    pub async fn diff(&self, old: &TreeId, new: &TreeId) -> Result<String, GitError> {
        let (old, new) = (old.clone(), new.clone());
        self.local(move |repository| {
            let (old, new) = (find_tree(repository, &old)?, find_tree(repository, &new)?);
            diff(repository, &old, &new).map_err(GitError::local)
        })
        .await
    }
}

pub(super) fn find_commit<'repo>(
    repository: &'repo Repository,
    id: &CommitId,
) -> Result<Commit<'repo>, GitError> {
    repository.find_commit(oid(id.as_str())?).map_err(GitError::finding(format!("commit {id}")))
}

pub(super) fn find_tree<'repo>(
    repository: &'repo Repository,
    id: &TreeId,
) -> Result<Tree<'repo>, GitError> {
    repository.find_tree(oid(id.as_str())?).map_err(GitError::finding(format!("tree {id}")))
}

pub(super) fn tree_of<'repo>(commit: &Commit<'repo>) -> Result<Tree<'repo>, GitError> {
    commit.tree().map_err(GitError::local)
}

pub(super) fn oid(text: &str) -> Result<Oid, GitError> {
    Oid::from_str(text).map_err(GitError::local)
}

/// The content of a blob, unless it is larger than `limit`.
pub(super) fn read_blob(
    repository: &Repository,
    id: Oid,
    what: &str,
    limit: u64,
) -> Result<Vec<u8>, GitError> {
    let odb = repository.odb().map_err(GitError::local)?;
    let (size, _) = odb.read_header(id).map_err(GitError::local)?;
    if size as u64 > limit {
        return Err(GitError::TooLarge { what: format!("`{what}`"), limit });
    }
    let blob = repository.find_blob(id).map_err(GitError::local)?;
    Ok(blob.content().to_vec())
}

fn read_file(
    repository: &Repository,
    tree: &Tree<'_>,
    path: &FilePath,
) -> Result<Option<Vec<u8>>, GitError> {
    let Some(entry) = file_at(tree, path)? else {
        return Ok(None);
    };
    read_blob(repository, entry.id(), path.as_str(), FILE_LIMIT).map(Some)
}

/// The entry of a regular file; `None` if nothing is at `path`.
pub(super) fn file_at(
    tree: &Tree<'_>,
    path: &FilePath,
) -> Result<Option<TreeEntry<'static>>, GitError> {
    let entry = match tree.get_path(Path::new(path.as_str())) {
        Ok(entry) => entry,
        Err(error) if error.code() == git2::ErrorCode::NotFound => return Ok(None),
        Err(error) => return Err(GitError::local(error)),
    };
    let regular = matches!(entry.filemode(), FILE | EXECUTABLE);
    if regular && entry.kind() == Some(ObjectType::Blob) {
        Ok(Some(entry))
    } else {
        Err(GitError::NotAFile { path: path.clone() })
    }
}

fn write_tree(
    repository: &Repository,
    old: &Tree<'_>,
    changes: &[FileChange],
) -> Result<TreeId, GitError> {
    let mut update = TreeUpdateBuilder::new();
    let mut expected = BTreeSet::new();
    for change in changes {
        let entry = file_at(old, &change.path)?;
        let blob = repository.blob(&change.content).map_err(GitError::local)?;
        if entry.as_ref().is_some_and(|entry| entry.id() == blob) {
            continue;
        }
        let mode = match entry.map(|entry| entry.filemode()) {
            Some(EXECUTABLE) => FileMode::BlobExecutable,
            _ => FileMode::Blob,
        };
        update.upsert(change.path.as_str(), blob, mode);
        expected.insert(change.path.as_str().to_owned());
    }
    let id =
        update.create_updated(repository, old).map_err(|error| not_writable(error, changes))?;
    let new = repository.find_tree(id).map_err(GitError::local)?;
    let found = changed_paths(repository, old, &new).map_err(GitError::local)?;
    if found != expected {
        let what = format!("{expected:?} were to change, {found:?} did");
        return Err(GitError::Corrupt(what.into()));
    }
    Ok(id.to_string().parse()?)
}

/// libgit2 refuses to put a file below another file, or in the place of a folder.
fn not_writable(error: git2::Error, changes: &[FileChange]) -> GitError {
    match changes {
        [first, ..] if error.class() == git2::ErrorClass::Tree => GitError::NotAFile {
            path: changes
                .iter()
                .find(|change| error.message().contains(change.path.as_str()))
                .unwrap_or(first)
                .path
                .clone(),
        },
        _ => GitError::local(error),
    }
}

fn changed_paths(
    repository: &Repository,
    old: &Tree<'_>,
    new: &Tree<'_>,
) -> Result<BTreeSet<String>, git2::Error> {
    let diff = repository.diff_tree_to_tree(Some(old), Some(new), None)?;
    let sides = diff
        .deltas()
        .flat_map(|delta| [delta.old_file().path_bytes(), delta.new_file().path_bytes()]);
    Ok(sides.flatten().map(|path| String::from_utf8_lossy(path).into_owned()).collect())
}

/// The hunks of the unified diff from `old` to `new`.
///
/// # Errors
/// If libgit2 cannot compare them.
pub fn hunks(old: &[u8], new: &[u8]) -> Result<String, GitError> {
    let mut patch = Patch::from_buffers(old, None, new, None, None).map_err(GitError::local)?;
    let text = patch.to_buf().map_err(GitError::local)?;
    let text = String::from_utf8_lossy(&text);
    // What comes before the first hunk names files, and there are none.
    let first = text.find("\n@@ ").map_or(text.len(), |at| at + 1);
    Ok(text[first..].to_owned())
}

fn diff(repository: &Repository, old: &Tree<'_>, new: &Tree<'_>) -> Result<String, git2::Error> {
    let mut options = DiffOptions::new();
    // Fixed, so that the text does not depend on what else is in the repository.
    options.id_abbrev(12);
    let diff = repository.diff_tree_to_tree(Some(old), Some(new), Some(&mut options))?;
    let mut text = Vec::new();
    diff.print(DiffFormat::Patch, |_, _, line| {
        if matches!(line.origin(), '+' | '-' | ' ') {
            text.push(line.origin() as u8);
        }
        text.extend_from_slice(line.content());
        true
    })?;
    Ok(String::from_utf8_lossy(&text).into_owned())
}
