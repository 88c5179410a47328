//! Images as they are pushed: index, platforms, attestations, configs and tags.

use super::referrers::Referrers;
use crate::image::Image;
use crate::release::Release;
use crate::wire::hex_sha256;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// The media type of a multi-platform index.
pub(super) const INDEX: &str = "application/vnd.oci.image.index.v1+json";
pub(super) const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
const LAYER: &str = "application/vnd.oci.image.layer.v1.tar+gzip";
const TAR_LAYER: &str = "application/vnd.oci.image.layer.v1.tar";
/// What a layer calls the program that it holds, and as whom that is run.
const PROGRAM: &str = "program";
const NOBODY: &str = "65534:65534";

/// The registry's memory.
#[derive(Debug, Default)]
pub(crate) struct Store {
    pub(super) shelves: BTreeMap<String, Shelf>,
    /// The tokens that are worth something, each with the one name that it opens.
    pub(super) tokens: BTreeMap<String, String>,
    pub(crate) referrers: Referrers,
    pub(super) mislabelled: bool,
}

/// Everything that was pushed under one name.
#[derive(Debug, Default)]
pub(super) struct Shelf {
    pub(super) manifests: BTreeMap<String, (&'static str, Vec<u8>)>,
    pub(super) blobs: BTreeMap<String, Vec<u8>>,
    pub(super) tags: BTreeMap<String, String>,
    /// What refers to a digest, as the registry would list it.
    pub(super) referrers: BTreeMap<String, Vec<Value>>,
}

/// A manifest that was pushed.
#[derive(Debug, Clone)]
pub(crate) struct Descriptor {
    pub(crate) digest: String,
    pub(crate) size: usize,
}

/// An image that was pushed.
#[derive(Debug, Clone)]
pub(crate) struct Built {
    pub(crate) index: Descriptor,
    pub(crate) platforms: Vec<Descriptor>,
}

impl Store {
    /// Builds and pushes an image of a release with all its tags, attestations included.
    pub(crate) fn build(&mut self, source: &str, release: &Release, image: &Image) -> Built {
        let here = self.shelves.entry(image.name.clone()).or_default();
        let (mut entries, mut attestations, mut platforms) = (Vec::new(), Vec::new(), Vec::new());
        for platform in &image.platforms {
            let (os, architecture) = platform.split_once('/').unwrap_or(("linux", platform));
            let mut config = config(source, release, image, os, architecture);
            let (layer, kind) = if let Some(executable) = &image.program {
                let layer = layer_with(executable);
                runs(&mut config, &layer);
                (layer, TAR_LAYER)
            } else {
                let told = format!(
                    "layer of {} {} for {platform}, build {}\n",
                    image.name, release.version, image.builds
                );
                (told.into_bytes(), LAYER)
            };
            let (config, layer) = (here.blob(config.to_string()), here.blob(layer));
            let manifest = here.image(&config, &layer, kind, None);
            let mut entry = described(MANIFEST, &manifest);
            entry["platform"] = json!({ "architecture": architecture, "os": os });
            entries.push(entry);
            attestations.push(here.attestation(&json!(manifest.digest)));
            platforms.push(manifest);
        }
        entries.extend(attestations);
        let index = json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": entries });
        let index = here.put(INDEX, &index);
        let revision = image.revision.as_deref().unwrap_or_default();
        for tag in tags(release, revision) {
            here.tags.insert(tag, index.digest.clone());
        }
        Built { index, platforms }
    }

    /// An image that was pushed before, found again by the digest of its index.
    pub(crate) fn built(&self, name: &str, digest: &str) -> Built {
        let bytes = self.shelves.get(name).and_then(|here| here.manifests.get(digest));
        let (_, bytes) = bytes.expect("the image was pushed");
        let index: Value = serde_json::from_slice(bytes).expect("an index is JSON");
        let entries = index["manifests"].as_array().into_iter().flatten();
        let platforms = entries.map(|entry| Descriptor {
            digest: entry["digest"].as_str().unwrap_or_default().to_owned(),
            size: entry["size"].as_u64().and_then(|size| size.try_into().ok()).unwrap_or(0),
        });
        let index = Descriptor { digest: digest.to_owned(), size: bytes.len() };
        Built { index, platforms: platforms.collect() }
    }

    pub(crate) fn tag(&self, name: &str, tag: &str) -> Option<String> {
        self.shelves.get(name)?.tags.get(tag).cloned()
    }

    pub(crate) fn tags(&self, name: &str) -> BTreeMap<String, String> {
        self.shelves.get(name).map(|here| here.tags.clone()).unwrap_or_default()
    }

    pub(crate) fn point_tag(&mut self, name: &str, tag: &str, digest: &str) {
        if let Some(here) = self.shelves.get_mut(name) {
            here.tags.insert(tag.to_owned(), digest.to_owned());
        }
    }

    pub(crate) fn remove_tag(&mut self, name: &str, tag: &str) {
        if let Some(here) = self.shelves.get_mut(name) {
            here.tags.remove(tag);
        }
    }

    pub(crate) fn remove_manifest(&mut self, digest: &str) {
        for here in self.shelves.values_mut() {
            here.manifests.remove(digest);
            here.tags.retain(|_, at| at != digest);
        }
    }

