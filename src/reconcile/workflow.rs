//! Canary runs that a workflow of the downstream's carries: dispatched on a branch that is there for
//! that one run, followed by a marker, ended with what the run handed back. Beside checks such a
//! workflow prepares the draft, and the run goes on with the draft's checks.

use super::{
    canary::Subject,
    outcome::{Came, came_to},
    pass::Pass,
};
use crate::domain::{
    BranchName, CanaryReport, CanaryRun, CommitId, Digest, Effect, ImageName, Memory, RunId,
    RunState, Verdict, Version, WorkflowRule,
};
use crate::policy::{Concluded, Intent, Stage, pin_branch, scratch_branch};
use crate::proposal::{Draft, Sketch};
use crate::sources::Dispatched;
use crate::store::{NewRun, Prepared, Shown};
use anyhow::{Context as _, Result};
use std::collections::BTreeMap;

/// The dispatches whose runs are followed.
pub(super) fn followed(image: &ImageName, memory: &Memory) -> Vec<Dispatched> {
    let open = memory.runs.iter().filter(|run| matches!(run.state, RunState::Running { .. }));
    let followed = open.filter_map(|run| {
        let (marker, commit) = (run.dispatched.clone()?, run.checked.clone()?);
        let branch = scratch_branch(image, &marker).ok()?;
        let known = memory.workflow(&marker).and_then(|seen| seen.run);
        Some(Dispatched { marker, branch, commit, run: known })
    });
    followed.collect()
}

/// What tells the run of this dispatch from every other one: what it is about, and how often that
/// was tried before. Whoever lost the database finds the same runs again.
fn marker_for(commit: &str, subject: &Digest, rule: &WorkflowRule, memory: &Memory) -> String {
    let about = Digest::of(format!("{commit} {subject} {rule:?}").as_bytes());
    let about = format!("{}-", about.short());
    let of_it =
        |run: &&CanaryRun| run.dispatched.as_ref().is_some_and(|marker| marker.starts_with(&about));
    format!("{about}{}", memory.runs.iter().filter(of_it).count() + 1)
}

