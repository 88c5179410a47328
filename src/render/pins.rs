//! The table of what is pinned and what is proposed.

use super::{
    body::PinBump,
    notes::{brief, safe_url},
};
use crate::domain::{CommitId, Timestamp};
use std::{fmt::Write as _, time::Duration};

/// Where a release comes from, as far as it is known.
#[derive(Debug, Clone, Copy, Default)]
pub struct Source<'a> {
    /// Its git tag. Foreign text.
    pub tag: Option<&'a str>,
    /// The commit that the tag is on.
    pub commit: Option<&'a CommitId>,
    /// When it was published.
    pub published_at: Option<Timestamp>,
}

/// The table: version, digest, source and age, and the rows of the companion images.
pub(super) fn pins(bump: &PinBump<'_>) -> String {
    let (from, to) = (bump.from, bump.to);
    let mut out = String::from("| | pinned | proposed |\n| --- | --- | --- |\n");
    let link = format!("[{}]({})", to.version, safe_url(bump.release_url));
    let _ = writeln!(out, "| version | {} | {link} |", from.version);
    let _ = writeln!(out, "| index digest | `{}` | `{}` |", from.digest, to.digest);
    for companion in bump.companions {
        out.push_str(&companion.rows());
    }
    let compare = compare(bump).map(|link| format!(" ({link})")).unwrap_or_default();
    let (pinned, proposed) = (commit(bump.pinned_source), commit(bump.source));
    let _ = writeln!(out, "| source commit | {pinned} | {proposed}{compare} |");
    let day = |source: Source<'_>| source.published_at.map(|at| at.to_string()).unwrap_or_default();
    let _ = writeln!(out, "| published | {} | {} |", day(bump.pinned_source), day(bump.source));
    let (pinned, proposed) = (age(bump, bump.pinned_source), age(bump, bump.source));
    let _ = write!(out, "| age at the last check | {pinned} | {proposed} |");
    out
}

/// The commit, or the tag where nobody had to look it up.
fn commit(source: Source<'_>) -> String {
    match (source.commit, source.tag) {
        (Some(commit), _) => format!("`{}`", commit.short()),
        (None, Some(tag)) => brief(tag),
        (None, None) => String::new(),
    }
}

/// The link to upstream's page with all that is between the two tags. The release's own page says
/// where the repository is.
fn compare(bump: &PinBump<'_>) -> Option<String> {
    let (from, to) = (bump.pinned_source.tag?, bump.source.tag?);
    if from == to {
        return None;
    }
    // GitHub shows what the second has and the first has not: of a way back, nothing.
    let (text, first, second) =
        if bump.retreat.is_some() { ("what is lost", to, from) } else { ("compare", from, to) };
    let (repository, _) = bump.release_url.split_once("/releases/")?;
    let url = format!("{repository}/compare/{first}...{second}");
    (safe_url(&url) == url).then(|| format!("[{text}]({url})"))
}

/// How old a release was when the last of the evidence was found, not when this was written, and no
/// finer than a reader needs: what is written again after a crash has to be the same.
fn age(bump: &PinBump<'_>, source: Source<'_>) -> String {
    let own = bump.evidence.iter().chain(bump.companions.iter().flat_map(|it| &it.evidence));
    let seen = own.map(|line| line.at).max();
    let known = seen.zip(source.published_at);
    known.map(|(seen, at)| roughly(seen.since(at))).unwrap_or_default()
}

/// In whole days, or hours in the first two of them.
fn roughly(age: Duration) -> String {
    match age.as_secs() / 3_600 {
        0 => "less than 1 h".to_owned(),
        hours @ 1..48 => format!("{hours} h"),
        hours => format!("{} d", hours / 24),
    }
}
