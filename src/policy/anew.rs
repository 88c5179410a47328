//! Whose branch a pull request has, and people's wishes that it is made anew.

use super::{
    assess::{Assessment, assess},
    board::Board,
    orders::refuses,
    snapshot::{Notice, Proposal, Snapshot},
    stage::Intent,
};
use crate::domain::{
    CommitId, Effect, EffectState, Marker, Memory, PullFacts, PullState, Request, Saying,
    Timestamp, Version, Wish,
};

/// Whether the bot pushed the commit at the head: the intent is recorded before the ref moves.
pub(super) fn is_pushed(memory: &Memory, pull: &PullFacts, marker: &Marker) -> bool {
    pull.head == marker.commit
        || is_patched(memory, pull)
        || memory.effects.iter().any(|record| {
            matches!(&record.effect, Effect::PushBranch { branch, commit }
                if *branch == pull.branch && *commit == pull.head)
        })
}

/// Whether a person put exactly the patch on the branch that the bot asked for.
#[must_use]
pub fn is_patched(memory: &Memory, pull: &PullFacts) -> bool {
    let whole = pull.marker.as_ref().and_then(|marker| marker.whole.as_ref());
    whole.is_some() && memory.head_tree(&pull.head) == whole
}

/// Whether somebody who has seen them asked that the commits of people on the branch are given up.
pub(super) fn given_up(memory: &Memory, pull: &PullFacts, marker: &Marker) -> bool {
    wish(memory, &marker.version).is_some_and(|asked| gives_up(asked, pull))
}

fn gives_up(asked: &Request, pull: &PullFacts) -> bool {
    asked.wish == Wish::Recreate && asked.head.as_ref().is_none_or(|head| *head == pull.head)
}

/// Why what was asked for of a branch is not done: it is another one since.
#[must_use]
pub fn moved_since(then: &CommitId, now: &CommitId) -> String {
    format!(
        "the branch was at `{}` when this was said, and is at `{}` now: look at it, and say it again",
        then.short(),
        now.short()
    )
}

/// The wish that the pull request for `version` is made anew, if there is one without an answer. Of
/// two the one that goes further.
pub(super) fn wish<'a>(memory: &'a Memory, version: &Version) -> Option<&'a Request> {
    let asked = memory.requests.iter().filter(|asked| asked.wants_anew(version));
    asked.max_by_key(|asked| (asked.wish, asked.at))
}

/// Whether somebody asked that it is made anew, and it was not since.
pub(super) fn to_be_made_anew(memory: &Memory, pull: &PullFacts, marker: &Marker) -> bool {
    let made = pushed_at(memory, pull);
    wish(memory, &marker.version).is_some_and(|asked| made.is_none_or(|at| at < asked.at))
}

/// When the bot last pushed the commit at the head, if it remembers that.
pub(super) fn pushed_at(memory: &Memory, pull: &PullFacts) -> Option<Timestamp> {
    let pushes = memory.effects.iter().filter(|record| {
        matches!(&record.effect, Effect::PushBranch { branch, commit }
            if *branch == pull.branch && *commit == pull.head)
    });
    pushes.filter_map(|record| record.done_at).max()
}

/// What is to be said or marked of whose branch it is, and was not.
pub(super) fn notice(memory: &Memory, pull: &PullFacts, marker: &Marker) -> Option<Notice> {
    if pull.state != PullState::Open {
        return None;
    }
    let said = |says: &Saying| {
        memory.effects.iter().any(|record| {
            record.state == EffectState::Done
                && matches!(&record.effect, Effect::CommentPull { number, says: it, .. }
                    if *number == pull.number && it == says)
        })
    };
    if is_pushed(memory, pull, marker) {
        return is_labelled(memory, pull).then_some(Notice::TakeUp);
    }
    if let Some(asked) = wish(memory, &marker.version).filter(|it| gives_up(it, pull)) {
        let named = said(&Saying::GivenUp { head: pull.head.clone() });
        return (!named).then_some(Notice::GiveUp(asked.id));
    }
    let told = said(&hands_off(memory, pull, marker));
    (!told).then_some(Notice::StepBack)
}

/// What the bot says when a person works on the branch of this pull request.
#[must_use]
pub fn hands_off(memory: &Memory, pull: &PullFacts, marker: &Marker) -> Saying {
    let mut given_up = memory.effects.iter().rev().filter_map(|record| match &record.effect {
        Effect::CommentPull { number, says: Saying::GivenUp { head }, .. }
            if *number == pull.number =>
        {
            Some(head.clone())
        }
        _ => None,
    });
    Saying::HandsOff { since: marker.commit.clone(), after: given_up.next() }
}

/// Whether this open pull request is to be made anew on the base branch of today.
#[must_use]
pub fn is_made_anew(memory: &Memory, pull: &PullFacts) -> bool {
    let asked = |marker: &Marker| to_be_made_anew(memory, pull, marker);
    memory.conflict(&pull.head).is_some() || pull.marker.as_ref().is_some_and(asked)
}

