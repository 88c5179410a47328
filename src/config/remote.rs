//! The downstream's own checks as the canary: from what is written to what is meant.

use super::{
    duration,
    raw_canary::{Executor, Raw},
    resolve::Problems,
};
use crate::domain::{NamedChecks, OWN_CHECK};
use std::collections::BTreeSet;

/// How long the checks are waited for where nothing else is said.
const TIME_LIMIT: &str = "2h";

/// The named checks, if they are the canary.
pub(super) fn resolve(place: &str, raw: &Raw, problems: &mut Problems) -> Option<NamedChecks> {
    match raw.executor {
        Executor::Local => {
            let given = [
                ("checks", !raw.checks.is_empty()),
                ("time_limit", raw.time_limit.is_some()),
                ("sees_digest", raw.sees_digest),
            ];
            for (key, _) in given.into_iter().filter(|(_, given)| *given) {
                problems.add(&format!("{place}.{key}"), "is only for `executor = \"checks\"`");
            }
            None
        }
        Executor::Checks => named(place, raw, problems),
    }
}

fn named(place: &str, raw: &Raw, problems: &mut Problems) -> Option<NamedChecks> {
    if !raw.step.is_empty() {
        let text = "is not for `executor = \"checks\"`: the bot runs nothing itself";
        problems.add(&format!("{place}.step"), text);
    }
    if raw.prepare.is_some() {
        let text = "is not for `executor = \"checks\"`: the bot runs nothing itself";
        problems.add(&format!("{place}.prepare"), text);
    }
    let at = format!("{place}.checks");
    if raw.checks.is_empty() {
        problems.add(&at, "names no check");
    }
    if raw.checks.iter().any(|name| name.trim().is_empty()) {
        problems.add(&at, "has an empty name");
    }
    if raw.checks.iter().any(|name| name == OWN_CHECK) {
        problems.add(&at, format!("names `{OWN_CHECK}`, which is the bot's own"));
    }
    if raw.checks.iter().collect::<BTreeSet<_>>().len() < raw.checks.len() {
        problems.add(&at, "names a check twice");
    }
    let limit = duration::parse(raw.time_limit.as_deref().unwrap_or(TIME_LIMIT));
    let time_limit = problems.take(&format!("{place}.time_limit"), limit)?;
    Some(NamedChecks { names: raw.checks.clone(), time_limit, sees_digest: raw.sees_digest })
}
