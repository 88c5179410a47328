//! The GraphQL interface: refs that are moved together, drafts, and what can be read.

use crate::client::{CONNECTOR, Client, TOWN, open};
use serde_json::{Value, json};
use world::{Fault, Service, World};

const NOWHERE: &str = "0000000000000000000000000000000000000000";

const READ: &str = "query Read($owner: String!, $name: String!, $branch: String!, $number: Int!) {
    repository(owner: $owner, name: $name) {
        id
        ref(qualifiedName: $branch) { id name target { oid } }
        pullRequest(number: $number) { id number isDraft state headRefOid }
    }
}";

const UPDATE: &str = "mutation Update($input: UpdateRefsInput!) {
    updateRefs(input: $input) { clientMutationId }
}";

impl Client {
    async fn graphql(&self, query: &str, variables: Value) -> Value {
        let wish = json!({ "query": query, "variables": variables });
        let reply = self.post("graphql", wish).await;
        assert_eq!(reply.status, 200, "{}", reply.json);
        reply.json
    }

    async fn read_pull(&self, number: u64) -> Value {
        let variables = json!({
            "owner": "toon-protocol", "name": "town", "branch": "refs/heads/digest-bump/a",
            "number": number,
        });
        self.graphql(READ, variables).await
    }

    async fn update(&self, updates: Value) -> Value {
        let read = self.read_pull(1).await;
        let id = &read["data"]["repository"]["id"];
        let input = json!({ "repositoryId": id, "refUpdates": updates, "clientMutationId": "me" });
        self.graphql(UPDATE, json!({ "input": input })).await
    }
}

async fn with_a_pull() -> (World, Client, String) {
    let world = World::start().await;
    let client = Client::of(&world);
    let sha = world.commit_to("digest-bump/a", "A.md", b"one\n", "docs: one");
    open(&client, "digest-bump/a").await;
    (world, client, sha)
}

#[tokio::test]
async fn whoever_asks_is_told_who_they_are() {
    let world = World::start().await;
    let bot = Client::of(&world).graphql("query { viewer { id login } }", json!({})).await;
    assert_eq!(bot["data"]["viewer"]["login"], "digest-bump[bot]");
    assert_eq!(world.writes(), []);
}

#[tokio::test]
async fn a_repository_is_read_with_a_branch_and_a_pull_request() {
    let (world, client, sha) = with_a_pull().await;
    let read = client.read_pull(1).await;
    let repository = &read["data"]["repository"];
    assert_eq!(repository["ref"]["name"], "digest-bump/a");
    assert_eq!(repository["ref"]["target"]["oid"], sha.as_str());
    let pull = &repository["pullRequest"];
    assert_eq!((&pull["state"], &pull["isDraft"]), (&json!("OPEN"), &json!(false)));
    assert_eq!(pull["headRefOid"], sha.as_str());
    let rest = client.get(&format!("{TOWN}/pulls/1")).await;
    assert_eq!(pull["id"], rest.json["node_id"]);
    world.merge(1);
    world.delete_branch("digest-bump/a");
    let read = client.read_pull(1).await;
    assert_eq!(read["data"]["repository"]["ref"], Value::Null);
    assert_eq!(read["data"]["repository"]["pullRequest"]["state"], "MERGED");
    let none = client.read_pull(9).await;
    assert_eq!(none["data"]["repository"]["pullRequest"], Value::Null);
    let error = &none["errors"][0];
    assert_eq!(error["type"], "NOT_FOUND");
    assert_eq!(error["path"], json!(["repository", "pullRequest"]));
    assert_eq!(error["locations"], json!([{ "line": 5, "column": 9 }]));
    let message = "Could not resolve to a PullRequest with the number of 9.";
    assert_eq!(error["message"], message);
    let short = "{ repository(owner: \"toon-protocol\", name: \"connector\") {
        nameWithOwner ref(qualifiedName: \"main\") { name prefix target { __typename } }
    } }";
    let short = client.graphql(short, Value::Null).await;
    let branch = &short["data"]["repository"]["ref"];
    assert_eq!((&branch["prefix"], &branch["name"]), (&json!("refs/heads/"), &json!("main")));
    assert_eq!(branch["target"]["__typename"], "Commit");
    assert!(world.writes().iter().all(|write| write.path != "/graphql"));
}

