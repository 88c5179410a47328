//! What can be read: a repository, its refs and its pull requests.

use super::{Root, refusal};
use crate::github::{refs, shape};
use crate::state::{Issue, PullPart, StoredComment};
use crate::wire::iso;
use apollo_compiler::{
    resolvers::{FieldError, ObjectValue, ResolveInfo, ResolvedValue},
    response::JsonValue,
};

/// An object of which everything is known when it is made.
#[derive(Debug, Clone)]
pub(super) struct Known {
    kind: &'static str,
    leaves: Vec<(&'static str, JsonValue)>,
    objects: Vec<(&'static str, Known)>,
}

impl Known {
    pub(super) fn new(kind: &'static str) -> Self {
        Self { kind, leaves: Vec::new(), objects: Vec::new() }
    }

    pub(super) fn leaf(mut self, field: &'static str, value: impl Into<JsonValue>) -> Self {
        self.leaves.push((field, value.into()));
        self
    }

    pub(super) fn object(mut self, field: &'static str, object: Known) -> Self {
        self.objects.push((field, object));
        self
    }
}

impl ObjectValue for Known {
    fn type_name(&self) -> &str {
        self.kind
    }

    fn resolve_field<'a>(
        &'a self,
        info: &'a ResolveInfo<'a>,
    ) -> Result<ResolvedValue<'a>, FieldError> {
        let name = info.field_name();
        if let Some((_, value)) = self.leaves.iter().find(|(field, _)| *field == name) {
            return Ok(ResolvedValue::leaf(value.clone()));
        }
        let object = self.objects.iter().find(|(field, _)| *field == name);
        object
            .map(|(_, object)| ResolvedValue::object(object.clone()))
            .ok_or_else(|| self.unknown_field_error(info))
    }
}

/// A text among a field's arguments, which the schema has checked; empty if it is absent.
pub(super) fn text<'a>(info: &'a ResolveInfo<'a>, argument: &str) -> &'a str {
    info.arguments().get(argument).and_then(JsonValue::as_str).unwrap_or_default()
}

/// Who asks.
pub(super) fn viewer(root: &Root<'_, '_>) -> Known {
    let login = root.ask.borrow().login.clone();
    let id = shape::node_id("U", shape::number_of(&login));
    Known::new("User").leaf("id", id).leaf("login", login)
}

/// A comment by its node id: no other node is asked for so.
pub(super) fn node<'a>(
    root: &'a Root<'_, '_>,
    info: &'a ResolveInfo<'a>,
) -> Result<ResolvedValue<'a>, FieldError> {
    let id = text(info, "id");
    let ask = root.ask.borrow();
    let mut comments = ask.state.repos.values().flat_map(|repo| repo.comments.values());
    let found = comments.find(|it| it.node_id() == id).map(comment);
    found.map(ResolvedValue::object).ok_or_else(|| {
        let why = format!("Could not resolve to a node with the global id of '{id}'");
        refusal("NOT_FOUND", &why)
    })
}

/// A comment, with when it was seen and edited, and what makes it small.
pub(super) fn comment(comment: &StoredComment) -> Known {
    let kind = match comment.remark {
        None => "IssueComment",
        Some(_) => "PullRequestReviewComment",
    };
    // GitHub tells it in small letters, unlike how it is told.
    let reason = comment.minimized.as_ref().map(|reason| reason.to_lowercase().replace('_', "-"));
    let edited = comment.edited_at.map_or(JsonValue::Null, |at| JsonValue::from(iso(at)));
    Known::new(kind)
        .leaf("id", comment.node_id())
        .leaf("lastEditedAt", edited)
        .leaf("publishedAt", iso(comment.published_at))
        .leaf("isMinimized", comment.minimized.is_some())
        .leaf("minimizedReason", reason.map_or(JsonValue::Null, JsonValue::from))
}

