//! Why a release is a MAJOR whatever its version says, and what the notes of releases were read to
//! break.

use super::{BreakingNote, Version};
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Why a release is treated as a MAJOR though its version says less.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Break {
    /// The release that broke it; every later one of its major contains the break.
    pub since: Version,
    /// What it is, for a maintainer. May quote foreign text.
    pub why: String,
    /// What there is to migrate, for the rows of a migration's section.
    pub rows: Vec<BreakingNote>,
}

/// The breaks that notes name, by the tags of their releases. A pass decides dozens of times, and
/// notes may be of a megabyte: to read them anew each time was most of its work.
#[derive(Debug, Default)]
pub struct NamedBreaks(Mutex<BTreeMap<String, Option<Break>>>);

impl NamedBreaks {
    /// What `read` finds in the notes of `tag`, which is asked once for them.
    pub fn of(&self, tag: &str, read: impl FnOnce() -> Option<Break>) -> Option<Break> {
        if let Some(known) = self.lock().get(tag) {
            return known.clone();
        }
        let found = read();
        self.lock().insert(tag.to_owned(), found.clone());
        found
    }

    /// The notes of `tag` were edited.
    pub(super) fn forget(&self, tag: &str) {
        self.lock().remove(tag);
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Option<Break>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A copy of its own: two memories may come to know different notes of one release.
impl Clone for NamedBreaks {
    fn clone(&self) -> Self {
        Self(Mutex::new(self.lock().clone()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notes_are_read_once_until_they_are_edited() {
        let broken = |why: &str| {
            Some(Break { since: Version::new(3, 10, 0), why: why.to_owned(), rows: Vec::new() })
        };
        let breaks = NamedBreaks::default();
        assert_eq!(breaks.of("v3.10.0", || broken("a")), broken("a"));
        assert_eq!(breaks.of("v3.10.0", || panic!("it is known")), broken("a"));
        assert_eq!(breaks.of("v3.11.0", || None), None);
        assert_eq!(breaks.of("v3.11.0", || panic!("that there is none as well")), None);
        let other = breaks.clone();
        breaks.forget("v3.10.0");
        assert_eq!(breaks.of("v3.10.0", || broken("b")), broken("b"));
        assert_eq!(other.of("v3.10.0", || panic!("it is another's")), broken("a"));
    }
}
