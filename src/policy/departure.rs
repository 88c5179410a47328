//! Whether upstream left the contract: it goes on releasing, but nothing that the contract knows.
//! Each such release alone is only listed or held; that there is nothing else any more is an alarm.

use super::snapshot::{Candidate, Snapshot};
use crate::domain::{Bump, Check, Look, Timestamp, Verdict};

/// So many in a row are no accident.
const IN_A_ROW: usize = 3;
/// Where strangers have always been released between the others, so many times more of them than
/// ever before are.
const MORE_THAN_EVER: usize = 2;
/// How many are named.
const NAMED: usize = 3;

/// What a release is by the contract.
enum Standing {
    /// The contract knows it, as far as anybody looked.
    Known,
    /// It does not, and why.
    Stranger(String),
    /// It does not count: a draft, a pre-release, or one of which it is too early to tell.
    Neither,
}

/// That the newest releases are none that the contract knows, if so: since when, and which.
///
/// One pre-release or one late image is no departure. Nor is a second product that has always been
/// released beside this one, as long as the pauses of this one do not grow.
#[must_use]
pub fn departure(snapshot: &Snapshot, now: Timestamp) -> Option<String> {
    let ignored = snapshot.ignored.iter().map(|ignored| {
        let standing = if ignored.unfinished {
            Standing::Neither
        } else {
            Standing::Stranger(ignored.why.clone())
        };
        (ignored.published_at, ignored.tag.clone(), standing)
    });
    let candidates = snapshot.candidates.iter().map(|candidate| {
        let standing = standing(candidate, snapshot, now);
        (candidate.published_at, candidate.version.to_string(), standing)
    });
    let mut releases: Vec<(Timestamp, String, Standing)> = ignored.chain(candidates).collect();
    releases.sort_by(|a, b| (a.0, &a.1).cmp(&(b.0, &b.1)));
    let (mut row, mut longest) = (Vec::new(), 0);
    for (at, name, standing) in releases {
        match standing {
            Standing::Known => {
                longest = longest.max(row.len());
                row.clear();
            }
            Standing::Stranger(why) => row.push((at, format!("{name} ({why})"))),
            Standing::Neither => {}
        }
    }
    let (since, _) = row.first()?;
    (row.len() >= IN_A_ROW.max(longest * MORE_THAN_EVER)).then(|| {
        let newest: Vec<&str> = row.iter().rev().take(NAMED).map(|(_, name)| &**name).collect();
        let more = row.len() - newest.len();
        let more = if more == 0 { String::new() } else { format!(", and {more} more") };
        format!(
            "upstream left the contract: of its {} releases since {since} there is none that the \
             contract knows: {}{more}",
            row.len(),
            newest.join(", ")
        )
    })
}

fn standing(candidate: &Candidate, snapshot: &Snapshot, now: Timestamp) -> Standing {
    if candidate.bump == Bump::None {
        return Standing::Known;
    }
    let late = candidate.published_at + snapshot.artifact_deadline <= now;
    match (&candidate.digest, &candidate.look) {
        (None, Some(Look::Absent)) if late => {
            return Standing::Stranger("its image did not appear".to_owned());
        }
        (None, Some(Look::Unusable(why))) => return Standing::Stranger(why.clone()),
        (None, Some(_)) => return Standing::Neither,
        // Nobody looked: a newer one is proposed, or the policy does not ask for it.
        (None, None) | (Some(_), _) => {}
    }
    if !candidate.lost.is_empty() {
        let lost: Vec<String> = candidate.lost.iter().map(ToString::to_string).collect();
        let lost = lost.join(", ");
        return Standing::Stranger(format!("its image has no {lost}, which the pinned one has"));
    }
    let answers = [Check::Platforms, Check::Signature].map(|check| candidate.answers.get(&check));
    let answers = || answers.iter().copied().flatten();
    if let Some(failed) = answers().find(|answer| answer.verdict == Verdict::Failed) {
        return Standing::Stranger(failed.summary.clone());
    }
    if answers().any(|answer| answer.verdict == Verdict::Inconclusive) {
        return Standing::Neither;
    }
    Standing::Known
}
