//! The dashboard issue: read with the rest of the world, the wishes in it, and what it would say
//! now. `announce.rs` writes it.

use super::{planned::PlannedAction, view::view_of, world::World};
use crate::clients::github::{GithubError, Issue};
use crate::config::{DashboardConfig, Watch};
use crate::domain::{
    DashboardFacts, Fact, IssueNumber, Memory, OrderBook, RepoName, Request, RequestId, Timestamp,
    Version, Wish,
};
use crate::policy::{Decision, Snapshot, Stage, decide};
use crate::render::{Dashboard, dashboard_body, dashboard_title, says_the_same, ticked};
use crate::sources::{DashboardSeen, Sources};
use anyhow::{Context as _, Result, anyhow};
use std::{collections::BTreeSet, time::Duration};

/// What GitHub refused is not asked for again before: a person has to change something first.
pub(super) const REFUSED_FOR: Duration = Duration::from_hours(24);
/// Who answers a request whose asker GitHub does not tell.
pub(super) const ACTOR: &str = "a checkbox";

/// The dashboard, as a pass saw it.
#[derive(Debug, Clone, Default)]
pub(super) enum DashboardRead {
    /// Nobody looked, or it could not be read.
    #[default]
    NotRead,
    /// There is none.
    Absent,
    /// There is one.
    There { number: IssueNumber, open: bool, body: String },
}

impl DashboardRead {
    pub(super) fn of(issue: Option<Issue>) -> Self {
        issue.map_or(Self::Absent, |it| Self::There {
            number: it.number,
            open: it.open,
            body: it.body,
        })
    }

    pub(super) fn fact(&self) -> Option<DashboardFacts> {
        match self {
            Self::NotRead | Self::Absent => None,
            Self::There { number, open: false, .. } => {
                Some(DashboardFacts::Closed { number: *number })
            }
            Self::There { number, body, .. } => {
                Some(DashboardFacts::Open { number: *number, ticked: ticked(body) })
            }
        }
    }
}

/// Looks at the dashboard; `None` if there is to be none, or if it was refused not long ago.
pub(super) async fn look(
    watch: &Watch,
    sources: &Sources,
    known: Option<&DashboardFacts>,
    now: Timestamp,
) -> Result<Option<DashboardSeen>> {
    let known = match known {
        _ if watch.downstream.dashboard.is_none() => return Ok(None),
        Some(DashboardFacts::Refused { again, .. }) if now < *again => return Ok(None),
        known => known.and_then(DashboardFacts::number),
    };
    match sources.fetch_dashboard(watch, known).await {
        // A token that is worth nothing is told of by all else that is asked, and a dry run needs
        // none.
        Err(error) if denied(&error) == Some(401) => Ok(None),
        seen => seen.context("the dashboard issue").map(Some),
    }
}

/// The status with which GitHub denied something, if it did.
pub(super) fn denied(error: &anyhow::Error) -> Option<u16> {
    error.chain().find_map(|cause| match cause.downcast_ref() {
        Some(GithubError::Denied { status, .. }) => Some(*status),
        _ => None,
    })
}

impl super::observe::Seen {
    pub(super) fn take_dashboard(
        &mut self,
        looked: Result<Option<DashboardSeen>>,
        memory: &mut Memory,
        now: Timestamp,
    ) {
        match looked {
            Ok(None) => {}
            Ok(Some(seen)) => {
                self.fresh.extend(seen.fresh);
                self.world.dashboard = DashboardRead::of(seen.issue);
            }
            Err(error) => match refusal(&error, None) {
                Some(why) => {
                    let refused =
                        DashboardFacts::Refused { why: why.clone(), again: now + REFUSED_FOR };
                    self.news.extend(memory.observe(Fact::Dashboard(refused), now));
                    self.troubles.push(anyhow!(why));
                }
                None => self.troubles.push(error),
            },
        }
    }
}

/// Why GitHub does not want the dashboard at all, with the remedy, if that is what it said. That
/// there is no place to open an issue in says so; that some issue is not there does not.
pub(super) fn refusal(error: &anyhow::Error, opening_in: Option<&RepoName>) -> Option<String> {
    let missing = |cause: &(dyn std::error::Error + 'static)| {
        matches!(cause.downcast_ref(), Some(GithubError::NotFound { .. }))
    };
    let remedy = match (denied(error), opening_in) {
        (Some(_), _) => "the token needs the permission to write issues".to_owned(),
        (None, Some(repository)) if error.chain().any(missing) => {
            format!("issues have to be enabled in {repository}")
        }
        (None, _) => return None,
    };
    Some(format!("{error:#}: {remedy}, or `watch.downstream.dashboard` to be turned off"))
}

