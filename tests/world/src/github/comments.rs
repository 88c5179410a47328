//! Comments on issues and pull requests, and the reactions to both.

use super::{
    Ask,
    discussion::{self, REACTIONS},
    error, invalid, page,
    shape::{node_id, user},
};
use crate::state::{Reaction, StoredComment};
use crate::wire::{Answer, iso};
use serde_json::{Value, json};

/// What a reaction is to.
#[derive(Debug, Clone, Copy)]
pub(super) enum Target {
    Issue(u64),
    Comment(u64),
}

/// Answers below `/issues/comments`, `/issues/{number}/comments` and `…/reactions`.
pub(crate) fn route(ask: &mut Ask<'_>, method: &str, rest: &[&str]) -> Option<Answer> {
    let number = |text: &str| text.parse().unwrap_or(0);
    let answer = match (method, rest) {
        ("GET", ["issues", "comments"]) => list(ask, None, false),
        ("GET", ["issues", "comments", id]) => show(ask, number(id), 200),
        ("PATCH", ["issues", "comments", id]) => edit(ask, number(id)),
        ("DELETE", ["issues", "comments", id]) => delete(ask, number(id)),
        ("GET", ["issues", "comments", id, "reactions"]) => {
            reactions(ask, Target::Comment(number(id)))
        }
        ("POST", ["issues", "comments", id, "reactions"]) => {
            react(ask, Target::Comment(number(id)))
        }
        ("DELETE", ["issues", "comments", _, "reactions", id]) => unreact(ask, number(id)),
        ("GET", ["issues", n, "comments"]) => list(ask, Some(number(n)), false),
        ("POST", ["issues", n, "comments"]) => create(ask, number(n)),
        ("GET", ["issues", n, "reactions"]) => reactions(ask, Target::Issue(number(n))),
        ("POST", ["issues", n, "reactions"]) => react(ask, Target::Issue(number(n))),
        _ => return None,
    };
    Some(answer)
}

/// The comments anywhere, or on one issue; those `within` diffs, or all others.
pub(super) fn list(ask: &mut Ask<'_>, issue: Option<u64>, within: bool) -> Answer {
    if issue.is_some_and(|number| !ask.repo_ref().issues.contains_key(&number)) {
        return error(404, "Not Found");
    }
    let since = ask.call.parameter("since").unwrap_or_default();
    let lags = ask.list_lags();
    let mut shown: Vec<&StoredComment> = ask
        .repo_ref()
        .listed(lags)
        .comments
        .values()
        .filter(|comment| comment.remark.is_some() == within)
        .filter(|comment| issue.is_none_or(|number| comment.issue == number))
        .filter(|comment| since.is_empty() || iso(comment.updated_at) >= since)
        .collect();
    if issue.is_none() && ask.call.parameter("direction").as_deref() == Some("desc") {
        shown.reverse();
    }
    let shape = if within { discussion::remark } else { discussion::comment };
    let items: Vec<Value> =
        shown.iter().map(|comment| shape(ask.state, &ask.name, comment)).collect();
    page(ask, &items)
}

fn show(ask: &Ask<'_>, id: u64, status: u16) -> Answer {
    let comment = ask.repo_ref().comments.get(&id);
    comment.map_or_else(
        || error(404, "Not Found"),
        |comment| Answer::json(status, &discussion::comment(ask.state, &ask.name, comment)),
    )
}

fn create(ask: &mut Ask<'_>, number: u64) -> Answer {
    if !ask.repo_ref().issues.contains_key(&number) {
        return error(404, "Not Found");
    }
    let wish = ask.call.json();
    let Some(body) = wish["body"].as_str().filter(|body| !body.is_empty()) else {
        return invalid("IssueComment", "body", "missing_field", None);
    };
    let (name, login) = (ask.name.clone(), ask.login.clone());
    let id = ask.state.comment(&name, number, &login, body);
    let location = ask.api(&format!("issues/comments/{id}"));
    show(ask, id, 201).with("location", location)
}

