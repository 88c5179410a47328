//! What a registry sends. The bytes are read as each of its documents. serde also takes a list for an
//! object, in the order of the fields: there the plain tree has no names, and no second opinion.

use digest_bump::clients::registry::fuzzing;
use digest_bump::domain::Digest;
use serde_json::Value;

const OCI_INDEX: &str = "application/vnd.oci.image.index.v1+json";

/// An index, with and without the type that came with it.
pub fn index(bytes: &[u8]) {
    let bare = fuzzing::index(bytes, None);
    let typed = fuzzing::index(bytes, Some(OCI_INDEX));
    let (Ok(entries), Ok(typed)) = (&bare, &typed) else {
        assert!(bare.is_err() && typed.is_err(), "{bare:?} {typed:?}");
        return;
    };
    assert_eq!(entries, typed);
    assert!(fuzzing::index(bytes, Some("text/html")).is_err());
    assert!(entries.len() <= 100);
    let tree: Option<Value> = serde_json::from_slice(bytes).ok();
    let listed = tree.as_ref().and_then(|tree| tree["manifests"].as_array());
    let listed = listed.filter(|all| all.iter().all(Value::is_object));
    for entry in entries {
        assert!(entry.platform.0.contains('/') && entry.platform.0 != "unknown/unknown");
        let digest = entry.digest.as_str();
        assert_eq!(digest.parse::<Digest>().as_ref(), Ok(entry.digest.digest()));
        assert!(listed.is_none_or(|all| all.iter().any(|it| it["digest"] == *digest)));
    }
    // What is an index is no image, whoever asks.
    if let Some(tree) = tree {
        assert!(tree["config"].is_null() && tree["layers"].is_null());
    }
}

/// A platform's manifest and an image config.
pub fn image(bytes: &[u8]) {
    let tree: Option<Value> = serde_json::from_slice(bytes).ok();
    let config = tree.as_ref().map(|tree| &tree["config"]).filter(|config| config.is_object());
    let (digest, labels) = (fuzzing::config_digest(bytes), fuzzing::labels(bytes));
    let Some(config) = config else { return };
    if let Ok(digest) = digest {
        assert_eq!(config["digest"], *digest.as_str());
    }
    if let Ok(labels) = labels {
        let there = config["Labels"].as_object();
        assert_eq!(labels.len(), there.map_or(0, serde_json::Map::len));
        for (name, value) in labels {
            assert_eq!(config["Labels"][name], *value);
        }
    }
}

/// What is attached to an image: a list of referrers, and the layers of one of them.
pub fn attached(bytes: &[u8]) {
    let (referrers, layers) = (fuzzing::referrers(bytes), fuzzing::layers(bytes));
    let tree: Option<Value> = serde_json::from_slice(bytes).ok();
    let listed = |field: &str| {
        let listed = tree.as_ref().and_then(|tree| tree.as_object()?.get(field)?.as_array());
        listed.filter(|all| all.iter().all(Value::is_object))
    };
    // Of referrers those that can be read, of layers all or nothing.
    if let (Ok(read), Some(listed)) = (referrers, listed("manifests")) {
        assert_eq!(read, listed.iter().filter_map(described).collect::<Vec<_>>());
    }
    if let (Ok(read), Some(listed)) = (layers, listed("layers")) {
        assert_eq!(Some(read), listed.iter().map(described).collect());
    }
}

/// Kind, digest and size of what is described there.
fn described(entry: &Value) -> Option<(String, Digest, u64)> {
    let kind = entry["mediaType"].as_str()?.to_owned();
    let digest = entry["digest"].as_str()?.parse().ok()?;
    let size = entry.get("size").map_or(Some(0), Value::as_u64)?;
    Some((kind, digest, size))
}
