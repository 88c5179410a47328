//! Images as they are pushed: index, platforms, attestations, configs and tags.

use crate::release::Release;
use crate::wire::hex_sha256;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// The media type of a multi-platform index.
pub(super) const INDEX: &str = "application/vnd.oci.image.index.v1+json";
const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
const LAYER: &str = "application/vnd.oci.image.layer.v1.tar+gzip";

/// Everything that was pushed, for the one image that the world has.
#[derive(Debug, Default)]
pub(crate) struct Store {
    pub(super) manifests: BTreeMap<String, (&'static str, Vec<u8>)>,
    pub(super) blobs: BTreeMap<String, Vec<u8>>,
    pub(crate) tags: BTreeMap<String, String>,
    pub(super) tokens: BTreeMap<String, String>,
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
    let contract =
        release.broken.as_ref().map_or_else(|| "ok".to_owned(), |why| format!("broken: {why}"));
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
        tags.extend([format!("{major}.{minor}"), (*major).to_owned(), "latest".to_owned()]);
    }
    tags
}
