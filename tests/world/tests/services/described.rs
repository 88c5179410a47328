//! Each endpoint of the REST interface, in success and in its usual failures, is held to what
//! GitHub publishes about it.

use crate::client::{CONNECTOR, Client, TOWN};
use crate::routes::routes;
use serde_json::{Value, json};
use std::cmp::Reverse;
use std::panic::{AssertUnwindSafe, catch_unwind};
use world::{OPENAPI, World, published};

/// Everybody who asks.
struct People {
    bot: Client,
    app: Client,
    maya: Client,
    stranger: Client,
    nobody: Client,
    forger: Client,
}

impl People {
    fn of(world: &World) -> Self {
        let with = |token: Option<String>| {
            let mut client = Client::of(world);
            client.token = token;
            client
        };
        Self {
            bot: Client::of(world),
            app: with(Some(world.app_jwt())),
            maya: with(Some(world.token_of("maya"))),
            stranger: with(Some(world.token_of("sam"))),
            nobody: with(None),
            forger: with(Some("ghs_wrong".to_owned())),
        }
    }
}

impl Client {
    /// Asks below the downstream (or anywhere, by a path that begins with a slash), and expects a
    /// status.
    async fn expect(&self, status: u16, method: &str, path: &str, body: Value) -> Value {
        let path = match path.strip_prefix('/') {
            Some(path) => path.to_owned(),
            None if path.is_empty() => TOWN.to_owned(),
            None => format!("{TOWN}/{path}"),
        };
        let reply = self.send(method, &path, body, &[]).await;
        assert_eq!(reply.status, status, "{method} {path}: {}", reply.json);
        reply.json
    }

    async fn read(&self, status: u16, path: &str) -> Value {
        self.expect(status, "GET", path, Value::Null).await
    }
}

#[tokio::test]
async fn every_endpoint_is_as_github_describes_it() {
    if published(OPENAPI).is_none() {
        return;
    }
    let world = World::start().await;
    let people = People::of(&world);
    accounts(&world, &people).await;
    upstream(&world, &people).await;
    let head = objects(&world, &people.bot).await;
    branches(&world, &people.bot, &head).await;
    sources(&people.bot, &head).await;
    pulls(&world, &people).await;
    issues(&people.bot).await;
    comments(&people.bot).await;
    remarks(&world, &people.bot).await;
    labels(&people.bot).await;
    checks(&people.bot, &head).await;
    actions(&world, &people.bot).await;
    assert_eq!(world.mismatches(), Vec::<String>::new());
    let answered = world.requests();
    let answered = answered.iter().filter(|request| (200..400).contains(&request.status));
    let answered: Vec<_> = answered.map(|request| (&request.method, &request.path)).collect();
    let routes = routes();
    assert!(routes.len() > 60, "only {} routes are found", routes.len());
    let best = |(method, path): &(&String, &String)| {
        let fits = routes.iter().filter_map(|route| Some((route.fit(method, path)?, route)));
        let best = fits.max_by_key(|(literal, route)| (*literal, Reverse(route.length())));
        best.map(|(_, route)| &route.text)
    };
    let driven: Vec<&String> = answered.iter().filter_map(best).collect();
    let forgotten: Vec<_> = routes.iter().filter(|route| !driven.contains(&&route.text)).collect();
    assert!(forgotten.is_empty(), "never answered with success: {forgotten:#?}");
    let judged = world.judged();
    println!("{} routes, {} pairs of operation and status were judged", routes.len(), judged.len());
}

