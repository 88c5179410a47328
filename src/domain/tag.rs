//! What became of image tags after they were first resolved.

use super::{Digest, IndexDigest, Platform, Timestamp, Version};
use serde::{Deserialize, Serialize};

/// So many changes of one tag are kept, the first ones and the last. It moved: that is what counts.
const KEPT: usize = 10;

/// What the registry serves under the pinned digest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PinnedFacts {
    /// The pinned digest.
    pub digest: IndexDigest,
    /// The platforms of its index, in its order; none if it is a single platform's image. `None` if
    /// the registry serves the digest no longer.
    pub platforms: Option<Vec<Platform>>,
}

/// What the image tag of a version resolved to, from the first time on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TagFacts {
    /// The version whose tag it is.
    pub version: Version,
    /// What it first resolved to.
    pub first: Digest,
    /// When.
    pub first_seen: Timestamp,
    /// Each change since, oldest first. Any is drift: the tag of a release is for ever.
    pub changes: Vec<TagChange>,
}

/// A tag that was seen to give something else than before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TagChange {
    /// What it gave then; `None` if it was gone.
    pub to: Option<Digest>,
    /// When that was first seen.
    pub at: Timestamp,
}

impl TagFacts {
    /// A tag that was resolved for the first time.
    #[must_use]
    pub const fn new(version: Version, first: Digest, first_seen: Timestamp) -> Self {
        Self { version, first, first_seen, changes: Vec::new() }
    }

    /// What it gave the last time; `None` if it was gone.
    #[must_use]
    pub fn last(&self) -> Option<&Digest> {
        self.changes.last().map_or(Some(&self.first), |change| change.to.as_ref())
    }

    /// Whether it ever led to other bytes. One that was only gone may come back as it was.
    #[must_use]
    pub fn moved(&self) -> bool {
        let other = |change: &TagChange| change.to.as_ref().is_some_and(|to| *to != self.first);
        self.changes.iter().any(other)
    }

    /// The same tag, after it gave `to` (`None`: it was gone).
    ///
    /// A tag that comes back to what it was, and led nowhere else meanwhile, is as if it had never
    /// been gone: registries lose what they have for a while. One that moved has moved for ever.
    #[must_use]
    pub fn then(mut self, to: Option<&Digest>, at: Timestamp) -> Self {
        if self.last() == to {
            return self;
        }
        if to == Some(&self.first) && !self.moved() {
            self.changes.clear();
            return self;
        }
        self.changes.truncate(KEPT - 1);
        self.changes.push(TagChange { to: to.cloned(), at });
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digest(name: char) -> Digest {
        Digest::of(name.to_string().as_bytes())
    }

    /// What is kept of a tag that first gave `a`, after it gave each of `seen` (`-` is gone).
    fn after(seen: &str) -> TagFacts {
        let version = Version::new(3, 10, 0);
        let mut tag = TagFacts::new(version, digest('a'), Timestamp::from_millis(0));
        for (minute, to) in (1_i64..).zip(seen.chars()) {
            let to = (to != '-').then(|| digest(to));
            tag = tag.then(to.as_ref(), Timestamp::from_millis(minute * 60_000));
        }
        tag
    }

    /// The changes as they were told to [`after`], with their minutes.
    fn told(tag: &TagFacts) -> String {
        let name = |digest_of: &Digest| ('a'..='z').find(|name| digest(*name) == *digest_of);
        let told = tag.changes.iter().map(|change| {
            let to = change.to.as_ref().and_then(name).unwrap_or('-');
            format!("{to}{}", change.at.millis() / 60_000)
        });
        told.collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn what_moved_has_moved_for_ever_and_what_was_only_gone_may_come_back() {
        for (seen, changes, moved) in [
            ("", "", false),
            ("aaa", "", false),
            ("ab", "b2", true),
            ("bbb", "b1", true),
            ("aba", "b2 a3", true),
            ("baba", "b1 a2 b3 a4", true),
            ("bc", "b1 c2", true),
            ("a-", "-2", false),
            ("--", "-1", false),
            ("-a", "", false),
            ("-aa-", "-4", false),
            ("-b", "-1 b2", true),
            ("-ba", "-1 b2 a3", true),
            ("b-", "b1 -2", true),
            ("b-a", "b1 -2 a3", true),
            ("bcdefghijklmn", "b1 c2 d3 e4 f5 g6 h7 i8 j9 n13", true),
        ] {
            let tag = after(seen);
            assert_eq!((told(&tag).as_str(), tag.moved()), (changes, moved), "{seen}");
            let last = seen.chars().last().unwrap_or('a');
            assert_eq!(tag.last(), (last != '-').then(|| digest(last)).as_ref(), "{seen}");
        }
    }
}
