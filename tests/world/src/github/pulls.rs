//! Pull requests, with GitHub's reasons to refuse one.

use super::{Ask, discussion, error, invalid, linked, page, slice, source};
use crate::state::{Actor, Issue, PullPart};
use crate::wire::Answer;
use serde_json::{Value, json};

/// Answers below `/pulls`.
pub(crate) fn route(ask: &mut Ask<'_>, method: &str, rest: &[&str]) -> Option<Answer> {
    let number = |text: &str| text.parse().unwrap_or(0);
    let answer = match (method, rest) {
        ("GET", ["pulls"]) => list(ask),
        ("POST", ["pulls"]) => create(ask),
        ("GET", ["pulls", n]) => show(ask, number(n), 200),
        ("PATCH", ["pulls", n]) => edit(ask, number(n)),
        ("GET", ["pulls", n, "commits"]) => commits(ask, number(n)),
        ("GET", ["pulls", n, "files"]) => files(ask, number(n)),
        ("GET", ["pulls", n, "merge"]) => is_merged(ask, number(n)),
        ("PUT", ["pulls", n, "merge"]) => merge(ask, number(n)),
        ("GET", ["pulls", n, "reviews"]) => none_of(ask, number(n)),
        _ => return None,
    };
    Some(answer)
}

fn part(ask: &Ask<'_>, number: u64) -> Option<PullPart> {
    ask.repo_ref().issues.get(&number)?.pull.clone()
}

fn show(ask: &Ask<'_>, number: u64, status: u16) -> Answer {
    let shape = discussion::pull(ask.state, &ask.name, number);
    if shape.is_null() {
        return error(404, "Not Found");
    }
    let updated = ask.repo_ref().issues.get(&number);
    Answer::json(status, &shape).modified(updated.map(|issue| issue.updated_at))
}

fn list(ask: &mut Ask<'_>) -> Answer {
    let lags = ask.list_lags();
    let parameter = |name: &str| ask.call.parameter(name).unwrap_or_default();
    let (state, head, base) = (parameter("state"), parameter("head"), parameter("base"));
    let (sort, direction) = (parameter("sort"), parameter("direction"));
    let owner = ask.name.split('/').next().unwrap_or_default().to_owned();
    let repo = ask.repo_ref();
    let issues = repo.listed(lags).issues;
    let mut shown: Vec<&Issue> = issues
        .values()
        .filter(|issue| {
            let Some(pull) = &issue.pull else {
                return false;
            };
            let wanted = if state.is_empty() { "open" } else { &state };
            (wanted == "all" || wanted == issue.state())
                // As GitHub does: a head without its owner filters nothing.
                && (!head.contains(':') || head == format!("{owner}:{}", pull.head))
                && (base.is_empty() || base == pull.base)
        })
        .collect();
    if sort == "updated" {
        shown.sort_by_key(|issue| (issue.updated_at, issue.number));
    }
    let newest_first = sort.is_empty() || sort == "created";
    let default = if newest_first { "desc" } else { "asc" };
    let direction = if direction.is_empty() { default } else { &direction };
    if direction == "desc" {
        shown.reverse();
    }
    let total = shown.len();
    let items: Vec<Value> = shown[slice(ask, total)]
        .iter()
        .map(|issue| discussion::pull_simple(ask.state, &ask.name, repo, issue))
        .collect();
    linked(ask, total, Answer::json(200, &Value::Array(items)))
}

