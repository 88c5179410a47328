//! Versions of the npm package that are not what they were. npm promises that a version stays what
//! it is for ever; whoever depends on it by its name alone gets something else otherwise.

use crate::domain::{Fact, FactKey, Memory, NpmDrift};

/// What `facts`, which were read now, say of versions that are remembered otherwise.
///
/// A version that is not named at all says nothing: the document may be an older copy. A registry
/// that gives no integrity for one says nothing of it either.
#[must_use]
pub fn npm_drifts(memory: &Memory, facts: &[Fact]) -> Vec<Fact> {
    facts.iter().filter_map(|fact| drift(memory, fact)).map(Fact::NpmDrift).collect()
}

fn drift(memory: &Memory, fact: &Fact) -> Option<NpmDrift> {
    let (version, after) = match fact {
        Fact::Npm(npm) => (&npm.version, Some(npm.integrity.clone()?)),
        Fact::NpmWithdrawn { version } => (version, None),
        _ => return None,
    };
    if let Some((known, _)) = memory.npm_drift(version) {
        // That it came back as it was does not undo that it was gone.
        let back = after.is_some() && after == known.before;
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
    fn a_version_without_integrity_can_only_vanish() {
        let mut memory = Memory::default();
        memory.observe(npm(None), Timestamp::from_millis(0));
        assert_eq!(npm_drifts(&memory, &[npm(Some("a"))]), []);
        assert_eq!(npm_drifts(&memory, &[]), [], "an older copy of the document");
        assert_eq!(npm_drifts(&memory, &[withdrawn()]).len(), 1);
    }
}
