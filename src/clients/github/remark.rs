//! Comments wherever they stand in a repository: those that were written since a time, and the newest
//! one that is looked for.

use super::{
    comment::{Comment, MAX_PAGES, Wire, WireUser, read},
    error::GithubError,
    json,
    reader::Reader,
};
use crate::domain::{RepoName, Timestamp};
use reqwest::Url;
use serde::Deserialize;
use std::ops::ControlFlow;

/// A comment anywhere in a repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remark {
    /// The comment.
    pub comment: Comment,
    /// Whether it stands within the diff of a pull request.
    pub review: bool,
    /// The issue or pull request.
    pub number: u64,
    /// Whether an App or another machine's account wrote it.
    pub bot: bool,
    /// When it was written.
    pub created_at: Timestamp,
    /// When it was last edited.
    pub updated_at: Timestamp,
}

#[derive(Deserialize)]
struct WireRemark {
    id: u64,
    node_id: String,
    body: Option<String>,
    user: Option<WireUser>,
    /// Of an issue or pull request, or of a pull request alone.
    #[serde(alias = "pull_request_url")]
    issue_url: String,
    created_at: String,
    updated_at: String,
}

fn read_remark(wire: WireRemark, review: bool) -> Result<Remark, GithubError> {
    let time = |text: &str| text.parse().map_err(|_| GithubError::malformed("a comment's time"));
    let number = wire.issue_url.rsplit('/').next().and_then(|number| number.parse().ok());
    let number = number.ok_or_else(|| GithubError::malformed("a comment on no issue"))?;
    let (created_at, updated_at) = (time(&wire.created_at)?, time(&wire.updated_at)?);
    let bot = wire.user.as_ref().is_some_and(|user| user.kind == "Bot");
    let comment =
        read(Wire { id: wire.id, node_id: wire.node_id, body: wire.body, user: wire.user });
    Ok(Remark { comment, review, number, bot, created_at, updated_at })
}

impl Reader {
    /// Fetches the comments anywhere in a repository that were written or edited since a time, the
    /// oldest first: those on issues and pull requests, or those within diffs.
    ///
    /// # Errors
    /// As [`GithubError`] says.
    pub async fn fetch_remarks(
        &self,
        repo: &RepoName,
        review: bool,
        since: Timestamp,
    ) -> Result<Vec<Remark>, GithubError> {
        let mut url = self.remarks_url(repo, review, "asc")?;
        url.query_pairs_mut().append_pair("since", &since.to_string());
        let mut remarks = Vec::new();
        self.walk(url, review, |remark| {
            remarks.push(remark);
            ControlFlow::Continue(())
        })
        .await?;
        Ok(remarks)
    }

    /// Looks for a comment anywhere in a repository, the one that was edited last first: among those on
    /// issues and pull requests, or those within diffs. No further back than 2,000 comments.
    ///
    /// # Errors
    /// As [`GithubError`] says.
    pub async fn find_remark(
        &self,
        repo: &RepoName,
        review: bool,
        is_it: impl Fn(&Remark) -> bool,
    ) -> Result<Option<Remark>, GithubError> {
        let url = self.remarks_url(repo, review, "desc")?;
        let mut found = None;
        self.walk(url, review, |remark| {
            if !is_it(&remark) {
                return ControlFlow::Continue(());
            }
            found = Some(remark);
            ControlFlow::Break(())
        })
        .await?;
        Ok(found)
    }

    /// Reads a list page after page, as far as it is to be followed, and as `visit` wants more.
    async fn walk(
        &self,
        url: Url,
        review: bool,
        mut visit: impl FnMut(Remark) -> ControlFlow<()>,
    ) -> Result<(), GithubError> {
        let page = |body: &[u8]| {
            for wire in json::list::<WireRemark>(body, "comment")? {
                if visit(read_remark(wire, review)?).is_break() {
                    return Ok(ControlFlow::Break(()));
                }
            }
            Ok(ControlFlow::Continue(()))
        };
        self.transport.walk(url, MAX_PAGES, "list of comments", page).await.map(drop)
    }

    fn remarks_url(
        &self,
        repo: &RepoName,
        review: bool,
        direction: &str,
    ) -> Result<Url, GithubError> {
        let kind = if review { "pulls" } else { "issues" };
        let mut url = self.transport.url(&format!("/repos/{repo}/{kind}/comments"))?;
        url.query_pairs_mut()
            .append_pair("sort", "updated")
            .append_pair("direction", direction)
            .append_pair("per_page", "100");
        Ok(url)
    }
}
