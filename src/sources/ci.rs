//! Whether anybody's CI has started at a head of the bot's → facts.

use super::{Gathered, Sources};
use crate::clients::github::{CheckRun, CheckSuite, CommitStatus, GithubError};
use crate::config::Watch;
use crate::domain::{CiFacts, CommitId, Fact};
use crate::policy::AwaitedCi;
use anyhow::{Context as _, Result};
use futures_util::future::try_join_all;

pub(super) async fn observe(
    sources: &Sources,
    watch: &Watch,
    heads: &[AwaitedCi],
) -> Result<Gathered> {
    let read = heads.iter().map(|AwaitedCi { head, .. }| async move {
        let repo = &watch.downstream.repository;
        let what = || format!("whether CI has started at {} in {repo}", head.short());
        let started = has_started(sources, watch, head).await.with_context(what)?;
        let fact = started.map(|started| Fact::Ci(CiFacts { commit: head.clone(), started }));
        anyhow::Ok(fact)
    });
    let facts = try_join_all(read).await?.into_iter().flatten().collect();
    Ok(Gathered { facts, ..Gathered::default() })
}

/// `None` if the token may not look, which shows nothing.
async fn has_started(
    sources: &Sources,
    watch: &Watch,
    head: &CommitId,
) -> Result<Option<bool>, GithubError> {
    let (github, repo) = (&sources.github, &watch.downstream.repository);
    let runs = github.fetch_check_runs(repo, head, None);
    let (runs, statuses) = tokio::join!(runs, github.fetch_statuses(repo, head));
    let (runs, statuses) = (seen(runs)?, seen(statuses)?);
    let name = &watch.canary.check_name;
    let foreign = |status: &CommitStatus| status.context != *name;
    let other = |run: &CheckRun| !github.is_own(run, head);
    if statuses.iter().flatten().any(foreign) || runs.iter().flatten().any(other) {
        return Ok(Some(true));
    }
    let (Some(own), Some(_)) = (runs, statuses) else { return Ok(None) };
    let Some(suites) = seen(github.fetch_check_suites(repo, head).await)? else { return Ok(None) };
    // GitHub queues a suite for each App that may write checks, which shows nothing. One that only
    // has the bot's own check in it is the bot's.
    let begun = |suite: &CheckSuite| {
        let ours = own.iter().any(|run| run.suite == Some(suite.id));
        !ours && suite.status.as_deref() == Some("in_progress")
    };
    Ok(Some(suites.iter().any(begun)))
}

/// What was read; `None` if the token may not look.
fn seen<T>(read: Result<T, GithubError>) -> Result<Option<T>, GithubError> {
    match read {
        Err(GithubError::Denied { .. }) => Ok(None),
        read => read.map(Some),
    }
}
