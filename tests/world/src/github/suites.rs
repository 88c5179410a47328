//! Check suites: what each App does at a commit.

use super::{Ask, checks, error, linked, shape, slice};
use crate::repository::{Commit, Signature};
use crate::wire::{Answer, iso};
use chrono::DateTime;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// A suite in which no check run is: GitHub queues one for each App that may write checks, and an App
/// may begin it before it knows what it checks.
#[derive(Debug, Clone)]
pub(crate) struct Suite {
    pub(crate) id: u64,
    pub(crate) sha: String,
    pub(crate) status: String,
}

/// Answers `GET /commits/{ref}/check-suites`.
pub(crate) fn list(ask: &mut Ask<'_>, name: &str) -> Answer {
    let Some(commit) =
        checks::resolve(ask, name).and_then(|sha| ask.repo_ref().git.read_commit(&sha))
    else {
        return error(422, &format!("No commit found for SHA: {name}"));
    };
    let mut runs: BTreeMap<u64, Vec<&Value>> = BTreeMap::new();
    let repo = ask.repo_ref();
    for run in repo.checks.values().filter(|run| run["head_sha"] == *commit.sha) {
        runs.entry(run["check_suite"]["id"].as_u64().unwrap_or_default()).or_default().push(run);
    }
    let of_runs = runs.iter().map(|(id, runs)| {
        let last = runs.last().map_or(&Value::Null, |run| run);
        let open = runs.iter().find(|run| run["status"] != "completed");
        let (status, conclusion) = match open {
            Some(run) => (run["status"].clone(), Value::Null),
            None => (json!("completed"), last["conclusion"].clone()),
        };
        suite(ask, &commit, *id, (status, conclusion), &last["app"], runs.len())
    });
    let empty = repo.suites.iter().filter(|suite| suite.sha == commit.sha).map(|it| {
        let state = (json!(it.status), Value::Null);
        suite(ask, &commit, it.id, state, &checks::actions(&ask.state.urls), 0)
    });
    let suites: Vec<Value> = of_runs.chain(empty).collect();
    let shown = &suites[slice(ask, suites.len())];
    let shape = json!({ "total_count": suites.len(), "check_suites": shown });
    linked(ask, suites.len(), Answer::json(200, &shape))
}

fn suite(
    ask: &Ask<'_>,
    commit: &Commit,
    id: u64,
    (status, conclusion): (Value, Value),
    app: &Value,
    runs: usize,
) -> Value {
    let now = iso(ask.state.now());
    // GitHub's description has an address here, and the brackets of an App's login are in none.
    let by = |it: &Signature| json!({ "name": it.name, "email": it.email.replace(['[', ']'], "") });
    let at = DateTime::from_timestamp(commit.committer.seconds, 0).unwrap_or_default();
    json!({
        "id": id,
        "node_id": shape::node_id("CS", id),
        "head_branch": null,
        "head_sha": commit.sha,
        "status": status,
        "conclusion": conclusion,
        "url": ask.api(&format!("check-suites/{id}")),
        "before": null,
        "after": commit.sha,
        "pull_requests": [],
        "app": app,
        "repository": shape::repository(ask.state, &ask.name),
        "created_at": now,
        "updated_at": now,
        "head_commit": {
            "id": commit.sha,
            "tree_id": commit.tree,
            "message": commit.message.trim_end(),
            "timestamp": iso(at),
            "author": by(&commit.author),
            "committer": by(&commit.committer),
        },
        "latest_check_runs_count": runs,
        "check_runs_url": ask.api(&format!("check-suites/{id}/check-runs")),
    })
}
