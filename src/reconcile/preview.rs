//! The dry run: exactly what a pass would do, found out by deciding without doing.
//!
//! It writes nothing anywhere: observations stay in memory, git objects in a directory that
//! vanishes, and the canary is not run but supposed to pass.

use super::{
    beside::learn_all,
    canary::Subject,
    dashboard::{denied, planned, suppose_wishes},
    observe::{observe, observe_more_pulls},
    planned::PlannedAction,
    recall::suppose_recalled,
    tags::Wanted,
    world::World,
};
use crate::clock::Clock;
use crate::config::Watch;
use crate::domain::{
    CanaryReport, CanaryRun, Check, Detail, DraftMark, Fact, Finding, Marker, Memory, ProposalKind,
    PullState, Request, RunId, RunState, Verdict, Version, Wish,
};
use crate::policy::{Decision, Intent, decide};
use crate::proposal::Workshop;
use crate::repository::Repository;
use crate::sources::Sources;
use anyhow::{Context as _, Result};

/// The number of a pull request that is still to be opened.
pub(super) const TO_BE: u64 = 0;
/// The id of a run that is in memory alone.
pub(super) const NEVER_RECORDED: RunId = RunId(-1);

/// What a dry run needs. There is nothing in it that could write.
#[derive(Debug)]
pub struct Preview {
    /// The watch.
    pub watch: Watch,
    /// The read side of the world.
    pub sources: Sources,
    /// The downstream's repository, with objects that vanish.
    pub git: Repository,
    /// The time.
    pub clock: Clock,
}

impl Preview {
    /// What a pass would do now, on top of what is remembered, and the troubles on the way.
    ///
    /// # Errors
    /// If the downstream or GitHub could not be read, or a proposal could not be planned.
    pub async fn run(
        &self,
        mut memory: Memory,
    ) -> Result<(Vec<PlannedAction>, Decision, Vec<String>)> {
        let now = self.clock.now();
        let seen = observe(&self.watch, &self.sources, &self.git, &mut memory, None, now).await;
        let mut world = seen.world;
        let mut troubles: Vec<String> = seen.troubles.iter().map(|e| format!("{e:#}")).collect();
        if world.base.is_none() || !world.pulls_known {
            anyhow::bail!("too little could be read:\n  {}", troubles.join("\n  "));
        }
        let recalled = suppose_recalled(&self.watch, &self.sources, &mut memory, &world, now).await;
        // A dry run needs no token, and without one nobody knows which comments are the bot's own.
        let fault = recalled.err().filter(|error| denied(error) != Some(401));
        troubles.extend(fault.map(|error| format!("{error:#}")));
        suppose_wishes(&self.watch, &mut memory, &world, now);
        let decision = self.inquire(&mut memory, &mut world, &mut troubles).await?;
        let mut actions = Vec::new();
        let mut starts = Vec::new();
        for intent in &decision.due {
            match intent {
                Intent::StartCanary(version) => starts.push(version.clone()),
                intent => {
                    actions.extend(self.action(intent, &memory, &world, &decision, false).await?);
                }
            }
        }
        if starts.is_empty() {
            actions.extend(self.once_closed(&decision, &memory, &world).await?);
        }
        for version in starts {
            let start = self.start(&version, &memory, &world, &decision).await?;
            let then = self.if_it_passed(&version, &start, &memory, &world, &decision);
            let then = then.await?;
            actions.push(start);
            actions.extend(then);
        }
        let acts = !actions.is_empty();
        actions.extend(planned(&self.watch, &memory, &world, &decision, acts, now));
        Ok((actions, decision, troubles))
    }

