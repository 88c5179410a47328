//! The REST interface: who is asking, how often, and which part of it answers.

mod account;
pub(crate) mod actions;
pub(crate) mod advisories;
pub(crate) mod checks;
mod comments;
pub(crate) mod discussion;
mod git_data;
mod graphql;
mod history;
mod issues;
mod labels;
mod permissions;
mod pulls;
pub(crate) mod refs;
mod releases;
mod remarks;
pub(crate) mod shape;
mod source;
pub(crate) mod suites;

use crate::Inner;
use crate::app::Grant;
use crate::reality;
use crate::state::{Actor, State};
use crate::wire::{Answer, Call};
use serde_json::{Value, json};
use std::sync::Arc;

/// Where everything of GraphQL is asked for.
pub(crate) const GRAPHQL: &str = "/graphql";
const ANONYMOUS_LIMIT: u32 = 60;
const TOKEN_LIMIT: u32 = 5000;

/// One request to one repository (or, with an empty name, to none), by somebody.
pub(crate) struct Ask<'a> {
    pub(crate) call: &'a Call,
    pub(crate) state: &'a mut State,
    pub(crate) actor: Actor,
    pub(crate) login: String,
    /// What the token is good for, if it was minted.
    pub(crate) grant: Option<Grant>,
    /// `owner/name` of the repository.
    pub(crate) name: String,
}

/// Answers one request.
pub(crate) fn answer(inner: &Arc<Inner>, call: &Call) -> Answer {
    let one_push_at_a_time = moves_refs(call).then(|| inner.push_lock());
    let mut state = inner.state();
    let answer = match authenticate(&mut state, call) {
        Err((status, why)) => error(status, why),
        Ok((actor, grant)) => {
            let login = state.login_of(&actor);
            limited(Ask { call, state: &mut state, actor, login, grant, name: String::new() })
        }
    };
    let id = state.id();
    let date = state.github_now().format("%a, %d %b %Y %H:%M:%S GMT").to_string();
    drop(state);
    drop(one_push_at_a_time);
    inner.deliver();
    let judgement = reality::judge(call, &answer);
    inner.state().log.judgement(judgement);
    answer
        .with("date", date)
        .with("x-github-request-id", format!("WRLD:{id:08X}"))
        .with("x-github-media-type", "github.v3; format=json")
}

/// Refs are moved over git as well, and one at a time.
fn moves_refs(call: &Call) -> bool {
    let moves = call.path == GRAPHQL || call.path.contains("/git/refs");
    moves && !matches!(call.method.as_str(), "GET" | "HEAD")
}

