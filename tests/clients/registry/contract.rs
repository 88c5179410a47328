//! What the client makes of any honest registry. The same functions run against the fake of these
//! tests, the world's registry, and Debian's `docker-registry`, plain and with tokens.

use super::place::Place;
use super::{RELEASE, image};
use digest_bump::clients::registry::{RegistryError, Resolution};
use digest_bump::domain::{Digest, ImageName, PlatformDigest};

/// Runs every test below in one kind of place. One that is not on this machine is skipped, aloud.
macro_rules! honest {
    ($kind:ident: $($test:ident)*) => {
        mod $kind {
            $(
                #[tokio::test(flavor = "multi_thread")]
                async fn $test() {
                    if let Some(mut place) = super::Place::$kind().await {
                        super::$test(&mut place).await;
                    }
                }
            )*
        }
    };
}

macro_rules! in_every_registry {
    ($($test:ident)*) => {
        honest!(fake: $($test)*);
        honest!(world: $($test)*);
        honest!(docker_plain: $($test)*);
        honest!(docker_with_tokens: $($test)*);
    };
}

in_every_registry! {
    an_image_is_resolved_with_its_labels
    the_digest_is_of_the_bytes
    an_absent_tag_is_not_found
    an_absent_digest_is_not_found
    in_an_absent_repository_nothing_is_found
    one_platforms_image_is_no_index
    an_attestation_is_no_platform
    an_index_is_no_platforms_image
    a_floating_tag_leads_to_the_same_index
    a_tag_that_moved_leads_to_the_new_index_and_the_old_one_stays
    what_is_known_is_asked_for_on_condition
    many_at_once_get_the_same
}

async fn an_image_is_resolved_with_its_labels(place: &mut Place) {
    let facts = place.registry.fetch_image(&image(), &RELEASE).await.unwrap().facts;
    assert_eq!((&facts.version, facts.digest.digest()), (&RELEASE, &place.index));
    let mut seen: Vec<(&str, Option<&str>)> =
        facts.platforms.iter().map(|one| (one.platform.0.as_str(), one.version_label())).collect();
    seen.sort_unstable();
    assert_eq!(seen, [("linux/amd64", Some("3.10.0")), ("linux/arm64", Some("3.10.0"))]);
    assert_ne!(facts.platforms[0].digest, facts.platforms[1].digest);
    for one in &facts.platforms {
        let labels = place.registry.fetch_labels(&image(), &one.digest).await.unwrap();
        assert_eq!(labels, one.labels);
    }
}

async fn the_digest_is_of_the_bytes(place: &mut Place) {
    let by_tag = place.registry.fetch_index(&image(), "3.10.0").await.unwrap();
    assert_eq!(by_tag.digest.digest(), &place.index);
    let by_digest = place.registry.fetch_index(&image(), place.index.as_str()).await.unwrap();
    assert_eq!(by_digest, by_tag);
}

async fn an_absent_tag_is_not_found(place: &mut Place) {
    let error = place.registry.fetch_index(&image(), "3.11.0").await.unwrap_err();
    let expected = "the registry knows no registry.example/toon-protocol/connector:3.11.0";
    assert_eq!(error.to_string(), expected);
    assert!(matches!(error, RegistryError::NotFound { .. }), "{error:?}");
}

async fn an_absent_digest_is_not_found(place: &mut Place) {
    let nowhere = Digest::of(b"nowhere");
    let error = place.registry.fetch_index(&image(), nowhere.as_str()).await.unwrap_err();
    assert!(matches!(error, RegistryError::NotFound { .. }), "{error:?}");
    let nowhere = PlatformDigest::new(nowhere);
    let error = place.registry.fetch_labels(&image(), &nowhere).await.unwrap_err();
    assert!(matches!(error, RegistryError::NotFound { .. }), "{error:?}");
}

async fn in_an_absent_repository_nothing_is_found(place: &mut Place) {
    let absent: ImageName = "registry.example/toon-protocol/nothing".parse().unwrap();
    let error = place.registry.fetch_index(&absent, "3.10.0").await.unwrap_err();
    // Whether it exists is nobody's business who has no account, where there are tokens.
    let denied = matches!(error, RegistryError::Denied { .. });
    let unknown = matches!(error, RegistryError::NotFound { .. });
    assert!(if place.has_tokens { denied } else { unknown }, "{error:?}");
}

