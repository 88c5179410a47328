//! What the downstream pins of a companion image.

use crate::domain::{ImageName, IndexDigest, Memory, SiteState, Version};

/// The pin of a companion image: what its sites spell, and what is known besides. Neither is known
/// where no site names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CompanionPin {
    /// The image.
    pub image: ImageName,
    /// The version.
    pub version: Option<Version>,
    /// The digest.
    pub digest: Option<IndexDigest>,
}

impl CompanionPin {
    /// The pin of `image` at the head of the downstream's base branch.
    #[must_use]
    pub fn of(memory: &Memory, image: &ImageName) -> Self {
        let (mut version, mut digest) = spelled(memory, image);
        let own = memory.of_image(image);
        if digest.is_none() {
            let tag = version.as_ref().and_then(|version| own.image_tag(version));
            digest = tag.map(|tag| IndexDigest::new(tag.first));
        } else if version.is_none() {
            let known = own.images().filter(|known| Some(&known.digest) == digest.as_ref());
            version = super::honesty::newest(known.map(|known| &known.version)).cloned();
        }
        Self { image: image.clone(), version, digest }
    }
}

/// A site that spells both is believed before two that spell one each: these may disagree.
fn spelled(memory: &Memory, image: &ImageName) -> (Option<Version>, Option<IndexDigest>) {
    let (mut version, mut digest) = (None, None);
    for reading in memory.pin().into_iter().flat_map(|facts| &facts.sites) {
        match &reading.state {
            _ if reading.companion.as_ref() != Some(image) => {}
            SiteState::Spelled { version: Some(version), digest: Some(digest), .. } => {
                return (Some(version.clone()), Some(digest.clone()));
            }
            SiteState::Spelled { version: one, digest: other, .. } => {
                version = version.or_else(|| one.clone());
                digest = digest.or_else(|| other.clone());
            }
            SiteState::Absent | SiteState::Faulty { .. } => {}
        }
    }
    (version, digest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Digest, Fact, ImageFacts, PinFacts, SiteReading, Timestamp};

    fn sidecar() -> ImageName {
        "ghcr.io/o/sidecar".parse().unwrap()
    }

    fn version(text: &str) -> Version {
        text.parse().unwrap()
    }

    fn digest(name: &str) -> IndexDigest {
        IndexDigest::new(Digest::of(name.as_bytes()))
    }

    /// A downstream whose sites spell these versions and digests of the sidecar, after one of the
    /// watched image.
    fn memory(sites: &[(Option<&str>, Option<&str>)]) -> Memory {
        let reading = |companion, (version, digest): (Option<_>, Option<_>)| SiteReading {
            path: "a.env".parse().unwrap(),
            site: "a".to_owned(),
            companion,
            state: SiteState::Spelled { version, digest, line: 1 },
        };
        let own = reading(None, (Some(version("9.9.9")), Some(digest("watched"))));
        let theirs = sites
            .iter()
            .map(|(of, at)| reading(Some(sidecar()), (of.map(version), at.map(digest))));
        let sites = std::iter::once(own).chain(theirs).collect();
        let facts = PinFacts {
            sites,
            migrated: vec![],
            migrated_to: vec![],
            migration_fault: None,
            harness: String::new(),
        };
        let mut memory = Memory::default();
        memory.observe(Fact::Pin(facts), Timestamp::from_millis(0));
        memory
    }

    fn told(memory: &Memory) -> (Option<String>, Option<IndexDigest>) {
        let pin = CompanionPin::of(memory, &sidecar());
        (pin.version.map(|version| version.to_string()), pin.digest)
    }

    #[test]
    fn a_site_that_spells_both_is_believed_before_two_that_spell_one_each() {
        let (both, a, b) = (Some("1.0.0".to_owned()), digest("a"), digest("b"));
        for (sites, expected) in [
            (&[][..], (None, None)),
            (&[(Some("1.0.0"), Some("a"))], (both.clone(), Some(a.clone()))),
            (&[(Some("1.1.0"), None), (Some("1.0.0"), Some("a"))], (both.clone(), Some(a))),
            (&[(None, Some("b")), (Some("1.0.0"), None)], (both.clone(), Some(b))),
            (&[(Some("1.0.0"), None)], (both, None)),
        ] {
            assert_eq!(told(&memory(sites)), expected, "{sites:?}");
        }
    }

    #[test]
    fn what_the_sites_do_not_spell_is_what_was_resolved() {
        let at = Timestamp::from_millis(0);
        let mut only_version = memory(&[(Some("1.0.0"), None)]);
        only_version.observe_companion_tag(
            &sidecar(),
            &version("1.0.0"),
            Some(digest("a").digest()),
            at,
        );
        assert_eq!(told(&only_version), (Some("1.0.0".to_owned()), Some(digest("a"))));
        let mut only_digest = memory(&[(None, Some("a"))]);
        assert_eq!(told(&only_digest), (None, Some(digest("a"))));
        for (of, at_digest) in [("1.0.0", "a"), ("1.1.0", "b")] {
            let (version, digest) = (version(of), digest(at_digest));
            let image = ImageFacts { version, digest, platforms: vec![] };
            only_digest.observe_companion(&sidecar(), Fact::Image(image), at);
        }
        assert_eq!(told(&only_digest), (Some("1.0.0".to_owned()), Some(digest("a"))));
    }
}
