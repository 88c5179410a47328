//! The upstream's security advisories.

use super::{Ask, page};
use crate::World;
use crate::npm::PACKAGE;
use crate::wire::Answer;
use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Value, json};

/// A published advisory.
#[derive(Debug, Clone)]
pub(crate) struct Advisory {
    id: String,
    range: String,
    published_at: DateTime<Utc>,
    withdrawn: bool,
}

impl World {
    /// Publishes a security advisory about the upstream's versions in `range`, such as
    /// `>= 3.0.0, < 3.10.1`; gives its id.
    #[must_use]
    pub fn publish_advisory(&self, range: &str) -> String {
        let mut state = self.inner.state();
        let (number, published_at) = (state.id(), state.now());
        let id = format!("GHSA-wrld-wrld-{number:04}");
        let range = range.to_owned();
        state.advisories.push(Advisory { id: id.clone(), range, published_at, withdrawn: false });
        id
    }

    /// Withdraws an advisory: it is no longer among those that are published.
    pub fn withdraw_advisory(&self, id: &str) {
        let mut state = self.inner.state();
        for advisory in state.advisories.iter_mut().filter(|advisory| advisory.id == id) {
            advisory.withdrawn = true;
        }
    }
}

pub(crate) fn route(ask: &mut Ask<'_>, method: &str, rest: &[&str]) -> Option<Answer> {
    match (method, rest) {
        ("GET", ["security-advisories"]) => Some(list(ask)),
        _ => None,
    }
}

fn list(ask: &mut Ask<'_>) -> Answer {
    let wanted = ask.call.parameter("state");
    let state = |advisory: &Advisory| if advisory.withdrawn { "withdrawn" } else { "published" };
    let ours = ask.name == ask.state.upstream;
    let shown =
        ask.state.advisories.iter().rev().filter(|advisory| {
            ours && wanted.as_ref().is_none_or(|wanted| wanted == state(advisory))
        });
    let shown: Vec<Value> = shown.map(|advisory| shape(ask, advisory, state(advisory))).collect();
    page(ask, &shown)
}

fn shape(ask: &Ask<'_>, advisory: &Advisory, state: &str) -> Value {
    let at = advisory.published_at.to_rfc3339_opts(SecondsFormat::Secs, true);
    let Advisory { id, range, .. } = advisory;
    json!({
        "ghsa_id": id,
        "cve_id": null,
        "url": ask.api(&format!("security-advisories/{id}")),
        "html_url": ask.web(&format!("security/advisories/{id}")),
        "summary": "Somebody can do what nobody should",
        "description": "In some versions.",
        "severity": "high",
        "author": null,
        "publisher": null,
        "identifiers": [{ "type": "GHSA", "value": id }],
        "state": state,
        "created_at": at,
        "updated_at": at,
        "published_at": at,
        "closed_at": null,
        "withdrawn_at": advisory.withdrawn.then_some(&at),
        "submission": null,
        "vulnerabilities": [{
            "package": { "ecosystem": "npm", "name": PACKAGE },
            "vulnerable_version_range": range,
            "patched_versions": null,
            "vulnerable_functions": [],
        }],
        "cvss": null,
        "cwes": [],
        "cwe_ids": [],
        "credits": [],
        "credits_detailed": [],
        "collaborating_users": [],
        "collaborating_teams": [],
        "private_fork": null,
    })
}
