//! GitHub Actions: a workflow is dispatched, its run is found by a marker, followed, and what it
//! hands back is fetched.

use super::{error::GithubError, json, reader::Reader, writer::Writer};
use crate::domain::{BranchName, CommitId, RepoName, Timestamp};
use http::{HeaderMap, Method};
use serde::Deserialize;
use serde_json::json;
use std::collections::BTreeMap;

/// More pages of a list than these are not read: 100 entries stand on each.
const MAX_PAGES: usize = 10;

/// One run of a workflow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkflowRun {
    /// GitHub's id.
    pub id: u64,
    /// What the workflow's `run-name` made of it. Foreign text.
    pub title: String,
    /// The commit that it runs on.
    pub head: CommitId,
    /// `success`, `failure`, `cancelled` and so on; `None` if it has not concluded.
    pub conclusion: Option<String>,
    /// The page that people read. Foreign text.
    pub url: String,
    /// How long it took so far, in milliseconds; 0 if that is not known.
    pub took: u64,
}

/// What a run handed back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Artifact {
    /// GitHub's id.
    pub id: u64,
    /// Its name. Foreign text.
    pub name: String,
    /// How large its archive is, in bytes.
    pub size: u64,
    /// Whether GitHub has thrown it away.
    pub expired: bool,
    /// `sha256:…` over the archive, if GitHub tells it.
    pub digest: Option<String>,
}

#[derive(Deserialize)]
struct Runs {
    workflow_runs: Vec<WireRun>,
}

#[derive(Deserialize)]
struct WireRun {
    id: u64,
    display_title: String,
    head_sha: String,
    status: Option<String>,
    conclusion: Option<String>,
    html_url: String,
    run_started_at: Option<String>,
    updated_at: Option<String>,
}

#[derive(Deserialize)]
struct Artifacts {
    artifacts: Vec<WireArtifact>,
}

#[derive(Deserialize)]
struct WireArtifact {
    id: u64,
    name: String,
    size_in_bytes: u64,
    expired: bool,
    digest: Option<String>,
}

impl WorkflowRun {
    /// Whether it was begun by the dispatch with this marker, on this commit.
    #[must_use]
    pub fn is_of(&self, marker: &str, commit: &CommitId) -> bool {
        self.head == *commit && self.is_named(marker)
    }

    /// Whether its title has this marker, on whatever commit it was begun.
    #[must_use]
    pub fn is_named(&self, marker: &str) -> bool {
        let mut words = self.title.split(|c: char| !c.is_ascii_alphanumeric() && c != '-');
        words.any(|word| word == marker)
    }
}

impl Reader {
    /// Fetches the runs of a workflow that were dispatched on `branch`, the newest first.
    ///
    /// # Errors
    /// As [`GithubError`] says; [`GithubError::NotFound`] if there is no such workflow on the
    /// default branch.
    pub async fn fetch_dispatched_runs(
        &self,
        repo: &RepoName,
        workflow: &str,
        branch: &BranchName,
    ) -> Result<Vec<WorkflowRun>, GithubError> {
        let path = format!("/repos/{repo}/actions/workflows/{workflow}/runs");
        let mut url = self.transport.url(&path)?;
        url.query_pairs_mut()
            .append_pair("branch", branch.as_str())
            .append_pair("event", "workflow_dispatch")
            .append_pair("per_page", "100");
        let parse = |body: &[u8]| {
            let page: Runs = json::object(body, "list of workflow runs")?;
            page.workflow_runs.into_iter().map(WireRun::into_run).collect()
        };
        self.transport.list(url, MAX_PAGES, "workflow", parse).await?.whole("workflow runs")
    }

    /// Fetches one run.
    ///
    /// # Errors
    /// As [`GithubError`] says.
    pub async fn fetch_workflow_run(
        &self,
        repo: &RepoName,
        id: u64,
    ) -> Result<WorkflowRun, GithubError> {
        let url = self.transport.url(&format!("/repos/{repo}/actions/runs/{id}"))?;
        let answer = self.transport.get(&url, &HeaderMap::new(), "workflow run").await?;
        json::object::<WireRun>(&answer.body, "workflow run")?.into_run()
    }