#[tokio::test]
async fn a_ref_is_moved_only_from_where_it_must_be() {
    let (world, client, sha) = with_a_pull().await;
    let main = world.branches()["main"].clone();
    let other = world.commit_to("digest-bump/b", "B.md", b"two\n", "docs: two");
    let a = "refs/heads/digest-bump/a";
    let stale = json!([{ "name": a, "beforeOid": main, "afterOid": other, "force": true }]);
    let refused = client.update(stale).await;
    assert_eq!(refused["data"]["updateRefs"], Value::Null);
    assert_eq!(refused["errors"][0]["type"], "STALE_DATA");
    assert_eq!(world.branches()["digest-bump/a"], sha);
    let backwards =
        client.update(json!([{ "name": a, "beforeOid": sha, "afterOid": other }])).await;
    assert_eq!(backwards["errors"][0]["message"], "Update is not a fast forward");
    let there =
        client.update(json!([{ "name": a, "beforeOid": NOWHERE, "afterOid": other }])).await;
    assert_eq!(there["errors"][0]["type"], "STALE_DATA");
    assert!(world.writes().iter().all(|write| write.path != "/graphql"));
    let moved = json!([{ "name": a, "beforeOid": sha, "afterOid": other, "force": true }]);
    let done = client.update(moved).await;
    assert_eq!(done, json!({ "data": { "updateRefs": { "clientMutationId": "me" } } }));
    assert_eq!(world.branches()["digest-bump/a"], other);
    assert_eq!(world.pulls()[0].head_sha, other);
    assert_eq!(world.writes().iter().filter(|write| write.path == "/graphql").count(), 1);
}

#[tokio::test]
async fn all_refs_are_moved_or_none() {
    let (world, client, sha) = with_a_pull().await;
    let (a, b) = ("refs/heads/digest-bump/a", "refs/heads/digest-bump/b");
    let gone = json!({ "name": a, "beforeOid": sha, "afterOid": NOWHERE });
    let lost = json!({ "name": b, "afterOid": "1".repeat(40) });
    let refused = client.update(json!([gone, lost])).await;
    assert_eq!(refused["errors"][0]["message"], "Object does not exist");
    assert_eq!(world.branches()["digest-bump/a"], sha);
    let made = json!({ "name": b, "beforeOid": NOWHERE, "afterOid": sha });
    let done = client.update(json!([gone, made])).await;
    assert_eq!(done["errors"], Value::Null);
    assert!(!world.branches().contains_key("digest-bump/a"));
    assert_eq!(world.branches()["digest-bump/b"], sha);
    assert_eq!(world.pulls()[0].state, "closed");
}

