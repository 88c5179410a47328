//! Canary runs: started on the tree that they are to prove, or remembered; given up when their
//! process died.

use super::pass::Pass;
use crate::canary::{ALIVE_FOR, Order, Preparation, Target, work};
use crate::clients::git::Objects;
use crate::config::Watch;
use crate::domain::{
    CanaryReport, CanaryRun, Check, CommitId, Detail, Digest, FileChange, FilePath, Finding,
    Learned, Memory, Pin, PinFacts, RunId, RunState, TreeId, Verdict, Version,
};
use crate::edit;
use crate::policy::{inputs_of, repairs};
use crate::proposal::{Draft, companion_pins, draft_pin_bump};
use crate::repository::Repository;
use crate::store::{NewRun, Shown};
use anyhow::{Context as _, Result};
use std::{collections::BTreeSet, path::Path};

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
        git: &Repository,
        memory: &Memory,
    ) -> Result<Self> {
        let pinned = Some(pin.digest.digest());
        let inputs = inputs_of(Check::Canary, version, &watch.rules, memory, pinned);
        if *version == pin.version && !brings_in_line(version, pin, watch, memory) {
            let tree = git.tree_of(base).await?;
            let (changes, sites) = (Vec::new(), Vec::new());
            let draft = Draft { base: base.clone(), tree, changes, sites, changeset: None };
            return Ok(Self { to: pin.clone(), draft, inputs });
        }
        let image = memory.image(version).context("its image was never resolved")?;
        let to = Pin { version: version.clone(), digest: image.digest.clone(), ..pin.clone() };
        let companions = companion_pins(watch, memory, version);
        let draft = {
            let may = memory.may_edit_workflows();
            draft_pin_bump(git, watch, may, base, &to, &companions).await?
        };
        Ok(Self { to, draft, inputs })
    }
}

/// Whether a run at the pinned version is one on the tree in which the pin sites agree, because
/// somebody asked for that and they do not.
fn brings_in_line(version: &Version, pin: &Pin, watch: &Watch, memory: &Memory) -> bool {
    let drifted = |facts: &PinFacts| {
        !edit::repairable(&watch.editable_sites(memory.may_edit_workflows()), &facts.sites, pin)
            .is_empty()
    };
    repairs(version, memory) && memory.pin().is_some_and(drifted)
}

