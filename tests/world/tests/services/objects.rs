//! What a bot does through REST beside pull requests: commits, comments, reactions, checks.

use crate::client::{Client, TOWN, git, open, push};
use serde_json::{Value, json};
use world::{Fault, Service, World};

#[tokio::test]
async fn a_commit_made_of_rest_objects_keeps_the_modes_of_its_tree() {
    let world = World::start().await;
    let client = Client::of(&world);
    let main = world.branches()["main"].clone();
    let script = "scripts/townhouse-e2e-local-hs.sh";
    let wish = json!({ "content": "IyEvYmluL3NoCg==", "encoding": "base64" });
    let blob = client.post(&format!("{TOWN}/git/blobs"), wish).await;
    let entry =
        json!({ "path": script, "mode": "100755", "type": "blob", "sha": blob.json["sha"] });
    let wish = json!({ "base_tree": main, "tree": [entry] });
    let tree = client.post(&format!("{TOWN}/git/trees"), wish).await;
    let wish = json!({ "message": "test: shorten", "tree": tree.json["sha"], "parents": [main] });
    let commit = client.post(&format!("{TOWN}/git/commits"), wish).await;
    assert_eq!(commit.json["author"]["name"], "digest-bump[bot]");
    let sha = &commit.json["sha"];
    let wish = json!({ "ref": "refs/heads/digest-bump/a", "sha": sha });
    let refs = format!("{TOWN}/git/refs");
    assert_eq!(client.post(&refs, wish.clone()).await.status, 201);
    assert_eq!(client.post(&refs, wish).await.status, 422);
    assert_eq!(world.file("digest-bump/a", script).unwrap(), b"#!/bin/sh\n");
    let changed = git(world.bare_repo(), &["diff", "--raw", "main", "digest-bump/a"]).unwrap();
    assert_eq!(changed.lines().count(), 1);
    assert!(changed.starts_with(":100755 100755"), "{changed}");
    let back = json!({ "sha": main });
    let path = format!("{TOWN}/git/refs/heads/digest-bump/a");
    let refused = client.send("PATCH", &path, back, &[]).await;
    assert_eq!(refused.json["message"], "Update is not a fast forward");
}

#[tokio::test]
async fn a_comment_is_answered_by_one_reaction_however_often_it_is_given() {
    let world = World::start().await;
    let client = Client::of(&world);
    let number = world.open_issue_as("zoe", "which version?", "please");
    world.set_permission("zoe", "write");
    let permission = format!("{TOWN}/collaborators/zoe/permission");
    assert_eq!(client.get(&permission).await.json["permission"], "write");
    let id = world.comment_as("zoe", number, "/bump 3.10.0");
    let path = format!("{TOWN}/issues/comments/{id}/reactions");
    let eyes = json!({ "content": "eyes" });
    assert_eq!(client.post(&path, eyes.clone()).await.status, 201);
    assert_eq!(client.post(&path, eyes).await.status, 200);
    let bot = "digest-bump[bot]".to_owned();
    assert_eq!(world.reactions(id), [(bot.clone(), "eyes".to_owned())]);
    let comments = format!("{TOWN}/issues/{number}/comments");
    let made = client.post(&comments, json!({ "body": "on it" })).await;
    let edited = format!("{TOWN}/issues/comments/{}", made.json["id"]);
    let wish = json!({ "body": "done" });
    client.send("PATCH", &edited, wish, &[]).await;
    let seen = world.comments(number);
    assert_eq!((seen[1].author.as_str(), seen[1].body.as_str()), (bot.as_str(), "done"));
}

#[tokio::test]
async fn checks_and_labels_belong_to_what_they_are_put_on() {
    let world = World::start().await;
    let client = Client::of(&world);
    let sha = world.commit_to("digest-bump/a", "A.md", b"one\n", "docs: one");
    open(&client, "digest-bump/a").await;
    let wish = json!({ "name": "canary", "head_sha": sha, "external_id": "run-1" });
    let run = client.post(&format!("{TOWN}/check-runs"), wish).await;
    let path = format!("{TOWN}/check-runs/{}", run.json["id"]);
    let wish = json!({ "conclusion": "success" });
    let done = client.send("PATCH", &path, wish, &[]).await;
    assert_eq!(done.json["status"], "completed");
    let listed = client.get(&format!("{TOWN}/commits/{sha}/check-runs")).await;
    assert_eq!(listed.json["check_runs"][0]["external_id"], "run-1");
    let labels = format!("{TOWN}/issues/1/labels");
    for _ in 0..2 {
        let wish = json!({ "labels": ["connector"] });
        assert_eq!(client.post(&labels, wish).await.status, 200);
    }
    assert_eq!(world.pulls()[0].labels, ["connector"]);
    let one = client.get(&format!("{TOWN}/pulls/1")).await;
    assert_eq!(one.json["labels"][0]["name"], "connector");
}

