//! The OCI documents that are read: indexes, manifests and image configs.

use super::error::RegistryError;
use crate::domain::{Digest, Platform, PlatformDigest};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;

const OCI_INDEX: &str = "application/vnd.oci.image.index.v1+json";
const DOCKER_LIST: &str = "application/vnd.docker.distribution.manifest.list.v2+json";

/// What is accepted where an index is expected: a single manifest too, because a registry that may
/// not send it answers "not found", which is another fault.
pub(super) const ACCEPT_ANY: &str = "application/vnd.oci.image.index.v1+json, \
    application/vnd.docker.distribution.manifest.list.v2+json, \
    application/vnd.oci.image.manifest.v1+json, \
    application/vnd.docker.distribution.manifest.v2+json";

/// What is accepted where one platform's manifest is expected.
pub(super) const ACCEPT_MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json, \
    application/vnd.docker.distribution.manifest.v2+json";

/// What is accepted where signatures are: anything that can be attached to an image.
pub(super) const ACCEPT_INDEX: &str = OCI_INDEX;

/// The annotation that marks a build attestation among the manifests of an index.
const ATTESTATION: &str = "vnd.docker.reference.type";

/// More platforms than any image has; each costs two requests.
const MAX_ENTRIES: usize = 100;

/// One platform's entry of an index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IndexEntry {
    /// Operating system and architecture, with the variant where it says more.
    pub platform: Platform,
    /// The digest of this platform's manifest.
    pub digest: PlatformDigest,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireIndex {
    media_type: Option<String>,
    manifests: Option<Vec<WireEntry>>,
    config: Option<serde::de::IgnoredAny>,
    layers: Option<serde::de::IgnoredAny>,
}

#[derive(Deserialize)]
struct WireEntry {
    digest: String,
    platform: Option<WirePlatform>,
    annotations: Option<BTreeMap<String, String>>,
}

#[derive(Deserialize)]
struct WirePlatform {
    os: String,
    architecture: String,
    variant: Option<String>,
}

/// Reads an index. `media_type` is the `Content-Type` that came with it; `what` names it.
///
/// Entries that are no platform (build attestations, entries without one) are left out.
pub(super) fn parse_index(
    body: &[u8],
    media_type: Option<&str>,
    what: &str,
) -> Result<Vec<IndexEntry>, RegistryError> {
    let index: WireIndex = read(body, what)?;
    let is_image = index.config.is_some() || index.layers.is_some();
    let Some(manifests) = index.manifests else {
        return Err(if is_image {
            RegistryError::NotAnIndex { what: what.to_owned() }
        } else {
            RegistryError::malformed(format!("{what} is neither an index nor an image"))
        });
    };
    // A document that is both is read as the one or the other by different clients, each of which
    // would run something else under the same digest (CVE-2021-41190).
    if is_image {
        return Err(RegistryError::malformed(format!("{what} is an index and an image at once")));
    }
    let named: Vec<&str> =
        [media_type.map(essence), index.media_type.as_deref()].into_iter().flatten().collect();
    if let Some(other) = named.iter().find(|kind| !matches!(**kind, OCI_INDEX | DOCKER_LIST)) {
        let other = crate::clients::wire::excerpt(other);
        return Err(RegistryError::malformed(format!("{what} calls itself `{other}`")));
    }
    if manifests.len() > MAX_ENTRIES {
        return Err(RegistryError::malformed(format!("{what} has over {MAX_ENTRIES} entries")));
    }
    manifests
        .into_iter()
        .enumerate()
        .filter_map(|(number, entry)| entry_of(entry, number, what).transpose())
        .collect()
}

/// A media type without its parameters.
fn essence(media_type: &str) -> &str {
    media_type.split(';').next().unwrap_or_default().trim()
}

fn entry_of(
    entry: WireEntry,
    number: usize,
    what: &str,
) -> Result<Option<IndexEntry>, RegistryError> {
    let attests =
        entry.annotations.is_some_and(|annotations| annotations.contains_key(ATTESTATION));
    let Some(platform) = entry.platform.filter(|_| !attests).and_then(platform_of) else {
        return Ok(None);
    };
    let digest = entry.digest.parse().map_err(|error| RegistryError::Malformed {
        what: format!("entry {number} of {what}"),
        source: Some(Box::new(error) as _),
    })?;
    Ok(Some(IndexEntry { platform, digest }))
}

/// The platform's usual name; `None` for `unknown/unknown`.
fn platform_of(platform: WirePlatform) -> Option<Platform> {
    let WirePlatform { os, architecture, variant } = platform;
    if os == "unknown" && architecture == "unknown" {
        return None;
    }
    // These variants say nothing: container engines take them and their absence for the same.
    let variant = variant.filter(|variant| {
        !matches!(
            (architecture.as_str(), variant.as_str()),
            (_, "") | ("arm64", "v8") | ("amd64", "v1")
        )
    });
    let variant = variant.map(|variant| format!("/{variant}")).unwrap_or_default();
    Some(Platform(format!("{os}/{architecture}{variant}")))
}

#[derive(Deserialize)]
struct WireManifest {
    config: WireDescriptor,
}

#[derive(Deserialize)]
struct WireDescriptor {
    digest: Digest,
}

/// A descriptor, as far as it matters to who looks for signatures.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Descriptor {
    pub(super) media_type: String,
    pub(super) digest: Digest,
    #[serde(default)]
    pub(super) size: u64,
}

