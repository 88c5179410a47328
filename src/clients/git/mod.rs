//! Git: objects in a bare repository on disk, and a remote repository that they are fetched from and
//! pushed to.
//!
//! [`Objects`] talk to nobody; [`GitCache`] has them and the wire. There is no work tree. Whoever
//! needs files gets a plain export, from which no way leads back to the objects, the configuration
//! or the token.

mod error;
mod export;
mod fill;
mod import;
mod mentions;
mod merge;
mod objects;
mod packs;
mod remote;
mod transport;
mod wire;

pub use error::GitError;
pub use fill::{Differing, Entry, Missing};
pub use import::{Difference, Now};
pub use mentions::Texts;
pub use objects::{Author, hunks};
pub use remote::{GitCache, Pushed};

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

const REPOSITORY: &str = "repository.git";
const SET_ASIDE: &str = "repository.damaged.git";

/// The objects of a bare repository. Cheap to clone; clones share it, one at a time, and so do other
/// processes.
#[derive(Debug, Clone)]
pub struct Objects(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    folder: PathBuf,
    /// Another repository whose objects are used as if they were here.
    borrowed: Option<PathBuf>,
    /// Locked while the repository is in use: the mutex against this process, the file's lock
    /// against others.
    lock: Mutex<File>,
    /// Damage was met: the next fetch starts afresh.
    damaged: AtomicBool,
    /// Removed when the last clone is dropped.
    _temporary: Option<TempDir>,
}

impl Objects {
    /// The objects in the folder `dir`, which is created if it is absent.
    ///
    /// # Errors
    /// If the folder cannot be written.
    pub fn open(dir: &Path) -> Result<Self, GitError> {
        Self::new(dir.to_owned(), None, None)
    }

    /// Objects that vanish with their last clone, for a run that must write nothing. Those in the
    /// folder `borrow_from`, if there are any, are used without changing them.
    ///
    /// # Errors
    /// If no temporary folder can be written.
    pub fn scratch(borrow_from: Option<&Path>) -> Result<Self, GitError> {
        let temporary = TempDir::with_prefix("digest-bump-git-")?;
        let dir = temporary.path().to_owned();
        let borrowed = borrow_from
            .map(|cache| std::path::absolute(cache.join(REPOSITORY)))
            .transpose()?
            .filter(|repository| repository.join("objects").is_dir());
        Self::new(dir, borrowed, Some(temporary))
    }

    fn new(
        dir: PathBuf,
        borrowed: Option<PathBuf>,
        temporary: Option<TempDir>,
    ) -> Result<Self, GitError> {
        wire::prepare_library()?;
        DirBuilder::new().recursive(true).mode(0o700).create(&dir)?;
        let lock = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .mode(0o600)
            .open(dir.join("lock"))?;
        Ok(Self(Arc::new(Inner {
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

    fn is_damaged(&self) -> bool {
        self.damaged.load(Ordering::Relaxed)
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