async fn accounts(world: &World, people: &People) {
    let People { bot, app, maya, stranger, nobody, forger } = people;
    bot.read(200, "/user").await;
    maya.read(200, "/user").await;
    nobody.read(401, "/user").await;
    forger.read(401, "/user").await;
    app.read(403, "/user").await;
    bot.read(200, "/rate_limit").await;
    nobody.read(200, "/rate_limit").await;
    app.read(200, "/app").await;
    app.read(200, "installation").await;
    bot.read(401, "installation").await;
    app.read(404, &format!("/{CONNECTOR}/installation")).await;
    let mint = "/app/installations/77/access_tokens";
    app.expect(201, "POST", mint, Value::Null).await;
    let wish = json!({ "repositories": ["town"], "permissions": { "contents": "write" } });
    app.expect(201, "POST", mint, wish).await;
    bot.expect(401, "POST", mint, Value::Null).await;
    app.expect(404, "POST", "/app/installations/1/access_tokens", Value::Null).await;
    let wish = json!({ "permissions": { "administration": "write" } });
    app.expect(422, "POST", mint, wish).await;
    app.read(200, "/app/installations/77").await;
    app.read(404, "/app/installations/1").await;
    bot.read(200, "/installation/repositories").await;
    maya.read(403, "/installation/repositories").await;
    for client in [bot, maya, nobody] {
        client.read(200, "").await;
    }
    forger.read(401, "").await;
    bot.read(404, "/repos/toon-protocol/nothing").await;
    bot.read(200, "collaborators/maya/permission").await;
    nobody.read(401, "collaborators/maya/permission").await;
    bot.read(404, "/orgs/toon-protocol/teams/release/memberships/maya").await;
    world.join_team("toon-protocol/release", "maya");
    bot.read(200, "/orgs/toon-protocol/teams/release/memberships/maya").await;
    stranger.expect(403, "POST", "issues", json!({ "title": "hello" })).await;
    nobody.expect(401, "POST", "issues", json!({ "title": "hello" })).await;
}

async fn upstream(world: &World, people: &People) {
    let bot = &people.bot;
    world.release("3.10.0").publish().await;
    world.release("4.0.0-rc.1").prerelease().publish().await;
    world.release("3.11.0").draft().publish().await;
    let at = |path: &str| format!("/{CONNECTOR}/{path}");
    let releases = bot.read(200, &at("releases?per_page=2&page=1")).await;
    let next = bot.send("GET", &at("releases?per_page=1")[1..], Value::Null, &[]).await;
    let link = next.header("link").split(['<', '>']).nth(1).unwrap().to_owned();
    assert_eq!(bot.get(&link).await.status, 200);
    let known = [("if-none-match", next.header("etag"))];
    let same = bot.send("GET", &at("releases?per_page=1")[1..], Value::Null, &known).await;
    assert_eq!(same.status, 304);
    people.maya.read(200, &at("releases")).await;
    bot.read(200, &at(&format!("releases/{}", releases[0]["id"]))).await;
    bot.read(404, &at("releases/1")).await;
    bot.read(200, &at("releases/latest")).await;
    bot.read(404, "releases/latest").await;
    bot.read(200, &at("releases/tags/v3.10.0")).await;
    bot.read(404, &at("releases/tags/v9.9.9")).await;
    bot.read(200, &at("tags")).await;
    bot.read(200, &at("git/ref/tags/v3.10.0")).await;
    bot.read(200, &at("git/matching-refs/tags/v3.")).await;
    bot.read(200, &at("commits/v3.10.0")).await;
    let advisory = world.publish_advisory("< 3.10.0");
    let known = bot.read(200, &at("security-advisories?state=published")).await;
    assert_eq!(known[0]["ghsa_id"], *advisory);
}

