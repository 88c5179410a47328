//! Lists lag behind writes where they are told to, each of them; what is asked for by name does not.

use crate::client::{Client, TOWN, open, push};
use serde_json::{Value, json};
use world::World;

/// Asks for a list while it lags, and then again.
async fn twice(world: &World, client: &Client, list: &str) -> (Value, Value) {
    world.list_lag(1);
    let path = format!("{TOWN}/{list}");
    (client.get(&path).await.json, client.get(&path).await.json)
}

/// Does something that is a write, and says what each list showed while it lagged and then.
async fn after(
    world: &World,
    client: &Client,
    (method, path, wish): (&str, &str, Value),
    lists: &[&str],
) -> Vec<(Value, Value)> {
    let done = client.send(method, &format!("{TOWN}/{path}"), wish, &[]).await;
    assert!(done.status < 300, "{method} {path}: {}", done.json);
    let mut shown = Vec::new();
    for list in lists {
        shown.push(twice(world, client, list).await);
    }
    shown
}

fn count(list: &Value) -> usize {
    list.as_array().map_or(0, Vec::len)
}

#[tokio::test]
async fn a_new_pull_request_is_seen_late_and_all_of_it_at_once() {
    let world = World::start().await;
    let client = Client::of(&world);
    world.commit_to("digest-bump/a", "A.md", b"one\n", "docs: one");
    open(&client, "digest-bump/a").await;
    for list in ["pulls", "pulls?head=toon-protocol:digest-bump/a", "issues"] {
        let (late, then) = twice(&world, &client, list).await;
        assert_eq!((count(&late), count(&then)), (0, 1), "{list}");
    }
    world.list_lag(1);
    assert_eq!(client.get(&format!("{TOWN}/pulls/1")).await.status, 200);
    assert_eq!(count(&client.get(&format!("{TOWN}/pulls")).await.json), 0);
    let wish = json!({ "title": "a", "labels": ["one", "two"] });
    let shown = after(&world, &client, ("POST", "issues", wish), &["issues", "labels"]).await;
    assert_eq!((count(&shown[0].0), count(&shown[0].1)), (1, 2));
    assert_eq!((count(&shown[1].0), count(&shown[1].1)), (0, 2));
    let wish = json!({ "title": "b", "state": "closed" });
    let shown = after(&world, &client, ("PATCH", "issues/2", wish), &["issues"]).await;
    assert_eq!((&shown[0].0[0]["title"], count(&shown[0].1)), (&json!("a"), 1));
}

#[tokio::test]
async fn what_is_said_and_put_on_an_issue_is_seen_late() {
    let world = World::start().await;
    let client = Client::of(&world);
    let n = world.open_issue_as("maya", "a", "a");
    let (comments, labels) = (format!("issues/{n}/comments"), format!("issues/{n}/labels"));
    let (body, eyes) = (json!({ "body": "a" }), json!({ "content": "eyes" }));
    let lists = [comments.as_str(), "issues/comments"];
    let shown = after(&world, &client, ("POST", &comments, body), &lists).await;
    assert!(shown.iter().all(|(late, then)| (count(late), count(then)) == (0, 1)), "{shown:?}");
    let id = &shown[0].1[0]["id"];
    let one = format!("issues/comments/{id}");
    let wish = json!({ "body": "b" });
    let shown = after(&world, &client, ("PATCH", &one, wish), &lists[..1]).await;
    assert_eq!((&shown[0].0[0]["body"], &shown[0].1[0]["body"]), (&json!("a"), &json!("b")));
    for target in [one.clone(), format!("issues/{n}")] {
        let list = format!("{target}/reactions");
        let shown = after(&world, &client, ("POST", &list, eyes.clone()), &[&list]).await;
        assert_eq!((count(&shown[0].0), count(&shown[0].1)), (0, 1));
    }
    let shown = after(&world, &client, ("DELETE", &one, Value::Null), &lists[..1]).await;
    assert_eq!((count(&shown[0].0), count(&shown[0].1)), (1, 0));
    let wish = json!({ "labels": ["connector"] });
    let shown = after(&world, &client, ("POST", &labels, wish), &[&labels, "labels"]).await;
    assert!(shown.iter().all(|(late, then)| (count(late), count(then)) == (0, 1)), "{shown:?}");
}

#[tokio::test]
async fn refs_are_seen_late_however_they_are_moved() {
    let world = World::start().await;
    let client = Client::of(&world);
    let dir = tempfile::tempdir().unwrap();
    let list = "git/matching-refs/heads/digest-bump/";
    let first = push(&world, dir.path(), "digest-bump/a", world.token()).unwrap();
    let (late, then) = twice(&world, &client, list).await;
    assert_eq!((count(&late), count(&then)), (0, 1));
    let second = world.commit_to("digest-bump/a", "A.md", b"two\n", "docs: two");
    let (late, then) = twice(&world, &client, list).await;
    let at = |list: &Value| list[0]["object"]["sha"].as_str().unwrap().to_owned();
    assert_eq!((at(&late), at(&then)), (first, second.clone()));
    let one = "git/refs/heads/digest-bump/a";
    let shown = after(&world, &client, ("DELETE", one, Value::Null), &[list]).await;
    assert_eq!((at(&shown[0].0), count(&shown[0].1)), (second, 0));
}

#[tokio::test]
async fn checks_and_statuses_are_seen_late() {
    let world = World::start().await;
    let client = Client::of(&world);
    let sha = world.branches()["main"].clone();
    let runs = format!("commits/{sha}/check-runs");
    let wish = json!({ "name": "canary", "head_sha": sha });
    let shown = after(&world, &client, ("POST", "check-runs", wish), &[&runs]).await;
    let (late, then) = &shown[0];
    assert_eq!((&late["total_count"], &then["total_count"]), (&json!(0), &json!(1)));
    let status = format!("commits/{sha}/status");
    let set = format!("statuses/{sha}");
    let shown =
        after(&world, &client, ("POST", &set, json!({ "state": "success" })), &[&status]).await;
    assert_eq!(
        (&shown[0].0["state"], &shown[0].1["state"]),
        (&json!("pending"), &json!("success"))
    );
}

#[tokio::test]
async fn lists_lag_behind_what_the_bot_changed_until_somebody_else_acts() {
    let world = World::start().await;
    let client = Client::of(&world);
    world.lists_lag_behind_writes(2);
    let issues = async || count(&client.get(&format!("{TOWN}/issues?state=all")).await.json);
    let path = format!("{TOWN}/issues");
    let open = async || client.send("POST", &path, json!({ "title": "a" }), &[]).await.status;
    assert_eq!(open().await, 201);
    assert_eq!([issues().await, issues().await, issues().await], [0, 0, 1]);
    // A question by GraphQL changes nothing.
    let asked = json!({ "query": "{ viewer { login } }" });
    assert_eq!(client.send("POST", "graphql", asked, &[]).await.status, 200);
    assert_eq!(issues().await, 1);
    assert_eq!(open().await, 201);
    assert_eq!(issues().await, 1);
    world.set_now("2026-06-12T08:00:00Z");
    assert_eq!(issues().await, 2);
}
