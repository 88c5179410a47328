//! Rows become domain types. A row that this program cannot have written is an error that names
//! the column.

use super::StoreError;
use crate::domain::{
    Cached, CanaryReport, CanaryRun, Check, CommitId, Content, EffectKey, EffectRecord,
    EffectState, Finding, Heard, HeardId, Invalid, Observation, Order, Ordered, Request, RequestId,
    RequestOutcome, RunId, RunState, Said, Timestamp, Verdict, Wish,
};
use serde::de::DeserializeOwned;
use sqlx::{Row as _, any::AnyRow};
use std::str::FromStr;

pub(super) fn observation(row: &AnyRow) -> Result<Observation, StoreError> {
    Ok(Observation { fact: json(row, "fact")?, at: time(row, "seen_at")? })
}

pub(super) fn finding(row: &AnyRow) -> Result<Finding, StoreError> {
    Ok(Finding {
        check: named(row, "check_name", "a check", Check::ALL, Check::name)?,
        verdict: verdict(&text(row, "verdict")?)?,
        version: parsed(row, "version")?,
        subject: parsed(row, "subject")?,
        inputs: text(row, "inputs")?,
        summary: text(row, "summary")?,
        detail: json(row, "detail")?,
        at: time(row, "found_at")?,
    })
}

pub(super) fn canary_run(row: &AnyRow) -> Result<CanaryRun, StoreError> {
    Ok(CanaryRun {
        id: RunId(row.try_get("id")?),
        version: parsed(row, "version")?,
        subject: parsed(row, "subject")?,
        inputs: text(row, "inputs")?,
        base: parsed(row, "base")?,
        tree: parsed(row, "tree")?,
        remembered_by: text(row, "remembered_by")?,
        checked: row
            .try_get::<Option<String>, _>("checked")?
            .map(|text| text.parse())
            .transpose()
            .map_err(|error: Invalid| StoreError::corrupt("column checked", error))?,
        dispatched: row.try_get("dispatched")?,
        started_at: time(row, "started_at")?,
        state: run_state(row)?,
    })
}

fn run_state(row: &AnyRow) -> Result<RunState, StoreError> {
    let Some(ended_at) = row.try_get::<Option<i64>, _>("ended_at")? else {
        let CanaryReport { prepared, .. } = json(row, "report")?;
        return Ok(RunState::Running { alive_until: time(row, "alive_until")?, prepared });
    };
    Ok(RunState::Ended {
        at: Timestamp::from_millis(ended_at),
        verdict: verdict(&text(row, "verdict")?)?,
        summary: text(row, "summary")?,
        output: text(row, "output")?,
        report: json(row, "report")?,
    })
}

/// A row of the requests.
pub(super) enum Asked {
    /// A wish about a release.
    Request(Request),
    /// A standing order.
    Order(Order),
}

pub(super) fn asked(row: &AnyRow) -> Result<Asked, StoreError> {
    let name = text(row, "wish")?;
    if Wish::ALL.into_iter().any(|wish| wish.name() == name) {
        return request(row).map(Asked::Request);
    }
    let subject: Option<String> = row.try_get("subject")?;
    let reason: Option<String> = row.try_get("reason")?;
    let ordered = Ordered::parse(&name, subject.as_deref(), reason.as_deref());
    let ordered = ordered.ok_or_else(|| {
        StoreError::corrupt("column wish", Invalid::new("a wish or an order", &name))
    })?;
    Ok(Asked::Order(Order {
        id: RequestId(row.try_get("id")?),
        ordered,
        actor: text(row, "actor")?,
        at: time(row, "asked_at")?,
    }))
}

pub(super) fn heard(row: &AnyRow) -> Result<Heard, StoreError> {
    let rulings: Option<String> = row.try_get("rulings")?;
    let rulings = rulings.map(|rulings| serde_json::from_str(&rulings)).transpose();
    Ok(Heard {
        id: HeardId(row.try_get("id")?),
        said: Said {
            source: parsed(row, "source")?,
            number: count(row, "number")?,
            author: text(row, "author")?,
            bot: row.try_get::<i64, _>("bot")? != 0,
            body: text(row, "body")?,
            head: commit(row, "head")?,
            at: time(row, "said_at")?,
        },
        heard_at: time(row, "heard_at")?,
        rulings: rulings.map_err(|error| StoreError::corrupt("column rulings", error))?,
    })
}

