//! Where signatures are kept, and what registries answer there.

use crate::{case::rule, rules};
use SignatureLayout::{FallbackTag, Legacy, Referrers as Referred};
use digest_bump::{
    clients::{
        registry::Registry,
        sigstore::TrustedRoot,
        wire::{Http, Timeouts, Trust},
    },
    clock::Clock,
    domain::{Memory, Rules, Timestamp},
    verify::{Material, Subject, verify_signature},
};
use std::{collections::BTreeMap, time::Duration};
use world::{BundleVersion, Fault, Image, Predicate, Referrers, Service, SignatureLayout, World};

/// What the bot finds out about an image in a world, a day after it was pushed.
async fn outcome(world: &World) -> String {
    outcome_despite(world, |_| {}).await
}

/// The same, where something goes wrong after the image itself was read.
async fn outcome_despite(world: &World, happens: impl FnOnce(&World)) -> String {
    digest_bump::clients::install_tls_provider();
    let http = Http::new(&Timeouts::default(), &Trust::default(), Clock::system()).unwrap();
    let origins = BTreeMap::from([("ghcr.io".to_owned(), world.registry_url())]);
    let registry = Registry::new(&http, &origins).unwrap();
    let name = "ghcr.io/toon-protocol/connector".parse().unwrap();
    let image = registry.fetch_image(&name, &"3.10.0".parse().unwrap()).await.unwrap().facts;
    happens(world);
    let found = registry.fetch_signatures(&name, &image.digest).await;
    let root = world.trusted_root().into_bytes();
    let root = TrustedRoot::parse(root, "the world", None).unwrap();
    let rules = Rules { signature: Some(rule()), ..rules() };
    let memory = Memory::default();
    let subject = Subject { image: &image, memory: &memory, rules: &rules, pinned: None };
    let pushed: Timestamp = crate::case::NOW.parse().unwrap();
    let material = Material { found: &found, root: Ok(&root), first_seen: pushed };
    let later = pushed + Duration::from_hours(24);
    verify_signature(subject, material, later).unwrap().0.detail.outcome.unwrap()
}

async fn world() -> World {
    World::builder().now(crate::case::NOW).start().await
}

async fn published(describe: impl FnOnce(Image) -> Image) -> World {
    let world = world().await;
    world.release("3.10.0").image(describe).publish().await;
    world
}

#[tokio::test(flavor = "multi_thread")]
async fn every_layout_is_found() {
    for layout in [Legacy, Referred, FallbackTag] {
        for version in BundleVersion::ALL {
            let world = published(|image| image.layout(layout).bundle_version(version)).await;
            world.set_referrers(Referrers::Served);
            assert_eq!(outcome(&world).await, "verified", "{layout:?} {version:?}");
        }
    }
}

/// What the endpoint says, what is in the other places, and the outcome.
#[tokio::test(flavor = "multi_thread")]
async fn whatever_the_referrers_endpoint_answers_the_tags_are_asked() {
    let cases = [
        (Referrers::Absent, "unsigned"),
        (Referrers::Empty200, "unsigned"),
        (Referrers::RedirectElsewhere, "unsigned"),
        (Referrers::Html, "unsigned"),
        // Where it could not be found out, it is not said that there is none.
        (Referrers::RateLimited, "registry_unavailable"),
        (Referrers::Broken, "registry_unavailable"),
    ];
    for (answers, expected) in cases {
        let bare = published(Image::unsigned).await;
        bare.set_referrers(answers);
        assert_eq!(outcome(&bare).await, expected, "{answers:?}");
        for layout in [Legacy, FallbackTag] {
            let signed = published(|image| image.layout(layout)).await;
            signed.set_referrers(answers);
            assert_eq!(outcome(&signed).await, "verified", "{answers:?} {layout:?}");
        }
    }
}

