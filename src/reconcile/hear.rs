//! Comments that command, on their way in: found by polling (`poll.rs`), or recorded before by a
//! webhook. Here nothing is carried out.

use super::pass::Pass;
use crate::command::Grammar;
use crate::config::{Admitted, CommandsConfig};
use crate::domain::{
    CommandSource, CommitId, DashboardFacts, Effect, EffectState, Heard, Memory, Reaction, Said,
};
use crate::proposal::GONE;
use anyhow::Result;
use std::time::Duration;

/// So often a day somebody who may not command is answered, and then not even looked at.
pub const ANSWERS_TO_ONE_STRANGER: usize = 5;
/// The same of all of them together.
pub const ANSWERS_TO_STRANGERS: usize = 25;
/// What a day is to both.
const DAY: Duration = Duration::from_hours(24);

impl Pass<'_> {
    /// Hears what was said since the last look, and reacts to it at once. Comes before anything else
    /// is read: a command is bound to what was known when it was said.
    pub(super) async fn hear(&mut self) -> Result<()> {
        let bot = self.bot;
        let Some(rule) = &bot.watch.downstream.commands else { return Ok(()) };
        if rule.poll
            && let Err(error) = self.poll(rule).await
        {
            if error.is::<crate::store::StoreError>() {
                return Err(error);
            }
            self.trouble(&error.context("the comments"));
        }
        let (repo, name) = (&bot.watch.downstream.repository, &bot.watch.name);
        self.heard = bot.store.load_heard(repo, name, bot.clock.now()).await?;
        self.acknowledge().await
    }

    /// Shows those who are listened to that they were heard. What was deleted meanwhile is forgotten.
    pub(super) async fn acknowledge(&mut self) -> Result<()> {
        let bot = self.bot;
        let Some(rule) = &bot.watch.downstream.commands else { return Ok(()) };
        let unruled = self.heard.iter().filter(|heard| heard.rulings.is_none());
        let ours = unruled.filter(|heard| is_on_ours(&self.memory, heard.said.number));
        let ours =
            ours.filter(|heard| !self.may_be_done_with(heard.said.at) && !self.is_stale(heard));
        let unruled: Vec<Heard> = ours.cloned().collect();
        // A memory that begins first looks whether it was one before.
        if unruled.is_empty() || self.memory.recalled().is_none() || !self.knows_itself().await {
            return Ok(());
        }
        for heard in unruled {
            if self.limited {
                return Ok(());
            }
            let said = &heard.said;
            let to = said.source.clone();
            let effect = Effect::React { to, reaction: Reaction::Eyes };
            if matches!(said.source, CommandSource::Box(_))
                || !self.listens_to(rule, said)
                || self.is_done(&effect)
                || self.has_had_enough(&said.author).await?
            {
                continue;
            }
            match self.effect(&effect).await {
                Ok(outcome) if outcome.remote_id == GONE => self.forget(&heard).await?,
                Ok(_) => {}
                Err(error) if error.is::<crate::store::StoreError>() => return Err(error),
                Err(error) => self.trouble(&error),
            }
        }
        Ok(())
    }

    /// Whether nobody ruled on it for so long that nobody does any more.
    pub(super) fn is_stale(&self, heard: &Heard) -> bool {
        heard.rulings.is_none() && heard.heard_at <= self.bot.clock.now() - crate::store::STALE
    }

    /// Whether the bot knows its own login: it has to be asked for, and that may fail.
    pub(super) async fn knows_itself(&mut self) -> bool {
        if self.login.is_none() {
            match self.bot.sources.github.fetch_login().await {
                Ok(login) => self.login = Some(login),
                Err(error) => {
                    self.trouble(&anyhow::Error::new(error).context("the bot's own login"));
                }
            }
        }
        self.login.is_some()
    }

    /// Whether somebody is listened to at all: not the bot itself, and no other one that is not listed.
    pub(super) fn listens_to(&self, rule: &CommandsConfig, said: &Said) -> bool {
        let own = self.login.as_deref().is_none_or(|own| said.author.eq_ignore_ascii_case(own));
        !own && (!said.bot || is_listed(rule, &said.author))
    }

    /// Whether nobody answers this author any more today: not one who may command.
    async fn has_had_enough(&self, author: &str) -> Result<bool> {
        Ok(self.answered_today(Some(author)).await? >= ANSWERS_TO_ONE_STRANGER)
    }

    /// Whether nobody answers strangers any more today, `others` being answered besides.
    pub(super) async fn strangers_had_enough(&self, author: &str, others: &[&str]) -> Result<bool> {
        let all = self.answered_today(None).await? + others.len();
        let same = others.iter().filter(|other| other.eq_ignore_ascii_case(author)).count();
        let own = self.answered_today(Some(author)).await? + same;
        Ok(all >= ANSWERS_TO_STRANGERS || own >= ANSWERS_TO_ONE_STRANGER)
    }

    /// How many answers a stranger had today, or all of them.
    async fn answered_today(&self, author: Option<&str>) -> Result<usize> {
        let (store, repo) = (&self.bot.store, &self.bot.watch.downstream.repository);
        let count = store.count_strangers(repo, author, self.bot.clock.now() - DAY).await?;
        Ok(usize::try_from(count)?)
    }

    pub(super) async fn forget(&mut self, heard: &Heard) -> Result<()> {
        self.bot.store.end_heard(self.lease, heard.id, self.bot.clock.now()).await?;
        self.heard.retain(|it| it.id != heard.id);
        Ok(())
    }

    /// Whether it is remembered that this was done.
    pub(super) fn is_done(&self, effect: &Effect) -> bool {
        let key = effect.key(&self.bot.watch.name);
        let mut records = self.memory.effects.iter();
        records.any(|record| record.key == key && record.state == EffectState::Done)
    }
}

/// How commands are spelled in a watch.
#[must_use]
pub fn grammar(rule: &CommandsConfig) -> Grammar {
    Grammar { prefix: rule.prefix.clone(), mention: rule.mention.clone() }
}

/// Whether somebody is named in the config, as a person or an App.
pub(super) fn is_listed(rule: &CommandsConfig, login: &str) -> bool {
    rule.allow.iter().any(|it| match it {
        Admitted::Login(listed) => listed.eq_ignore_ascii_case(login),
        Admitted::Team { .. } => false,
    })
}

/// Whether an issue or pull request is the bot's: one from its branches, or its dashboard.
pub(super) fn is_on_ours(memory: &Memory, number: u64) -> bool {
    let dashboard = memory.dashboard().and_then(DashboardFacts::number);
    // One that was closed has no marker any more.
    memory.pulls().any(|pull| pull.number.0 == number) || dashboard.is_some_and(|it| it.0 == number)
}

/// Where the branch of a pull request was last seen.
pub(super) fn known_head(memory: &Memory, number: u64) -> Option<CommitId> {
    memory.pulls().find(|pull| pull.number.0 == number).map(|pull| pull.head.clone())
}
