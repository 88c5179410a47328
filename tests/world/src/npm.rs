//! npm: the package's one document, in the full form.

use crate::Inner;
use crate::release::Release;
use crate::state::State;
use crate::wire::{Answer, Call, hex, invented_sha};
use base64::{Engine, engine::general_purpose::STANDARD};
use chrono::SecondsFormat;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha512};
use std::sync::Arc;

/// The package that the world has.
pub(crate) const PACKAGE: &str = "@toon-protocol/connector";

/// Answers a request for a packument.
pub(crate) fn answer(inner: &Arc<Inner>, call: &Call) -> Answer {
    let state = inner.state();
    let name = call.segments().join("/");
    let published: Vec<&Release> = state.releases.iter().filter(|known| known.on_npm).collect();
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
        let at = release.created_at.to_rfc3339_opts(SecondsFormat::Millis, true);
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
    let repository = release
        .npm_guard
        .clone()
        .unwrap_or_else(|| format!("git+https://github.com/{}.git", state.upstream));
    let content = format!("{PACKAGE}@{version}");
    let file = format!("{PACKAGE}/-/connector-{version}.tgz");
    json!({
        "name": PACKAGE,
        "version": version,
        "_id": content,
        "gitHead": release.parent,
        "repository": { "type": "git", "url": repository },
        "dist": {
            "integrity": format!("sha512-{}", STANDARD.encode(Sha512::digest(content.as_bytes()))),
            "shasum": hex(&invented_sha(&content).into_bytes())[..40],
            "tarball": format!("{}/{file}", state.urls.npm),
        },
    })
}

fn numbers(version: &str) -> Vec<u64> {
    version.split(['.', '-', '+']).map(|part| part.parse().unwrap_or_default()).collect()
}
