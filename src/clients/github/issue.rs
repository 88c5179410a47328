//! Issues, as far as the bot looks at them: those that it opened itself.

use super::{error::GithubError, graphql, json, reader::Reader, writer::Writer};
use crate::clients::wire;
use crate::domain::{Cached, Fetched, IssueNumber, RepoName};
use http::{HeaderMap, Method, StatusCode};
use serde::Deserialize;
use serde_json::json;

/// 100 issues and pull requests to a page: a bot that opened more than this has other worries.
const MAX_PAGES: usize = 50;
/// Whom the token belongs to. REST tells it of people's tokens only, not of an App's.
const VIEWER: &str = "query { viewer { login } }";

/// An issue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issue {
    /// Its number.
    pub number: IssueNumber,
    /// `owner/name` of the repository that it is in: an issue can be moved to another one.
    pub repository: String,
    /// Whether it is open.
    pub open: bool,
    /// Whether it is a pull request, which GitHub lists among the issues.
    pub pull: bool,
    /// The login of who opened it; `None` if the account is deleted.
    pub author: Option<String>,
    /// The body in Markdown, empty if there is none. Foreign text, once a person edited it.
    pub body: String,
}

impl Issue {
    /// Whether it is in `repo`, and was not moved elsewhere.
    #[must_use]
    pub fn is_in(&self, repo: &RepoName) -> bool {
        self.repository.eq_ignore_ascii_case(repo.as_str())
    }
}

#[derive(Deserialize)]
struct Wire {
    number: u64,
    repository_url: String,
    state: String,
    body: Option<String>,
    user: Option<WireUser>,
    pull_request: Option<serde::de::IgnoredAny>,
}

#[derive(Deserialize)]
struct WireUser {
    login: String,
}

#[derive(Deserialize)]
struct ViewerData {
    viewer: WireUser,
}

fn read(wire: Wire) -> Issue {
    let mut parts = wire.repository_url.rsplit('/');
    let (name, owner) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    Issue {
        number: IssueNumber(wire.number),
        repository: format!("{owner}/{name}"),
        open: wire.state == "open",
        pull: wire.pull_request.is_some(),
        author: wire.user.map(|user| user.login),
        body: wire.body.unwrap_or_default(),
    }
}

impl Reader {
    /// The URL of an issue: what a remembered body is found by.
    ///
    /// # Errors
    /// If it cannot be put together.
    pub fn issue_url(&self, repo: &RepoName, number: IssueNumber) -> Result<String, GithubError> {
        Ok(self.transport.url(&format!("/repos/{repo}/issues/{}", number.0))?.into())
    }

    /// Fetches one issue; `cached` is what is remembered of it.
    ///
    /// # Errors
    /// As [`GithubError`] says; [`GithubError::NotFound`] if it was deleted, or issues are disabled.
    pub async fn fetch_issue(
        &self,
        repo: &RepoName,
        number: IssueNumber,
        cached: Option<&Cached>,
    ) -> Result<Fetched, GithubError> {
        let url = self.transport.url(&format!("/repos/{repo}/issues/{}", number.0))?;
        let cached = cached.filter(|cached| cached.url == url.as_str());
        let answer = self.transport.get(&url, &wire::validators(cached), "issue").await?;
        if answer.status == StatusCode::NOT_MODIFIED {
            return Ok(Fetched::NotModified);
        }
        Self::parse_issue(&answer.body)?;
        Ok(Fetched::Fresh(answer.into_cached(&url, None)))
    }

    /// Fetches one issue as it is now, unconditionally.
    ///
    /// # Errors
    /// As [`Reader::fetch_issue`].
    pub async fn fetch_issue_now(
        &self,
        repo: &RepoName,
        number: IssueNumber,
    ) -> Result<Issue, GithubError> {
        let url = self.transport.url(&format!("/repos/{repo}/issues/{}", number.0))?;
        let answer = self.transport.get(&url, &HeaderMap::new(), "issue").await?;
        Self::parse_issue(&answer.body)
    }

    /// Reads the body of an issue.
    ///
    /// # Errors
    /// [`GithubError::Malformed`].
    pub fn parse_issue(body: &[u8]) -> Result<Issue, GithubError> {
        Ok(read(json::object(body, "issue")?))
    }

