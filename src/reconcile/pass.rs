//! The loop.

use super::{
    bot::{Bot, PassReport},
    observe::observe_more_pulls,
    trouble::Trouble,
    world::World,
};
use crate::canary::work;
use crate::clients::github::GithubError;
use crate::domain::{Fact, Heard, Memory, Observation, Pin, Role, RunState};
use crate::policy::{Decision, Intent, Snapshot, decide};
use crate::store::Lease;
use anyhow::{Result, bail};
use std::{collections::BTreeMap, time::Duration};
use tracing::{Instrument as _, debug, info, info_span};

/// GitHub redelivers no webhook that is older than three days.
const DELIVERIES_KEPT: Duration = Duration::from_hours(7 * 24);
/// A pass that is not settled after so many rounds goes in circles.
const MAX_ROUNDS: usize = 200;

/// A pass under way.
pub(super) struct Pass<'a> {
    pub(super) bot: &'a Bot,
    pub(super) lease: &'a Lease,
    pub(super) memory: Memory,
    /// What this pass saw beyond what is remembered.
    pub(super) world: World,
    /// What could not be done. It is not tried again in this pass, and keeps nothing else waiting.
    pub(super) failed: Vec<Intent>,
    /// The alarms that the log was told of, by this pass or an earlier one.
    pub(super) sounded: Vec<String>,
    /// A rate limit was met: nothing more is asked of anybody.
    pub(super) limited: bool,
    /// What people said to the bot, and has no end yet.
    pub(super) heard: Vec<Heard>,
    /// The bot's own login, once it was asked for.
    pub(super) login: Option<String>,
    /// What those who command may do, as this pass was told.
    pub(super) roles: BTreeMap<String, Role>,
    /// What did not work, as whoever waits for a release is told of it.
    pub(super) troubles: Vec<Trouble>,
    pub(super) report: PassReport,
}

/// One pass, from what is remembered until nothing is due.
pub(super) async fn settle(bot: &Bot, lease: &Lease) -> Result<PassReport> {
    let memory = bot.store.load_memory(&bot.watch.name).await?;
    let mut pass = Pass {
        bot,
        lease,
        memory,
        world: World::default(),
        failed: Vec::new(),
        sounded: Vec::new(),
        limited: false,
        heard: Vec::new(),
        login: None,
        roles: BTreeMap::new(),
        troubles: Vec::new(),
        report: PassReport::default(),
    };
    let mut settled = false;
    if let Some(until) = bot.limit.holds(bot.clock.now()) {
        pass.trouble(&GithubError::RateLimited { until }.into());
    } else if Box::pin(pass.hear_and_observe()).await? && Box::pin(pass.recall()).await? {
        pass.heed_dashboard().await?;
        Box::pin(pass.rule()).await?;
        pass.complete_labels().await?;
        Box::pin(pass.tidy_merged()).await?;
        Box::pin(pass.complete_ready()).await?;
        Box::pin(pass.queue_checks()).await?;
        settled = pass.rounds().await?;
        // Last: what the rounds opened or rewrote is among them.
        Box::pin(pass.complete_checks()).await?;
        Box::pin(pass.tidy_scratch()).await?;
        pass.wake_for_ci();
        pass.sound();
    }
    // In any case: whoever waits for something is told that it is not forgotten.
    Box::pin(pass.answer_all()).await?;
    if settled {
        Box::pin(pass.announce()).await?;
    }
    pass.note_refusal();
    pass.sweep().await;
    pass.forget_logs().await?;
    pass.remember_troubles().await?;
    Ok(pass.report)
}

