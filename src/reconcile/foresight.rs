//! The dry run of what the downstream's own checks carry: what they are at is read, and what they
//! come to is supposed.

use super::{
    canary::Subject,
    checks::outcome,
    preview::{NEVER_RECORDED, PlannedAction, Preview, TO_BE},
    world::World,
};
use crate::domain::{
    CanaryRun, Check, Detail, Fact, Finding, Memory, PullFacts, PullNumber, PullState, RunState,
    Version,
};
use crate::policy::{Concluded, Decision, Intent};
use crate::proposal::Workshop;
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
            started_at: now,
            state: RunState::Running { alive_until: now + rule.time_limit },
        });
        Ok(true)
    }

    /// Ends the runs in memory whose checks have concluded; whether there are any.
    pub(super) fn conclude(&self, decision: &Decision, memory: &mut Memory) -> Result<bool> {
        let mut any = false;
        for intent in &decision.due {
            let Intent::Conclude(id) = intent else { continue };
            let (concluded, ..) = outcome(*id, memory, self.watch.rules.checks.as_ref())?;
            let Concluded { verdict, summary, report } = concluded;
            let run = memory.runs.iter_mut().find(|run| run.id == *id).context("no such run")?;
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

    /// The beginning of the canary at `version`.
    pub(super) async fn start(
        &self,
        version: &Version,
        memory: &Memory,
        world: &World,
        decision: &Decision,
    ) -> Result<PlannedAction> {
        let pin = world.pin(&self.watch, memory)?;
        let rule = self.watch.rules.checks.as_ref().filter(|_| *version != pin.version);
        let Some(rule) = rule else {
            return Ok(PlannedAction::RunCanary { version: version.clone() });
        };
        let base = world.base.as_ref().context("the downstream was not read")?;
        let Subject { draft, .. } =
            Subject::of(version, &pin, base, &self.watch, &self.git, memory).await?;
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
        let sketch = workshop.sketch_draft(version, &draft).await?;
        let plan = workshop.plan_draft(&sketch, sketch.supposed()?)?;
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
        };
        memory.observe(Fact::Pull(pull), self.clock.now());
    }
}
