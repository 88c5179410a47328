//! Issues; every pull request is one as well.

use super::{Ask, discussion, error, invalid, linked, slice};
use crate::state::{Issue, PullPart, State};
use crate::wire::Answer;
use serde_json::{Value, json};

/// Answers `/issues` and `/issues/{number}`.
pub(crate) fn route(ask: &mut Ask<'_>, method: &str, rest: &[&str]) -> Option<Answer> {
    let number = |text: &str| text.parse().unwrap_or(0);
    if let Some(why) = gone(ask, method, rest) {
        return Some(error(410, why));
    }
    match (method, rest) {
        ("GET", ["issues"]) => Some(list(ask)),
        ("POST", ["issues"]) => Some(create(ask)),
        ("GET", ["issues", n]) => Some(show(ask, number(n), 200)),
        ("PATCH", ["issues", n]) => Some(edit(ask, number(n))),
        _ => None,
    }
}

/// Why what is asked for is there no longer, if it is so. Lists are there all the same, with pull
/// requests alone.
fn gone(ask: &Ask<'_>, method: &str, rest: &[&str]) -> Option<&'static str> {
    const DISABLED: &str = "Issues are disabled for this repo";
    let repo = ask.repo_ref();
    if method == "POST" && rest == ["issues"] {
        return repo.issues_disabled.then_some(DISABLED);
    }
    let ["issues", n] = rest else { return None };
    if method != "GET" && method != "PATCH" {
        return None;
    }
    let number: u64 = n.parse().ok()?;
    let plain = repo.issues.get(&number).is_some_and(|issue| issue.pull.is_none());
    let deleted = repo.deleted_issues.contains(&number);
    let deleted = deleted.then_some("This issue was deleted");
    deleted.or((plain && repo.issues_disabled).then_some(DISABLED))
}

fn list(ask: &mut Ask<'_>) -> Answer {
    let lags = ask.list_lags();
    let parameter = |name: &str| ask.call.parameter(name).unwrap_or_default();
    let (state, creator) = (parameter("state"), parameter("creator"));
    let wanted = if state.is_empty() { "open" } else { &state };
    let labels = parameter("labels");
    let labels: Vec<&str> = labels.split(',').filter(|text| !text.is_empty()).collect();
    let repo = ask.repo_ref();
    let issues = repo.listed(lags).issues;
    let has = |issue: &Issue, label: &str| {
        let mut names = issue.labels.iter();
        names.any(|name| name.eq_ignore_ascii_case(label))
    };
    let mut shown: Vec<&Issue> = issues
        .values()
        .filter(|issue| wanted == "all" || wanted == issue.state())
        .filter(|issue| issue.pull.is_some() || !repo.issues_disabled)
        .filter(|issue| creator.is_empty() || creator == issue.author)
        .filter(|issue| labels.iter().all(|label| has(issue, label)))
        .collect();
    if parameter("direction") != "asc" {
        shown.reverse();
    }
    let total = shown.len();
    let items: Vec<Value> = shown[slice(ask, total)]
        .iter()
        .map(|issue| discussion::issue_of(ask.state, &ask.name, repo, issue))
        .collect();
    linked(ask, total, Answer::json(200, &Value::Array(items)))
}

fn show(ask: &Ask<'_>, number: u64, status: u16) -> Answer {
    let shape = discussion::issue(ask.state, &ask.name, number);
    if shape.is_null() {
        return error(404, "Not Found");
    }
    Answer::json(status, &shape)
}

fn create(ask: &mut Ask<'_>) -> Answer {
    let wish = ask.call.json();
    let Some(title) = wish["title"].as_str().filter(|title| !title.is_empty()) else {
        return invalid("Issue", "title", "missing_field", None);
    };
    let body = wish["body"].as_str().map(str::to_owned);
    let (name, login) = (ask.name.clone(), ask.login.clone());
    let number = ask.state.open_issue(&name, &login, title.to_owned(), body, None);
    ask.state.set_labels(&name, number, &wish["labels"]);
    ask.state.emit_issue(&name, "opened", number, &login, json!({}));
    ask.state.emit_labels(&name, number, &[], &login);
    let location = ask.api(&format!("issues/{number}"));
    show(ask, number, 201).with("location", location)
}

fn edit(ask: &mut Ask<'_>, number: u64) -> Answer {
    if !ask.repo_ref().issues.contains_key(&number) {
        return error(404, "Not Found");
    }
    let wish = ask.call.json();
    let (name, login) = (ask.name.clone(), ask.login.clone());
    if let Some(state) = wish["state"].as_str()
        && let Err(why) = ask.state.set_open(&name, number, state == "open", &login)
    {
        return invalid("Issue", "state", "invalid", Some(&why));
    }
    if wish["labels"].is_array() {
        let before = ask.state.set_labels(&name, number, &wish["labels"]);
        ask.state.emit_labels(&name, number, &before, &login);
    }
    ask.state.retitle(&name, number, &wish, &login);
    show(ask, number, 200)
}

impl State {
    /// A new issue, or a pull request if it has that part.
    pub(crate) fn open_issue(
        &mut self,
        name: &str,
        login: &str,
        title: String,
        body: Option<String>,
        pull: Option<PullPart>,
    ) -> u64 {
        let (id, now) = (self.id(), self.now());
        let repo = self.repo(name);
        repo.before_change();
        let number = repo.next_number();
        let issue = Issue {
            number,
            id,
            title,
            body,
            open: true,
            author: login.to_owned(),
            labels: Vec::new(),
            created_at: now,
            updated_at: now,
            closed_at: None,
            closed_by: None,
            pull,
        };
        repo.issues.insert(number, issue);
        number
    }

    /// Takes over title and body from an edit, where it has them.
    pub(crate) fn retitle(&mut self, name: &str, number: u64, wish: &Value, login: &str) {
        let now = self.now();
        let repo = self.repo(name);
        repo.before_change();
        let Some(issue) = repo.issues.get_mut(&number) else {
            return;
        };
        let before = (issue.title.clone(), issue.body.clone());
        if let Some(title) = wish["title"].as_str() {
            title.clone_into(&mut issue.title);
        }
        match &wish["body"] {
            Value::String(body) => issue.body = Some(body.clone()),
            Value::Null if wish.get("body").is_some() => issue.body = None,
            _ => {}
        }
        if before == (issue.title.clone(), issue.body.clone()) {
            return;
        }
        issue.touch(now);
        let mut changes = json!({});
        if before.0 != issue.title {
            changes["title"] = json!({ "from": before.0 });
        }
        if before.1 != issue.body {
            changes["body"] = json!({ "from": before.1.unwrap_or_default() });
        }
        self.emit_issue(name, "edited", number, login, json!({ "changes": changes }));
    }

    /// Takes a pull request to another base.
    pub(crate) fn rebase(&mut self, name: &str, number: u64, base: &str, sha: &str, login: &str) {
        let repo = self.repo(name);
        repo.before_change();
        let issue = repo.issues.get_mut(&number);
        let Some(pull) = issue.and_then(|issue| issue.pull.as_mut()) else {
            return;
        };
        let from = json!({ "ref": { "from": pull.base }, "sha": { "from": pull.base_sha } });
        base.clone_into(&mut pull.base);
        sha.clone_into(&mut pull.base_sha);
        let more = json!({ "changes": { "base": from } });
        self.emit_issue(name, "edited", number, login, more);
    }

    /// Replaces the labels by a JSON list of names or of objects with names; gives the old ones.
    pub(crate) fn set_labels(&mut self, name: &str, number: u64, wish: &Value) -> Vec<String> {
        let names = super::labels::names(wish);
        for label in &names {
            self.ensure_label(name, label);
        }
        let now = self.now();
        let repo = self.repo(name);
        repo.before_change();
        let Some(issue) = repo.issues.get_mut(&number) else {
            return Vec::new();
        };
        issue.touch(now);
        std::mem::replace(&mut issue.labels, names)
    }
}
