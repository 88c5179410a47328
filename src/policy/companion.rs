//! The companion images of a candidate: what they ask for, and what keeps it waiting.

use super::{
    assemble::{View, answers, look, unavailable},
    assess::{Artifacts, Assessment, ask_again, look_again, worth_another_look},
    honesty::Doubts,
    required::{companion_checks, inputs_of, required_checks},
    snapshot::{Answer, Candidate, Companion, Snapshot},
    stage::Intent,
};
use crate::domain::{Bump, CompanionRule, Look, ProposalKind, ReleaseFacts, Verdict, Version};

/// The companions of a release above the pin.
pub(super) fn companions(
    view: View<'_>,
    doubts: &Doubts<'_>,
    release: &ReleaseFacts,
    version: &Version,
    bump: Bump,
) -> Vec<Companion> {
    let of_one = |rule: &CompanionRule| {
        let mut memory = view.memory.of_companion(&rule.image, &release.tag);
        memory.requests.clone_from(&view.memory.requests);
        let rules = view.rules.for_companion(rule);
        let view = View { memory: &memory, rules: &rules, image: &rule.image, ..view };
        let named = view.sites.iter().any(|site| site.companion.as_ref() == Some(&rule.image));
        // One that is known not to be there is not waited for.
        let needed = named && rules.known_issues.missing(version).is_none();
        let absent = || memory.no_image(version).is_some_and(|(look, ..)| *look == Look::Absent);
        let digest = memory.image(version).map(|image| image.digest.clone());
        let inputs = |check| inputs_of(check, version, &rules, &memory, None);
        let answers = digest.as_ref().map(|digest| answers(view, version, digest, inputs));
        Companion {
            image: rule.image.clone(),
            version: version.clone(),
            needed,
            asked: companion_checks(&rules),
            lost: doubts.lost_of(&rule.image, version),
            digest,
            // Where no site names it, nothing depends on whether it comes later.
            look: if !needed && absent() { Some(Look::Absent) } else { look(view, version) },
            unavailable: unavailable(view, version),
            answers: answers.unwrap_or_default(),
        }
    };
    view.rules.companions.iter().filter(|_| bump != Bump::None).map(of_one).collect()
}

/// What the companion images ask for, all together.
#[derive(Debug, Default)]
pub(super) struct Beside {
    pub(super) due: Vec<Intent>,
    pub(super) held: Vec<String>,
    pub(super) waiting: Option<Assessment>,
}

/// What the companion images of a candidate ask for. A stub moves no pin, so it only looks at those
/// that make it one: what they are said to have lost has to be theirs.
pub(super) fn beside(
    candidate: &Candidate,
    kind: ProposalKind,
    snapshot: &Snapshot,
    artifacts: &Artifacts,
) -> Beside {
    let mut beside = Beside::default();
    let looked_at = |it: &&Companion| kind == ProposalKind::PinBump || !it.lost.is_empty();
    for companion in candidate.companions.iter().filter(looked_at) {
        let name = companion.image.short();
        match of_companion(companion, kind, snapshot, artifacts) {
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
    kind: ProposalKind,
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
    let answers = || {
        let required = required_checks(kind, &companion.asked);
        required.map(|check| (check, companion.answers.get(&check)))
    };
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