    /// Fetches the login of whom the token belongs to.
    ///
    /// # Errors
    /// As [`GithubError`] says.
    pub async fn fetch_login(&self) -> Result<String, GithubError> {
        let login = graphql::ask(&self.transport, VIEWER, json!({}), "login");
        let data: ViewerData = login.await?;
        Ok(data.viewer.login)
    }

    /// Fetches all issues of `repo` that `login` opened, closed ones too, the oldest first; pull
    /// requests are left out. Asks for the truth of now, unconditionally.
    ///
    /// # Errors
    /// As [`GithubError`] says.
    pub async fn fetch_issues_of(
        &self,
        repo: &RepoName,
        login: &str,
    ) -> Result<Vec<Issue>, GithubError> {
        let mut url = self.transport.url(&format!("/repos/{repo}/issues"))?;
        url.query_pairs_mut()
            .append_pair("state", "all")
            .append_pair("creator", login)
            .append_pair("sort", "created")
            .append_pair("direction", "asc")
            .append_pair("per_page", "100");
        // Anybody may open an issue that looks like the bot's: who did is asked of each.
        let own = |issue: &Issue| {
            let author = issue.author.as_deref().unwrap_or_default();
            !issue.pull && author.eq_ignore_ascii_case(login)
        };
        let parse = |body: &[u8]| {
            let issues = json::list::<Wire>(body, "issue")?.into_iter().map(read);
            Ok(issues.filter(own).collect())
        };
        let issues = self.transport.list(url, MAX_PAGES, "list of issues", parse).await?;
        issues.whole(&format!("issues by {login}"))
    }
}

impl Writer {
    /// Opens an issue.
    ///
    /// # Errors
    /// As [`GithubError`] says; [`GithubError::NotFound`] if issues are disabled, and
    /// [`GithubError::Denied`] if the token may not.
    pub async fn open_issue(
        &self,
        repo: &RepoName,
        title: &str,
        body: &str,
        labels: &[String],
    ) -> Result<Issue, GithubError> {
        let path = format!("/repos/{repo}/issues");
        let text = json!({ "title": title, "body": body, "labels": labels });
        let answer = self.transport.write(Method::POST, &path, &text, "place for issues").await?;
        if answer.status != StatusCode::CREATED {
            let status = answer.status.as_u16();
            let what = format!("status {status} for an issue that was to be created");
            return Err(GithubError::malformed(what));
        }
        Reader::parse_issue(&answer.body)
    }

    /// Rewrites an issue's body, and nothing else of it.
    ///
    /// # Errors
    /// As [`GithubError`] says.
    pub async fn edit_issue(
        &self,
        repo: &RepoName,
        number: IssueNumber,
        body: &str,
    ) -> Result<Issue, GithubError> {
        let path = format!("/repos/{repo}/issues/{}", number.0);
        let text = json!({ "body": body });
        let answer = self.transport.write(Method::PATCH, &path, &text, "issue").await?;
        Reader::parse_issue(&answer.body)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn an_issue_is_read_and_a_pull_request_told_apart() {
        let mut wire = json!({
            "number": 7, "repository_url": "https://api.github.com/repos/O/r", "state": "closed",
            "body": null, "user": {"login": "bot"},
        });
        let read = |wire: &serde_json::Value| Reader::parse_issue(wire.to_string().as_bytes());
        let issue = read(&wire).unwrap();
        assert_eq!((issue.number, issue.open, issue.pull), (IssueNumber(7), false, false));
        assert_eq!((issue.body.as_str(), issue.author.as_deref()), ("", Some("bot")));
        assert!(issue.is_in(&"o/r".parse().unwrap()) && !issue.is_in(&"o/s".parse().unwrap()));
        wire["pull_request"] = json!({ "url": "x" });
        assert!(read(&wire).unwrap().pull);
        wire["user"] = serde_json::Value::Null;
        assert_eq!(read(&wire).unwrap().author, None);
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(body: Vec<u8>) {
            let _ = Reader::parse_issue(&body);
        }
    }
}
