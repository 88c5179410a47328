//! The one function through which every write to the outside goes.

use super::pass::Pass;
use crate::domain::{CommitId, Effect, EffectState, Fact, PullFacts};
use crate::proposal::Outcome;
use anyhow::Result;
use std::collections::BTreeSet;
use tracing::debug;

impl Pass<'_> {
    /// Records the intent, performs the effect, records the outcome. What was intended before is
    /// looked for in the world first, and so is every pull request that is to be opened: after an
    /// unknown outcome nothing is done twice.
    pub(super) async fn effect(&mut self, effect: &Effect) -> Result<Outcome> {
        let bot = self.bot;
        let key = effect.key(&bot.watch.name);
        let known = self.memory.effects.iter().any(|record| record.key == key);
        let record = bot
            .store
            .intend(self.lease, &bot.watch.name, effect, bot.clock.now())
            .await?;
        if !known {
            self.memory.effects.push(record);
        }
        let found = if known || matches!(effect, Effect::OpenPull { .. }) {
            bot.performer.probe(effect).await?
        } else {
            None
        };
        let outcome = match found {
            Some(outcome) => outcome,
            None => bot.performer.perform(effect, &self.ours()).await?,
        };
        debug!(%key, remote_id = outcome.remote_id, "performed");
        let now = bot.clock.now();
        bot.store
            .effect_done(self.lease, &key, Some(&outcome.remote_id), now)
            .await?;
        if let Some(record) = self
            .memory
            .effects
            .iter_mut()
            .find(|record| record.key == key)
        {
            record.state = EffectState::Done;
            record.done_at = Some(now);
            record.remote_id = Some(outcome.remote_id.clone());
        }
        Ok(outcome)
    }

    /// Every commit that the bot pushed or was about to: recorded before the ref moves, so that a
    /// crash never looks like a person. The markers know them when the database does not.
    fn ours(&self) -> BTreeSet<CommitId> {
        let pushed = self
            .memory
            .effects
            .iter()
            .filter_map(|record| match &record.effect {
                Effect::PushBranch { commit, .. } => Some(commit.clone()),
                _ => None,
            });
        let marked = self.memory.pulls().filter_map(|pull| pull.marker.as_ref());
        pushed
            .chain(marked.map(|marker| marker.commit.clone()))
            .collect()
    }

    pub(super) async fn remember_pull(&mut self, pull: PullFacts) -> Result<()> {
        let news = self.memory.observe(Fact::Pull(pull), self.bot.clock.now());
        self.record(news).await
    }
}
