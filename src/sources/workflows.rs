//! The run of a workflow that the bot dispatched → facts.

use super::{Gathered, Sources};
use crate::clients::github::{GithubError, WorkflowRun};
use crate::config::Watch;
use crate::domain::{
    BranchName, CheckSeen, CheckState, CommitId, Fact, RepoName, WorkflowFacts, WorkflowRule,
};
use anyhow::{Context as _, Result};
use futures_util::future::try_join_all;

/// A dispatch whose run is followed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dispatched {
    /// What its run is told by.
    pub marker: String,
    /// The branch that it was dispatched on.
    pub branch: BranchName,
    /// The commit that the branch was at.
    pub commit: CommitId,
    /// GitHub's id of the run, if it was found before.
    pub run: Option<u64>,
}

pub(super) async fn observe(
    sources: &Sources,
    watch: &Watch,
    dispatched: &[Dispatched],
) -> Result<Gathered> {
    let Some(rule) = &watch.rules.workflow else { return Ok(Gathered::default()) };
    let repo = &watch.downstream.repository;
    let read = dispatched.iter().map(|dispatch| async move {
        let found = find(sources, repo, rule, dispatch);
        let what = || format!("the run of {} in {repo}", rule.name());
        let found = found.await.with_context(what)?;
        let (run, seen) = (found.as_ref().map(|run| run.id), seen(rule, found));
        anyhow::Ok(Fact::Workflow(WorkflowFacts { marker: dispatch.marker.clone(), run, seen }))
    });
    Ok(Gathered { facts: try_join_all(read).await?, ..Gathered::default() })
}

/// The run of this dispatch, and never another one: of two, by a dispatch that was sent twice, the
/// first.
async fn find(
    sources: &Sources,
    repo: &RepoName,
    rule: &WorkflowRule,
    dispatch: &Dispatched,
) -> Result<Option<WorkflowRun>> {
    if let Some(id) = dispatch.run {
        return match sources.github.fetch_workflow_run(repo, id).await {
            // A person deleted it: it is waited for as long as one that was never found.
            Err(GithubError::NotFound { .. }) => Ok(None),
            run => Ok(Some(run?)),
        };
    }
    let runs = sources.github.fetch_dispatched_runs(repo, &rule.file, &dispatch.branch).await?;
    Ok(runs
        .into_iter()
        .filter(|run| run.is_of(&dispatch.marker, &dispatch.commit))
        .min_by_key(|run| run.id))
}

/// The commit that the first run with this marker was begun on; `None` if there is no such run.
pub(super) async fn begun_on(
    sources: &Sources,
    watch: &Watch,
    marker: &str,
    branch: &BranchName,
) -> Result<Option<CommitId>> {
    let Some(rule) = &watch.rules.workflow else { return Ok(None) };
    let repo = &watch.downstream.repository;
    let runs = match sources.github.fetch_dispatched_runs(repo, &rule.file, branch).await {
        // There is no such workflow: whoever dispatches it is told.
        Err(GithubError::NotFound { .. }) => Vec::new(),
        runs => runs.with_context(|| format!("the runs of {} in {repo}", rule.name()))?,
    };
    let named = runs.into_iter().filter(|run| run.is_named(marker));
    Ok(named.min_by_key(|run| run.id).map(|run| run.head))
}

fn seen(rule: &WorkflowRule, run: Option<WorkflowRun>) -> CheckSeen {
    let state = match run.as_ref().map(|run| run.conclusion.as_deref()) {
        None => CheckState::Missing,
        Some(None) => CheckState::UnderWay,
        Some(Some("success")) => CheckState::Passed,
        Some(Some("failure")) => CheckState::Failed,
        Some(Some(other)) => CheckState::Other(other.to_owned()),
    };
    // How long it took says nothing before its end, and would be news in every pass.
    let over = !matches!(state, CheckState::Missing | CheckState::UnderWay);
    let took = run.as_ref().filter(|_| over).map_or(0, |run| run.took);
    let url = run.map(|run| run.url).unwrap_or_default();
    CheckSeen { name: rule.name(), state, title: String::new(), url, took }
}
