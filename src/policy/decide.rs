//! The decision: a snapshot of a watch becomes the stage of each release and what is due.

use super::{
    anew::{make_anew, say_whose},
    assess::Assessment,
    automatic::{automatic, offer_patches},
    board::Board,
    chain::walk,
    checks,
    draft::{finish, one_at_a_time, open_draft, tend_draft},
    orders::{close_ignored, obey_hold},
    pull::{make_good, open_new, open_proposal, repair, tend},
    requests::{self, Standing},
    retreat::look_again,
    snapshot::{Candidate, PinState, Proposal, Snapshot},
    stage::{Intent, Stage},
    stubs::{close_left_behind, stub_of_line},
    superseded,
    trials::try_again,
};
use crate::domain::{Bump, PatchPolicy, ProposalKind, Timestamp, Version};
use std::collections::BTreeMap;

/// What a snapshot comes to.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Decision {
    /// Each release of the stream, newest first.
    pub stages: Vec<(Version, Stage)>,
    /// What is to be done now. Empty means that everything is parked.
    pub due: Vec<Intent>,
    /// When something changes by itself, at the earliest; `None` if nothing does.
    pub wake: Option<Timestamp>,
}

/// Decides over all candidates of a watch at once. No decision depends on how the pass was woken.
#[must_use]
pub fn decide(snapshot: &Snapshot, now: Timestamp) -> Decision {
    let mut board = Board::default();
    match &snapshot.pin {
        PinState::Unknown { why, ask } => {
            board.due.extend(ask.clone().map(Intent::Look));
            let reasons = vec![format!("the pin is unknown: {why}")];
            for candidate in &snapshot.candidates {
                board.set(&candidate.version, Stage::Held { reasons: reasons.clone() });
            }
        }
        PinState::Known { version, .. } => decide_from(version, snapshot, now, &mut board),
    }
    // Last: what is only for people must not meet a rate limit for what is not.
    board.due.extend(snapshot.unresolved.iter().cloned().map(Intent::Look));
    board.finish(snapshot)
}

fn decide_from(pinned: &Version, snapshot: &Snapshot, now: Timestamp, board: &mut Board) {
    for candidate in snapshot.candidates.iter().filter(|c| c.bump == Bump::None) {
        let same = candidate.version.cmp_precedence(pinned).is_eq();
        board.set(&candidate.version, if same { Stage::Pinned } else { Stage::Older });
    }
    // A run whose process died is inconclusive, also where nothing waits for it any more.
    let current = snapshot.candidates.iter().filter_map(|c| c.running.as_ref());
    let over = current.chain(&snapshot.runs).filter(|run| checks::is_over(run, now));
    board.due.extend(over.map(checks::end));
    for line in major_lines(snapshot).values() {
        board.take(stub_of_line(line, snapshot, now));
    }
    close_left_behind(snapshot, board);
    board.due.extend(look_again(snapshot, pinned, now));
    pin_bump(pinned, snapshot, now, board);
    superseded::cancel(snapshot, now, board);
    say_whose(snapshot, board);
    make_anew(snapshot, now, board);
    close_ignored(snapshot, board);
    obey_hold(snapshot, board);
}

/// The MAJORs by major version, the newest first; those that call themselves less have the pin's.
fn major_lines(snapshot: &Snapshot) -> BTreeMap<u64, Vec<&Candidate>> {
    let mut lines: BTreeMap<u64, Vec<&Candidate>> = BTreeMap::new();
    for candidate in snapshot.candidates.iter().filter(|c| c.bump == Bump::Major) {
        lines.entry(candidate.version.major).or_default().push(candidate);
    }
    lines
}

/// The one pull request that moves the pin: what it should propose, and what it takes to get there.
fn pin_bump(pinned: &Version, snapshot: &Snapshot, now: Timestamp, board: &mut Board) {
    let open = open_proposal(snapshot);
    let standing = requests::standing(snapshot, pinned, open, now, &mut board.due);
    let cutoff = requests::cutoff(standing.as_ref(), snapshot, open);
    let automatic = automatic(snapshot, cutoff, board);
    let minors = automatic
        .iter()
        .copied()
        .filter(|c| c.bump == Bump::Minor || snapshot.patches == PatchPolicy::Propose);
    let kind = ProposalKind::PinBump;
    let chain = walk(minors, kind, snapshot, now, None);
    let (found, busy) = (chain.target, chain.busy.clone());
    board.take(chain);
    let rescue = offer_patches(&automatic, found, busy, snapshot, now, board);

    let asked = standing.as_ref().and_then(|standing| wish(standing, board));
    let onwards = found.or(rescue);
    let unasked = onwards.or_else(|| take_back(standing.as_ref(), open, snapshot, now, board));
    let target = asked.map(|candidate| (candidate, true)).or(unasked.map(|c| (c, false)));
    if let Some((candidate, _)) = target {
        board.set(&candidate.version, Stage::Ready);
    }
    let draft = open_draft(snapshot);
    match (open, draft) {
        (Some(open), _) => {
            let target = repair(open, target, snapshot, now);
            make_good(open, target, standing.as_ref(), snapshot, now, board);
            tend(open, target, pinned, snapshot, board);
            let other = |s: &&Standing<'_>| s.candidate.version != open.version;
            if let Some(standing) = standing.as_ref().filter(other) {
                stay_visible(standing, board);
            }
        }
        (None, Some(draft)) if target.is_some() => finish(draft, target, board),
        (None, _) => open_new(target, snapshot, board),
    }
    if let Some(draft) = draft {
        tend_draft(draft, open, pinned, snapshot, now, board);
    }
    one_at_a_time(standing.as_ref(), pinned, snapshot, board);
    // Last: what a passed canary leads to is done before the wish for it is answered.
    try_again(pinned, snapshot, now, board);
}

/// The newest older release with complete evidence, where what is pinned has to be left, the config
/// wants the way back proposed, and nothing newer is. A wish that waits keeps nobody from it.
fn take_back<'a>(
    standing: Option<&Standing<'_>>,
    open: Option<&Proposal>,
    snapshot: &'a Snapshot,
    now: Timestamp,
    board: &mut Board,
) -> Option<&'a Candidate> {
    if standing.is_some_and(Standing::outranks) || open.is_some() {
        return None;
    }
    let back = walk(snapshot.way_back(), ProposalKind::PinBump, snapshot, now, None);
    let target = back.target;
    board.due.extend(back.due);
    board.wakes.extend(back.wakes);
    target
}

/// A wish that is still being worked on says so, also while a newer one is proposed.
fn stay_visible(standing: &Standing<'_>, board: &mut Board) {
    if standing.assessment != Assessment::Ready {
        board.set(&standing.candidate.version, standing.assessment.stage());
    }
}

/// The candidate that a person asked for, if its turn has come.
fn wish<'a>(standing: &Standing<'a>, board: &mut Board) -> Option<&'a Candidate> {
    let candidate = standing.candidate;
    // Granted already, and its pull request is open: it stands, but asks for nothing more.
    if standing.request.outcome.is_some() {
        return None;
    }
    board.set(&candidate.version, standing.assessment.stage());
    match &standing.assessment {
        Assessment::Ready => Some(candidate),
        Assessment::Due(intents) => {
            board.due.extend(intents.iter().cloned());
            None
        }
        Assessment::Running(running) => {
            board.wakes.push(running.wake);
            None
        }
        Assessment::Waiting { until, .. } => {
            board.wakes.extend(*until);
            None
        }
        Assessment::Held(_) => None,
    }
}
