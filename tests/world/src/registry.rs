//! The container registry, with GHCR's token dance and manners.

use crate::{
    Inner,
    release::Release,
    state::State,
    wire::{Answer, Call, encode, hex_sha256},
};
use serde_json::{Value, json};
use std::{collections::BTreeMap, sync::Arc};

const INDEX: &str = "application/vnd.oci.image.index.v1+json";
const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
const LAYER: &str = "application/vnd.oci.image.layer.v1.tar+gzip";

/// Everything that was pushed, for the one image that the world has.
#[derive(Debug, Default)]
pub(crate) struct Store {
    manifests: BTreeMap<String, (&'static str, Vec<u8>)>,
    blobs: BTreeMap<String, Vec<u8>>,
    pub(crate) tags: BTreeMap<String, String>,
    tokens: BTreeMap<String, String>,
}

impl Store {
    /// Builds and pushes a release's image with all its tags, attestations included.
    pub(crate) fn build(&mut self, source: &str, release: &Release) {
        let mut entries = Vec::new();
        let mut attestations = Vec::new();
        for platform in &release.platforms {
            let (os, architecture) = platform.split_once('/').unwrap_or(("linux", platform));
            let config = self.blob(config(source, release, os, architecture).to_string());
            let layer = self.blob(format!(
                "layer of {} for {platform}, build {}\n",
                release.version, release.builds
            ));
            let manifest = self.manifest(&config, CONFIG, &layer, LAYER, None);
            let digest = manifest["digest"].clone();
            let mut entry = manifest;
            entry["platform"] = json!({ "architecture": architecture, "os": os });
            entries.push(entry);
            attestations.push(self.attestation(&digest));
        }
        entries.extend(attestations);
        let index = json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": entries });
        let digest = self.put(INDEX, &index);
        for tag in tags(release) {
            self.tags.insert(tag, digest.clone());
        }
    }

    /// The provenance that the build tool adds for each platform: it is no platform.
    fn attestation(&mut self, of: &Value) -> Value {
        let config = self
            .blob(json!({ "architecture": "unknown", "os": "unknown", "config": {} }).to_string());
        let statement = self.blob(format!("{{\"subject\":{of}}}"));
        let kind = "application/vnd.in-toto+json";
        let mut entry = self.manifest(&config, CONFIG, &statement, kind, Some(of));
        entry["platform"] = json!({ "architecture": "unknown", "os": "unknown" });
        entry["annotations"] = json!({
            "vnd.docker.reference.digest": of,
            "vnd.docker.reference.type": "attestation-manifest",
        });
        entry
    }

    fn manifest(
        &mut self,
        config: &Value,
        config_type: &str,
        layer: &Value,
        layer_type: &str,
        subject: Option<&Value>,
    ) -> Value {
        let described = |blob: &Value, kind: &str| json!({ "mediaType": kind, "digest": blob["digest"], "size": blob["size"] });
        let mut manifest = json!({
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": described(config, config_type),
            "layers": [described(layer, layer_type)],
        });
        if let Some(subject) = subject {
            manifest["annotations"] = json!({ "in-toto.io/subject": subject });
        }
        let size = manifest.to_string().len();
        let digest = self.put(MANIFEST, &manifest);
        json!({ "mediaType": MANIFEST, "digest": digest, "size": size })
    }

    fn put(&mut self, kind: &'static str, manifest: &Value) -> String {
        let bytes = manifest.to_string().into_bytes();
        let digest = digest_of(&bytes);
        self.manifests.insert(digest.clone(), (kind, bytes));
        digest
    }

    fn blob(&mut self, text: String) -> Value {
        let bytes = text.into_bytes();
        let (digest, size) = (digest_of(&bytes), bytes.len());
        self.blobs.insert(digest.clone(), bytes);
        json!({ "digest": digest, "size": size })
    }

