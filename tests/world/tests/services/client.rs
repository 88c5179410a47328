//! How the tests ask: a client of the REST interface, and the real git.

use serde_json::{Value, json};
use std::{path::Path, process::Command};
use world::World;

/// The downstream, in REST paths.
pub(crate) const TOWN: &str = "repos/toon-protocol/town";
/// The upstream, in REST paths.
pub(crate) const CONNECTOR: &str = "repos/toon-protocol/connector";

/// A client of the REST interface.
pub(crate) struct Client {
    pub(crate) http: reqwest::Client,
    pub(crate) base: String,
    pub(crate) token: Option<String>,
}

/// What came back.
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) json: Value,
}

impl Reply {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

impl Client {
    pub(crate) fn of(world: &World) -> Self {
        Self {
            http: reqwest::Client::new(),
            base: world.github_url(),
            token: Some(world.token().to_owned()),
        }
    }

    pub(crate) async fn send(
        &self,
        method: &str,
        path: &str,
        body: Value,
        known: &[(&str, &str)],
    ) -> Reply {
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
        Reply { status, headers, json }
    }

    pub(crate) async fn get(&self, path: &str) -> Reply {
        self.send("GET", path, Value::Null, &[]).await
    }

    pub(crate) async fn patch(&self, path: &str, body: Value) -> Reply {
        self.send("PATCH", path, body, &[]).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Reply {
        self.send("POST", path, body, &[]).await
    }
}

pub(crate) fn git(dir: &Path, arguments: &[&str]) -> Result<String, String> {
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
    if output.status.success() { Ok(text(&output.stdout)) } else { Err(text(&output.stderr)) }
}

/// Clones the downstream, commits a change on a branch and pushes it with a token.
pub(crate) fn push(world: &World, dir: &Path, branch: &str, token: &str) -> Result<String, String> {
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

pub(crate) async fn open(client: &Client, branch: &str) -> Reply {
    let wish = json!({ "title": "chore: news", "head": branch, "base": "main", "body": "news" });
    client.post(&format!("{TOWN}/pulls"), wish).await
}
