//! Canary runs: started on the tree that they are to prove, or remembered; given up when their
//! process died.

use super::pass::Pass;
use crate::canary::{ALIVE_FOR, Order, Target, work};
use crate::clients::git::GitCache;
use crate::config::Watch;
use crate::domain::{
    CanaryReport, CanaryRun, Check, CommitId, Detail, Digest, Finding, Memory, Pin, RunId,
    RunState, Verdict, Version,
};
use crate::policy::inputs_of;
use crate::proposal::{Draft, companion_pins, draft_pin_bump};
use crate::store::{NewRun, Shown};
use anyhow::{Context as _, Result};
use std::path::Path;

/// What a canary at `version` is run on.
pub(super) struct Subject {
    /// What it tests.
    pub(super) to: Pin,
    /// The tree: with the edits of a proposal, or, at the pinned version, as it is.
    pub(super) draft: Draft,
    /// What the finding depends on beside the digest.
    pub(super) inputs: String,
}

impl Subject {
    /// Makes the tree for a run at `version`.
    pub(super) async fn of(
        version: &Version,
        pin: &Pin,
        base: &CommitId,
        watch: &Watch,
        git: &GitCache,
        memory: &Memory,
    ) -> Result<Self> {
        let pinned = Some(pin.digest.digest());
        let inputs = inputs_of(Check::Canary, version, &watch.rules, memory, pinned);
        if *version == pin.version {
            let tree = git.tree_of(base).await?;
            let draft = Draft { base: base.clone(), tree, changes: Vec::new(), sites: Vec::new() };
            return Ok(Self { to: pin.clone(), draft, inputs });
        }
        let image = memory.image(version).context("its image was never resolved")?;
        let to = Pin { version: version.clone(), digest: image.digest.clone(), ..pin.clone() };
        let companions = companion_pins(watch, memory, version);
        let draft = draft_pin_bump(git, watch, base, &to, &companions).await?;
        Ok(Self { to, draft, inputs })
    }
}

impl Pass<'_> {
    /// Starts a run on the tree that a proposal would push, and leaves it to the supervisor. Where
    /// the same was run before, its result is remembered instead.
    pub(super) async fn start_canary(&mut self, version: &Version) -> Result<()> {
        let (bot, now) = (self.bot, self.bot.clock.now());
        let pin = self.pin()?;
        let base = self.world.base.clone().context("the downstream was not read")?;
        let (watch, git) = (&bot.watch, &bot.git);
        let subject = Subject::of(version, &pin, &base, watch, git, &self.memory).await?;
        let Subject { to, draft, inputs } = subject;
        let harness = git.state_of(&draft.tree, &watch.rules.harness).await?;
        let steps = Digest::of(watch.rules.canary.as_bytes());
        let new = NewRun {
            version: version.clone(),
            subject: to.digest.clone(),
            inputs,
            base: draft.base.clone(),
            tree: draft.tree.clone(),
            remembered_by: format!("{} in {harness}", steps.short()),
            checked: None,
            started_at: now,
            alive_until: now + ALIVE_FOR,
        };
        let before = self.same_run(&new).cloned();
        let run = bot.store.start_run(self.lease, &watch.name, &new).await?;
        self.memory.runs.push(under_way(run, &new));
        if let Some(before) = before {
            return self.remember_run(run, &before).await;
        }
        let work = work::work_dir(&bot.state, run);
        if let Err(error) = export(git, &draft, &work).await {
            let why = format!("the canary's tree could not be exported: {error:#}");
            self.end_run(run, Verdict::Inconclusive, &why, "", CanaryReport::NOTHING).await?;
            return Err(error);
        }
        let target = Target { image: to.image, version: to.version, digest: to.digest };
        let order = Order { watch: watch.name.clone(), run, target, inputs: new.inputs, work };
        bot.supervisor.start(order, &watch.canary);
        self.done(format!("canary started at {version}"));
        Ok(())
    }

    /// The last run of the same steps at the same digest on the same harness, if it found something
    /// out and nobody asked for another one since.
    fn same_run(&self, new: &NewRun) -> Option<&CanaryRun> {
        let asked = self.memory.requests.iter().filter(|request| request.version == new.version);
        let asked = asked.map(|request| request.at).max();
        let same = |run: &&CanaryRun| {
            let told = matches!(
                run.state,
                RunState::Ended { verdict: Verdict::Passed | Verdict::Failed, .. }
            );
            let since = asked.is_none_or(|asked| asked <= run.started_at);
            told && since && run.subject == new.subject && run.remembered_by == new.remembered_by
        };
        self.memory.runs.iter().rev().find(same)
    }

    /// Ends a run with what an earlier one showed.
    async fn remember_run(&mut self, run: RunId, before: &CanaryRun) -> Result<()> {
        let RunState::Ended { verdict, summary, output, report, .. } = &before.state else {
            return Ok(());
        };
        let report = CanaryReport { of: report.of.or(Some(before.id)), ..report.clone() };
        self.end_run(run, *verdict, summary, output, report).await?;
        self.done(format!("canary at {} remembered from run {}", before.version, before.id));
        Ok(())
    }

    /// A run whose supervisor fell silent: its process died, and what it found is lost. Its
    /// directory goes with the others that are left behind.
    pub(super) async fn bury(&mut self, run: RunId) -> Result<()> {
        let why = "the bot's process died while the canary ran";
        self.end_run(run, Verdict::Inconclusive, why, "", CanaryReport::NOTHING).await
    }

    pub(super) async fn end_run(
        &mut self,
        id: RunId,
        verdict: Verdict,
        summary: &str,
        output: &str,
        report: CanaryReport,
    ) -> Result<()> {
        let now = self.bot.clock.now();
        let run = self.memory.runs.iter_mut().find(|run| run.id == id).context("no such run")?;
        let finding = Finding {
            check: Check::Canary,
            verdict,
            version: run.version.clone(),
            subject: run.subject.clone(),
            inputs: run.inputs.clone(),
            summary: summary.to_owned(),
            detail: Detail::default(),
            at: now,
        };
        let shown = Shown { output, report: &report };
        self.bot.store.end_run(&self.bot.watch.name, id, shown, &finding).await?;
        let (summary, output) = (summary.to_owned(), output.to_owned());
        run.state = RunState::Ended { at: now, verdict, summary, output, report };
        self.memory.findings.push(finding);
        Ok(())
    }
}

pub(super) fn under_way(id: RunId, new: &NewRun) -> CanaryRun {
    CanaryRun {
        id,
        version: new.version.clone(),
        subject: new.subject.clone(),
        inputs: new.inputs.clone(),
        base: new.base.clone(),
        tree: new.tree.clone(),
        remembered_by: new.remembered_by.clone(),
        checked: new.checked.clone(),
        started_at: new.started_at,
        state: RunState::Running { alive_until: new.alive_until },
    }
}

async fn export(git: &GitCache, draft: &Draft, work: &Path) -> Result<()> {
    work::make(work).await?;
    git.export(&draft.tree, &work.join("tree")).await?;
    Ok(())
}
