//! Branches and refs.

use super::{Ask, error, invalid, shape, source};
use crate::push::Move;
use crate::state::Actor;
use crate::wire::Answer;
use serde_json::{Value, json};

/// Answers below `/git/ref`, `/git/refs`, `/git/matching-refs` and `/branches`.
pub(crate) fn route(ask: &mut Ask<'_>, method: &str, rest: &[&str]) -> Option<Answer> {
    let answer = match (method, rest) {
        ("GET", ["git", "ref", name @ ..]) => one(ask, &full(name)),
        ("GET", ["git", "matching-refs", name @ ..]) => matching(ask, &full(name)),
        ("POST", ["git", "refs"]) => create(ask),
        ("PATCH", ["git", "refs", name @ ..]) => update(ask, &full(name)),
        ("DELETE", ["git", "refs", name @ ..]) => delete(ask, &full(name)),
        ("GET", ["branches", name @ ..]) if !name.is_empty() => branch(ask, &name.join("/")),
        _ => return None,
    };
    Some(answer)
}

fn full(name: &[&str]) -> String {
    format!("refs/{}", name.join("/"))
}

/// What a ref points to: a real one, or the tag of a release.
pub(crate) fn target(ask: &Ask<'_>, name: &str) -> Option<String> {
    let tag = name.strip_prefix("refs/tags/").filter(|_| ask.name == ask.state.upstream);
    let released = tag.and_then(|tag| ask.state.upstream_tag(tag)).map(str::to_owned);
    released.or_else(|| ask.repo_ref().git.refs(name).remove(name))
}

fn reference(ask: &Ask<'_>, name: &str, sha: &str) -> Value {
    json!({
        "ref": name,
        "node_id": shape::node_id("REF", shape::number_of(name)),
        "url": ask.api(&format!("git/{name}")),
        "object": {
            "type": "commit",
            "sha": sha,
            "url": ask.api(&format!("git/commits/{sha}")),
        },
    })
}

fn one(ask: &Ask<'_>, name: &str) -> Answer {
    target(ask, name).map_or_else(
        || error(404, "Not Found"),
        |sha| Answer::json(200, &reference(ask, name, &sha)),
    )
}

fn matching(ask: &mut Ask<'_>, prefix: &str) -> Answer {
    let lags = ask.list_lags();
    let mut found = ask.repo_ref().listed_refs(prefix, lags);
    if ask.name == ask.state.upstream {
        let published = ask.state.releases.iter().filter(|release| !release.draft);
        for release in published {
            let name = format!("refs/tags/{}", release.tag);
            if let Some(sha) = release.tag_at.clone().filter(|_| name.starts_with(prefix)) {
                found.insert(name, sha);
            }
        }
    }
    let shapes = found.iter().map(|(name, sha)| reference(ask, name, sha));
    Answer::json(200, &shapes.collect())
}

fn create(ask: &mut Ask<'_>) -> Answer {
    let wish = ask.call.json();
    let name = wish["ref"].as_str().unwrap_or_default().to_owned();
    let sha = wish["sha"].as_str().unwrap_or_default().to_owned();
    if !name.starts_with("refs/") || name.matches('/').count() < 2 {
        return error(422, "Reference name must start with 'refs/' and have at least two slashes");
    }
    if target(ask, &name).is_some() {
        return error(422, "Reference already exists");
    }
    judged(ask, &name);
    if ask.repo_ref().git.commit_id(&sha).is_none() {
        return error(422, "Object does not exist");
    }
    moved(ask, &name, None, &sha, 201)
}

fn update(ask: &mut Ask<'_>, name: &str) -> Answer {
    let wish = ask.call.json();
    let sha = wish["sha"].as_str().unwrap_or_default().to_owned();
    let Some(old) = target(ask, name) else {
        return error(422, "Reference does not exist");
    };
    judged(ask, name);
    let git = &ask.repo_ref().git;
    if git.commit_id(&sha).is_none() {
        return error(422, "Object does not exist");
    }
    if wish["force"].as_bool() != Some(true) && !git.contains(&sha, &old) {
        return error(422, "Update is not a fast forward");
    }
    moved(ask, name, Some(old), &sha, 200)
}

fn moved(ask: &mut Ask<'_>, name: &str, before: Option<String>, sha: &str, status: u16) -> Answer {
    if ask.repo_ref().git.set_ref(name, Some(sha)).is_err() {
        return invalid("Reference", "ref", "invalid", None);
    }
    let (repo, login) = (ask.name.clone(), ask.login.clone());
    let moved = Move { name: name.to_owned(), before, after: Some(sha.to_owned()) };
    ask.state.pushed(&repo, &[moved], &login);
    Answer::json(status, &reference(ask, name, sha))
}

fn delete(ask: &mut Ask<'_>, name: &str) -> Answer {
    let before = target(ask, name);
    if before.is_none() {
        return error(422, "Reference does not exist");
    }
    judged(ask, name);
    if let Err(why) = ask.repo_ref().git.set_ref(name, None) {
        return error(422, &why);
    }
    let (repo, login) = (ask.name.clone(), ask.login.clone());
    let moved = Move { name: name.to_owned(), before, after: None };
    ask.state.pushed(&repo, &[moved], &login);
    Answer::empty(204)
}

fn judged(ask: &mut Ask<'_>, name: &str) {
    if ask.actor == Actor::Bot {
        let repo = ask.name.clone();
        ask.state.judge_bot_ref(&repo, name);
    }
}

fn branch(ask: &Ask<'_>, name: &str) -> Answer {
    let commit = source::commit(ask, &format!("refs/heads/{name}"));
    let Some(commit) = commit else {
        return error(404, "Branch not found");
    };
    let api = ask.api(&format!("branches/{name}"));
    let shape = json!({
        "name": name,
        "commit": commit,
        "_links": { "self": api, "html": ask.web(&format!("tree/{name}")) },
        "protected": false,
        "protection": { "enabled": false, "required_status_checks": { "contexts": [], "checks": [] } },
        "protection_url": format!("{api}/protection"),
    });
    Answer::json(200, &shape)
}
