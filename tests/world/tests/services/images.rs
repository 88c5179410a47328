//! The registry's images and what hangs on them, seen over HTTP.

use crate::sigstore::{Found, digest_of};
use serde_json::Value;
use std::cell::RefCell;
use std::collections::BTreeMap;
use world::{Fault, Forgery, Predicate, Referrers, Service, SignatureLayout, Signing, World};

const CONNECTOR: &str = "toon-protocol/connector";
const SIDECAR: &str = "toon-protocol/ator-sidecar";
const ACCEPT: &str =
    "application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json";
const WORKFLOWS: &str = "https://github.com/toon-protocol/connector/.github/workflows";

/// A client of the registry, with a token for each name.
struct Registry<'world> {
    world: &'world World,
    http: reqwest::Client,
    tokens: RefCell<BTreeMap<String, String>>,
}

impl<'world> Registry<'world> {
    fn of(world: &'world World) -> Self {
        let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none());
        Self { world, http: http.build().unwrap(), tokens: RefCell::default() }
    }

    async fn token(&self, name: &str) -> String {
        let known = self.tokens.borrow().get(name).cloned();
        if let Some(token) = known {
            return token;
        }
        let base = self.world.registry_url();
        let url = format!("{base}/token?service=ghcr.io&scope=repository:{name}:pull");
        let text = self.http.get(url).send().await.unwrap().text().await.unwrap();
        let json: Value = serde_json::from_str(&text).unwrap();
        let token = json["token"].as_str().unwrap().to_owned();
        self.tokens.borrow_mut().insert(name.to_owned(), token.clone());
        token
    }

    async fn get(&self, name: &str, path: &str) -> (u16, String, Vec<u8>) {
        let url = format!("{}/v2/{name}/{path}", self.world.registry_url());
        let request = self.http.get(url).bearer_auth(self.token(name).await);
        let response = request.header("accept", ACCEPT).send().await.unwrap();
        let status = response.status().as_u16();
        let place = response.headers().get("location").or(response.headers().get("content-type"));
        let place = place.map(|place| place.to_str().unwrap().to_owned());
        (status, place.unwrap_or_default(), response.bytes().await.unwrap().to_vec())
    }

    async fn manifest(&self, name: &str, reference: &str) -> Option<Value> {
        let (status, _, body) = self.get(name, &format!("manifests/{reference}")).await;
        (status == 200).then(|| serde_json::from_slice(&body).unwrap())
    }

    async fn blob(&self, name: &str, digest: &Value) -> Vec<u8> {
        let digest = digest.as_str().unwrap();
        let (status, place, _) = self.get(name, &format!("blobs/{digest}")).await;
        assert_eq!(status, 307, "{digest}");
        self.http.get(place).send().await.unwrap().bytes().await.unwrap().to_vec()
    }

    /// The signatures under the legacy tag of a digest.
    async fn legacy(&self, name: &str, digest: &str) -> Vec<Found> {
        let tag = format!("{}.sig", digest.replace(':', "-"));
        let Some(manifest) = self.manifest(name, &tag).await else {
            return Vec::new();
        };
        let mut found = Vec::new();
        for layer in manifest["layers"].as_array().unwrap() {
            let payload = self.blob(name, &layer["digest"]).await;
            found.push(Found::Legacy(layer.clone(), payload));
        }
        found
    }

    /// The bundles of the manifests that a list names.
    async fn bundles(&self, name: &str, list: &Value) -> Vec<Found> {
        let mut found = Vec::new();
        for entry in list["manifests"].as_array().unwrap() {
            let child = self.manifest(name, entry["digest"].as_str().unwrap()).await.unwrap();
            assert_eq!(child["config"]["mediaType"], "application/vnd.oci.empty.v1+json");
            assert_eq!(self.blob(name, &child["config"]["digest"]).await, b"{}");
            let bundle = self.blob(name, &child["layers"][0]["digest"]).await;
            assert_eq!(digest_of(&bundle), child["layers"][0]["digest"].as_str().unwrap());
            found.push(Found::Bundle(bundle));
        }
        found
    }

    async fn referrers(&self, name: &str, digest: &str) -> (u16, String, Value) {
        let (status, place, body) = self.get(name, &format!("referrers/{digest}")).await;
        (status, place, serde_json::from_slice(&body).unwrap_or(Value::Null))
    }

    async fn fallback(&self, name: &str, digest: &str) -> Option<Value> {
        self.manifest(name, &digest.replace(':', "-")).await
    }
}

/// Who signed, by the independent judge's word.
fn signers(world: &World, found: &[Found], digest: &str) -> Vec<Result<String, String>> {
    found.iter().map(|found| found.judged(&world.trusted_root(), digest)).collect()
}

