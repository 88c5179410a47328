//! Registry, npm, the tree and the canary.

use crate::client::Client;
use serde_json::Value;
use std::{collections::BTreeMap, path::Path, process::Command};
use world::{CANARY, Fault, Service, World};

const INDEX: &str = "application/vnd.oci.image.index.v1+json";

#[tokio::test]
async fn the_registry_wants_a_token_and_keeps_blobs_elsewhere() {
    let world = World::start().await;
    world.release("3.10.0").publish().await;
    let http = reqwest::Client::new();
    let base = format!("{}/v2/toon-protocol/connector", world.registry_url());
    let url = format!("{base}/manifests/3.10.0");
    let refused = http.get(&url).send().await.unwrap();
    assert_eq!(refused.status(), 401);
    let challenge = refused.headers()["www-authenticate"].to_str().unwrap();
    assert!(challenge.ends_with("scope=\"repository:toon-protocol/connector:pull\""));
    let token = registry_token(&http, &world).await;
    let get = async |url: &str, accept: &str| {
        let request = http.get(url).bearer_auth(&token).header("accept", accept);
        request.send().await.unwrap()
    };
    assert_eq!(get(&url, "*/*").await.status(), 404);
    let index = get(&url, INDEX).await;
    let digest = world.image_digest("3.10.0").unwrap();
    assert_eq!(index.headers()["docker-content-digest"], digest.as_str());
    let index: Value = serde_json::from_str(&index.text().await.unwrap()).unwrap();
    let platforms: Vec<&Value> = index["manifests"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| &entry["platform"]["architecture"])
        .collect();
    assert_eq!(platforms, ["amd64", "arm64", "unknown", "unknown"]);
    let referrers = get(&format!("{base}/referrers/{digest}"), INDEX).await;
    assert_eq!(referrers.status(), 404);
    let tags = get(&format!("{base}/tags/list?n=2"), "*/*").await;
    assert!(tags.headers().contains_key("link"));
    world.retag("3.10.0").await;
    assert_ne!(world.image_digest("3.10.0").unwrap(), digest);
}

