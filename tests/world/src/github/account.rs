//! Users, permissions, the bot's App and its installation, and the repositories themselves.

use super::{ANONYMOUS_LIMIT, Ask, TOKEN_LIMIT, error, invalid, shape};
use crate::app::{APP, INSTALLATION};
use crate::state::Actor;
use crate::wire::{Answer, iso};
use serde_json::{Value, json};

/// Answers what is below no repository.
pub(crate) fn route(ask: &mut Ask<'_>, method: &str, path: &[&str]) -> Option<Answer> {
    let answer = match (method, path) {
        ("GET", ["user"]) => user(ask),
        ("GET", ["rate_limit"]) => rate_limit(ask),
        ("GET", ["app"]) if ask.actor == Actor::App => Answer::json(200, &app(ask)),
        ("GET", ["app", "installations", id]) => installation(ask, Some(id)),
        ("POST", ["app", "installations", id, "access_tokens"]) => mint(ask, id),
        ("GET", ["installation", "repositories"]) => repositories(ask),
        ("GET", ["orgs", organisation, "teams", team, "memberships", login]) => {
            membership(ask, organisation, team, login)
        }
        _ => return None,
    };
    Some(answer)
}

/// Answers the repository itself and who may do what in it.
pub(crate) fn repository(ask: &mut Ask<'_>, method: &str, rest: &[&str]) -> Option<Answer> {
    match (method, rest) {
        ("GET", []) => Some(show(ask)),
        ("GET", ["collaborators", login, "permission"]) => Some(permission(ask, login)),
        ("GET", ["installation"]) => Some(installation(ask, None)),
        _ => None,
    }
}

fn show(ask: &Ask<'_>) -> Answer {
    let mut shape = shape::repository(ask.state, &ask.name);
    shape["network_count"] = json!(0);
    shape["subscribers_count"] = json!(0);
    if ask.actor != Actor::Anonymous {
        let permission = ask.repo_ref().permission(&ask.login);
        let pushes = matches!(permission, "write" | "admin");
        shape["permissions"] = json!({
            "admin": permission == "admin",
            "maintain": permission == "admin",
            "push": pushes,
            "triage": pushes,
            "pull": true,
        });
    }
    Answer::json(200, &shape)
}

fn permission(ask: &Ask<'_>, login: &str) -> Answer {
    if ask.actor == Actor::Anonymous {
        return error(401, "Requires authentication");
    }
    let role = ask.repo_ref().permission(login);
    // The older word knows neither of the two roles in between.
    let permission = match role {
        "maintain" => "write",
        "triage" => "read",
        other => other,
    };
    let mut user = shape::user(&ask.state.urls, login);
    user["role_name"] = json!(role);
    let shape = json!({
        "permission": permission,
        "role_name": role,
        "user": user,
    });
    Answer::json(200, &shape)
}

/// Whoever is in no team, or asks for one that is not there, is told nothing.
fn membership(ask: &Ask<'_>, organisation: &str, team: &str, login: &str) -> Answer {
    let name = format!("{organisation}/{team}");
    if ask.grant.as_ref().is_some_and(|grant| !grant.has("members")) {
        return error(403, "Resource not accessible by integration");
    }
    let members = ask.state.teams.get(&name);
    if ask.actor == Actor::Anonymous || !members.is_some_and(|all| all.contains(login)) {
        return error(404, "Not Found");
    }
    let url = format!("{}/orgs/{organisation}/teams/{team}", ask.state.urls.github);
    let shape = json!({
        "url": format!("{url}/memberships/{login}"),
        "role": "member",
        "state": "active",
    });
    Answer::json(200, &shape)
}

fn user(ask: &Ask<'_>) -> Answer {
    match &ask.actor {
        Actor::Anonymous => error(401, "Requires authentication"),
        Actor::App => error(403, "Resource not accessible by integration"),
        Actor::Bot | Actor::Person(_) => {
            let simple = shape::user(&ask.state.urls, &ask.login);
            Answer::json(200, &profile(&simple, ask))
        }
    }
}

/// A user with everything that anybody may see.
fn profile(simple: &Value, ask: &Ask<'_>) -> Value {
    let mut shape = simple.clone();
    for field in ["bio", "blog", "company", "email", "hireable", "location"] {
        shape[field] = Value::Null;
    }
    shape["name"] = simple["login"].clone();
    for field in ["followers", "following", "public_gists", "public_repos"] {
        shape[field] = json!(0);
    }
    let at = iso(ask.state.repos.values().map(|repo| repo.created_at).min().unwrap_or_default());
    shape["created_at"] = json!(at);
    shape["updated_at"] = json!(at);
    shape
}

