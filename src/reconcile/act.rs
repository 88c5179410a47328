//! Act: one intent at a time, each recorded.

use super::{
    beside::{Answered, learn_all},
    pass::Pass,
};
use crate::domain::{
    CommitId, DraftMark, Effect, Marker, Pin, Plan, ProposalKind, PullNumber, PullState, RequestId,
    RequestOutcome, RunId, Version,
};
use crate::policy::{Decision, Intent, Snapshot, Stage, moved_under};
use crate::proposal::{Workshop, effects_of};
use crate::render::{marker, under_warning, without_marker};
use anyhow::{Context as _, Result};

impl Pass<'_> {
    /// Performs one intent.
    pub(super) async fn perform(&mut self, intent: &Intent, decision: &Decision) -> Result<()> {
        match intent {
            Intent::Look(_)
            | Intent::ReadContract(_)
            | Intent::Check { .. }
            | Intent::Companion(..) => self.learn_all(vec![intent.clone()]).await,
            Intent::StartCanary(version) => Box::pin(self.start(version, &decision.stages)).await,
            Intent::Bury(run) => self.bury(*run).await,
            Intent::Conclude(run) if self.is_dispatched(*run) => {
                Box::pin(self.conclude_workflow(*run, &decision.stages)).await
            }
            Intent::Conclude(run) => Box::pin(self.conclude(*run)).await,
            Intent::Cancel { run, why } => Box::pin(self.cancel(*run, why)).await,
            Intent::Hold { pull, why, offered } => Box::pin(self.hold(*pull, why, *offered)).await,
            Intent::Propose { kind, version, over, requested } => {
                self.propose(*kind, version, *over, *requested, decision).await
            }
            Intent::Close { pull, why } => self.close(*pull, why).await,
            Intent::Warn { pull, why } => self.warn(*pull, why).await,
            Intent::StepBack { pull } => Box::pin(self.step_back(*pull)).await,
            Intent::TakeUp { pull } => Box::pin(self.take_up(*pull)).await,
            Intent::GiveUp { pull, request } => Box::pin(self.name_lost(*pull, *request)).await,
            Intent::Answer { request, granted, answer } => {
                self.answer(*request, *granted, answer).await
            }
        }
    }

    /// Starts a canary with whom the config has carry it. Beside checks a workflow prepares the
    /// draft; the pinned release has none.
    async fn start(&mut self, version: &Version, stages: &[(Version, Stage)]) -> Result<()> {
        let rules = &self.bot.watch.rules;
        let of_pin = self.is_of_pin(version)?;
        match (&rules.checks, &rules.workflow) {
            (Some(_), None) => self.start_checks(version, stages).await,
            (Some(_), Some(_)) if of_pin => self.start_checks(version, stages).await,
            (_, Some(_)) => self.start_workflow(version, stages).await,
            (None, None) => self.start_canary(version).await,
        }
    }

    /// Whether a workflow carries the run.
    fn is_dispatched(&self, id: RunId) -> bool {
        let mut runs = self.memory.runs.iter();
        runs.find(|run| run.id == id).is_some_and(|run| run.dispatched.is_some())
    }

    /// Learns what intents that only read ask for, and records it in their order.
    pub(super) async fn learn_all(&mut self, due: Vec<Intent>) -> Result<()> {
        let (bot, now) = (self.bot, self.bot.clock.now());
        let (memory, world) = (&mut self.memory, &mut self.world);
        let answers = learn_all(due, &bot.watch, &bot.sources, memory, world, now).await;
        for Answered { intent, learned } in answers {
            match learned {
                Ok(learned) => {
                    let name = &bot.watch.name;
                    bot.store.record_learned(self.lease, name, &learned, now).await?;
                }
                Err(error) => {
                    self.trouble_with(&intent, &error);
                    self.failed.push(intent);
                }
            }
        }
        Ok(())
    }

    async fn propose(
        &mut self,
        kind: ProposalKind,
        version: &Version,
        over: Option<PullNumber>,
        requested: bool,
        decision: &Decision,
    ) -> Result<()> {
        if self.lost_tree(version).await? {
            return Ok(());
        }
        let pin = self.pin()?;
        let head = self.world.base.clone().context("the downstream was not read")?;
        let snapshot = self.snapshot();
        let rewritten = over.and_then(|number| {
            let pull = self.memory.pulls().find(|pull| pull.number == number)?;
            Some((number, pull.branch.clone()))
        });
        let workshop = self.workshop(&snapshot, &pin, &head, &decision.stages);
        let sketch = workshop.sketch(kind, version, over).await?;
        let branch = rewritten.as_ref().map_or(&sketch.branch, |(_, branch)| branch);
        let commit = self.commit_of(&sketch, branch).await?;
        let workshop = self.workshop(&snapshot, &pin, &head, &decision.stages);
        let plan = workshop.plan(&sketch, commit, requested, over).await?;
        let over = rewritten.as_ref().map(|(number, branch)| (*number, branch));
        if let Some((number, _)) = over.filter(|_| sketch.is_partial()) {
            self.make_draft(number, &sketch.identity()).await?;
        }
        let number = self.propose_all(&effects_of(&plan, over), &plan).await?;
        self.mark_ready(number).await?;
        if over.is_none() && !plan.labels.is_empty() {
            self.effect(&Effect::LabelPull { number, labels: plan.labels.clone(), since: None })
                .await?;
        }
        let verb = if over.is_some() { "rewrote" } else { "opened" };
        self.done(format!("{verb} pull request {number}: {}", plan.title));
        Ok(())
    }

    /// What plans are made from, as it is now.
    pub(super) fn workshop<'a>(
        &'a self,
        snapshot: &'a Snapshot,
        pin: &'a Pin,
        head: &'a CommitId,
        stages: &'a [(Version, Stage)],
    ) -> Workshop<'a> {
        Workshop {
            watch: &self.bot.watch,
            memory: &self.memory,
            git: &self.bot.git,
            pin,
            head,
            snapshot,
            stages,
            now: self.bot.clock.now(),
        }
    }

    /// Performs what makes a plan real; gives the number of its pull request.
    pub(super) async fn propose_all(
        &mut self,
        effects: &[Effect],
        plan: &Plan,
    ) -> Result<PullNumber> {
        let mut number = None;
        for effect in effects {
            // A draft is begun anew where its run was not recorded: its text may be there already.
            let probe = plan.draft && matches!(effect, Effect::EditPull { .. });
            let outcome = self.effect_unless_there(effect, probe).await?;
            if let Some(mut pull) = outcome.pull {
                number = Some(pull.number);
                // GitHub's answer may lag behind the push of a moment ago.
                pull.head = plan.commit.clone();
                self.remember_pull(pull).await?;
            }
        }
        number.context("no pull request came of it")
    }

    async fn close(&mut self, number: PullNumber, why: &str) -> Result<()> {
        let bot = self.bot;
        let pull = bot.sources.github.fetch_pull(&bot.watch.downstream.repository, number).await?;
        if pull.state != PullState::Open {
            // The list did not show it yet.
            return self.remember_pull(pull.into_facts()).await;
        }
        let mut body = format!("**Closed by the bot: {why}.**\n\n{}", without_marker(&pull.body));
        let known = self.memory.pulls().find(|known| known.number == number);
        let draft = known.and_then(|known| known.marker.clone());
        if let Some(draft) = draft.filter(|it| it.draft == DraftMark::Waits) {
            let spent = Marker { draft: DraftMark::Spent, held: None, ..draft };
            body = format!("{}\n\n{}", body.trim_end(), marker(&spent));
        }
        let effect = Effect::EditPull { number, title: pull.title.clone(), body, close: true };
        let outcome = self.effect(&effect).await?;
        if let Some(pull) = outcome.pull {
            self.remember_pull(pull).await?;
        }
        self.done(format!("closed pull request {number}: {why}"));
        Ok(())
    }

    /// Nothing but the text changes: what was verified and canaried is what the pull request
    /// proposes, whatever its tag leads to now.
    async fn warn(&mut self, number: PullNumber, why: &str) -> Result<()> {
        let bot = self.bot;
        let known = self.memory.pulls().find(|pull| pull.number == number);
        let moved = moved_under(&self.memory, known.context("no such pull request")?);
        let proposed: Vec<String> = moved.iter().map(|it| it.proposed.to_string()).collect();
        let pull = bot.sources.github.fetch_pull(&bot.watch.downstream.repository, number).await?;
        let body = under_warning(why, &proposed, &pull.body);
        let effect = Effect::EditPull { number, title: pull.title.clone(), body, close: false };
        let outcome = self.effect(&effect).await?;
        if let Some(pull) = outcome.pull {
            self.remember_pull(pull).await?;
        }
        self.done(format!("warned in pull request {number}: {why}"));
        Ok(())
    }

    async fn answer(&mut self, id: RequestId, granted: bool, answer: &str) -> Result<()> {
        let now = self.bot.clock.now();
        self.bot.store.answer_request(self.lease, id, granted, answer, now).await?;
        let request = self.memory.requests.iter_mut().find(|request| request.id == id);
        let request = request.context("no such request")?;
        let line = format!("answered request {id} for {}: {answer}", request.version);
        request.outcome = Some(RequestOutcome { granted, answer: answer.to_owned(), at: now });
        self.done(line);
        Ok(())
    }
}
