//! The one function through which every write to the outside goes.

use super::{
    pass::Pass,
    recall::{LIST_LAG, PutOff},
};
use crate::domain::{
    BranchName, CommitId, Effect, EffectState, Fact, Marker, PullFacts, PullNumber, PullState,
};
use crate::policy::is_patched;
use crate::proposal::{Outcome, Sketch, newest_check_run};
use crate::telemetry::{Moment, step};
use anyhow::Result;
use std::collections::BTreeSet;
use tracing::debug;

impl Pass<'_> {
    /// Records the intent, performs the effect, records the outcome. What was intended before is
    /// looked for in the world first: after an unknown outcome nothing is done twice. So is everything
    /// just after a memory was lost; what is not found then may only not be listed yet.
    pub(super) async fn effect(&mut self, effect: &Effect) -> Result<Outcome> {
        self.effect_unless_there(effect, false).await
    }

    /// Puts the labels on those open pull requests of the bot that did not get them, because the
    /// opening's outcome was unknown or labelling failed. A label that a person took off stays off.
    pub(super) async fn complete_labels(&mut self) -> Result<()> {
        let labels = self.bot.watch.labels.clone();
        let own = |pull: &&PullFacts| {
            let marked = |marker: &Marker| marker.commit == pull.head;
            pull.state == PullState::Open && pull.marker.as_ref().is_some_and(marked)
        };
        let unlabelled = self.memory.pulls().filter(|_| !labels.is_empty()).filter(own);
        let numbers: Vec<PullNumber> = unlabelled.map(|pull| pull.number).collect();
        for number in numbers {
            if self.limited {
                return Ok(());
            }
            let effect = Effect::LabelPull { number, labels: labels.clone(), since: None };
            let key = effect.key(&self.bot.watch.name);
            let records = &self.memory.effects;
            if records.iter().any(|record| record.key == key && record.state == EffectState::Done) {
                continue;
            }
            match self.effect_unless_there(&effect, true).await {
                Ok(_) => self.done(format!("labelled pull request {number}")),
                Err(error) if error.is::<crate::store::StoreError>() => return Err(error),
                Err(error) => self.trouble(&error),
            }
        }
        Ok(())
    }

    pub(super) async fn effect_unless_there(
        &mut self,
        effect: &Effect,
        probe: bool,
    ) -> Result<Outcome> {
        self.effect_known_as(effect, probe, None).await
    }

    /// The same, where the outside may call its result `hint`, which is looked at.
    async fn effect_known_as(
        &mut self,
        effect: &Effect,
        probe: bool,
        hint: Option<&CommitId>,
    ) -> Result<Outcome> {
        let bot = self.bot;
        let key = effect.key(&bot.watch.name);
        let record = self.memory.effects.iter().find(|record| record.key == key);
        let known = record.is_some();
        let before = record.and_then(|record| record.remote_id.clone());
        let before = self.check_run_before(effect).or(before);
        let before = before.or_else(|| hint.map(CommitId::to_string));
        let forgetful = self.forgetful_until().filter(|_| !known);
        let found = if known || probe || forgetful.is_some() {
            bot.performer.probe(effect, before.as_deref()).await?
        } else {
            None
        };
        if let Some(until) = forgetful.filter(|_| found.is_none())
            && bot.performer.may_double(effect).await?
        {
            return Err(PutOff { until }.into());
        }
        let record = bot.store.intend(self.lease, &bot.watch.name, effect, bot.clock.now()).await?;
        if !known {
            self.memory.effects.push(record);
        }
        let outcome = if let Some(outcome) = found {
            outcome
        } else {
            step(Moment::Before, "effect", &key.0);
            let mut movable = self.ours();
            movable.extend(self.named_heads());
            let outcome = bot.performer.perform(effect, &movable, before.as_deref()).await?;
            step(Moment::After, "effect", &key.0);
            outcome
        };
        debug!(%key, remote_id = outcome.remote_id, "performed");
        let now = bot.clock.now();
        bot.store.effect_done(self.lease, &key, Some(&outcome.remote_id), now).await?;
        if let Some(record) = self.memory.effects.iter_mut().find(|record| record.key == key) {
            record.state = EffectState::Done;
            record.done_at = Some(now);
            record.remote_id = Some(outcome.remote_id.clone());
        }
        Ok(outcome)
    }

    /// Whether an effect whose outcome nobody knows may be there, and only not be listed yet. Then it is
    /// not repeated before the list has had its time; the pass says when that is.
    pub(super) async fn may_be_unlisted(&mut self, effect: &Effect) -> Result<bool> {
        let (bot, key) = (self.bot, effect.key(&self.bot.watch.name));
        let mut tried = self.memory.effects.iter();
        let tried = tried.find(|it| it.key == key && it.state == EffectState::Intended);
        let until = tried.map(|it| it.intended_at + LIST_LAG);
        let Some(until) = until.filter(|until| bot.clock.now() < *until) else { return Ok(false) };
        if bot.performer.probe(effect, None).await?.is_some() {
            return Ok(false);
        }
        self.report.wake = self.report.wake.into_iter().chain([until]).min();
        Ok(true)
    }

    /// The check run that an effect would rewrite, as it was called when it was last written.
    fn check_run_before(&self, effect: &Effect) -> Option<String> {
        let Effect::ReportCheck { commit, report } = effect else { return None };
        let same = self.memory.effects.iter().filter(|record| {
            matches!(&record.effect, Effect::ReportCheck { commit: of, report: said }
                if of == commit && said.name == report.name)
        });
        newest_check_run(same.filter_map(|record| record.remote_id.as_deref()))
    }

    /// The commit of a sketch, which is going to be on `branch`. Where its id is not known
    /// beforehand, GitHub makes it. One of the same content that is there already is found, so that a
    /// branch that was pushed before the memory was lost is known as the bot's own.
    pub(super) async fn commit_of(
        &mut self,
        sketch: &Sketch,
        branch: &BranchName,
    ) -> Result<CommitId> {
        self.commit_seen_as(sketch, branch, None).await
    }

    /// The same, where `seen` may be the commit.
    pub(super) async fn commit_seen_as(
        &mut self,
        sketch: &Sketch,
        branch: &BranchName,
        seen: Option<&CommitId>,
    ) -> Result<CommitId> {
        if let Some(commit) = &sketch.foretold {
            return Ok(commit.clone());
        }
        let made = self.effect_known_as(&sketch.write_commit(branch), true, seen).await?;
        Ok(made.remote_id.parse()?)
    }

    /// Every commit that the bot pushed or was about to: recorded before the ref moves, so that a
    /// crash never looks like a person. The markers know them when the database does not.
    pub(super) fn ours(&self) -> BTreeSet<CommitId> {
        let pushed = self.memory.effects.iter().filter_map(|record| match &record.effect {
            Effect::PushBranch { commit, .. } => Some(commit.clone()),
            _ => None,
        });
        let marked = self.memory.pulls().filter_map(|pull| pull.marker.as_ref());
        let patched = self.memory.pulls().filter(|pull| is_patched(&self.memory, pull));
        let patched = patched.map(|pull| pull.head.clone());
        pushed.chain(marked.map(|marker| marker.commit.clone())).chain(patched).collect()
    }

    pub(super) async fn remember_pull(&mut self, pull: PullFacts) -> Result<()> {
        let news = self.memory.observe(Fact::Pull(pull), self.bot.clock.now());
        self.record(news).await
    }
}
