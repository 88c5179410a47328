//! The right to write. One owner at a time; a token that only rises tells an owner who slept
//! through the end of its lease from the one who took over.

use super::{Store, StoreError};
use crate::domain::WatchName;
use sqlx::{AnyConnection, Row as _};
use std::time::Duration;

/// Proof that its holder was given the right `name`. Whether it still has it is asked again in
/// every transaction that writes. Not `Clone`: there is one.
#[derive(Debug)]
pub struct Lease {
    name: String,
    owner: String,
    token: i64,
}

impl Lease {
    /// What is leased.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Who holds it.
    #[must_use]
    pub fn owner(&self) -> &str {
        &self.owner
    }

    /// The fencing token: larger than that of every earlier owner.
    #[must_use]
    pub fn token(&self) -> i64 {
        self.token
    }

    /// Fails if somebody else took the lease. Written as an update, so that the row stays locked
    /// until the transaction ends, on PostgreSQL too. An expired lease that nobody took is held.
    pub(super) async fn assert_held(
        &self,
        transaction: &mut AnyConnection,
    ) -> Result<(), StoreError> {
        let held = sqlx::query(
            "UPDATE lease SET token = token WHERE name = $1 AND owner = $2 AND token = $3",
        )
        .bind(&self.name)
        .bind(&self.owner)
        .bind(self.token)
        .execute(transaction)
        .await?;
        self.unless_lost(held.rows_affected())
    }

    fn unless_lost(&self, rows: u64) -> Result<(), StoreError> {
        if rows == 1 { Ok(()) } else { Err(StoreError::LeaseLost { name: self.name.clone() }) }
    }
}

/// The lease under which the passes of a watch run.
#[must_use]
pub fn pass_lease(watch: &WatchName) -> String {
    format!("pass {watch}")
}

impl Store {
    /// Takes the lease `name` for `ttl`, if nobody holds it. `None` if somebody does, be it the
    /// same owner: two passes of one process exclude each other as well.
    ///
    /// # Errors
    /// If the database cannot be written.
    pub async fn acquire(
        &self,
        name: &str,
        owner: &str,
        ttl: Duration,
    ) -> Result<Option<Lease>, StoreError> {
        let now = self.clock.now();
        let mut transaction = self.writing().await?;
        let row = sqlx::query(
            "INSERT INTO lease (name, owner, token, held_until) VALUES ($1, $2, 1, $3) \
             ON CONFLICT (name) DO UPDATE SET owner = excluded.owner, token = lease.token + 1, \
             held_until = excluded.held_until WHERE lease.held_until <= $4 RETURNING token",
        )
        .bind(name)
        .bind(owner)
        .bind((now + ttl).millis())
        .bind(now.millis())
        .fetch_optional(&mut *transaction)
        .await?;
        let token: Option<i64> = row.map(|row| row.try_get("token")).transpose()?;
        transaction.commit("lease").await?;
        Ok(token.map(|token| Lease { name: name.to_owned(), owner: owner.to_owned(), token }))
    }

    /// Prolongs a lease to `ttl` from now.
    ///
    /// # Errors
    /// [`StoreError::LeaseLost`] if somebody else took it; or if the database cannot be written.
    pub async fn renew(&self, lease: &Lease, ttl: Duration) -> Result<(), StoreError> {
        let rows = self.set_held_until(lease, (self.clock.now() + ttl).millis(), None);
        lease.unless_lost(rows.await?)
    }

    /// Gives a lease back, so that the next owner need not wait. No error if it was lost.
    ///
    /// # Errors
    /// If the database cannot be written.
    pub async fn release(&self, lease: Lease) -> Result<(), StoreError> {
        self.set_held_until(&lease, 0, Some(self.clock.now().millis())).await.map(drop)
    }

    async fn set_held_until(
        &self,
        lease: &Lease,
        millis: i64,
        released_at: Option<i64>,
    ) -> Result<u64, StoreError> {
        let mut transaction = self.writing().await?;
        let rows = sqlx::query(
            "UPDATE lease SET held_until = $1, released_at = COALESCE($5, released_at) \
             WHERE name = $2 AND owner = $3 AND token = $4",
        )
        .bind(millis)
        .bind(&lease.name)
        .bind(&lease.owner)
        .bind(lease.token)
        .bind(released_at)
        .execute(&mut *transaction)
        .await?
        .rows_affected();
        transaction.commit("lease's end").await?;
        Ok(rows)
    }
}
