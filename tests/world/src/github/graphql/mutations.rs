//! What can be changed: refs, all or none of them, whether a pull request is a draft, and whether a
//! comment is small.

use super::{
    Root,
    objects::{self, Known},
    refusal,
};
use crate::github::{Ask, permissions, refuse_write, shape};
use crate::push::{Move, NOWHERE};
use crate::state::Actor;
use apollo_compiler::{
    resolvers::{FieldError, ResolveInfo, ResolvedValue},
    response::JsonValue,
};
use std::collections::BTreeSet;

fn input<'a>(info: &'a ResolveInfo<'a>, field: &str) -> Option<&'a JsonValue> {
    info.arguments().get("input")?.as_object()?.get(field)
}

fn text<'a>(info: &'a ResolveInfo<'a>, field: &str) -> &'a str {
    input(info, field).and_then(JsonValue::as_str).unwrap_or_default()
}

fn payload(kind: &'static str, info: &ResolveInfo<'_>) -> Known {
    let id = input(info, "clientMutationId").cloned().unwrap_or(JsonValue::Null);
    Known::new(kind).leaf("clientMutationId", id)
}

/// Sets the repository that is changed, unless the asker may not change it.
fn enter(ask: &mut Ask<'_>, name: String, needed: &str) -> Result<(), FieldError> {
    ask.name = name;
    match refuse_write(ask).or_else(|| permissions::refuse_without(ask, &[needed])) {
        None => Ok(()),
        Some(_) => Err(refusal("FORBIDDEN", "Resource not accessible by integration")),
    }
}

fn no_node(id: &str) -> FieldError {
    let why = format!("Could not resolve to a node with the global id of '{id}'.");
    refusal("NOT_FOUND", &why)
}

/// Makes a pull request a draft, or ready for review. One that is so already stays so.
pub(super) fn set_draft<'a>(
    root: &'a Root<'_, '_>,
    info: &'a ResolveInfo<'a>,
    draft: bool,
) -> Result<ResolvedValue<'a>, FieldError> {
    let id = text(info, "pullRequestId");
    let mut ask = root.ask.borrow_mut();
    let found = ask.state.repos.iter().find_map(|(name, repo)| {
        let pulls = repo.issues.values().filter(|issue| issue.pull.is_some());
        let mut pulls = pulls.filter(|issue| shape::node_id("PR", issue.id) == id);
        pulls.next().map(|issue| (name.clone(), issue.number, issue.open))
    });
    let (name, number, open) = found.ok_or_else(|| no_node(id))?;
    enter(&mut ask, name.clone(), "pull_requests")?;
    if !open {
        return Err(refusal("UNPROCESSABLE", "Pull request is closed"));
    }
    let login = ask.login.clone();
    if draft && !ask.repo_ref().drafts {
        let why =
            format!("{login} does not have permission to convert the pull request {id} to draft.");
        return Err(refusal("FORBIDDEN", &why));
    }
    ask.state.set_draft(&name, number, draft, &login);
    root.changed.set(true);
    let issue = ask.repo_ref().issues.get(&number);
    let pull = issue.and_then(|issue| Some(objects::pull(issue, issue.pull.as_ref()?)));
    let kind = if draft {
        "ConvertPullRequestToDraftPayload"
    } else {
        "MarkPullRequestReadyForReviewPayload"
    };
    let payload = payload(kind, info).object("pullRequest", pull.ok_or_else(|| no_node(id))?);
    Ok(ResolvedValue::object(payload))
}

/// Makes a comment small. Whoever wrote it may, and whoever may write.
pub(super) fn minimize<'a>(
    root: &'a Root<'_, '_>,
    info: &'a ResolveInfo<'a>,
) -> Result<ResolvedValue<'a>, FieldError> {
    let (id, why) = (text(info, "subjectId"), text(info, "classifier"));
    let mut ask = root.ask.borrow_mut();
    let found = ask.state.repos.iter().find_map(|(name, repo)| {
        let comment = repo.comments.values().find(|it| it.node_id() == id)?;
        Some((name.clone(), comment.id, comment.remark.is_some()))
    });
    let (name, number, within) = found.ok_or_else(|| no_node(id))?;
    enter(&mut ask, name, if within { "pull_requests" } else { "issues" })?;
    let comment = ask.repo().comments.get_mut(&number).ok_or_else(|| no_node(id))?;
    comment.minimized = Some(why.to_owned());
    let comment = objects::comment(comment);
    root.changed.set(true);
    let payload = payload("MinimizeCommentPayload", info).object("minimizedComment", comment);
    Ok(ResolvedValue::object(payload))
}

