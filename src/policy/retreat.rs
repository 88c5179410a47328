//! Whether what is pinned has to be left, and how far back: the one case in which an older release
//! may be proposed.

use super::{
    orders::ignored,
    required::inputs_of,
    snapshot::{Candidate, PinState, Snapshot},
    stage::Intent,
    stream::is_withdrawn,
};
use crate::domain::{
    Check, Finding, HowToAsk, IndexDigest, Memory, ProposalKind, PullState, Rules,
    SignatureOutcome, Timestamp, Verdict, Version, Wish,
};
use std::time::Duration;

/// How often it is looked whether the signature of what is pinned still holds.
const LOOK_AGAIN: Duration = Duration::from_hours(24);
/// How soon after a look that found out nothing.
const LOOK_SOON: Duration = Duration::from_hours(1);

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
    unsigned(memory, version, digest, rules)
}

/// That the pinned digest was signed, and is not any more. What was found by another rule than the
/// config's of today says nothing.
fn unsigned(
    memory: &Memory,
    version: &Version,
    digest: &IndexDigest,
    rules: &Rules,
) -> Option<String> {
    let looks = SignatureLooks::of(memory, version, digest, rules)?;
    let last = looks.current().rfind(|found| found.verdict != Verdict::Inconclusive)?;
    (looks.held() && last.verdict == Verdict::Failed).then(|| {
        format!("the signature of the pinned {version} does not hold any more: {}", last.summary)
    })
}

/// When it is looked again whether the signature of what is pinned holds; `None` if it never did, or
/// if nobody looks at signatures.
pub(super) fn next_look(memory: &Memory, pin: &PinState, rules: &Rules) -> Option<Timestamp> {
    let PinState::Known { version, digest } = pin else { return None };
    let looks = SignatureLooks::of(memory, version, digest, rules).filter(SignatureLooks::held)?;
    match looks.current().next_back() {
        Some(last) if last.verdict == Verdict::Inconclusive => Some(last.at + LOOK_SOON),
        Some(last) => Some(last.at + LOOK_AGAIN),
        // The rule is another one since: at once.
        None => looks.all.last().map(|last| last.at),
    }
}

/// The looks at the signature of one digest.
struct SignatureLooks<'a> {
    /// By whatever rule, the oldest first.
    all: Vec<&'a Finding>,
    /// What the rule of today makes the inputs of a finding.
    inputs: String,
}

impl<'a> SignatureLooks<'a> {
    /// `None` if nobody looks at signatures.
    fn of(
        memory: &'a Memory,
        version: &Version,
        digest: &IndexDigest,
        rules: &Rules,
    ) -> Option<Self> {
        rules.signature.as_ref()?;
        let of_it = |found: &&Finding| {
            found.check == Check::Signature && found.version == *version && found.subject == *digest
        };
        Some(Self {
            all: memory.findings.iter().filter(of_it).collect(),
            inputs: inputs_of(Check::Signature, version, rules, memory, None),
        })
    }

    /// Those by the rule of today.
    fn current(&self) -> impl DoubleEndedIterator<Item = &'a Finding> {
        self.all.iter().copied().filter(|found| found.inputs == self.inputs)
    }

    /// Whether it was ever seen to be signed as it has to be. That none is needed is no signature.
    fn held(&self) -> bool {
        self.all.iter().any(|found| {
            found.verdict == Verdict::Passed
                && found.signature_outcome() != Some(SignatureOutcome::NotRequired)
        })
    }
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

/// Another look at the signature of what is pinned, if it is time for one.
pub(super) fn look_again(snapshot: &Snapshot, pinned: &Version, now: Timestamp) -> Option<Intent> {
    let PinState::Known { digest, .. } = &snapshot.pin else { return None };
    let candidate = snapshot.candidate(pinned).filter(|it| it.digest.as_ref() == Some(digest))?;
    let version = candidate.version.clone();
    let due = snapshot.next_look.is_some_and(|at| at <= now);
    due.then_some(Intent::Check { version, check: Check::Signature })
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