    pub(crate) fn bytes(&self, digest: &str) -> Option<Vec<u8>> {
        self.shelves.values().find_map(|here| {
            let manifest = here.manifests.get(digest).map(|(_, bytes)| bytes);
            manifest.or_else(|| here.blobs.get(digest)).cloned()
        })
    }

    /// Makes every token that was given out worthless.
    pub(crate) fn forget_tokens(&mut self) {
        self.tokens.clear();
    }
}

impl Shelf {
    /// The provenance that the build tool adds for each platform: it is no platform.
    fn attestation(&mut self, of: &Value) -> Value {
        let config = self
            .blob(json!({ "architecture": "unknown", "os": "unknown", "config": {} }).to_string());
        let statement = self.blob(format!("{{\"subject\":{of}}}"));
        let kind = "application/vnd.in-toto+json";
        let mut entry = described(MANIFEST, &self.image(&config, &statement, kind, Some(of)));
        entry["platform"] = json!({ "architecture": "unknown", "os": "unknown" });
        entry["annotations"] = json!({
            "vnd.docker.reference.digest": of,
            "vnd.docker.reference.type": "attestation-manifest",
        });
        entry
    }

    fn image(
        &mut self,
        config: &Descriptor,
        layer: &Descriptor,
        layer_type: &str,
        subject: Option<&Value>,
    ) -> Descriptor {
        let mut manifest = json!({
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": described(CONFIG, config),
            "layers": [described(layer_type, layer)],
        });
        if let Some(subject) = subject {
            manifest["annotations"] = json!({ "in-toto.io/subject": subject });
        }
        self.put(MANIFEST, &manifest)
    }

    pub(super) fn put(&mut self, kind: &'static str, manifest: &Value) -> Descriptor {
        let bytes = manifest.to_string().into_bytes();
        let (digest, size) = (digest_of(&bytes), bytes.len());
        self.manifests.insert(digest.clone(), (kind, bytes));
        Descriptor { digest, size }
    }

    pub(super) fn blob(&mut self, content: impl Into<Vec<u8>>) -> Descriptor {
        let bytes = content.into();
        let (digest, size) = (digest_of(&bytes), bytes.len());
        self.blobs.insert(digest.clone(), bytes);
        Descriptor { digest, size }
    }
}

/// A descriptor as manifests spell it.
pub(super) fn described(kind: &str, of: &Descriptor) -> Value {
    json!({ "mediaType": kind, "digest": of.digest, "size": of.size })
}

fn digest_of(bytes: &[u8]) -> String {
    format!("sha256:{}", hex_sha256(bytes))
}

fn config(source: &str, release: &Release, image: &Image, os: &str, architecture: &str) -> Value {
    let contract =
        image.broken.as_ref().map_or_else(|| "ok".to_owned(), |why| format!("broken: {why}"));
    let mut labels = json!({
        "org.opencontainers.image.source": format!("https://github.com/{source}"),
        "world.contract": contract,
    });
    let revision = image.revision.as_deref().unwrap_or_default();
    for (name, value) in [("version", image.version_label.as_str()), ("revision", revision)] {
        if !value.is_empty() {
            labels[format!("org.opencontainers.image.{name}")] = json!(value);
        }
    }
    json!({
        "architecture": architecture,
        "os": os,
        "config": { "Labels": labels },
        "rootfs": { "type": "layers", "diff_ids": [digest_of(release.version.as_bytes())] },
    })
}

/// A layer that holds one executable, as a tar archive.
fn layer_with(executable: &[u8]) -> Vec<u8> {
    let field = |width: usize, value: usize| format!("{value:0width$o}\0");
    let mut head = vec![0; 512];
    let mut put =
        |at: usize, text: &str| head[at..at + text.len()].copy_from_slice(text.as_bytes());
    put(0, PROGRAM);
    put(100, &field(7, 0o755));
    put(108, &field(7, 0));
    put(116, &field(7, 0));
    put(124, &field(11, executable.len()));
    put(136, &field(11, 0));
    // The sum of the head, which counts itself as blanks.
    put(148, "        ");
    put(156, "0");
    put(257, "ustar\x0000");
    let sum: usize = head.iter().map(|&byte| usize::from(byte)).sum();
    head[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    let mut layer = [&head, executable].concat();
    layer.resize(layer.len().next_multiple_of(512) + 1024, 0);
    layer
}

/// Has an image's config run what is in its layer.
fn runs(config: &mut Value, layer: &[u8]) {
    config["rootfs"]["diff_ids"] = json!([digest_of(layer)]);
    config["config"]["Entrypoint"] = json!([format!("/{PROGRAM}")]);
    config["config"]["User"] = json!(NOBODY);
}

/// The tag of the version, the floating ones, and that of the commit.
fn tags(release: &Release, revision: &str) -> Vec<String> {
    let version = release.version.as_str();
    let short: String = revision.chars().take(7).collect();
    let mut tags = vec![version.to_owned(), format!("sha-{short}")];
    let parts: Vec<&str> = version.split('.').collect();
    if let ([major, minor, patch], false) = (parts.as_slice(), release.prerelease)
        && patch.chars().all(|digit| digit.is_ascii_digit())
    {
        tags.extend([format!("{major}.{minor}"), (*major).to_owned(), "latest".to_owned()]);
    }
    tags
}
