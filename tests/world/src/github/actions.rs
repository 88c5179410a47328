//! GitHub Actions, as far as anybody sees it from outside: dispatches, runs, artifacts.

use super::{Ask, error, linked, shape, slice};
use crate::repository::Repository;
use crate::state::State;
use crate::wire::{Answer, hex_sha256, iso};
use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use std::collections::BTreeMap;

const WORKFLOWS: &str = ".github/workflows";

/// One run of a workflow.
#[derive(Debug, Clone)]
pub(crate) struct Run {
    pub(crate) id: u64,
    pub(crate) workflow: String,
    pub(crate) name: String,
    pub(crate) title: String,
    pub(crate) branch: String,
    pub(crate) sha: String,
    pub(crate) inputs: BTreeMap<String, String>,
    pub(crate) status: &'static str,
    pub(crate) conclusion: Option<String>,
    pub(crate) created_at: DateTime<Utc>,
    pub(crate) updated_at: DateTime<Utc>,
    pub(crate) login: String,
    pub(crate) artifacts: Vec<Artifact>,
}

/// What a run handed back.
#[derive(Debug, Clone)]
pub(crate) struct Artifact {
    pub(crate) id: u64,
    pub(crate) name: String,
    pub(crate) zip: Vec<u8>,
    pub(crate) expired: bool,
    pub(crate) created_at: DateTime<Utc>,
}

/// Answers below `/actions`.
pub(crate) fn route(ask: &mut Ask<'_>, method: &str, rest: &[&str]) -> Option<Answer> {
    let answer = match (method, rest) {
        ("POST", ["actions", "workflows", file, "dispatches"]) => dispatch(ask, file),
        ("GET", ["actions", "workflows", file, "runs"]) => list(ask, file),
        ("GET", ["actions", "runs", id]) => match find(ask, id) {
            Some(run) => Answer::json(200, &run_shape(ask, &run)),
            None => error(404, "Not Found"),
        },
        ("POST", ["actions", "runs", id, "cancel"]) => cancel(ask, id),
        ("GET", ["actions", "runs", id, "artifacts"]) => artifacts(ask, id),
        ("GET", ["actions", "artifacts", id, "zip"]) => download(ask, id),
        _ => return None,
    };
    Some(answer)
}

/// Serves an archive where GitHub keeps it.
pub(crate) fn stored(state: &State, path: &str) -> Option<Answer> {
    let id: u64 = path.strip_prefix("/artifacts/")?.parse().ok()?;
    let runs = state.repos.values().flat_map(|repo| repo.runs.values());
    let artifact = runs.flat_map(|run| &run.artifacts).find(|artifact| artifact.id == id);
    Some(artifact.map_or_else(
        || Answer::text(404, "BlobNotFound\n"),
        |artifact| Answer::new(200, "application/zip", artifact.zip.clone()),
    ))
}

fn file_of(git: &Repository, revision: &str, file: &str) -> Option<String> {
    let content = git.file(revision, &format!("{WORKFLOWS}/{file}"))?;
    Some(String::from_utf8_lossy(&content).into_owned())
}

/// The lines of a block of YAML below `key:`, without what is deeper.
fn keys_below(text: &str, key: &str) -> Vec<String> {
    let mut lines = text.lines().skip_while(|line| line.trim() != format!("{key}:"));
    let Some(head) = lines.next() else { return Vec::new() };
    let indent = |line: &str| line.len() - line.trim_start().len();
    let deeper = indent(head);
    let block: Vec<&str> = lines
        .filter(|line| !line.trim().is_empty() && !line.trim_start().starts_with('#'))
        .take_while(|line| indent(line) > deeper)
        .collect();
    let level = block.iter().map(|line| indent(line)).min().unwrap_or(0);
    let own = block.iter().filter(|line| indent(line) == level);
    own.filter_map(|line| Some(line.trim().split_once(':')?.0.to_owned())).collect()
}

fn value_of<'a>(text: &'a str, key: &str) -> Option<&'a str> {
    let line = text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(':'))?;
    Some(line.trim().trim_matches('"'))
}