/// Moves refs: each from where it must be, and none if one of them cannot be moved.
pub(super) fn update_refs<'a>(
    root: &'a Root<'_, '_>,
    info: &'a ResolveInfo<'a>,
) -> Result<ResolvedValue<'a>, FieldError> {
    let id = text(info, "repositoryId");
    let mut ask = root.ask.borrow_mut();
    let repos = &ask.state.repos;
    let found = repos.iter().find(|(_, repo)| shape::node_id("R", repo.id) == id);
    let name = found.map(|(name, _)| name.clone()).ok_or_else(|| no_node(id))?;
    enter(&mut ask, name.clone(), "contents")?;
    let wishes = input(info, "refUpdates").and_then(JsonValue::as_array);
    let wishes: Vec<Wish> = wishes.into_iter().flatten().map(Wish::read).collect();
    if ask.actor == Actor::Bot {
        for wish in &wishes {
            ask.state.judge_bot_ref(&name, &wish.name);
        }
    }
    let names: BTreeSet<&str> = wishes.iter().map(|wish| wish.name.as_str()).collect();
    if names.len() < wishes.len() {
        return Err(refusal("UNPROCESSABLE", "A ref can be updated only once"));
    }
    if let Some(why) = &ask.repo_ref().frozen {
        return Err(refusal("UNPROCESSABLE", why));
    }
    let moves = wishes.iter().map(|wish| wish.check(&ask)).collect::<Result<Vec<Move>, _>>()?;
    guard_workflows(&ask, &moves)?;
    let done = ask.repo_ref().git.move_refs(&moves);
    done.map_err(|why| refusal("UNPROCESSABLE", &why))?;
    let login = ask.login.clone();
    ask.state.pushed(&name, &moves, &login);
    root.changed.set(!moves.is_empty());
    Ok(ResolvedValue::object(payload("UpdateRefsPayload", info)))
}

/// Workflow files take a permission of their own.
fn guard_workflows(ask: &Ask<'_>, moves: &[Move]) -> Result<(), FieldError> {
    let repo = ask.repo_ref();
    if repo.workflows || !matches!(ask.actor, Actor::Bot | Actor::App) {
        return Ok(());
    }
    let changed = moves.iter().filter_map(|moved| moved.after.as_deref()).find_map(|after| {
        let arguments =
            ["diff", "--name-only", &format!("main...{after}"), "--", ".github/workflows"];
        let listed = repo.git.run(&arguments).unwrap_or_default();
        listed.lines().next().map(str::to_owned)
    });
    changed.map_or(Ok(()), |file| {
        let why = format!(
            "refusing to allow a GitHub App to create or update workflow `{file}` without \
             `workflows` permission"
        );
        Err(refusal("UNPROCESSABLE", &why))
    })
}

/// One ref, and where it is to be.
struct Wish {
    name: String,
    before: Option<String>,
    after: String,
    force: bool,
}

impl Wish {
    fn read(wish: &JsonValue) -> Self {
        let field = |name: &str| wish.as_object().and_then(|wish| wish.get(name));
        let text = |name: &str| field(name).and_then(JsonValue::as_str).map(str::to_owned);
        Self {
            name: text("name").unwrap_or_default(),
            before: text("beforeOid"),
            after: text("afterOid").unwrap_or_default(),
            force: field("force").and_then(JsonValue::as_bool).unwrap_or(false),
        }
    }

    /// The move that is wished for, if it may be made.
    fn check(&self, ask: &Ask<'_>) -> Result<Move, FieldError> {
        let no = |why: &str| Err(refusal("UNPROCESSABLE", why));
        let git = &ask.repo_ref().git;
        if !self.name.starts_with("refs/") || self.name.matches('/').count() < 2 {
            return no("Reference name must start with 'refs/' and have at least two slashes");
        }
        let now = git.refs(&self.name).remove(&self.name);
        if let Some(before) = &self.before
            && now.as_deref().unwrap_or(NOWHERE) != before
        {
            let why = format!("Expected {} to point to {before}, but it did not", self.name);
            return Err(refusal("STALE_DATA", &why));
        }
        let after = (self.after != NOWHERE).then(|| self.after.clone());
        match (&now, &after) {
            (None, None) => return no("Reference does not exist"),
            (_, Some(after)) if git.commit_id(after).is_none() => {
                return no("Object does not exist");
            }
            (Some(now), Some(after)) if !self.force && !git.contains(after, now) => {
                return no("Update is not a fast forward");
            }
            _ => {}
        }
        Ok(Move { name: self.name.clone(), before: now, after })
    }
}
