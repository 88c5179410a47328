//! Pushes: refs that moved, whoever moved them and however, and what is told of it.

use crate::github::shape::{self, WEB};
use crate::repository::{Commit, Repository, Signature};
use crate::state::State;
use chrono::DateTime;
use serde_json::{Value, json};

/// Where a ref is that does not exist.
pub(crate) const NOWHERE: &str = "0000000000000000000000000000000000000000";
/// So many commits of one push are told.
const TOLD: &str = "--max-count=20";

/// A ref that was moved, made (from nowhere) or deleted (to nowhere).
#[derive(Debug, Clone)]
pub(crate) struct Move {
    /// The whole name, such as `refs/heads/main`.
    pub(crate) name: String,
    pub(crate) before: Option<String>,
    pub(crate) after: Option<String>,
}

impl State {
    /// What a push brings about: it is told, and the pull requests follow.
    pub(crate) fn pushed(&mut self, name: &str, moves: &[Move], login: &str) {
        self.repo(name).moved(moves);
        for moved in moves {
            self.emit_push(name, moved, login);
        }
        self.after_push(name, login);
    }

    /// Tells of one moved ref.
    pub(crate) fn emit_push(&mut self, name: &str, moved: &Move, login: &str) {
        if !self.is_heard() {
            return;
        }
        let mut payload = payload(self, name, moved, login);
        payload["repository"] = repository(self, name);
        self.emit(name, "push", None, payload, login);
    }
}

fn payload(state: &State, name: &str, moved: &Move, login: &str) -> Value {
    let git = &state.repos[name].git;
    let text = |end: &Option<String>| end.clone().unwrap_or_else(|| NOWHERE.to_owned());
    let (before, after) = (text(&moved.before), text(&moved.after));
    let forced = match (&moved.before, &moved.after) {
        (Some(before), Some(after)) => !git.contains(after, before),
        _ => false,
    };
    let commits: Vec<Value> =
        new_commits(git, moved).iter().filter_map(|id| commit(git, name, id)).collect();
    let head = moved.after.as_ref().and_then(|id| commit(git, name, id));
    let short = moved.name.splitn(3, '/').nth(2).unwrap_or_default();
    let range = match &moved.before {
        Some(_) => format!("{}...{}", &before[..12], &after[..12]),
        None => short.to_owned(),
    };
    json!({
        "ref": moved.name,
        "before": before,
        "after": after,
        "created": moved.before.is_none(),
        "deleted": moved.after.is_none(),
        "forced": forced,
        "base_ref": null,
        "compare": format!("{WEB}/{name}/compare/{range}"),
        "commits": commits,
        "head_commit": head,
        "pusher": { "name": login, "email": shape::address(login) },
    })
}

/// The repository, to which a push has ways of its own: times are numbers, owners have an address.
fn repository(state: &State, name: &str) -> Value {
    let mut shape = shape::repository(state, name);
    let owner = name.split('/').next().unwrap_or_default();
    let created = state.repos[name].created_at.timestamp();
    shape["created_at"] = json!(created);
    shape["pushed_at"] = json!(state.now().timestamp());
    shape["url"] = json!(format!("{WEB}/{name}"));
    shape["owner"]["name"] = json!(owner);
    shape["owner"]["email"] = json!(shape::address(owner));
    shape["stargazers"] = shape["stargazers_count"].clone();
    shape["master_branch"] = shape["default_branch"].clone();
    shape["organization"] = json!(owner);
    shape
}

/// The commits that a push brought, the oldest first: those of a new branch since `main`.
fn new_commits(git: &Repository, moved: &Move) -> Vec<String> {
    let Some(after) = &moved.after else {
        return Vec::new();
    };
    let known = moved.before.as_deref().unwrap_or("refs/heads/main");
    let arguments = ["rev-list", "--reverse", TOLD, after, "--not", known];
    let ids = git.run(&arguments).unwrap_or_default();
    ids.lines().map(str::to_owned).collect()
}

/// A commit as a push tells it, with the paths that it touched.
fn commit(git: &Repository, name: &str, id: &str) -> Option<Value> {
    let Commit { sha, tree, author, committer, message, .. } = git.read_commit(id)?;
    let listed = git.run(&["diff-tree", "-r", "--root", "--no-commit-id", "--name-status", id]);
    let listed = listed.unwrap_or_default();
    let touched = |how: &str| -> Vec<&str> {
        let lines = listed.lines().filter_map(|line| line.split_once('\t'));
        lines.filter(|(status, _)| *status == how).map(|(_, path)| path).collect()
    };
    let at = DateTime::from_timestamp(committer.seconds, 0).unwrap_or_default();
    Some(json!({
        "id": sha,
        "tree_id": tree,
        "distinct": true,
        "message": message.trim_end(),
        "timestamp": at.format("%Y-%m-%dT%H:%M:%SZ").to_string(),
        "url": format!("{WEB}/{name}/commit/{sha}"),
        "author": person(&author),
        "committer": person(&committer),
        "added": touched("A"),
        "removed": touched("D"),
        "modified": touched("M"),
    }))
}

fn person(signature: &Signature) -> Value {
    let Signature { name, email, .. } = signature;
    let login = email.split('@').next();
    json!({ "name": name, "email": email, "username": login })
}
