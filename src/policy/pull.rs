//! The one pull request that moves the pin: opened, kept current, closed.

use super::{
    assess::{Assessment, assess},
    board::Board,
    orders::ignored,
    requests::Standing,
    snapshot::{Candidate, PinState, Proposal, Snapshot},
    stage::{Intent, Stage},
    stubs::foreign_branch,
};
use crate::domain::{Bump, ProposalKind, PullState, Timestamp, Version};

/// The open pull request that moves the pin; a draft that is still to be proved is none.
pub(super) fn open_proposal(snapshot: &Snapshot) -> Option<&Proposal> {
    snapshot
        .proposals
        .iter()
        .rev()
        .find(|p| p.kind == ProposalKind::PinBump && p.state == PullState::Open && !p.is_draft())
}

/// What the open pull request should propose. Where nothing else takes it over, that is what it
/// proposes now, whether or not that is still wanted by itself: the bot may have died between the
/// push and the text. One that was asked for stays so, or it would climb again.
pub(super) fn repair<'a>(
    open: &Proposal,
    target: Option<(&'a Candidate, bool)>,
    snapshot: &'a Snapshot,
    now: Timestamp,
) -> Option<(&'a Candidate, bool)> {
    let moves = target.is_some_and(|(candidate, requested)| {
        requested || candidate.version.cmp_precedence(&open.version).is_gt()
    });
    if moves {
        return target;
    }
    let proposed = |c: &&Candidate| snapshot.leads_to(&c.version) && c.version == open.version;
    let sound =
        |c: &&Candidate| assess(c, ProposalKind::PinBump, snapshot, now) == Assessment::Ready;
    let same = snapshot.candidates.iter().find(proposed).filter(sound);
    same.map(|candidate| (candidate, open.requested)).or(target)
}

/// Has found out what is missing for the open pull request to be made anew, such as where it
/// conflicts, and nothing takes it over. Its release may be one that no chain looks at: a MAJOR, an
/// older one, or one that only a wish asked for.
///
/// Before [`tend`], while the board still says where the release stands by itself.
pub(super) fn make_good(
    open: &Proposal,
    target: Option<(&Candidate, bool)>,
    standing: Option<&Standing<'_>>,
    snapshot: &Snapshot,
    now: Timestamp,
    board: &mut Board,
) {
    let taken_over = target.is_some_and(|(candidate, requested)| {
        requested || candidate.version.cmp_precedence(&open.version).is_ge()
    });
    let closed = is_left_over(open, snapshot) || turned_out_major(open, snapshot);
    if open.settled || !open.ours || taken_over || closed {
        return;
    }
    if snapshot.by_checks && !is_draft_free_for(&open.version, snapshot, board) {
        return;
    }
    let queued = matches!(board.stages.get(&open.version), Some(Stage::Queued { .. }));
    let outranked = standing.is_some_and(|standing| {
        let open_wish = standing.request.outcome.is_none() && standing.outranks();
        open_wish && standing.candidate.version != open.version
    });
    let candidate = snapshot.candidate(&open.version).filter(|it| ignored(it, snapshot).is_none());
    let Some(candidate) = candidate.filter(|_| !queued && !outranked) else { return };
    match assess(candidate, ProposalKind::PinBump, snapshot, now) {
        Assessment::Due(intents) => board.due.extend(intents),
        Assessment::Running(running) => board.wakes.push(running.wake),
        Assessment::Waiting { until, .. } => board.wakes.extend(until),
        Assessment::Held(_) | Assessment::Ready => {}
    }
}

/// Whether the one draft can prove this release now: it is not at work for another one, nor about to
/// be. What is pinned has none: its checks are those of the base branch.
fn is_draft_free_for(version: &Version, snapshot: &Snapshot, board: &Board) -> bool {
    let pinned = matches!(&snapshot.pin, PinState::Known { version: it, .. } if it == version);
    let runs = |candidate: &Candidate| candidate.version != *version && candidate.running.is_some();
    let starts = |intent: &Intent| matches!(intent, Intent::StartCanary(it) if it != version);
    !pinned && !snapshot.candidates.iter().any(runs) && !board.due.iter().any(starts)
}

/// Whether the open pull request is to be made anew, and its evidence can still become complete.
pub(super) fn is_to_be_proved(open: &Proposal, snapshot: &Snapshot, now: Timestamp) -> bool {
    let can_be = |candidate: &Candidate| {
        let assessment = assess(candidate, ProposalKind::PinBump, snapshot, now);
        !matches!(assessment, Assessment::Held(_))
    };
    open.ours && !open.settled && snapshot.candidate(&open.version).is_some_and(can_be)
}

