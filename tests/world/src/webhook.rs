//! Webhooks: deliveries signed with the subscriber's secret, made from the world's own state.

use crate::Inner;
use crate::github::{discussion, shape};
use crate::state::{Repo, State};
use crate::wire::hex;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;
use tokio::sync::mpsc;

/// Somebody who wants to hear of events.
#[derive(Debug, Clone)]
pub(crate) struct Hook {
    pub(crate) id: u64,
    pub(crate) url: String,
    pub(crate) secret: String,
    pub(crate) events: Vec<String>,
}

/// Something that happened.
#[derive(Debug, Clone)]
pub(crate) struct Event {
    pub(crate) name: &'static str,
    pub(crate) payload: Value,
}

/// One event on its way to one subscriber.
#[derive(Debug, Clone)]
pub(crate) struct Delivery {
    pub(crate) hook: Hook,
    pub(crate) id: String,
    pub(crate) event: &'static str,
    pub(crate) body: String,
    /// The id of the repository that it is about.
    pub(crate) target: u64,
}

/// Every event that the world tells of, with its action if it has one.
pub const EVENTS: &[(&str, &str)] = &[
    ("issue_comment", "created"),
    ("issue_comment", "deleted"),
    ("issue_comment", "edited"),
    ("issues", "closed"),
    ("issues", "edited"),
    ("issues", "labeled"),
    ("issues", "opened"),
    ("issues", "reopened"),
    ("issues", "unlabeled"),
    ("pull_request", "closed"),
    ("pull_request", "converted_to_draft"),
    ("pull_request", "edited"),
    ("pull_request", "labeled"),
    ("pull_request", "opened"),
    ("pull_request", "ready_for_review"),
    ("pull_request", "reopened"),
    ("pull_request", "synchronize"),
    ("pull_request", "unlabeled"),
    ("pull_request_review_comment", "created"),
    ("pull_request_review_comment", "edited"),
    ("push", ""),
    ("release", "created"),
    ("release", "edited"),
    ("release", "prereleased"),
    ("release", "published"),
    ("release", "released"),
];

impl State {
    /// Whether anybody wants to hear of anything: describing an event costs a few git processes.
    pub(crate) fn is_heard(&self) -> bool {
        !self.hooks.is_empty()
    }

    /// Puts an event into the outbox; `Inner::deliver` sends it.
    pub(crate) fn emit(
        &mut self,
        repo: &str,
        name: &'static str,
        action: Option<&str>,
        mut payload: Value,
        login: &str,
    ) {
        if !self.is_heard() {
            return;
        }
        let known = (name, action.unwrap_or_default());
        assert!(EVENTS.contains(&known), "{known:?} is missing among the world's events");
        if let Some(action) = action {
            payload["action"] = json!(action);
        }
        let owner = repo.split('/').next().unwrap_or_default();
        if payload["repository"].is_null() {
            payload["repository"] = shape::repository(self, repo);
        }
        payload["repository"]["custom_properties"] = json!({});
        payload["organization"] = shape::organization(&self.urls, owner);
        payload["sender"] = shape::user(&self.urls, login);
        self.outbox.push_back(Event { name, payload });
    }

    /// Tells of a pull request or an issue, whichever it is, with what else there is to tell.
    pub(crate) fn emit_issue(
        &mut self,
        repo: &str,
        action: &str,
        number: u64,
        login: &str,
        mut more: Value,
    ) {
        self.remember_event(repo, action, number);
        if !self.is_heard() {
            return;
        }
        let pull = discussion::pull(self, repo, number);
        if pull.is_null() {
            more["issue"] = told_issue(discussion::issue(self, repo, number));
            self.emit(repo, "issues", Some(action), more, login);
        } else {
            more["number"] = json!(number);
            more["pull_request"] = told_pull(pull);
            self.emit(repo, "pull_request", Some(action), more, login);
        }
    }

    fn remember_event(&mut self, repo: &str, action: &str, number: u64) {
        let issue = self.repos[repo].issues.get(&number);
        if repo == self.downstream && issue.is_some_and(|issue| issue.pull.is_some()) {
            self.pull_events.push((number, action.to_owned()));
        }
    }

    /// Tells of labels that were put on and taken off, each by itself.
    pub(crate) fn emit_labels(&mut self, repo: &str, number: u64, before: &[String], login: &str) {
        let now = self.repos[repo].issues.get(&number);
        let now = now.map_or_else(Vec::new, |issue| issue.labels.clone());
        let off =
            before.iter().filter(|label| !now.contains(label)).map(|label| ("unlabeled", label));
        let on = now.iter().filter(|label| !before.contains(label)).map(|label| ("labeled", label));
        for (action, label) in off.chain(on) {
            let label = shape::labels(self, repo, std::slice::from_ref(label));
            self.emit_issue(repo, action, number, login, json!({ "label": label[0] }));
        }
    }