#[tokio::test]
async fn images_are_signed_from_3_6_0_on_by_the_workflow_that_releases() {
    let world = World::start().await;
    let registry = Registry::of(&world);
    world.release("3.5.9").publish().await;
    let old = world.image_digest("3.5.9").unwrap();
    assert!(registry.legacy(CONNECTOR, &old).await.is_empty());
    for version in ["3.6.0", "3.10.0"] {
        world.release(version).with_sidecar().publish().await;
        let digest = world.image_digest(version).unwrap();
        let found = registry.legacy(CONNECTOR, &digest).await;
        let release = format!("{WORKFLOWS}/release.yml@refs/heads/main");
        assert_eq!(signers(&world, &found, &digest), [Ok(release)]);
        let sidecar = world.sidecar_digest(version).unwrap();
        assert_ne!(sidecar, digest);
        let found = registry.legacy(SIDECAR, &sidecar).await;
        let by_hand = format!("{WORKFLOWS}/build-and-publish.yml@refs/tags/v{version}");
        assert_eq!(signers(&world, &found, &sidecar), [Ok(by_hand)]);
    }
    let (status, _, _) = registry.get(SIDECAR, &format!("manifests/{old}")).await;
    assert_eq!(status, 404);
    // A release that is published anew is signed as is said then, and not as before.
    let digest = world.image_digest("3.10.0").unwrap();
    world.release("3.10.0").unsigned().publish().await;
    assert_eq!(world.image_digest("3.10.0").unwrap(), digest);
    assert!(registry.legacy(CONNECTOR, &digest).await.is_empty());
    let tag = world.image_digest("3.6.0").unwrap().replace(':', "-");
    assert!(world.image_tags(CONNECTOR).contains_key(&format!("{tag}.sig")));
}

#[tokio::test]
async fn bundles_are_found_where_they_were_put_and_nowhere_else() {
    let world = World::start().await;
    let registry = Registry::of(&world);
    let release = world.release("3.10.0").layout(SignatureLayout::FallbackTag);
    release.layout(SignatureLayout::Referrers).publish().await;
    let digest = world.image_digest("3.10.0").unwrap();
    assert!(registry.legacy(CONNECTOR, &digest).await.is_empty());
    let index = registry.fallback(CONNECTOR, &digest).await.unwrap();
    let kind = "application/vnd.dev.sigstore.bundle.v0.3+json";
    assert_eq!(index["manifests"][0]["artifactType"], kind);
    let found = registry.bundles(CONNECTOR, &index).await;
    let release = format!("{WORKFLOWS}/release.yml@refs/heads/main");
    assert_eq!(signers(&world, &found, &digest), [Ok(release.clone())]);
    world.set_referrers(Referrers::Served);
    let (status, _, list) = registry.referrers(CONNECTOR, &digest).await;
    assert_eq!(status, 200);
    let found = registry.bundles(CONNECTOR, &list).await;
    assert_eq!(signers(&world, &found, &digest), [Ok(release)]);
    let child = list["manifests"][0]["digest"].as_str().unwrap();
    let child = registry.manifest(CONNECTOR, child).await.unwrap();
    assert_eq!(child["subject"]["digest"], digest.as_str());
    let size = world.pushed(&digest).unwrap().len();
    assert_eq!(child["subject"]["size"], size);
    let (_, _, other) =
        registry.referrers(CONNECTOR, child["config"]["digest"].as_str().unwrap()).await;
    assert_eq!(other["manifests"], Value::Array(Vec::new()));
}

#[tokio::test]
async fn referrers_are_not_to_be_had_in_many_ways() {
    let world = World::start().await;
    let registry = Registry::of(&world);
    let digest = world.image_digest("3.9.3").unwrap();
    let mut seen = Vec::new();
    for manner in [
        Referrers::Absent,
        Referrers::Empty200,
        Referrers::RateLimited,
        Referrers::Broken,
        Referrers::Html,
    ] {
        world.set_referrers(manner);
        let (status, kind, list) = registry.referrers(CONNECTOR, &digest).await;
        seen.push((status, kind, list["manifests"].is_array()));
    }
    let seen: Vec<_> =
        seen.iter().map(|(status, kind, list)| (*status, kind.as_str(), *list)).collect();
    assert_eq!(
        seen,
        [
            (404, "text/plain; charset=utf-8", false),
            (200, "application/vnd.oci.image.index.v1+json", true),
            (429, "application/json", false),
            (500, "application/json", false),
            (200, "text/html; charset=utf-8", false),
        ]
    );
    world.set_referrers(Referrers::RedirectElsewhere);
    let (status, place, _) = registry.referrers(CONNECTOR, &digest).await;
    assert_eq!(status, 303);
    assert!(!place.starts_with(&world.registry_url()), "{place}");
    assert_eq!(registry.http.get(&place).send().await.unwrap().status(), 429);
    world.expect_unusual("a token was sent to the blob storage");
    let token = registry.token(CONNECTOR).await;
    registry.http.get(&place).bearer_auth(token).send().await.unwrap();
}