fn rate_limit(ask: &Ask<'_>) -> Answer {
    let limit = match ask.actor {
        Actor::Anonymous => ANONYMOUS_LIMIT,
        _ => TOKEN_LIMIT,
    };
    let left = ask.state.rate.get(&ask.login).copied().unwrap_or(limit);
    let reset = ask.state.now().timestamp() + 3600;
    let rate = json!({
        "limit": limit,
        "remaining": left,
        "reset": reset,
        "used": limit - left.min(limit),
    });
    let search = json!({ "limit": 30, "remaining": 30, "reset": reset, "used": 0 });
    let shape = json!({ "resources": { "core": rate, "search": search }, "rate": rate });
    Answer::json(200, &shape)
}

fn mint(ask: &mut Ask<'_>, id: &str) -> Answer {
    if ask.actor != Actor::App {
        return error(401, "A JSON web token could not be decoded");
    }
    if id != INSTALLATION.to_string() || !ask.state.app.installed {
        return error(404, "Not Found");
    }
    if ask.state.app.suspended {
        return error(403, "This installation has been suspended");
    }
    let wish = ask.call.json();
    match ask.state.mint_token(&wish) {
        Ok(mut shape) => {
            if wish["repositories"].is_array() {
                shape["repositories"] =
                    json!([shape::repository(ask.state, &ask.state.downstream)]);
            }
            Answer::json(201, &shape)
        }
        Err(why) => invalid("InstallationToken", "permissions", "custom", Some(why)),
    }
}

fn repositories(ask: &Ask<'_>) -> Answer {
    if ask.actor != Actor::Bot {
        return error(403, "Resource not accessible by integration");
    }
    let mine: Vec<Value> = ask
        .state
        .repos
        .keys()
        .filter(|name| ask.state.may_push(&ask.login, name))
        .map(|name| shape::repository(ask.state, name))
        .collect();
    let shape = json!({ "total_count": mine.len(), "repositories": mine });
    Answer::json(200, &shape)
}

/// The installation, by its number or by the repository that is asked about.
fn installation(ask: &Ask<'_>, id: Option<&str>) -> Answer {
    if ask.actor != Actor::App {
        return error(401, "A JSON web token could not be decoded");
    }
    let found = match id {
        Some(id) => id == INSTALLATION.to_string(),
        None => ask.name == ask.state.downstream,
    };
    if !found || !ask.state.app.installed {
        return error(404, "Not Found");
    }
    let github = &ask.state.urls.github;
    let name = &ask.state.downstream;
    let owner = name.split('/').next().unwrap_or_default();
    let at = iso(ask.state.repos[name].created_at);
    let stopped = ask.state.app.suspended;
    let shape = json!({
        "id": INSTALLATION,
        "account": shape::user(&ask.state.urls, owner),
        "repository_selection": "selected",
        "access_tokens_url": format!("{github}/app/installations/{INSTALLATION}/access_tokens"),
        "repositories_url": format!("{github}/installation/repositories"),
        "html_url": format!("{}/organizations/{owner}/settings/installations/{INSTALLATION}", shape::WEB),
        "app_id": APP,
        "app_slug": "digest-bump",
        "client_id": "Iv1.world",
        "target_id": shape::number_of(owner),
        "target_type": "Organization",
        "permissions": ask.state.app.permissions,
        "events": ["issue_comment", "pull_request"],
        "created_at": at,
        "updated_at": at,
        "single_file_name": null,
        "has_multiple_single_files": false,
        "single_file_paths": [],
        "suspended_by": stopped.then(|| shape::user(&ask.state.urls, "maya")),
        "suspended_at": stopped.then_some(&at),
    });
    Answer::json(200, &shape)
}

/// The bot's App.
pub(crate) fn app(ask: &Ask<'_>) -> Value {
    let at = "2026-01-01T00:00:00Z";
    json!({
        "id": APP,
        "slug": "digest-bump",
        "node_id": shape::node_id("A", APP),
        "owner": shape::user(&ask.state.urls, "toon-protocol"),
        "name": "digest-bump",
        "description": null,
        "external_url": "https://example.org/digest-bump",
        "html_url": format!("{}/apps/digest-bump", shape::WEB),
        "created_at": at,
        "updated_at": at,
        "permissions": ask.state.app.permissions,
        "events": ["issue_comment", "pull_request"],
    })
}
