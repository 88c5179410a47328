//! The dry run of what the downstream's own checks carry: what they are at is read, and what they
//! come to is supposed.

use super::{
    canary::Subject,
    checks::outcome,
    outcome::{Came, came_to},
    planned::PlannedAction,
    preview::{NEVER_RECORDED, Preview, TO_BE},
    world::World,
};
use crate::domain::{
    CanaryRun, Check, Detail, Fact, Finding, Memory, PullFacts, PullNumber, PullState, RunId,
    RunState, Version,
};
use crate::policy::{Concluded, Decision, Intent};
use crate::proposal::{Draft, Workshop};
use crate::render::parse_marker;
use anyhow::{Context as _, Result};

impl Preview {
    /// Reads the checks of the base branch's head where they are what a failure is compared with;
    /// whether they are.
    pub(super) async fn read_base(
        &self,
        decision: &Decision,
        memory: &mut Memory,
        world: &World,
    ) -> Result<bool> {
        let Some(rule) = &self.watch.rules.checks else { return Ok(false) };
        let starts = decision.due.iter().filter_map(|intent| match intent {
            Intent::StartCanary(version) => Some(version),
            _ => None,
        });
        let versions: Vec<&Version> = starts.collect();
        if versions.is_empty() {
            return Ok(false);
        }
        let pin = world.pin(&self.watch, memory)?;
        if !versions.contains(&&pin.version) {
            return Ok(false);
        }
        let (now, base) = (self.clock.now(), world.base.clone());
        let base = base.context("the downstream was not read")?;
        let read = self.sources.observe_checks(&self.watch, std::slice::from_ref(&base)).await?;
        for fact in read.facts {
            memory.observe(fact, now);
        }
        let subject = Subject::of(&pin.version, &pin, &base, &self.watch, &self.git, memory);
        let Subject { to, draft, inputs } = subject.await?;
        memory.runs.push(CanaryRun {
            id: NEVER_RECORDED,
            version: pin.version.clone(),
            subject: to.digest,
            inputs,
            base: base.clone(),
            tree: draft.tree,
            remembered_by: String::new(),
            checked: Some(base),
            dispatched: None,
            started_at: now,
            state: RunState::Running { alive_until: now + rule.time_limit, prepared: Vec::new() },
        });
        Ok(true)
    }

    /// Ends the runs in memory whose checks or workflows have concluded; whether there are any. One
    /// that goes on with a prepared draft is left.
    pub(super) async fn conclude(
        &self,
        decision: &Decision,
        memory: &mut Memory,
        world: &World,
    ) -> Result<bool> {
        let mut any = false;
        for intent in &decision.due {
            let Intent::Conclude(id) = intent else { continue };
            let (concluded, tree) = match self.came_to(*id, memory, world).await? {
                None => (outcome(*id, memory, self.watch.rules.checks.as_ref())?.0, None),
                Some(Came::Ended(concluded, tree)) => (concluded, tree),
                Some(Came::Prepared(..)) => continue,
            };
            let Concluded { verdict, summary, report } = concluded;
            let run = memory.runs.iter_mut().find(|run| run.id == *id).context("no such run")?;
            run.tree = tree.unwrap_or_else(|| run.tree.clone());
            let now = self.clock.now();
            let (version, subject) = (run.version.clone(), run.subject.clone());
            let (inputs, output) = (run.inputs.clone(), String::new());
            run.state =
                RunState::Ended { at: now, verdict, summary: summary.clone(), output, report };
            let (check, detail) = (Check::Canary, Detail::default());
            let found =
                Finding { check, verdict, version, subject, inputs, summary, detail, at: now };
            memory.findings.push(found);
            any = true;
        }
        Ok(any)
    }