    /// Fetches the list of what a run handed back.
    ///
    /// # Errors
    /// As [`GithubError`] says.
    pub async fn fetch_artifacts(
        &self,
        repo: &RepoName,
        run: u64,
    ) -> Result<Vec<Artifact>, GithubError> {
        let path = format!("/repos/{repo}/actions/runs/{run}/artifacts?per_page=100");
        let url = self.transport.url(&path)?;
        let list = self.transport.list(url, MAX_PAGES, "workflow run", parse_artifacts);
        list.await?.whole("artifacts")
    }

    /// Fetches an artifact's archive, a zip file. GitHub keeps it elsewhere, under an address that
    /// is good for a minute and needs no token; it is given none.
    ///
    /// # Errors
    /// As [`GithubError`] says; [`GithubError::NotFound`] if it was thrown away.
    pub async fn download_artifact(
        &self,
        repo: &RepoName,
        artifact: u64,
    ) -> Result<Vec<u8>, GithubError> {
        let path = format!("/repos/{repo}/actions/artifacts/{artifact}/zip");
        let url = self.transport.url(&path)?;
        self.transport.get_elsewhere(&url, "artifact").await
    }
}

impl Writer {
    /// Dispatches a workflow on a branch. GitHub may tell at once which run it began; that is a help
    /// and nothing to rely on.
    ///
    /// # Errors
    /// As [`GithubError`] says; [`GithubError::Rejected`] if the workflow at that branch has no
    /// `workflow_dispatch`, or not these inputs.
    pub async fn dispatch_workflow(
        &self,
        repo: &RepoName,
        workflow: &str,
        branch: &BranchName,
        inputs: &BTreeMap<String, String>,
    ) -> Result<(), GithubError> {
        let path = format!("/repos/{repo}/actions/workflows/{workflow}/dispatches");
        let text = json!({ "ref": branch, "inputs": inputs });
        self.transport.write(Method::POST, &path, &text, "workflow").await.map(drop)
    }

    /// Cancels a run. One that is over already is left as it is.
    ///
    /// # Errors
    /// As [`GithubError`] says.
    pub async fn cancel_workflow_run(&self, repo: &RepoName, run: u64) -> Result<(), GithubError> {
        let path = format!("/repos/{repo}/actions/runs/{run}/cancel");
        match self.transport.post(&path, "workflow run").await {
            Ok(_) | Err(GithubError::Rejected { status: 409, .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }
}

fn parse_artifacts(body: &[u8]) -> Result<Vec<Artifact>, GithubError> {
    let list: Artifacts = json::object(body, "list of artifacts")?;
    let artifacts = list.artifacts.into_iter().map(|artifact| Artifact {
        id: artifact.id,
        name: artifact.name,
        size: artifact.size_in_bytes,
        expired: artifact.expired,
        digest: artifact.digest,
    });
    Ok(artifacts.collect())
}

impl WireRun {
    fn into_run(self) -> Result<WorkflowRun, GithubError> {
        let head = self.head_sha.parse();
        let head = head.map_err(|_| GithubError::malformed("a workflow run without its commit"))?;
        // A conclusion may stand there before the run is over, while it is run again.
        let over = self.status.as_deref() == Some("completed");
        let time = |text: Option<String>| text.and_then(|it| it.parse::<Timestamp>().ok());
        let took = match (time(self.run_started_at), time(self.updated_at)) {
            (Some(begun), Some(at)) => u64::try_from(at.since(begun).as_millis()).unwrap_or(0),
            _ => 0,
        };
        Ok(WorkflowRun {
            id: self.id,
            title: self.display_title,
            head,
            conclusion: self.conclusion.filter(|_| over),
            url: self.html_url,
            took,
        })
    }
}
