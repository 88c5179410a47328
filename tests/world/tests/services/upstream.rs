//! Upstream's history, tags and contract, as its interface shows them.

use crate::client::{CONNECTOR, Client};
use world::World;

async fn status(client: &Client, base: &str, head: &str) -> (u16, String) {
    let reply = client.get(&format!("{CONNECTOR}/compare/{base}...{head}")).await;
    (reply.status, reply.json["status"].as_str().unwrap_or_default().to_owned())
}

fn said(status: u16, text: &str) -> (u16, String) {
    (status, text.to_owned())
}

/// The revision that the image under a version's tag is labelled with.
fn revision(world: &World, version: &str) -> String {
    let read = |digest: &str| -> serde_json::Value {
        serde_json::from_slice(&world.pushed(digest).unwrap()).unwrap()
    };
    let index = read(&world.image_digest(version).unwrap());
    let platform = read(index["manifests"][0]["digest"].as_str().unwrap());
    let config = read(platform["config"]["digest"].as_str().unwrap());
    let label = &config["config"]["Labels"]["org.opencontainers.image.revision"];
    label.as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_tag_that_was_pushed_again_has_a_revision_after_the_release() {
    let world = World::start().await;
    let client = Client::of(&world);
    world.release("3.10.0").publish().await;
    let tagged = client.get(&format!("{CONNECTOR}/commits/v3.10.0")).await.json;
    assert_eq!(tagged["parents"][0]["sha"], revision(&world, "3.10.0").as_str());
    assert_eq!(status(&client, "v3.10.0", &revision(&world, "3.10.0")).await, said(200, "behind"));
    world.release("3.11.0").publish().await;
    world.retag("3.10.0").await;
    let moved = revision(&world, "3.10.0");
    let compared = client.get(&format!("{CONNECTOR}/compare/v3.10.0...{moved}")).await.json;
    assert_eq!((&compared["status"], &compared["behind_by"]), (&"ahead".into(), &0.into()));
    // The two commits of the next release, and its own.
    assert_eq!(compared["ahead_by"], 3);
    assert_eq!(compared["commits"][2]["sha"], moved.as_str());
    assert_eq!(compared["merge_base_commit"]["sha"], tagged["sha"]);
    assert_eq!(status(&client, "v3.11.0", &moved).await, said(200, "ahead"));
    assert_eq!(status(&client, "v3.11.0", "v3.10.0").await, said(200, "behind"));
    assert_eq!(status(&client, "v3.10.0", "v3.10.0").await, said(200, "identical"));
    let stray = world.stray_commit();
    assert_eq!(status(&client, "v3.10.0", &stray).await, said(200, "diverged"));
    let invented = "5".repeat(40);
    assert_eq!(status(&client, "v3.10.0", &invented).await, said(404, "404"));
    assert_eq!(client.get(&format!("{CONNECTOR}/commits/{invented}")).await.status, 422);
}

#[tokio::test]
async fn a_git_tag_can_move_or_go_while_the_release_stays() {
    let world = World::start().await;
    let client = Client::of(&world);
    world.release("3.10.0").publish().await;
    let reference = format!("{CONNECTOR}/git/ref/tags/v3.10.0");
    let before = client.get(&reference).await.json["object"]["sha"].clone();
    let moved = world.move_git_tag("3.10.0");
    assert_eq!(client.get(&reference).await.json["object"]["sha"], moved.as_str());
    let commit = client.get(&format!("{CONNECTOR}/commits/v3.10.0")).await.json;
    assert_eq!(commit["sha"], moved.as_str());
    assert_eq!(status(&client, before.as_str().unwrap(), &moved).await, said(200, "ahead"));
    world.delete_git_tag("3.10.0");
    assert_eq!(client.get(&reference).await.status, 404);
    assert_eq!(client.get(&format!("{CONNECTOR}/commits/v3.10.0")).await.status, 422);
    let tags = client.get(&format!("{CONNECTOR}/tags")).await.json;
    assert!(tags.as_array().unwrap().iter().all(|tag| tag["name"] != "v3.10.0"));
    let release = client.get(&format!("{CONNECTOR}/releases/tags/v3.10.0")).await;
    assert_eq!(release.json["tag_name"], "v3.10.0");
    world.release("3.11.0").without_git_tag().publish().await;
    let reference = format!("{CONNECTOR}/git/ref/tags/v3.11.0");
    assert_eq!(client.get(&reference).await.status, 404);
}

#[tokio::test]
async fn the_contract_is_what_the_release_says_and_stays_until_another_changes_it() {
    let world = World::start().await;
    let client = Client::of(&world);
    world.release("3.10.0").publish().await;
    world.release("3.11.0").contract("# Contract\n\nnothing is promised\n").publish().await;
    world.release("3.12.0").contract("").publish().await;
    let path = format!("{CONNECTOR}/contents/CONNECTOR_RELEASE_CONTRACT.md");
    let raw = [("accept", "application/vnd.github.raw+json")];
    let read = async |name: &str| {
        let url = format!("{}/{path}?ref={name}", client.base);
        let request = client.http.get(url).header(raw[0].0, raw[0].1);
        let response = request.send().await.unwrap();
        (response.status().as_u16(), response.text().await.unwrap())
    };
    let (first, second) = (read("v3.9.3").await, read("v3.10.0").await);
    assert!(first.1.contains("/admin/peers"), "{}", first.1);
    assert_eq!(first, second);
    assert_eq!(read("v3.11.0").await, (200, "# Contract\n\nnothing is promised\n".to_owned()));
    assert_eq!(read("v3.12.0").await.0, 404);
    assert_eq!(read("main").await.0, 404);
    assert_eq!(read("v0.0.1").await.0, 404);
    let encoded = client.get(&format!("{path}?ref=v3.11.0")).await.json;
    assert_eq!(encoded["encoding"], "base64");
    let readme = client.get(&format!("{CONNECTOR}/contents/README.md?ref=v3.10.0")).await;
    assert_eq!(readme.json["name"], "README.md");
    let compared = client.get(&format!("{CONNECTOR}/compare/v3.10.0...v3.11.0")).await.json;
    assert_eq!(compared["files"][0]["filename"], "CONNECTOR_RELEASE_CONTRACT.md");
    let hunks = compared["files"][0]["patch"].as_str().unwrap();
    assert!(hunks.starts_with("@@") && hunks.contains("-| GET | `/admin/peers`"), "{hunks}");
}