struct RepositoryObject<'a, 'ask, 'call> {
    root: &'a Root<'ask, 'call>,
    name: String,
}

/// A repository by owner and name.
pub(super) fn repository<'a>(
    root: &'a Root<'_, '_>,
    info: &'a ResolveInfo<'a>,
) -> Result<ResolvedValue<'a>, FieldError> {
    let name = format!("{}/{}", text(info, "owner"), text(info, "name"));
    if !root.ask.borrow().state.repos.contains_key(&name) {
        let why = format!("Could not resolve to a Repository with the name '{name}'.");
        return Err(refusal("NOT_FOUND", &why));
    }
    Ok(ResolvedValue::object(RepositoryObject { root, name }))
}

impl ObjectValue for RepositoryObject<'_, '_, '_> {
    fn type_name(&self) -> &'static str {
        "Repository"
    }

    fn resolve_field<'a>(
        &'a self,
        info: &'a ResolveInfo<'a>,
    ) -> Result<ResolvedValue<'a>, FieldError> {
        match info.field_name() {
            "id" => {
                let id = self.root.ask.borrow().state.repos[&self.name].id;
                Ok(ResolvedValue::leaf(shape::node_id("R", id)))
            }
            "nameWithOwner" => Ok(ResolvedValue::leaf(self.name.as_str())),
            "ref" => {
                Ok(ResolvedValue::nullable_object(self.reference(text(info, "qualifiedName"))))
            }
            "pullRequest" => {
                let number = info.arguments().get("number").and_then(JsonValue::as_u64);
                self.pull(number.unwrap_or_default()).map(ResolvedValue::object)
            }
            _ => Err(self.unknown_field_error(info)),
        }
    }
}

impl RepositoryObject<'_, '_, '_> {
    /// A ref by its whole name, or else by its name among the branches or the tags.
    fn reference(&self, name: &str) -> Option<Known> {
        let mut ask = self.root.ask.borrow_mut();
        ask.name.clone_from(&self.name);
        let full = if name.starts_with("refs/") {
            vec![name.to_owned()]
        } else {
            ["heads", "tags"].map(|kind| format!("refs/{kind}/{name}")).to_vec()
        };
        full.iter().find_map(|full| {
            let oid = refs::target(&ask, full)?;
            let kind = full.splitn(3, '/').take(2).map(|part| format!("{part}/"));
            let prefix: String = kind.collect();
            let commit = Known::new("Commit")
                .leaf("id", shape::node_id("C", shape::number_of(&oid)))
                .leaf("oid", oid);
            let found = Known::new("Ref")
                .leaf("id", shape::node_id("REF", shape::number_of(full)))
                .leaf("name", full.trim_start_matches(prefix.as_str()))
                .leaf("prefix", prefix)
                .object("target", commit);
            Some(found)
        })
    }

    fn pull(&self, number: u64) -> Result<Known, FieldError> {
        let ask = self.root.ask.borrow();
        let issue = ask.state.repos[&self.name].issues.get(&number);
        issue.and_then(|issue| Some(pull(issue, issue.pull.as_ref()?))).ok_or_else(|| {
            let why = format!("Could not resolve to a PullRequest with the number of {number}.");
            refusal("NOT_FOUND", &why)
        })
    }
}

/// A pull request.
pub(super) fn pull(issue: &Issue, part: &PullPart) -> Known {
    let state = match (issue.open, &part.merged) {
        (true, _) => "OPEN",
        (false, Some(_)) => "MERGED",
        (false, None) => "CLOSED",
    };
    Known::new("PullRequest")
        .leaf("id", shape::node_id("PR", issue.id))
        .leaf("number", issue.number)
        .leaf("title", issue.title.as_str())
        .leaf("isDraft", part.draft)
        .leaf("state", state)
        .leaf("headRefName", part.head.as_str())
        .leaf("headRefOid", part.head_sha.as_str())
        .leaf("updatedAt", iso(issue.updated_at))
}
