//! The last look at the tags of what is about to be proposed, and who is told of what they gave.

use super::{pass::Pass, tags::Wanted};
use crate::domain::HowToAsk;
use crate::policy::{Intent, all_alarms};
use anyhow::Result;
use tracing::error;

impl Pass<'_> {
    /// Resolves once more what is about to be proposed; whether the decision is to be made anew.
    /// While a tag cannot be resolved, nothing is proposed that it names.
    pub(super) async fn confirm_tags(&mut self, due: &[Intent]) -> Result<bool> {
        let wanted = Wanted::before(due, &self.bot.watch, &self.memory, &self.world);
        if wanted.is_empty() {
            return Ok(false);
        }
        let (bot, now) = (self.bot, self.bot.clock.now());
        let again = wanted.resolve(&bot.watch, &bot.sources, &self.memory, now).await;
        let (news, trouble) = again.take(&bot.watch, &mut self.memory, &mut self.world, now);
        bot.store.record_observations(self.lease, &bot.watch.name, &news, &[], now).await?;
        self.sound();
        if let Some(trouble) = trouble {
            self.trouble(&trouble);
            let still = Wanted::before(due, &self.bot.watch, &self.memory, &self.world);
            self.failed.extend(due.iter().filter(|intent| still.concerns(intent)).cloned());
        }
        Ok(true)
    }

    /// What a person has to look at, as far as is known now.
    pub(super) fn alarms(&self) -> Vec<String> {
        all_alarms(&self.memory, &self.snapshot(), &HowToAsk::CommandLine, self.bot.clock.now())
    }

    /// Tells the log of each alarm that was none before: a person must act.
    pub(super) fn sound(&mut self) {
        for alarm in self.alarms() {
            if !self.sounded.contains(&alarm) {
                error!("{alarm}");
                self.sounded.push(alarm);
            }
        }
    }
}
