//! The packs of a cache. libgit2 never repacks, and every fetch of something new adds one.

use crate::domain::CommitId;
use std::{
    fs,
    io::{self, ErrorKind},
    path::Path,
};

/// Where the packs go that are to be replaced.
const OLD: &str = "objects/pack.old";

/// How many packs lie in the bare repository at `path`.
pub(super) fn count(path: &Path) -> usize {
    fs::read_dir(path.join("objects/pack")).map_or(0, |files| {
        files
            .flatten()
            .filter(|file| file.path().extension().is_some_and(|end| end == "pack"))
            .count()
    })
}

/// Removes all that was fetched, so that the next fetch brings it in one pack. What was made here
/// lies loose and stays: commits of open pull requests, trees with what was prepared.
pub(super) fn remove_fetched(path: &Path) -> io::Result<()> {
    // First the branches: without them nothing is told to the server to be here already.
    let branches = path.join("refs/heads");
    unless_absent(fs::remove_dir_all(&branches))?;
    unless_absent(fs::remove_file(path.join("packed-refs")))?;
    fs::create_dir_all(branches)?;
    // All packs at once: some of them alone would pass for a whole history.
    let (packs, old) = (path.join("objects/pack"), path.join(OLD));
    unless_absent(fs::remove_dir_all(&old))?;
    unless_absent(fs::rename(&packs, &old))?;
    fs::create_dir_all(packs)
}

/// Whether what was fetched was removed, and not all of it fetched again yet.
pub(super) fn is_removed(path: &Path) -> bool {
    path.join(OLD).exists()
}

/// Ends that, once all was fetched again.
pub(super) fn forget_removed(path: &Path) -> io::Result<()> {
    unless_absent(fs::remove_dir_all(path.join(OLD)))
}

/// Removes a commit that was made here, so that it is fetched with all that it rests on.
pub(super) fn remove_made(path: &Path, commit: &CommitId) -> io::Result<()> {
    let (folder, file) = commit.as_str().split_at(2);
    unless_absent(fs::remove_file(path.join("objects").join(folder).join(file)))
}

fn unless_absent(done: io::Result<()>) -> io::Result<()> {
    match done {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