/// Makes a commit out of objects, and gives its id.
async fn objects(world: &World, bot: &Client) -> String {
    let main = world.branches()["main"].clone();
    let wish = json!({ "content": "aGVsbG8K", "encoding": "base64" });
    let blob = bot.expect(201, "POST", "git/blobs", wish).await;
    bot.expect(422, "POST", "git/blobs", json!({ "content": "?", "encoding": "base64" })).await;
    bot.read(200, &format!("git/blobs/{}", blob["sha"].as_str().unwrap())).await;
    bot.read(404, &format!("git/blobs/{}", "1".repeat(40))).await;
    let entry = json!({ "path": "A.md", "mode": "100644", "type": "blob", "sha": blob["sha"] });
    let gone = json!({ "path": "README.md", "mode": "100644", "type": "blob", "sha": null });
    let wish = json!({ "base_tree": main, "tree": [entry, gone] });
    let tree = bot.expect(201, "POST", "git/trees", wish.clone()).await;
    let lost = json!({ "base_tree": "1".repeat(40), "tree": wish["tree"] });
    bot.expect(422, "POST", "git/trees", lost).await;
    let sha = tree["sha"].as_str().unwrap();
    bot.read(200, &format!("git/trees/{sha}")).await;
    bot.read(200, &format!("git/trees/{sha}?recursive=1")).await;
    bot.read(404, &format!("git/trees/{}", "1".repeat(40))).await;
    let author = json!({ "name": "a", "email": "a@example.org", "date": "2026-01-01T00:00:00Z" });
    let wish = json!({ "message": "docs: a", "tree": sha, "parents": [main], "author": author });
    let commit = bot.expect(201, "POST", "git/commits", wish).await;
    let lost = json!({ "message": "docs: a", "tree": "1".repeat(40) });
    bot.expect(422, "POST", "git/commits", lost).await;
    let sha = commit["sha"].as_str().unwrap().to_owned();
    bot.read(200, &format!("git/commits/{sha}")).await;
    bot.read(404, &format!("git/commits/{}", "1".repeat(40))).await;
    sha
}

async fn branches(world: &World, bot: &Client, head: &str) {
    let main = world.branches()["main"].clone();
    let made = json!({ "ref": "refs/heads/digest-bump/a", "sha": head });
    bot.expect(201, "POST", "git/refs", made.clone()).await;
    bot.expect(422, "POST", "git/refs", made).await;
    bot.expect(422, "POST", "git/refs", json!({ "ref": "digest-bump/b", "sha": head })).await;
    let one = "git/refs/heads/digest-bump/a";
    bot.expect(200, "PATCH", one, json!({ "sha": head, "force": true })).await;
    bot.expect(422, "PATCH", one, json!({ "sha": main })).await;
    bot.expect(422, "PATCH", one, json!({ "sha": "1".repeat(40) })).await;
    bot.expect(422, "PATCH", "git/refs/heads/digest-bump/none", json!({ "sha": head })).await;
    bot.expect(201, "POST", "git/refs", json!({ "ref": "refs/heads/digest-bump/b", "sha": head }))
        .await;
    bot.expect(204, "DELETE", "git/refs/heads/digest-bump/b", Value::Null).await;
    bot.expect(422, "DELETE", "git/refs/heads/digest-bump/b", Value::Null).await;
    bot.read(200, "git/ref/heads/digest-bump/a").await;
    bot.read(404, "git/ref/heads/digest-bump/none").await;
    bot.read(200, "git/matching-refs/heads/digest-bump").await;
    bot.read(200, "branches/digest-bump/a").await;
    bot.read(404, "branches/none").await;
}

async fn sources(bot: &Client, head: &str) {
    bot.read(200, "commits?sha=main&path=README.md&per_page=5").await;
    bot.read(404, "commits?sha=none").await;
    bot.read(200, &format!("commits/{head}")).await;
    bot.read(200, "commits/heads/main").await;
    bot.read(422, "commits/none").await;
    bot.read(200, "compare/main...digest-bump/a").await;
    bot.read(200, "compare/digest-bump/a...main").await;
    bot.read(404, "compare/main...none").await;
    bot.read(200, "contents/README.md?ref=main").await;
    bot.read(200, "contents/packages").await;
    bot.read(200, "contents/").await;
    let raw = [("accept", "application/vnd.github.raw+json")];
    let path = format!("{TOWN}/contents/README.md");
    assert_eq!(bot.send("GET", &path, Value::Null, &raw).await.status, 200);
    assert_eq!(bot.send("HEAD", &path, Value::Null, &[]).await.status, 200);
    bot.read(404, "contents/none").await;
    bot.read(404, "contents/README.md?ref=none").await;
}

