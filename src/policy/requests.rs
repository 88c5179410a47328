//! What people asked for.

use super::{
    assess::{Assessment, assess},
    line::Line,
    orders::{ignored, refuses},
    snapshot::{Candidate, Migration, Proposal, Snapshot},
    stage::Intent,
};
use crate::domain::{
    Bump, Check, Platform, ProposalKind, Request, Timestamp, Verdict, Version, Wish,
};

/// The request that counts now. It outranks every release that was published before it, so that a
/// pull request that was moved down on request does not climb again by itself.
#[derive(Debug)]
pub(super) struct Standing<'a> {
    pub(super) request: &'a Request,
    pub(super) candidate: &'a Candidate,
    /// What its evidence says; `Ready` while its pull request is open.
    pub(super) assessment: Assessment,
}

impl<'a> Standing<'a> {
    /// Whether automatic proposals step back behind it: not while it waits, for one that waits
    /// never blocks another.
    pub(super) const fn outranks(&self) -> bool {
        match self.assessment {
            Assessment::Due(_) | Assessment::Running(_) | Assessment::Ready => true,
            Assessment::Waiting { .. } | Assessment::Held(_) => false,
        }
    }

    fn cutoff(&self) -> Cutoff<'a> {
        (self.request.at, &self.candidate.version)
    }
}

/// When a release was asked for, and which: what was out by then steps back behind it.
pub(super) type Cutoff<'a> = (Timestamp, &'a Version);

/// What automatic proposals step back behind. Where the request that counts now does not outrank
/// them, because it waits or is refused, it takes nothing from the one that was granted before.
pub(super) fn cutoff<'a>(
    standing: Option<&Standing<'a>>,
    snapshot: &'a Snapshot,
    open: Option<&Proposal>,
) -> Option<Cutoff<'a>> {
    match standing.filter(|standing| standing.outranks()) {
        Some(standing) => Some(standing.cutoff()),
        None => granted(snapshot, open).map(|standing| standing.cutoff()),
    }
}

/// Ends the requests that need no more work; returns the one that stands, if any.
pub(super) fn standing<'a>(
    snapshot: &'a Snapshot,
    pinned: &Version,
    open: Option<&Proposal>,
    now: Timestamp,
    due: &mut Vec<Intent>,
) -> Option<Standing<'a>> {
    let bumps = snapshot.requests.iter().filter(|request| request.wish == Wish::Bump);
    let mut wishes = bumps.filter(|request| request.outcome.is_none()).rev();
    let Some(newest) = wishes.next() else {
        return granted(snapshot, open);
    };
    for older in wishes {
        let answer = format!("a later request, {}, took its place", newest.id);
        due.push(Intent::Answer { request: older.id, granted: false, answer });
    }
    match examine(snapshot, newest, pinned, open, now) {
        Ok(standing) => Some(standing),
        Err((granted, answer)) => {
            due.push(Intent::Answer { request: newest.id, granted, answer });
            // From its first moment on, or the pull request would climb again before the answer
            // is even recorded.
            met(snapshot, newest, open.filter(|_| granted))
        }
    }
}

/// A wish that its own pull request has just met.
fn met<'a>(
    snapshot: &'a Snapshot,
    request: &'a Request,
    open: Option<&Proposal>,
) -> Option<Standing<'a>> {
    open.filter(|open| open.requested && open.version == request.version)?;
    let candidate = snapshot
        .candidates
        .iter()
        .find(|c| c.version == request.version && snapshot.leads_to(&c.version))?;
    Some(Standing { request, candidate, assessment: Assessment::Ready })
}