    /// Tells of a comment, with what else there is to tell.
    pub(crate) fn emit_comment(
        &mut self,
        repo: &str,
        action: &str,
        id: u64,
        login: &str,
        mut more: Value,
    ) {
        let Some(comment) = self.repos.get(repo).and_then(|repo| repo.comments.get(&id)) else {
            return;
        };
        let issue = told_issue(discussion::issue(self, repo, comment.issue));
        more["comment"] = discussion::comment(self, repo, comment);
        more["issue"] = issue;
        self.emit(repo, "issue_comment", Some(action), more, login);
    }
}

impl State {
    /// Tells of a comment within a diff, with what else there is to tell.
    pub(crate) fn emit_remark(
        &mut self,
        repo: &str,
        action: &str,
        id: u64,
        login: &str,
        mut more: Value,
    ) {
        if !self.is_heard() {
            return;
        }
        let Some(comment) = self.repos.get(repo).and_then(|repo| repo.comments.get(&id)) else {
            return;
        };
        let mut pull = told_pull(discussion::pull(self, repo, comment.issue));
        more["comment"] = discussion::remark(self, repo, comment);
        if let Some(fields) = pull.as_object_mut() {
            // The pull request as lists show it.
            for field in [
                "additions",
                "changed_files",
                "comments",
                "commits",
                "deletions",
                "maintainer_can_modify",
                "mergeable",
                "mergeable_state",
                "merged",
                "merged_by",
                "rebaseable",
                "review_comments",
            ] {
                fields.remove(field);
            }
        }
        more["pull_request"] = pull;
        self.emit(repo, "pull_request_review_comment", Some(action), more, login);
    }
}

/// An issue, to which webhooks have ways of their own: it is a draft or not, whatever it is.
fn told_issue(mut issue: Value) -> Value {
    if issue["draft"].is_null() {
        issue["draft"] = json!(false);
    }
    if let Some(fields) = issue.as_object_mut() {
        fields.remove("closed_by");
    }
    issue
}

/// A pull request, whose repositories webhooks tell with their settings.
fn told_pull(mut pull: Value) -> Value {
    for end in ["head", "base"] {
        let repo = &mut pull[end]["repo"];
        repo["custom_properties"] = json!({});
        for (setting, is) in [
            ("allow_merge_commit", true),
            ("allow_rebase_merge", true),
            ("allow_squash_merge", true),
            ("delete_branch_on_merge", false),
        ] {
            repo[setting] = json!(is);
        }
    }
    pull
}

impl Inner {
    /// Ends what was begun, and sends what is in the outbox to those who subscribed, in order.
    pub(crate) fn deliver(&self) {
        let mut state = self.state();
        state.repos.values_mut().for_each(Repo::written);
        while let Some(event) = state.outbox.pop_front() {
            let wanted = |hook: &&Hook| hook.events.iter().any(|name| name == event.name);
            let hooks: Vec<Hook> = state.hooks.iter().filter(wanted).cloned().collect();
            for hook in hooks {
                let number = state.id();
                let delivery = Delivery {
                    hook,
                    id: format!("00000000-0000-4000-8000-{number:012}"),
                    event: event.name,
                    body: event.payload.to_string(),
                    target: event.payload["repository"]["id"].as_u64().unwrap_or_default(),
                };
                self.send(delivery);
            }
        }
    }

    /// Queues one delivery, and remembers it as the last.
    pub(crate) fn send(&self, delivery: Delivery) {
        *self.last_delivery() = Some(delivery.clone());
        // Nobody listens any more when the world is being dropped.
        let _ = self.deliveries.send(delivery);
    }
}

/// Sends deliveries one after the other. As GitHub does, it sends each once, whatever comes back.
pub(crate) async fn courier(mut queue: mpsc::UnboundedReceiver<Delivery>) {
    let mut client = None;
    while let Some(delivery) = queue.recv().await {
        let client = client.get_or_insert_with(reqwest::Client::new);
        let request = client
            .post(&delivery.hook.url)
            .header("content-type", "application/json")
            .header("accept", "*/*")
            .header("user-agent", "GitHub-Hookshot/044aadd")
            .header("x-github-event", delivery.event)
            .header("x-github-delivery", &delivery.id)
            .header("x-github-hook-id", delivery.hook.id.to_string())
            .header("x-github-hook-installation-target-id", delivery.target.to_string())
            .header("x-github-hook-installation-target-type", "repository")
            .header(
                "x-hub-signature-256",
                signature(&delivery.hook.secret, delivery.body.as_bytes()),
            )
            .timeout(std::time::Duration::from_secs(10))
            .body(delivery.body.clone());
        // A lost webhook costs its receiver latency; the sender does not care.
        let _ = request.send().await;
    }
}

/// GitHub's signature of a body.
pub(crate) fn signature(secret: &str, body: &[u8]) -> String {
    let mut mac =
        Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("any length of key will do");
    mac.update(body);
    format!("sha256={}", hex(&mac.finalize().into_bytes()))
}
