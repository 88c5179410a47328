//! The dashboard issue, as it is now.

use super::{Sources, releases::whole};
use crate::announce;
use crate::clients::github::{GithubError, Issue, Reader};
use crate::config::Watch;
use crate::domain::{Cached, Fetched, IssueNumber};
use anyhow::Result;

/// What a look at the dashboard gave.
#[derive(Debug, Default)]
pub struct DashboardSeen {
    /// The issue; `None` if there is none.
    pub issue: Option<Issue>,
    /// Its body, if it is new.
    pub fresh: Option<Cached>,
}

/// Reads the dashboard; `known` is its number where it is remembered. One that was deleted or moved
/// away is looked for as if it had never been known.
pub(super) async fn observe(
    sources: &Sources,
    watch: &Watch,
    known: Option<IssueNumber>,
) -> Result<DashboardSeen> {
    let repo = &watch.downstream.repository;
    if let Some(number) = known
        && let Some(seen) = known_one(sources, watch, number).await?
    {
        return Ok(seen);
    }
    let issue = announce::find(&sources.github, repo, &watch.name).await?;
    Ok(DashboardSeen { issue, fresh: None })
}

async fn known_one(
    sources: &Sources,
    watch: &Watch,
    number: IssueNumber,
) -> Result<Option<DashboardSeen>> {
    let repo = &watch.downstream.repository;
    let cached = sources.cached(&sources.github.issue_url(repo, number)?).await?;
    let fetched = match sources.github.fetch_issue(repo, number, cached.as_ref()).await {
        Err(GithubError::NotFound { .. }) => return Ok(None),
        fetched => fetched?,
    };
    let fresh = match &fetched {
        Fetched::Fresh(fresh) => Some(fresh.clone()),
        Fetched::NotModified => None,
    };
    let body = whole(fetched, cached, &mut super::Gathered::default())?;
    let issue = Reader::parse_issue(&body.body)?;
    Ok(issue.is_in(repo).then_some(DashboardSeen { issue: Some(issue), fresh }))
}