async fn pulls(world: &World, people: &People) {
    let bot = &people.bot;
    let wish = json!({
        "title": "chore: a", "head": "digest-bump/a", "base": "main", "body": "a", "draft": true,
    });
    bot.expect(201, "POST", "pulls", wish.clone()).await;
    bot.expect(422, "POST", "pulls", wish).await;
    let lost = json!({ "title": "chore: a", "head": "none", "base": "main" });
    bot.expect(422, "POST", "pulls", lost).await;
    bot.read(200, "pulls?state=all&head=toon-protocol:digest-bump/a&base=main").await;
    bot.read(200, "pulls?sort=updated&direction=desc&per_page=10").await;
    bot.read(200, "pulls/1").await;
    bot.read(404, "pulls/9").await;
    bot.expect(200, "PATCH", "pulls/1", json!({ "title": "chore: b", "body": "b" })).await;
    bot.expect(200, "PATCH", "pulls/1", json!({ "state": "closed" })).await;
    bot.read(200, "pulls/1").await;
    bot.expect(200, "PATCH", "pulls/1", json!({ "state": "open" })).await;
    bot.expect(422, "PATCH", "pulls/1", json!({ "base": "none" })).await;
    bot.expect(404, "PATCH", "pulls/9", json!({ "title": "chore: b" })).await;
    for below in ["commits", "files", "reviews"] {
        bot.read(200, &format!("pulls/1/{below}")).await;
        bot.read(404, &format!("pulls/9/{below}")).await;
    }
    bot.read(404, "pulls/1/merge").await;
    world.expect_unusual("the bot asked to merge #1");
    bot.expect(403, "PUT", "pulls/1/merge", json!({ "merge_method": "squash" })).await;
    people.maya.expect(200, "PUT", "pulls/1/merge", Value::Null).await;
    people.maya.expect(405, "PUT", "pulls/1/merge", Value::Null).await;
    bot.read(204, "pulls/1/merge").await;
    bot.read(200, "pulls/1").await;
    bot.read(200, "pulls?state=closed").await;
    bot.expect(422, "PATCH", "pulls/1", json!({ "state": "open" })).await;
}

async fn issues(bot: &Client) {
    let wish = json!({ "title": "a", "body": "a", "labels": ["connector"] });
    let issue = bot.expect(201, "POST", "issues", wish).await;
    assert_eq!(issue["number"], 2);
    bot.expect(422, "POST", "issues", json!({ "title": "" })).await;
    bot.read(200, "issues?state=all&labels=connector&creator=maya&direction=asc").await;
    bot.read(200, "issues?state=all").await;
    bot.read(200, "issues/2").await;
    bot.read(200, "issues/1").await;
    bot.read(404, "issues/9").await;
    let wish = json!({ "state": "closed", "state_reason": "not_planned", "title": "b" });
    bot.expect(200, "PATCH", "issues/2", wish).await;
    bot.expect(200, "PATCH", "issues/2", json!({ "state": "open", "labels": [] })).await;
    bot.expect(404, "PATCH", "issues/9", json!({ "title": "b" })).await;
}

