//! MAJORs: one migration stub for each line, the pin untouched.

use super::{
    board::Board,
    chain::{Walk, walk},
    contract::Contract,
    line::Line,
    orders::ignored,
    snapshot::{Candidate, Companion, Migration, PinState, Proposal, Snapshot},
    stage::{Intent, Stage},
};
use crate::domain::{
    BranchName, Bump, Look, ProposalKind, PullNumber, PullState, Timestamp, Version,
};

/// The stages and intents of the MAJORs of one major version; `line` is newest first and not empty.
///
/// Those that call themselves less have the pin's own major. They too get one stub at a time: the
/// newest one's, which the older ones are part of; and another one once a later release breaks
/// more.
pub(super) fn stub_of_line<'a>(
    line: &[&'a Candidate],
    snapshot: &Snapshot,
    now: Timestamp,
) -> Walk<'a> {
    let mut told = Vec::new();
    let mut rest = Vec::new();
    for candidate in line {
        match stage_of(candidate, snapshot) {
            Some(stage) => told.push((candidate.version.clone(), stage)),
            None => rest.push(*candidate),
        }
    }
    let mut walk = stub_of_rest(&rest, snapshot, now);
    walk.due.extend(line.iter().filter_map(|candidate| rewritten(candidate, snapshot)));
    walk.stages.extend(told);
    walk
}

/// An open stub whose text is not the one that it should be, such as after another run of the
/// canary, which is part of its news.
fn rewritten(candidate: &Candidate, snapshot: &Snapshot) -> Option<Intent> {
    let (kind, version) = (ProposalKind::MigrationStub, &candidate.version);
    let stale = |p: &&Proposal| {
        p.kind == kind && p.version == *version && p.state == PullState::Open && !p.settled
    };
    let stub = snapshot.proposals.iter().rev().find(stale).filter(|stub| stub.ours)?;
    Some(Intent::Propose {
        kind,
        version: version.clone(),
        over: Some(stub.pull),
        requested: false,
    })
}

/// Where a release stands whose migration is proposed or done already, or is not needed.
fn stage_of(candidate: &Candidate, snapshot: &Snapshot) -> Option<Stage> {
    let line = candidate.line();
    let stubs = || {
        let stubs = snapshot.proposals.iter().filter(|p| p.kind == ProposalKind::MigrationStub);
        stubs.filter(|p| line.is_met_by(&p.version) && !is_left_behind(p))
    };
    // What is migrated once stays so, also while a later one that contains it is proposed.
    if stubs().any(|p| p.state == PullState::Merged) || snapshot.migration.has(&line) {
        return Some(Stage::Migrated);
    }
    if let Some(proposal) = stubs().next_back() {
        return Some(stage_by(proposal, &candidate.version));
    }
    if let Some(why) = ignored(candidate, snapshot) {
        return Some(Stage::Skipped { why });
    }
    let mended = snapshot.candidates.iter().find(|c| mends(c, candidate))?;
    let why = format!("{} is newer, and takes that back", mended.version);
    Some(Stage::Skipped { why })
}

/// Whether `newer` is known not to contain what `broken` breaks.
fn mends(newer: &Candidate, broken: &Candidate) -> bool {
    let honest = matches!(newer.bump, Bump::Minor | Bump::Patch);
    let looked_at =
        |it: &Companion| !it.needed || it.digest.is_some() || it.look == Some(Look::Absent);
    // What has no document takes nothing back, unless the broken one has none either: then it is not
    // the contract that it breaks.
    let compared = match &newer.contract {
        Contract::Compared | Contract::NotAsked => true,
        Contract::Unread => false,
        Contract::Uncompared(_) => matches!(broken.contract, Contract::Uncompared(_)),
    };
    let known = newer.digest.is_some() && compared && newer.companions.iter().all(looked_at);
    honest
        && known
        && !broken.understated.is_empty()
        && newer.version.cmp_precedence(&broken.version).is_gt()
}