#[tokio::test]
async fn a_signature_can_come_late_and_a_tag_that_moves_is_signed_again() {
    let world = World::start().await;
    let registry = Registry::of(&world);
    world.release("3.10.0").unsigned().publish().await;
    let digest = world.image_digest("3.10.0").unwrap();
    assert!(registry.legacy(CONNECTOR, &digest).await.is_empty());
    world.sign_image("3.10.0").await;
    let found = registry.legacy(CONNECTOR, &digest).await;
    assert!(signers(&world, &found, &digest)[0].is_ok());
    world.rotate_sigstore();
    world.sign_image_as("3.10.0", Signing::new().email("maya@example.org")).await;
    let found = registry.legacy(CONNECTOR, &digest).await;
    assert_eq!(signers(&world, &found, &digest)[1], Ok("maya@example.org".to_owned()));
    assert!(signers(&world, &found, &digest)[0].is_ok());
    let platforms = ["linux/amd64"];
    world.release("3.11.0").sidecar(|image| image.platforms(&platforms)).publish().await;
    let (image, sidecar) = (world.image_digest("3.11.0"), world.sidecar_digest("3.11.0"));
    world.retag("3.11.0").await;
    assert_ne!(world.image_digest("3.11.0"), image);
    assert_eq!(world.sidecar_digest("3.11.0"), sidecar);
    let moved = world.image_digest("3.11.0").unwrap();
    let found = registry.legacy(CONNECTOR, &moved).await;
    assert!(signers(&world, &found, &moved)[0].is_ok());
    world.retag_sidecar("3.11.0").await;
    assert_ne!(world.sidecar_digest("3.11.0"), sidecar);
    let sidecar = world.sidecar_digest("3.11.0").unwrap();
    let index = registry.manifest(SIDECAR, &sidecar).await.unwrap();
    assert_eq!(index["manifests"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn what_hangs_on_an_image_can_be_crowded_mislabelled_and_of_a_platform() {
    let world = World::start().await;
    let registry = Registry::of(&world);
    world.mislabel_referrers();
    let release = world.release("3.10.0").layout(SignatureLayout::FallbackTag);
    let release = release.layout(SignatureLayout::Legacy).attested(Predicate::Sbom);
    release.image(|image| image.crowded(7)).publish().await;
    let digest = world.image_digest("3.10.0").unwrap();
    let index = registry.fallback(CONNECTOR, &digest).await.unwrap();
    let children: std::collections::BTreeSet<String> = index["manifests"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| entry["digest"].to_string())
        .collect();
    assert_eq!(children.len(), 9);
    assert_eq!(index["manifests"][7]["artifactType"], "application/vnd.oci.empty.v1+json");
    let found = registry.legacy(CONNECTOR, &digest).await;
    let signers_of_it = signers(&world, &found, &digest);
    assert_eq!(signers_of_it.len(), 8);
    assert!(signers_of_it[0].as_ref().unwrap().contains("somebody/else"));
    assert!(signers_of_it[7].as_ref().unwrap().contains("toon-protocol/connector"));
    let tag = format!("{}.att", digest.replace(':', "-"));
    let attestation = registry.manifest(CONNECTOR, &tag).await.unwrap();
    let envelope = registry.blob(CONNECTOR, &attestation["layers"][0]["digest"]).await;
    let envelope: Value = serde_json::from_slice(&envelope).unwrap();
    assert_eq!(envelope["payloadType"], "application/vnd.in-toto+json");
    for at_the_index in [false, true] {
        let release = world.release("3.11.0").image(|image| {
            if at_the_index {
                image.platform_signed_at_the_index()
            } else {
                image.platform_signed()
            }
        });
        release.publish().await;
        let digest = world.image_digest("3.11.0").unwrap();
        let index = registry.manifest(CONNECTOR, "3.11.0").await.unwrap();
        let platform = index["manifests"][0]["digest"].as_str().unwrap().to_owned();
        let place = if at_the_index { &digest } else { &platform };
        let found = registry.legacy(CONNECTOR, place).await;
        assert_eq!(found[0].named(), platform);
    }
}

#[tokio::test]
async fn a_release_is_signed_as_a_test_says_and_a_blob_can_be_corrupt_on_its_way() {
    let world = World::start().await;
    let registry = Registry::of(&world);
    let forged = Signing::new().forged(Forgery::NoSct);
    let hand = Signing::new().workflow("build-and-publish.yml", "refs/tags/v3.10.0");
    world.release("3.10.0").signed(forged).signed(hand).publish().await;
    let digest = world.image_digest("3.10.0").unwrap();
    let found = registry.legacy(CONNECTOR, &digest).await;
    let signers = signers(&world, &found, &digest);
    assert!(signers[0].as_ref().unwrap_err().contains("missing SCT"), "{signers:?}");
    let by_hand = format!("{WORKFLOWS}/build-and-publish.yml@refs/tags/v3.10.0");
    assert_eq!(signers[1], Ok(by_hand));
    world.fault(Fault::on(Service::Registry).path_contains("/storage/").corrupt_body());
    let Found::Legacy(layer, payload) = &registry.legacy(CONNECTOR, &digest).await[0] else {
        panic!("the legacy form")
    };
    assert_ne!(layer["digest"], digest_of(payload).as_str());
    let config = registry.manifest(CONNECTOR, "3.10.0").await.unwrap();
    let child = config["manifests"][0]["digest"].as_str().unwrap();
    world.delete_manifest(child);
    assert!(registry.manifest(CONNECTOR, child).await.is_none());
}
