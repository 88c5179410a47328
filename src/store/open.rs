//! Opening a database: its file, its settings, its schema.

use super::{Store, StoreError};
use crate::clock::Clock;
use sqlx::{
    AnyConnection, AnyPool, Connection as _, Row as _, SqlSafeStr as _,
    any::AnyPoolOptions,
    migrate::{MigrateError, Migration, MigrationType, Migrator},
};
use std::{
    cmp::Ordering,
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

/// Every migration: number, name, text. A text that was released is never changed.
const MIGRATIONS: &[(i64, &str, &str)] =
    &[(1, "init", include_str!("../../migrations/0001_init.sql"))];

/// The time-out is set first, because the change to write-ahead logging waits for it. What a
/// crash of the machine can lose with `NORMAL` is the last transactions, never the consistency.
const WRITER: &str = "PRAGMA busy_timeout = 5000; PRAGMA journal_mode = WAL; \
                      PRAGMA synchronous = NORMAL; PRAGMA foreign_keys = ON;";
const READER: &str = "PRAGMA busy_timeout = 5000; PRAGMA query_only = ON;";
/// For a file that nobody can change meanwhile: SQLite then needs nothing beside it.
const STILL: &str = "ro&immutable=1";
const IN_MEMORY: &str = "PRAGMA foreign_keys = ON;";

impl Store {
    /// Opens the SQLite database at `path` and brings its schema up to date. What does not exist
    /// is created, readable by its owner alone.
    ///
    /// # Errors
    /// If the file cannot be used, is no database of this program, or is a later version's.
    pub async fn open(path: &Path, clock: &Clock) -> Result<Self, StoreError> {
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
        migrator().run(&pool).await.map_err(migration_error)?;
        drop(lock);
        Ok(Self { pool, clock: clock.clone(), _still: None })
    }

    /// Opens the database at `path` beside whoever writes it. Nothing is written and no schema
    /// is changed. `None` if there is no database yet.
    ///
    /// # Errors
    /// If the file cannot be read, or its schema is not exactly this program's.
    pub async fn open_readonly(path: &Path) -> Result<Option<Self>, StoreError> {
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
        let found = schema(&mut first).await?;
        let known = MIGRATIONS.last().map_or(0, |(version, ..)| *version);
        match found.cmp(&known) {
            Ordering::Greater => return Err(StoreError::Newer { found, known }),
            Ordering::Less => return Err(StoreError::Older { found, known }),
            Ordering::Equal => {}
        }
        let pool = connect(&url, 1, READER).await?;
        first.close().await?;
        Ok(Some(Self { pool, clock: Clock::system(), _still: still.map(Arc::new) }))
    }

    /// A database that lives as long as this value and its clones. For tests and dry runs.
    ///
    /// # Errors
    /// If SQLite cannot be started.
    pub async fn memory(clock: &Clock) -> Result<Self, StoreError> {
        let pool = connect("sqlite::memory:", 1, IN_MEMORY).await?;
        migrator().run(&pool).await.map_err(migration_error)?;
        Ok(Self { pool, clock: clock.clone(), _still: None })
    }
}

/// A pool repeats a failing set-up for half a minute, and then knows no reason. So a connection of
/// its own meets the file first.
async fn first_connection(url: &str, settings: &'static str) -> Result<AnyConnection, StoreError> {
    sqlx::any::install_default_drivers();
    let mut connection = AnyConnection::connect(url).await?;
    sqlx::raw_sql(settings).execute(&mut connection).await?;
    Ok(connection)
}

async fn connect(url: &str, most: u32, settings: &'static str) -> Result<AnyPool, StoreError> {
    sqlx::any::install_default_drivers();
    let pool = AnyPoolOptions::new()
        .max_connections(most)
        // A database in memory ends with its last connection.
        .min_connections(1)
        .idle_timeout(None)
        .max_lifetime(None)
        .after_connect(move |connection, _| {
            Box::pin(async move { sqlx::raw_sql(settings).execute(connection).await.map(drop) })
        })
        .connect(url)
        .await?;
    Ok(pool)
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

fn migrator() -> Migrator {
    Migrator::with_migrations(
        MIGRATIONS
            .iter()
            .map(|(version, name, text)| {
                let text = (*text).into_sql_str();
                Migration::new(*version, (*name).into(), MigrationType::Simple, text, false)
            })
            .collect(),
    )
}

fn migration_error(error: MigrateError) -> StoreError {
    match error {
        MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => error.into(),
        MigrateError::VersionMissing(found) => StoreError::Newer {
            found,
            known: MIGRATIONS.last().map_or(0, |(version, ..)| *version),
        },
        MigrateError::VersionMismatch(version) => StoreError::Altered { version },
        error => StoreError::corrupt("the schema", error),
    }
}

/// The last migration that was applied; 0 if the file holds no schema of this program.
async fn schema(connection: &mut AnyConnection) -> Result<i64, StoreError> {
    let applied = "SELECT COALESCE(MAX(version), 0) AS version FROM _sqlx_migrations";
    match sqlx::query(applied).fetch_one(connection).await {
        Ok(row) => Ok(row.try_get("version")?),
        // SQLite's plain "error": the table is not there.
        Err(sqlx::Error::Database(error)) if error.code().as_deref() == Some("1") => Ok(0),
        Err(error) => Err(error.into()),
    }
}
