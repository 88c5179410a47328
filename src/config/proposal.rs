//! What proposals look like: from what is written to what is meant.

use super::{raw_proposal, resolve::Problems, types::is_workflow};
use crate::domain::{ChangesetRule, PackageBump, PackageName, PinSite, Presence, Rules};
use std::fmt::Write as _;

/// What else the tree depends on that the canary sees: another tree is another run.
pub(super) fn with_edits(
    mut rules: Rules,
    sites: &[PinSite],
    changeset: Option<&ChangesetRule>,
) -> Rules {
    if let Some(changeset) = changeset {
        let _ = write!(rules.canary, "\n{changeset:?}");
    }
    rules.workflow_sites =
        sites.iter().any(|site| is_workflow(&site.path) && site.presence != Presence::ByHand);
    for site in sites.iter().filter(|site| site.presence == Presence::ByHand) {
        let _ = write!(rules.canary, "\nby hand: {}", site.name);
    }
    rules
}

pub(super) fn changeset_rule(
    place: &str,
    raw: &raw_proposal::Changeset,
    problems: &mut Problems,
) -> Option<ChangesetRule> {
    if raw.packages.is_empty() {
        problems.add(&format!("{place}.packages"), "names no package");
    }
    let folder = problems.parse(&format!("{place}.folder"), &raw.folder);
    let packages = raw.packages.iter();
    let packages: Vec<Option<(PackageName, PackageBump)>> = packages
        .map(|(name, bump)| Some((problems.parse(&format!("{place}.packages"), name)?, *bump)))
        .collect();
    let packages: Option<_> = packages.into_iter().collect();
    Some(ChangesetRule { folder: folder?, packages: packages? })
}

pub(super) fn author(text: &str) -> Option<(String, String)> {
    let (name, rest) = text.split_once(" <")?;
    let email = rest.strip_suffix('>')?;
    let plain = |part: &str| !part.is_empty() && !part.contains(['<', '>', '\n']);
    (plain(name) && plain(email)).then(|| (name.to_owned(), email.to_owned()))
}