/// The open request with its candidate, or its end: whether it is granted, and the answer.
fn examine<'a>(
    snapshot: &'a Snapshot,
    request: &'a Request,
    pinned: &Version,
    open: Option<&Proposal>,
    now: Timestamp,
) -> Result<Standing<'a>, (bool, String)> {
    let wanted = &request.version;
    if let Some(why) = refuses(snapshot) {
        return Err((false, why));
    }
    if wanted == pinned && !snapshot.leads_to(wanted) {
        return Err((true, format!("the pin is at {pinned} already")));
    }
    if wanted == pinned && snapshot.by_checks {
        let answer = "the downstream's own checks are the canary, and have nothing to compare with \
                      here: `digest-bump pin --tree` brings the pin sites in line in a checkout";
        return Err((false, answer.to_owned()));
    }
    if !snapshot.leads_to(wanted) {
        let answer = format!(
            "the pin is at {pinned}, and a downgrade is only proposed where that has to be left"
        );
        return Err((false, answer));
    }
    let candidate = snapshot
        .candidates
        .iter()
        .find(|candidate| candidate.version == *wanted)
        .ok_or_else(|| (false, unknown(snapshot, wanted)))?;
    // Only by an order that came later: who asks after one is heard against it.
    if let Some(why) = ignored(candidate, snapshot) {
        return Err((false, format!("{why}, after this was asked for")));
    }
    if let Some(open) = open {
        if !open.ours {
            let answer = format!("pull request {} has commits by a person: hands off", open.pull);
            return Err((false, answer));
        }
        if open.version == *wanted && open.settled {
            return Err((true, format!("pull request {} proposes it", open.pull)));
        }
    }
    let assessment = match unmigrated(snapshot, candidate) {
        Some(why) => Assessment::Waiting { until: None, why },
        None => assess(candidate, ProposalKind::PinBump, snapshot, now),
    };
    match assessment {
        Assessment::Held(mut reasons) => {
            reasons.extend(promised_no_more(candidate));
            Err((false, reasons.join("; ")))
        }
        assessment => Ok(Standing { request, candidate, assessment }),
    }
}

pub(super) fn unknown(snapshot: &Snapshot, wanted: &Version) -> String {
    let ignored = snapshot.ignored.iter().find(|ignored| {
        ignored.tag.strip_prefix('v').unwrap_or(&ignored.tag) == wanted.to_string()
    });
    match ignored {
        Some(ignored) => format!("release {} is ignored: {}", ignored.tag, ignored.why),
        None => format!("there is no release {wanted}"),
    }
}

/// Why a MAJOR cannot be pinned yet: its migration comes first.
fn unmigrated(snapshot: &Snapshot, candidate: &Candidate) -> Option<String> {
    if candidate.bump != Bump::Major {
        return None;
    }
    let line = candidate.line();
    match &snapshot.migration {
        Migration::Unset => None,
        // What cannot be read says of no line that it is migrated.
        Migration::Faulty(fault) => Some(fault.clone()),
        Migration::Ready { .. } => (!snapshot.migration.has(&line)).then(|| {
            let to = match line {
                Line::Major(major) => format!("{major}.x"),
                Line::Since(since) => since.to_string(),
            };
            format!("the migration to {to} has to be merged into the migration document first")
        }),
    }
}

/// What there is to do about a promised platform that is lost for good.
fn promised_no_more(candidate: &Candidate) -> impl Iterator<Item = String> + use<'_> {
    let own = std::iter::once((&candidate.answers, &candidate.lost, None));
    let companions = candidate.companions.iter();
    let companions = companions.map(|it| (&it.answers, &it.lost, Some(it.image.short())));
    own.chain(companions).filter_map(|(answers, lost, name)| {
        let failed = answers.get(&Check::Platforms)?.verdict == Verdict::Failed;
        let lost = Platform::list(lost);
        let promise = match name {
            None => "`upstream.platforms`".to_owned(),
            Some(name) => format!("the `platforms` of {name}"),
        };
        (failed && !lost.is_empty()).then(|| {
            format!(
                "once nothing needs {lost} any more, take it out of {promise} in the bot's config, \
                 and ask again"
            )
        })
    })
}

/// A request that was granted stands as long as its pull request is open.
fn granted<'a>(snapshot: &'a Snapshot, open: Option<&Proposal>) -> Option<Standing<'a>> {
    let open = open?;
    let request = snapshot.requests.iter().rev().find(|request| {
        request.wish == Wish::Bump
            && request.version == open.version
            && request.outcome.as_ref().is_some_and(|outcome| outcome.granted)
    })?;
    met(snapshot, request, Some(open))
}
