//! The companion images of a candidate: what they ask for, and what keeps it waiting.

use super::{
    assess::{Artifacts, Assessment, ask_again, look_again, worth_another_look},
    snapshot::{Answer, Candidate, Companion, Snapshot},
    stage::Intent,
};
use crate::domain::{Look, ProposalKind, Verdict};

/// What the companion images ask for, all together.
#[derive(Debug, Default)]
pub(super) struct Beside {
    pub(super) due: Vec<Intent>,
    pub(super) held: Vec<String>,
    pub(super) waiting: Option<Assessment>,
}

/// What the companion images of a candidate ask for. A stub moves no pin, so it does not look at
/// them.
pub(super) fn beside(
    candidate: &Candidate,
    kind: ProposalKind,
    snapshot: &Snapshot,
    artifacts: &Artifacts,
) -> Beside {
    let mut beside = Beside::default();
    for companion in candidate.companions.iter().filter(|_| kind == ProposalKind::PinBump) {
        let name = companion.image.short();
        match of_companion(companion, snapshot, artifacts) {
            Some(Assessment::Due(intents)) => {
                let wrap = |intent| Intent::Companion(companion.image.clone(), Box::new(intent));
                beside.due.extend(intents.into_iter().map(wrap));
            }
            Some(Assessment::Held(reasons)) => {
                beside.held.extend(reasons.iter().map(|why| format!("{name}: {why}")));
            }
            Some(Assessment::Waiting { until, why }) => {
                let why = format!("{name}: {why}");
                beside.waiting = beside.waiting.or(Some(Assessment::Waiting { until, why }));
            }
            // Only the watched image has a canary.
            None | Some(Assessment::Running(_) | Assessment::Ready) => {}
        }
    }
    beside
}

/// What one companion image asks for; `None` if nothing: it has passed, or the release has none.
fn of_companion(
    companion: &Companion,
    snapshot: &Snapshot,
    artifacts: &Artifacts,
) -> Option<Assessment> {
    let now = artifacts.now;
    let version = &companion.version;
    if companion.digest.is_none() {
        return match (&companion.look, &companion.unavailable) {
            (Some(Look::Absent), _) if !companion.needed || now >= artifacts.deadline => None,
            (Some(Look::Unavailable(_)) | None, Some(unavailable)) => {
                Some(look_again(version, companion.look.as_ref(), unavailable, snapshot, now))
            }
            (None, None) => Some(Assessment::Due(vec![Intent::Look(version.clone())])),
            (Some(look), _) => Some(artifacts.missing("its image", look)),
        };
    }
    let answers = || companion.asked.iter().map(|check| (*check, companion.answers.get(check)));
    let open = |answer: Option<&Answer>| {
        answer.is_none_or(|answer| worth_another_look(answer, snapshot, now))
    };
    let due = answers().filter(|(_, answer)| open(*answer));
    let due: Vec<Intent> =
        due.map(|(check, _)| Intent::Check { version: version.clone(), check }).collect();
    if !due.is_empty() {
        return Some(Assessment::Due(due));
    }
    let with = |verdict| {
        let given = answers().filter_map(|(check, answer)| Some((check, answer?)));
        given.filter(move |(_, answer)| answer.verdict == verdict)
    };
    let failed: Vec<String> =
        with(Verdict::Failed).map(|(_, answer)| answer.summary.clone()).collect();
    if !failed.is_empty() {
        return Some(Assessment::Held(failed));
    }
    ask_again(version, with(Verdict::Inconclusive), snapshot, now)
}
