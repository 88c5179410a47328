//! What people ask for, in rows. Their wishes need no lease: a command line beside the daemon
//! records them as well.

use super::{Lease, Store, StoreError, write::storable};
use crate::domain::{CommitId, Ordered, RequestId, Timestamp, Version, WatchName, Wish};
use sqlx::{AnyConnection, Row as _};

impl Store {
    /// Records a wish. While the same one for the same version is open, its id is returned instead.
    ///
    /// # Errors
    /// If the database cannot be written.
    pub async fn record_request(
        &self,
        watch: &WatchName,
        wish: Wish,
        version: &Version,
        actor: &str,
        at: Timestamp,
    ) -> Result<RequestId, StoreError> {
        let mut transaction = self.writing().await?;
        let asked = Asked { wish, version, actor, head: None, said_at: at };
        let id = append_request(&mut transaction, watch, &asked, at).await?;
        transaction.commit("request").await?;
        Ok(id)
    }

    /// Records a standing order, which holds from then on.
    ///
    /// # Errors
    /// If the database cannot be written.
    pub async fn record_order(
        &self,
        watch: &WatchName,
        ordered: &Ordered,
        actor: &str,
        at: Timestamp,
    ) -> Result<RequestId, StoreError> {
        let mut transaction = self.writing().await?;
        let id = append_order(&mut transaction, watch, ordered, actor, at).await?;
        transaction.commit("order").await?;
        Ok(id)
    }

    /// Closes a request with an answer. One that was answered before keeps its first answer.
    ///
    /// # Errors
    /// If the lease was lost, or the database cannot be written.
    pub async fn answer_request(
        &self,
        lease: &Lease,
        id: RequestId,
        granted: bool,
        answer: &str,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let mut transaction = self.writing_under(lease).await?;
        sqlx::query(
            "UPDATE request SET granted = $1, answer = $2, ended_at = $3 \
             WHERE id = $4 AND ended_at IS NULL",
        )
        .bind(i64::from(granted))
        .bind(storable(answer).as_ref())
        .bind(at.millis())
        .bind(id.0)
        .execute(&mut *transaction)
        .await?;
        transaction.commit("answer").await
    }
}

/// A wish that is about to be recorded.
pub(super) struct Asked<'a> {
    pub(super) wish: Wish,
    pub(super) version: &'a Version,
    pub(super) actor: &'a str,
    /// Where the branch was, if it is bound to that.
    pub(super) head: Option<&'a CommitId>,
    pub(super) said_at: Timestamp,
}

/// Appends a wish inside a transaction, unless the same one is open: that one is then bound to the
/// branch as it was this time, and was said this time.
pub(super) async fn append_request(
    transaction: &mut AnyConnection,
    watch: &WatchName,
    asked: &Asked<'_>,
    at: Timestamp,
) -> Result<RequestId, StoreError> {
    let Asked { wish, version, actor, head, said_at } = asked;
    sqlx::query(
        "INSERT INTO request (id, watch, version, wish, actor, asked_at, head, said_at) \
         VALUES ((SELECT COALESCE(MAX(id), 0) + 1 FROM request), $1, $2, $3, $4, $5, $6, $7) \
         ON CONFLICT (watch, version, wish) WHERE ended_at IS NULL \
         DO UPDATE SET head = excluded.head, said_at = excluded.said_at",
    )
    .bind(watch.as_str())
    .bind(version.to_string())
    .bind(wish.name())
    .bind(storable(actor).as_ref())
    .bind(at.millis())
    .bind(head.map(|head| head.as_str().to_owned()))
    .bind(said_at.millis())
    .execute(&mut *transaction)
    .await?;
    let id = sqlx::query(
        "SELECT id FROM request WHERE watch = $1 AND version = $2 AND wish = $3 \
         AND ended_at IS NULL",
    )
    .bind(watch.as_str())
    .bind(version.to_string())
    .bind(wish.name())
    .fetch_one(&mut *transaction)
    .await?
    .try_get("id")?;
    Ok(RequestId(id))
}

/// Appends a standing order inside a transaction. It is granted as it is made.
pub(super) async fn append_order(
    transaction: &mut AnyConnection,
    watch: &WatchName,
    ordered: &Ordered,
    actor: &str,
    at: Timestamp,
) -> Result<RequestId, StoreError> {
    let reason = match ordered {
        Ordered::Hold { reason } => reason.as_deref().map(storable),
        Ordered::Unhold
        | Ordered::IgnoreRelease(_)
        | Ordered::IgnoreBump(_)
        | Ordered::Unignore => None,
    };
    let id = sqlx::query(
        "INSERT INTO request (id, watch, version, wish, subject, reason, actor, asked_at, granted, \
         answer, ended_at) VALUES ((SELECT COALESCE(MAX(id), 0) + 1 FROM request), \
         $1, '', $2, $3, $4, $5, $6, 1, $7, $6) RETURNING id",
    )
    .bind(watch.as_str())
    .bind(ordered.name())
    .bind(ordered.subject())
    .bind(reason.as_deref())
    .bind(storable(actor).as_ref())
    .bind(at.millis())
    .bind(ordered.consequence())
    .fetch_one(&mut *transaction)
    .await?
    .try_get("id")?;
    Ok(RequestId(id))
}