fn edit(ask: &mut Ask<'_>, id: u64) -> Answer {
    let now = ask.state.now();
    let wish = ask.call.json();
    ask.repo().before_change();
    let Some(comment) = ask.repo().comments.get_mut(&id) else {
        return error(404, "Not Found");
    };
    let before = comment.body.clone();
    if let Some(body) = wish["body"].as_str() {
        comment.edit(body, now);
    }
    let (name, login) = (ask.name.clone(), ask.login.clone());
    let more = json!({ "changes": { "body": { "from": before } } });
    ask.state.emit_comment(&name, "edited", id, &login, more);
    show(ask, id, 200)
}

fn delete(ask: &mut Ask<'_>, id: u64) -> Answer {
    let (name, login) = (ask.name.clone(), ask.login.clone());
    ask.state.emit_comment(&name, "deleted", id, &login, json!({}));
    ask.repo().before_change();
    match ask.repo().comments.remove(&id) {
        Some(_) => Answer::empty(204),
        None => error(404, "Not Found"),
    }
}

fn is_to(reaction: &Reaction, target: Target) -> bool {
    match target {
        Target::Issue(number) => reaction.issue == Some(number),
        Target::Comment(id) => reaction.comment == Some(id),
    }
}

fn exists(ask: &Ask<'_>, target: Target) -> bool {
    match target {
        Target::Issue(number) => ask.repo_ref().issues.contains_key(&number),
        Target::Comment(id) => ask.repo_ref().comments.contains_key(&id),
    }
}

fn reaction(ask: &Ask<'_>, reaction: &Reaction) -> Value {
    json!({
        "id": reaction.id,
        "node_id": node_id("REA", reaction.id),
        "user": user(&ask.state.urls, &reaction.author),
        "content": reaction.content,
        "created_at": iso(reaction.created_at),
    })
}

pub(super) fn reactions(ask: &mut Ask<'_>, target: Target) -> Answer {
    if !exists(ask, target) {
        return error(404, "Not Found");
    }
    let lags = ask.list_lags();
    let content = ask.call.parameter("content");
    let all = ask.repo_ref().listed(lags).reactions.iter();
    let items: Vec<Value> = all
        .filter(|found| content.as_ref().is_none_or(|content| *content == found.content))
        .filter(|found| is_to(found, target))
        .map(|found| reaction(ask, found))
        .collect();
    page(ask, &items)
}

/// The same reaction by the same user twice is one: 201 the first time, 200 then.
pub(super) fn react(ask: &mut Ask<'_>, target: Target) -> Answer {
    if !exists(ask, target) {
        return error(404, "Not Found");
    }
    let wish = ask.call.json();
    let content = wish["content"].as_str().unwrap_or_default().to_owned();
    if !REACTIONS.contains(&content.as_str()) {
        return invalid("Reaction", "content", "invalid", None);
    }
    let known = ask.repo_ref().reactions.iter().find(|found| {
        is_to(found, target) && found.author == ask.login && found.content == content
    });
    if let Some(known) = known {
        return Answer::json(200, &reaction(ask, known));
    }
    let (issue, comment) = match target {
        Target::Issue(number) => (Some(number), None),
        Target::Comment(id) => (None, Some(id)),
    };
    let new = Reaction {
        id: ask.state.id(),
        issue,
        comment,
        author: ask.login.clone(),
        content,
        created_at: ask.state.now(),
    };
    let shape = reaction(ask, &new);
    ask.repo().before_change();
    ask.repo().reactions.push(new);
    Answer::json(201, &shape)
}

pub(super) fn unreact(ask: &mut Ask<'_>, id: u64) -> Answer {
    ask.repo().before_change();
    let before = ask.repo_ref().reactions.len();
    ask.repo().reactions.retain(|reaction| reaction.id != id);
    if ask.repo_ref().reactions.len() == before {
        return error(404, "Not Found");
    }
    Answer::empty(204)
}