impl Pass<'_> {
    async fn hear_and_observe(&mut self) -> Result<bool> {
        self.hear().await?;
        self.observe().await
    }

    /// Reads the world. `false` if too little could be read to decide anything.
    async fn observe(&mut self) -> Result<bool> {
        let now = self.bot.clock.now();
        self.sounded = self.alarms();
        let (bot, memory) = (self.bot, &mut self.memory);
        let turn = u64::try_from(self.lease.token()).ok();
        let seen = super::observe::observe(&bot.watch, &bot.sources, &bot.git, memory, turn, now);
        let seen = seen.await;
        let (store, watch) = (&self.bot.store, &self.bot.watch.name);
        store.record_observations(self.lease, watch, &seen.news, &seen.fresh, now).await?;
        for trouble in &seen.troubles {
            self.trouble(trouble);
        }
        self.world = seen.world;
        self.sound();
        Ok(self.world.base.is_some() && self.world.pulls_known)
    }

    /// Reads what only became relevant in this pass. `false` if it could not be read: without it
    /// nothing more is decided.
    async fn observe_more(&mut self) -> Result<bool> {
        let (bot, now) = (self.bot, self.bot.clock.now());
        let (memory, world) = (&mut self.memory, &mut self.world);
        let seen = observe_more_pulls(&bot.watch, &bot.sources, memory, world, now).await;
        if !seen.news.is_empty() || !seen.fresh.is_empty() {
            let (store, watch) = (&bot.store, &bot.watch.name);
            store.record_observations(self.lease, watch, &seen.news, &seen.fresh, now).await?;
        }
        for trouble in &seen.troubles {
            self.trouble(trouble);
        }
        Ok(seen.troubles.is_empty())
    }

    /// Decides and performs until nothing is due. `false` if too little could be read for that.
    pub(super) async fn rounds(&mut self) -> Result<bool> {
        for _ in 0..MAX_ROUNDS {
            if !self.observe_more().await? {
                return Ok(false);
            }
            let decision = self.decide();
            let due = self.possible(&decision);
            if self.confirm_tags(&due).await? {
                continue;
            }
            if due.is_empty() {
                let wakes = [self.report.wake, decision.wake];
                self.report.wake = wakes.into_iter().flatten().min();
                self.report.decision = decision;
                return Ok(true);
            }
            self.perform_all(due, &decision).await?;
        }
        bail!("the pass did not settle in {MAX_ROUNDS} rounds")
    }

    /// Takes away the directories of runs that are over and whose process died before it could.
    async fn sweep(&mut self) {
        let over = |id| {
            let run = self.memory.runs.iter().find(|run| run.id == id);
            run.is_some_and(|run| matches!(run.state, RunState::Ended { .. }))
                // Its supervisor is about to do it.
                && !self.bot.supervisor.carries(id)
        };
        if let Err(error) = work::sweep(&self.bot.state, over).await {
            self.trouble(&anyhow::Error::new(error).context("a canary's left-over directory"));
        }
    }

    /// Forgets what canaries printed longer ago than the config keeps it.
    async fn forget_logs(&mut self) -> Result<()> {
        let (bot, kept) = (self.bot, self.bot.watch.canary.keep_logs);
        let until = bot.clock.now() - kept;
        let gone = bot.store.forget_logs(self.lease, &bot.watch.name, until).await?;
        debug!(gone, "forgot old logs");
        let until = bot.clock.now() - DELIVERIES_KEPT;
        bot.store.forget_deliveries(self.lease, until).await?;
        Ok(())
    }

    pub(super) fn snapshot(&self) -> Snapshot {
        self.world.snapshot(&self.bot.watch, &self.memory)
    }

    fn decide(&mut self) -> Decision {
        self.remember_carried();
        let decision = decide(&self.snapshot(), self.bot.clock.now());
        debug!(due = ?decision.due, "decided");
        decision
    }

    /// What of a decision can be done now: facts first, as in a dry run, so that what is written
    /// speaks of all that can be known.
    fn possible(&self, decision: &Decision) -> Vec<Intent> {
        if self.limited {
            return Vec::new();
        }
        let open = |intent: &&Intent| {
            // Without the list of releases nobody knows whether one exists.
            let unknown = self.world.releases_unknown && matches!(intent, Intent::Answer { .. });
            !unknown && !self.failed.contains(intent)
        };
        let mut due: Vec<Intent> = decision.due.iter().filter(open).cloned().collect();
        if due.iter().any(Intent::only_reads) {
            due.retain(Intent::only_reads);
        }
        due
    }

    async fn perform_all(&mut self, due: Vec<Intent>, decision: &Decision) -> Result<()> {
        if due.iter().all(Intent::only_reads) {
            return self.learn_all(due).await;
        }
        for intent in due {
            if self.limited {
                return Ok(());
            }
            let version = intent.version().map(ToString::to_string);
            let span = info_span!("candidate", version);
            match self.perform(&intent, decision).instrument(span).await {
                Ok(()) => {}
                Err(error) if error.is::<crate::store::StoreError>() => return Err(error),
                Err(error) => {
                    self.trouble_with(&intent, &error);
                    self.failed.push(intent);
                    self.note_workflow_files().await?;
                }
            }
        }
        Ok(())
    }

    /// Remembers that a push was refused because of workflow files: then those are left to a person.
    async fn note_workflow_files(&mut self) -> Result<()> {
        let refused = self.bot.sources.github.may_edit_workflows() == Some(false);
        if !(refused && self.memory.may_edit_workflows() && self.bot.watch.edits_workflows()) {
            return Ok(());
        }
        let told = self.bot.clock.now();
        let news = self.memory.observe(Fact::WorkflowFiles { may_edit: false, told }, told);
        self.record(news).await
    }

    pub(super) fn done(&mut self, line: String) {
        info!("{line}");
        self.report.performed.push(line);
    }

    /// What the pin is, once it is known.
    pub(super) fn pin(&self) -> Result<Pin> {
        self.world.pin(&self.bot.watch, &self.memory)
    }

    pub(super) async fn record(&self, news: Option<Observation>) -> Result<()> {
        let news: Vec<Observation> = news.into_iter().collect();
        let (store, watch, now) = (&self.bot.store, &self.bot.watch.name, self.bot.clock.now());
        Ok(store.record_observations(self.lease, watch, &news, &[], now).await?)
    }
}
