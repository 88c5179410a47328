//! What the bot writes at GitHub. Each call sends one request, once. An error that leaves the
//! outcome open ([`GithubError::outcome_unknown`]) has to be probed before anything is repeated.

use super::{error::GithubError, json as bodies, pull, pull::Pull, transport::Transport};
use crate::domain::{BranchName, PullNumber, RepoName};
use http::{Method, StatusCode};
use serde_json::json;

/// Writes, and does nothing else.
#[derive(Debug, Clone)]
pub struct Writer {
    pub(super) transport: Transport,
}

impl Writer {
    pub(super) fn new(transport: Transport) -> Self {
        Self { transport }
    }

    /// Opens a pull request inside `repo`, from `branch` into `base`.
    ///
    /// # Errors
    /// As [`GithubError`] says; [`GithubError::Rejected`] if there is an open one already, or
    /// nothing to merge.
    pub async fn open_pull(
        &self,
        repo: &RepoName,
        base: &BranchName,
        branch: &BranchName,
        title: &str,
        body: &str,
        draft: bool,
    ) -> Result<Pull, GithubError> {
        let path = format!("/repos/{repo}/pulls");
        let text = json!({
            "title": title,
            "body": body,
            "head": branch,
            "base": base,
            "draft": draft,
        });
        let answer = self.transport.write(Method::POST, &path, &text, "repository").await?;
        if answer.status != StatusCode::CREATED {
            return Err(GithubError::malformed(format!(
                "status {} for a pull request that was to be created",
                answer.status.as_u16()
            )));
        }
        pull::parse_one(&answer.body)
    }

    /// Rewrites a pull request's title and body, and closes it in the same step if asked.
    ///
    /// # Errors
    /// As [`GithubError`] says.
    pub async fn edit_pull(
        &self,
        repo: &RepoName,
        number: PullNumber,
        title: &str,
        body: &str,
        close: bool,
    ) -> Result<Pull, GithubError> {
        let path = format!("/repos/{repo}/pulls/{}", number.0);
        let mut text = json!({ "title": title, "body": body });
        if close {
            text["state"] = "closed".into();
        }
        let answer = self.transport.write(Method::PATCH, &path, &text, "pull request").await?;
        pull::parse_one(&answer.body)
    }

    /// Puts labels on a pull request; those that it has already stay.
    ///
    /// # Errors
    /// As [`GithubError`] says.
    pub async fn add_labels(
        &self,
        repo: &RepoName,
        number: PullNumber,
        labels: &[String],
    ) -> Result<(), GithubError> {
        let path = format!("/repos/{repo}/issues/{}/labels", number.0);
        let text = json!({ "labels": labels });
        let answer = self.transport.write(Method::POST, &path, &text, "pull request").await?;
        bodies::check_list(&answer.body, "label")
    }
}
