//! Whether two commits can be merged by a machine.

use super::{
    GitError, Objects,
    objects::{file_at, find_commit, find_tree},
};
use crate::domain::{CommitId, FilePath, TreeId};
use git2::{IndexEntry, IndexTime, Repository, Tree, TreeEntry};
use std::collections::BTreeSet;

impl Objects {
    /// Whether merging `head` into `base` leaves conflicts for a person. Nothing is written.
    ///
    /// # Errors
    /// [`GitError::NotFound`] if one of them is not known here.
    pub async fn conflicts(&self, base: &CommitId, head: &CommitId) -> Result<bool, GitError> {
        let (base, head) = (base.clone(), head.clone());
        self.local(move |repository| {
            let (ours, theirs) = (find_commit(repository, &base)?, find_commit(repository, &head)?);
            let merged = repository.merge_commits(&ours, &theirs, None).map_err(GitError::local)?;
            Ok(merged.has_conflicts())
        })
        .await
    }
    /// The same for the trees of two commits and that of their ancestor, where `theirs` differs from
    /// that at `edited` and nowhere else: nothing but these files has to be here.
    ///
    /// # Errors
    /// [`GitError::NotFound`] if one of the trees is not known here.
    pub async fn conflicts_in(
        &self,
        edited: &BTreeSet<FilePath>,
        ancestor: &TreeId,
        ours: &TreeId,
        theirs: &TreeId,
    ) -> Result<bool, GitError> {
        let (edited, ancestor) = (edited.clone(), ancestor.clone());
        let (ours, theirs) = (ours.clone(), theirs.clone());
        self.local(move |repository| {
            let find = |id| find_tree(repository, id);
            let trees = [find(&ancestor)?, find(&ours)?, find(&theirs)?];
            for path in &edited {
                if !merges(repository, &trees, path)? {
                    return Ok(true);
                }
            }
            Ok(false)
        })
        .await
    }
}

/// Whether a machine can merge the file at `path`.
fn merges(
    repository: &Repository,
    [ancestor, ours, theirs]: &[Tree<'_>; 3],
    path: &FilePath,
) -> Result<bool, GitError> {
    let ours = match file_at(ours, path) {
        // Where it is no file any more there is nothing to merge into.
        Err(GitError::NotAFile { .. }) => return Ok(false),
        found => found?,
    };
    let (ancestor, theirs) = (file_at(ancestor, path)?, file_at(theirs, path)?);
    let id = |entry: &Option<TreeEntry<'_>>| entry.as_ref().map(TreeEntry::id);
    if id(&ours) == id(&ancestor) || id(&ours) == id(&theirs) {
        return Ok(true);
    }
    let (Some(ancestor), Some(ours), Some(theirs)) = (ancestor, ours, theirs) else {
        return Ok(false);
    };
    let [ancestor, ours, theirs] = [ancestor, ours, theirs].map(|entry| staged(path, &entry));
    let merged = repository.merge_file_from_index(&ancestor, &ours, &theirs, None);
    Ok(merged.map_err(GitError::local)?.is_automergeable())
}

fn staged(path: &FilePath, entry: &TreeEntry<'_>) -> IndexEntry {
    let never = IndexTime::new(0, 0);
    IndexEntry {
        ctime: never,
        mtime: never,
        dev: 0,
        ino: 0,
        mode: u32::try_from(entry.filemode()).unwrap_or_default(),
        uid: 0,
        gid: 0,
        file_size: 0,
        id: entry.id(),
        flags: 0,
        flags_extended: 0,
        path: path.as_str().as_bytes().to_owned(),
    }
}
