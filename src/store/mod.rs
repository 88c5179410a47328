//! What happened, in rows: observations, findings, canary runs, requests, effects, cached answers
//! and the lease. Rows become domain types here and nowhere else; no stage is stored, because
//! whatever is derived can go stale.
//!
//! One implementation over sqlx's `Any` driver, in the subset of SQL that SQLite and PostgreSQL
//! share. What a row means is in `migrations/`.

mod error;
mod lease;
mod memory;
mod open;
mod row;
mod run;
mod write;

pub use error::StoreError;
pub use lease::Lease;
pub use run::NewRun;

use crate::clock::Clock;
use sqlx::{Any, AnyPool, Transaction};
use std::{fs::File, sync::Arc};

/// The database. Cheap to clone; clones share their connections.
#[derive(Debug, Clone)]
pub struct Store {
    pool: AnyPool,
    clock: Clock,
    /// Held by a reader of a database that nobody has open, so that nobody opens it meanwhile.
    _still: Option<Arc<File>>,
}

impl Store {
    /// A transaction that reads one state of the database, whatever is written meanwhile.
    async fn reading(&self) -> Result<Transaction<'static, Any>, StoreError> {
        Ok(self.pool.begin().await?)
    }

    /// A transaction that writes. It takes SQLite's write lock at once: a transaction that reads
    /// first and locks later can be refused half-way, whatever the busy time-out says.
    async fn writing(&self) -> Result<Transaction<'static, Any>, StoreError> {
        Ok(self.pool.begin_with("BEGIN IMMEDIATE").await?)
    }

    /// A transaction that writes, and whose lease cannot be taken over before its end.
    async fn writing_under(&self, lease: &Lease) -> Result<Transaction<'static, Any>, StoreError> {
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
