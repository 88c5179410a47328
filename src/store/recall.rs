//! What outlived a lost database, taken in by the one that begins anew.

use super::{
    Lease, Store, StoreError, wish::append_order, write::append_observation, write::storable,
};
use crate::domain::{
    Entered, Entry, Observation, Order, Request, RequestId, RequestOutcome, Timestamp, Version,
    WatchName, Wish,
};
use sqlx::{AnyConnection, Row as _};

/// What is said of a request that is known of an order book alone.
const ASKED_BEFORE: &str = "it was asked for before the database was lost";

impl Store {
    /// Records what was found again, and that somebody looked: all of it or nothing. Gives what is
    /// then remembered.
    ///
    /// # Errors
    /// If the lease was lost, or the database cannot be written.
    pub async fn record_recalled(
        &self,
        lease: &Lease,
        watch: &WatchName,
        entries: &[Entry],
        looked: &Observation,
        at: Timestamp,
    ) -> Result<(Vec<Order>, Vec<Request>), StoreError> {
        let mut transaction = self.writing_under(lease).await?;
        let (mut orders, mut requests) = (Vec::new(), Vec::new());
        for entry in entries {
            let actor = entry.actor.clone();
            match &entry.what {
                Entered::Order(ordered) => {
                    let id =
                        append_order(&mut transaction, watch, ordered, &actor, entry.at).await?;
                    orders.push(Order { id, ordered: ordered.clone(), actor, at: entry.at });
                }
                Entered::Asked(version) => {
                    let id = append_asked(&mut transaction, watch, version, entry, at).await?;
                    let answer = ASKED_BEFORE.to_owned();
                    requests.push(Request {
                        id,
                        wish: Wish::Bump,
                        version: version.clone(),
                        actor,
                        head: None,
                        at: entry.at,
                        said_at: entry.at,
                        outcome: Some(RequestOutcome { granted: true, answer, at }),
                    });
                }
            }
        }
        append_observation(&mut transaction, watch, looked).await?;
        transaction.commit("recalled").await?;
        Ok((orders, requests))
    }
}

/// Appends a request that has its end.
async fn append_asked(
    transaction: &mut AnyConnection,
    watch: &WatchName,
    version: &Version,
    entry: &Entry,
    at: Timestamp,
) -> Result<RequestId, StoreError> {
    let id = sqlx::query(
        "INSERT INTO request (id, watch, version, wish, actor, asked_at, granted, answer, ended_at) \
         VALUES ((SELECT COALESCE(MAX(id), 0) + 1 FROM request), $1, $2, $3, $4, $5, 1, $6, $7) \
         RETURNING id",
    )
    .bind(watch.as_str())
    .bind(version.to_string())
    .bind(Wish::Bump.name())
    .bind(storable(&entry.actor).as_ref())
    .bind(entry.at.millis())
    .bind(ASKED_BEFORE)
    .bind(at.millis())
    .fetch_one(&mut *transaction)
    .await?
    .try_get("id")?;
    Ok(RequestId(id))
}
