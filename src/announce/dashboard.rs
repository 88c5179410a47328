//! The dashboard issue in the world.

use crate::clients::github::{GithubError, Issue, Reader, Writer};
use crate::domain::{IssueNumber, RepoName, WatchName};
use crate::render::{dashboard_of, says_the_same};
use anyhow::{Context as _, Result};

/// Looks for the dashboard of `watch`, open or closed: an issue with its marker that the bot itself
/// opened. Of several the oldest counts.
///
/// # Errors
/// If GitHub could not be asked or understood.
pub async fn find(
    reader: &Reader,
    repository: &RepoName,
    watch: &WatchName,
) -> Result<Option<Issue>, GithubError> {
    let login = reader.fetch_login().await?;
    let issues = reader.fetch_issues_of(repository, &login).await?;
    Ok(issues.into_iter().find(|issue| dashboard_of(&issue.body).as_ref() == Some(watch)))
}

/// Opens the dashboard, and gives its number.
///
/// # Errors
/// If it was not opened, or nobody knows: then it is looked for before that is repeated.
pub async fn open(
    writer: &Writer,
    repository: &RepoName,
    title: &str,
    body: &str,
    labels: &[String],
) -> Result<IssueNumber> {
    let opened = writer.open_issue(repository, title, body, labels).await;
    Ok(opened.context("opening the dashboard issue")?.number)
}

/// Rewrites the body of the dashboard.
///
/// # Errors
/// If it was not rewritten, or nobody knows.
pub async fn edit(
    writer: &Writer,
    repository: &RepoName,
    number: IssueNumber,
    body: &str,
) -> Result<()> {
    let edited = writer.edit_issue(repository, number, body).await;
    edited.with_context(|| format!("rewriting the dashboard issue {number}"))?;
    Ok(())
}

/// Whether the dashboard says this already.
///
/// # Errors
/// If GitHub could not be asked or understood.
pub async fn says(
    reader: &Reader,
    repository: &RepoName,
    number: IssueNumber,
    body: &str,
) -> Result<bool> {
    let there = reader.fetch_issue_now(repository, number).await?;
    Ok(says_the_same(&there.body, body))
}
