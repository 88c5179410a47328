//! Comments on issues and pull requests, and the commits that a comment tells of.

use super::{error::GithubError, json, reaction::place, reader::Reader, writer::Writer};
use crate::domain::{CommandSource, CommitId, IssueNumber, PullNumber, RepoName};
use http::{HeaderMap, Method, StatusCode};
use serde::Deserialize;
use serde_json::json;

/// 100 comments to a page: nobody reads a longer discussion, and the bot's words are near its begin.
pub(super) const MAX_PAGES: usize = 20;

/// A comment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comment {
    /// GitHub's id of it.
    pub id: u64,
    /// What GraphQL calls it.
    pub node_id: String,
    /// The login of who wrote it; `None` if the account is deleted.
    pub author: Option<String>,
    /// The text in Markdown. Foreign text, unless the bot wrote it.
    pub body: String,
    /// The comment within a diff that began the thread, if this one is a reply: only there a reply may
    /// be written.
    pub thread: Option<u64>,
}

/// A commit of a pull request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PullCommit {
    /// Its id.
    pub id: CommitId,
    /// The first line of its message. Foreign text.
    pub title: String,
    /// The name of its author. Foreign text.
    pub author: String,
}

#[derive(Deserialize)]
pub(super) struct Wire {
    pub(super) id: u64,
    pub(super) node_id: String,
    pub(super) body: Option<String>,
    pub(super) user: Option<WireUser>,
    pub(super) in_reply_to_id: Option<u64>,
}

#[derive(Deserialize)]
pub(super) struct WireUser {
    login: String,
    #[serde(default, rename = "type")]
    pub(super) kind: String,
}

#[derive(Deserialize)]
struct WireCommit {
    sha: String,
    commit: WireInner,
}

#[derive(Deserialize)]
struct WireInner {
    message: String,
    author: Option<WireAuthor>,
}

#[derive(Deserialize)]
struct WireAuthor {
    name: Option<String>,
}

pub(super) fn read(wire: Wire) -> Comment {
    let author = wire.user.map(|user| user.login);
    let body = wire.body.unwrap_or_default();
    let (id, node_id, thread) = (wire.id, wire.node_id, wire.in_reply_to_id);
    Comment { id, node_id, author, body, thread }
}

fn read_commit(wire: WireCommit) -> Result<PullCommit, GithubError> {
    let id = wire.sha.parse();
    let author = wire.commit.author.and_then(|author| author.name);
    Ok(PullCommit {
        id: id.map_err(|_| GithubError::malformed("a commit whose id is none"))?,
        title: wire.commit.message.lines().next().unwrap_or_default().to_owned(),
        author: author.unwrap_or_default(),
    })
}

impl Reader {
    /// Fetches the comments on an issue or pull request, the oldest first; those within the diff of
    /// a pull request are none of them.
    ///
    /// # Errors
    /// As [`GithubError`] says.
    pub async fn fetch_comments(
        &self,
        repo: &RepoName,
        number: PullNumber,
    ) -> Result<Vec<Comment>, GithubError> {
        let path = format!("/repos/{repo}/issues/{}/comments?per_page=100", number.0);
        self.fetch_comment_pages(&path).await
    }

    async fn fetch_comment_pages(&self, path: &str) -> Result<Vec<Comment>, GithubError> {
        let url = self.transport.url(path)?;
        let parse = |body: &[u8]| {
            let comments = json::list::<Wire>(body, "comment")?;
            Ok(comments.into_iter().map(read).collect())
        };
        Ok(self.transport.list(url, MAX_PAGES, "pull request", parse).await?.what_was_read())
    }

    /// Fetches the comments within the diff of a pull request, the oldest first.
    ///
    /// # Errors
    /// As [`GithubError`] says.
    pub async fn fetch_review_comments(
        &self,
        repo: &RepoName,
        number: IssueNumber,
    ) -> Result<Vec<Comment>, GithubError> {
        let path = format!("/repos/{repo}/pulls/{}/comments?per_page=100", number.0);
        self.fetch_comment_pages(&path).await
    }

    /// Fetches the text of one comment as it is now.
    ///
    /// # Errors
    /// As [`GithubError`] says; [`GithubError::NotFound`] if it was deleted.
    pub async fn fetch_comment(
        &self,
        repo: &RepoName,
        of: &CommandSource,
    ) -> Result<Comment, GithubError> {
        let place = place(of).ok_or_else(|| GithubError::malformed("no comment to read"))?;
        let url = self.transport.url(&format!("/repos/{repo}/{place}"))?;
        let answer = self.transport.get(&url, &HeaderMap::new(), "comment").await?;
        Ok(read(json::object(&answer.body, "comment")?))
    }

