//! What happened, in rows: observations, findings, canary runs, requests, effects, cached answers
//! and the lease. Rows become domain types here and nowhere else; no stage is stored, because
//! whatever is derived can go stale.
//!
//! One implementation over sqlx's `Any` driver, in the subset of SQL that SQLite and PostgreSQL
//! share; what is one database's own is in a file of its name. What a row means is in
//! `migrations/`.

mod error;
mod heard;
mod lease;
mod memory;
mod open;
mod postgres;
mod recall;
mod row;
mod run;
mod schema;
mod sqlite;
mod wish;
mod write;

pub use error::StoreError;
pub use heard::{LAST_ANSWER, Received, STALE, Sentence};
pub use lease::{Lease, pass_lease};
pub use run::{NewRun, Prepared, Shown};

use crate::clock::Clock;
use crate::telemetry::{Moment, step};
use sqlx::{Any, AnyConnection, AnyPool, Transaction};
use std::{fs::File, sync::Arc};

/// The database. Cheap to clone; clones share their connections.
#[derive(Debug, Clone)]
pub struct Store {
    pool: AnyPool,
    dialect: Dialect,
    clock: Clock,
    /// Held by a reader of a database that nobody has open, so that nobody opens it meanwhile.
    _still: Option<Arc<File>>,
}

/// Where the two databases' SQL differs: in how a transaction begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Dialect {
    Sqlite,
    Postgres,
}

/// A transaction that writes. Dropped, it leaves nothing.
struct Writing(Transaction<'static, Any>);

impl Writing {
    /// Makes what was written last; `what` names it in the log.
    async fn commit(self, what: &'static str) -> Result<(), StoreError> {
        step(Moment::Before, "record", what);
        self.0.commit().await?;
        step(Moment::After, "record", what);
        Ok(())
    }
}

impl std::ops::Deref for Writing {
    type Target = AnyConnection;
    fn deref(&self) -> &AnyConnection {
        &self.0
    }
}

impl std::ops::DerefMut for Writing {
    fn deref_mut(&mut self) -> &mut AnyConnection {
        &mut self.0
    }
}

impl Store {
    /// A transaction that reads one state of the database, whatever is written meanwhile.
    async fn reading(&self) -> Result<Transaction<'static, Any>, StoreError> {
        Ok(self
            .pool
            .begin_with(match self.dialect {
                Dialect::Sqlite => "BEGIN",
                Dialect::Postgres => "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
            })
            .await?)
    }

    /// A transaction that writes, one at a time. It takes the lock at once: one that reads first
    /// and locks later can be refused half-way by SQLite, whatever the busy time-out says.
    async fn writing(&self) -> Result<Writing, StoreError> {
        match self.dialect {
            Dialect::Sqlite => Ok(Writing(self.pool.begin_with("BEGIN IMMEDIATE").await?)),
            Dialect::Postgres => {
                let mut transaction = self.pool.begin().await?;
                postgres::lock_writers(&mut transaction).await?;
                Ok(Writing(transaction))
            }
        }
    }

    /// A transaction that writes, and whose lease cannot be taken over before its end.
    async fn writing_under(&self, lease: &Lease) -> Result<Writing, StoreError> {
        let mut transaction = self.writing().await?;
        lease.assert_held(&mut transaction).await?;
        Ok(transaction)
    }

    /// Closes the connections, which merges SQLite's log into the file. Dropping a store is safe
    /// as well: the next one to open it merges.
    pub async fn close(&self) {
        self.pool.close().await;
    }
}
