//! Comments wherever they stand in a repository: those that were written since a time, and the newest
//! one that is looked for; and whether one was edited.

use super::{
    comment::{Comment, MAX_PAGES, Wire, WireUser, read},
    error::GithubError,
    graphql, json,
    reader::Reader,
};
use crate::domain::{RepoName, Timestamp};
use reqwest::Url;
use serde::Deserialize;
use serde_json::json;
use std::ops::ControlFlow;

const PUBLISHED: &str = "query($id: ID!) { comment: node(id: $id) { \
    ... on IssueComment { lastEditedAt } \
    ... on PullRequestReviewComment { lastEditedAt publishedAt } } }";

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
    /// When it was written; within a diff that may be long before others see it.
    pub created_at: Timestamp,
    /// When it was last edited, or published.
    pub updated_at: Timestamp,
}

/// Comments of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remarks {
    /// Those that were read, in the list's order.
    pub remarks: Vec<Remark>,
    /// Whether nothing follows.
    pub whole: bool,
}

/// How a comment came to be what it says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Publication {
    /// Whether it was edited since others see it.
    pub edited: bool,
    /// When others came to see it; `None` where that is when it was written.
    pub published_at: Option<Timestamp>,
}

#[derive(Deserialize)]
struct Seen {
    comment: Option<WirePublication>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WirePublication {
    last_edited_at: Option<String>,
    published_at: Option<String>,
}

fn time(text: &str) -> Result<Timestamp, GithubError> {
    text.parse().map_err(|_| GithubError::malformed("a comment's time"))
}

fn read_publication(seen: Seen) -> Result<Publication, GithubError> {
    let wire = seen.comment;
    let wire =
        wire.ok_or_else(|| GithubError::malformed("a GraphQL answer without its comment"))?;
    let edited_at = wire.last_edited_at.as_deref().map(time).transpose()?;
    let published_at = wire.published_at.as_deref().map(time).transpose()?;
    // What was edited while the review was pending, nobody has seen otherwise.
    let edited = edited_at.is_some_and(|at| published_at.is_none_or(|published| at > published));
    Ok(Publication { edited, published_at })
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
    in_reply_to_id: Option<u64>,
    created_at: String,
    updated_at: String,
}

fn read_remark(wire: WireRemark, review: bool) -> Result<Remark, GithubError> {
    let number = wire.issue_url.rsplit('/').next().and_then(|number| number.parse().ok());
    let number = number.ok_or_else(|| GithubError::malformed("a comment on no issue"))?;
    let (created_at, updated_at) = (time(&wire.created_at)?, time(&wire.updated_at)?);
    let bot = wire.user.as_ref().is_some_and(|user| user.kind == "Bot");
    let comment = read(Wire {
        id: wire.id,
        node_id: wire.node_id,
        body: wire.body,
        user: wire.user,
        in_reply_to_id: wire.in_reply_to_id,
    });
    Ok(Remark { comment, review, number, bot, created_at, updated_at })
}

impl Reader {
    /// Fetches the comments anywhere in a repository that were written or edited since a time, the
    /// oldest first: those on issues and pull requests, or those within diffs. No more than 2,000.
    ///
    /// # Errors
    /// As [`GithubError`] says.
    pub async fn fetch_remarks(
        &self,
        repo: &RepoName,
        review: bool,
        since: Timestamp,
    ) -> Result<Remarks, GithubError> {
        let mut url = self.remarks_url(repo, review, "asc")?;
        url.query_pairs_mut().append_pair("since", &since.to_string());
        let mut remarks = Vec::new();
        let whole = self.walk(url, review, |remark| {
            remarks.push(remark);
            ControlFlow::Continue(())
        });
        let whole = whole.await?;
        Ok(Remarks { remarks, whole })
    }

    /// Asks when the comment with this node id was published, and whether it was edited: REST tells
    /// the one and the other by one time.
    ///
    /// # Errors
    /// As [`GithubError`] says; [`GithubError::NotFound`] if it was deleted.
    pub async fn fetch_publication(&self, node_id: &str) -> Result<Publication, GithubError> {
        let variables = json!({ "id": node_id });
        let seen = graphql::ask(&self.transport, PUBLISHED, variables, "comment").await?;
        read_publication(seen)
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
    /// Whether the list's end was reached.
    async fn walk(
        &self,
        url: Url,
        review: bool,
        mut visit: impl FnMut(Remark) -> ControlFlow<()>,
    ) -> Result<bool, GithubError> {
        let page = |body: &[u8]| {
            for wire in json::list::<WireRemark>(body, "comment")? {
                if visit(read_remark(wire, review)?).is_break() {
                    return Ok(ControlFlow::Break(()));
                }
            }
            Ok(ControlFlow::Continue(()))
        };
        self.transport.walk(url, MAX_PAGES, "list of comments", page).await
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_others_saw_before_was_edited() {
        let told = |comment: serde_json::Value| {
            let seen = serde_json::from_value(json!({ "comment": comment })).unwrap();
            read_publication(seen)
        };
        let (early, late) = ("2026-06-12T08:00:00Z", "2026-06-12T08:05:00Z");
        for (comment, edited, published) in [
            (json!({"lastEditedAt": null}), false, None),
            (json!({"lastEditedAt": late}), true, None),
            (json!({"lastEditedAt": null, "publishedAt": late}), false, Some(late)),
            (json!({"lastEditedAt": early, "publishedAt": late}), false, Some(late)),
            (json!({"lastEditedAt": late, "publishedAt": early}), true, Some(early)),
        ] {
            let published_at = published.map(|text| text.parse().unwrap());
            assert_eq!(told(comment).unwrap(), Publication { edited, published_at });
        }
        assert!(told(json!(null)).is_err());
        assert!(told(json!({"lastEditedAt": "yesterday"})).is_err());
    }
}
