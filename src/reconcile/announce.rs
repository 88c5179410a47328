//! Announce: what a dashboard asks for is recorded at the beginning of a pass, and at its end the
//! dashboard is made to say what is so.

use super::{
    dashboard::{ACTOR, DashboardRead, REFUSED_FOR, ask, body, refusal, wishes},
    pass::Pass,
};
use crate::config::DashboardConfig;
use crate::domain::{DashboardFacts, Effect, Fact, IssueNumber, Wish};
use crate::policy::decide;
use crate::render::{dashboard_title, says_the_same};
use anyhow::{Context as _, Result, anyhow};

/// Boxes that are ticked while the bot writes are read so often in one pass.
const LOOKS: usize = 3;

impl Pass<'_> {
    /// Takes in what the dashboard was seen to be; whether somebody asked for something by it.
    pub(super) async fn heed_dashboard(&mut self) -> Result<bool> {
        let bot = self.bot;
        let (Some(rule), Some(fact)) =
            (&bot.watch.downstream.dashboard, self.world.dashboard.fact())
        else {
            return Ok(false);
        };
        let now = bot.clock.now();
        let stages = decide(&self.snapshot(), now).stages;
        let wishes = wishes(rule, self.memory.dashboard(), &fact, &stages);
        // The wish first: a box that is known to be ticked is not heeded again.
        for version in &wishes {
            let id =
                bot.store.record_request(&bot.watch.name, Wish::Bump, version, ACTOR, now).await?;
            ask(&mut self.memory, id, version, now);
            self.done(format!("recorded request {id} for {version}: its box is ticked"));
        }
        let news = self.memory.observe(Fact::Dashboard(fact), now);
        self.record(news).await?;
        Ok(!wishes.is_empty())
    }

    /// Makes the dashboard say what is so at the end of the pass. One that a person closed is left
    /// alone.
    pub(super) async fn announce(&mut self) -> Result<()> {
        let bot = self.bot;
        let Some(rule) = &bot.watch.downstream.dashboard else { return Ok(()) };
        for _ in 0..LOOKS {
            if self.limited || self.world.releases_unknown {
                return Ok(());
            }
            let now = bot.clock.now();
            let snapshot = self.snapshot();
            let decision = decide(&snapshot, now);
            let body = body(&bot.watch, rule, &self.memory, &snapshot, &decision, now);
            let written = match self.world.dashboard.clone() {
                DashboardRead::NotRead | DashboardRead::There { open: false, .. } => return Ok(()),
                DashboardRead::There { body: there, .. } if says_the_same(&there, &body) => {
                    return Ok(());
                }
                DashboardRead::Absent => self.open_dashboard(rule, body).await,
                DashboardRead::There { number, .. } => {
                    if rule.boxes && self.look_again(number).await? {
                        if !Box::pin(self.rounds()).await? {
                            return Ok(());
                        }
                        continue;
                    }
                    self.rewrite_dashboard(number, body).await
                }
            };
            return match written {
                Ok(()) => Ok(()),
                Err(error) if error.is::<crate::store::StoreError>() => Err(error),
                Err(error) => self.refused(error).await,
            };
        }
        Ok(())
    }

    /// What GitHub refuses is told once, and not tried again in each pass.
    async fn refused(&mut self, error: anyhow::Error) -> Result<()> {
        let absent = matches!(self.world.dashboard, DashboardRead::Absent);
        let opening_in = Some(&self.bot.watch.downstream.repository).filter(|_| absent);
        let Some(why) = refusal(&error, opening_in) else {
            self.trouble(&error);
            return Ok(());
        };
        self.trouble_for_once(&anyhow!(why.clone()));
        let now = self.bot.clock.now();
        let refused = DashboardFacts::Refused { why, again: now + REFUSED_FOR };
        let news = self.memory.observe(Fact::Dashboard(refused), now);
        self.record(news).await
    }

    /// What GitHub refused in this pass is in the report, and no later pass tells it again.
    pub(super) fn note_refusal(&mut self) {
        if let Some(DashboardFacts::Refused { why, .. }) = self.memory.dashboard()
            && self.report.troubles.contains(why)
        {
            self.report.told_once.push(why.clone());
        }
    }

    /// Reads the boxes once more before the text is replaced: nobody's tick shall be lost to a long
    /// pass. Whether there is a new one, or none can be read.
    async fn look_again(&mut self, number: IssueNumber) -> Result<bool> {
        let (watch, sources) = (&self.bot.watch, &self.bot.sources);
        match sources.fetch_dashboard(watch, Some(number)).await {
            Ok(seen) => self.world.dashboard = DashboardRead::of(seen.issue),
            Err(error) => {
                self.trouble(&error.context("the dashboard issue"));
                self.world.dashboard = DashboardRead::NotRead;
            }
        }
        let open = matches!(self.world.dashboard, DashboardRead::There { open: true, .. });
        Ok(self.heed_dashboard().await? || !open)
    }

    async fn open_dashboard(&mut self, rule: &DashboardConfig, body: String) -> Result<()> {
        let watch = &self.bot.watch;
        let effect = Effect::OpenIssue {
            after: self.memory.dashboard().and_then(DashboardFacts::number),
            title: dashboard_title(&rule.title, &watch.upstream.image),
            body: body.clone(),
            labels: rule.labels.clone(),
        };
        if self.may_be_unlisted(&effect).await? {
            return Ok(());
        }
        let outcome = self.effect(&effect).await?;
        let number = outcome.remote_id.parse().context("the number of an issue")?;
        let number = IssueNumber(number);
        self.done(format!("opened the dashboard issue {number}"));
        self.wrote(number, body).await
    }

    async fn rewrite_dashboard(&mut self, number: IssueNumber, body: String) -> Result<()> {
        self.effect(&Effect::EditIssue { number, body: body.clone() }).await?;
        self.done(format!("rewrote the dashboard issue {number}"));
        self.wrote(number, body).await
    }

    async fn wrote(&mut self, number: IssueNumber, body: String) -> Result<()> {
        self.world.dashboard = DashboardRead::There { number, open: true, body };
        let fact = self.world.dashboard.fact().map(Fact::Dashboard);
        let now = self.bot.clock.now();
        let news = fact.and_then(|fact| self.memory.observe(fact, now));
        self.record(news).await
    }
}
