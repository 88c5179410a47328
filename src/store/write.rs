//! Recording. Whatever a pass writes, it writes under its lease.

use super::{Lease, Store, StoreError, row};
use crate::domain::{
    Cached, Content, Effect, EffectKey, EffectRecord, EffectState, Finding, Learned, Observation,
    Timestamp, WatchName,
};
use sqlx::AnyConnection;
use std::borrow::Cow;

impl Store {
    /// Appends what was read, and remembers the whole answers to GETs in place of older ones, both
    /// or neither. Nothing is compared: whether a fact is news is the caller's question. Empty
    /// lists write nothing.
    ///
    /// # Errors
    /// If the lease was lost, or the database cannot be written.
    pub async fn record_observations(
        &self,
        lease: &Lease,
        watch: &WatchName,
        observations: &[Observation],
        answers: &[Cached],
        at: Timestamp,
    ) -> Result<(), StoreError> {
        if observations.is_empty() && answers.is_empty() {
            return Ok(());
        }
        let mut transaction = self.writing_under(lease).await?;
        for observation in observations {
            append_observation(&mut transaction, watch, observation).await?;
        }
        for answer in answers {
            remember_answer(&mut transaction, answer, at).await?;
        }
        transaction.commit("observations").await
    }

    /// Appends what was learned of a release, all of it or nothing: facts that are news, an answer
    /// to a check, and the documents that both rest on.
    ///
    /// # Errors
    /// If the lease was lost, or the database cannot be written.
    pub async fn record_learned(
        &self,
        lease: &Lease,
        watch: &WatchName,
        learned: &Learned,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        if *learned == Learned::default() {
            return Ok(());
        }
        let mut transaction = self.writing_under(lease).await?;
        for content in &learned.contents {
            keep_content(&mut transaction, content, at).await?;
        }
        for observation in &learned.news {
            append_observation(&mut transaction, watch, observation).await?;
        }
        if let Some(finding) = &learned.finding {
            append_finding(&mut transaction, watch, finding).await?;
        }
        transaction.commit("learned").await
    }

    /// Records that an effect is about to be performed, and returns what is known of it: a record
    /// from before, if there is one, else the new one.
    ///
    /// # Errors
    /// If the lease was lost, or the database cannot be written.
    pub async fn intend(
        &self,
        lease: &Lease,
        watch: &WatchName,
        effect: &Effect,
        at: Timestamp,
    ) -> Result<EffectRecord, StoreError> {
        let key = effect.key(watch);
        let mut transaction = self.writing_under(lease).await?;
        sqlx::query(
            "INSERT INTO effect (effect_key, watch, effect, state, intended_at) \
             VALUES ($1, $2, $3, $4, $5) ON CONFLICT (effect_key) DO NOTHING",
        )
        .bind(&key.0)
        .bind(watch.as_str())
        .bind(json(effect)?)
        .bind(row::effect_state(EffectState::Intended))
        .bind(at.millis())
        .execute(&mut *transaction)
        .await?;
        let row = sqlx::query("SELECT * FROM effect WHERE effect_key = $1")
            .bind(&key.0)
            .fetch_one(&mut *transaction)
            .await?;
        let record = row::effect(&row)?;
        transaction.commit("intent").await?;
        Ok(record)
    }

    /// Records that an intended effect was performed, with the name that the outside gave to its
    /// result, if any.
    ///
    /// # Errors
    /// If it was never intended, the lease was lost, or the database cannot be written.
    pub async fn effect_done(
        &self,
        lease: &Lease,
        key: &EffectKey,
        remote_id: Option<&str>,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let mut transaction = self.writing_under(lease).await?;
        let rows = sqlx::query(
            "UPDATE effect SET state = $1, done_at = $2, remote_id = $3 WHERE effect_key = $4",
        )
        .bind(row::effect_state(EffectState::Done))
        .bind(at.millis())
        .bind(remote_id)
        .bind(&key.0)
        .execute(&mut *transaction)
        .await?
        .rows_affected();
        if rows == 0 {
            return Err(StoreError::Absent { what: format!("intended effect `{key}`") });
        }
        transaction.commit("outcome").await
    }
}

/// Keeps a document, once.
async fn keep_content(
    transaction: &mut AnyConnection,
    content: &Content,
    at: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO content (digest, media_type, bytes, seen_at) VALUES ($1, $2, $3, $4) \
         ON CONFLICT (digest) DO NOTHING",
    )
    .bind(content.digest.as_str())
    .bind(storable(&content.media_type).as_ref())
    .bind(content.bytes.as_slice())
    .bind(at.millis())
    .execute(&mut *transaction)
    .await?;
    Ok(())
}

pub(super) async fn append_observation(
    transaction: &mut AnyConnection,
    watch: &WatchName,
    observation: &Observation,
) -> Result<(), StoreError> {
    let key = observation.fact.key();
    sqlx::query(
        "INSERT INTO observation (id, watch, aspect, subject, fact, seen_at) VALUES \
         ((SELECT COALESCE(MAX(id), 0) + 1 FROM observation), $1, $2, $3, $4, $5)",
    )
    .bind(watch.as_str())
    .bind(key.aspect)
    .bind(key.subject)
    .bind(json(&observation.fact)?)
    .bind(observation.at.millis())
    .execute(&mut *transaction)
    .await?;
    Ok(())
}

async fn remember_answer(
    transaction: &mut AnyConnection,
    answer: &Cached,
    at: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO http_cache (url, etag, last_modified, next_url, body, cached_at) \
         VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (url) DO UPDATE SET \
         etag = excluded.etag, last_modified = excluded.last_modified, \
         next_url = excluded.next_url, body = excluded.body, cached_at = excluded.cached_at",
    )
    .bind(&answer.url)
    .bind(&answer.etag)
    .bind(&answer.last_modified)
    .bind(&answer.next)
    .bind(&answer.body)
    .bind(at.millis())
    .execute(&mut *transaction)
    .await?;
    Ok(())
}

/// Appends a finding inside a transaction.
pub(super) async fn append_finding(
    transaction: &mut AnyConnection,
    watch: &WatchName,
    finding: &Finding,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO finding (id, watch, version, check_name, subject, inputs, verdict, summary, \
         detail, found_at) VALUES ((SELECT COALESCE(MAX(id), 0) + 1 FROM finding), \
         $1, $2, $3, $4, $5, $6, $7, $8, $9)",
    )
    .bind(watch.as_str())
    .bind(finding.version.to_string())
    .bind(finding.check.name())
    .bind(finding.subject.as_str())
    .bind(&finding.inputs)
    .bind(finding.verdict.name())
    .bind(storable(&finding.summary).as_ref())
    // NUL is an escape in JSON, so this is storable.
    .bind(json(&finding.detail)?)
    .bind(finding.at.millis())
    .execute(&mut *transaction)
    .await?;
    Ok(())
}

/// PostgreSQL's texts hold every character but NUL, which nobody can read anyway.
pub(super) fn storable(text: &str) -> Cow<'_, str> {
    if text.contains('\0') { text.replace('\0', "\u{fffd}").into() } else { text.into() }
}

/// As JSON, for a column.
pub(super) fn json(value: &impl serde::Serialize) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|error| StoreError::Refused(error.into()))
}
