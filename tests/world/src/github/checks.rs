//! Check runs and commit statuses.

use super::{Ask, account, error, invalid, linked, shape, slice, suites};
use crate::state::{Actor, State, Urls};
use crate::wire::{Answer, iso};
use serde_json::{Value, json};

/// Answers below `/check-runs`, `/statuses` and their lists below `/commits/{ref}`.
pub(crate) fn route(ask: &mut Ask<'_>, method: &str, rest: &[&str]) -> Option<Answer> {
    let answer = match (method, rest) {
        ("POST", ["check-runs"]) => create(ask),
        ("GET", ["check-runs", id]) => show(ask, id),
        ("PATCH", ["check-runs", id]) => update(ask, id),
        ("GET", ["commits", name @ .., "check-runs"]) => list(ask, &name.join("/")),
        ("GET", ["commits", name @ .., "check-suites"]) => suites::list(ask, &name.join("/")),
        ("POST", ["statuses", sha]) => set_status(ask, sha),
        ("GET", ["commits", name @ .., "status"]) => combined(ask, &name.join("/")),
        _ => return None,
    };
    Some(answer)
}

pub(super) fn resolve(ask: &Ask<'_>, name: &str) -> Option<String> {
    let name = name.strip_prefix("heads/").unwrap_or(name);
    ask.repo_ref().git.commit_id(name)
}

/// A check run that has just begun, of nobody's name yet.
fn begun(urls: &Urls, repo: &str, id: u64, sha: &str, app: &Value, now: &str) -> Value {
    let api = format!("{}/repos/{repo}/check-runs/{id}", urls.github);
    let suite = shape::number_of(&format!("{sha} {}", app["id"]));
    json!({
        "id": id,
        "node_id": shape::node_id("CR", id),
        "head_sha": sha,
        "name": "",
        "external_id": "",
        "url": api,
        "html_url": format!("{}/{repo}/runs/{id}", shape::WEB),
        "details_url": null,
        "status": "queued",
        "conclusion": null,
        "started_at": now,
        "completed_at": null,
        "output": {
            "title": null,
            "summary": null,
            "text": null,
            "annotations_count": 0,
            "annotations_url": format!("{api}/annotations"),
        },
        "check_suite": { "id": suite },
        "app": app,
        "pull_requests": [],
    })
}

/// The App that runs the workflows of a repository.
pub(super) fn actions(urls: &Urls) -> Value {
    let at = "2018-07-30T09:30:17Z";
    json!({
        "id": 15_368,
        "slug": "github-actions",
        "node_id": shape::node_id("A", 15_368),
        "owner": shape::user(urls, "github"),
        "name": "GitHub Actions",
        "description": "Automate your workflow from idea to production",
        "external_url": "https://help.github.com/en/actions",
        "html_url": format!("{}/apps/github-actions", shape::WEB),
        "created_at": at,
        "updated_at": at,
        "permissions": { "checks": "write", "contents": "write", "metadata": "read" },
        "events": ["check_run", "check_suite", "push"],
    })
}

/// What a workflow of the repository makes of a commit: begins a check of this name, or concludes
/// the one that has begun.
pub(crate) fn by_ci(
    state: &mut State,
    repo: &str,
    sha: &str,
    name: &str,
    conclusion: Option<&str>,
) {
    let (now, urls) = (iso(state.now()), state.urls.clone());
    let app = actions(&urls);
    let known = state.repos[repo].checks.iter().find(|(_, run)| {
        run["head_sha"] == sha
            && run["name"] == name
            && run["app"] == app
            && run["conclusion"].is_null()
    });
    let id = known.map(|(id, _)| *id);
    let id = id.unwrap_or_else(|| state.id());
    let repository = state.repo(repo);
    repository.before_change();
    let fresh = || begun(&urls, repo, id, sha, &app, &now);
    let run = repository.checks.entry(id).or_insert_with(fresh);
    let wish = match conclusion {
        Some(conclusion) => json!({ "name": name, "conclusion": conclusion }),
        None => json!({ "name": name, "status": "in_progress" }),
    };
    take_over(run, &wish, &now);
    repository.written();
}

/// What another workflow of the repository makes of a commit: its check suite is its own.
pub(crate) fn by_other_ci(state: &mut State, repo: &str, sha: &str, name: &str, conclusion: &str) {
    let (now, urls, id) = (iso(state.now()), state.urls.clone(), state.id());
    let mut run = begun(&urls, repo, id, sha, &actions(&urls), &now);
    run["check_suite"] = json!({ "id": shape::number_of(&format!("{sha} another workflow")) });
    take_over(&mut run, &json!({ "name": name, "conclusion": conclusion }), &now);
    let repository = state.repo(repo);
    repository.before_change();
    repository.checks.insert(id, run);
    repository.written();
}

/// GitHub lets only Apps make check runs.
fn refuse_person(ask: &Ask<'_>) -> Option<Answer> {
    let app = !matches!(ask.actor, Actor::Person(_));
    (!app).then(|| error(403, "You must authenticate via a GitHub App."))
}

fn create(ask: &mut Ask<'_>) -> Answer {
    if let Some(refused) = refuse_person(ask) {
        return refused;
    }
    let wish = ask.call.json();
    let sha = wish["head_sha"].as_str().unwrap_or_default().to_owned();
    if resolve(ask, &sha).is_none() {
        return error(422, &format!("No commit found for SHA: {sha}"));
    }
    if wish["name"].as_str().is_none() {
        return invalid("CheckRun", "name", "missing_field", None);
    }
    let (id, now) = (ask.state.id(), iso(ask.state.now()));
    let app = account::app(ask);
    let mut run = begun(&ask.state.urls, &ask.name, id, &sha, &app, &now);
    take_over(&mut run, &wish, &now);
    ask.repo().before_change();
    ask.repo().checks.insert(id, run.clone());
    Answer::json(201, &run)
}

