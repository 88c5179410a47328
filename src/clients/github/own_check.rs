//! The bot's own word on a commit: a check run where it is an App, and a commit status elsewhere.

use super::{
    checks::{CheckRun, WireId},
    error::GithubError,
    json,
    reader::Reader,
    writer::Writer,
};
use crate::domain::{CommitId, OwnCheck, OwnReport, RepoName};
use http::Method;
use serde_json::{Value, json};

/// What the external id of each check run of the bot's begins with, whatever the run is called.
const MARK: &str = "digest-bump";

impl Reader {
    /// Looks for the bot's own check run of a commit, which is called `name`: the newest.
    ///
    /// # Errors
    /// As [`GithubError`] says.
    pub async fn fetch_own_check(
        &self,
        repo: &RepoName,
        commit: &CommitId,
        name: &str,
    ) -> Result<Option<CheckRun>, GithubError> {
        let runs = self.fetch_check_runs(repo, commit, Some(name)).await?;
        Ok(runs.into_iter().rev().find(|run| self.is_own(run, commit)))
    }

    /// Whether the bot is a GitHub App.
    #[must_use]
    pub const fn is_app(&self) -> bool {
        self.app.is_some()
    }

    /// Whether a check run of this commit is the bot's own, whatever it is called. Another App may use
    /// the same name.
    #[must_use]
    pub fn is_own(&self, run: &CheckRun, commit: &CommitId) -> bool {
        run.external_id == external_id(commit) && (self.app.is_none() || run.app == self.app)
    }
}

impl Writer {
    /// Makes the bot's check run of a commit, or rewrites the one with the id `own`; gives its id.
    /// GitHub lets only Apps do so.
    ///
    /// # Errors
    /// As [`GithubError`] says; [`GithubError::Denied`] if the token is no App's.
    pub async fn report_check(
        &self,
        repo: &RepoName,
        own: Option<u64>,
        commit: &CommitId,
        report: &OwnReport,
    ) -> Result<u64, GithubError> {
        let OwnReport { name, state, title, page, summary, text: printed, .. } = report;
        let summary = if summary.is_empty() { title } else { summary };
        let mut text = json!({
            "name": name,
            "external_id": external_id(commit),
            // An empty text takes away that of an earlier run.
            "output": { "title": title, "summary": summary, "text": printed },
        });
        if let Some(page) = page {
            text["details_url"] = json!(page);
        }
        if let Some(at) = report.started_at {
            text["started_at"] = at.to_string().into();
        }
        match conclusion(*state) {
            None => text["status"] = run_status(*state).into(),
            Some(conclusion) => {
                text["conclusion"] = conclusion.into();
                if let Some(at) = report.completed_at {
                    text["completed_at"] = at.to_string().into();
                }
            }
        }
        let runs = format!("/repos/{repo}/check-runs");
        let answer = if let Some(id) = own {
            let path = format!("{runs}/{id}");
            self.transport.write(Method::PATCH, &path, &text, "check run").await?
        } else {
            text["head_sha"] = json!(commit);
            self.transport.write(Method::POST, &runs, &text, "repository").await?
        };
        Ok(json::object::<WireId>(&answer.body, "check run")?.id)
    }

    /// Sets the bot's commit status.
    ///
    /// # Errors
    /// As [`GithubError`] says.
    pub async fn set_status(
        &self,
        repo: &RepoName,
        commit: &CommitId,
        report: &OwnReport,
    ) -> Result<(), GithubError> {
        let path = format!("/repos/{repo}/statuses/{commit}");
        let OwnReport { name, state, title, page, .. } = report;
        let mut text =
            json!({ "state": status(*state), "context": name, "description": short(title) });
        if let Some(page) = page {
            text["target_url"] = json!(page);
        }
        let answer = self.transport.write(Method::POST, &path, &text, "commit").await?;
        json::object::<Value>(&answer.body, "commit status").map(drop)
    }
}

/// By what the bot knows its own check run again.
fn external_id(commit: &CommitId) -> String {
    format!("{MARK} {commit}")
}

/// The status of a check run that says this.
#[must_use]
pub const fn run_status(state: OwnCheck) -> &'static str {
    match state {
        OwnCheck::Queued => "queued",
        OwnCheck::Running => "in_progress",
        OwnCheck::Success | OwnCheck::Failure | OwnCheck::Neutral => "completed",
    }
}

/// The conclusion of a check run that says this; `None` until it has one.
#[must_use]
pub const fn conclusion(state: OwnCheck) -> Option<&'static str> {
    match state {
        OwnCheck::Queued | OwnCheck::Running => None,
        OwnCheck::Success => Some("success"),
        OwnCheck::Failure => Some("failure"),
        OwnCheck::Neutral => Some("neutral"),
    }
}

/// The state of a commit status that says this. It knows no word for having found nothing out.
#[must_use]
pub const fn status(state: OwnCheck) -> &'static str {
    match state {
        OwnCheck::Queued | OwnCheck::Running => "pending",
        OwnCheck::Success => "success",
        OwnCheck::Failure => "failure",
        OwnCheck::Neutral => "error",
    }
}

/// GitHub takes 140 characters.
#[must_use]
pub fn short(title: &str) -> String {
    title.chars().take(140).collect()
}
