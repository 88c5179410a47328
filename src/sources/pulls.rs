//! Pull requests from the bot's branches → facts.

use super::{Gathered, Sources, releases::whole};
use crate::clients::github::Reader;
use crate::config::Watch;
use crate::domain::{BranchName, Fact};
use anyhow::{Context as _, Result};
use futures_util::future::try_join_all;

pub(super) async fn observe(
    sources: &Sources,
    watch: &Watch,
    branches: &[BranchName],
) -> Result<Gathered> {
    let repo = &watch.downstream.repository;
    let mut gathered = Gathered::default();
    let lists = branches.iter().map(|branch| async move {
        let cached = sources.cached(&sources.github.pulls_of_branch_url(repo, branch)?).await?;
        let asked = sources.github.fetch_pulls_of_branch(repo, branch, cached.as_ref());
        let fetched = asked.await.with_context(|| format!("the pull requests of {repo}"))?;
        anyhow::Ok((branch, fetched, cached))
    });
    for (branch, fetched, cached) in try_join_all(lists).await? {
        let body = whole(fetched, cached, &mut gathered)?;
        let pulls = Reader::parse_pulls(&body.body)
            .with_context(|| format!("the pull requests of {repo}"))?;
        // GitHub ignores a `head` that it does not understand, and then lists everything.
        let own = pulls.into_iter().filter(|pull| pull.is_from(repo, branch));
        gathered.facts.extend(own.map(|pull| Fact::Pull(pull.into_facts())));
    }
    Ok(gathered)
}