/// Takes over what the wish has. A conclusion completes the run.
fn take_over(run: &mut Value, wish: &Value, now: &str) {
    let fields = [
        "name",
        "external_id",
        "details_url",
        "status",
        "conclusion",
        "started_at",
        "completed_at",
    ];
    for field in fields {
        if let Some(value) = wish.get(field) {
            run[field] = value.clone();
        }
    }
    for field in ["title", "summary", "text"] {
        if let Some(value) = wish["output"].get(field) {
            run["output"][field] = value.clone();
        }
    }
    if !run["conclusion"].is_null() {
        run["status"] = json!("completed");
        if run["completed_at"].is_null() {
            run["completed_at"] = json!(now);
        }
    }
}

fn show(ask: &Ask<'_>, id: &str) -> Answer {
    let run = id.parse().ok().and_then(|id| ask.repo_ref().checks.get(&id));
    run.map_or_else(|| error(404, "Not Found"), |run| Answer::json(200, run))
}

fn update(ask: &mut Ask<'_>, id: &str) -> Answer {
    if let Some(refused) = refuse_person(ask) {
        return refused;
    }
    let now = iso(ask.state.now());
    let mut wish = ask.call.json();
    let key = id.parse().unwrap_or(0);
    ask.repo().before_change();
    let Some(run) = ask.repo().checks.get_mut(&key) else {
        return error(404, "Not Found");
    };
    // What has concluded stays so, whoever wishes what.
    if run["status"] == "completed"
        && let Some(fields) = wish.as_object_mut()
    {
        for field in ["status", "conclusion", "started_at", "completed_at"] {
            fields.remove(field);
        }
    }
    take_over(run, &wish, &now);
    show(ask, id)
}

fn list(ask: &mut Ask<'_>, name: &str) -> Answer {
    let Some(sha) = resolve(ask, name) else {
        return error(422, &format!("No commit found for SHA: {name}"));
    };
    let wanted = ask.call.parameter("check_name");
    let lags = ask.list_lags();
    let runs: Vec<Value> = ask
        .repo_ref()
        .listed(lags)
        .checks
        .values()
        .rev()
        .filter(|run| run["head_sha"] == *sha)
        .filter(|run| wanted.as_ref().is_none_or(|name| run["name"] == **name))
        .cloned()
        .collect();
    let shown = &runs[slice(ask, runs.len())];
    let shape = json!({ "total_count": runs.len(), "check_runs": shown });
    linked(ask, runs.len(), Answer::json(200, &shape))
}

fn set_status(ask: &mut Ask<'_>, sha: &str) -> Answer {
    let Some(sha) = resolve(ask, sha) else {
        return error(422, &format!("No commit found for SHA: {sha}"));
    };
    let wish = ask.call.json();
    let state = wish["state"].as_str().unwrap_or_default();
    if !["error", "failure", "pending", "success"].contains(&state) {
        return invalid("Status", "state", "custom", None);
    }
    let (name, login) = (ask.name.clone(), ask.login.clone());
    Answer::json(201, &by_somebody(ask.state, &name, &login, &sha, &wish))
}

/// Sets a commit status in somebody's name; what it then is.
pub(crate) fn by_somebody(
    state: &mut State,
    repo: &str,
    login: &str,
    sha: &str,
    wish: &Value,
) -> Value {
    let (id, now) = (state.id(), iso(state.now()));
    let status = json!({
        "url": format!("{}/repos/{repo}/statuses/{sha}", state.urls.github),
        "avatar_url": null,
        "id": id,
        "node_id": shape::node_id("SC", id),
        "state": wish["state"],
        "description": wish["description"],
        "target_url": wish["target_url"],
        "context": wish["context"].as_str().unwrap_or("default"),
        "created_at": now,
        "updated_at": now,
        "creator": shape::user(&state.urls, login),
    });
    let repo = state.repo(repo);
    repo.before_change();
    repo.statuses.push((sha.to_owned(), status.clone()));
    status
}

/// The newest status of each context, and what they come to.
fn combined(ask: &mut Ask<'_>, name: &str) -> Answer {
    let Some(sha) = resolve(ask, name) else {
        return error(422, &format!("No commit found for SHA: {name}"));
    };
    let mut statuses: Vec<Value> = Vec::new();
    let lags = ask.list_lags();
    let mine = ask.repo_ref().listed(lags).statuses.iter().rev();
    for (_, status) in mine.filter(|(of, _)| *of == sha) {
        if !statuses.iter().any(|newer| newer["context"] == status["context"]) {
            let mut status = status.clone();
            // Who set it is told only when it is set.
            if let Some(fields) = status.as_object_mut() {
                fields.remove("creator");
            }
            statuses.push(status);
        }
    }
    let any = |wanted: &[&str]| {
        let mut states = statuses.iter().filter_map(|status| status["state"].as_str());
        states.any(|state| wanted.contains(&state))
    };
    let state = if any(&["error", "failure"]) {
        "failure"
    } else if statuses.is_empty() || any(&["pending"]) {
        "pending"
    } else {
        "success"
    };
    let shape = json!({
        "state": state,
        "sha": sha,
        "total_count": statuses.len(),
        "statuses": statuses,
        "repository": shape::repository(ask.state, &ask.name),
        "commit_url": ask.api(&format!("commits/{sha}")),
        "url": ask.api(&format!("commits/{sha}/status")),
    });
    Answer::json(200, &shape)
}