type Refusal = (u16, &'static str);

/// Who asks, and what a minted token is good for.
fn authenticate(state: &mut State, call: &Call) -> Result<(Actor, Option<Grant>), Refusal> {
    let bad = (401, "Bad credentials");
    let header = call.header("authorization");
    if header.is_empty() {
        return Ok((Actor::Anonymous, None));
    }
    let password = call.basic().map(|(_, password)| password);
    let token = header
        .strip_prefix("Bearer ")
        .or_else(|| header.strip_prefix("bearer "))
        .or_else(|| header.strip_prefix("token "))
        .or(password.as_deref())
        .ok_or(bad)?;
    if token.split('.').count() == 3 {
        return state.judge_jwt(token).map(|()| (Actor::App, None));
    }
    let actor = state.actor_of_token(token).ok_or(bad)?;
    let grant = state.grant_of(token).cloned();
    if grant.is_some() && state.app.suspended {
        return Err((403, "This installation has been suspended"));
    }
    Ok((actor, grant))
}

/// Answers within the rate limit, and says in headers how much of it is left. A 304 is free.
fn limited(mut ask: Ask<'_>) -> Answer {
    let limit = match ask.actor {
        Actor::Anonymous => ANONYMOUS_LIMIT,
        _ => TOKEN_LIMIT,
    };
    // GraphQL has a budget of its own.
    let by_graphql = ask.call.path == GRAPHQL;
    let resource = if by_graphql { "graphql" } else { "core" };
    let who = if by_graphql { format!("graphql {}", ask.login) } else { ask.login.clone() };
    let now = ask.state.now().timestamp();
    let left = ask.state.rate.get(&who).copied().unwrap_or(limit);
    let asks_for_limit = ask.call.path == "/rate_limit";
    let answer = if left == 0 && !asks_for_limit {
        error(
            403,
            "API rate limit exceeded. (But here's the good news: Authenticated requests get a higher rate limit.)",
        )
    } else {
        route(&mut ask).conditional(ask.call, true)
    };
    let writes = !matches!(ask.call.method.as_str(), "GET" | "HEAD") && answer.status < 300;
    if writes && matches!(ask.actor, Actor::Bot | Actor::App) {
        ask.state.lag_behind();
    }
    let free = asks_for_limit || answer.status == 304;
    let left = if free { left } else { left.saturating_sub(1) };
    ask.state.rate.insert(who, left);
    answer
        .with("x-ratelimit-limit", limit.to_string())
        .with("x-ratelimit-remaining", left.to_string())
        .with("x-ratelimit-used", (limit.saturating_sub(left)).to_string())
        .with("x-ratelimit-reset", (now + 3600).to_string())
        .with("x-ratelimit-resource", resource)
}

fn route(ask: &mut Ask<'_>) -> Answer {
    let segments = ask.call.segments();
    let parts: Vec<&str> = segments.iter().map(String::as_str).collect();
    let method = ask.call.method.clone();
    let (name, rest) = match parts.as_slice() {
        ["repos", owner, repo, rest @ ..] => (format!("{owner}/{repo}"), rest),
        ["repositories", id, rest @ ..] => (name_of(ask.state, id), rest),
        ["graphql"] if method == "POST" => return graphql::route(ask),
        other => return account::route(ask, &method, other).unwrap_or_else(|| unknown(ask)),
    };
    if !ask.state.repos.contains_key(&name) {
        return error(404, "Not Found");
    }
    ask.name = name;
    if !matches!(method.as_str(), "GET" | "HEAD")
        && let Some(refused) = refuse_write(ask).or_else(|| permissions::refuse(ask, rest))
    {
        return refused;
    }
    let method = if method == "HEAD" { "GET" } else { &method };
    releases::route(ask, method, rest)
        .or_else(|| refs::route(ask, method, rest))
        .or_else(|| git_data::route(ask, method, rest))
        .or_else(|| source::route(ask, method, rest))
        .or_else(|| remarks::route(ask, method, rest))
        .or_else(|| pulls::route(ask, method, rest))
        .or_else(|| comments::route(ask, method, rest))
        .or_else(|| labels::route(ask, method, rest))
        .or_else(|| issues::route(ask, method, rest))
        .or_else(|| checks::route(ask, method, rest))
        .or_else(|| actions::route(ask, method, rest))
        .or_else(|| advisories::route(ask, method, rest))
        .or_else(|| account::repository(ask, method, rest))
        .unwrap_or_else(|| unknown(ask))
}

fn name_of(state: &State, id: &str) -> String {
    let found = state.repos.iter().find(|(_, repo)| repo.id.to_string() == id);
    found.map_or_else(String::new, |(name, _)| name.clone())
}

/// Nobody writes without permission; and the bot never even tries to write upstream.
pub(crate) fn refuse_write(ask: &mut Ask<'_>) -> Option<Answer> {
    if ask.actor == Actor::Anonymous {
        return Some(error(401, "Requires authentication"));
    }
    if ask.actor == Actor::Bot && ask.name == ask.state.upstream {
        let what =
            format!("the bot asked to write upstream: {} {}", ask.call.method, ask.call.path);
        ask.state.log.violation(what);
    }
    let allowed = ask.state.may_push(&ask.login, &ask.name);
    (!allowed).then(|| error(403, "Resource not accessible by integration"))
}

/// Whatever the world does not know is the world's fault or the bot's: somebody must look.
fn unknown(ask: &mut Ask<'_>) -> Answer {
    let what = format!("the world does not know {} {}", ask.call.method, ask.call.path);
    ask.state.log.violation(what);
    error(404, "Not Found")
}

/// A page of a list, with the links that GitHub gives: by the repository's number, not its name.
pub(crate) fn page(ask: &mut Ask<'_>, items: &[Value]) -> Answer {
    let shown = slice(ask, items.len());
    let answer = Answer::json(200, &Value::Array(items[shown].to_vec()));
    linked(ask, items.len(), answer)
}

/// Which items the asked-for page has.
pub(crate) fn slice(ask: &Ask<'_>, total: usize) -> std::ops::Range<usize> {
    let (size, number) = paging(ask);
    let start = (size * (number - 1)).min(total);
    start..(start + size).min(total)
}

fn paging(ask: &Ask<'_>) -> (usize, usize) {
    let size = ask.call.number("per_page").unwrap_or(30).clamp(1, 100);
    (size, ask.call.number("page").unwrap_or(1).max(1))
}

/// Adds the `Link` header of a list with so many items.
pub(crate) fn linked(ask: &mut Ask<'_>, total: usize, answer: Answer) -> Answer {
    let (size, number) = paging(ask);
    let last = total.div_ceil(size).max(1);
    let mut wanted = Vec::new();
    if number > 1 {
        wanted.push(("prev", number - 1));
    }
    if number < last {
        wanted.extend([("next", number + 1), ("last", last)]);
    }
    if number > 1 {
        wanted.push(("first", 1));
    }
    if wanted.is_empty() {
        return answer;
    }
    let links: Vec<String> = wanted
        .iter()
        .map(|(relation, page)| format!("<{}>; rel=\"{relation}\"", page_url(ask, *page)))
        .collect();
    answer.with("link", links.join(", "))
}

fn page_url(ask: &mut Ask<'_>, page: usize) -> String {
    let by_name = format!("/repos/{}", ask.name);
    let id = ask.repo().id;
    let path = ask.call.path.replacen(&by_name, &format!("/repositories/{id}"), 1);
    let mut query: Vec<String> = ask
        .call
        .query
        .split('&')
        .filter(|pair| !pair.is_empty() && !pair.starts_with("page="))
        .map(str::to_owned)
        .collect();
    query.push(format!("page={page}"));
    format!("{}{path}?{}", ask.state.urls.github, query.join("&"))
}

/// GitHub's way to say no.
pub(crate) fn error(status: u16, message: &str) -> Answer {
    let shape = json!({
        "message": message,
        "documentation_url": "https://docs.github.com/rest",
        "status": status.to_string(),
    });
    Answer::json(status, &shape)
}

/// 422 with one reason.
pub(crate) fn invalid(resource: &str, field: &str, code: &str, message: Option<&str>) -> Answer {
    let mut reason = json!({ "resource": resource, "code": code });
    if !field.is_empty() {
        reason["field"] = json!(field);
    }
    if let Some(message) = message {
        reason["message"] = json!(message);
    }
    let shape = json!({
        "message": "Validation Failed",
        "errors": [reason],
        "documentation_url": "https://docs.github.com/rest",
        "status": "422",
    });
    Answer::json(422, &shape)
}

impl Ask<'_> {
    /// The repository that is asked about.
    pub(crate) fn repo(&mut self) -> &mut crate::state::Repo {
        let name = self.name.clone();
        self.state.repo(&name)
    }

    /// The same, where nothing changes.
    pub(crate) fn repo_ref(&self) -> &crate::state::Repo {
        &self.state.repos[&self.name]
    }

    /// A REST URL below the repository.
    pub(crate) fn api(&self, path: &str) -> String {
        format!("{}/repos/{}/{path}", self.state.urls.github, self.name)
    }

    /// A page that people read, below the repository.
    pub(crate) fn web(&self, path: &str) -> String {
        format!("{}/{}/{path}", shape::WEB, self.name)
    }
}