    /// Makes every token that was given out worthless.
    pub(crate) fn forget_tokens(&mut self) {
        self.tokens.clear();
    }
}

fn digest_of(bytes: &[u8]) -> String {
    format!("sha256:{}", hex_sha256(bytes))
}

fn config(source: &str, release: &Release, os: &str, architecture: &str) -> Value {
    let contract = release
        .broken
        .as_ref()
        .map_or_else(|| "ok".to_owned(), |why| format!("broken: {why}"));
    json!({
        "architecture": architecture,
        "os": os,
        "config": { "Labels": {
            "org.opencontainers.image.version": release.version_label,
            "org.opencontainers.image.revision": release.revision,
            "org.opencontainers.image.source": format!("https://github.com/{source}"),
            "world.contract": contract,
        } },
        "rootfs": { "type": "layers", "diff_ids": [digest_of(release.version.as_bytes())] },
    })
}

/// The tag of the version, the floating ones, and that of the commit.
fn tags(release: &Release) -> Vec<String> {
    let version = release.version.as_str();
    let short: String = release.revision.chars().take(7).collect();
    let mut tags = vec![version.to_owned(), format!("sha-{short}")];
    let parts: Vec<&str> = version.split('.').collect();
    if let ([major, minor, patch], false) = (parts.as_slice(), release.prerelease)
        && patch.chars().all(|digit| digit.is_ascii_digit())
    {
        tags.extend([
            format!("{major}.{minor}"),
            (*major).to_owned(),
            "latest".to_owned(),
        ]);
    }
    tags
}

/// Answers at the registry's own door.
pub(crate) fn answer(inner: &Arc<Inner>, call: &Call) -> Answer {
    let mut state = inner.state();
    if call.path == "/token" {
        return token(&mut state, call);
    }
    let Some(rest) = call.path.strip_prefix("/v2/") else {
        state
            .log
            .violation(format!("the registry does not know {}", call.path));
        return Answer::text(404, "404 page not found\n");
    };
    if !matches!(call.method.as_str(), "GET" | "HEAD") {
        state
            .log
            .violation(format!("{} on the registry: {}", call.method, call.path));
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
    match rest.as_slice() {
        [] => Answer::json(200, &json!({})),
        ["manifests", reference] => manifest(&state, call, reference),
        ["blobs", digest] => blob(&state, digest),
        ["tags", "list"] => tag_list(&state, call, &name),
        // As GHCR does: it has no referrers, and its 404 is not even JSON.
        _ => Answer::text(404, "404 page not found\n"),
    }
}

/// Answers where the blobs are kept: another host, that must never see the registry's token.
pub(crate) fn storage(inner: &Arc<Inner>, call: &Call) -> Answer {
    let mut state = inner.state();
    if !call.header("authorization").is_empty() {
        state
            .log
            .violation("the registry's token was sent to the blob storage");
        return Answer::text(400, "only one auth mechanism allowed\n");
    }
    let digest = call.path.rsplit('/').next().unwrap_or_default();
    match state.registry.blobs.get(digest) {
        Some(bytes) => Answer::new(200, "application/octet-stream", bytes.clone()),
        None => Answer::text(404, "BlobNotFound\n"),
    }
}

/// Splits `toon-protocol/connector/manifests/1.0.0` into the name and the rest.
fn split_name(path: &str) -> (String, Vec<&str>) {
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    let kinds = ["manifests", "blobs", "tags", "referrers"];
    let at = parts
        .iter()
        .position(|part| kinds.contains(part))
        .unwrap_or(parts.len());
    (parts[..at].join("/"), parts[at..].to_vec())
}

fn token(state: &mut State, call: &Call) -> Answer {
    let scope = call.parameter("scope").unwrap_or_default();
    let name = scope
        .strip_prefix("repository:")
        .and_then(|rest| rest.split_once(':'))
        .map(|(name, _)| name.to_owned());
    let Some(name) = name.filter(|name| *name == state.upstream) else {
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

fn manifest(state: &State, call: &Call, reference: &str) -> Answer {
    let store = &state.registry;
    let digest = store
        .tags
        .get(reference)
        .map_or(reference, String::as_str)
        .to_owned();
    let Some((kind, bytes)) = store.manifests.get(&digest) else {
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
    let mut answer = if known == digest {
        Answer::empty(304)
    } else {
        Answer::new(200, kind, bytes.clone())
    };
    answer = answer.with("etag", format!("\"{digest}\""));
    answer.with("docker-content-digest", digest)
}

fn blob(state: &State, digest: &str) -> Answer {
    if !state.registry.blobs.contains_key(digest) {
        return error(404, "BLOB_UNKNOWN", "blob unknown to registry");
    }
    let elsewhere = format!("{}/storage/{digest}", state.urls.storage);
    Answer::new(307, "text/html; charset=utf-8", "").with("location", elsewhere)
}

fn tag_list(state: &State, call: &Call, name: &str) -> Answer {
    let size = call.number("n").unwrap_or(100).clamp(1, 1000);
    let after = call.parameter("last").unwrap_or_default();
    let left: Vec<&String> = state
        .registry
        .tags
        .keys()
        .filter(|tag| **tag > after)
        .collect();
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
