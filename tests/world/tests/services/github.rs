//! The REST interface, git over HTTP, and the rules.

use crate::client::{CONNECTOR, Client, Reply, TOWN, git, open, push};
use serde_json::{Value, json};
use world::{Fault, Service, World};

#[tokio::test]
async fn a_branch_is_pushed_over_http_and_becomes_a_pull_request_once() {
    let world = World::start().await;
    let client = Client::of(&world);
    let dir = tempfile::tempdir().unwrap();
    let sha = push(&world, dir.path(), "digest-bump/connector", world.token()).unwrap();
    assert_eq!(world.branches()["digest-bump/connector"], sha);
    let first = open(&client, "digest-bump/connector").await;
    assert_eq!((first.status, &first.json["number"]), (201, &json!(1)));
    assert_eq!(first.json["head"]["sha"], json!(sha));
    assert_eq!(first.json["changed_files"], 1);
    let again = open(&client, "toon-protocol:digest-bump/connector").await;
    assert_eq!(again.status, 422);
    assert_eq!(
        again.json["errors"][0]["message"],
        "A pull request already exists for toon-protocol:digest-bump/connector."
    );
    let unknown = open(&client, "digest-bump/none").await;
    assert_eq!(unknown.json["errors"][0]["field"], "head");
    let listed = client
        .get(&format!("{TOWN}/pulls?state=all&head=toon-protocol:digest-bump/connector"))
        .await;
    assert_eq!(listed.json.as_array().unwrap().len(), 1);
    let writes: Vec<Service> = world.writes().iter().map(|write| write.service).collect();
    assert_eq!(writes, [Service::Git, Service::GitHub]);
}

#[tokio::test]
async fn a_push_moves_the_pull_request_and_a_lost_branch_closes_it_for_good() {
    let world = World::start().await;
    let client = Client::of(&world);
    world.commit_to("digest-bump/a", "A.md", b"one\n", "docs: one");
    open(&client, "digest-bump/a").await;
    let second = world.commit_to("digest-bump/a", "A.md", b"two\n", "docs: two");
    assert_eq!(world.pulls()[0].head_sha, second);
    world.close(1);
    assert_eq!(world.reopen(1), Ok(()));
    world.delete_branch("digest-bump/a");
    assert_eq!(world.pulls()[0].state, "closed");
    assert_eq!(world.reopen(1), Err(422));
    let wish = json!({ "state": "open" });
    let path = format!("{TOWN}/pulls/1");
    let refused = client.send("PATCH", &path, wish, &[]).await;
    assert_eq!(refused.status, 422);
    // Nobody has to listen for it to be remembered.
    let events = world.pull_events();
    let actions: Vec<&str> = events.iter().map(|(_, action)| action.as_str()).collect();
    assert_eq!(actions, ["opened", "synchronize", "closed", "reopened", "closed"]);
    assert!(events.iter().all(|(number, _)| *number == 1));
}

#[tokio::test]
async fn a_merge_is_a_squash_that_keeps_modes_and_numbers_the_subject() {
    let world = World::start().await;
    let client = Client::of(&world);
    let script = "scripts/townhouse-e2e-local-hs.sh";
    world.commit_to("digest-bump/a", script, b"#!/bin/sh\n", "test: shorten");
    assert_eq!(open(&client, "digest-bump/a").await.status, 201);
    world.merge(1);
    assert!(world.pulls()[0].merged);
    assert_eq!(world.file("main", script).unwrap(), b"#!/bin/sh\n");
    let bare = world.bare_repo();
    let subject = git(bare, &["log", "-1", "--format=%s", "main"]).unwrap();
    assert_eq!(subject.trim(), "chore: news (#1)");
    let mode = git(bare, &["ls-tree", "main", script]).unwrap();
    assert!(mode.starts_with("100755"), "{mode}");
    let merged = client.get(&format!("{TOWN}/pulls/1")).await;
    assert_eq!(merged.json["merged_by"]["login"], "maya");
}

#[tokio::test]
async fn git_lets_anybody_read_and_only_the_bot_write() {
    let world = World::start().await;
    let dir = tempfile::tempdir().unwrap();
    let refused = push(&world, dir.path(), "digest-bump/a", "wrong").unwrap_err();
    assert!(refused.contains("Authentication failed"), "{refused}");
    assert!(world.writes().is_empty());
    world.expect_unusual("not its own");
    push(&world, dir.path(), "feature/a", world.token()).unwrap();
}

#[tokio::test]
async fn releases_are_paged_by_opaque_links_and_answered_conditionally() {
    let world = World::start().await;
    let client = Client::of(&world);
    for minor in 10..13 {
        let version = format!("3.{minor}.0");
        let at = format!("2027-01-{minor}T00:00:00Z");
        world.release(&version).published_at(&at).publish().await;
    }
    world.release("3.13.0").draft().publish().await;
    let first = client.get(&format!("{CONNECTOR}/releases?per_page=2")).await;
    assert_eq!(first.json[0]["tag_name"], "v3.12.0");
    let next = first.header("link").split(['<', '>']).nth(1).unwrap();
    assert!(next.contains("/repositories/"), "{next}");
    let second = client.get(next).await;
    assert_eq!(second.json[0]["tag_name"], "v3.10.0");
    assert!(!second.header("link").contains("next"));
    let etag = first.header("etag").to_owned();
    assert!(etag.starts_with("W/"));
    let path = format!("{CONNECTOR}/releases?per_page=2");
    let known = [("if-none-match", etag.as_str())];
    let same = client.send("GET", &path, Value::Null, &known).await;
    assert_eq!((same.status, same.json), (304, Value::Null));
    let since = [("if-modified-since", first.header("last-modified"))];
    assert_eq!(client.send("GET", &path, Value::Null, &since).await.status, 304);
    world.bump_download_count();
    let changed = client.send("GET", &path, Value::Null, &known).await;
    assert_eq!(changed.status, 200);
    let left = |reply: &Reply| reply.header("x-ratelimit-remaining").parse::<u32>().unwrap();
    assert_eq!(left(&changed) + 1, left(&second));
}

