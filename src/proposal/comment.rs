//! What the bot says and marks on a pull request beside its text.

use super::perform::{Outcome, Performer};
use crate::clients::github::GithubError;
use crate::domain::{CommitId, PullFacts, PullNumber, Saying};
use crate::render::{LostCommit, comment_says};
use anyhow::{Context as _, Result, bail};
use std::collections::BTreeSet;

impl Performer {
    /// The commits of a pull request that are none of `ours`, the oldest first.
    ///
    /// # Errors
    /// If GitHub could not be asked, or its branch has moved since the pass looked at it.
    pub async fn lost_commits(
        &self,
        pull: &PullFacts,
        ours: &BTreeSet<CommitId>,
    ) -> Result<Vec<LostCommit>> {
        let commits = self.reader.fetch_pull_commits(&self.repository, pull.number).await;
        let mut commits = commits.with_context(|| format!("the commits of {}", pull.number))?;
        if commits.last().is_some_and(|last| last.id != pull.head) {
            bail!("the branch of pull request {} moved just now", pull.number);
        }
        commits.retain(|commit| !ours.contains(&commit.id));
        let lost = commits.into_iter();
        Ok(lost.map(|it| LostCommit { id: it.id, title: it.title, author: it.author }).collect())
    }

    /// Looks for the bot's own comment that says this: anybody may write one that looks like it.
    pub(super) async fn probe_comment(
        &self,
        number: PullNumber,
        says: &Saying,
    ) -> Result<Option<Outcome>> {
        let comments = self.reader.fetch_comments(&self.repository, number).await?;
        let said = comments.into_iter().filter(|it| comment_says(&it.body, says));
        self.own(said.map(|it| (it.id, it.author.unwrap_or_default()))).await
    }

    /// The first of these, by GitHub's id and by whose it is, that is the bot's own. Where there is none
    /// at all, nobody asks who the bot is.
    pub(super) async fn own(
        &self,
        all: impl Iterator<Item = (u64, String)>,
    ) -> Result<Option<Outcome>> {
        let all: Vec<(u64, String)> = all.collect();
        if all.is_empty() {
            return Ok(None);
        }
        let login = self.reader.fetch_login().await?;
        let own = all.iter().find(|(_, author)| author.eq_ignore_ascii_case(&login));
        Ok(own.map(|(id, _)| Outcome::named(id)))
    }

    pub(super) async fn comment(&self, number: PullNumber, body: &str) -> Result<Outcome> {
        let comment = self.writer.comment(&self.repository, number, body).await;
        let comment = comment.with_context(|| format!("commenting on {number}"))?;
        Ok(Outcome::named(comment.id))
    }

    pub(super) async fn probe_unlabelled(
        &self,
        number: PullNumber,
        label: &str,
    ) -> Result<Option<Outcome>> {
        let pull = self.reader.fetch_pull(&self.repository, number).await?;
        let there = pull.labels.iter().any(|it| it.eq_ignore_ascii_case(label));
        Ok((!there).then(|| Outcome::of_pull(pull)))
    }

    /// Takes the label off; one that is not there is off.
    pub(super) async fn unlabel(&self, number: PullNumber, label: &str) -> Result<Outcome> {
        match self.writer.remove_label(&self.repository, number, label).await {
            Ok(()) | Err(GithubError::NotFound { .. }) => Ok(Outcome::named(number.0)),
            Err(error) => Err(error).with_context(|| format!("taking a label off {number}")),
        }
    }
}