async fn comments(bot: &Client) {
    let made = bot.expect(201, "POST", "issues/2/comments", json!({ "body": "a" })).await;
    bot.expect(422, "POST", "issues/2/comments", json!({ "body": "" })).await;
    bot.expect(404, "POST", "issues/9/comments", json!({ "body": "a" })).await;
    bot.read(200, "issues/2/comments?since=2020-01-01T00:00:00Z").await;
    bot.read(404, "issues/9/comments").await;
    bot.read(200, "issues/comments?sort=updated&direction=desc").await;
    let one = format!("issues/comments/{}", made["id"]);
    bot.read(200, &one).await;
    bot.expect(200, "PATCH", &one, json!({ "body": "b" })).await;
    bot.expect(404, "PATCH", "issues/comments/9", json!({ "body": "b" })).await;
    for target in [one.as_str(), "issues/2"] {
        let path = format!("{target}/reactions");
        bot.expect(201, "POST", &path, json!({ "content": "eyes" })).await;
        bot.expect(200, "POST", &path, json!({ "content": "eyes" })).await;
        bot.read(200, &path).await;
    }
    bot.read(200, &one).await;
    bot.read(404, "issues/comments/9/reactions").await;
    bot.read(404, "issues/9/reactions").await;
    let given = bot.read(200, &format!("{one}/reactions?content=eyes")).await;
    let path = format!("{one}/reactions/{}", given[0]["id"]);
    bot.expect(204, "DELETE", &path, Value::Null).await;
    bot.expect(404, "DELETE", &path, Value::Null).await;
    bot.expect(204, "DELETE", &one, Value::Null).await;
    bot.expect(404, "DELETE", &one, Value::Null).await;
    bot.read(404, &one).await;
}

/// Comments within a diff. The description at hand leaves them out, so only their ways are held.
async fn remarks(world: &World, bot: &Client) {
    let pull = world.pulls()[0].number;
    let id = world.remark_as("maya", pull, "README.md", "a");
    bot.read(200, "pulls/comments?sort=updated&direction=desc").await;
    bot.read(200, &format!("pulls/{pull}/comments")).await;
    let one = format!("pulls/comments/{id}");
    bot.read(200, &one).await;
    bot.expect(200, "PATCH", &one, json!({ "body": "b" })).await;
    let reply = format!("pulls/{pull}/comments/{id}/replies");
    let answer = bot.expect(201, "POST", &reply, json!({ "body": "c" })).await;
    assert_eq!(answer["in_reply_to_id"], id);
    let nested = format!("pulls/{pull}/comments/{}/replies", answer["id"]);
    bot.expect(422, "POST", &nested, json!({ "body": "d" })).await;
    let reaction =
        bot.expect(201, "POST", &format!("{one}/reactions"), json!({ "content": "eyes" })).await;
    bot.read(200, &format!("{one}/reactions")).await;
    let reaction = format!("{one}/reactions/{}", reaction["id"]);
    bot.expect(204, "DELETE", &reaction, Value::Null).await;
    bot.read(404, "pulls/comments/9").await;
    bot.expect(404, "POST", &format!("pulls/{pull}/comments/9/replies"), json!({ "body": "c" }))
        .await;
}

async fn labels(bot: &Client) {
    let wish = json!({ "name": "canary", "color": "00ff00", "description": "what it is for" });
    bot.expect(201, "POST", "labels", wish.clone()).await;
    bot.expect(422, "POST", "labels", wish).await;
    bot.read(200, "labels").await;
    bot.read(200, "labels/connector").await;
    bot.read(404, "labels/none").await;
    bot.expect(200, "POST", "issues/2/labels", json!({ "labels": ["canary", "new"] })).await;
    bot.expect(200, "PUT", "issues/2/labels", json!({ "labels": ["canary", "new"] })).await;
    bot.read(200, "issues/2/labels").await;
    bot.read(200, "issues/2").await;
    bot.read(404, "issues/9/labels").await;
    bot.expect(404, "POST", "issues/9/labels", json!({ "labels": ["canary"] })).await;
    bot.expect(200, "DELETE", "issues/2/labels/new", Value::Null).await;
    bot.expect(404, "DELETE", "issues/2/labels/new", Value::Null).await;
    bot.expect(204, "DELETE", "issues/2/labels", Value::Null).await;
    bot.expect(404, "DELETE", "issues/9/labels", Value::Null).await;
}