#[tokio::test]
async fn faults_strike_where_and_as_often_as_told() {
    let world = World::start().await;
    let client = Client::of(&world);
    let path = format!("{CONNECTOR}/releases");
    let fault = Fault::on(Service::GitHub).path_contains("releases");
    world.fault(fault.clone().times(2).status(503).header("retry-after", "1"));
    world.fault(fault.clone().cut_body());
    world.fault(fault.clone().close_connection());
    assert_eq!(client.get(&path).await.status, 503);
    assert_eq!(client.get(&path).await.header("retry-after"), "1");
    let url = format!("{}/{path}", client.base);
    let cut = client.http.get(&url).send().await.unwrap();
    assert_eq!(cut.status(), 200);
    assert!(cut.bytes().await.is_err());
    assert!(client.http.get(&url).send().await.is_err());
    assert_eq!(client.get(&path).await.status, 200);
    let statuses: Vec<u16> = world.requests().iter().map(|seen| seen.status).collect();
    assert_eq!(statuses, [503, 503, 200, 0, 200]);
    let labels = format!("{TOWN}/labels");
    world.fault(Fault::on(Service::GitHub).method("POST").after_commit(502));
    let unknown = client.post(&labels, json!({ "name": "connector" })).await;
    assert_eq!(unknown.status, 502);
    assert_eq!(client.get(&labels).await.json[0]["name"], "connector");
    assert_eq!(world.writes().len(), 1);
}

#[tokio::test]
async fn what_no_good_bot_does_is_remembered() {
    let world = World::start().await;
    let client = Client::of(&world);
    let upstream = format!("{CONNECTOR}/issues");
    let refused = client.post(&upstream, json!({ "title": "hello" })).await;
    assert_eq!(refused.status, 403);
    assert_eq!(client.get(&format!("{TOWN}/nothing")).await.status, 404);
    assert_eq!(world.violations().len(), 2);
    world.expect_unusual("write upstream");
    world.expect_unusual("does not know");
}

#[tokio::test]
#[should_panic(expected = "the world does not know GET /nothing")]
async fn a_world_that_saw_a_violation_panics_at_its_end() {
    let world = World::start().await;
    Client::of(&world).get("nothing").await;
}

#[tokio::test]
async fn tokens_decide_what_is_seen() {
    let world = World::start().await;
    let mut client = Client::of(&world);
    let repository = client.get(TOWN).await;
    assert_eq!(repository.json["permissions"]["push"], true);
    assert_eq!(client.get(CONNECTOR).await.json["permissions"]["push"], false);
    client.token = None;
    assert_eq!(client.get(TOWN).await.header("x-ratelimit-limit"), "60");
    assert_eq!(client.post(&format!("{TOWN}/issues"), json!({})).await.status, 401);
    client.token = Some("ghs_wrong".to_owned());
    let bad = client.get(TOWN).await;
    assert_eq!((bad.status, &bad.json["message"]), (401, &json!("Bad credentials")));
    client.token = Some(world.app_jwt());
    let installation = client.get(&format!("{TOWN}/installation")).await;
    let mint = installation.json["access_tokens_url"].as_str().unwrap();
    let minted = client.post(mint, Value::Null).await;
    client.token = Some(minted.json["token"].as_str().unwrap().to_owned());
    assert_eq!(client.get("user").await.json["login"], "digest-bump[bot]");
}

#[tokio::test]
async fn ci_concludes_checks_which_only_an_app_may_make() {
    let world = World::start().await;
    let main = world.branches()["main"].clone();
    world.ci_begins(&main, "contract");
    world.ci_concludes(&main, "contract", "failure");
    world.ci_concludes(&main, "contract", "success");
    let runs = [("contract", "failure"), ("contract", "success")];
    assert_eq!(world.check_runs(&main), runs.map(|(a, b)| (a.to_owned(), b.to_owned())));
    let bot = Client::of(&world);
    let person = Client { token: Some(world.token_of("maya")), ..Client::of(&world) };
    let wish = || json!({ "name": "mine", "head_sha": main });
    for (client, status) in [(&person, 403), (&bot, 201)] {
        assert_eq!(client.post(&format!("{TOWN}/check-runs"), wish()).await.status, status);
    }
    // What has concluded stays so; what it says may change.
    let run = world.check_run(&main, "mine").unwrap();
    let run = format!("{TOWN}/check-runs/{}", run["id"]);
    let output = json!({ "title": "a", "summary": "b" });
    for (conclusion, status) in [("success", 200), ("failure", 200)] {
        let wish = json!({ "conclusion": conclusion, "output": output });
        assert_eq!(bot.patch(&run, wish).await.status, status);
    }
    let run = bot.patch(&run, json!({ "status": "in_progress" })).await.json;
    assert_eq!((&run["status"], &run["conclusion"]), (&json!("completed"), &json!("success")));
    let wish = json!({ "state": "pending", "context": "mine" });
    let status = person.post(&format!("{TOWN}/statuses/{main}"), wish).await.status;
    assert_eq!(status, 201);
    assert_eq!(world.statuses(&main), [("mine".to_owned(), "pending".to_owned())]);
}
