//! What a pull request says of newer releases that it does not propose.

use super::plan::Workshop;
use crate::domain::{Check, Verdict, Version};
use crate::policy::Stage;
use crate::render::{release_line, understated_line};

/// Newer releases of the same stream that are held or waited for, or that call themselves less
/// than they are, each with the reason.
pub(super) fn passed_over(workshop: &Workshop<'_>, version: &Version) -> Vec<(Version, String)> {
    let snapshot = workshop.snapshot;
    let known = workshop.stages.iter();
    let known = known.filter_map(|(newer, stage)| Some((snapshot.candidate(newer)?, stage)));
    let newer = known.filter(|(newer, _)| {
        newer.version.major == version.major && newer.version.cmp_precedence(version).is_gt()
    });
    let told = newer.filter_map(|(newer, stage)| {
        let declared = snapshot.declared(&newer.version);
        let breaks = !newer.understated.is_empty() && !newer.line().is_met_by(version);
        let why = match stage {
            Stage::Held { .. } | Stage::Waiting { .. } => {
                let how = workshop.watch.downstream.how_to_ask();
                release_line(newer, declared, stage, &how, workshop.now)
            }
            _ if breaks => understated_line(newer, declared),
            _ => return None,
        };
        Some((newer.version.clone(), why))
    });
    let mut told: Vec<(Version, String)> = told.collect();
    // The oldest of them: whoever looks for the cause begins there.
    let breaks = |(newer, _): &&mut (Version, String)| {
        let answer = snapshot.candidate(newer).and_then(|it| it.answers.get(&Check::Canary));
        answer.is_some_and(|answer| answer.verdict == Verdict::Failed)
    };
    if let Some((_, why)) = told.iter_mut().rev().find(breaks) {
        why.insert_str(0, "the first at which the canary fails; ");
    }
    told
}