impl Pass<'_> {
    /// Begins a run that a workflow carries. The dispatch comes first: a run that is recorded has
    /// all that it waits for, and what a death leaves behind is found again by its marker.
    pub(super) async fn start_workflow(
        &mut self,
        version: &Version,
        stages: &[(Version, Stage)],
    ) -> Result<()> {
        let (bot, now) = (self.bot, self.bot.clock.now());
        let rule = bot.watch.rules.workflow.clone().context("no workflow is named")?;
        let Subject { to, draft, inputs } = self.subject(version).await?;
        let sketch = self.sketch_scratch(version, &draft, stages).await?;
        let base = draft.base.to_string();
        let about = sketch.as_ref().map_or(base, Sketch::identity);
        let marker = marker_for(&about, to.digest.digest(), &rule, &self.memory);
        let mut new = NewRun {
            version: version.clone(),
            subject: to.digest.clone(),
            inputs,
            base: draft.base.clone(),
            tree: draft.tree.clone(),
            // What prepares a draft shows nothing that could be used again.
            remembered_by: match bot.watch.rules.checks {
                Some(_) => String::new(),
                None => self.remembered_by(&draft).await?,
            },
            checked: match &sketch {
                Some(sketch) => sketch.foretold.clone(),
                None => Some(draft.base.clone()),
            },
            dispatched: Some(marker.clone()),
            started_at: now,
            alive_until: now + rule.time_limit,
        };
        let before = self.same_run(&new).await?.filter(|_| bot.watch.rules.checks.is_none());
        if let Some(before) = before {
            let run = self.record_run(&new).await?;
            return self.remember_run(run, &before, &draft).await;
        }
        let branch = scratch_branch(&bot.watch.upstream.image, &marker)?;
        let commit = match &sketch {
            Some(sketch) => self.commit_for_dispatch(sketch, &marker, &branch).await?,
            None => draft.base,
        };
        new.checked = Some(commit.clone());
        let inputs = [
            ("version", version.to_string()),
            ("digest", to.digest.to_string()),
            ("image", format!("{}@{}", to.image, to.digest)),
        ];
        let inputs = inputs.map(|(name, value)| (name.to_owned(), value)).into();
        let dispatched = Dispatched { marker: marker.clone(), branch, commit, run: None };
        if !self.dispatch(&rule, dispatched, inputs).await? {
            // It is due again in the next pass.
            self.failed.push(Intent::StartCanary(version.clone()));
            return Ok(());
        }
        self.record_run(&new).await?;
        self.done(format!("dispatched {} at {version}: {marker}", rule.name()));
        Ok(())
    }

    /// The sketch of what is pushed for a dispatch; the pinned version has none. Its commit is the one
    /// that a proposal has, if nothing is prepared.
    async fn sketch_scratch(
        &self,
        version: &Version,
        draft: &Draft,
        stages: &[(Version, Stage)],
    ) -> Result<Option<Sketch>> {
        let (pin, snapshot) = (self.pin()?, self.snapshot());
        if *version == pin.version {
            return Ok(None);
        }
        let workshop = self.workshop(&snapshot, &pin, &draft.base, stages);
        // It is a commit like a proposal's, on whatever branch.
        let branch = pin_branch(self.bot.watch.branches(), version, [])?;
        workshop.sketch_on(branch, version, draft).await.map(Some)
    }

    /// The commit that is pushed for a dispatch. Where its id is not known beforehand and the database
    /// was lost, the run that was begun on it may be all that leads to it.
    async fn commit_for_dispatch(
        &mut self,
        sketch: &Sketch,
        marker: &str,
        branch: &BranchName,
    ) -> Result<CommitId> {
        let write = sketch.write_commit(branch).key(&self.bot.watch.name);
        let known = self.memory.effects.iter().any(|record| record.key == write);
        let seen = if known || sketch.foretold.is_some() {
            None
        } else {
            self.bot.sources.find_dispatched(&self.bot.watch, marker, branch).await?
        };
        self.commit_seen_as(sketch, branch, seen.as_ref()).await
    }

    /// Pushes the branch, has the workflow run on it, and looks for the run a first time. `false` if
    /// it may run already, and only not be listed yet.
    async fn dispatch(
        &mut self,
        rule: &WorkflowRule,
        dispatched: Dispatched,
        inputs: BTreeMap<String, String>,
    ) -> Result<bool> {
        let Dispatched { marker, branch, commit, .. } = dispatched.clone();
        let push = Effect::PushBranch { branch: branch.clone(), commit: commit.clone() };
        let workflow = rule.file.clone();
        let dispatch = Effect::DispatchWorkflow { workflow, branch, commit, marker, inputs };
        if self.may_run_already(&push, &dispatch).await? {
            return Ok(false);
        }
        self.effect(&push).await?;
        // It is looked for in any case: where the database was lost, it ran before.
        self.effect_unless_there(&dispatch, true).await?;
        let read = self.bot.sources.observe_workflows(&self.bot.watch, &[dispatched]).await?;
        for fact in read.facts {
            let news = self.memory.observe(fact, self.bot.clock.now());
            self.record(news).await?;
        }
        Ok(true)
    }

    /// Whether the branch is there without being remembered: the database was lost, perhaps a moment
    /// after the dispatch. Then the list has its time to show the run.
    async fn may_run_already(&mut self, push: &Effect, dispatch: &Effect) -> Result<bool> {
        let (bot, now) = (self.bot, self.bot.clock.now());
        let [pushed, sent] = [push, dispatch].map(|it| it.key(&bot.watch.name));
        let records = &self.memory.effects;
        if records.iter().any(|record| record.key == pushed) {
            return Ok(false);
        }
        let waits = records.iter().any(|record| record.key == sent);
        if !waits {
            if bot.performer.probe(push, None).await?.is_none() {
                return Ok(false);
            }
            let record = bot.store.intend(self.lease, &bot.watch.name, dispatch, now).await?;
            self.memory.effects.push(record);
        }
        self.may_be_unlisted(dispatch).await
    }

    /// Ends a run with what its workflow showed, or goes on with what that prepared.
    pub(super) async fn conclude_workflow(
        &mut self,
        id: RunId,
        stages: &[(Version, Stage)],
    ) -> Result<()> {
        let bot = self.bot;
        let seen = (&self.memory, &self.world);
        match came_to(id, &bot.watch, &bot.sources, &bot.git, seen).await? {
            Came::Ended(Concluded { verdict, summary, report }, tree) => {
                if let Some(run) = self.memory.runs.iter_mut().find(|run| run.id == id) {
                    run.tree = tree.clone().unwrap_or_else(|| run.tree.clone());
                }
                let shown = Shown { report: &report, tree: tree.as_ref(), ..Shown::NOTHING };
                self.end_run(id, verdict, &summary, shown).await?;
                self.done(format!("the workflow came to {verdict}: {summary}"));
                Ok(())
            }
            Came::Prepared(draft, files) => self.go_on(id, &draft, files, stages).await,
        }
    }

    /// Opens the draft with what was prepared; from now on the run waits for its checks.
    async fn go_on(
        &mut self,
        id: RunId,
        draft: &Draft,
        files: Vec<String>,
        stages: &[(Version, Stage)],
    ) -> Result<()> {
        let bot = self.bot;
        let rule = bot.watch.rules.checks.as_ref().context("no checks are named")?;
        let run = self.memory.runs.iter().find(|run| run.id == id).context("no such run")?;
        let version = run.version.clone();
        let commit = self.propose_draft(&version, draft, &files, stages).await?;
        self.read_checks(&commit).await?;
        let until = bot.clock.now() + rule.time_limit;
        let prepared = Prepared { tree: &draft.tree, files: &files, commit: &commit };
        bot.store.advance_run(self.lease, id, &prepared, until).await?;
        if let Some(run) = self.memory.runs.iter_mut().find(|run| run.id == id) {
            (run.tree, run.checked, run.dispatched) = (draft.tree.clone(), Some(commit), None);
            run.state = RunState::Running { alive_until: until, prepared: files };
        }
        self.done(format!("waiting for the checks of the prepared draft at {version}"));
        Ok(())
    }

    /// Cancels a workflow's run that nobody waits for any longer. It was no answer.
    pub(super) async fn cancel(&mut self, id: RunId, why: &str) -> Result<()> {
        let (bot, now) = (self.bot, self.bot.clock.now());
        let run = self.memory.runs.iter().find(|run| run.id == id).context("no such run")?;
        let (version, verdict) = (run.version.clone(), Verdict::Inconclusive);
        let summary = format!("cancelled: {why}");
        let found = self.finding(run, verdict, &summary);
        let seen = run.dispatched.as_ref().and_then(|marker| self.memory.workflow(marker));
        if let Some(run) = seen.and_then(|seen| seen.run) {
            self.effect(&Effect::CancelWorkflow { run }).await?;
        }
        bot.store.interrupt_run(&bot.watch.name, id, &found).await?;
        if let Some(run) = self.memory.runs.iter_mut().find(|run| run.id == id) {
            let (output, report) = (String::new(), CanaryReport::NOTHING);
            run.state = RunState::Ended { at: now, verdict, summary, output, report };
        }
        self.done(format!("cancelled the workflow at {version}: {why}"));
        Ok(())
    }
}
