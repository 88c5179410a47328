//! Webhooks: deliveries signed with the subscriber's secret, made from the world's own state.

use crate::Inner;
use crate::github::{discussion, shape};
use crate::state::State;
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
}

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
        if let Some(action) = action {
            payload["action"] = json!(action);
        }
        payload["repository"] = shape::repository(self, repo);
        payload["sender"] = shape::user(&self.urls, login);
        self.outbox.push_back(Event { name, payload });
    }

    pub(crate) fn emit_pull(&mut self, repo: &str, action: &str, number: u64, login: &str) {
        if !self.is_heard() {
            return;
        }
        let pull = discussion::pull(self, repo, number);
        let payload = json!({ "number": number, "pull_request": pull });
        self.emit(repo, "pull_request", Some(action), payload, login);
    }

    pub(crate) fn emit_issue(&mut self, repo: &str, action: &str, number: u64, login: &str) {
        let payload = json!({ "issue": discussion::issue(self, repo, number) });
        self.emit(repo, "issues", Some(action), payload, login);
    }

    pub(crate) fn emit_comment(&mut self, repo: &str, action: &str, id: u64, login: &str) {
        let Some(comment) = self.repos.get(repo).and_then(|repo| repo.comments.get(&id)) else {
            return;
        };
        let issue = discussion::issue(self, repo, comment.issue);
        let payload =
            json!({ "issue": issue, "comment": discussion::comment(self, repo, comment) });
        self.emit(repo, "issue_comment", Some(action), payload, login);
    }
}

impl Inner {
    /// Sends what is in the outbox to those who subscribed, in order.
    pub(crate) fn deliver(&self) {
        let mut state = self.state();
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
            .header("user-agent", "GitHub-Hookshot/world")
            .header("x-github-event", delivery.event)
            .header("x-github-delivery", &delivery.id)
            .header("x-github-hook-id", delivery.hook.id.to_string())
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
