//! Standing orders: what is ignored, and what waits while the bot is on hold.

use super::{
    board::Board,
    snapshot::{Candidate, Proposal, Snapshot},
    stage::{Intent, Stage},
};
use crate::domain::{Bump, Order, Ordered, PullState, Request, Version, Wish};

/// Why nothing is proposed at all, if the bot is on hold.
pub(super) fn on_hold(snapshot: &Snapshot) -> Option<String> {
    Order::hold(&snapshot.orders).map(Order::told)
}

/// Why a release is not proposed though its evidence may be complete, if somebody ordered that and
/// nobody asked for it since.
pub(super) fn ignored(candidate: &Candidate, snapshot: &Snapshot) -> Option<String> {
    let Candidate { version, bump, .. } = candidate;
    let order = Order::ignoring(&snapshot.orders).filter(|order| is_about(order, version, *bump));
    let order = order.max_by_key(|order| order.said())?;
    (!was_asked_for(version, order, snapshot))
        .then(|| format!("{} said `{order}` at {}", order.actor, order.at, order = order.ordered))
}

fn is_about(order: &Order, version: &Version, bump: Bump) -> bool {
    match &order.ordered {
        Ordered::IgnoreRelease(release) => release == version,
        Ordered::IgnoreBump(size) => *size == bump,
        Ordered::Hold { .. } | Ordered::Unhold | Ordered::Unignore => false,
    }
}

/// Whether somebody asked for the release by name after an order, in whichever order they were heard.
fn was_asked_for(version: &Version, order: &Order, snapshot: &Snapshot) -> bool {
    let by_name = |asked: &&Request| asked.wish == Wish::Bump && asked.version == *version;
    snapshot.requests.iter().filter(by_name).any(|asked| asked.said() > order.said())
}

/// Closes the pull requests for what is ignored. A person's branch is left alone.
pub(super) fn close_ignored(snapshot: &Snapshot, board: &mut Board) {
    let open = |it: &&Proposal| it.state == PullState::Open && it.ours;
    for proposal in snapshot.proposals.iter().filter(open) {
        let candidate = snapshot.candidate(&proposal.version);
        let Some(why) = candidate.and_then(|candidate| ignored(candidate, snapshot)) else {
            continue;
        };
        let pull = proposal.pull;
        let touches = |intent: &Intent| match intent {
            Intent::Propose { over, .. } => *over == Some(pull),
            Intent::Close { pull: it, .. } => *it == pull,
            _ => false,
        };
        // A successor takes its place under the same number.
        if !board.due.iter().any(touches) {
            board.due.push(Intent::Close { pull, why });
        }
    }
}

/// Which pull requests stay open though an order is about what they propose, and why; `None` if none
/// do.
#[must_use]
pub fn stays_open(order: &Order, snapshot: &Snapshot) -> Option<String> {
    let open = snapshot.proposals.iter().filter(|it| it.state == PullState::Open);
    let about = open.filter(|it| {
        let candidate = snapshot.candidate(&it.version);
        candidate.is_some_and(|candidate| is_about(order, &it.version, candidate.bump))
    });
    let held = on_hold(snapshot).is_some();
    let why = |proposal: &Proposal| match (proposal.ours, held) {
        (false, _) => Some("it has commits by a person"),
        (true, true) => Some("the bot is on hold"),
        (true, false) => None,
    };
    let stays: Vec<String> = about
        .filter_map(|it| Some(format!("pull request {} stays open: {}", it.pull, why(it)?)))
        .collect();
    (!stays.is_empty()).then(|| stays.join("; "))
}

/// Leaves every pull request as it is, while the bot is on hold: none is opened, rewritten or closed.
/// What is only looked at goes on, and so do warnings.
pub(super) fn obey_hold(snapshot: &Snapshot, board: &mut Board) {
    let Some(why) = on_hold(snapshot) else { return };
    board.due.retain(|intent| match intent {
        Intent::Propose { .. }
        | Intent::Close { .. }
        | Intent::Hold { .. }
        | Intent::GiveUp { .. } => false,
        // It begins with a draft pull request.
        Intent::StartCanary(_) => !snapshot.by_checks,
        Intent::Look(_)
        | Intent::ReadContract(_)
        | Intent::Check { .. }
        | Intent::Companion(..)
        | Intent::Bury(_)
        | Intent::Conclude(_)
        | Intent::Cancel { .. }
        | Intent::Warn { .. }
        | Intent::StepBack { .. }
        | Intent::TakeUp { .. }
        | Intent::Answer { .. } => true,
    });
    for stage in board.stages.values_mut().filter(|stage| **stage == Stage::Ready) {
        *stage = Stage::Waiting { until: None, why: format!("the bot is on hold: {why}") };
    }
}

/// Why a wish that writes to a pull request is not met, while the bot is on hold.
pub(super) fn refuses(snapshot: &Snapshot) -> Option<String> {
    on_hold(snapshot).map(|why| format!("the bot is on hold ({why}): `unhold` comes first"))
}