impl Pass<'_> {
    /// Starts a run on the tree that a proposal would push, and leaves it to the supervisor. Where
    /// the same was run before, its result is remembered instead.
    pub(super) async fn start_canary(&mut self, version: &Version) -> Result<()> {
        let bot = self.bot;
        let (watch, git) = (&bot.watch, &bot.git);
        let of_pin = self.is_of_pin(version)?;
        let Subject { to, draft, inputs } = self.subject(version).await?;
        let remembered_by = self.remembered_by(&draft).await?;
        // Not before: making the draft takes its time, and the run lives from its row on.
        let now = bot.clock.now();
        let new = NewRun {
            version: version.clone(),
            subject: to.digest.clone(),
            inputs,
            base: draft.base.clone(),
            tree: draft.tree.clone(),
            remembered_by,
            checked: None,
            dispatched: None,
            started_at: now,
            alive_until: now + ALIVE_FOR,
        };
        let before = self.same_run(&new).await?;
        let run = self.record_run(&new).await?;
        if let Some(before) = before {
            return self.remember_run(run, &before, &draft).await;
        }
        let work = work::work_dir(&bot.state, run);
        if let Err(error) = export(git.objects(), &draft, &work).await {
            let why = format!("the canary's tree could not be exported: {error:#}");
            self.give_up(run, &why).await?;
            return Err(error);
        }
        let target = Target { image: to.image, version: to.version, digest: to.digest };
        // At the pinned version there is no edit that something could be added to.
        let prepare = watch.canary.prepare.clone().filter(|_| !of_pin);
        let (git, tree) = (git.objects().clone(), draft.tree);
        let preparation = prepare.map(|rule| Preparation { rule, git, tree });
        let (watch_name, inputs) = (watch.name.clone(), new.inputs);
        let order = Order { watch: watch_name, run, target, inputs, preparation, work };
        bot.supervisor.start(order, &watch.canary, &bot.sandbox);
        self.done(format!("canary started at {version}"));
        Ok(())
    }

    /// Whether a canary at `version` is one of the pinned release, on a tree without edits.
    pub(super) fn is_of_pin(&self, version: &Version) -> Result<bool> {
        let (pin, watch) = (self.pin()?, &self.bot.watch);
        Ok(pin.version == *version && !brings_in_line(version, &pin, watch, &self.memory))
    }

    /// What a canary at `version` is run on now.
    pub(super) async fn subject(&self, version: &Version) -> Result<Subject> {
        let bot = self.bot;
        let (pin, base) = (self.pin()?, self.world.base.as_ref());
        let base = base.context("the downstream was not read")?;
        Subject::of(version, &pin, base, &bot.watch, &bot.git, &self.memory).await
    }

    /// What the result of a run on `draft` may be used for again.
    pub(super) async fn remembered_by(&self, draft: &Draft) -> Result<String> {
        let rules = &self.bot.watch.rules;
        let harness = self.bot.git.state_of(&draft.tree, &rules.harness).await?;
        let steps = Digest::of(rules.canary.as_bytes());
        Ok(format!("{} in {harness}", steps.short()))
    }

    /// Records that a run starts.
    pub(super) async fn record_run(&mut self, new: &NewRun) -> Result<RunId> {
        let run = self.bot.store.start_run(self.lease, &self.bot.watch.name, new).await?;
        self.memory.runs.push(under_way(run, new));
        Ok(run)
    }

    /// The last run of the same steps at the same digest on the same harness, if it found something
    /// out and nobody asked for another one since.
    pub(super) async fn same_run(&self, new: &NewRun) -> Result<Option<CanaryRun>> {
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
        let Some(run) = self.memory.runs.iter().rev().find(same) else { return Ok(None) };
        let known = self.bot.git.objects().has_tree(&run.tree).await?;
        Ok((run.prepared().is_empty() || known).then(|| run.clone()))
    }

    /// Ends a run with what an earlier one showed, and adds the same files to its tree.
    pub(super) async fn remember_run(
        &mut self,
        id: RunId,
        before: &CanaryRun,
        draft: &Draft,
    ) -> Result<()> {
        let RunState::Ended { verdict, summary, output, report, .. } = &before.state else {
            return Ok(());
        };
        let tree = self.with_files_of(before, &draft.tree).await?;
        if let Some(run) = self.memory.runs.iter_mut().find(|run| run.id == id) {
            run.tree.clone_from(&tree);
        }
        let report = CanaryReport { of: report.of.or(Some(before.id)), ..report.clone() };
        let shown = Shown { output, log: "", report: &report, tree: Some(&tree) };
        self.end_run(id, *verdict, summary, shown).await?;
        self.done(format!("canary at {} remembered from run {}", before.version, before.id));
        Ok(())
    }

    /// `tree` with the files that were added to an earlier run's.
    async fn with_files_of(&self, before: &CanaryRun, tree: &TreeId) -> Result<TreeId> {
        let paths = before.prepared().iter().map(|path| path.parse());
        let paths: BTreeSet<FilePath> = paths.collect::<Result<_, _>>()?;
        if paths.is_empty() {
            return Ok(tree.clone());
        }
        let git = &self.bot.git;
        let files = git.objects().read_files(&before.tree, &paths).await?.into_iter();
        let changes = files.filter_map(|(path, content)| {
            Some(FileChange { path, content: content?, notes: Vec::new() })
        });
        git.write_tree_on(tree, &changes.collect::<Vec<_>>()).await
    }

    /// What a tool added to a tree is nowhere but in the git cache. Where that was lost, a run on
    /// such a tree proves nothing that could still be proposed: it has to be run again.
    pub(super) async fn lost_tree(&mut self, version: &Version) -> Result<bool> {
        let of_version = |run: &&CanaryRun| run.version == *version && !run.prepared().is_empty();
        let Some(run) = self.memory.runs.iter().rev().find(of_version).cloned() else {
            return Ok(false);
        };
        if self.bot.git.objects().has_tree(&run.tree).await? {
            return Ok(false);
        }
        let why = "what was prepared for it was lost with the git cache";
        let now = self.bot.clock.now();
        let (store, watch) = (&self.bot.store, &self.bot.watch.name);
        let finding = self.finding(&run, Verdict::Inconclusive, why);
        let learned = Learned { finding: Some(finding.clone()), ..Learned::default() };
        store.record_learned(self.lease, watch, &learned, now).await?;
        self.memory.findings.push(finding);
        Ok(true)
    }

    /// A run whose supervisor fell silent: its process died, and what it found is lost. Its
    /// directory goes with the others that are left behind. What the pass read of it is old by now,
    /// so the store looks once more whether it is silent.
    pub(super) async fn bury(&mut self, id: RunId) -> Result<()> {
        let run = self.memory.runs.iter().find(|run| run.id == id).context("no such run")?;
        let why = "the bot's process died while the canary ran";
        let finding = self.finding(run, Verdict::Inconclusive, why);
        let (store, watch) = (&self.bot.store, &self.bot.watch.name);
        if store.bury_run(self.lease, watch, id, &finding).await? {
            self.remember_end(id, finding, Shown::NOTHING);
            return Ok(());
        }
        self.read_runs_again().await
    }

    /// This process carries some of the runs, and knows better than their rows that they are alive.
    pub(super) fn remember_carried(&mut self) {
        let until = self.bot.clock.now() + ALIVE_FOR;
        for run in &mut self.memory.runs {
            if let RunState::Running { alive_until, .. } = &mut run.state
                && self.bot.supervisor.carries(run.id)
            {
                *alive_until = until.max(*alive_until);
            }
        }
    }

    /// Something became of a run beside this pass: its supervisor's word counts, with its finding.
    async fn read_runs_again(&mut self) -> Result<()> {
        let Memory { runs, findings, .. } =
            self.bot.store.load_memory(&self.bot.watch.name).await?;
        (self.memory.runs, self.memory.findings) = (runs, findings);
        Ok(())
    }

    async fn give_up(&mut self, run: RunId, why: &str) -> Result<()> {
        self.end_run(run, Verdict::Inconclusive, why, Shown::NOTHING).await
    }

    pub(super) fn finding(&self, run: &CanaryRun, verdict: Verdict, summary: &str) -> Finding {
        Finding {
            check: Check::Canary,
            verdict,
            version: run.version.clone(),
            subject: run.subject.clone(),
            inputs: run.inputs.clone(),
            summary: summary.to_owned(),
            detail: Detail::default(),
            at: self.bot.clock.now(),
        }
    }

    pub(super) async fn end_run(
        &mut self,
        id: RunId,
        verdict: Verdict,
        summary: &str,
        shown: Shown<'_>,
    ) -> Result<()> {
        let run = self.memory.runs.iter().find(|run| run.id == id).context("no such run")?;
        let finding = self.finding(run, verdict, summary);
        if self.bot.store.end_run(&self.bot.watch.name, id, shown, &finding).await? {
            self.remember_end(id, finding, shown);
            return Ok(());
        }
        self.read_runs_again().await
    }

    fn remember_end(&mut self, id: RunId, finding: Finding, shown: Shown<'_>) {
        let Finding { at, verdict, summary, .. } = finding.clone();
        let (output, report) = (shown.output.to_owned(), shown.report.clone());
        if let Some(run) = self.memory.runs.iter_mut().find(|run| run.id == id) {
            run.state = RunState::Ended { at, verdict, summary, output, report };
        }
        self.memory.findings.push(finding);
    }
}

fn under_way(id: RunId, new: &NewRun) -> CanaryRun {
    CanaryRun {
        id,
        version: new.version.clone(),
        subject: new.subject.clone(),
        inputs: new.inputs.clone(),
        base: new.base.clone(),
        tree: new.tree.clone(),
        remembered_by: new.remembered_by.clone(),
        checked: new.checked.clone(),
        dispatched: new.dispatched.clone(),
        started_at: new.started_at,
        state: RunState::Running { alive_until: new.alive_until, prepared: Vec::new() },
    }
}

async fn export(git: &Objects, draft: &Draft, work: &Path) -> Result<()> {
    work::make(work).await?;
    git.export(&draft.tree, &work.join("tree")).await?;
    Ok(())
}
