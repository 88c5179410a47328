//! Versions of the npm package that are not what they were. npm promises that a version stays what
//! it is for ever; whoever depends on it by its name alone gets something else otherwise.

use super::{classify, snapshot::PinState};
use crate::domain::{Bump, Fact, FactKey, Memory, NpmDrift, Version};

/// What `facts`, which were read now, say of versions that are remembered otherwise.
///
/// A version that is not named at all says nothing: the document may be an older copy. A registry
/// that gives no integrity for one says nothing of it either.
#[must_use]
pub fn npm_drifts(memory: &Memory, facts: &[Fact]) -> Vec<Fact> {
    facts.iter().filter_map(|fact| drift(memory, fact)).map(Fact::NpmDrift).collect()
}

/// What became of the npm half of `version`, before and after, if it is not what it was.
#[must_use]
pub fn npm_drift_line(memory: &Memory, version: &Version) -> Option<String> {
    let (NpmDrift { before, since, after, .. }, seen) = memory.npm_drift(version)?;
    let before = before.as_deref().map_or("without integrity", beginning);
    Some(match after {
        None => format!(
            "npm has withdrawn {version}: from {since} on it was {before}, at {seen} it was gone"
        ),
        Some(after) => format!(
            "npm's {version} is not what it was: from {since} on it was {before}, at {seen} it was \
             {}",
            beginning(after)
        ),
    })
}

/// One line for each version that somebody has to look at. That a version older than the pin was
/// withdrawn is usual; that one was exchanged never is.
pub(super) fn npm_alarms(memory: &Memory, pin: &PinState) -> Vec<String> {
    let concerns = |drift: &&NpmDrift| match pin {
        PinState::Known { version, .. } if drift.after.is_none() => {
            drift.version == *version || classify(version, &drift.version) != Bump::None
        }
        PinState::Known { .. } | PinState::Unknown { .. } => true,
    };
    let mut versions: Vec<&Version> =
        memory.npm_drifts().filter(concerns).map(|drift| &drift.version).collect();
    versions.sort_by(|a, b| b.cmp(a));
    versions.into_iter().filter_map(|version| npm_drift_line(memory, version)).collect()
}

/// The beginning of an integrity, its algorithm apart. Foreign text.
fn beginning(integrity: &str) -> &str {
    const CHARS: usize = 8;
    let name = integrity.find('-').map_or(0, |at| at + 1);
    let end = integrity[name..].char_indices().nth(CHARS).map(|(at, _)| name + at);
    &integrity[..end.unwrap_or(integrity.len())]
}

fn drift(memory: &Memory, fact: &Fact) -> Option<NpmDrift> {
    let (version, after) = match fact {
        Fact::Npm(npm) => (&npm.version, Some(npm.integrity.clone()?)),
        Fact::NpmWithdrawn { version } => (version, None),
        _ => return None,
    };
    if let Some((known, _)) = memory.npm_drift(version) {
        // That it came back as it was does not undo that it was gone.
        let back = after == known.before;
        return (!back).then(|| NpmDrift { after, ..known.clone() });
    }
    let before = memory.npm(version)?.integrity.clone();
    let changed = match (&before, &after) {
        (Some(before), Some(after)) => before != after,
        (_, None) => true,
        (None, Some(_)) => false,
    };
    let key = FactKey { aspect: "npm", subject: version.to_string() };
    let since = memory.observations.get(&key)?.at;
    changed.then(|| NpmDrift { version: version.clone(), before, since, after })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{NpmFacts, Timestamp};

    fn npm(integrity: Option<&str>) -> Fact {
        Fact::Npm(NpmFacts {
            version: "1.0.0".parse().unwrap(),
            integrity: integrity.map(str::to_owned),
            git_head: None,
            product: None,
            published_at: None,
        })
    }

    fn withdrawn() -> Fact {
        Fact::NpmWithdrawn { version: "1.0.0".parse().unwrap() }
    }

    #[test]
    fn once_something_else_was_there_it_is_said_for_ever() {
        // What each look sees, and what is known of the drift after it: before, and after.
        let looks = [
            (withdrawn(), None),
            (npm(Some("a")), None),
            (npm(None), None),
            (npm(Some("a")), None),
            (npm(Some("b")), Some(("a", Some("b")))),
            (npm(Some("b")), Some(("a", Some("b")))),
            (withdrawn(), Some(("a", None))),
            (npm(Some("a")), Some(("a", None))),
            (npm(Some("c")), Some(("a", Some("c")))),
        ];
        let mut memory = Memory::default();
        for (hour, (fact, expected)) in (0..).zip(looks) {
            let now = Timestamp::from_millis(hour * 3_600_000);
            let mut facts = npm_drifts(&memory, std::slice::from_ref(&fact));
            facts.push(fact);
            for fact in facts {
                memory.observe(fact, now);
            }
            let version = "1.0.0".parse().unwrap();
            let known = memory.npm_drift(&version).map(|(known, _)| known);
            let said = known.map(|it| (it.before.as_deref().unwrap(), it.after.as_deref()));
            assert_eq!(said, expected, "look {hour}");
            assert!(known.is_none_or(|it| it.since.millis() == 3 * 3_600_000), "{known:?}");
        }
    }

    #[test]
    fn a_beginning_ends_between_characters() {
        assert_eq!(beginning("sha512-abcdefghij"), "sha512-abcdefgh");
        assert_eq!(beginning("1234"), "1234");
        assert_eq!(beginning("ééééééééé"), "éééééééé");
        assert_eq!(beginning(""), "");
    }

    #[test]
    fn an_old_version_that_is_withdrawn_alarms_nobody() {
        let digest = crate::domain::IndexDigest::new(crate::domain::Digest::of(b"x"));
        let pin = PinState::Known { version: "1.1.0".parse().unwrap(), digest };
        for (version, after, alarms) in [
            ("1.0.0", None, 0),
            ("1.0.0", Some("sha512-b"), 1),
            ("1.1.0", None, 1),
            ("1.2.0", None, 1),
        ] {
            let mut memory = Memory::default();
            let drift = NpmDrift {
                version: version.parse().unwrap(),
                before: Some("sha512-a".to_owned()),
                since: Timestamp::from_millis(0),
                after: after.map(str::to_owned),
            };
            memory.observe(Fact::NpmDrift(drift), Timestamp::from_millis(0));
            assert_eq!(npm_alarms(&memory, &pin).len(), alarms, "{version} {after:?}");
        }
    }

    #[test]
    fn a_version_without_integrity_can_only_vanish() {
        let mut memory = Memory::default();
        memory.observe(npm(None), Timestamp::from_millis(0));
        assert_eq!(npm_drifts(&memory, &[npm(Some("a"))]), []);
        assert_eq!(npm_drifts(&memory, &[]), [], "an older copy of the document");
        assert_eq!(npm_drifts(&memory, &[withdrawn()]).len(), 1);
    }
}
