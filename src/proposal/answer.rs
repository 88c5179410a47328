//! Reactions and answers to comments that command.

use super::perform::{Outcome, Performer, same_text};
use crate::clients::github::{Comment, GithubError};
use crate::domain::{CommandSource, IssueNumber, PullNumber, Reaction};
use crate::render::answers_to;
use anyhow::{Context as _, Result, bail};

/// What a reaction or an answer to a comment is called that was deleted.
pub const GONE: &str = "gone";

impl Performer {
    /// Looks for the bot's own reaction to a comment.
    pub(super) async fn probe_reaction(
        &self,
        to: &CommandSource,
        reaction: Reaction,
    ) -> Result<Option<Outcome>> {
        let all = match self.reader.fetch_reactions(&self.repository, to, reaction).await {
            Err(GithubError::NotFound { .. }) => return Ok(None),
            all => all.with_context(|| format!("the reactions to {to}"))?,
        };
        self.own(all.into_iter()).await
    }

    pub(super) async fn react(&self, to: &CommandSource, reaction: Reaction) -> Result<Outcome> {
        match self.writer.react(&self.repository, to, reaction).await {
            // The comment was deleted: nobody wants an answer any more.
            Err(GithubError::NotFound { .. }) => Ok(Outcome::named(GONE)),
            id => Ok(Outcome::named(id.with_context(|| format!("reacting to {to}"))?)),
        }
    }

    /// Takes a reaction back; one that is not there is taken back.
    pub(super) async fn take_reaction_back(&self, to: &CommandSource, id: u64) -> Result<Outcome> {
        match self.writer.take_reaction_back(&self.repository, to, id).await {
            Ok(()) | Err(GithubError::NotFound { .. }) => Ok(Outcome::named(id)),
            Err(error) => Err(error).with_context(|| format!("the reaction to {to}")),
        }
    }

    /// Looks for the bot's own answer to a comment: anybody may write one that looks like it.
    pub(super) async fn probe_answer(
        &self,
        to: &CommandSource,
        number: IssueNumber,
    ) -> Result<Option<Outcome>> {
        let (reader, repo) = (&self.reader, &self.repository);
        let comments = match to {
            CommandSource::Comment(_) => reader.fetch_comments(repo, PullNumber(number.0)).await,
            CommandSource::Review(_) => reader.fetch_review_comments(repo, number).await,
            CommandSource::Box(_) => return Ok(None),
        };
        let comments = match comments {
            // Nothing is there, nor will be.
            Err(GithubError::NotFound { .. }) => return Ok(None),
            comments => comments.with_context(|| format!("the comments on {number}"))?,
        };
        let answers = comments.into_iter().filter(|it| answers_to(&it.body, to));
        self.own(answers.map(|it| (it.id, it.author.unwrap_or_default()))).await
    }

    /// Answers a comment where it stands. Where that is gone, nobody wants an answer any more.
    pub(super) async fn answer(
        &self,
        to: &CommandSource,
        number: IssueNumber,
        body: &str,
    ) -> Result<Outcome> {
        let repo = &self.repository;
        let answer = match to {
            CommandSource::Comment(_) => {
                self.writer.comment(repo, PullNumber(number.0), body).await
            }
            CommandSource::Review(_) => self.reply(to, number, body).await,
            CommandSource::Box(_) => bail!("a box has no place for an answer"),
        };
        match answer {
            Err(GithubError::NotFound { .. }) => Ok(Outcome::named(GONE)),
            answer => Ok(Outcome::named(answer.with_context(|| format!("answering {to}"))?.id)),
        }
    }

    /// Replies to a comment within a diff. Where that is a reply itself, GitHub takes one only at the
    /// comment that began the thread.
    async fn reply(
        &self,
        to: &CommandSource,
        number: IssueNumber,
        body: &str,
    ) -> Result<Comment, GithubError> {
        let there = self.reader.fetch_comment(&self.repository, to).await?;
        let first = there.thread.unwrap_or(there.id);
        self.writer.reply(&self.repository, number, first, body).await
    }

    /// Whether the answer says this already. One that a person deleted is left deleted.
    pub(super) async fn probe_edited_answer(
        &self,
        to: &CommandSource,
        answer: u64,
        body: &str,
    ) -> Result<Option<Outcome>> {
        match self.reader.fetch_comment(&self.repository, &of_kind(to, answer)).await {
            Ok(there) => Ok(same_text(&there.body, body).then(|| Outcome::named(answer))),
            Err(GithubError::NotFound { .. }) => Ok(Some(Outcome::named(answer))),
            Err(error) => Err(error).with_context(|| format!("the answer to {to}")),
        }
    }

    /// Whether a comment is shown small. One that was deleted is shown to nobody.
    pub(super) async fn probe_minimized(&self, comment: &CommandSource) -> Result<Option<Outcome>> {
        let there = match self.reader.fetch_comment(&self.repository, comment).await {
            Err(GithubError::NotFound { .. }) => return Ok(Some(Outcome::named(GONE))),
            there => there.with_context(|| format!("the {comment}"))?,
        };
        let minimized = self.reader.is_minimized(&there.node_id).await;
        let minimized = minimized.with_context(|| format!("whether the {comment} is small"))?;
        Ok(minimized.then(|| Outcome::named(there.id)))
    }

    pub(super) async fn minimize(&self, comment: &CommandSource) -> Result<Outcome> {
        let there = match self.reader.fetch_comment(&self.repository, comment).await {
            Err(GithubError::NotFound { .. }) => return Ok(Outcome::named(GONE)),
            there => there.with_context(|| format!("the {comment}"))?,
        };
        let minimized = self.writer.minimize(&there.node_id).await;
        minimized.with_context(|| format!("minimizing the {comment}"))?;
        Ok(Outcome::named(there.id))
    }

    pub(super) async fn edit_answer(
        &self,
        to: &CommandSource,
        answer: u64,
        body: &str,
    ) -> Result<Outcome> {
        match self.writer.edit_comment(&self.repository, &of_kind(to, answer), body).await {
            Ok(()) | Err(GithubError::NotFound { .. }) => Ok(Outcome::named(answer)),
            Err(error) => Err(error).with_context(|| format!("rewriting the answer to {to}")),
        }
    }
}

/// The answer as a place of the same kind as what it answers.
#[must_use]
pub const fn of_kind(to: &CommandSource, answer: u64) -> CommandSource {
    match to {
        CommandSource::Comment(_) | CommandSource::Box(_) => CommandSource::Comment(answer),
        CommandSource::Review(_) => CommandSource::Review(answer),
    }
}