/// Whether the bot put the label of a person's branch on it, and did not take it off again.
fn is_labelled(memory: &Memory, pull: &PullFacts) -> bool {
    let put = memory.effects.iter().filter_map(|record| match &record.effect {
        Effect::LabelPull { number, since: Some(since), .. } if *number == pull.number => {
            record.done_at.map(|_| since)
        }
        _ => None,
    });
    let taken_off = |of_it: &Saying| {
        memory.effects.iter().any(|record| {
            record.state == EffectState::Done
                && matches!(&record.effect, Effect::UnlabelPull { number, since, .. }
                    if *number == pull.number && since == of_it)
        })
    };
    put.into_iter().any(|since| !taken_off(since))
}

/// Says what is to be said of whose branches they are. Nothing is pushed over a person's commits
/// before they were named.
pub(super) fn say_whose(snapshot: &Snapshot, board: &mut Board) {
    for proposal in &snapshot.proposals {
        let pull = proposal.pull;
        match proposal.notice {
            None => {}
            Some(Notice::StepBack) => board.due.push(Intent::StepBack { pull }),
            Some(Notice::TakeUp) => board.due.push(Intent::TakeUp { pull }),
            Some(Notice::GiveUp(request)) => {
                let before = board.due.len();
                board.due.retain(|intent| !pushes_over(intent, proposal, snapshot));
                if board.due.len() < before {
                    board.due.push(Intent::GiveUp { pull, request });
                }
            }
        }
    }
}

/// Whether an intent moves the branch of this pull request.
fn pushes_over(intent: &Intent, proposal: &Proposal, snapshot: &Snapshot) -> bool {
    match intent {
        Intent::Propose { over, .. } => *over == Some(proposal.pull),
        Intent::StartCanary(_) => snapshot.by_checks && proposal.is_draft(),
        _ => false,
    }
}

/// Answers who asked that a pull request is made anew, and has what is missing for that found out.
pub(super) fn make_anew(snapshot: &Snapshot, now: Timestamp, board: &mut Board) {
    let open = |asked: &&Request| asked.wish.makes_anew() && asked.outcome.is_none();
    for asked in snapshot.requests.iter().filter(open) {
        match stands(asked, snapshot, now, board) {
            Stands::Waits(Assessment::Due(intents)) => board.due.extend(intents),
            Stands::Waits(Assessment::Running(running)) => board.wakes.push(running.wake),
            Stands::Waits(Assessment::Waiting { until, .. }) => board.wakes.extend(until),
            Stands::Waits(Assessment::Ready | Assessment::Held(_)) => {}
            Stands::Over { granted, answer } => board.answer(asked.id, granted, answer),
        }
    }
}

/// Where a wish stands.
enum Stands {
    /// There is something to be done or to be waited for.
    Waits(Assessment),
    /// It has its answer.
    Over { granted: bool, answer: String },
}

fn refused(answer: String) -> Stands {
    Stands::Over { granted: false, answer }
}

fn stands(asked: &Request, snapshot: &Snapshot, now: Timestamp, board: &Board) -> Stands {
    let version = &asked.version;
    if let Some(why) = refuses(snapshot) {
        return refused(why);
    }
    let of_it = |p: &&Proposal| p.version == *version && p.state == PullState::Open;
    let open = || snapshot.proposals.iter().rev().filter(of_it);
    // A draft beside a ready one only proves what that is made anew of.
    let ready = open().find(|p| !p.is_draft());
    let Some(proposal) = ready.or_else(|| open().next()) else {
        let mut since = snapshot.proposals.iter().rev();
        let newer = since
            .find(|p| p.state == PullState::Open && p.remade_at.is_some_and(|at| at >= asked.at));
        return match newer {
            Some(newer) => Stands::Over {
                granted: true,
                answer: format!("pull request {} was made anew, for {}", newer.pull, newer.version),
            },
            None => refused(format!("no open pull request proposes {version}")),
        };
    };
    let pull = proposal.pull;
    if let (false, Wish::Recreate, Some(head)) = (proposal.ours, asked.wish, &asked.head) {
        return refused(moved_since(head, &proposal.head));
    }
    if !proposal.ours {
        return refused(format!(
            "pull request {pull} has commits by a person: hands off; `recreate` gives them up"
        ));
    }
    if proposal.settled && proposal.remade_at.is_some_and(|at| at >= asked.at) {
        let answer = format!("pull request {pull} was made anew");
        return Stands::Over { granted: true, answer };
    }
    let made = |intent: &Intent| match intent {
        Intent::Propose { over, .. } => *over == Some(pull),
        Intent::GiveUp { pull: it, .. } | Intent::Close { pull: it, .. } => *it == pull,
        _ => false,
    };
    if board.due.iter().any(made) {
        return Stands::Waits(Assessment::Ready);
    }
    let Some(candidate) = snapshot.candidate(version) else {
        return refused(format!("{version} is no release of the stream any more"));
    };
    match assess(candidate, proposal.kind, snapshot, now) {
        Assessment::Held(reasons) => refused(reasons.join("; ")),
        assessment => Stands::Waits(assessment),
    }
}