    /// What a workflow's run came to; `None` if no workflow carries it.
    async fn came_to(&self, id: RunId, memory: &Memory, world: &World) -> Result<Option<Came>> {
        let mut runs = memory.runs.iter();
        if runs.find(|run| run.id == id).is_none_or(|run| run.dispatched.is_none()) {
            return Ok(None);
        }
        let (watch, sources, git) = (&self.watch, &self.sources, &self.git);
        came_to(id, watch, sources, git, (memory, world)).await.map(Some)
    }

    /// The draft that a run goes on with, if a workflow has prepared it.
    pub(super) async fn prepared_draft(
        &self,
        id: RunId,
        memory: &Memory,
        world: &World,
        decision: &Decision,
    ) -> Result<Option<PlannedAction>> {
        let Some(Came::Prepared(draft, files)) = self.came_to(id, memory, world).await? else {
            return Ok(None);
        };
        let run = memory.runs.iter().find(|run| run.id == id).context("no such run")?;
        self.draft(&run.version, &draft, &files, (memory, world), decision).await.map(Some)
    }

    /// The canary at `version`, and who carries it if not the bot.
    pub(super) fn run_canary(&self, version: &Version) -> PlannedAction {
        let by = self.watch.rules.workflow.as_ref().map(|rule| rule.file.clone());
        PlannedAction::RunCanary { version: version.clone(), by }
    }

    /// The beginning of the canary at `version`.
    pub(super) async fn start(
        &self,
        version: &Version,
        memory: &Memory,
        world: &World,
        decision: &Decision,
    ) -> Result<PlannedAction> {
        let pin = world.pin(&self.watch, memory)?;
        let rules = &self.watch.rules;
        // What a workflow is to prepare is not known beforehand.
        if rules.checks.is_none() || rules.workflow.is_some() || *version == pin.version {
            return Ok(self.run_canary(version));
        }
        let base = world.base.as_ref().context("the downstream was not read")?;
        let Subject { draft, .. } =
            Subject::of(version, &pin, base, &self.watch, &self.git, memory).await?;
        self.draft(version, &draft, &[], (memory, world), decision).await
    }

    async fn draft(
        &self,
        version: &Version,
        draft: &Draft,
        prepared: &[String],
        (memory, world): (&Memory, &World),
        decision: &Decision,
    ) -> Result<PlannedAction> {
        let (pin, base) = (world.pin(&self.watch, memory)?, &draft.base);
        let rule = self.watch.rules.checks.as_ref().context("no checks are named")?;
        let snapshot = world.snapshot(&self.watch, memory);
        let workshop = Workshop {
            watch: &self.watch,
            memory,
            snapshot: &snapshot,
            git: &self.git,
            pin: &pin,
            head: base,
            stages: &decision.stages,
            now: self.clock.now(),
        };
        let sketch = workshop.sketch_draft(version, draft).await?;
        let plan = workshop.plan_draft(&sketch, sketch.supposed()?, prepared).await?;
        let over = workshop.open_draft();
        Ok(PlannedAction::Draft {
            version: version.clone(),
            over: over.map(|(number, _)| number.0),
            branch: over.map_or(&plan.branch, |(_, branch)| branch).to_string(),
            diff: self.git.diff(base, &plan.tree).await?,
            commit: sketch.foretold,
            title: plan.title,
            body: plan.body,
            checks: rule.names.clone(),
        })
    }

    /// Takes the draft for open that is about to be.
    pub(super) fn suppose_draft(&self, start: &PlannedAction, memory: &mut Memory) {
        let PlannedAction::Draft { over, branch, title, body, .. } = start else {
            return;
        };
        let (Ok(branch), Some(marker)) = (branch.parse(), parse_marker(body)) else { return };
        let pull = PullFacts {
            number: PullNumber(over.unwrap_or(TO_BE)),
            branch,
            head: marker.commit.clone(),
            state: PullState::Open,
            draft: true,
            title: title.clone(),
            url: String::new(),
            marker: Some(marker),
            updated_at: None,
        };
        memory.observe(Fact::Pull(pull), self.clock.now());
    }
}
