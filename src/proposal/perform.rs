//! Every write to the outside: performed by one function, found again by another.

use crate::clients::github::{GithubError, Pull, Reader, Writer};
use crate::domain::{CommitId, Effect, PullFacts, PullState, RepoName};
use crate::repository::CommitWriter;
use anyhow::{Context as _, Result, bail};
use std::collections::BTreeSet;

/// Performs effects in one downstream. Only this module is given a [`Writer`].
#[derive(Debug, Clone)]
pub struct Performer {
    /// Probes.
    pub reader: Reader,
    /// Writes.
    pub writer: Writer,
    /// Gets commits onto branches.
    pub commits: CommitWriter,
    /// The downstream.
    pub repository: RepoName,
}

/// What an effect left in the world.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// What the outside calls it.
    pub remote_id: String,
    /// The pull request, as it is now.
    pub pull: Option<PullFacts>,
}

impl Outcome {
    fn of_commit(commit: &CommitId) -> Self {
        Self { remote_id: commit.to_string(), pull: None }
    }

    fn of_pull(pull: Pull) -> Self {
        Self { remote_id: pull.number.0.to_string(), pull: Some(pull.into_facts()) }
    }
}

impl Performer {
    /// Looks in the world for what `effect` would leave there; `None` if it is not there. `known` is
    /// what the outside called the result when it was performed before.
    ///
    /// # Errors
    /// If it could not be found out. Then the effect must not be performed.
    pub async fn probe(&self, effect: &Effect, known: Option<&str>) -> Result<Option<Outcome>> {
        match effect {
            Effect::WriteCommit { branch, base, tree, message } => {
                // Over git nobody makes a commit for the bot.
                let CommitWriter::Api(api) = &self.commits else { return Ok(None) };
                let known = known.map(str::parse).transpose()?;
                let found = api.find(known.as_ref(), branch, base, tree, message).await;
                let found = found.with_context(|| format!("the commit for {branch}"))?;
                Ok(found.as_ref().map(Outcome::of_commit))
            }
            Effect::PushBranch { branch, commit } => {
                let head = self.commits.fetch_head(branch).await.context("the branch's head")?;
                Ok((head.as_ref() == Some(commit)).then(|| Outcome::of_commit(commit)))
            }
            Effect::OpenPull { branch, .. } => {
                let pull = self.reader.fetch_open_pull(&self.repository, branch).await?;
                Ok(pull.map(Outcome::of_pull))
            }
            Effect::EditPull { number, title, body, close } => {
                let pull = self.reader.fetch_pull(&self.repository, *number).await?;
                let closed = pull.state != PullState::Open;
                let there = pull.title == *title && same_text(&pull.body, body);
                Ok((there && (closed || !close)).then(|| Outcome::of_pull(pull)))
            }
            Effect::MarkReady { number } => {
                let pull = self.reader.fetch_pull(&self.repository, *number).await?;
                Ok((!pull.draft).then(|| Outcome::of_pull(pull)))
            }
            Effect::ReportCheck { commit, state, title } => {
                self.probe_check(commit, *state, title).await
            }
            Effect::LabelPull { number, labels } => {
                let pull = self.reader.fetch_pull(&self.repository, *number).await?;
                let there = labels.iter().all(|label| pull.labels.contains(label));
                Ok(there.then(|| Outcome::of_pull(pull)))
            }
        }
    }

    /// Performs `effect`. `ours` are the commits that the bot pushed: a branch whose head is none
    /// of them is a person's, and is not moved.
    ///
    /// # Errors
    /// If it was not performed, or nobody knows: then it is probed before it is repeated.
    pub async fn perform(&self, effect: &Effect, ours: &BTreeSet<CommitId>) -> Result<Outcome> {
        let repo = &self.repository;
        match effect {
            Effect::WriteCommit { branch, base, tree, message } => {
                let CommitWriter::Api(api) = &self.commits else {
                    bail!("over git a commit is made here")
                };
                let made = api.write(base, tree, message).await;
                let made = made.with_context(|| format!("making the commit for {branch}"))?;
                Ok(Outcome::of_commit(&made))
            }
            Effect::PushBranch { branch, commit } => {
                let pushed = self.commits.push(branch, commit, ours).await;
                pushed.with_context(|| format!("pushing {branch}"))?;
                Ok(Outcome::of_commit(commit))
            }
            Effect::OpenPull { branch, base, title, body, draft, .. } => {
                let opened = self.writer.open_pull(repo, base, branch, title, body, *draft).await;
                // GitHub itself keeps a branch to one open pull request. So nobody looks before, and
                // only where it refuses is looked for one that the lists did not show yet.
                if matches!(opened, Err(GithubError::Rejected { .. }))
                    && let Some(there) = self.probe(effect, None).await?
                {
                    return Ok(there);
                }
                Ok(Outcome::of_pull(opened.context("opening the pull request")?))
            }
            Effect::EditPull { number, title, body, close } => {
                let edited = self.writer.edit_pull(repo, *number, title, body, *close);
                let pull = edited.await.with_context(|| format!("editing {number}"))?;
                Ok(Outcome::of_pull(pull))
            }
            Effect::MarkReady { number } => {
                let pull = self.reader.fetch_pull(repo, *number).await?;
                let marked = self.writer.mark_ready(&pull.node_id);
                marked.await.with_context(|| format!("marking {number} as ready"))?;
                Ok(Outcome::of_pull(Pull { draft: false, ..pull }))
            }
            Effect::ReportCheck { commit, state, title } => {
                self.report_check(commit, *state, title).await
            }
            Effect::LabelPull { number, labels } => {
                let labelled = self.writer.add_labels(repo, *number, labels);
                labelled.await.with_context(|| format!("labelling {number}"))?;
                Ok(Outcome { remote_id: number.0.to_string(), pull: None })
            }
        }
    }
}

/// GitHub stores line ends as they were sent, and browsers send `\r\n`.
fn same_text(a: &str, b: &str) -> bool {
    a.replace("\r\n", "\n").trim_end() == b.replace("\r\n", "\n").trim_end()
}
