//! A memory that begins: what outlives the database is looked for, so that losing it loses no order,
//! and so that nothing is done twice that may be there already.

use super::{dashboard::DashboardRead, pass::Pass, world::World};
use crate::clients::github::{GithubError, Remark};
use crate::config::Watch;
use crate::domain::{
    DashboardFacts, Entered, Entry, Fact, Memory, Observation, Order, OrderBook, Request,
    RequestId, RequestOutcome, Timestamp, Wish,
};
use crate::render::parse_order_line;
use crate::sources::Sources;
use anyhow::{Context as _, Result};
use std::time::Duration;
use thiserror::Error;

/// A list may lag so far behind what was written by who does not remember it.
pub(super) const LIST_LAG: Duration = Duration::from_mins(2);

/// An effect that is put off: it may be there already, and only not be listed yet.
#[derive(Debug, Error)]
#[error("it may be there already; the lists of GitHub have until {until} to show it")]
pub(super) struct PutOff {
    /// Until when.
    pub(super) until: Timestamp,
}

/// What was found of the time before this memory.
pub(super) struct Past {
    /// What nobody has decided otherwise since.
    entries: Vec<Entry>,
    /// Whether there was such a time.
    lost: bool,
}

/// Looks for what the bot itself wrote where it outlives the database. Needs no login where no
/// comments are heard.
async fn look_back(
    watch: &Watch,
    sources: &Sources,
    memory: &Memory,
    world: &World,
) -> Result<Past> {
    // Something was done, which is remembered: nothing was lost.
    if !memory.effects.is_empty() {
        return Ok(Past { entries: Vec::new(), lost: false });
    }
    let (dashboard, there) = match &world.dashboard {
        DashboardRead::There { body, .. } => (parse_order_line(body, &watch.name), true),
        DashboardRead::NotRead | DashboardRead::Absent => (None, false),
    };
    let said = match watch.downstream.commands {
        Some(_) => in_comments(watch, sources).await?,
        None => Vec::new(),
    };
    let proposed = memory.pulls().any(|pull| pull.marker.is_some());
    let lost = there || proposed || !said.is_empty();
    // Of two that say the same time the dashboard counts, which is rewritten in each pass.
    let books = said.into_iter().chain(dashboard);
    let newest = books.max_by_key(|book| book.as_of);
    let entries = newest.map(|book| book.still_in_force(&memory.orders)).unwrap_or_default();
    Ok(Past { entries, lost })
}

/// The newest order books among the bot's own answers.
async fn in_comments(watch: &Watch, sources: &Sources) -> Result<Vec<OrderBook>> {
    let (github, repo) = (&sources.github, &watch.downstream.repository);
    let login = github.fetch_login().await.context("the bot's own login")?;
    let kept = |remark: &Remark| {
        let own = remark.comment.author.as_ref().filter(|it| it.eq_ignore_ascii_case(&login));
        own.and_then(|_| parse_order_line(&remark.comment.body, &watch.name))
    };
    let mut books = Vec::new();
    for within_diffs in [false, true] {
        match github.find_remark(repo, within_diffs, |it| kept(it).is_some()).await {
            Ok(found) => books.extend(found.as_ref().and_then(kept)),
            // What the token may not read it did not write, and polling tells of it.
            Err(GithubError::Denied { .. } | GithubError::NotFound { .. }) => {}
            Err(error) => return Err(error).context("the orders in the bot's own comments"),
        }
    }
    Ok(books)
}

impl Pass<'_> {
    /// Looks back, once in the life of a memory. `false` if that was not possible: then nothing is
    /// done that somebody may have forbidden.
    pub(super) async fn recall(&mut self) -> Result<bool> {
        let (bot, now) = (self.bot, self.bot.clock.now());
        if self.memory.recalled().is_some() {
            return Ok(true);
        }
        let read = !matches!(self.world.dashboard, DashboardRead::NotRead);
        let refused = matches!(self.memory.dashboard(), Some(DashboardFacts::Refused { .. }));
        if bot.watch.downstream.dashboard.is_some() && !read && !refused {
            // Why is told already.
            return Ok(false);
        }
        let past = match look_back(&bot.watch, &bot.sources, &self.memory, &self.world).await {
            Ok(past) => past,
            Err(error) => {
                self.trouble(&error);
                return Ok(false);
            }
        };
        let looked = Observation { fact: Fact::Recalled { lost: past.lost }, at: now };
        let (store, name) = (&bot.store, &bot.watch.name);
        let found = store.record_recalled(self.lease, name, &past.entries, &looked, now).await?;
        self.memory.observe(looked.fact, now);
        let (orders, requests) = found;
        for order in &orders {
            self.done(format!("found a standing order again: {}", order.told()));
        }
        self.memory.orders.extend(orders);
        self.memory.requests.extend(requests);
        Ok(true)
    }

    /// Until when the lists of GitHub have time to show what was done before the memory was lost.
    pub(super) fn forgetful_until(&self) -> Option<Timestamp> {
        let (since, _) = self.memory.recalled().filter(|(_, lost)| *lost)?;
        Some(since + LIST_LAG).filter(|until| self.bot.clock.now() < *until)
    }

    /// Whether something was said before the memory that is lost: nobody knows what became of it.
    pub(super) fn may_be_done_with(&self, said_at: Timestamp) -> bool {
        self.memory.recalled().is_some_and(|(since, lost)| lost && said_at < since)
    }
}

/// What a dry run of a memory that begins finds: in memory alone.
pub(super) async fn suppose_recalled(
    watch: &Watch,
    sources: &Sources,
    memory: &mut Memory,
    world: &World,
    now: Timestamp,
) -> Result<()> {
    if memory.recalled().is_some() {
        return Ok(());
    }
    let past = look_back(watch, sources, memory, world).await?;
    memory.observe(Fact::Recalled { lost: past.lost }, now);
    for Entry { what, actor, at } in past.entries {
        let known =
            memory.requests.iter().map(|it| it.id).chain(memory.orders.iter().map(|it| it.id));
        let id = RequestId(known.max().map_or(1, |last| last.0 + 1));
        match what {
            Entered::Order(ordered) => memory.orders.push(Order { id, ordered, actor, at }),
            Entered::Asked(version) => memory.requests.push(Request {
                id,
                wish: Wish::Bump,
                version,
                actor,
                head: None,
                at,
                said_at: at,
                outcome: Some(RequestOutcome { granted: true, answer: String::new(), at: now }),
            }),
        }
    }
    Ok(())
}