    /// Fetches the commits of a pull request, the oldest first; GitHub lists 250 at most.
    ///
    /// # Errors
    /// As [`GithubError`] says.
    pub async fn fetch_pull_commits(
        &self,
        repo: &RepoName,
        number: PullNumber,
    ) -> Result<Vec<PullCommit>, GithubError> {
        let path = format!("/repos/{repo}/pulls/{}/commits?per_page=100", number.0);
        let url = self.transport.url(&path)?;
        let parse = |body: &[u8]| {
            let commits = json::list::<WireCommit>(body, "commit")?;
            commits.into_iter().map(read_commit).collect()
        };
        Ok(self.transport.list(url, MAX_PAGES, "pull request", parse).await?.what_was_read())
    }
}

impl Writer {
    /// Comments on an issue or pull request; gives the comment.
    ///
    /// # Errors
    /// As [`GithubError`] says.
    pub async fn comment(
        &self,
        repo: &RepoName,
        number: PullNumber,
        body: &str,
    ) -> Result<Comment, GithubError> {
        let path = format!("/repos/{repo}/issues/{}/comments", number.0);
        let text = json!({ "body": body });
        let answer = self.transport.write(Method::POST, &path, &text, "pull request").await?;
        if answer.status != StatusCode::CREATED {
            let status = answer.status.as_u16();
            let what = format!("status {status} for a comment that was to be created");
            return Err(GithubError::malformed(what));
        }
        Ok(read(json::object(&answer.body, "comment")?))
    }

    /// Answers the comment that began a thread within a diff; gives the answer. GitHub supports no
    /// replies to replies.
    ///
    /// # Errors
    /// As [`GithubError`] says; [`GithubError::NotFound`] if that comment was deleted.
    pub async fn reply(
        &self,
        repo: &RepoName,
        number: IssueNumber,
        to: u64,
        body: &str,
    ) -> Result<Comment, GithubError> {
        let path = format!("/repos/{repo}/pulls/{}/comments/{to}/replies", number.0);
        let text = json!({ "body": body });
        let answer = self.transport.write(Method::POST, &path, &text, "comment").await?;
        Ok(read(json::object(&answer.body, "comment")?))
    }

    /// Rewrites a comment.
    ///
    /// # Errors
    /// As [`GithubError`] says; [`GithubError::NotFound`] if it was deleted.
    pub async fn edit_comment(
        &self,
        repo: &RepoName,
        of: &CommandSource,
        body: &str,
    ) -> Result<(), GithubError> {
        let place = place(of).ok_or_else(|| GithubError::malformed("no comment to rewrite"))?;
        let path = format!("/repos/{repo}/{place}");
        let text = json!({ "body": body });
        self.transport.write(Method::PATCH, &path, &text, "comment").await?;
        Ok(())
    }

    /// Takes a label off an issue or pull request.
    ///
    /// # Errors
    /// As [`GithubError`] says; [`GithubError::NotFound`] if it does not have it.
    pub async fn remove_label(
        &self,
        repo: &RepoName,
        number: PullNumber,
        label: &str,
    ) -> Result<(), GithubError> {
        let mut url = self.transport.url(&format!("/repos/{repo}/issues/{}/labels", number.0))?;
        // A label may hold anything: one segment, escaped.
        if let Ok(mut path) = url.path_segments_mut() {
            path.push(label);
        }
        self.transport.delete(&url, "label").await?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_commit_is_told_by_its_first_line() {
        let wire = json!({
            "sha": "a".repeat(40),
            "commit": { "message": "docs: by hand\n\nmore", "author": { "name": "Ada" } },
        });
        let commit = read_commit(serde_json::from_value(wire).unwrap()).unwrap();
        assert_eq!((commit.title.as_str(), commit.author.as_str()), ("docs: by hand", "Ada"));
        let wire = json!({ "sha": "b".repeat(40), "commit": { "message": "", "author": null } });
        let commit = read_commit(serde_json::from_value(wire).unwrap()).unwrap();
        assert_eq!((commit.title.as_str(), commit.author.as_str()), ("", ""));
        let wire = json!({ "sha": "main", "commit": { "message": "", "author": null } });
        assert!(read_commit(serde_json::from_value(wire).unwrap()).is_err());
    }
}
