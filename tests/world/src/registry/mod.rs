//! The container registry, with GHCR's token dance and manners.

mod referrers;
mod signatures;
mod store;

pub use referrers::Referrers;
pub(crate) use signatures::Pushed;
pub(crate) use store::{Built, Store};

use crate::Inner;
use crate::github::actions;
use crate::images::SIDECAR;
use crate::state::State;
use crate::wire::{Answer, Call, encode};
use serde_json::json;
use std::sync::Arc;
use store::{INDEX, Shelf};

/// Answers at the registry's own door.
pub(crate) fn answer(inner: &Arc<Inner>, call: &Call) -> Answer {
    let mut state = inner.state();
    if call.path == "/token" {
        return token(&mut state, call);
    }
    let Some(rest) = call.path.strip_prefix("/v2/") else {
        state.log.violation(format!("the registry does not know {}", call.path));
        return Answer::text(404, "404 page not found\n");
    };
    if !matches!(call.method.as_str(), "GET" | "HEAD") {
        state.log.violation(format!("{} on the registry: {}", call.method, call.path));
        return error(403, "DENIED", "permission_denied: write_package");
    }
    let (name, rest) = split_name(rest);
    let given = call.header("authorization").strip_prefix("Bearer ");
    let granted = given.and_then(|token| state.registry.tokens.get(token));
    let Some(scope) = granted else {
        return challenge(&state, &name);
    };
    if !name.is_empty() && *scope != name {
        return error(403, "DENIED", "requested access to the resource is denied");
    }
    let nothing = Shelf::default();
    let here = state.registry.shelves.get(&name).unwrap_or(&nothing);
    let storage = &state.urls.storage;
    match rest.as_slice() {
        [] => Answer::json(200, &json!({})),
        ["manifests", reference] => manifest(here, call, reference),
        ["blobs", digest] => blob(here, storage, digest),
        ["tags", "list"] => tag_list(here, call, &name),
        ["referrers", digest] => referrers::answer(&state.registry, call, &name, digest, storage),
        _ => Answer::text(404, "404 page not found\n"),
    }
}

/// Answers where the blobs are kept: another host, that must never see the registry's token.
pub(crate) fn storage(inner: &Arc<Inner>, call: &Call) -> Answer {
    let mut state = inner.state();
    if !call.header("authorization").is_empty() {
        state.log.violation("a token was sent to the blob storage");
        return Answer::text(400, "only one auth mechanism allowed\n");
    }
    if let Some(archive) = actions::stored(&state, &call.path) {
        return archive;
    }
    if call.path.starts_with("/referrers/") {
        return Answer::text(429, "Too Many Requests\n").with("retry-after", "60");
    }
    let digest = call.path.rsplit('/').next().unwrap_or_default();
    let mut shelves = state.registry.shelves.values();
    match shelves.find_map(|here| here.blobs.get(digest)) {
        Some(bytes) => Answer::new(200, "application/octet-stream", bytes.clone()),
        None => Answer::text(404, "BlobNotFound\n"),
    }
}

/// Splits `toon-protocol/connector/manifests/1.0.0` into the name and the rest.
fn split_name(path: &str) -> (String, Vec<&str>) {
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    let kinds = ["manifests", "blobs", "tags", "referrers"];
    let at = parts.iter().position(|part| kinds.contains(part)).unwrap_or(parts.len());
    (parts[..at].join("/"), parts[at..].to_vec())
}

fn token(state: &mut State, call: &Call) -> Answer {
    let scope = call.parameter("scope").unwrap_or_default();
    let name = scope
        .strip_prefix("repository:")
        // Who has no account may read, and is told nothing else.
        .and_then(|rest| rest.strip_suffix(":pull"))
        .map(str::to_owned);
    let Some(name) =
        name.filter(|name| [state.upstream.as_str(), SIDECAR].contains(&name.as_str()))
    else {
        return error(403, "DENIED", "requested access to the resource is denied");
    };
    let token = format!("world-registry-{}", state.id());
    state.registry.tokens.insert(token.clone(), name);
    Answer::json(200, &json!({ "token": token }))
}

fn challenge(state: &State, name: &str) -> Answer {
    let scope = if name.is_empty() {
        "repository:user/image:pull".to_owned()
    } else {
        format!("repository:{name}:pull")
    };
    let realm = &state.urls.registry;
    error(401, "UNAUTHORIZED", "authentication required").with(
        "www-authenticate",
        format!("Bearer realm=\"{realm}/token\",service=\"ghcr.io\",scope=\"{scope}\""),
    )
}

fn manifest(here: &Shelf, call: &Call, reference: &str) -> Answer {
    let digest = here.tags.get(reference).map_or(reference, String::as_str).to_owned();
    let Some((kind, bytes)) = here.manifests.get(&digest) else {
        return error(404, "MANIFEST_UNKNOWN", "manifest unknown");
    };
    let accepted: Vec<&str> = call
        .headers
        .get_all("accept")
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(|value| value.split(';').next().unwrap_or_default().trim())
        .collect();
    if !accepted.contains(kind) {
        let what = if *kind == INDEX { "index" } else { "manifest" };
        let message = format!("OCI {what} found, but accept header does not support OCI {what}es");
        return error(404, "MANIFEST_UNKNOWN", &message);
    }
    let known = call.header("if-none-match").trim_matches('"');
    let mut answer =
        if known == digest { Answer::empty(304) } else { Answer::new(200, kind, bytes.clone()) };
    answer = answer.with("etag", format!("\"{digest}\""));
    answer.with("docker-content-digest", digest)
}

fn blob(here: &Shelf, storage: &str, digest: &str) -> Answer {
    if !here.blobs.contains_key(digest) {
        return error(404, "BLOB_UNKNOWN", "blob unknown to registry");
    }
    let elsewhere = format!("{storage}/storage/{digest}");
    Answer::new(307, "text/html; charset=utf-8", "").with("location", elsewhere)
}

fn tag_list(here: &Shelf, call: &Call, name: &str) -> Answer {
    let size = call.number("n").unwrap_or(100).clamp(1, 1000);
    let after = call.parameter("last").unwrap_or_default();
    let left: Vec<&String> = here.tags.keys().filter(|tag| **tag > after).collect();
    let shown = &left[..size.min(left.len())];
    let answer = Answer::json(200, &json!({ "name": name, "tags": shown }));
    match shown.last() {
        Some(last) if left.len() > size => {
            let next = format!("/v2/{name}/tags/list?last={}&n={size}", encode(last));
            answer.with("link", format!("<{next}>; rel=\"next\""))
        }
        _ => answer,
    }
}

fn error(status: u16, code: &str, message: &str) -> Answer {
    Answer::new(
        status,
        "application/json",
        json!({ "errors": [{ "code": code, "message": message }] }).to_string(),
    )
}