fn stub_of_rest<'a>(rest: &[&'a Candidate], snapshot: &Snapshot, now: Timestamp) -> Walk<'a> {
    let all = |stage: &Stage| Walk {
        stages: rest.iter().map(|c| (c.version.clone(), stage.clone())).collect(),
        ..Walk::default()
    };
    let Some(first) = rest.first() else { return Walk::default() };
    if let Some(open) = open_before(first, snapshot) {
        let why = format!("the migration to {}, pull request {}, comes first", open.0, open.1);
        return all(&Stage::Waiting { until: None, why });
    }
    match &snapshot.migration {
        Migration::Unset => {
            let why = "a MAJOR needs a migration, and no migration document is configured";
            all(&Stage::Held { reasons: vec![why.to_owned()] })
        }
        Migration::Faulty(fault) => all(&Stage::Held { reasons: vec![fault.clone()] }),
        Migration::Ready { .. } => {
            let kind = ProposalKind::MigrationStub;
            let mut walk = walk(rest.iter().copied(), kind, snapshot, now, None);
            if let Some(target) = walk.target {
                let branch = format!("-{}-migration", target.line());
                let taken = |name: &BranchName| name.as_str().ends_with(&branch);
                if let Some((branch, pull)) = snapshot.foreign.iter().find(|(b, _)| taken(b)) {
                    let reason = foreign_branch(branch, *pull);
                    let held = Stage::Held { reasons: vec![reason] };
                    walk.stages.push((target.version.clone(), held));
                    return walk;
                }
                walk.due.push(Intent::Propose {
                    kind,
                    version: target.version.clone(),
                    over: left_behind(target, snapshot).map(|stub| stub.pull),
                    requested: false,
                });
            }
            walk
        }
    }
}

/// Whether it is an open stub of the bot's whose own release is none of the stream any more.
fn is_left_behind(proposal: &Proposal) -> bool {
    proposal.kind == ProposalKind::MigrationStub && proposal.ours && proposal.gone.is_some()
}

/// The stub that `candidate` takes over, because its own release is gone. Only of a whole major: the
/// branch of any other line is named after the release that broke it.
fn left_behind<'a>(candidate: &Candidate, snapshot: &'a Snapshot) -> Option<&'a Proposal> {
    let Line::Major(major) = candidate.line() else { return None };
    let mut stubs = snapshot.proposals.iter().rev().filter(|p| is_left_behind(p));
    stubs.find(|p| p.version.major == major)
}

/// Closes the stubs whose own release is gone, unless another one of the major takes the place over
/// or is looked into for that. After the stubs of all lines, while the board still says where each
/// MAJOR stands as one.
pub(super) fn close_left_behind(snapshot: &Snapshot, board: &mut Board) {
    for stub in snapshot.proposals.iter().filter(|p| is_left_behind(p)) {
        let pull = stub.pull;
        let takes_over = |candidate: &Candidate| {
            let stage = board.stages.get(&candidate.version);
            candidate.bump == Bump::Major
                && matches!(
                    stage,
                    Some(Stage::Checking | Stage::CanaryRunning { .. } | Stage::Ready)
                )
                && left_behind(candidate, snapshot).is_some_and(|it| it.pull == pull)
        };
        if snapshot.candidates.iter().any(takes_over) {
            continue;
        }
        board.due.extend(stub.end().map(|why| Intent::Close { pull, why }));
    }
}

/// The open stub of an older break above the pin, if `candidate` breaks more than that one.
fn open_before<'a>(
    candidate: &Candidate,
    snapshot: &'a Snapshot,
) -> Option<(&'a Version, PullNumber)> {
    let (Line::Since(since), PinState::Known { version: pinned, .. }) =
        (candidate.line(), &snapshot.pin)
    else {
        return None;
    };
    let open = snapshot.proposals.iter().rev().find(|p| {
        p.kind == ProposalKind::MigrationStub
            && p.state == PullState::Open
            && p.version.major == since.major
            && p.version.cmp_precedence(pinned).is_gt()
    })?;
    Some((&open.version, open.pull))
}

/// Why a branch of the bot cannot be used.
pub(super) fn foreign_branch(branch: &BranchName, pull: PullNumber) -> String {
    format!("pull request {pull} of somebody else uses the branch {branch}")
}

fn stage_by(proposal: &Proposal, version: &Version) -> Stage {
    match proposal.state {
        PullState::Merged => Stage::Migrated,
        PullState::Closed => Stage::Declined { pull: proposal.pull },
        PullState::Open if proposal.version == *version => {
            Stage::Proposed { pull: proposal.pull, hands_off: !proposal.ours }
        }
        PullState::Open => Stage::Covered { by: proposal.version.clone() },
    }
}