fn count(row: &AnyRow, column: &str) -> Result<u64, StoreError> {
    let number: i64 = row.try_get(column)?;
    u64::try_from(number).map_err(|error| StoreError::corrupt(format!("column {column}"), error))
}

/// A commit, or none.
fn commit(row: &AnyRow, column: &'static str) -> Result<Option<CommitId>, StoreError> {
    let text: Option<String> = row.try_get(column)?;
    let commit = text.map(|text| text.parse()).transpose();
    commit.map_err(|error: Invalid| StoreError::corrupt(column, error))
}

fn request(row: &AnyRow) -> Result<Request, StoreError> {
    let outcome = match row.try_get::<Option<i64>, _>("ended_at")? {
        None => None,
        Some(ended_at) => Some(RequestOutcome {
            granted: row.try_get::<i64, _>("granted")? != 0,
            answer: text(row, "answer")?,
            at: Timestamp::from_millis(ended_at),
        }),
    };
    Ok(Request {
        id: RequestId(row.try_get("id")?),
        wish: named(row, "wish", "a wish", Wish::ALL, Wish::name)?,
        version: parsed(row, "version")?,
        actor: text(row, "actor")?,
        head: commit(row, "head")?,
        at: time(row, "asked_at")?,
        said_at: match row.try_get::<Option<i64>, _>("said_at")? {
            Some(millis) => Timestamp::from_millis(millis),
            None => time(row, "asked_at")?,
        },
        outcome,
    })
}

pub(super) fn effect(row: &AnyRow) -> Result<EffectRecord, StoreError> {
    let states = [EffectState::Intended, EffectState::Done];
    Ok(EffectRecord {
        key: EffectKey(text(row, "effect_key")?),
        effect: json(row, "effect")?,
        state: named(row, "state", "an effect's state", states, effect_state)?,
        intended_at: time(row, "intended_at")?,
        done_at: row.try_get::<Option<i64>, _>("done_at")?.map(Timestamp::from_millis),
        remote_id: row.try_get("remote_id")?,
    })
}

/// The name of a state in the table.
pub(super) fn effect_state(state: EffectState) -> &'static str {
    match state {
        EffectState::Intended => "intended",
        EffectState::Done => "done",
    }
}

pub(super) fn content(row: &AnyRow) -> Result<Content, StoreError> {
    Ok(Content {
        digest: parsed(row, "digest")?,
        media_type: text(row, "media_type")?,
        bytes: row.try_get("bytes")?,
    })
}

pub(super) fn cached(row: &AnyRow) -> Result<Cached, StoreError> {
    Ok(Cached {
        url: text(row, "url")?,
        etag: row.try_get("etag")?,
        last_modified: row.try_get("last_modified")?,
        next: row.try_get("next_url")?,
        body: row.try_get("body")?,
    })
}

fn time(row: &AnyRow, column: &str) -> Result<Timestamp, StoreError> {
    Ok(Timestamp::from_millis(row.try_get(column)?))
}

fn text(row: &AnyRow, column: &str) -> Result<String, StoreError> {
    Ok(row.try_get(column)?)
}

fn parsed<T>(row: &AnyRow, column: &str) -> Result<T, StoreError>
where
    T: FromStr,
    T::Err: std::error::Error + Send + Sync + 'static,
{
    text(row, column)?
        .parse()
        .map_err(|error: T::Err| StoreError::corrupt(format!("column {column}"), error))
}

fn json<T: DeserializeOwned>(row: &AnyRow, column: &str) -> Result<T, StoreError> {
    serde_json::from_str(&text(row, column)?)
        .map_err(|error| StoreError::corrupt(format!("column {column}"), error))
}

fn verdict(text: &str) -> Result<Verdict, StoreError> {
    let all = [Verdict::Passed, Verdict::Failed, Verdict::Inconclusive];
    all.into_iter()
        .find(|verdict| verdict.name() == text)
        .ok_or_else(|| StoreError::corrupt("column verdict", Invalid::new("a verdict", text)))
}

/// The one of `all` whose name stands in `column`.
fn named<T: Copy, const N: usize>(
    row: &AnyRow,
    column: &str,
    expected: &'static str,
    all: [T; N],
    name: fn(T) -> &'static str,
) -> Result<T, StoreError> {
    let text = text(row, column)?;
    all.into_iter().find(|one| name(*one) == text).ok_or_else(|| {
        StoreError::corrupt(format!("column {column}"), Invalid::new(expected, &text))
    })
}
