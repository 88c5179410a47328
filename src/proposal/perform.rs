//! Every write to the outside: performed by one function, found again by another.

use crate::announce;
use crate::clients::github::{GithubError, Pull, Reader, Writer};
use crate::domain::{
    BranchName, CommitId, Effect, IssueNumber, PullFacts, PullNumber, PullState, RepoName,
};
use crate::render::{dashboard_of, parse_marker};
use crate::repository::{CommitWriter, PushError};
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
    /// One that is known by a name alone.
    pub(super) fn named(name: impl std::fmt::Display) -> Self {
        Self { remote_id: name.to_string(), pull: None }
    }

    fn of_commit(commit: &CommitId) -> Self {
        Self { remote_id: commit.to_string(), pull: None }
    }

    pub(super) fn of_pull(pull: Pull) -> Self {
        Self { remote_id: pull.number.0.to_string(), pull: Some(pull.into_facts()) }
    }

    fn of_issue(number: IssueNumber) -> Self {
        Self { remote_id: number.0.to_string(), pull: None }
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
            Effect::MakeDraft { number, .. } => {
                let pull = self.reader.fetch_pull(&self.repository, *number).await?;
                Ok(pull.draft.then(|| Outcome::of_pull(pull)))
            }
            Effect::MarkReady { number, .. } => {
                let pull = self.reader.fetch_pull(&self.repository, *number).await?;
                Ok((!pull.draft).then(|| Outcome::of_pull(pull)))
            }
            Effect::ReportCheck { commit, report } => self.probe_check(commit, report, known).await,
            Effect::CommentPull { number, says, .. } => self.probe_comment(*number, says).await,
            Effect::React { to, reaction } => self.probe_reaction(to, *reaction).await,
            Effect::TakeReactionBack { to, reaction, id } => {
                let there = self.probe_reaction(to, *reaction).await?;
                Ok(there.is_none().then(|| Outcome::named(id)))
            }
            Effect::Answer { to, number, .. } => self.probe_answer(to, *number).await,
            Effect::EditAnswer { to, answer, body, .. } => {
                self.probe_edited_answer(to, *answer, body).await
            }
            Effect::Minimize { comment } => self.probe_minimized(comment).await,
            Effect::UnlabelPull { number, label, .. } => {
                self.probe_unlabelled(*number, label).await
            }
            Effect::LabelPull { number, labels, .. } => {
                let pull = self.reader.fetch_pull(&self.repository, *number).await?;
                let there = labels.iter().all(|label| pull.labels.contains(label));
                Ok(there.then(|| Outcome::of_pull(pull)))
            }
            Effect::DispatchWorkflow { workflow, branch, commit, marker, .. } => {
                let runs = self.reader.fetch_dispatched_runs(&self.repository, workflow, branch);
                let runs = runs.await.with_context(|| format!("the runs of {workflow}"))?;
                let ours = runs.into_iter().find(|run| run.is_of(marker, commit));
                Ok(ours.map(|run| Outcome::named(run.id)))
            }
            Effect::CancelWorkflow { run } => {
                let seen = self.reader.fetch_workflow_run(&self.repository, *run).await?;
                Ok(seen.conclusion.map(|_| Outcome::named(run)))
            }
            Effect::DeleteBranch { branch, .. } => {
                let head = self.commits.fetch_head(branch).await.context("the branch's head")?;
                Ok(head.is_none().then(|| Outcome::named(branch)))
            }
            Effect::OpenIssue { body, .. } => {
                let watch = dashboard_of(body).context("the dashboard has no marker")?;
                let issue = announce::find(&self.reader, &self.repository, &watch).await?;
                Ok(issue.map(|issue| Outcome::of_issue(issue.number)))
            }
            Effect::EditIssue { number, body } => {
                let there = announce::says(&self.reader, &self.repository, *number, body).await?;
                Ok(there.then(|| Outcome::of_issue(*number)))
            }
        }
    }

    /// Whether `effect`, which was looked for and is not found, would be there twice if it only is not
    /// listed yet. A ref, the pull request of a branch, a label or a status is there once; a dispatch
    /// has its own way to wait.
    ///
    /// # Errors
    /// If the outside cannot be asked.
    pub async fn may_double(&self, effect: &Effect) -> Result<bool> {
        match effect {
            Effect::OpenIssue { .. } | Effect::CommentPull { .. } | Effect::Answer { .. } => {
                Ok(true)
            }
            Effect::ReportCheck { commit, report } => self.is_first_check(commit, report).await,
            Effect::WriteCommit { .. }
            | Effect::PushBranch { .. }
            | Effect::OpenPull { .. }
            | Effect::EditPull { .. }
            | Effect::LabelPull { .. }
            | Effect::UnlabelPull { .. }
            | Effect::React { .. }
            | Effect::TakeReactionBack { .. }
            | Effect::EditAnswer { .. }
            | Effect::Minimize { .. }
            | Effect::MarkReady { .. }
            | Effect::MakeDraft { .. }
            | Effect::DispatchWorkflow { .. }
            | Effect::CancelWorkflow { .. }
            | Effect::DeleteBranch { .. }
            | Effect::EditIssue { .. } => Ok(false),
        }
    }

    /// Performs `effect`. `ours` are the commits that the bot pushed: a branch whose head is none
    /// of them is a person's, and is not moved. `known` is what the outside calls what is rewritten.
    ///
    /// # Errors
    /// If it was not performed, or nobody knows: then it is probed before it is repeated.
    pub async fn perform(
        &self,
        effect: &Effect,
        ours: &BTreeSet<CommitId>,
        known: Option<&str>,
    ) -> Result<Outcome> {
        let repo = &self.repository;
        match effect {
            Effect::WriteCommit { branch, base, tree, message } => {
                let CommitWriter::Api(api) = &self.commits else {
                    bail!("over git a commit is made here")
                };
                let made = api.write(base, tree, message).await;
                if let Err(error) = &made {
                    self.learn_of_workflows(error.downcast_ref());
                }
                let made = made.with_context(|| format!("making the commit for {branch}"))?;
                Ok(Outcome::of_commit(&made))
            }
            Effect::PushBranch { branch, commit } => {
                let pushed = self.commits.push(branch, commit, ours).await;
                self.learn_of_workflows(pushed.as_ref().err());
                pushed.with_context(|| format!("pushing {branch}"))?;
                Ok(Outcome::of_commit(commit))
            }
            Effect::OpenPull { branch, base, title, body, draft, .. } => {
                let opened = self.open((branch, base), title, body, *draft).await;
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
            Effect::MakeDraft { number, .. } => self.make_draft(*number).await,
            Effect::MarkReady { number, .. } => {
                let pull = self.reader.fetch_pull(repo, *number).await?;
                let marked = self.writer.mark_ready(&pull.node_id);
                let marked = marked.await;
                let updated_at = marked.with_context(|| format!("marking {number} as ready"))?;
                Ok(Outcome::of_pull(Pull { draft: false, updated_at, ..pull }))
            }
            Effect::ReportCheck { commit, report } => {
                self.report_check(commit, report, known).await
            }
            Effect::CommentPull { number, body, .. } => self.comment(*number, body).await,
            Effect::React { to, reaction } => self.react(to, *reaction).await,
            Effect::TakeReactionBack { to, id, .. } => self.take_reaction_back(to, *id).await,
            Effect::Answer { to, number, body, .. } => self.answer(to, *number, body).await,
            Effect::EditAnswer { to, answer, body, .. } => {
                self.edit_answer(to, *answer, body).await
            }
            Effect::Minimize { comment } => self.minimize(comment).await,
            Effect::UnlabelPull { number, label, .. } => self.unlabel(*number, label).await,
            Effect::LabelPull { number, labels, .. } => {
                let labelled = self.writer.add_labels(repo, *number, labels);
                labelled.await.with_context(|| format!("labelling {number}"))?;
                Ok(Outcome { remote_id: number.0.to_string(), pull: None })
            }
            Effect::DispatchWorkflow { workflow, branch, marker, inputs, .. } => {
                let told = ("marker".to_owned(), marker.clone());
                let inputs = inputs.clone().into_iter().chain([told]).collect();
                let sent = self.writer.dispatch_workflow(repo, workflow, branch, &inputs);
                sent.await.with_context(|| format!("dispatching {workflow}"))?;
                Ok(Outcome::named(marker))
            }
            Effect::CancelWorkflow { run } => {
                let cancelled = self.writer.cancel_workflow_run(repo, *run);
                cancelled.await.with_context(|| format!("cancelling workflow run {run}"))?;
                Ok(Outcome::named(run))
            }
            Effect::DeleteBranch { branch, commit } => {
                match self.commits.delete_branch(branch, commit).await {
                    // Somebody works on it: then it is theirs.
                    Ok(()) | Err(PushError::Foreign { .. }) => Ok(Outcome::named(branch)),
                    Err(error) => Err(error).with_context(|| format!("deleting {branch}")),
                }
            }
            Effect::OpenIssue { title, body, labels, .. } => {
                let number = announce::open(&self.writer, repo, title, body, labels).await?;
                Ok(Outcome::of_issue(number))
            }
            Effect::EditIssue { number, body } => {
                announce::edit(&self.writer, repo, *number, body).await?;
                Ok(Outcome::of_issue(*number))
            }
        }
    }

    /// Opens a pull request. Where GitHub has no drafts, one that a person has to complete is opened as
    /// it is: it says so itself. One that waits for its checks is not.
    async fn open(
        &self,
        (branch, base): (&BranchName, &BranchName),
        title: &str,
        body: &str,
        draft: bool,
    ) -> Result<Pull, GithubError> {
        let open =
            |draft| self.writer.open_pull(&self.repository, base, branch, title, body, draft);
        let opened = open(draft).await;
        let no_drafts = draft && opened.as_ref().is_err_and(GithubError::is_of_no_drafts);
        let is_partial = || parse_marker(body).is_some_and(|marker| marker.whole.is_some());
        if no_drafts && is_partial() { open(false).await } else { opened }
    }

    /// Makes a pull request a draft, where GitHub has drafts.
    async fn make_draft(&self, number: PullNumber) -> Result<Outcome> {
        let pull = self.reader.fetch_pull(&self.repository, number).await?;
        let made = self.writer.make_draft(&pull.node_id).await;
        if made.as_ref().is_err_and(GithubError::is_of_no_drafts) {
            return Ok(Outcome::of_pull(pull));
        }
        let updated_at = made.with_context(|| format!("making {number} a draft"))?;
        Ok(Outcome::of_pull(Pull { draft: true, updated_at, ..pull }))
    }

    /// Takes in that workflow files were refused: the next pass leaves such files to a person.
    fn learn_of_workflows(&self, refusal: Option<&PushError>) {
        if let Some(PushError::Denied { message }) = refusal
            && message.contains("workflow")
        {
            self.reader.may_not_edit_workflows();
        }
    }
}

/// GitHub stores line ends as they were sent, and browsers send `\r\n`.
pub(super) fn same_text(a: &str, b: &str) -> bool {
    a.replace("\r\n", "\n").trim_end() == b.replace("\r\n", "\n").trim_end()
}
