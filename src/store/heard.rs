//! What was heard, by webhooks and by polling: each delivery and each comment once.

use super::{
    Lease, Store, StoreError, row,
    wish::{Asked, append_order, append_request},
    write::{json, storable},
};
use crate::domain::{
    CommandSource, CommitId, Heard, HeardId, Order, Ordered, RepoName, Request, Ruled, Ruling,
    Said, Timestamp, Version, WatchName, Wish,
};
use sqlx::AnyConnection;
use std::time::Duration;

/// What nobody ruled on for so long is not ruled on any more: it would surprise everybody.
pub const STALE: Duration = Duration::from_hours(24);
/// What was ruled on has its last answer within so long of its end, or none: GitHub may refuse it
/// for good.
pub const LAST_ANSWER: Duration = Duration::from_hours(30 * 24);

/// What awaits the end of a request: of each row of `heard`, whether a command in it left a request
/// that is open or ended after a time. What a ruling is written as is this program's own, and a quote in
/// a line that somebody wrote is escaped in it.
macro_rules! awaited_after {
    ($until:literal) => {
        concat!(
            "EXISTS (SELECT 1 FROM request WHERE request.watch = heard.watch \
             AND (request.ended_at IS NULL OR request.ended_at > ",
            $until,
            ") AND heard.rulings LIKE '%\"ruled\":\"asked\",\"request\":' \
             || CAST(request.id AS TEXT) || '}%')"
        )
    };
}

/// A delivery whose signature held.
#[derive(Debug, Clone)]
pub struct Received {
    /// GitHub's id of it, which a redelivery has as well.
    pub id: String,
    /// The event's name.
    pub event: String,
    /// What it says to the bot, if it does, and in which repository.
    pub said: Option<(RepoName, Said)>,
    /// When it came.
    pub at: Timestamp,
}

/// What is to become of a command.
#[derive(Debug, Clone)]
pub enum Sentence {
    /// A request is recorded, bound to the branch as it was when it is about one.
    Ask(Wish, Version, Option<CommitId>),
    /// A standing order is recorded.
    Order(Ordered),
    /// There is nothing more to record than this.
    Rule(Ruled),
}

impl Store {
    /// Records deliveries, all of them or none, and what they say. Of each whether it is new: one
    /// that is known has done what it was to do.
    ///
    /// # Errors
    /// If the database cannot be written.
    pub async fn record_deliveries(&self, all: &[Received]) -> Result<Vec<bool>, StoreError> {
        let mut transaction = self.writing().await?;
        let mut news = Vec::with_capacity(all.len());
        for received in all {
            let rows = sqlx::query(
                "INSERT INTO delivery (id, event, received_at) VALUES ($1, $2, $3) \
                 ON CONFLICT (id) DO NOTHING",
            )
            .bind(storable(&received.id).as_ref())
            .bind(storable(&received.event).as_ref())
            .bind(received.at.millis())
            .execute(&mut *transaction)
            .await?
            .rows_affected();
            news.push(rows == 1);
            if let Some((repository, said)) = received.said.as_ref().filter(|_| rows == 1) {
                hear(&mut transaction, repository, said, received.at).await?;
            }
        }
        transaction.commit("deliveries").await?;
        Ok(news)
    }

    /// Records what was found by polling, unless it was heard before.
    ///
    /// # Errors
    /// If the lease was lost, or the database cannot be written.
    pub async fn record_said(
        &self,
        lease: &Lease,
        repository: &RepoName,
        all: &[Said],
        at: Timestamp,
    ) -> Result<(), StoreError> {
        if all.is_empty() {
            return Ok(());
        }
        let mut transaction = self.writing_under(lease).await?;
        for said in all {
            hear(&mut transaction, repository, said, at).await?;
        }
        transaction.commit("heard").await
    }

    /// What was heard in a repository and is not answered to its end, in the order in which it was
    /// said. What was ruled on by another watch is that one's. What nobody ruled on for longer than
    /// [`STALE`] is among it: whoever said it is to be told.
    ///
    /// # Errors
    /// If the database cannot be read, or a row makes no sense.
    pub async fn load_heard(
        &self,
        repository: &RepoName,
        watch: &WatchName,
        now: Timestamp,
    ) -> Result<Vec<Heard>, StoreError> {
        let rows = sqlx::query(concat!(
            "SELECT * FROM heard WHERE repository = $1 AND ended_at IS NULL \
             AND (watch = $2 OR watch IS NULL) AND (heard_at > $3 OR ",
            awaited_after!("$3"),
            ") ORDER BY said_at, id"
        ))
        .bind(repository.as_str())
        .bind(watch.as_str())
        .bind((now - LAST_ANSWER).millis())
        .fetch_all(&self.pool)
        .await?;
        rows.iter().map(row::heard).collect()
    }

