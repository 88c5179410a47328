//! What goes on where a release is held because something could not be found out.

use super::{
    assess::{next_look, spent},
    snapshot::{Answer, Candidate, Snapshot},
};
use crate::domain::{Check, Timestamp, Verdict};

/// When the first of the checks that hold a release for want of an answer is asked again; `None` if
/// there is none, or nothing can change. `reasons` are what holds the release.
#[must_use]
pub fn asked_again(
    reasons: &[String],
    candidate: &Candidate,
    snapshot: &Snapshot,
) -> Option<Timestamp> {
    let own = candidate.answers.iter().filter(|(check, _)| **check != Check::Canary);
    let companions = candidate.companions.iter().flat_map(|companion| &companion.answers);
    let holding = own.chain(companions).filter(|(_, answer)| holds(answer, reasons));
    holding.filter_map(|(_, answer)| next_look(answer, snapshot)).min()
}

/// Whether a release is held because its canary found nothing out: it is run again when somebody
/// asks for that, and not by itself. Where the downstream's own checks are the canary nobody can.
#[must_use]
pub fn is_run_on_request(reasons: &[String], candidate: &Candidate, snapshot: &Snapshot) -> bool {
    let canary = candidate.answers.get(&Check::Canary);
    !snapshot.by_checks && canary.is_some_and(|answer| holds(answer, reasons))
}

/// Whether the want of this answer is among the reasons. Those of a companion image begin with its
/// name.
fn holds(answer: &Answer, reasons: &[String]) -> bool {
    let why = spent(answer);
    answer.verdict == Verdict::Inconclusive && reasons.iter().any(|it| it.ends_with(&why))
}