/// What stands between the bot and the registry speaks in pages as well.
#[tokio::test(flavor = "multi_thread")]
async fn a_list_of_referrers_that_could_not_be_had_is_not_taken_for_unsigned() {
    for status in [401, 403, 408, 429, 500, 502, 503, 504] {
        let world = published(|image| image.layout(Referred)).await;
        world.set_referrers(Referrers::Served);
        let fault = Fault::on(Service::Registry).path_contains("/referrers/").html();
        world.fault(fault.status(status).always());
        assert_eq!(outcome(&world).await, "registry_unavailable", "{status}");
    }
    // A page with one of these says that there is no such list.
    for status in [200, 400, 404, 405] {
        let world = published(Image::unsigned).await;
        let fault = Fault::on(Service::Registry).path_contains("/referrers/").html();
        world.fault(fault.status(status).always());
        assert_eq!(outcome(&world).await, "unsigned", "{status}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_of_referrers_is_read_to_its_end_or_is_not_taken_for_all_there_is() {
    type Fails = fn(Fault) -> Fault;
    // The signature comes last.
    for (others, size, expected) in
        [(9, 2, "verified"), (15, 2, "verified"), (16, 2, "registry_unavailable")]
    {
        let world = published(|image| image.layout(Referred).crowded(others)).await;
        world.set_referrers(Referrers::Paged(size));
        assert_eq!(outcome(&world).await, expected, "{others} before it, {size} on a page");
    }
    let cases: [(&str, Fails); 5] = [
        ("503", |fault| fault.status(503)),
        ("404", |fault| fault.status(404)),
        ("a page", Fault::html),
        ("half a document", Fault::cut_body),
        ("a redirect", |fault| fault.redirect("https://example.com/")),
    ];
    for (name, fails) in cases {
        let world = published(|image| image.layout(Referred).crowded(3)).await;
        world.set_referrers(Referrers::Paged(2));
        world.fault(fails(Fault::on(Service::Registry).path_contains("?from=2")).always());
        assert_eq!(outcome(&world).await, "registry_unavailable", "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_of_referrers_goes_on_in_its_own_repository_alone() {
    let world = published(Image::unsigned).await;
    world.set_referrers(Referrers::Served);
    let list = r#"{"schemaVersion":2,"manifests":[]}"#;
    let fault = Fault::on(Service::Registry).path_contains("/referrers/").body(list);
    let fault = fault.header("content-type", "application/vnd.oci.image.index.v1+json");
    let elsewhere = r#"</v2/somebody/else/referrers/sha256:ab>; rel="next""#;
    world.fault(fault.header("link", elsewhere).always());
    assert_eq!(outcome(&world).await, "registry_unavailable");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_may_name_a_wrong_type() {
    for layout in [Referred, FallbackTag] {
        let world = published(|image| image.layout(layout)).await;
        world.set_referrers(Referrers::Served);
        world.mislabel_referrers();
        assert_eq!(outcome(&world).await, "verified", "{layout:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn attestations_beside_a_signature_do_no_harm_and_alone_are_none() {
    for layout in [Referred, FallbackTag] {
        let both = published(|image| image.layout(layout).attested(Predicate::Provenance)).await;
        both.set_referrers(Referrers::Served);
        assert_eq!(outcome(&both).await, "verified", "{layout:?}");
        let alone =
            published(|image| image.layout(layout).attested(Predicate::Provenance).unsigned());
        let alone = alone.await;
        alone.set_referrers(Referrers::Served);
        assert_eq!(outcome(&alone).await, "attestation_only", "{layout:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crowd_of_documents_is_looked_at_up_to_a_bound_and_never_taken_for_unsigned() {
    let legacy = published(|image| image.layout(Legacy).crowded(80)).await;
    // They sign the same payload, which is one blob, and are all in one manifest.
    assert_eq!(outcome(&legacy).await, "verified");
    for (others, expected) in [(20, "verified"), (80, "registry_unavailable")] {
        for layout in [Referred, FallbackTag] {
            let world = published(|image| image.layout(layout).crowded(others)).await;
            world.set_referrers(Referrers::Served);
            assert_eq!(outcome(&world).await, expected, "{others} {layout:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_platforms_digest_is_not_the_index() {
    let elsewhere = published(Image::platform_signed).await;
    assert_eq!(outcome(&elsewhere).await, "unsigned");
    for layout in [Legacy, FallbackTag] {
        let there = published(|image| image.layout(layout).platform_signed_at_the_index()).await;
        assert_eq!(outcome(&there).await, "bad_digest", "{layout:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_signed_before_the_tag_moved_says_nothing_of_the_new_content() {
    let world = published(|image| image).await;
    let first = world.image_digest("3.10.0").unwrap();
    let attached = format!("{}.sig", first.replace(':', "-"));
    world.retag("3.10.0").await;
    let again = world.image_digest("3.10.0").unwrap();
    assert_ne!(first, again);
    // Somebody puts the old signature where the new one's belongs.
    world.copy_tag(&attached, &format!("{}.sig", again.replace(':', "-")));
    assert_eq!(outcome(&world).await, "bad_digest");
}

/// Each of these on every request for what is attached.
#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_read_or_believed_is_not_taken_for_unsigned() {
    type Fails = fn(Fault) -> Fault;
    let cases: [(&str, Fails); 7] = [
        ("503", |fault| fault.status(503)),
        ("429", |fault| fault.status(429)),
        ("403", |fault| fault.status(403)),
        ("a page", Fault::html),
        ("half a document", Fault::cut_body),
        ("a wrong digest", Fault::wrong_digest_header),
        ("corrupt bytes", Fault::corrupt_body),
    ];
    for (name, fails) in cases {
        for (layout, path) in [(Legacy, ".sig"), (FallbackTag, "/manifests/sha256-")] {
            let world = published(|image| image.layout(layout)).await;
            world.fault(fails(Fault::on(Service::Registry).path_contains(path)).always());
            assert_eq!(outcome(&world).await, "registry_unavailable", "{name} {layout:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_blob_that_is_not_of_its_digest_is_not_believed() {
    for layout in [Legacy, FallbackTag] {
        let world = published(|image| image.layout(layout)).await;
        let got = outcome_despite(&world, |world| {
            let fault = Fault::on(Service::Registry).path_contains("/storage/");
            world.fault(fault.corrupt_body().always());
        });
        assert_eq!(got.await, "registry_unavailable", "{layout:?}");
    }
}
