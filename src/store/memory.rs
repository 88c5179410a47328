//! Reading back: everything that the decision needs, in a few queries.

use super::{Store, StoreError, pass_lease, row, row::Asked};
use crate::domain::{Cached, Content, Digest, FactKey, Memory, Observation, Timestamp, WatchName};
use sqlx::{Any, SqlSafeStr, Transaction, any::AnyRow};

impl Store {
    /// Reads everything that is remembered of `watch`.
    ///
    /// # Errors
    /// If the database cannot be read, or a row makes no sense.
    pub async fn load_memory(&self, watch: &WatchName) -> Result<Memory, StoreError> {
        let mut transaction = self.reading().await?;
        let mut memory = Memory::default();
        let latest = "SELECT fact, seen_at FROM observation WHERE id IN \
                      (SELECT MAX(id) FROM observation WHERE watch = $1 GROUP BY aspect, subject)";
        for observation in each(&mut transaction, latest, watch, row::observation).await? {
            memory.observations.insert(observation.fact.key(), observation);
        }
        let findings = "SELECT * FROM finding WHERE watch = $1 ORDER BY id";
        memory.findings = each(&mut transaction, findings, watch, row::finding).await?;
        let runs = "SELECT * FROM canary_run WHERE watch = $1 ORDER BY id";
        memory.runs = each(&mut transaction, runs, watch, row::canary_run).await?;
        let requests = "SELECT * FROM request WHERE watch = $1 ORDER BY id";
        for asked in each(&mut transaction, requests, watch, row::asked).await? {
            match asked {
                Asked::Request(request) => memory.requests.push(request),
                Asked::Order(order) => memory.orders.push(order),
            }
        }
        let effects = "SELECT * FROM effect WHERE watch = $1 ORDER BY intended_at, effect_key";
        memory.effects = each(&mut transaction, effects, watch, row::effect).await?;
        let released = "SELECT released_at FROM lease WHERE name = $1";
        let released = sqlx::query_scalar(released).bind(pass_lease(watch));
        let released: Option<Option<i64>> = released.fetch_optional(&mut *transaction).await?;
        memory.last_pass = released.flatten().map(Timestamp::from_millis);
        Ok(memory)
    }

    /// Every value that `key` ever had, oldest first.
    ///
    /// # Errors
    /// If the database cannot be read, or a row makes no sense.
    pub async fn history(
        &self,
        watch: &WatchName,
        key: &FactKey,
    ) -> Result<Vec<Observation>, StoreError> {
        let rows = sqlx::query(
            "SELECT fact, seen_at FROM observation \
             WHERE watch = $1 AND aspect = $2 AND subject = $3 ORDER BY id",
        )
        .bind(watch.as_str())
        .bind(key.aspect)
        .bind(&key.subject)
        .fetch_all(&self.pool)
        .await?;
        rows.iter().map(row::observation).collect()
    }

    /// The last value of `key`, if it has one.
    ///
    /// # Errors
    /// If the database cannot be read, or the row makes no sense.
    pub async fn latest(
        &self,
        watch: &WatchName,
        key: &FactKey,
    ) -> Result<Option<Observation>, StoreError> {
        let row = sqlx::query(
            "SELECT fact, seen_at FROM observation \
             WHERE watch = $1 AND aspect = $2 AND subject = $3 ORDER BY id DESC LIMIT 1",
        )
        .bind(watch.as_str())
        .bind(key.aspect)
        .bind(&key.subject)
        .fetch_optional(&self.pool)
        .await?;
        row.as_ref().map(row::observation).transpose()
    }

    /// The remembered answer to a GET of `url`.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub async fn cached(&self, url: &str) -> Result<Option<Cached>, StoreError> {
        let row = sqlx::query("SELECT * FROM http_cache WHERE url = $1")
            .bind(url)
            .fetch_optional(&self.pool)
            .await?;
        row.as_ref().map(row::cached).transpose()
    }

    /// A document that was kept.
    ///
    /// # Errors
    /// If the database cannot be read, or a row makes no sense.
    pub async fn content(&self, digest: &Digest) -> Result<Option<Content>, StoreError> {
        let row = sqlx::query("SELECT digest, media_type, bytes FROM content WHERE digest = $1")
            .bind(digest.as_str())
            .fetch_optional(&self.pool)
            .await?;
        row.as_ref().map(row::content).transpose()
    }

    /// A number that rises with each request of any watch, and with each command that is heard; 0 if
    /// there was none. Cheap enough to ask every second.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub async fn newest_wish(&self) -> Result<i64, StoreError> {
        let newest = sqlx::query_scalar(
            "SELECT (SELECT COALESCE(MAX(id), 0) FROM request) \
             + (SELECT COALESCE(MAX(id), 0) FROM heard)",
        );
        Ok(newest.fetch_one(&self.pool).await?)
    }
}

async fn each<T>(
    transaction: &mut Transaction<'static, Any>,
    query: impl SqlSafeStr,
    watch: &WatchName,
    read: fn(&AnyRow) -> Result<T, StoreError>,
) -> Result<Vec<T>, StoreError> {
    let rows = sqlx::query(query).bind(watch.as_str()).fetch_all(&mut **transaction).await?;
    rows.iter().map(read).collect()
}
