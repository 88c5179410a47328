//! What an App's token must be permitted for a write.

use super::{Ask, error};
use crate::wire::Answer;

/// The permissions one of which is needed to change something at a place below a repository; none
/// is listed where nothing particular is needed.
fn needed(rest: &[&str], is_pull: impl Fn(&str) -> bool) -> &'static [&'static str] {
    match rest {
        ["git" | "contents" | "releases" | "merges" | "branches", ..] => &["contents"],
        ["pulls", ..] => &["pull_requests"],
        ["issues", number, ..] if is_pull(number) => &["issues", "pull_requests"],
        ["issues", ..] => &["issues"],
        ["labels", ..] => &["issues", "pull_requests"],
        ["check-runs", ..] => &["checks"],
        ["actions", ..] => &["actions"],
        ["statuses", ..] => &["statuses"],
        _ => &[],
    }
}

/// Refuses a write that the App's token is not good for.
pub(super) fn refuse(ask: &Ask<'_>, rest: &[&str]) -> Option<Answer> {
    let is_pull = |number: &str| {
        let issue = number.parse().ok().and_then(|number| ask.repo_ref().issues.get(&number));
        issue.is_some_and(|issue| issue.pull.is_some())
    };
    refuse_without(ask, needed(rest, is_pull))
}

/// The same, where it is known what is needed.
pub(super) fn refuse_without(ask: &Ask<'_>, wanted: &[&str]) -> Option<Answer> {
    let grant = ask.grant.as_ref()?;
    if wanted.is_empty() || grant.allows(wanted, &ask.name) {
        return None;
    }
    let accepted: Vec<String> = wanted.iter().map(|name| format!("{name}=write")).collect();
    let refusal = error(403, "Resource not accessible by integration");
    Some(refusal.with("x-accepted-github-permissions", accepted.join("; ")))
}