/// The versions whose boxes were ticked since the bot last looked, as far as they can be asked for.
pub(super) fn wishes(
    rule: &DashboardConfig,
    known: Option<&DashboardFacts>,
    now: &DashboardFacts,
    stages: &[(Version, Stage)],
) -> BTreeSet<Version> {
    let before = known.map(DashboardFacts::ticked).unwrap_or_default();
    let can_be_asked_for = |version: &Version| {
        stages.iter().any(|(it, stage)| it == version && is_open_to_wishes(stage))
    };
    let mut new = now.ticked();
    new.retain(|it| rule.boxes && rule.anonymous && !before.contains(it) && can_be_asked_for(it));
    new
}

/// Whether a wish for a release in this stage can come of a box that it has, or had a moment ago.
const fn is_open_to_wishes(stage: &Stage) -> bool {
    match stage {
        Stage::Queued { .. }
        | Stage::Checking
        | Stage::Waiting { .. }
        | Stage::CanaryRunning { .. }
        | Stage::Held { .. }
        | Stage::Offered
        | Stage::Ready
        | Stage::Covered { .. } => true,
        Stage::Pinned
        | Stage::Older
        | Stage::Skipped { .. }
        | Stage::Proposed { .. }
        | Stage::Declined { .. }
        | Stage::Migrated => false,
    }
}

/// What the dashboard would say now.
pub(super) fn body(
    watch: &Watch,
    rule: &DashboardConfig,
    memory: &Memory,
    snapshot: &Snapshot,
    decision: &Decision,
    now: Timestamp,
) -> String {
    let view = view_of(watch, memory, snapshot, decision, now);
    let orders = OrderBook::of(&memory.orders, &memory.requests);
    dashboard_body(&Dashboard {
        view: &view,
        repository: &watch.downstream.repository,
        image: &watch.upstream.image,
        boxes: rule.boxes,
        how: &watch.downstream.how_to_ask(),
        public_url: watch.public_url.as_deref(),
        orders: orders.as_ref(),
        now,
    })
}

/// Takes a recorded request into memory, unless it is the open one that is there.
pub(super) fn ask(memory: &mut Memory, id: RequestId, version: &Version, at: Timestamp) {
    if memory.requests.iter().all(|known| known.id != id) {
        let (version, actor) = (version.clone(), ACTOR.to_owned());
        memory.requests.push(Request {
            id,
            wish: Wish::Bump,
            version,
            actor,
            head: None,
            at,
            said_at: at,
            outcome: None,
        });
    }
}

/// What a dry run knows of boxes that a pass would heed: the requests, in memory alone.
pub(super) fn suppose_wishes(watch: &Watch, memory: &mut Memory, world: &World, now: Timestamp) {
    let (Some(rule), Some(fact)) = (&watch.downstream.dashboard, world.dashboard.fact()) else {
        return;
    };
    let stages = decide(&world.snapshot(watch, memory), now).stages;
    for version in wishes(rule, memory.dashboard(), &fact, &stages) {
        let open = |known: &Request| {
            let bump = known.wish == Wish::Bump && known.version == version;
            bump && known.outcome.is_none()
        };
        if !memory.requests.iter().any(open) {
            let last = memory.requests.iter().map(|known| known.id.0).max().unwrap_or_default();
            ask(memory, RequestId(last + 1), &version, now);
        }
    }
}

/// What a pass would do to the dashboard, if it `acts` besides or not.
pub(super) fn planned(
    watch: &Watch,
    memory: &Memory,
    world: &World,
    decision: &Decision,
    acts: bool,
    now: Timestamp,
) -> Option<PlannedAction> {
    let rule = watch.downstream.dashboard.as_ref()?;
    let title = dashboard_title(&rule.title, &watch.upstream.image);
    match &world.dashboard {
        DashboardRead::NotRead | DashboardRead::There { open: false, .. } => None,
        DashboardRead::Absent => Some(PlannedAction::Dashboard { over: None, title }),
        DashboardRead::There { number, body: there, .. } => {
            let snapshot = world.snapshot(watch, memory);
            let body = body(watch, rule, memory, &snapshot, decision, now);
            let rewritten = acts || !says_the_same(there, &body);
            rewritten.then_some(PlannedAction::Dashboard { over: Some(number.0), title })
        }
    }
}