async fn one_platforms_image_is_no_index(place: &mut Place) {
    let index = place.registry.fetch_index(&image(), "3.10.0").await.unwrap();
    let one = index.entries[0].digest.to_string();
    let error = place.registry.fetch_index(&image(), &one).await.unwrap_err();
    assert!(matches!(error, RegistryError::NotAnIndex { .. }), "{error:?}");
}

async fn an_attestation_is_no_platform(place: &mut Place) {
    let index = place.registry.fetch_index(&image(), "3.10.0").await.unwrap();
    let names: Vec<&str> = index.entries.iter().map(|one| one.platform.0.as_str()).collect();
    assert_eq!(names, ["linux/amd64", "linux/arm64"]);
}

async fn an_index_is_no_platforms_image(place: &mut Place) {
    let index = PlatformDigest::new(place.index.clone());
    let error = place.registry.fetch_labels(&image(), &index).await.unwrap_err();
    // It is not among what is accepted there: some say that there is no such thing, some send it.
    let expected =
        matches!(error, RegistryError::NotFound { .. } | RegistryError::Malformed { .. });
    assert!(expected, "{error:?}");
}

async fn a_floating_tag_leads_to_the_same_index(place: &mut Place) {
    let latest = place.registry.fetch_index(&image(), "latest").await.unwrap();
    assert_eq!(latest, place.registry.fetch_index(&image(), "3.10.0").await.unwrap());
}

async fn a_tag_that_moved_leads_to_the_new_index_and_the_old_one_stays(place: &mut Place) {
    let before = place.registry.fetch_image(&image(), &RELEASE).await.unwrap().facts;
    place.push_again().await;
    let after = place.registry.fetch_image(&image(), &RELEASE).await.unwrap().facts;
    assert_eq!(after.digest.digest(), &place.index);
    assert_ne!(after.digest, before.digest);
    let old = before.digest.to_string();
    let old = place.registry.fetch_index(&image(), &old).await.unwrap();
    assert_eq!(old.digest, before.digest);
    let of_old = place.registry.fetch_labels(&image(), &old.entries[1].digest).await.unwrap();
    assert_eq!(of_old, before.platforms[1].labels);
}

async fn what_is_known_is_asked_for_on_condition(place: &mut Place) {
    let (image, before) = (image(), place.index.clone());
    let seen = place.registry.resolve(&image, "3.10.0", None).await.unwrap();
    let Resolution::Found { digest, platforms: Some(platforms) } = seen else { panic!("{seen:?}") };
    let names: Vec<&str> = platforms.iter().map(|platform| platform.0.as_str()).collect();
    assert_eq!((&digest, names.as_slice()), (&before, &["linux/amd64", "linux/arm64"][..]));
    let again = place.registry.resolve(&image, "3.10.0", Some(&before)).await.unwrap();
    assert_eq!(again, Resolution::Same);

    place.push_again().await;
    let moved = place.registry.resolve(&image, "3.10.0", Some(&before)).await.unwrap();
    let Resolution::Found { digest, .. } = moved else { panic!("{moved:?}") };
    assert_eq!(digest, place.index);
    let old = place.registry.resolve(&image, before.as_str(), Some(&before)).await.unwrap();
    assert_eq!(old, Resolution::Same);

    let index = place.registry.fetch_index(&image, "3.10.0").await.unwrap();
    let one = index.entries[0].digest.digest();
    let found = place.registry.resolve(&image, one.as_str(), None).await.unwrap();
    assert_eq!(found, Resolution::Found { digest: one.clone(), platforms: None });
    let gone = place.registry.resolve(&image, "3.11.0", Some(&before)).await.unwrap_err();
    assert!(matches!(gone, RegistryError::NotFound { .. }), "{gone:?}");
}

async fn many_at_once_get_the_same(place: &mut Place) {
    let (image, version) = (image(), RELEASE);
    let many = (0..8).map(|_| place.registry.fetch_image(&image, &version));
    let all = futures_util::future::try_join_all(many).await.unwrap();
    assert!(all.iter().all(|facts| *facts == all[0]));
    assert_eq!(all[0].facts.digest.digest(), &place.index);
}
