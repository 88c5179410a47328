//! The documents of one image, as a build tool pushes them.

use super::RELEASE;
use digest_bump::domain::{Digest, PlatformDigest};
use serde_json::{Value, json};

pub(super) const INDEX: &str = "application/vnd.oci.image.index.v1+json";
const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
const LAYER: &str = "application/vnd.oci.image.layer.v1.tar+gzip";

/// One document of an image.
#[derive(Clone)]
pub(super) struct Document {
    pub(super) digest: Digest,
    pub(super) bytes: Vec<u8>,
    /// Of an index or a manifest; `None` for a blob.
    pub(super) media_type: Option<&'static str>,
    pub(super) tags: Vec<&'static str>,
}

/// A two-platform image with an attestation, in the order in which it can be pushed: what is
/// named by a document comes before it.
#[derive(Clone)]
pub(super) struct Content {
    pub(super) documents: Vec<Document>,
    pub(super) index: Digest,
    pub(super) manifests: Vec<PlatformDigest>,
}

impl Content {
    /// The bytes behind a tag or a digest.
    pub(super) fn find(&self, reference: &str) -> Option<&Document> {
        let named = |document: &&Document| {
            document.tags.contains(&reference) || document.digest.as_str() == reference
        };
        self.documents.iter().find(named)
    }

    fn keep(&mut self, bytes: Vec<u8>, media_type: Option<&'static str>) -> Value {
        let (digest, size) = (Digest::of(&bytes), bytes.len());
        let kept = json!({ "digest": digest, "size": size });
        self.documents.push(Document { digest, bytes, media_type, tags: Vec::new() });
        kept
    }

    /// Keeps a manifest with one layer; its descriptor, as an index has it.
    fn manifest(&mut self, config: &Value, layer: &str) -> Value {
        let mut config = self.keep(config.to_string().into_bytes(), None);
        let mut layer = self.keep(layer.as_bytes().to_vec(), None);
        config["mediaType"] = CONFIG.into();
        layer["mediaType"] = LAYER.into();
        let manifest = json!({
            "schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": [layer],
        });
        let mut entry = self.keep(manifest.to_string().into_bytes(), Some(MANIFEST));
        entry["mediaType"] = MANIFEST.into();
        entry
    }
}

/// The image of the release, built for the `build`th time: the same labels, other digests.
pub(super) fn content(build: u32) -> Content {
    let index = Digest::of(b"");
    let mut content = Content { documents: Vec::new(), index, manifests: Vec::new() };
    let mut entries = Vec::new();
    for architecture in ["amd64", "arm64"] {
        let labels = json!({"org.opencontainers.image.version": RELEASE, "arch": architecture});
        let config = json!({
            "architecture": architecture, "os": "linux", "config": {"Labels": labels},
            "rootfs": {"type": "layers", "diff_ids": []},
        });
        let mut entry = content.manifest(&config, &format!("{architecture}, build {build}"));
        entry["platform"] = json!({"os": "linux", "architecture": architecture});
        let digest: Digest = entry["digest"].as_str().unwrap().parse().unwrap();
        content.manifests.push(PlatformDigest::new(digest));
        entries.push(entry);
    }
    let nobody = json!({"os": "unknown", "architecture": "unknown", "config": {}});
    let mut attestation = content.manifest(&nobody, "a statement");
    attestation["platform"] = json!({"os": "unknown", "architecture": "unknown"});
    attestation["annotations"] = json!({
        "vnd.docker.reference.type": "attestation-manifest",
        "vnd.docker.reference.digest": entries[0]["digest"],
    });
    entries.push(attestation);
    let index = json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": entries});
    content.keep(index.to_string().into_bytes(), Some(INDEX));
    let last = content.documents.last_mut().unwrap();
    last.tags = vec!["3.10.0", "latest"];
    content.index = last.digest.clone();
    content
}
