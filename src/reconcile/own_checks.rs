//! The bot's own check at the head of each pull request that moves the pin: what the canary, which
//! the bot runs itself, came to at what is proposed. Derived each time from the last run; so it is
//! made good where it could not be set, and follows a run that somebody asks for later.

use super::pass::Pass;
use crate::domain::{
    CanaryRun, CommitId, DraftMark, Effect, EffectRecord, EffectState, OwnCheck, OwnReport,
    ProposalKind, PullFacts, PullState, RunState,
};
use crate::render::{CanaryShown, check_summary, check_text};
use anyhow::Result;

/// What is said while it runs. One that runs for an open pull request ran before.
const AGAIN: &str = "the canary runs again";

impl Pass<'_> {
    /// Has each open pull request's own check say what the last run came to.
    pub(super) async fn complete_checks(&mut self) -> Result<()> {
        let heads: Vec<(CommitId, CanaryRun)> = self
            .memory
            .pulls()
            .filter_map(|pull| Some((pull.head.clone(), self.run_of(pull)?.clone())))
            .collect();
        for (commit, run) in heads {
            if self.limited {
                return Ok(());
            }
            match self.report_run(commit, &run).await {
                Ok(()) => {}
                Err(error) if error.is::<crate::store::StoreError>() => return Err(error),
                Err(error) => self.trouble(&error),
            }
        }
        Ok(())
    }

    /// The last run at what `pull` proposes, if it is the bot's own and nobody else pushed to it.
    fn run_of(&self, pull: &PullFacts) -> Option<&CanaryRun> {
        let marker = pull.marker.as_ref().filter(|marker| marker.commit == pull.head)?;
        let proposes = match marker.draft {
            DraftMark::None | DraftMark::Proved => marker.kind == ProposalKind::PinBump,
            DraftMark::Waits | DraftMark::Spent => false,
        };
        if pull.state != PullState::Open || !proposes {
            return None;
        }
        let at_it =
            |run: &&CanaryRun| run.version == marker.version && run.subject == marker.digest;
        let last = self.memory.runs.iter().rev().find(at_it)?;
        // Where the downstream's own checks are the canary, they are at the commit themselves.
        (last.checked.is_none() || last.dispatched.is_some()).then_some(last)
    }

    async fn report_run(&mut self, commit: CommitId, run: &CanaryRun) -> Result<()> {
        let (state, title) = match &run.state {
            RunState::Running { .. } => (OwnCheck::Pending, AGAIN.to_owned()),
            RunState::Ended { verdict, summary, .. } => (OwnCheck::from(*verdict), summary.clone()),
        };
        // Only where it is known to have said something else: who lost the database guesses nothing.
        if state == OwnCheck::Pending && !self.has_reported(&commit) {
            return Ok(());
        }
        let mut report = OwnReport { run: Some(run.id), ..OwnReport::new(state, title) };
        let key = Effect::ReportCheck { commit: commit.clone(), report: report.clone() };
        let key = key.key(&self.bot.watch.name);
        let done = |record: &EffectRecord| record.key == key && record.state == EffectState::Done;
        if self.memory.effects.iter().any(done) {
            return Ok(());
        }
        // A pass on another tree is none of this commit's: the pull request is about to be
        // rewritten, or what it was made of was lost.
        let tree = self.bot.git.tree_of(&commit).await.ok();
        if state == OwnCheck::Success && tree.as_ref() != Some(&run.tree) {
            return Ok(());
        }
        let page = self.bot.watch.public_url.as_deref();
        if let Some(shown) = CanaryShown::of(run, page) {
            report.summary = check_summary(&shown);
            report.text = check_text(&self.printed(run).await?);
            report.page = shown.log;
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