    /// What was answered to its end before something that was heard on the same issue, the newest
    /// first, no more than matter.
    ///
    /// # Errors
    /// If the database cannot be read, or a row makes no sense.
    pub async fn load_answered(
        &self,
        repository: &RepoName,
        watch: &WatchName,
        before: &Heard,
    ) -> Result<Vec<Heard>, StoreError> {
        let rows = sqlx::query(
            "SELECT * FROM heard WHERE repository = $1 AND watch = $2 AND number = $3 AND id < $4 \
             AND ended_at IS NOT NULL AND rulings IS NOT NULL ORDER BY id DESC LIMIT 20",
        )
        .bind(repository.as_str())
        .bind(watch.as_str())
        .bind(i64::try_from(before.said.number).unwrap_or(i64::MAX))
        .bind(before.id.0)
        .fetch_all(&self.pool)
        .await?;
        rows.iter().map(row::heard).collect()
    }

    /// Records what is not to be heard, such as a comment that was edited, so that nobody looks into it
    /// again.
    ///
    /// # Errors
    /// If the lease was lost, or the database cannot be written.
    pub async fn record_unheard(
        &self,
        lease: &Lease,
        repository: &RepoName,
        all: &[Said],
        at: Timestamp,
    ) -> Result<(), StoreError> {
        if all.is_empty() {
            return Ok(());
        }
        let mut transaction = self.writing_under(lease).await?;
        for said in all {
            // What a webhook told meanwhile is heard.
            if !hear(&mut transaction, repository, said, at).await? {
                continue;
            }
            sqlx::query("UPDATE heard SET ended_at = $1 WHERE repository = $2 AND source = $3")
                .bind(at.millis())
                .bind(repository.as_str())
                .bind(said.source.to_string())
                .execute(&mut *transaction)
                .await?;
        }
        transaction.commit("unheard").await
    }

