//! The downstream's git repository: a bare cache beside the database, what is read from it, the
//! commits that are made in it, and the one push.
//!
//! There is no work tree. Whoever needs files gets a plain export, from which no way leads back
//! to the objects, the configuration or the token.

mod error;
mod export;
mod import;
mod mentions;
mod merge;
mod objects;
mod remote;
mod transport;
mod wire;

pub use error::GitError;
pub use import::{Difference, Now};
pub use objects::{Author, hunks};
pub use remote::Pushed;

use crate::clients::credential::Credential;
use crate::clients::wire::Trust;
use git2::Repository;
use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io,
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};
use tempfile::TempDir;
use wire::Wire;

const REPOSITORY: &str = "repository.git";
const SET_ASIDE: &str = "repository.damaged.git";

/// A bare cache of one remote repository. Cheap to clone; clones share it, one at a time, and so
/// do other processes.
#[derive(Debug, Clone)]
pub struct GitCache(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    wire: Wire,
    folder: PathBuf,
    /// Another cache whose objects are used as if they were here.
    borrowed: Option<PathBuf>,
    /// Locked while the repository is in use: the mutex against this process, the file's lock
    /// against others.
    lock: Mutex<File>,
    /// Damage was met: the next fetch starts afresh.
    damaged: AtomicBool,
    /// Removed when the last clone is dropped.
    _temporary: Option<TempDir>,
}

impl GitCache {
    /// The cache of `url` in the folder `dir`, which is created if it is absent. Nothing is
    /// fetched yet. The credential's token goes into a header of each request, and nowhere else.
    ///
    /// # Errors
    /// If the URL is not `https://` (or loopback), or the folder cannot be written.
    pub fn open(
        dir: &Path,
        url: &str,
        credential: impl Into<Credential>,
        trust: &Trust,
    ) -> Result<Self, GitError> {
        Self::new(dir.to_owned(), Wire::new(url, credential.into(), trust)?, None, None)
    }

    /// A cache that vanishes with its last clone, for a run that must write nothing. It uses the
    /// objects of the cache in the folder `borrow_from`, if there is one, without changing it.
    ///
    /// # Errors
    /// If the URL is not `https://` (or loopback), or no temporary folder can be written.
    pub fn scratch(
        url: &str,
        credential: impl Into<Credential>,
        trust: &Trust,
        borrow_from: Option<&Path>,
    ) -> Result<Self, GitError> {
        let wire = Wire::new(url, credential.into(), trust)?;
        let temporary = TempDir::with_prefix("digest-bump-git-")?;
        let dir = temporary.path().to_owned();
        let borrowed = borrow_from
            .map(|cache| std::path::absolute(cache.join(REPOSITORY)))
            .transpose()?
            .filter(|repository| repository.join("objects").is_dir());
        Self::new(dir, wire, borrowed, Some(temporary))
    }

    fn new(
        dir: PathBuf,
        wire: Wire,
        borrowed: Option<PathBuf>,
        temporary: Option<TempDir>,
    ) -> Result<Self, GitError> {
        DirBuilder::new().recursive(true).mode(0o700).create(&dir)?;
        let lock = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .mode(0o600)
            .open(dir.join("lock"))?;
        Ok(Self(Arc::new(Inner {
            wire,
            folder: dir,
            borrowed,
            lock: Mutex::new(lock),
            damaged: AtomicBool::new(false),
            _temporary: temporary,
        })))
    }

    /// Runs `work` on a thread where blocking is allowed, alone on this cache.
    async fn alone<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Inner) -> Result<T, GitError> + Send + 'static,
    ) -> Result<T, GitError> {
        let inner = Arc::clone(&self.0);
        tokio::task::spawn_blocking(move || inner.alone(work))
            .await
            .map_err(|error| GitError::Io(error.into()))?
    }

    /// As [`Self::alone`], for work that needs nothing but the repository.
    async fn local<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Repository) -> Result<T, GitError> + Send + 'static,
    ) -> Result<T, GitError> {
        self.alone(move |inner| work(&inner.repository()?)).await
    }
}

impl Inner {
    fn alone<T>(&self, work: impl FnOnce(&Self) -> Result<T, GitError>) -> Result<T, GitError> {
        // A panic elsewhere leaves no state in here that could be half-written.
        let file = self.lock.lock().unwrap_or_else(PoisonError::into_inner);
        file.lock()?;
        let result = work(self);
        if matches!(result, Err(GitError::Corrupt(_))) {
            self.damaged.store(true, Ordering::Relaxed);
        }
        file.unlock()?;
        result
    }

    fn path(&self) -> PathBuf {
        self.folder.join(REPOSITORY)
    }

    /// Opens the repository, and creates an empty one if there is none.
    fn repository(&self) -> Result<Repository, GitError> {
        let path = self.path();
        if path.exists() {
            return Repository::open_bare(&path).map_err(GitError::local);
        }
        let repository = Repository::init_bare(&path).map_err(GitError::local)?;
        if let Some(borrowed) = &self.borrowed {
            borrow(&repository, borrowed)?;
            return Repository::open_bare(&path).map_err(GitError::local);
        }
        Ok(repository)
    }

    /// Puts the repository out of the way, so that the next use begins with an empty one. The
    /// last one that was put aside is kept for whoever wants to know what happened.
    fn set_aside(&self) -> Result<(), GitError> {
        let aside = self.folder.join(SET_ASIDE);
        match fs::remove_dir_all(&aside) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error.into()),
            _ => {}
        }
        match fs::rename(self.path(), aside) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error.into()),
            _ => {}
        }
        self.damaged.store(false, Ordering::Relaxed);
        Ok(())
    }
}

/// Makes the objects of the repository `from` visible in `repository`, with its branches, so that
/// a fetch asks only for what is new.
fn borrow(repository: &Repository, from: &Path) -> Result<(), GitError> {
    let mut line = from.join("objects").into_os_string();
    line.push("\n");
    let alternates = repository.path().join("objects/info/alternates");
    if let Some(info) = alternates.parent() {
        fs::create_dir_all(info)?;
    }
    fs::write(alternates, line.as_encoded_bytes())?;
    // The list of alternates is read when a repository is opened.
    let repository = Repository::open_bare(repository.path()).map_err(GitError::local)?;
    let lender = Repository::open_bare(from).map_err(GitError::local)?;
    for reference in lender.references().map_err(GitError::local)? {
        let reference = reference.map_err(GitError::local)?;
        if let (Ok(name), Some(target)) = (reference.name(), reference.target()) {
            repository.reference(name, target, true, "borrowed").map_err(GitError::local)?;
        }
    }
    Ok(())
}
