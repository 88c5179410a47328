//! Whether what is pinned has to be left, and how far back: the one case in which an older release
//! may be proposed.

use super::{
    orders::ignored,
    snapshot::{Candidate, PinState, Snapshot},
    stage::Intent,
    stream::is_withdrawn,
};
use crate::domain::{
    Check, Finding, HowToAsk, IndexDigest, Memory, ProposalKind, PullState, Rules, Timestamp,
    Verdict, Version, Wish,
};
use std::time::Duration;

/// How often it is looked whether the signature of what is pinned still holds.
const LOOK_AGAIN: Duration = Duration::from_hours(24);

/// Why what is pinned has to be left, if it does: nobody can pull it any more, or nobody stands by
/// it. That its tag moved is no reason: a digest is pinned, and survives it.
pub(super) fn retreat(memory: &Memory, pin: &PinState, rules: &Rules) -> Option<String> {
    let PinState::Known { version, digest } = pin else { return None };
    if memory.pinned(digest).is_some_and(|facts| facts.platforms.is_none()) {
        return Some(format!("the registry does not serve the pinned digest of {version}"));
    }
    if is_withdrawn(version, memory, &rules.tags) {
        return Some(format!("upstream withdrew the pinned release {version}"));
    }
    unsigned(memory, version, digest)
}

/// That the pinned digest was signed, and is not any more.
fn unsigned(memory: &Memory, version: &Version, digest: &IndexDigest) -> Option<String> {
    let of_it = |found: &&Finding| {
        found.check == Check::Signature && found.version == *version && found.subject == *digest
    };
    let mut looks = memory.findings.iter().filter(of_it);
    let signed = looks.clone().any(|found| found.verdict == Verdict::Passed);
    let last = looks.rfind(|found| found.verdict != Verdict::Inconclusive)?;
    (signed && last.verdict == Verdict::Failed).then(|| {
        format!("the signature of the pinned {version} does not hold any more: {}", last.summary)
    })
}

/// That what is pinned has to be left, and what leads away from it.
pub(super) fn retreat_alarm(snapshot: &Snapshot, how: &HowToAsk) -> Option<String> {
    let why = snapshot.retreat.as_ref()?;
    let PinState::Known { version: pinned, .. } = &snapshot.pin else { return None };
    let open = snapshot.proposals.iter().rev().find(|p| {
        let bump = p.kind == ProposalKind::PinBump && p.state == PullState::Open;
        bump && p.version != *pinned
    });
    let older = snapshot.candidates.iter().find(|c| c.version.cmp_precedence(pinned).is_lt());
    let way = match (open, older) {
        (Some(open), _) => format!("pull request {} leads to {}", open.pull, open.version),
        (None, Some(older)) => format!(
            "{} asks for the way back, to this release or an older one",
            how.say(Wish::Bump, &older.version)
        ),
        (None, None) => "no other release is known".to_owned(),
    };
    Some(format!("what is pinned has to be left: {why}; {way}"))
}

/// Another look at the signature of what is pinned, where it once held and the last look is old.
pub(super) fn look_again(snapshot: &Snapshot, pinned: &Version, now: Timestamp) -> Option<Intent> {
    let PinState::Known { digest, .. } = &snapshot.pin else { return None };
    let candidate = snapshot.candidate(pinned).filter(|it| it.digest.as_ref() == Some(digest))?;
    let look = candidate.answers.get(&Check::Signature)?;
    let held = look.verdict == Verdict::Passed || snapshot.retreat.is_some();
    let old = look.at + LOOK_AGAIN <= now;
    (held && old).then(|| Intent::Check { version: pinned.clone(), check: Check::Signature })
}

impl Snapshot {
    /// Whether a pull request may lead to `version`: to a newer release, to the pinned one where
    /// sites disagree with it, and to an older one where what is pinned has to be left.
    pub(super) fn leads_to(&self, version: &Version) -> bool {
        let PinState::Known { version: pinned, .. } = &self.pin else { return false };
        match version.cmp_precedence(pinned) {
            std::cmp::Ordering::Greater => true,
            std::cmp::Ordering::Equal => self.drifted && version == pinned,
            std::cmp::Ordering::Less => self.retreat.is_some(),
        }
    }

    /// The older releases that the pin may be taken back to unasked, the newest first. One that a
    /// person declined is none, nor are those before it: whoever closes the pull request stays. One
    /// that is ignored is passed over as it is on the way onwards, and the next older one is taken.
    pub(super) fn way_back(&self) -> Vec<&Candidate> {
        let PinState::Known { version: pinned, .. } = &self.pin else { return Vec::new() };
        if self.retreat.is_none() || !self.reverses {
            return Vec::new();
        }
        let declined = |version: &Version| {
            self.proposals.iter().any(|p| {
                p.kind == ProposalKind::PinBump
                    && p.state == PullState::Closed
                    && p.from_pin
                    && version.cmp_precedence(&p.version).is_le()
            })
        };
        let older = self.candidates.iter().filter(|c| c.version.cmp_precedence(pinned).is_lt());
        older.filter(|c| !declined(&c.version) && ignored(c, self).is_none()).collect()
    }
}