fn dispatch(ask: &mut Ask<'_>, file: &str) -> Answer {
    // Only what the default branch has is a workflow at all.
    if file_of(&ask.repo_ref().git, "main", file).is_none() {
        return error(404, "Not Found");
    }
    let wish = ask.call.json();
    let name = wish["ref"].as_str().unwrap_or_default();
    let branch = name.strip_prefix("refs/heads/").unwrap_or(name).to_owned();
    let text_of = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let given = wish["inputs"].as_object().cloned().unwrap_or_default();
    let inputs = given.iter().map(|(key, value)| (key.clone(), text_of(value))).collect();
    let (login, repo) = (ask.login.clone(), ask.name.clone());
    match begin(ask.state, &repo, &login, file, &branch, inputs) {
        Ok(_) => Answer::empty(204),
        Err(why) => error(422, &why),
    }
}

/// Begins a run on a branch; its id, or why GitHub refuses.
pub(crate) fn begin(
    state: &mut State,
    repo: &str,
    login: &str,
    file: &str,
    branch: &str,
    inputs: BTreeMap<String, String>,
) -> Result<u64, String> {
    let git = &state.repos[repo].git;
    let sha = git.branch(branch).ok_or_else(|| format!("No ref found for: {branch}"))?;
    let text = file_of(git, &sha, file).filter(|text| text.contains("workflow_dispatch:"));
    let text = text.ok_or("Workflow does not have 'workflow_dispatch' trigger")?;
    let known = keys_below(&text, "inputs");
    let strange: Vec<&String> = inputs.keys().filter(|key| !known.contains(key)).collect();
    if !strange.is_empty() {
        return Err(format!("Unexpected inputs provided: {strange:?}"));
    }
    let (id, now) = (state.id(), state.now());
    let name = value_of(&text, "name").unwrap_or(file).to_owned();
    let mut title = value_of(&text, "run-name").unwrap_or(&name).to_owned();
    for key in &known {
        let value = inputs.get(key).map_or("", String::as_str);
        title = title.replace(&format!("${{{{ inputs.{key} }}}}"), value);
    }
    let run = Run {
        id,
        workflow: file.to_owned(),
        name,
        title,
        branch: branch.to_owned(),
        sha,
        inputs,
        status: "queued",
        conclusion: None,
        created_at: now,
        updated_at: now,
        login: login.to_owned(),
        artifacts: Vec::new(),
    };
    let repository = state.repo(repo);
    repository.before_change();
    repository.runs.insert(id, run);
    Ok(id)
}

fn find(ask: &Ask<'_>, id: &str) -> Option<Run> {
    ask.repo_ref().runs.get(&id.parse().ok()?).cloned()
}

fn list(ask: &mut Ask<'_>, file: &str) -> Answer {
    if file_of(&ask.repo_ref().git, "main", file).is_none() {
        return error(404, "Not Found");
    }
    let (branch, event) = (ask.call.parameter("branch"), ask.call.parameter("event"));
    let lags = ask.list_lags();
    let listed = ask.repo_ref().listed(lags).runs;
    let fits = |run: &&Run| {
        run.workflow == file
            && branch.as_ref().is_none_or(|branch| run.branch == *branch)
            && event.as_ref().is_none_or(|event| event == "workflow_dispatch")
    };
    let runs: Vec<Run> = listed.values().rev().filter(fits).cloned().collect();
    let shown: Vec<Value> =
        runs[slice(ask, runs.len())].iter().map(|run| run_shape(ask, run)).collect();
    let shape = json!({ "total_count": runs.len(), "workflow_runs": shown });
    linked(ask, runs.len(), Answer::json(200, &shape))
}

