//! Act: one intent at a time, each recorded.

use super::{
    beside::{Answered, learn_all},
    pass::Pass,
};
use crate::canary::{ALIVE_FOR, Order, Target, work};
use crate::domain::{
    CanaryRun, Check, Detail, Effect, Finding, Pin, ProposalKind, PullNumber, RequestId,
    RequestOutcome, RunId, RunState, Verdict, Version,
};
use crate::policy::{Decision, Intent, inputs_of};
use crate::proposal::{Draft, Workshop, companion_pins, draft_pin_bump, effects_of};
use crate::render::{under_warning, without_marker};
use crate::store::NewRun;
use anyhow::{Context as _, Result};
use std::path::Path;

impl Pass<'_> {
    /// Performs one intent.
    pub(super) async fn perform(&mut self, intent: &Intent, decision: &Decision) -> Result<()> {
        match intent {
            Intent::Look(_)
            | Intent::ReadContract(_)
            | Intent::Check { .. }
            | Intent::Companion(..) => self.learn_all(vec![intent.clone()]).await,
            Intent::StartCanary(version) => self.start_canary(version).await,
            Intent::Bury(run) => self.bury(*run).await,
            Intent::Propose { kind, version, over, requested } => {
                self.propose(*kind, version, *over, *requested, decision).await
            }
            Intent::Close { pull, why } => self.close(*pull, why).await,
            Intent::Warn { pull, why } => self.warn(*pull, why).await,
            Intent::Answer { request, granted, answer } => {
                self.answer(*request, *granted, answer).await
            }
        }
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
                    self.trouble(&error);
                    self.failed.push(intent);
                }
            }
        }
        Ok(())
    }

    /// Starts a run on the tree that a proposal would push, and leaves it to the supervisor.
    async fn start_canary(&mut self, version: &Version) -> Result<()> {
        let (bot, now) = (self.bot, self.bot.clock.now());
        let pin = self.pin()?;
        let image = self.memory.image(version).context("its image was never resolved")?;
        let to = Pin { version: version.clone(), digest: image.digest.clone(), ..pin.clone() };
        let base = self.world.base.clone().context("the downstream was not read")?;
        let companions = companion_pins(&bot.watch, &self.memory, version);
        let draft = draft_pin_bump(&bot.git, &bot.watch, &base, &to, &companions).await?;
        let (rules, pinned) = (&bot.watch.rules, pin.digest.digest());
        let new = NewRun {
            version: version.clone(),
            subject: to.digest.clone(),
            inputs: inputs_of(Check::Canary, version, rules, &self.memory, Some(pinned)),
            base: draft.base.clone(),
            tree: draft.tree.clone(),
            started_at: now,
            alive_until: now + ALIVE_FOR,
        };
        let run = bot.store.start_run(self.lease, &bot.watch.name, &new).await?;
        self.memory.runs.push(remembered(run, &new));
        let work = work::work_dir(&bot.state, run);
        if let Err(error) = export(&bot.git, &draft, &work).await {
            self.end_run(run, &format!("the canary's tree could not be exported: {error:#}"))
                .await?;
            return Err(error);
        }
        let target = Target { image: to.image, version: to.version, digest: to.digest };
        let watch = bot.watch.name.clone();
        let order = Order { watch, run, target, inputs: new.inputs, work };
        bot.supervisor.start(order, &bot.watch.canary);
        self.done(format!("canary started at {version}"));
        Ok(())
    }

    /// A run whose supervisor fell silent: its process died, and what it found is lost. Its
    /// directory goes with the others that are left behind.
    async fn bury(&mut self, run: RunId) -> Result<()> {
        self.end_run(run, "the bot's process died while the canary ran").await
    }

    async fn end_run(&mut self, id: RunId, why: &str) -> Result<()> {
        let now = self.bot.clock.now();
        let run = self.memory.runs.iter_mut().find(|run| run.id == id).context("no such run")?;
        let finding = Finding {
            check: Check::Canary,
            verdict: Verdict::Inconclusive,
            version: run.version.clone(),
            subject: run.subject.clone(),
            inputs: run.inputs.clone(),
            summary: why.to_owned(),
            detail: Detail::default(),
            at: now,
        };
        self.bot.store.end_run(&self.bot.watch.name, id, "", &finding).await?;
        run.state = RunState::Ended {
            at: now,
            verdict: finding.verdict,
            summary: finding.summary.clone(),
            output: String::new(),
        };
        self.memory.findings.push(finding);
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
        let pin = self.pin()?;
        let head = self.world.base.clone().context("the downstream was not read")?;
        let snapshot = self.snapshot();
        let workshop = Workshop {
            watch: &self.bot.watch,
            memory: &self.memory,
            snapshot: &snapshot,
            git: &self.bot.git,
            pin: &pin,
            head: &head,
            stages: &decision.stages,
            now: self.bot.clock.now(),
        };
        let plan = workshop.plan(kind, version, requested).await?;
        let branch = over.and_then(|number| {
            let pull = self.memory.pulls().find(|pull| pull.number == number)?;
            Some((number, pull.branch.clone()))
        });
        let over = branch.as_ref().map(|(number, branch)| (*number, branch));
        let mut number = None;
        for effect in effects_of(&plan, over) {
            let outcome = self.effect(&effect).await?;
            if let Some(mut pull) = outcome.pull {
                number = Some(pull.number);
                // GitHub's answer may lag behind the push of a moment ago.
                pull.head = plan.commit.clone();
                self.remember_pull(pull).await?;
            }
        }
        let number = number.context("no pull request came of it")?;
        if over.is_none() && !plan.labels.is_empty() {
            self.effect(&Effect::LabelPull { number, labels: plan.labels.clone() }).await?;
        }
        let verb = if over.is_some() { "rewrote" } else { "opened" };
        self.done(format!("{verb} pull request {number}: {}", plan.title));
        Ok(())
    }

    async fn close(&mut self, number: PullNumber, why: &str) -> Result<()> {
        let bot = self.bot;
        let pull = bot.sources.github.fetch_pull(&bot.watch.downstream.repository, number).await?;
        let body = format!("**Closed by the bot: {why}.**\n\n{}", without_marker(&pull.body));
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
        let marker = known.and_then(|pull| pull.marker.as_ref()).context("no such pull request")?;
        let digest = marker.digest.to_string();
        let pull = bot.sources.github.fetch_pull(&bot.watch.downstream.repository, number).await?;
        let body = under_warning(why, &digest, &pull.body);
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

fn remembered(id: RunId, new: &NewRun) -> CanaryRun {
    CanaryRun {
        id,
        version: new.version.clone(),
        subject: new.subject.clone(),
        inputs: new.inputs.clone(),
        base: new.base.clone(),
        tree: new.tree.clone(),
        started_at: new.started_at,
        state: RunState::Running { alive_until: new.alive_until },
    }
}

async fn export(git: &crate::clients::git::GitCache, draft: &Draft, work: &Path) -> Result<()> {
    work::make(work).await?;
    git.export(&draft.tree, &work.join("tree")).await?;
    Ok(())
}
