//! SQLite: one file, for one machine.

use super::{
    StoreError,
    open::{connect, first_connection},
    schema,
};
use sqlx::{AnyPool, Connection as _};
use std::{
    fmt::Write as _,
    fs::{DirBuilder, File, OpenOptions},
    io,
    os::unix::{
        ffi::OsStrExt as _,
        fs::{DirBuilderExt as _, OpenOptionsExt as _},
    },
    path::{Path, PathBuf},
    sync::Arc,
};

/// SQLite has one writer at a time, so that more connections only wait for each other.
const CONNECTIONS: u32 = 4;

/// The time-out is set first, because the change to write-ahead logging waits for it. What a
/// crash of the machine can lose with `NORMAL` is the last transactions, never the consistency.
const WRITER: &str = "PRAGMA busy_timeout = 5000; PRAGMA journal_mode = WAL; \
                      PRAGMA synchronous = NORMAL; PRAGMA foreign_keys = ON;";
const READER: &str = "PRAGMA busy_timeout = 5000; PRAGMA query_only = ON;";
/// For a file that nobody can change meanwhile: SQLite then needs nothing beside it.
const STILL: &str = "ro&immutable=1";
/// For a database that is no file.
pub(super) const IN_MEMORY: &str = "PRAGMA foreign_keys = ON;";

/// Opens the file, creates what is missing, and brings the schema up to date.
pub(super) async fn open(path: &Path) -> Result<AnyPool, StoreError> {
    let path = std::path::absolute(path)?;
    let target = path.clone();
    // The migrator takes no lock on SQLite: two processes on a fresh file would collide.
    let lock = tokio::task::spawn_blocking(move || create_and_lock(&target))
        .await
        .map_err(io::Error::other)??;
    let url = file_url(&path, "rw");
    let first = first_connection(&url, WRITER).await?;
    let pool = connect(&url, CONNECTIONS, WRITER).await?;
    first.close().await?;
    schema::migrate(&pool).await?;
    drop(lock);
    Ok(pool)
}

/// Opens the file for looking only; `None` if there is none. With what keeps others from opening
/// it, if nobody had it open.
pub(super) async fn open_readonly(
    path: &Path,
) -> Result<Option<(AnyPool, Option<Arc<File>>)>, StoreError> {
    let path = std::path::absolute(path)?;
    // An empty file is one that somebody else is creating right now.
    match std::fs::metadata(&path) {
        Ok(file) if file.len() > 0 => {}
        Ok(_) => return Ok(None),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error.into()),
    }
    let target = path.clone();
    let still = tokio::task::spawn_blocking(move || keep_still(&target))
        .await
        .map_err(io::Error::other)??;
    let url = file_url(&path, if still.is_some() { STILL } else { "ro" });
    let mut first = first_connection(&url, READER).await?;
    schema::must_be_known(schema::applied(&mut first).await?.unwrap_or(0))?;
    let pool = connect(&url, 1, READER).await?;
    first.close().await?;
    Ok(Some((pool, still.map(Arc::new))))
}

/// Creates the folder, the database's file and the lock beside it, and waits for the lock. It is
/// given back when the file is dropped.
fn create_and_lock(path: &Path) -> io::Result<File> {
    if let Some(folder) = path.parent() {
        DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    }
    let private = |path: &Path| {
        OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(path)
    };
    let lock = private(&beside(path, ".lock"))?;
    lock.lock()?;
    // SQLite gives its log and index the mode of the database's file.
    private(path)?;
    Ok(lock)
}

/// For a database that nobody has open: keeps it so until the file is dropped. A reader would
/// otherwise leave SQLite's log and index behind, and a dry run writes nothing. `None` if somebody
/// has it open, for then the log is there.
fn keep_still(path: &Path) -> io::Result<Option<File>> {
    let lock = match File::open(beside(path, ".lock")) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        lock => lock?,
    };
    lock.lock_shared()?;
    Ok((!beside(path, "-wal").try_exists()?).then_some(lock))
}

fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}

/// The URL of a file in sqlx's terms. Everything that could be syntax is escaped.
fn file_url(path: &Path, mode: &str) -> String {
    let mut url = String::from("sqlite://");
    for byte in path.as_os_str().as_bytes() {
        if byte.is_ascii_alphanumeric() || b"/-_.".contains(byte) {
            url.push(char::from(*byte));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(url, "%{byte:02X}");
        }
    }
    url.push_str("?mode=");
    url.push_str(mode);
    url
}