async fn checks(bot: &Client, head: &str) {
    let output = json!({ "title": "a", "summary": "a", "text": "a" });
    let wish =
        json!({ "name": "canary", "head_sha": head, "status": "in_progress", "output": output });
    let run = bot.expect(201, "POST", "check-runs", wish).await;
    let lost = json!({ "name": "canary", "head_sha": "1".repeat(40) });
    bot.expect(422, "POST", "check-runs", lost).await;
    let one = format!("check-runs/{}", run["id"]);
    bot.read(200, &one).await;
    bot.expect(200, "PATCH", &one, json!({ "conclusion": "success", "output": output })).await;
    bot.expect(404, "PATCH", "check-runs/9", json!({ "conclusion": "success" })).await;
    bot.read(404, "check-runs/9").await;
    bot.read(200, &format!("commits/{head}/check-runs?check_name=canary")).await;
    bot.read(422, "commits/none/check-runs").await;
    bot.read(200, &format!("commits/{head}/check-suites")).await;
    bot.read(422, "commits/none/check-suites").await;
    let wish = json!({ "state": "success", "context": "canary", "description": "a" });
    bot.read(200, &format!("commits/{head}/status")).await;
    bot.expect(201, "POST", &format!("statuses/{head}"), wish).await;
    bot.expect(422, "POST", &format!("statuses/{}", "1".repeat(40)), json!({ "state": "error" }))
        .await;
    bot.read(200, &format!("commits/{head}/status")).await;
}

#[tokio::test]
async fn a_request_that_github_does_not_describe_ends_the_test() {
    if published(OPENAPI).is_none() {
        return;
    }
    let world = World::start().await;
    let bot = Client::of(&world);
    bot.read(200, "issues?created=today").await;
    bot.expect(201, "POST", "issues", json!({ "title": "a", "labels": "connector" })).await;
    bot.read(200, "issues?per_page=many").await;
    let expected = [
        "GET /repos/{owner}/{repo}/issues → 200: it takes no parameter `created`",
        "POST /repos/{owner}/{repo}/issues → 201: the request's body: /labels: ",
        "GET /repos/{owner}/{repo}/issues → 200: the parameter `per_page`: ",
    ];
    let seen = world.mismatches();
    let as_expected = seen.iter().zip(expected).all(|(seen, start)| seen.starts_with(start));
    assert!(seen.len() == 3 && as_expected, "{seen:#?}");
    let panic = catch_unwind(AssertUnwindSafe(|| drop(world))).unwrap_err();
    let sentence = panic.downcast_ref::<String>().unwrap();
    assert!(expected.iter().all(|start| sentence.contains(start)), "{sentence}");
}

async fn actions(world: &World, bot: &Client) {
    let text = b"name: own\nrun-name: \"own ${{ inputs.marker }}\"\non:\n  workflow_dispatch:\n    inputs:\n      marker:\n        type: string\n";
    world.commit_to("main", ".github/workflows/own.yml", text, "ci: own");
    let wish = json!({ "ref": "main", "inputs": { "marker": "m-1" } });
    bot.expect(204, "POST", "actions/workflows/own.yml/dispatches", wish.clone()).await;
    bot.expect(404, "POST", "actions/workflows/none.yml/dispatches", wish).await;
    let runs =
        bot.read(200, "actions/workflows/own.yml/runs?event=workflow_dispatch&branch=main").await;
    let run = &runs["workflow_runs"][0];
    assert_eq!(run["display_title"], "own m-1");
    let one = format!("actions/runs/{}", run["id"]);
    bot.read(200, &one).await;
    bot.read(404, "actions/runs/9").await;
    world.run_hands_back(run["id"].as_u64().unwrap(), "own", &[("a", b"b")]);
    let artifacts = bot.read(200, &format!("{one}/artifacts")).await;
    let artifact = &artifacts["artifacts"][0]["id"];
    // The client follows to where it is kept.
    bot.read(200, &format!("actions/artifacts/{artifact}/zip")).await;
    bot.expect(202, "POST", &format!("{one}/cancel"), Value::Null).await;
    bot.expect(409, "POST", &format!("{one}/cancel"), Value::Null).await;
}
