//! What the bot reads at GitHub.

use super::{error::GithubError, headers, json, pull, pull::Pull, release, transport::Transport};
use crate::clients::wire;
use crate::domain::{BranchName, Cached, Fetched, PullNumber, PullState, ReleaseFacts, RepoName};
use http::{HeaderMap, StatusCode};
use reqwest::Url;

/// Reads, and cannot write.
#[derive(Debug, Clone)]
pub struct Reader {
    pub(super) transport: Transport,
    /// The App that asks, if it is one.
    pub(super) app: Option<u64>,
}

impl Reader {
    pub(super) fn new(transport: Transport) -> Self {
        Self { transport, app: None }
    }

    /// A reader that knows which App it asks for, and with that which checks are its own.
    #[must_use]
    pub fn of_app(self, id: u64) -> Self {
        Self { app: Some(id), ..self }
    }

    /// Whether files below `.github/workflows` may be edited; `None` as long as GitHub has not said.
    #[must_use]
    pub fn may_edit_workflows(&self) -> Option<bool> {
        self.transport.auth().may_edit_workflows()
    }

    /// Takes in that GitHub refused to have such a file edited.
    pub fn may_not_edit_workflows(&self) {
        self.transport.auth().may_not_edit_workflows();
    }

    pub(super) const fn transport(&self) -> &Transport {
        &self.transport
    }

    /// The URL of the first page of a repository's releases: what a remembered body is found by.
    ///
    /// # Errors
    /// If it cannot be put together.
    pub fn releases_url(&self, repo: &RepoName) -> Result<String, GithubError> {
        let url = self.transport.url(&format!("/repos/{repo}/releases?per_page=100"))?;
        Ok(url.into())
    }

    /// The URL of the list of pull requests from a branch: what a remembered body is found by.
    ///
    /// # Errors
    /// If it cannot be put together.
    pub fn pulls_of_branch_url(
        &self,
        repo: &RepoName,
        branch: &BranchName,
    ) -> Result<String, GithubError> {
        Ok(self.pulls_url(repo, branch, "all")?.into())
    }

    /// Fetches one page of a repository's releases, newest first, 100 to a page. `page_url` is the
    /// `next` of the page before; without it this is the first page. `cached` is what is
    /// remembered of the same page; one of another URL is ignored.
    ///
    /// # Errors
    /// As [`GithubError`] says; [`GithubError::Malformed`] if `page_url` is not at this GitHub.
    pub async fn fetch_releases_page(
        &self,
        repo: &RepoName,
        cached: Option<&Cached>,
        page_url: Option<&str>,
    ) -> Result<Fetched, GithubError> {
        let first: Url = self.transport.url(&format!("/repos/{repo}/releases?per_page=100"))?;
        let url = match page_url {
            None => first,
            Some(page) => headers::inside(page, &first, self.transport.base())?,
        };
        self.fetch_list(&url, cached, "release").await
    }

    /// Reads the body of a page of releases, in the order of the page.
    ///
    /// # Errors
    /// [`GithubError::Malformed`], which names the first release that cannot be read: one that is
    /// silently skipped would be one that nobody ever hears of.
    pub fn parse_releases(body: &[u8]) -> Result<Vec<ReleaseFacts>, GithubError> {
        release::parse_list(body)
    }

    /// Fetches the newest 100 pull requests, of any state, from a branch of `repo` itself.
    ///
    /// # Errors
    /// As [`GithubError`] says.
    pub async fn fetch_pulls_of_branch(
        &self,
        repo: &RepoName,
        branch: &BranchName,
        cached: Option<&Cached>,
    ) -> Result<Fetched, GithubError> {
        let url = self.pulls_url(repo, branch, "all")?;
        self.fetch_list(&url, cached, "pull request").await
    }

    /// Reads the body of a list of pull requests, in its order. Those between branches whose names
    /// [`BranchName`] does not allow are left out: the bot makes no such branch.
    ///
    /// # Errors
    /// [`GithubError::Malformed`], which names the first one that cannot be read.
    pub fn parse_pulls(body: &[u8]) -> Result<Vec<Pull>, GithubError> {
        pull::parse_list(body)
    }

    /// Looks for the open pull request from a branch of `repo` itself. Asks for the truth of now,
    /// unconditionally: this is how an opened one is found again after an unknown outcome.
    ///
    /// # Errors
    /// As [`GithubError`] says.
    pub async fn fetch_open_pull(
        &self,
        repo: &RepoName,
        branch: &BranchName,
    ) -> Result<Option<Pull>, GithubError> {
        let url = self.pulls_url(repo, branch, "open")?;
        let answer = self.transport.get(&url, &HeaderMap::new(), "repository").await?;
        let pulls = pull::parse_list(&answer.body)?;
        // GitHub ignores a `head` that it does not understand, and then lists everything.
        Ok(pulls
            .into_iter()
            .find(|pull| pull.state == PullState::Open && pull.is_from(repo, branch)))
    }

    /// Fetches one pull request with its body and labels.
    ///
    /// # Errors
    /// As [`GithubError`] says.
    pub async fn fetch_pull(
        &self,
        repo: &RepoName,
        number: PullNumber,
    ) -> Result<Pull, GithubError> {
        let url = self.transport.url(&format!("/repos/{repo}/pulls/{}", number.0))?;
        let answer = self.transport.get(&url, &HeaderMap::new(), "pull request").await?;
        pull::parse_one(&answer.body)
    }

    /// Asks whether the owner of the token may push to a repository. Nobody's may not.
    ///
    /// # Errors
    /// As [`GithubError`] says.
    pub async fn fetch_may_push(&self, repo: &RepoName) -> Result<bool, GithubError> {
        #[derive(serde::Deserialize)]
        struct Repository {
            permissions: Option<Permissions>,
        }
        #[derive(serde::Deserialize)]
        struct Permissions {
            push: bool,
        }
        let url = self.transport.url(&format!("/repos/{repo}"))?;
        let answer = self.transport.get(&url, &HeaderMap::new(), "repository").await?;
        let repository: Repository = json::object(&answer.body, "repository")?;
        Ok(repository.permissions.is_some_and(|permissions| permissions.push))
    }

    fn pulls_url(
        &self,
        repo: &RepoName,
        branch: &BranchName,
        state: &str,
    ) -> Result<Url, GithubError> {
        let mut url = self.transport.url(&format!("/repos/{repo}/pulls"))?;
        url.query_pairs_mut()
            .append_pair("state", state)
            .append_pair("head", &format!("{}:{branch}", repo.owner()))
            .append_pair("per_page", "100");
        Ok(url)
    }

    pub(super) async fn fetch_list(
        &self,
        url: &Url,
        cached: Option<&Cached>,
        noun: &str,
    ) -> Result<Fetched, GithubError> {
        let cached = cached.filter(|cached| cached.url == url.as_str());
        let validators = wire::validators(cached);
        let answer = self.transport.get(url, &validators, noun).await?;
        if answer.status == StatusCode::NOT_MODIFIED {
            return Ok(Fetched::NotModified);
        }
        json::check_list(&answer.body, noun)?;
        let next = headers::next_page(&answer, url, self.transport.base())?;
        Ok(Fetched::Fresh(answer.into_cached(url, next.map(String::from))))
    }
}
