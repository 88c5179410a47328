//! A door for the fuzzer alone, which is no part of the bot: what reads the registry's documents.

use super::{IndexEntry, RegistryError, manifest, manifest::Descriptor};
use crate::domain::Digest;
use std::collections::BTreeMap;

/// Reads an index that came with this `Content-Type`.
///
/// # Errors
/// As the client does.
pub fn index(body: &[u8], media_type: Option<&str>) -> Result<Vec<IndexEntry>, RegistryError> {
    manifest::parse_index(body, media_type, "an index")
}

/// Reads the digest of the config out of a platform's manifest.
///
/// # Errors
/// As the client does.
pub fn config_digest(body: &[u8]) -> Result<Digest, RegistryError> {
    manifest::parse_manifest(body, "a manifest")
}

/// Reads the labels out of an image config.
///
/// # Errors
/// As the client does.
pub fn labels(body: &[u8]) -> Result<BTreeMap<String, String>, RegistryError> {
    manifest::parse_labels(body, "a config")
}

/// Reads what is attached to an image: kind, digest and size of each.
///
/// # Errors
/// As the client does.
pub fn referrers(body: &[u8]) -> Result<Vec<(String, Digest, u64)>, RegistryError> {
    Ok(plain(manifest::parse_referrers(body, "a list of referrers")?))
}

/// Reads the layers of a manifest: kind, digest and size of each.
///
/// # Errors
/// As the client does.
pub fn layers(body: &[u8]) -> Result<Vec<(String, Digest, u64)>, RegistryError> {
    Ok(plain(manifest::parse_layers(body, "a manifest")?))
}

fn plain(descriptors: Vec<Descriptor>) -> Vec<(String, Digest, u64)> {
    descriptors.into_iter().map(|it| (it.media_type, it.digest, it.size)).collect()
}