    /// Does everything that only reads, until only acts are due.
    async fn inquire(
        &self,
        memory: &mut Memory,
        world: &mut World,
        troubles: &mut Vec<String>,
    ) -> Result<Decision> {
        loop {
            let now = self.clock.now();
            let seen = observe_more_pulls(&self.watch, &self.sources, memory, world, now).await;
            if let Some(error) = seen.troubles.into_iter().next() {
                return Err(error);
            }
            let mut decision = decide(&world.snapshot(&self.watch, memory), now);
            if self.read_base(&decision, memory, world).await?
                || self.conclude(&decision, memory, world).await?
            {
                continue;
            }
            let reads = decision.due.iter().filter(|i| i.only_reads()).cloned();
            let reads: Vec<Intent> = reads.collect();
            if reads.is_empty() {
                let wanted = Wanted::before(&decision.due, &self.watch, memory, world);
                if wanted.is_empty() {
                    return Ok(decision);
                }
                let again = wanted.resolve(&self.watch, &self.sources, memory, now).await;
                if let (_, Some(trouble)) = again.take(&self.watch, memory, world, now) {
                    troubles.push(format!("{trouble:#}"));
                    let still = Wanted::before(&decision.due, &self.watch, memory, world);
                    decision.due.retain(|intent| !still.concerns(intent));
                    return Ok(decision);
                }
                continue;
            }
            let (watch, sources) = (&self.watch, &self.sources);
            for answered in learn_all(reads, watch, sources, memory, world, now).await {
                answered.learned?;
            }
        }
    }

    /// What would be due besides, had the canary passed at `version`.
    async fn if_it_passed(
        &self,
        version: &Version,
        start: &PlannedAction,
        memory: &Memory,
        world: &World,
        before: &Decision,
    ) -> Result<Vec<PlannedAction>> {
        let mut memory = memory.clone();
        self.suppose_closed(before, &mut memory);
        self.suppose(version, &mut memory, world).await?;
        self.suppose_draft(start, &mut memory);
        let after = decide(&world.snapshot(&self.watch, &memory), self.clock.now());
        let mut actions = Vec::new();
        for intent in after.due.iter().filter(|intent| !before.due.contains(intent)) {
            if let Intent::StartCanary(version) = intent {
                actions.push(self.run_canary(version));
            }
            if matches!(intent, Intent::Propose { .. }) {
                actions.extend(self.action(intent, &memory, world, &after, true).await?);
            }
        }
        Ok(actions)
    }

    /// What would be proposed besides, once what is about to be closed is closed.
    async fn once_closed(
        &self,
        before: &Decision,
        memory: &Memory,
        world: &World,
    ) -> Result<Vec<PlannedAction>> {
        let mut actions = Vec::new();
        if !before.due.iter().any(|intent| matches!(intent, Intent::Close { .. })) {
            return Ok(actions);
        }
        let mut memory = memory.clone();
        self.suppose_closed(before, &mut memory);
        let after = decide(&world.snapshot(&self.watch, &memory), self.clock.now());
        let proposes = |intent: &&Intent| {
            matches!(intent, Intent::Propose { .. }) && !before.due.contains(intent)
        };
        for intent in after.due.iter().filter(proposes) {
            actions.extend(self.action(intent, &memory, world, &after, false).await?);
        }
        Ok(actions)
    }

    /// Takes the pull requests that are about to be closed for closed by the bot, which declines
    /// nothing: a ready one loses its marker, and a draft's says that it is spent.
    fn suppose_closed(&self, before: &Decision, memory: &mut Memory) {
        for intent in &before.due {
            let Intent::Close { pull, .. } = intent else {
                continue;
            };
            let known = memory.pulls().find(|known| known.number == *pull);
            if let Some(mut pull) = known.cloned() {
                pull.state = PullState::Closed;
                let draft = pull.marker.filter(|marker| marker.draft == DraftMark::Waits);
                pull.marker = draft.map(|it| Marker { draft: DraftMark::Spent, held: None, ..it });
                memory.observe(Fact::Pull(pull), self.clock.now());
            }
        }
    }

    /// Puts a run into memory that never was.
    async fn suppose(&self, version: &Version, memory: &mut Memory, world: &World) -> Result<()> {
        let pin = world.pin(&self.watch, memory)?;
        let base = world.base.clone().context("the downstream was not read")?;
        let subject = Subject::of(version, &pin, &base, &self.watch, &self.git, memory).await?;
        let Subject { to, draft, inputs } = subject;
        let now = self.clock.now();
        let summary = "it has not run: this is a dry run";
        memory.findings.push(Finding {
            check: Check::Canary,
            verdict: Verdict::Passed,
            version: version.clone(),
            subject: to.digest.clone(),
            inputs: inputs.clone(),
            summary: summary.to_owned(),
            detail: Detail::default(),
            at: now,
        });
        memory.runs.push(CanaryRun {
            id: NEVER_RECORDED,
            version: version.clone(),
            subject: to.digest,
            inputs,
            base,
            tree: draft.tree,
            remembered_by: String::new(),
            checked: None,
            dispatched: None,
            started_at: now,
            state: RunState::Ended {
                at: now,
                verdict: Verdict::Passed,
                summary: summary.to_owned(),
                output: String::new(),
                report: CanaryReport::NOTHING,
            },
        });
        Ok(())
    }