    /// Whether something was heard already.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub async fn has_heard(
        &self,
        repository: &RepoName,
        source: &CommandSource,
    ) -> Result<bool, StoreError> {
        let count = "SELECT COUNT(*) FROM heard WHERE repository = $1 AND source = $2";
        let count = sqlx::query_scalar(count).bind(repository.as_str()).bind(source.to_string());
        let count: i64 = count.fetch_one(&self.pool).await?;
        Ok(count > 0)
    }

    /// How often those who may not command were answered in a repository since a time: somebody, or
    /// all of them. What got no answer, because they had enough, does not count.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub async fn count_strangers(
        &self,
        repository: &RepoName,
        author: Option<&str>,
        since: Timestamp,
    ) -> Result<i64, StoreError> {
        let count = sqlx::query_scalar(
            "SELECT COUNT(*) FROM heard WHERE repository = $1 AND stranger = 1 \
             AND rulings <> '[]' AND heard_at > $2 AND ($3 = '' OR author = $3)",
        );
        let count = count.bind(repository.as_str()).bind(since.millis());
        Ok(count.bind(author.unwrap_or_default()).fetch_one(&self.pool).await?)
    }

    /// Records what becomes of each command of something heard, requests and orders included, all or
    /// nothing: each is carried out once. A `stranger` is who may not command. Gives what is then
    /// remembered.
    ///
    /// # Errors
    /// If the lease was lost, or the database cannot be written.
    pub async fn record_rulings(
        &self,
        lease: &Lease,
        watch: &WatchName,
        heard: &Heard,
        sentences: &[(String, Sentence)],
        stranger: bool,
        at: Timestamp,
    ) -> Result<(Vec<Ruling>, Vec<Request>, Vec<Order>), StoreError> {
        let mut transaction = self.writing_under(lease).await?;
        let (mut rulings, mut requests, mut orders) = (Vec::new(), Vec::new(), Vec::new());
        let actor = &heard.said.author;
        for (line, sentence) in sentences {
            let outcome = match sentence {
                Sentence::Rule(ruled) => ruled.clone(),
                Sentence::Ask(wish, version, bound_to) => {
                    let wish = *wish;
                    let said_at = heard.said.at;
                    let asked = Asked { wish, version, actor, head: bound_to.as_ref(), said_at };
                    let id = append_request(&mut transaction, watch, &asked, at).await?;
                    let (version, actor) = (version.clone(), actor.clone());
                    requests.push(Request {
                        id,
                        wish,
                        version,
                        actor,
                        head: bound_to.clone(),
                        at,
                        said_at,
                        outcome: None,
                    });
                    Ruled::Asked { request: id }
                }
                Sentence::Order(ordered) => {
                    // It holds from when it was said, whenever it is read.
                    let at = heard.said.at;
                    let id = append_order(&mut transaction, watch, ordered, actor, at).await?;
                    let (ordered, actor) = (ordered.clone(), actor.clone());
                    let answer = ordered.consequence();
                    orders.push(Order { id, ordered, actor, at });
                    Ruled::Ordered { request: id, answer }
                }
            };
            rulings.push(Ruling { line: line.clone(), outcome });
        }
        sqlx::query(
            "UPDATE heard SET watch = $1, rulings = $2, stranger = $3 WHERE id = $4 \
             AND rulings IS NULL",
        )
        .bind(watch.as_str())
        .bind(json(&rulings)?)
        .bind(i64::from(stranger))
        .bind(heard.id.0)
        .execute(&mut *transaction)
        .await?;
        transaction.commit("rulings").await?;
        Ok((rulings, requests, orders))
    }

    /// Records that nothing more is to be answered.
    ///
    /// # Errors
    /// If the lease was lost, or the database cannot be written.
    pub async fn end_heard(
        &self,
        lease: &Lease,
        id: HeardId,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let mut transaction = self.writing_under(lease).await?;
        sqlx::query("UPDATE heard SET ended_at = $1 WHERE id = $2 AND ended_at IS NULL")
            .bind(at.millis())
            .bind(id.0)
            .execute(&mut *transaction)
            .await?;
        transaction.commit("end of a command").await
    }

    /// Forgets deliveries that came before a time, as GitHub redelivers none that is older than three
    /// days, and comments that were heard so long before it that nobody answers them any more. Says
    /// how many.
    ///
    /// # Errors
    /// If the lease was lost, or the database cannot be written.
    pub async fn forget_deliveries(
        &self,
        lease: &Lease,
        until: Timestamp,
    ) -> Result<u64, StoreError> {
        let heard = until - LAST_ANSWER;
        let old = sqlx::query_scalar(concat!(
            "SELECT (SELECT COUNT(*) FROM delivery WHERE received_at < $1) \
             + (SELECT COUNT(*) FROM heard WHERE heard_at < $2 \
             AND id < (SELECT MAX(id) FROM heard) AND NOT ",
            awaited_after!("$2"),
            ")"
        ));
        let old: i64 = old.bind(until.millis()).bind(heard.millis()).fetch_one(&self.pool).await?;
        if old == 0 {
            return Ok(0);
        }
        let mut transaction = self.writing_under(lease).await?;
        let mut gone = 0;
        for (statement, until) in [
            ("DELETE FROM delivery WHERE received_at < $1", until),
            // The newest one stays: ids are counted from it.
            (
                concat!(
                    "DELETE FROM heard WHERE heard_at < $1 AND id < (SELECT MAX(id) FROM heard) \
                     AND NOT ",
                    awaited_after!("$1")
                ),
                heard,
            ),
        ] {
            let rows = sqlx::query(statement).bind(until.millis()).execute(&mut *transaction);
            gone += rows.await?.rows_affected();
        }
        transaction.commit("forgotten deliveries").await?;
        Ok(gone)
    }
}

/// Whether it is new.
async fn hear(
    transaction: &mut AnyConnection,
    repository: &RepoName,
    said: &Said,
    at: Timestamp,
) -> Result<bool, StoreError> {
    let rows = sqlx::query(
        "INSERT INTO heard (id, repository, source, number, author, bot, body, head, said_at, \
         heard_at) VALUES ((SELECT COALESCE(MAX(id), 0) + 1 FROM heard), \
         $1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (repository, source) DO NOTHING",
    )
    .bind(repository.as_str())
    .bind(said.source.to_string())
    .bind(i64::try_from(said.number).unwrap_or(i64::MAX))
    .bind(storable(&said.author).as_ref())
    .bind(i64::from(said.bot))
    .bind(storable(&said.body).as_ref())
    .bind(said.head.as_ref().map(|head| head.as_str().to_owned()))
    .bind(said.at.millis())
    .bind(at.millis())
    .execute(&mut *transaction)
    .await?
    .rows_affected();
    Ok(rows == 1)
}