/// Reads what is attached to an image, in the order of the list: an answer of the referrers
/// endpoint, or the index behind the fallback tag (distribution specification 1.1, "Listing
/// Referrers"). Entries that cannot be read are left out: each is somebody's, and none speaks for
/// the others.
pub(super) fn parse_referrers(body: &[u8], what: &str) -> Result<Vec<Descriptor>, RegistryError> {
    #[derive(Deserialize)]
    struct Referrers {
        manifests: Vec<serde_json::Value>,
    }
    let list: Referrers = read(body, what)?;
    let entries = list.manifests.into_iter();
    Ok(entries.filter_map(|entry| serde_json::from_value(entry).ok()).collect())
}

/// Reads the layers of a manifest, whatever it is of.
pub(super) fn parse_layers(body: &[u8], what: &str) -> Result<Vec<Descriptor>, RegistryError> {
    #[derive(Deserialize)]
    struct Layers {
        layers: Vec<Descriptor>,
    }
    Ok(read::<Layers>(body, what)?.layers)
}

/// Reads the digest of the image config out of a platform's manifest.
pub(super) fn parse_manifest(body: &[u8], what: &str) -> Result<Digest, RegistryError> {
    Ok(read::<WireManifest>(body, what)?.config.digest)
}

#[derive(Deserialize)]
struct WireImage {
    config: Option<WireConfig>,
}

#[derive(Deserialize)]
struct WireConfig {
    #[serde(rename = "Labels")]
    labels: Option<BTreeMap<String, String>>,
}

/// Reads the labels out of an image config; an image may have none.
pub(super) fn parse_labels(
    body: &[u8],
    what: &str,
) -> Result<BTreeMap<String, String>, RegistryError> {
    let image: WireImage = read(body, what)?;
    Ok(image.config.and_then(|config| config.labels).unwrap_or_default())
}

fn read<T: DeserializeOwned>(body: &[u8], what: &str) -> Result<T, RegistryError> {
    serde_json::from_slice(body).map_err(|error| RegistryError::Malformed {
        what: what.to_owned(),
        source: Some(error.into()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    fn index(entries: &[Value]) -> String {
        json!({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": entries}).to_string()
    }

    fn entry(os: &str, architecture: &str, variant: Option<&str>) -> Value {
        json!({
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "digest": format!("sha256:{}", "a".repeat(64)),
            "size": 1,
            "platform": {"os": os, "architecture": architecture, "variant": variant},
        })
    }

    fn platforms(entries: &[Value]) -> Vec<String> {
        parse_index(index(entries).as_bytes(), Some(OCI_INDEX), "x")
            .unwrap()
            .into_iter()
            .map(|entry| entry.platform.0)
            .collect()
    }

    #[test]
    fn attestations_are_no_platforms() {
        let mut marked = entry("linux", "amd64", None);
        marked["annotations"] = json!({ATTESTATION: "attestation-manifest"});
        let mut bare = entry("linux", "amd64", None);
        bare["platform"] = Value::Null;
        let all = [entry("linux", "amd64", None), entry("unknown", "unknown", None), marked, bare];
        assert_eq!(platforms(&all), ["linux/amd64"]);
    }

    #[test]
    fn variants_are_named_where_they_say_something() {
        let all = [
            entry("linux", "arm64", Some("v8")),
            entry("linux", "arm", Some("v7")),
            entry("linux", "amd64", Some("v3")),
            entry("linux", "amd64", Some("")),
        ];
        assert_eq!(
            platforms(&all),
            ["linux/arm64", "linux/arm/v7", "linux/amd64/v3", "linux/amd64"]
        );
    }

    #[test]
    fn what_is_no_index_is_said_to_be_none() {
        let verdict =
            |body: &str, kind| parse_index(body.as_bytes(), kind, "x").unwrap_err().to_string();
        let image = json!({"config": {}, "layers": []}).to_string();
        assert_eq!(verdict(&image, None), "x is not a multi-platform index");
        let both = json!({"manifests": [], "layers": []}).to_string();
        assert!(verdict(&both, None).contains("at once"));
        assert!(verdict(&index(&[]), Some("text/plain")).contains("calls itself `text/plain`"));
        let odd = index(&[]).replace(OCI_INDEX, "application/vnd.oci.image.manifest.v1+json");
        assert!(verdict(&odd, Some(OCI_INDEX)).contains("calls itself"));
        let mut wrong = entry("linux", "amd64", None);
        wrong["digest"] = "sha512:00".into();
        assert!(verdict(&index(&[wrong]), None).contains("entry 0 of x"));
        let many = vec![entry("linux", "amd64", None); MAX_ENTRIES + 1];
        assert!(verdict(&index(&many), None).contains("over 100"));
        for body in ["", "{}", "[]", "<html>", "{\"manifests\":7}"] {
            assert!(verdict(body, None).contains("malformed"), "{body}");
        }
        assert!(
            parse_index(index(&[]).as_bytes(), Some(&format!("{OCI_INDEX}; charset=utf-8")), "x")
                .is_ok()
        );
    }

    #[test]
    fn labels_may_be_missing() {
        for body in
            ["{}", r#"{"config":null}"#, r#"{"config":{}}"#, r#"{"config":{"Labels":null}}"#]
        {
            assert!(parse_labels(body.as_bytes(), "x").unwrap().is_empty(), "{body}");
        }
        let labels = parse_labels(br#"{"config":{"Labels":{"a":"b"}}}"#, "x").unwrap();
        assert_eq!(labels["a"], "b");
        assert!(parse_labels(br#"{"config":{"Labels":[]}}"#, "x").is_err());
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(body: Vec<u8>, kind: Option<String>) {
            let _ = parse_index(&body, kind.as_deref(), "x");
            let _ = parse_manifest(&body, "x");
            let _ = parse_labels(&body, "x");
        }
    }
}