    async fn action(
        &self,
        intent: &Intent,
        memory: &Memory,
        world: &World,
        decision: &Decision,
        if_canary_passes: bool,
    ) -> Result<Option<PlannedAction>> {
        Ok(match intent {
            Intent::Propose { kind, version, over, requested } => {
                let pin = world.pin(&self.watch, memory)?;
                let head = world.base.as_ref().context("the downstream was not read")?;
                let snapshot = world.snapshot(&self.watch, memory);
                let workshop = Workshop {
                    watch: &self.watch,
                    memory,
                    snapshot: &snapshot,
                    git: &self.git,
                    pin: &pin,
                    head,
                    stages: &decision.stages,
                    now: self.clock.now(),
                };
                let sketch = workshop.sketch(*kind, version, *over).await?;
                let commit = sketch.supposed()?;
                let plan = workshop.plan(&sketch, commit, *requested, *over).await?;
                let rewritten = over.and_then(|n| memory.pulls().find(|pull| pull.number == n));
                let base = workshop.base_of(version);
                let waits = |marker: &Marker| marker.draft == DraftMark::Waits;
                let marker = rewritten.and_then(|pull| pull.marker.as_ref());
                Some(PlannedAction::Propose {
                    kind: *kind,
                    version: version.clone(),
                    over: over.map(|number| number.0).filter(|number| *number != TO_BE),
                    of_draft: marker.is_some_and(waits),
                    branch: rewritten.map_or(&plan.branch, |pull| &pull.branch).to_string(),
                    diff: self.git.diff(base, &plan.tree).await?,
                    commit: sketch.foretold,
                    tree: plan.tree,
                    title: plan.title,
                    body: plan.body,
                    // A stub is opened whatever the canary finds: its result is news, no gate.
                    if_canary_passes: if_canary_passes && *kind == ProposalKind::PinBump,
                    answers: wish(memory, version).filter(|_| *requested),
                })
            }
            Intent::Hold { pull, why, .. } => {
                Some(PlannedAction::Hold { pull: pull.0, why: why.clone() })
            }
            Intent::Close { pull, why } => {
                Some(PlannedAction::Close { pull: pull.0, why: why.clone() })
            }
            Intent::Warn { pull, why } => {
                Some(PlannedAction::Warn { pull: pull.0, why: why.clone() })
            }
            Intent::StepBack { pull } => Some(PlannedAction::StepBack { pull: pull.0 }),
            Intent::TakeUp { pull } => Some(PlannedAction::TakeUp { pull: pull.0 }),
            Intent::GiveUp { pull, .. } => Some(PlannedAction::GiveUp { pull: pull.0 }),
            Intent::Answer { request, answer, .. } => {
                Some(PlannedAction::Answer { request: request.0, answer: answer.clone() })
            }
            Intent::Cancel { run, why } => {
                Some(PlannedAction::Cancel { run: run.0, why: why.clone() })
            }
            Intent::Conclude(run) => self.prepared_draft(*run, memory, world, decision).await?,
            Intent::Look(_)
            | Intent::Check { .. }
            | Intent::Companion(..)
            | Intent::ReadContract(_)
            | Intent::StartCanary(_)
            | Intent::Bury(_) => None,
        })
    }
}

/// The open request for `version`.
fn wish(memory: &Memory, version: &Version) -> Option<i64> {
    let mut open = memory.requests.iter().rev();
    let bump = |it: &&Request| it.wish == Wish::Bump && it.version == *version;
    open.find(|asked| asked.outcome.is_none() && bump(asked)).map(|asked| asked.id.0)
}
