//! What a proposal changes, what it repairs, what it leaves for a person, and what a merge releases.

use super::notes::{brief, item};
use crate::domain::{Changeset, Releases, releases};
use crate::edit::{PinDrift, SiteLine, SiteOutcome, cell};
use std::fmt::Write as _;

/// More than these of a kind are counted.
const MAX_LINES: usize = 60;

/// Everything that the section about the changes says.
#[derive(Debug, Clone, Copy)]
pub struct Changes<'a> {
    /// What happens to each site.
    pub sites: &'a [SiteLine],
    /// The files that a tool of the downstream's own added to the edit.
    pub prepared: &'a [String],
    /// The changeset, if the downstream wants one.
    pub changeset: Option<&'a Changeset>,
    /// Sites that disagreed with the pin before the edit.
    pub drift: &'a [PinDrift],
    /// What the bot cannot do itself, one sentence fragment each. May quote foreign text.
    pub left: &'a [String],
}

/// What is left for a person, short: what else there is to say of it stands in the section.
pub(super) fn points(changes: &Changes<'_>) -> impl Iterator<Item = String> {
    changes.left.iter().map(|left| brief(left.split_once(": ").map_or(left, |(what, _)| what)))
}

/// The section.
pub(super) fn section(changes: &Changes<'_>) -> String {
    let mut out = String::from("### Changed files, in lockstep\n");
    for line in lines(changes) {
        let _ = write!(out, "\n{line}");
    }
    let quiet: Vec<String> = changes
        .sites
        .iter()
        .filter(|line| !matches!(line.outcome, SiteOutcome::Edited { .. }))
        .map(|line| cell(&line.to_string()))
        .collect();
    if !quiet.is_empty() {
        let _ = write!(out, "\n\nLeft alone: {}.", quiet.join("; "));
    }
    if !changes.left.is_empty() {
        let left = changes.left.iter().map(|left| item(&brief(left)));
        let _ = write!(out, "\n\nLeft for a person:\n\n{}", left.collect::<Vec<_>>().join("\n"));
    }
    out
}

fn lines(changes: &Changes<'_>) -> Vec<String> {
    let edited =
        changes.sites.iter().filter(|line| matches!(line.outcome, SiteOutcome::Edited { .. }));
    let sites = edited.map(|line| {
        let drifted = |it: &&PinDrift| it.site == line.site && it.path == line.path;
        let repaired = changes.drift.iter().find(drifted).map_or("", |_| ", drift repaired");
        format!("- {}{repaired}", cell(&line.to_string()))
    });
    let prepared = changes.prepared.iter();
    let prepared = prepared
        .map(|path| item(&format!("{}: as the downstream's own tool writes it", cell(path))));
    let changeset =
        changes.changeset.map(|it| format!("- {}: a new changeset", cell(it.path.as_str())));
    let mut lines: Vec<String> = sites.chain(prepared).chain(changeset).collect();
    if let Some(more @ 1..) = lines.len().checked_sub(MAX_LINES) {
        lines.truncate(MAX_LINES);
        lines.push(format!("- and {more} more"));
    }
    lines
}

/// What merging releases downstream: that is the changeset's word, or else the title's.
pub(super) fn what_a_merge_releases(title: &str, changeset: Option<&Changeset>) -> String {
    if let Some(changeset) = changeset {
        let packages = changeset.packages.iter();
        let packages: Vec<String> = packages
            .map(|(name, bump)| format!("{} ({bump})", cell(&format!("`{name}`"))))
            .collect();
        return format!("Merging this releases what its changeset says: {}.", packages.join(", "));
    }
    let Some((kind, released)) = releases(title) else {
        return "The title has no type such as `chore` or `fix`, so it does not say what merging \
                this releases downstream."
            .to_owned();
    };
    let other = match released {
        Releases::Nothing => "`fix` would release a patch",
        Releases::Patch | Releases::Minor | Releases::Major => "`chore` would release nothing",
    };
    format!(
        "Merging this under its title releases {released} downstream, by the usual meaning of the \
         type `{kind}`; {other}."
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::PackageBump;

    #[test]
    fn what_is_left_is_named_in_short() {
        let left = ["the lockfile: the bot has no tool", "`a.md:3`, where x still stands"];
        let left = left.map(str::to_owned);
        let changes =
            Changes { sites: &[], prepared: &[], changeset: None, drift: &[], left: &left };
        let points: Vec<String> = points(&changes).collect();
        assert_eq!(points, ["the lockfile", "`a.md:3`, where x still stands"]);
    }

    #[test]
    fn what_a_merge_releases_is_the_changesets_word_or_the_titles() {
        let changeset = Changeset {
            path: ".changeset/digest-bump-connector-3.10.0.md".parse().unwrap(),
            packages: [("@o/town".parse().unwrap(), PackageBump::Patch)].into(),
            summary: String::new(),
        };
        let told = [
            what_a_merge_releases("chore(connector): bump", None),
            what_a_merge_releases("fix(townhouse): bump", None),
            what_a_merge_releases("feat!: bump", None),
            what_a_merge_releases("bump", None),
            what_a_merge_releases("chore: bump", Some(&changeset)),
        ];
        insta::assert_snapshot!(told.join("\n"), @"
        Merging this under its title releases nothing downstream, by the usual meaning of the type `chore`; `fix` would release a patch.
        Merging this under its title releases a patch downstream, by the usual meaning of the type `fix`; `chore` would release nothing.
        Merging this under its title releases a MAJOR downstream, by the usual meaning of the type `feat`; `chore` would release nothing.
        The title has no type such as `chore` or `fix`, so it does not say what merging this releases downstream.
        Merging this releases what its changeset says: `@o/town` (patch).
        ");
    }
}