#[tokio::test]
async fn a_pull_request_becomes_a_draft_and_ready_again() {
    let (world, client, _) = with_a_pull().await;
    let id = client.read_pull(1).await["data"]["repository"]["pullRequest"]["id"].clone();
    let to_draft = "mutation($id: ID!) {
        convertPullRequestToDraft(input: { pullRequestId: $id }) { pullRequest { isDraft } }
    }";
    let to_ready = "mutation($id: ID!) {
        markPullRequestReadyForReview(input: { pullRequestId: $id }) { pullRequest { isDraft } }
    }";
    let done = client.graphql(to_draft, json!({ "id": id })).await;
    let pull = &done["data"]["convertPullRequestToDraft"]["pullRequest"];
    assert_eq!((&pull["isDraft"], world.pulls()[0].draft), (&json!(true), true));
    let done = client.graphql(to_ready, json!({ "id": id })).await;
    let pull = &done["data"]["markPullRequestReadyForReview"]["pullRequest"];
    assert_eq!((&pull["isDraft"], world.pulls()[0].draft), (&json!(false), false));
    let none = client.graphql(to_draft, json!({ "id": "PR_none" })).await;
    assert_eq!(none["errors"][0]["type"], "NOT_FOUND");
    world.close(1);
    let closed = client.graphql(to_draft, json!({ "id": id })).await;
    assert_eq!(closed["errors"][0]["type"], "UNPROCESSABLE");
    world.fault(Fault::on(Service::GitHub).path_contains("graphql").status(502));
    let wish = json!({ "query": to_draft, "variables": { "id": id } });
    assert_eq!(client.post("graphql", wish).await.status, 502);
}

#[tokio::test]
async fn who_may_not_is_told_so_and_what_no_good_bot_does_is_remembered() {
    let (world, mut client, sha) = with_a_pull().await;
    world.expect_unusual("the bot moved refs/heads/main");
    let main = json!([{ "name": "refs/heads/main", "afterOid": sha }]);
    client.update(main).await;
    let upstream = client.get(CONNECTOR).await.json["node_id"].clone();
    let updates = json!([{ "name": "refs/heads/main", "afterOid": NOWHERE }]);
    let input = json!({ "repositoryId": upstream, "refUpdates": updates });
    world.expect_unusual("write upstream");
    let refused = client.graphql(UPDATE, json!({ "input": input })).await;
    assert_eq!(refused["errors"][0]["type"], "FORBIDDEN");
    world.expect_unusual("the world's GraphQL does not know this");
    world.expect_mismatch("GitHub's GraphQL does not take this");
    let unknown = client.graphql("{ mood }", Value::Null).await;
    assert!(unknown["errors"][0]["message"].is_string() && unknown.get("data").is_none());
    let none = client.post("graphql", json!({ "variables": {} })).await;
    assert_eq!(none.status, 400);
    client.token = None;
    assert_eq!(client.post("graphql", json!({ "query": READ })).await.status, 401);
    client.token = Some("ghs_wrong".to_owned());
    assert_eq!(client.post("graphql", json!({ "query": READ })).await.status, 401);
}

#[tokio::test]
async fn a_comment_tells_when_it_was_published_and_when_it_was_edited() {
    const PUBLISHED: &str = "query($id: ID!) { node(id: $id) {
        ... on IssueComment { lastEditedAt publishedAt }
        ... on PullRequestReviewComment { lastEditedAt publishedAt }
    } }";
    let (world, client, _) = with_a_pull().await;
    world.set_now("2026-06-12T08:00:00Z");
    let plain = world.comment_as("maya", 1, "a");
    let review = world.review_as("maya", 1, "A.md", "b", 7);
    for (kind, id, created) in
        [("issues", plain, "2026-06-12T08:00:00Z"), ("pulls", review, "2026-06-12T07:53:00Z")]
    {
        let shown = client.get(&format!("{TOWN}/{kind}/comments/{id}")).await.json;
        assert_eq!(shown["created_at"], created);
        assert_eq!(shown["updated_at"], "2026-06-12T08:00:00Z");
        let variables = json!({ "id": shown["node_id"] });
        let seen = client.graphql(PUBLISHED, variables.clone()).await;
        let node = json!({ "lastEditedAt": null, "publishedAt": "2026-06-12T08:00:00Z" });
        assert_eq!(seen["data"]["node"], node);
        world.set_now("2026-06-12T08:05:00Z");
        world.edit_comment(id, "c");
        world.set_now("2026-06-12T08:00:00Z");
        let seen = client.graphql(PUBLISHED, variables).await;
        assert_eq!(seen["data"]["node"]["lastEditedAt"], "2026-06-12T08:05:00Z");
    }
}
