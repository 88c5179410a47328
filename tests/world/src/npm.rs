//! npm: the package's one document, in the full form.

use crate::Inner;
use crate::World;
use crate::release::Release;
use crate::state::State;
use crate::wire::{Answer, Call, hex, invented_sha};
use base64::{Engine, engine::general_purpose::STANDARD};
use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha512};
use std::sync::Arc;

/// The package that the world has.
pub(crate) const PACKAGE: &str = "@toon-protocol/connector";

/// What npm has of a release.
#[derive(Debug, Clone)]
pub(crate) struct NpmVersion {
    pub(crate) published: bool,
    /// It was there once: npm never forgets when.
    pub(crate) withdrawn: bool,
    /// When it was published; with the release, unless told.
    pub(crate) at: Option<DateTime<Utc>>,
    /// Its `repository.url`; upstream's, unless told.
    pub(crate) guard: Option<String>,
    /// Its `gitHead`; the release's parent commit, unless told. Empty: none.
    pub(crate) git_head: Option<String>,
    /// How often its content was exchanged.
    pub(crate) exchanged: u32,
}

impl Default for NpmVersion {
    fn default() -> Self {
        Self {
            published: true,
            withdrawn: false,
            at: None,
            guard: None,
            git_head: None,
            exchanged: 0,
        }
    }
}

impl World {
    /// Publishes the npm version of a release that was published without, now.
    pub async fn publish_npm(&self, version: &str) {
        self.change_npm(version, |npm, now| {
            npm.published = true;
            npm.at.get_or_insert(now);
        })
        .await;
    }

    /// Exchanges the content of an npm version: another integrity under the same version.
    pub async fn republish_npm(&self, version: &str) {
        self.change_npm(version, |npm, _| npm.exchanged += 1).await;
    }

    /// Withdraws one npm version; only the time of its publication stays.
    pub async fn unpublish_npm(&self, version: &str) {
        self.change_npm(version, |npm, _| (npm.published, npm.withdrawn) = (false, true)).await;
    }

    async fn change_npm(
        &self,
        version: &str,
        change: impl FnOnce(&mut NpmVersion, DateTime<Utc>) + Send + 'static,
    ) {
        let version = version.to_owned();
        self.run(move |inner| {
            let mut state = inner.state();
            let now = state.now();
            change(&mut state.release_mut(&version).npm, now);
        })
        .await;
    }

    /// The whole package is gone from npm.
    pub fn npm_gone(&self) {
        self.later().npm_gone = true;
    }

    /// The package is back.
    pub fn npm_back(&self) {
        self.later().npm_gone = false;
    }
}

/// Answers a request for a packument.
pub(crate) fn answer(inner: &Arc<Inner>, call: &Call) -> Answer {
    let state = inner.state();
    let name = call.segments().join("/");
    let published: Vec<&Release> =
        state.releases.iter().filter(|known| known.npm.published).collect();
    if name != PACKAGE || state.npm_gone || published.is_empty() || call.method != "GET" {
        return Answer::json(404, &json!({ "error": "Not found" }));
    }
    let short = call.header("accept").contains("application/vnd.npm.install-v1+json");
    let document = packument(&state, &published, short);
    Answer::new(200, "application/json", document.to_string()).conditional(call, false)
}

fn packument(state: &State, published: &[&Release], short: bool) -> Value {
    let mut versions = Map::new();
    let mut time = Map::new();
    for release in published {
        versions.insert(release.version.clone(), version(state, release));
    }
    for release in state.releases.iter().filter(|it| it.npm.published || it.npm.withdrawn) {
        let at = release.npm.at.unwrap_or(release.created_at);
        let at = at.to_rfc3339_opts(SecondsFormat::Millis, true);
        time.insert(release.version.clone(), json!(at));
    }
    let latest = published
        .iter()
        .filter(|release| !release.prerelease)
        .max_by_key(|release| numbers(&release.version))
        .map(|release| release.version.as_str());
    let mut document = json!({
        "name": PACKAGE,
        "dist-tags": { "latest": latest },
        "versions": versions,
    });
    if !short {
        document["_id"] = json!(PACKAGE);
        document["time"] = Value::Object(time);
        document["repository"] = json!({ "type": "git", "url": format!("git+https://github.com/{}.git", state.upstream) });
    }
    document
}

fn version(state: &State, release: &Release) -> Value {
    let version = &release.version;
    let npm = &release.npm;
    let repository = npm
        .guard
        .clone()
        .unwrap_or_else(|| format!("git+https://github.com/{}.git", state.upstream));
    let content = format!("{PACKAGE}@{version}");
    let packed = format!("{content}, exchanged {} times", npm.exchanged);
    let file = format!("{PACKAGE}/-/connector-{version}.tgz");
    let mut manifest = json!({
        "name": PACKAGE,
        "version": version,
        "_id": content,
        "repository": { "type": "git", "url": repository },
        "dist": {
            "integrity": format!("sha512-{}", STANDARD.encode(Sha512::digest(packed.as_bytes()))),
            "shasum": hex(&invented_sha(&packed).into_bytes())[..40],
            "tarball": format!("{}/{file}", state.urls.npm),
        },
    });
    let head = npm.git_head.as_ref().unwrap_or(&release.parent);
    if !head.is_empty() {
        manifest["gitHead"] = json!(head);
    }
    manifest
}

fn numbers(version: &str) -> Vec<u64> {
    version.split(['.', '-', '+']).map(|part| part.parse().unwrap_or_default()).collect()
}
