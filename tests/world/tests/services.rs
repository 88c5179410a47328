//! The world keeps its word: what a client sees at each of its doors.

#![expect(clippy::unwrap_used, reason = "a test fails by panic")]

use serde_json::{Value, json};
use std::{collections::BTreeMap, path::Path, process::Command};
use world::{CANARY, Fault, Service, World};

const TOWN: &str = "repos/toon-protocol/town";
const CONNECTOR: &str = "repos/toon-protocol/connector";
const INDEX: &str = "application/vnd.oci.image.index.v1+json";

/// A client of the REST interface.
struct Client {
    http: reqwest::Client,
    base: String,
    token: Option<String>,
}

/// What came back.
struct Reply {
    status: u16,
    headers: reqwest::header::HeaderMap,
    json: Value,
}

impl Reply {
    fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }
}

impl Client {
    fn of(world: &World) -> Self {
        Self {
            http: reqwest::Client::new(),
            base: world.github_url(),
            token: Some(world.token().to_owned()),
        }
    }

    async fn send(&self, method: &str, path: &str, body: Value, known: &[(&str, &str)]) -> Reply {
        let url = if path.starts_with("http") {
            path.to_owned()
        } else {
            format!("{}/{path}", self.base)
        };
        let mut request = self.http.request(method.parse().unwrap(), url);
        if let Some(token) = &self.token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        for (name, value) in known {
            request = request.header(*name, *value);
        }
        if !body.is_null() {
            request = request.body(body.to_string());
        }
        let response = request.send().await.unwrap();
        let status = response.status().as_u16();
        let headers = response.headers().clone();
        let text = response.text().await.unwrap();
        let json = serde_json::from_str(&text).unwrap_or(Value::Null);
        Reply {
            status,
            headers,
            json,
        }
    }

    async fn get(&self, path: &str) -> Reply {
        self.send("GET", path, Value::Null, &[]).await
    }

    async fn post(&self, path: &str, body: Value) -> Reply {
        self.send("POST", path, body, &[]).await
    }
}

fn git(dir: &Path, arguments: &[&str]) -> Result<String, String> {
    let output = Command::new("git")
        .current_dir(dir)
        .args(["-c", "user.name=bot", "-c", "user.email=bot@example.org"])
        .args(arguments)
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_TERMINAL_PROMPT", "0")
        .output()
        .unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    if output.status.success() {
        Ok(text(&output.stdout))
    } else {
        Err(text(&output.stderr))
    }
}

/// Clones the downstream, commits a change on a branch and pushes it with a token.
fn push(world: &World, dir: &Path, branch: &str, token: &str) -> Result<String, String> {
    let url = format!("{}/toon-protocol/town.git", world.git_url());
    let clone = dir.join(branch.replace('/', "-"));
    git(dir, &["clone", "--quiet", &url, clone.to_str().unwrap()])?;
    git(&clone, &["checkout", "--quiet", "-b", branch])?;
    std::fs::write(clone.join("NEWS.md"), format!("{branch}\n")).unwrap();
    git(&clone, &["add", "."])?;
    git(&clone, &["commit", "--quiet", "-m", "chore: news"])?;
    let with_token = url.replace("http://", &format!("http://x-access-token:{token}@"));
    git(&clone, &["push", "--quiet", "--force", &with_token, branch])?;
    git(&clone, &["rev-parse", "HEAD"]).map(|sha| sha.trim().to_owned())
}

async fn open(client: &Client, branch: &str) -> Reply {
    let wish = json!({ "title": "chore: news", "head": branch, "base": "main", "body": "news" });
    client.post(&format!("{TOWN}/pulls"), wish).await
}

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
        .get(&format!(
            "{TOWN}/pulls?state=all&head=toon-protocol:digest-bump/connector"
        ))
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
    let first = client
        .get(&format!("{CONNECTOR}/releases?per_page=2"))
        .await;
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
    assert_eq!(
        client.send("GET", &path, Value::Null, &since).await.status,
        304
    );
    world.bump_download_count();
    let changed = client.send("GET", &path, Value::Null, &known).await;
    assert_eq!(changed.status, 200);
    let left = |reply: &Reply| {
        reply
            .header("x-ratelimit-remaining")
            .parse::<u32>()
            .unwrap()
    };
    assert_eq!(left(&changed) + 1, left(&second));
}

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
    assert_eq!(
        client.send("GET", &url, Value::Null, &known).await.status,
        304
    );
    world.npm_gone();
    assert_eq!(client.get(&url).await.status, 404);
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
    assert!(
        text.contains("platforms linux/amd64 linux/arm64\n"),
        "{text}"
    );
    let (code, _) = canary(&world, dir.path(), &[("EXPECT_DIGEST", "sha256:other")]);
    assert_eq!(code, Some(1));
    world.fault(
        Fault::on(Service::Registry)
            .path_contains("/token")
            .status(503),
    );
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
async fn faults_strike_where_and_as_often_as_told() {
    let world = World::start().await;
    let client = Client::of(&world);
    let path = format!("{CONNECTOR}/releases");
    let fault = Fault::on(Service::GitHub).path_contains("releases");
    world.fault(
        fault
            .clone()
            .times(2)
            .status(503)
            .header("retry-after", "1"),
    );
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
async fn lists_lag_behind_the_last_write() {
    let world = World::start().await;
    let client = Client::of(&world);
    world.commit_to("digest-bump/a", "A.md", b"one\n", "docs: one");
    open(&client, "digest-bump/a").await;
    world.list_lag(1);
    let list = format!("{TOWN}/pulls");
    assert_eq!(client.get(&list).await.json, json!([]));
    assert_eq!(client.get(&list).await.json[0]["number"], 1);
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
    assert_eq!(
        client.get(CONNECTOR).await.json["permissions"]["push"],
        false
    );
    client.token = None;
    assert_eq!(client.get(TOWN).await.header("x-ratelimit-limit"), "60");
    assert_eq!(
        client
            .post(&format!("{TOWN}/issues"), json!({}))
            .await
            .status,
        401
    );
    client.token = Some("ghs_wrong".to_owned());
    let bad = client.get(TOWN).await;
    assert_eq!(
        (bad.status, &bad.json["message"]),
        (401, &json!("Bad credentials"))
    );
    client.token = Some("e30.e30.c2ln".to_owned());
    let installation = client.get(&format!("{TOWN}/installation")).await;
    let mint = installation.json["access_tokens_url"].as_str().unwrap();
    let minted = client.post(mint, Value::Null).await;
    client.token = Some(minted.json["token"].as_str().unwrap().to_owned());
    assert_eq!(client.get("user").await.json["login"], "digest-bump[bot]");
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
