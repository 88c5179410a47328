//! The bot's own check at the head of each pull request that moves the pin: where the canary at what
//! is proposed stands, and what it came to. Derived each time from the last run; so it is made good
//! where it could not be set, and follows a run that somebody asks for later.

use super::pass::Pass;
use crate::domain::{
    CanaryRun, CheckState, CommitId, DraftMark, Effect, EffectState, OwnCheck, OwnReport,
    ProposalKind, PullFacts, PullState, RunState,
};
use crate::policy::{NO_CI, awaited_ci, no_ci_at};
use crate::render::{CanaryShown, check_summary, check_text};
use anyhow::Result;

/// What is said while it runs. One that runs for an open pull request ran before.
const AGAIN: &str = "the canary runs again";
/// What is said until then.
const ASKED: &str = "the canary was asked for again";

impl Pass<'_> {
    /// Has each open pull request's own check say where the last run stands.
    pub(super) async fn complete_checks(&mut self) -> Result<()> {
        self.report_runs(|_| true).await
    }

    /// Has the check say that a canary waits for its turn that somebody asked for, before it is run.
    pub(super) async fn queue_checks(&mut self) -> Result<()> {
        self.report_runs(|state| state == OwnCheck::Queued).await
    }

    async fn report_runs(&mut self, wanted: fn(OwnCheck) -> bool) -> Result<()> {
        let heads: Vec<(CommitId, CanaryRun)> = self
            .memory
            .pulls()
            .filter_map(|pull| Some((pull.head.clone(), self.run_of(pull)?.clone())))
            .collect();
        for (commit, run) in heads {
            if self.limited {
                return Ok(());
            }
            if !wanted(self.report_of(&run).state) {
                continue;
            }
            match self.report_run(commit, &run).await {
                Ok(()) => {}
                Err(error) if error.is::<crate::store::StoreError>() => return Err(error),
                Err(error) => self.trouble(&error),
            }
        }
        Ok(())
    }

    /// Wakes for the heads at which CI has to be looked for once it has had its time.
    pub(super) fn wake_for_ci(&mut self) {
        let (now, within) = (self.bot.clock.now(), self.bot.watch.rules.ci_starts_within);
        let due = awaited_ci(&self.memory, within).map(|awaited| awaited.due);
        self.report.wake = self.report.wake.into_iter().chain(due.filter(|due| *due > now)).min();
    }

    /// A report that has nothing more to tell than this line.
    pub(super) fn own_report(&self, state: OwnCheck, title: String) -> OwnReport {
        OwnReport::new(self.bot.watch.canary.check_name.clone(), state, title)
    }

    /// The last run at what `pull` proposes, if the check at its head is to tell of it here and nobody
    /// else pushed to it.
    fn run_of(&self, pull: &PullFacts) -> Option<&CanaryRun> {
        let marker = pull.marker.as_ref().filter(|marker| marker.commit == pull.head)?;
        if pull.state != PullState::Open || marker.kind != ProposalKind::PinBump {
            return None;
        }
        let at_it =
            |run: &&CanaryRun| run.version == marker.version && run.subject == marker.digest;
        let last = self.memory.runs.iter().rev().find(at_it)?;
        let by_checks = last.checked.is_some() && last.dispatched.is_none();
        let told_here = match marker.draft {
            // Where the downstream's own checks are the canary, they are at the commit themselves.
            DraftMark::None | DraftMark::Proved => !by_checks,
            // Its end is told when it is recorded.
            DraftMark::Waits => {
                let under_way = matches!(last.state, RunState::Running { .. });
                by_checks && under_way && last.checked.as_ref() == Some(&pull.head)
            }
            DraftMark::Spent => false,
        };
        told_here.then_some(last)
    }

    async fn report_run(&mut self, commit: CommitId, run: &CanaryRun) -> Result<()> {
        let mut report = self.report_of(run);
        // Only where it is known to have said something else: who lost the database guesses nothing.
        if report.state.is_open() && !self.has_reported(&commit) {
            return Ok(());
        }
        let silent = no_ci_at(&self.memory, &commit, self.bot.watch.rules.ci_starts_within);
        if silent {
            // A commit status has no more than its one line, which is cut at its end.
            report.title = format!("no CI has started here; {}", report.title);
        }
        if self.says_last(&commit, &report) {
            return Ok(());
        }
        // A pass on another tree is none of this commit's: the pull request is about to be
        // rewritten, or what it was made of was lost.
        let tree = self.bot.git.tree_of(&commit).await.ok();
        if report.state == OwnCheck::Success && tree.as_ref() != Some(&run.tree) {
            return Ok(());
        }
        let page = self.bot.watch.public_url.as_deref();
        if let Some(shown) = CanaryShown::of(run, page).filter(|_| !report.state.is_open()) {
            report.summary = check_summary(&shown);
            report.text = check_text(&self.printed(run).await?);
            report.page = shown.log;
        }
        if silent {
            let told = if report.summary.is_empty() { &report.title } else { &report.summary };
            report.summary = format!("**No CI has started here**; {NO_CI}.\n\n{told}");
        }
        // Who lost the database may have said it before.
        let lost = !self.has_pushed(&commit);
        self.effect_unless_there(&Effect::ReportCheck { commit, report }, lost).await?;
        Ok(())
    }

    fn has_pushed(&self, commit: &CommitId) -> bool {
        self.memory.effects.iter().any(|record| {
            matches!(&record.effect, Effect::PushBranch { commit: of, .. } if of == commit)
        })
    }

    /// Where a run stands, without what is long.
    fn report_of(&self, run: &CanaryRun) -> OwnReport {
        let running = OwnReport {
            run: Some(run.id),
            started_at: Some(run.started_at),
            ..self.own_report(OwnCheck::Running, AGAIN.to_owned())
        };
        let queued = |title: &str| OwnReport {
            run: Some(run.id),
            ..self.own_report(OwnCheck::Queued, title.to_owned())
        };
        match &run.state {
            RunState::Running { .. } => match (&run.checked, &run.dispatched) {
                (_, Some(marker)) => {
                    let seen = self.memory.workflow(marker).map(|facts| &facts.seen.state);
                    let is_there = seen.is_some_and(|state| *state != CheckState::Missing);
                    if is_there { running } else { queued(AGAIN) }
                }
                (Some(commit), None) => {
                    let mut seen = self.memory.checks(commit).into_iter().flat_map(|it| &it.checks);
                    if seen.any(|check| check.state != CheckState::Missing) {
                        OwnReport { title: self.waiting(OwnCheck::Running).title, ..running }
                    } else {
                        self.waiting(OwnCheck::Queued)
                    }
                }
                (None, None) => running,
            },
            RunState::Ended { .. } if self.is_asked_for_again(run) => queued(ASKED),
            RunState::Ended { at, verdict, summary, .. } => OwnReport {
                state: OwnCheck::from(*verdict),
                title: summary.clone(),
                completed_at: Some(*at),
                ..running
            },
        }
    }

    /// Whether somebody waits for another run than this one.
    fn is_asked_for_again(&self, run: &CanaryRun) -> bool {
        let mut asked = self.memory.requests.iter();
        asked.any(|asked| asked.wants_canary(&run.version) && asked.at > run.started_at)
    }

    /// Whether this is what the check was last made to say.
    fn says_last(&self, commit: &CommitId, report: &OwnReport) -> bool {
        let effect = Effect::ReportCheck { commit: commit.clone(), report: report.clone() };
        let key = effect.key(&self.bot.watch.name);
        let done = self.memory.effects.iter().filter(|record| {
            let at_it =
                matches!(&record.effect, Effect::ReportCheck { commit: of, .. } if of == commit);
            at_it && record.state == EffectState::Done
        });
        done.max_by_key(|record| record.done_at).is_some_and(|last| last.key == key)
    }

    fn has_reported(&self, commit: &CommitId) -> bool {
        self.memory.effects.iter().any(|record| {
            matches!(&record.effect, Effect::ReportCheck { commit: of, .. } if of == commit)
        })
    }

    /// All that a run printed, secrets masked, as far as it is kept.
    async fn printed(&self, run: &CanaryRun) -> Result<String> {
        let RunState::Ended { output, report, .. } = &run.state else { return Ok(String::new()) };
        let log = self.bot.store.canary_log(report.of.unwrap_or(run.id)).await?;
        Ok(log.unwrap_or_else(|| output.clone()))
    }
}