#[tokio::test]
async fn a_base_that_takes_in_the_head_merges_and_a_head_that_goes_back_closes() {
    let world = World::start().await;
    let client = Client::of(&world);
    let main = world.branches()["main"].clone();
    world.commit_to("digest-bump/a", "A.md", b"one\n", "docs: one");
    open(&client, "digest-bump/a").await;
    let back = json!({ "sha": main, "force": true });
    let path = format!("{TOWN}/git/refs/heads/digest-bump/a");
    assert_eq!(client.send("PATCH", &path, back, &[]).await.status, 200);
    let pull = world.pulls().remove(0);
    assert_eq!((pull.state.as_str(), pull.merged), ("closed", false));
    let sha = world.commit_to("digest-bump/b", "B.md", b"two\n", "docs: two");
    open(&client, "digest-bump/b").await;
    let mut maya = Client::of(&world);
    maya.token = Some(world.token_of("maya"));
    let path = format!("{TOWN}/git/refs/heads/main");
    let forward = json!({ "sha": sha });
    assert_eq!(maya.send("PATCH", &path, forward, &[]).await.status, 200);
    assert!(world.pulls()[1].merged);
}

#[tokio::test]
async fn a_merge_is_for_people() {
    let world = World::start().await;
    let mut client = Client::of(&world);
    world.commit_to("digest-bump/a", "A.md", b"one\n", "docs: one");
    open(&client, "digest-bump/a").await;
    let path = format!("{TOWN}/pulls/1/merge");
    world.expect_unusual("the bot asked to merge #1");
    assert_eq!(client.send("PUT", &path, Value::Null, &[]).await.status, 403);
    client.token = Some(world.token_of("maya"));
    assert_eq!(client.send("PUT", &path, Value::Null, &[]).await.status, 200);
    assert!(world.pulls()[0].merged);
}

#[tokio::test]
async fn a_rule_of_the_repository_refuses_a_push_with_its_reason() {
    let world = World::start().await;
    let dir = tempfile::tempdir().unwrap();
    world.reject_pushes(Some("workflows need another permission"));
    let refused = push(&world, dir.path(), "digest-bump/a", world.token()).unwrap_err();
    assert!(refused.contains("workflows need another permission"), "{refused}");
    world.reject_pushes(None);
    push(&world, dir.path(), "digest-bump/b", world.token()).unwrap();
    let link = world.commit_with_mode("main", "LINK", "120000", b"README.md", "docs: link");
    let listed = git(world.bare_repo(), &["ls-tree", &link, "LINK"]).unwrap();
    assert!(listed.starts_with("120000"), "{listed}");
}

#[tokio::test]
async fn other_faults_lie_in_their_own_ways() {
    let world = World::start().await;
    let client = Client::of(&world);
    world.fault(Fault::on(Service::GitHub).html());
    let page = client.get(TOWN).await;
    assert_eq!((page.status, page.json), (200, Value::Null));
    assert!(page.headers["content-type"].to_str().unwrap().starts_with("text/html"));
    world.fault(Fault::on(Service::GitHub).redirect("http://127.0.0.1:1/elsewhere"));
    let no_redirects = reqwest::redirect::Policy::none();
    let http = reqwest::Client::builder().redirect(no_redirects).build().unwrap();
    let sent = http.get(world.github_url()).send().await.unwrap();
    assert_eq!(sent.status(), 302);
    world.set_rate_limit_remaining("digest-bump[bot]", 0);
    let limited = client.get(TOWN).await;
    assert_eq!((limited.status, limited.header("x-ratelimit-remaining")), (403, "0"));
}

#[test]
fn a_recorded_history_is_read_oldest_first() {
    let dir = tempfile::tempdir().unwrap();
    let index =
        json!([{ "tag": "v1.0.0", "date": "2026-01-23T20:15:56Z", "sha": "a", "parent": "b" }]);
    std::fs::write(dir.path().join("index.json"), index.to_string()).unwrap();
    std::fs::write(dir.path().join("v1.0.0.md"), "notes\n").unwrap();
    let read = world::history(dir.path());
    assert_eq!((read[0].tag.as_str(), read[0].notes.as_str()), ("v1.0.0", "notes\n"));
}