fn create(ask: &mut Ask<'_>) -> Answer {
    let wish = ask.call.json();
    let text = |field: &str| wish[field].as_str().unwrap_or_default().to_owned();
    let (title, base, given) = (text("title"), text("base"), text("head"));
    let owner = ask.name.split('/').next().unwrap_or_default().to_owned();
    let head = given.strip_prefix(&format!("{owner}:")).unwrap_or(&given).to_owned();
    if title.is_empty() {
        return invalid("PullRequest", "title", "missing_field", None);
    }
    let git = ask.repo_ref().git.clone();
    let Some(head_sha) = git.branch(&head) else {
        return invalid("PullRequest", "head", "invalid", None);
    };
    let Some(base_sha) = git.branch(&base) else {
        return invalid("PullRequest", "base", "invalid", None);
    };
    if git.contains(&base_sha, &head_sha) {
        let why = format!("No commits between {owner}:{base} and {owner}:{head}");
        return invalid("PullRequest", "", "custom", Some(&why));
    }
    let twin = ask.repo_ref().issues.values().any(|issue| {
        let same = |pull: &PullPart| pull.head == head && pull.base == base;
        issue.open && issue.pull.as_ref().is_some_and(same)
    });
    if twin {
        let why = format!("A pull request already exists for {owner}:{head}.");
        return invalid("PullRequest", "", "custom", Some(&why));
    }
    let draft = wish["draft"].as_bool().unwrap_or(false);
    if draft && !ask.repo_ref().drafts {
        return error(422, "Draft pull requests are not supported in this repository.");
    }
    let pull = PullPart { head, head_sha, base, base_sha, draft, merged: None };
    let body = wish["body"].as_str().map(str::to_owned);
    let (name, login) = (ask.name.clone(), ask.login.clone());
    let number = ask.state.open_issue(&name, &login, title, body, Some(pull));
    ask.state.emit_issue(&name, "opened", number, &login, json!({}));
    let location = ask.api(&format!("pulls/{number}"));
    show(ask, number, 201).with("location", location)
}

fn edit(ask: &mut Ask<'_>, number: u64) -> Answer {
    if part(ask, number).is_none() {
        return error(404, "Not Found");
    }
    let wish = ask.call.json();
    let (name, login) = (ask.name.clone(), ask.login.clone());
    if let Some(state) = wish["state"].as_str()
        && let Err(why) = ask.state.set_open(&name, number, state == "open", &login)
    {
        return invalid("PullRequest", "state", "invalid", Some(&why));
    }
    if let Some(base) = wish["base"].as_str() {
        let Some(sha) = ask.repo_ref().git.branch(base) else {
            return invalid("PullRequest", "base", "invalid", None);
        };
        ask.state.rebase(&name, number, base, &sha, &login);
    }
    ask.state.retitle(&name, number, &wish, &login);
    show(ask, number, 200)
}

fn commits(ask: &mut Ask<'_>, number: u64) -> Answer {
    let Some(pull) = part(ask, number) else {
        return error(404, "Not Found");
    };
    let range = format!("{}..{}", pull.base_sha, pull.head_sha);
    let ids = ask.repo_ref().git.run(&["rev-list", "--reverse", &range]);
    let items: Vec<Value> =
        ids.unwrap_or_default().lines().filter_map(|id| source::commit(ask, id)).collect();
    page(ask, &items)
}

fn files(ask: &mut Ask<'_>, number: u64) -> Answer {
    let Some(pull) = part(ask, number) else {
        return error(404, "Not Found");
    };
    let items = source::changed_files(ask, &pull.base_sha, &pull.head_sha);
    page(ask, &items)
}

fn is_merged(ask: &Ask<'_>, number: u64) -> Answer {
    match part(ask, number).and_then(|pull| pull.merged) {
        Some(_) => Answer::empty(204),
        None => error(404, "Not Found"),
    }
}

/// A merge is a person's decision: the bot's attempt is remembered, and refused.
fn merge(ask: &mut Ask<'_>, number: u64) -> Answer {
    if ask.actor == Actor::Bot {
        let what = format!("the bot asked to merge #{number} of {}", ask.name);
        ask.state.log.violation(what);
        return error(403, "Resource not accessible by integration");
    }
    let (name, login) = (ask.name.clone(), ask.login.clone());
    match ask.state.merge(&name, number, &login) {
        Ok(sha) => {
            let done = "Pull Request successfully merged";
            Answer::json(200, &json!({ "sha": sha, "merged": true, "message": done }))
        }
        Err(why) => error(405, &why),
    }
}

/// Nobody reviews in this world.
fn none_of(ask: &mut Ask<'_>, number: u64) -> Answer {
    if part(ask, number).is_none() {
        return error(404, "Not Found");
    }
    page(ask, &[])
}