/// Whether the open pull request has nothing left to propose.
fn is_left_over(open: &Proposal, snapshot: &Snapshot) -> bool {
    let PinState::Known { version: pinned, .. } = &snapshot.pin else { return false };
    let onwards = open.version.cmp_precedence(pinned).is_gt();
    !(onwards || (open.from_pin && snapshot.leads_to(&open.version)))
}

/// Keeps the open pull request current. It is rewritten only when its successor's evidence is
/// complete, and never moves down unless asked.
pub(super) fn tend(
    open: &Proposal,
    target: Option<(&Candidate, bool)>,
    pinned: &Version,
    snapshot: &Snapshot,
    board: &mut Board,
) {
    let left_over = is_left_over(open, snapshot);
    if left_over && open.ours {
        let why = format!("the pin is at {pinned} already");
        board.due.push(Intent::Close { pull: open.pull, why });
        return;
    }
    let successor = target.is_some_and(|(candidate, requested)| {
        let step = candidate.version.cmp_precedence(&open.version);
        step.is_gt() || (step.is_lt() && requested)
    });
    let void = void(open, snapshot).filter(|_| open.ours && !successor);
    if let Some(why) = void {
        board.due.push(Intent::Close { pull: open.pull, why });
        return;
    }
    let mut proposed = open.version.clone();
    if let Some((candidate, requested)) = target {
        let step = candidate.version.cmp_precedence(&open.version);
        let moves = step.is_gt() || (step.is_lt() && requested);
        let requested = requested || (step.is_eq() && open.requested);
        let due = moves || (step.is_eq() && !open.settled);
        if due && open.ours {
            board.due.push(Intent::Propose {
                kind: ProposalKind::PinBump,
                version: candidate.version.clone(),
                over: Some(open.pull),
                requested,
            });
            proposed = candidate.version.clone();
        } else if moves {
            let reason = format!("pull request {} has commits by a person: hands off", open.pull);
            board.set(&candidate.version, Stage::Held { reasons: vec![reason] });
        }
    }
    if left_over {
        return;
    }
    if let Some(why) = open.warning.clone().filter(|_| open.ours && proposed == open.version) {
        board.due.push(Intent::Warn { pull: open.pull, why });
    }
    let stage = Stage::Proposed { pull: open.pull, hands_off: !open.ours };
    if proposed == open.version {
        board.set(&open.version, stage);
    }
    cover(&proposed, snapshot, board);
}

/// Why what is proposed is nothing to be merged any more, if so.
fn void(open: &Proposal, snapshot: &Snapshot) -> Option<String> {
    let version = &open.version;
    let major = || {
        turned_out_major(open, snapshot).then(|| {
            format!(
                "{version} turned out to be a MAJOR, whatever its version says: its migration \
                 comes first"
            )
        })
    };
    open.end().or_else(major)
}

/// Whether what is proposed calls itself less than it is, and nobody asked for it knowing that: it
/// may have been proposed before its notes said so.
fn turned_out_major(open: &Proposal, snapshot: &Snapshot) -> bool {
    let candidate = snapshot.candidate(&open.version);
    let major = candidate.is_some_and(|candidate| {
        !candidate.understated.is_empty() && !snapshot.migration.has(&candidate.line())
    });
    major && !open.requested
}

/// What the open pull request contains, unless there is something else to be told of it.
fn cover(proposed: &Version, snapshot: &Snapshot, board: &mut Board) {
    for candidate in &snapshot.candidates {
        let contained = matches!(candidate.bump, Bump::Minor | Bump::Patch)
            && candidate.version.cmp_precedence(proposed).is_lt();
        let told = matches!(
            board.stages.get(&candidate.version),
            Some(Stage::Declined { .. } | Stage::Held { .. } | Stage::CanaryRunning { .. })
        );
        if contained && !told {
            board.set(&candidate.version, Stage::Covered { by: proposed.clone() });
        }
    }
}

/// Opens a pull request for the target, unless somebody else's is in the way.
pub(super) fn open_new(target: Option<(&Candidate, bool)>, snapshot: &Snapshot, board: &mut Board) {
    let Some((candidate, requested)) = target else {
        return;
    };
    let kind = ProposalKind::PinBump;
    let taken = |branch: &str| !branch.ends_with("-migration");
    if let Some((branch, pull)) = snapshot.foreign.iter().find(|(b, _)| taken(b.as_str())) {
        let reason = foreign_branch(branch, *pull);
        board.set(&candidate.version, Stage::Held { reasons: vec![reason] });
        return;
    }
    board.due.push(Intent::Propose {
        kind,
        version: candidate.version.clone(),
        over: None,
        requested,
    });
}