fn cancel(ask: &mut Ask<'_>, id: &str) -> Answer {
    let now = ask.state.now();
    let Some(run) = find(ask, id) else { return error(404, "Not Found") };
    if run.conclusion.is_some() {
        return error(409, "Cannot cancel a workflow run that is completed.");
    }
    ask.repo().before_change();
    if let Some(run) = ask.repo().runs.get_mut(&run.id) {
        (run.status, run.conclusion) = ("completed", Some("cancelled".to_owned()));
        run.updated_at = now;
    }
    Answer::json(202, &json!({}))
}

fn artifacts(ask: &Ask<'_>, id: &str) -> Answer {
    let Some(run) = find(ask, id) else { return error(404, "Not Found") };
    let shapes: Vec<Value> = run
        .artifacts
        .iter()
        .rev()
        .map(|artifact| {
            let url = ask.api(&format!("actions/artifacts/{}", artifact.id));
            json!({
                "id": artifact.id,
                "node_id": shape::node_id("MDg6QXJ0aWZhY3Q", artifact.id),
                "name": artifact.name,
                "size_in_bytes": artifact.zip.len(),
                "url": url,
                "archive_download_url": format!("{url}/zip"),
                "expired": artifact.expired,
                "digest": format!("sha256:{}", hex_sha256(&artifact.zip)),
                "created_at": iso(artifact.created_at),
                "expires_at": iso(artifact.created_at + chrono::Duration::days(90)),
                "updated_at": iso(artifact.created_at),
                "workflow_run": {
                    "id": run.id,
                    "repository_id": ask.repo_ref().id,
                    "head_repository_id": ask.repo_ref().id,
                    "head_branch": run.branch,
                    "head_sha": run.sha,
                },
            })
        })
        .collect();
    Answer::json(200, &json!({ "total_count": shapes.len(), "artifacts": shapes }))
}

fn download(ask: &Ask<'_>, id: &str) -> Answer {
    let runs = ask.repo_ref().runs.values();
    let found = runs.flat_map(|run| &run.artifacts).find(|it| it.id.to_string() == id);
    match found {
        None => error(404, "Not Found"),
        Some(artifact) if artifact.expired => error(410, "Artifact has expired"),
        Some(artifact) => {
            let storage = &ask.state.urls.storage;
            let place = format!("{storage}/artifacts/{}?sig=a-signature", artifact.id);
            Answer::empty(302).with("location", place)
        }
    }
}

fn run_shape(ask: &Ask<'_>, run: &Run) -> Value {
    let api = ask.api(&format!("actions/runs/{}", run.id));
    let workflow = shape::number_of(&run.workflow);
    let suite = shape::number_of(&format!("suite {}", run.id));
    let repository = shape::repository(ask.state, &ask.name);
    let actor = shape::user(&ask.state.urls, &run.login);
    json!({
        "id": run.id,
        "name": run.name,
        "node_id": shape::node_id("WFR", run.id),
        "check_suite_id": suite,
        "check_suite_node_id": shape::node_id("CS", suite),
        "head_branch": run.branch,
        "head_sha": run.sha,
        "path": format!("{WORKFLOWS}/{}", run.workflow),
        "run_number": 1,
        "run_attempt": 1,
        "referenced_workflows": [],
        "event": "workflow_dispatch",
        "display_title": run.title,
        "status": run.status,
        "conclusion": run.conclusion,
        "workflow_id": workflow,
        "url": api,
        "html_url": ask.web(&format!("actions/runs/{}", run.id)),
        "pull_requests": [],
        "created_at": iso(run.created_at),
        "updated_at": iso(run.updated_at),
        "run_started_at": iso(run.created_at),
        "actor": actor,
        "triggering_actor": actor,
        "jobs_url": format!("{api}/jobs"),
        "logs_url": format!("{api}/logs"),
        "check_suite_url": ask.api(&format!("check-suites/{suite}")),
        "artifacts_url": format!("{api}/artifacts"),
        "cancel_url": format!("{api}/cancel"),
        "rerun_url": format!("{api}/rerun"),
        "previous_attempt_url": null,
        "workflow_url": ask.api(&format!("actions/workflows/{workflow}")),
        "head_commit": null,
        "repository": repository,
        "head_repository": repository,
    })
}
