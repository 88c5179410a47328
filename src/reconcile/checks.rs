//! Canary runs that the downstream's own checks carry: begun with a draft pull request, ended with
//! what the checks showed.

use super::{canary::Subject, pass::Pass};
use crate::domain::{
    CanaryReport, ChecksFacts, CommitId, Digest, Effect, Marker, Memory, NamedChecks, OwnCheck,
    OwnReport, PullNumber, RunId, RunState, Verdict, Version,
};
use crate::policy::{Concluded, Stage, conclude};
use crate::proposal::{Draft, effects_of};
use crate::render::{HeldDraft, held_body};
use crate::store::{NewRun, Shown};
use anyhow::{Context as _, Result};
use std::collections::BTreeMap;

/// The commits whose checks are waited for.
pub(super) fn awaited(memory: &Memory) -> Vec<CommitId> {
    let open = memory.runs.iter().filter(|run| matches!(run.state, RunState::Running { .. }));
    let by_checks = open.filter(|run| run.dispatched.is_none());
    let mut commits: Vec<CommitId> = by_checks.filter_map(|run| run.checked.clone()).collect();
    commits.sort();
    commits.dedup();
    commits
}

/// What the checks of a run came to, by what was last seen of them.
pub(super) fn outcome(
    id: RunId,
    memory: &Memory,
    rule: Option<&NamedChecks>,
) -> Result<(Concluded, CommitId, bool)> {
    let run = memory.runs.iter().find(|run| run.id == id).context("no such run")?;
    let commit = run.checked.clone().context("the run is no matter of checks")?;
    let of_base = commit == run.base;
    let seen = memory.checks(&commit).map(|ChecksFacts { checks, .. }| checks.as_slice());
    let Some(rule) = rule else {
        let concluded = Concluded {
            verdict: Verdict::Inconclusive,
            summary: "the downstream's own checks are not the canary any more".to_owned(),
            report: CanaryReport::NOTHING,
        };
        return Ok((concluded, commit, of_base));
    };
    let mut concluded = conclude(rule, seen.unwrap_or_default(), of_base);
    concluded.report.prepared = run.prepared().to_vec();
    Ok((concluded, commit, of_base))
}

/// The pages of the checks of a commit, as the last run there was shown them.
fn pages(memory: &Memory, commit: &CommitId) -> BTreeMap<String, String> {
    let run = memory.runs.iter().rev().find(|run| run.checked.as_ref() == Some(commit));
    match run.map(|run| &run.state) {
        Some(RunState::Ended { report, .. }) => report.pages.clone(),
        Some(RunState::Running { .. }) | None => BTreeMap::new(),
    }
}