async fn registry_token(http: &reqwest::Client, world: &World) -> String {
    let scope = "service=ghcr.io&scope=repository:toon-protocol/connector:pull";
    let url = format!("{}/token?{scope}", world.registry_url());
    let text = http.get(url).send().await.unwrap().text().await.unwrap();
    let json: Value = serde_json::from_str(&text).unwrap();
    json["token"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn npm_has_one_packument_until_it_is_gone() {
    let world = World::start().await;
    world.release("3.10.0").without_npm().publish().await;
    let shim = "git+https://github.com/example/shim.git";
    let other = world.release("4.0.0").npm_guard_value(shim);
    other.without_github().without_image().publish().await;
    let client = Client::of(&world);
    let url = format!("{}/@toon-protocol%2fconnector", world.npm_url());
    let before = client.get(&url).await;
    assert!(before.json["versions"]["3.10.0"].is_null());
    assert_eq!(before.json["versions"]["4.0.0"]["repository"]["url"], shim);
    world.publish_npm("3.10.0").await;
    let after = client.get(&url).await;
    assert_eq!(after.json["versions"]["3.10.0"]["version"], "3.10.0");
    let known = [("if-none-match", after.header("etag"))];
    assert_eq!(client.send("GET", &url, Value::Null, &known).await.status, 304);
    world.npm_gone();
    assert_eq!(client.get(&url).await.status, 404);
}

#[tokio::test]
async fn an_npm_version_can_be_exchanged_withdrawn_and_of_another_commit() {
    let world = World::start().await;
    let release = world.release("3.10.0").npm_git_head(None);
    release.npm_published_at("2026-06-01T08:00:00Z").publish().await;
    world.release("3.11.0").npm_git_head(Some("abc")).publish().await;
    let client = Client::of(&world);
    let url = format!("{}/@toon-protocol%2fconnector", world.npm_url());
    let before = client.get(&url).await.json;
    assert_eq!(before["time"]["3.10.0"], "2026-06-01T08:00:00.000Z");
    assert!(before["versions"]["3.10.0"]["gitHead"].is_null());
    assert_eq!(before["versions"]["3.11.0"]["gitHead"], "abc");
    let parent = client.get("repos/toon-protocol/connector/commits/v3.9.3").await.json;
    assert_eq!(before["versions"]["3.9.3"]["gitHead"], parent["parents"][0]["sha"]);
    world.republish_npm("3.10.0").await;
    world.unpublish_npm("3.11.0").await;
    let after = client.get(&url).await.json;
    let integrity = |document: &Value| document["versions"]["3.10.0"]["dist"]["integrity"].clone();
    assert!(integrity(&after).as_str().unwrap().starts_with("sha512-"));
    assert_ne!(integrity(&after), integrity(&before));
    assert!(after["versions"]["3.11.0"].is_null());
    assert_eq!(after["time"]["3.11.0"], before["time"]["3.11.0"]);
    assert_eq!(after["dist-tags"]["latest"], "3.10.0");
}

fn canary(world: &World, dir: &Path, environment: &[(&str, &str)]) -> (Option<i32>, String) {
    let path = "packages/townhouse/dist/image-manifest.json";
    let at = dir.join(path);
    std::fs::create_dir_all(at.parent().unwrap()).unwrap();
    std::fs::write(at, world.file("main", path).unwrap()).unwrap();
    let output = Command::new(CANARY)
        .current_dir(dir)
        .env_clear()
        .env("WORLD_REGISTRY", world.registry_url())
        .envs(environment.iter().copied())
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    (output.status.code(), text)
}

#[tokio::test]
async fn the_canary_passes_fails_and_says_when_it_could_not_ask() {
    let world = World::start().await;
    let dir = tempfile::tempdir().unwrap();
    let (code, text) = canary(&world, dir.path(), &[]);
    assert_eq!(code, Some(0), "{text}");
    assert!(text.contains("environment: WORLD_REGISTRY\n"), "{text}");
    assert!(text.contains("platforms linux/amd64 linux/arm64\n"), "{text}");
    let (code, _) = canary(&world, dir.path(), &[("EXPECT_DIGEST", "sha256:other")]);
    assert_eq!(code, Some(1));
    world.fault(Fault::on(Service::Registry).path_contains("/token").status(503));
    let (code, text) = canary(&world, dir.path(), &[]);
    assert_eq!(code, Some(75), "{text}");
    let broken = World::builder().pinned("1.0.0").start().await;
    let release = broken.release("1.0.0");
    let release = release.breaks_contract("GET /admin/peers is gone");
    release.publish().await;
    let manifest = "packages/townhouse/dist/image-manifest.json";
    let text = String::from_utf8(broken.file("main", manifest).unwrap()).unwrap();
    let old = text.rsplit("sha256:").next().unwrap()[..64].to_owned();
    let new = broken.image_digest("1.0.0").unwrap().replace("sha256:", "");
    let text = text.replace(&old, &new);
    broken.commit_to("main", manifest, text.as_bytes(), "chore: pin");
    let (code, text) = canary(&broken, dir.path(), &[]);
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains("FAIL GET /admin/peers is gone\n"), "{text}");
}

#[tokio::test]
async fn the_tree_is_made_and_changed_as_told() {
    let world = World::builder()
        .pinned("1.0.0")
        .town(|files: &mut BTreeMap<String, Vec<u8>>| {
            files.remove("pnpm-lock.yaml");
        })
        .start()
        .await;
    let digest = world.image_digest("1.0.0").unwrap();
    for path in [
        "packages/townhouse/dist/image-manifest.json",
        "packages/townhouse/src/constants.ts",
        "docker-compose-townhouse.yml",
    ] {
        let text = String::from_utf8(world.file("main", path).unwrap()).unwrap();
        assert_eq!(text.matches(&digest).count(), 1, "{path}");
        assert!(text.ends_with('\n'), "{path}");
    }
    assert!(world.file("main", "pnpm-lock.yaml").is_none());
}
