//! Opening a database, whichever it is.

use super::{Dialect, Store, StoreError, postgres, schema, sqlite};
use crate::clock::Clock;
use crate::config::Database;
use sqlx::{AnyConnection, AnyPool, Connection as _, any::AnyPoolOptions};

impl Store {
    /// Opens the database and brings its schema up to date. A SQLite file that does not exist is
    /// created, readable by its owner alone.
    ///
    /// # Errors
    /// If it cannot be used, is no database of this program, or is a later version's.
    pub async fn open(database: &Database, clock: &Clock) -> Result<Self, StoreError> {
        let (pool, dialect) = match database {
            Database::Sqlite(path) => (sqlite::open(path).await?, Dialect::Sqlite),
            Database::Postgres(server) => (postgres::open(server).await?, Dialect::Postgres),
        };
        Ok(Self { pool, dialect, clock: clock.clone(), _still: None })
    }

    /// Opens the database beside whoever writes it. Nothing is written and no schema is changed.
    /// `None` if there is no database yet.
    ///
    /// # Errors
    /// If it cannot be read, or its schema is not exactly this program's.
    pub async fn open_readonly(database: &Database) -> Result<Option<Self>, StoreError> {
        let clock = Clock::system();
        match database {
            Database::Sqlite(path) => {
                Ok(sqlite::open_readonly(path).await?.map(|(pool, still)| Self {
                    pool,
                    dialect: Dialect::Sqlite,
                    clock,
                    _still: still,
                }))
            }
            Database::Postgres(server) => Ok(postgres::open_readonly(server)
                .await?
                .map(|pool| Self { pool, dialect: Dialect::Postgres, clock, _still: None })),
        }
    }

    /// A database that lives as long as this value and its clones. For tests and dry runs.
    ///
    /// # Errors
    /// If SQLite cannot be started.
    pub async fn memory(clock: &Clock) -> Result<Self, StoreError> {
        let pool = connect("sqlite::memory:", 1, sqlite::IN_MEMORY).await?;
        schema::migrate(&pool).await?;
        Ok(Self { pool, dialect: Dialect::Sqlite, clock: clock.clone(), _still: None })
    }
}

/// A pool repeats a failing set-up for half a minute, and then knows no reason. So a connection of
/// its own meets the database first.
pub(super) async fn first_connection(
    url: &str,
    settings: &'static str,
) -> Result<AnyConnection, StoreError> {
    sqlx::any::install_default_drivers();
    let mut connection = AnyConnection::connect(url).await?;
    sqlx::raw_sql(settings).execute(&mut connection).await?;
    Ok(connection)
}

/// A pool of at most so many connections, each with these settings.
pub(super) async fn connect(
    url: &str,
    most: u32,
    settings: &'static str,
) -> Result<AnyPool, StoreError> {
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
        // A full disk makes SQLite roll back by itself (sqlite.org/lang_transaction.html). sqlx
        // then believes for ever that a transaction is open, and refuses the next one.
        .after_release(|connection, _| {
            Box::pin(async move {
                // Whatever rollback is on its way comes first.
                connection.ping().await?;
                Ok(!connection.is_in_transaction())
            })
        })
        .connect(url)
        .await?;
    Ok(pool)
}
