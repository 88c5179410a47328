//! The directories that canaries run in.

use crate::domain::RunId;
use std::{
    io,
    path::{Path, PathBuf},
};

fn all(state: &Path) -> PathBuf {
    state.join("canary")
}

/// The directory of one run: `tree` with the exported files, `home` and `tmp` beside it.
#[must_use]
pub fn work_dir(state: &Path, run: RunId) -> PathBuf {
    all(state).join(run.to_string())
}

/// Makes a run's directory with its three parts, all empty.
///
/// # Errors
/// If something is in the way or the disk is full.
pub async fn make(work: &Path) -> io::Result<()> {
    remove(work).await?;
    for part in ["tree", "home", "tmp"] {
        tokio::fs::create_dir_all(work.join(part)).await?;
    }
    Ok(())
}

/// Removes a run's directory; no error if it is not there.
///
/// # Errors
/// If it is there and stays.
pub async fn remove(work: &Path) -> io::Result<()> {
    match tokio::fs::remove_dir_all(work).await {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Removes what processes left behind that died after a run's end was recorded. `over` are the runs
/// that are known to have ended; of others, such as another watch's, nothing is touched.
///
/// # Errors
/// If one cannot be removed; the others are.
pub async fn sweep(state: &Path, over: impl Fn(RunId) -> bool) -> io::Result<()> {
    let mut entries = match tokio::fs::read_dir(all(state)).await {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        entries => entries?,
    };
    let mut swept = Ok(());
    while let Some(entry) = entries.next_entry().await? {
        let run = entry.file_name().to_str().and_then(|name| name.parse().ok()).map(RunId);
        if run.is_some_and(&over) {
            swept = swept.and(remove(&entry.path()).await);
        }
    }
    swept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_what_is_over_is_swept() {
        let state = tempfile::tempdir().unwrap();
        sweep(state.path(), |_| true).await.unwrap();
        for run in [1, 2, 3] {
            make(&work_dir(state.path(), RunId(run))).await.unwrap();
        }
        std::fs::write(all(state.path()).join("notes"), "of a person").unwrap();
        sweep(state.path(), |run| run != RunId(2)).await.unwrap();
        let left = std::fs::read_dir(all(state.path())).unwrap().flatten();
        let mut left: Vec<_> = left.map(|entry| entry.file_name()).collect();
        left.sort();
        assert_eq!(left, ["2", "notes"]);
    }
}
