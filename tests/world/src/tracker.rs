//! What people do with the downstream's issues, and what they see there.

use crate::World;
use crate::state::Issue;
use serde_json::json;

/// The person who edits in tests.
const MAINTAINER: &str = "maya";

/// An issue of the downstream that is no pull request, as it is now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ticket {
    /// Its number.
    pub number: u64,
    /// Its title.
    pub title: String,
    /// Its body in Markdown; empty if it has none.
    pub body: String,
    /// Whether it is open.
    pub open: bool,
    /// Its labels' names.
    pub labels: Vec<String>,
    /// Who opened it.
    pub author: String,
}

impl World {
    /// All issues of the downstream that are no pull requests, the oldest first.
    #[must_use]
    pub fn issues(&self) -> Vec<Ticket> {
        let ticket = |issue: &Issue| Ticket {
            number: issue.number,
            title: issue.title.clone(),
            body: issue.body.clone().unwrap_or_default(),
            open: issue.open,
            labels: issue.labels.clone(),
            author: issue.author.clone(),
        };
        self.downstream(|state, name| {
            let issues = state.repos[name].issues.values();
            issues.filter(|issue| issue.pull.is_none()).map(ticket).collect()
        })
    }

    /// Renames an issue or pull request, as a person does.
    pub fn retitle(&self, number: u64, title: &str) {
        let wish = json!({ "title": title });
        self.downstream(|state, name| state.retitle(name, number, &wish, MAINTAINER));
    }

    /// Deletes an issue, as an administrator can.
    pub fn delete_issue(&self, number: u64) {
        self.downstream(|state, name| {
            let repo = state.repo(name);
            repo.before_change();
            if repo.issues.remove(&number).is_some() {
                repo.deleted_issues.insert(number);
            }
        });
    }

    /// Disables the downstream's issues in its settings, or enables them again. Pull requests stay.
    pub fn disable_issues(&self, disabled: bool) {
        self.downstream(|state, name| state.repo(name).issues_disabled = disabled);
    }
}
