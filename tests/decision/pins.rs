//! What the pin is, from what its sites spell and what was observed.

use crate::case::{digest, looks_at_the_image, minutes_ago, version};
use crate::orders::{rules, site};
use digest_bump::domain::{
    Fact, FilePath, ImageFacts, IndexDigest, Memory, PinFacts, PinSite, Presence, ReleaseFacts,
    SiteReading, SiteState,
};
use digest_bump::policy::{Look, PinState, Snapshot, View};
use std::collections::BTreeMap;

fn path() -> FilePath {
    "manifest.json".parse().unwrap()
}

fn spelled(of: Option<&str>, digest: Option<IndexDigest>) -> SiteState {
    SiteState::Spelled { version: of.map(version), digest, line: 1 }
}

fn watched(image: &str, resolved_from: &str) -> Fact {
    Fact::Image(ImageFacts {
        version: version(image),
        digest: digest(&version(resolved_from)),
        platforms: Vec::new(),
    })
}

fn released(text: &str) -> Fact {
    Fact::Release(ReleaseFacts {
        tag: format!("v{text}"),
        draft: false,
        prerelease: false,
        published_at: minutes_ago(60),
        url: String::new(),
        notes: String::new(),
        withdrawn: false,
    })
}

/// The pin of a watch with these sites, the first `authorities` of which are authorities.
fn pin(
    states: &[SiteState],
    authorities: usize,
    facts: &[Fact],
    looks: &BTreeMap<digest_bump::domain::Version, Look>,
) -> PinState {
    let mut memory = Memory::default();
    let reading = |state: &SiteState| SiteReading {
        path: path(),
        site: "a site".to_owned(),
        companion: None,
        state: state.clone(),
    };
    let seen = PinFacts {
        sites: states.iter().map(reading).collect(),
        migrated: Vec::new(),
        migrated_to: Vec::new(),
        migration_fault: None,
        harness: String::new(),
    };
    for fact in facts.iter().cloned().chain([Fact::Pin(seen)]) {
        memory.observe(fact, minutes_ago(10));
    }
    let sites: Vec<PinSite> = (0..states.len())
        .map(|index| PinSite {
            authority: index < authorities,
            presence: Presence::IfPresent,
            ..site()
        })
        .collect();
    let (image, looks) = looks_at_the_image(looks);
    let snapshot = Snapshot::of(View {
        memory: &memory,
        rules: &rules(),
        image: &image,
        sites: &sites,
        looks: &looks,
        npm_trouble: None,
        live: true,
    });
    snapshot.pin
}

fn known(of: &str, digest_of: &str) -> PinState {
    PinState::Known { version: version(of), digest: digest(&version(digest_of)) }
}

fn asks(pin: &PinState) -> Option<String> {
    match pin {
        PinState::Unknown { ask, .. } => ask.as_ref().map(ToString::to_string),
        PinState::Known { .. } => panic!("{pin:?}"),
    }
}

#[test]
fn a_site_with_only_a_digest_is_resolved_from_observations() {
    let only_digest = [spelled(None, Some(digest(&version("3.9.3"))))];
    let none = BTreeMap::new();
    let facts = [released("3.9.4"), released("3.9.3"), watched("3.9.3", "3.9.3")];
    assert_eq!(pin(&only_digest, 1, &facts, &none), known("3.9.3", "3.9.3"));

    let unseen = pin(&only_digest, 1, &facts[..2], &none);
    assert_eq!(asks(&unseen).as_deref(), Some("3.9.4"), "from the newest down");
    let looked = BTreeMap::from([(version("3.9.4"), Look::Absent)]);
    let unseen = pin(&only_digest, 1, &facts[..2], &looked);
    assert_eq!(asks(&unseen).as_deref(), Some("3.9.3"), "each once in a pass");
}

#[test]
fn of_two_tags_with_one_digest_the_one_that_the_downstream_names_is_meant() {
    let none = BTreeMap::new();
    let shared = Some(digest(&version("3.4.2")));
    // The corrupt tags: 3.4.2 and 3.5.0 have one content.
    let facts = [watched("3.4.2", "3.4.2"), watched("3.5.0", "3.4.2")];
    let named = [spelled(None, shared.clone()), spelled(Some("3.4.2"), None)];
    assert_eq!(pin(&named, 1, &facts, &none), known("3.4.2", "3.4.2"));
    assert_eq!(pin(&named[..1], 1, &facts, &none), known("3.5.0", "3.4.2"));
    let asked = pin(&named, 1, &[released("3.6.0")], &none);
    assert_eq!(asks(&asked).as_deref(), Some("3.4.2"), "what is spelled is asked for first");
}

#[test]
fn the_first_authority_that_is_there_counts_and_a_faulty_one_is_not_passed_over() {
    let none = BTreeMap::new();
    let facts = [watched("3.9.3", "3.9.3")];
    let good = spelled(Some("3.9.3"), Some(digest(&version("3.9.3"))));
    let absent_first = [SiteState::Absent, good.clone()];
    assert_eq!(pin(&absent_first, 2, &facts, &none), known("3.9.3", "3.9.3"));
    // So does the build's placeholder read: as a fault, never as a pin.
    let placeholder = SiteState::Faulty { why: "the digest is the placeholder".to_owned() };
    assert_eq!(asks(&pin(&[placeholder, good.clone()], 2, &facts, &none)), None);
    assert_eq!(asks(&pin(&[SiteState::Absent, good], 1, &facts, &none)), None);
}

#[test]
fn a_required_authority_that_is_not_there_leaves_the_pin_unknown() {
    let good = spelled(Some("3.9.3"), Some(digest(&version("3.9.3"))));
    let reading =
        |state| SiteReading { path: path(), site: "a site".to_owned(), companion: None, state };
    let seen = PinFacts {
        sites: [SiteState::Absent, good].map(reading).into(),
        migrated: Vec::new(),
        migrated_to: Vec::new(),
        migration_fault: None,
        harness: String::new(),
    };
    let mut memory = Memory::default();
    memory.observe(Fact::Pin(seen), minutes_ago(10));
    let pin_of = |presence| {
        let sites = [PinSite { presence, ..site() }, site()];
        let snapshot = Snapshot::of(View {
            memory: &memory,
            rules: &rules(),
            image: &"ghcr.io/toon-protocol/connector".parse().unwrap(),
            sites: &sites,
            looks: &BTreeMap::new(),
            npm_trouble: None,
            live: true,
        });
        snapshot.pin
    };
    assert_eq!(pin_of(Presence::IfPresent), known("3.9.3", "3.9.3"));
    let why = "manifest.json is not there".to_owned();
    assert_eq!(pin_of(Presence::Required), PinState::Unknown { why, ask: None });
}

#[test]
fn a_site_with_only_a_version_gets_its_digest_from_observations() {
    let none = BTreeMap::new();
    let only_version = [spelled(Some("3.9.3"), None)];
    let facts = [watched("3.9.3", "3.9.3")];
    assert_eq!(pin(&only_version, 1, &facts, &none), known("3.9.3", "3.9.3"));
    assert_eq!(asks(&pin(&only_version, 1, &[], &none)).as_deref(), Some("3.9.3"));
    let looked = BTreeMap::from([(version("3.9.3"), Look::Absent)]);
    assert_eq!(asks(&pin(&only_version, 1, &[], &looked)), None);
}