impl Pass<'_> {
    /// Begins a run that the downstream's own checks carry. The draft comes first: a run that is
    /// recorded has all that it waits for, and what a death leaves behind is found again.
    pub(super) async fn start_checks(
        &mut self,
        version: &Version,
        stages: &[(Version, Stage)],
    ) -> Result<()> {
        let (bot, now) = (self.bot, self.bot.clock.now());
        let rule = bot.watch.rules.checks.as_ref().context("no checks are named")?;
        let Subject { to, draft, inputs } = self.subject(version).await?;
        let of_base = *version == self.pin()?.version;
        // The pinned release is on the base branch, whose checks ran when it was merged.
        let commit = if of_base {
            draft.base.clone()
        } else {
            self.propose_draft(version, &draft, &[], stages).await?
        };
        self.read_checks(&commit).await?;
        let new = NewRun {
            version: version.clone(),
            subject: to.digest,
            inputs,
            base: draft.base,
            tree: draft.tree,
            remembered_by: String::new(),
            checked: Some(commit),
            dispatched: None,
            started_at: now,
            alive_until: now + rule.time_limit,
        };
        self.record_run(&new).await?;
        let whose = if of_base { "the base branch" } else { "the draft" };
        self.done(format!(
            "waiting for the checks of {whose} at {version}: {}",
            rule.names.join(", ")
        ));
        Ok(())
    }

    /// Pushes the draft, and opens its pull request or rewrites the one that is open.
    pub(super) async fn propose_draft(
        &mut self,
        version: &Version,
        draft: &Draft,
        prepared: &[String],
        stages: &[(Version, Stage)],
    ) -> Result<CommitId> {
        let pin = self.pin()?;
        let snapshot = self.snapshot();
        let workshop = self.workshop(&snapshot, &pin, &draft.base, stages);
        let sketch = workshop.sketch_draft(version, draft).await?;
        let over = workshop.open_draft().map(|(number, branch)| (number, branch.clone()));
        let branch = over.as_ref().map_or(&sketch.branch, |(_, branch)| branch);
        let commit = self.commit_of(&sketch, branch).await?;
        let workshop = self.workshop(&snapshot, &pin, &draft.base, stages);
        let plan = workshop.plan_draft(&sketch, commit, prepared).await?;
        let (commit, report) = (plan.commit.clone(), self.waiting(OwnCheck::Queued));
        let mut effects =
            effects_of(&plan, over.as_ref().map(|(number, branch)| (*number, branch)));
        effects.insert(1, Effect::ReportCheck { commit, report });
        let number = self.propose_all(&effects, &plan).await?;
        if over.is_none() && !plan.labels.is_empty() {
            self.effect(&Effect::LabelPull { number, labels: plan.labels.clone(), since: None })
                .await?;
        }
        let verb = if over.is_some() { "rewrote" } else { "opened" };
        self.done(format!("{verb} draft pull request {number}: {}", plan.title));
        Ok(plan.commit)
    }

    /// What a draft's own check says until its checks have concluded.
    pub(super) fn waiting(&self, state: OwnCheck) -> OwnReport {
        let names = self.bot.watch.rules.checks.iter().flat_map(|rule| &rule.names);
        let title = format!("waits for {}", names.cloned().collect::<Vec<_>>().join(", "));
        self.own_report(state, title)
    }

    pub(super) async fn read_checks(&mut self, commit: &CommitId) -> Result<()> {
        let (bot, now) = (self.bot, self.bot.clock.now());
        let read = bot.sources.observe_checks(&bot.watch, std::slice::from_ref(commit)).await?;
        for fact in read.facts {
            let news = self.memory.observe(fact, now);
            self.record(news).await?;
        }
        Ok(())
    }

    /// Ends a run with what its checks showed, and says so at the commit, where the bot's own check
    /// is pending.
    pub(super) async fn conclude(&mut self, id: RunId) -> Result<()> {
        let rule = self.bot.watch.rules.checks.as_ref();
        let (Concluded { verdict, summary, report }, commit, of_base) =
            outcome(id, &self.memory, rule)?;
        if !of_base {
            let report = OwnReport {
                started_at: self.memory.runs.iter().find(|it| it.id == id).map(|it| it.started_at),
                completed_at: Some(self.bot.clock.now()),
                ..self.own_report(verdict.into(), summary.clone())
            };
            self.effect(&Effect::ReportCheck { commit, report }).await?;
        }
        let shown = Shown { report: &report, ..Shown::NOTHING };
        self.end_run(id, verdict, &summary, shown).await?;
        self.done(format!("the checks came to {verdict}: {summary}"));
        Ok(())
    }

    /// Has a draft say why it is held.
    pub(super) async fn hold(
        &mut self,
        number: PullNumber,
        why: &str,
        offered: bool,
    ) -> Result<()> {
        let bot = self.bot;
        let known = self.memory.pulls().find(|pull| pull.number == number);
        let marker = known.and_then(|pull| pull.marker.clone()).context("no such pull request")?;
        let pages = pages(&self.memory, &marker.commit);
        let held = Marker { held: Some(Digest::of(why.as_bytes()).short().to_owned()), ..marker };
        let pull = bot.sources.github.fetch_pull(&bot.watch.downstream.repository, number).await?;
        let how = bot.watch.downstream.how_to_ask();
        let held = HeldDraft { why, offered, pages: &pages, marker: &held, how: &how };
        let body = held_body(&held, &pull.body);
        let effect = Effect::EditPull { number, title: pull.title.clone(), body, close: false };
        let outcome = self.effect(&effect).await?;
        if let Some(pull) = outcome.pull {
            self.remember_pull(pull).await?;
        }
        self.done(format!("draft pull request {number} says why it is held: {why}"));
        Ok(())
    }
}
