//! A door for the fuzzer alone, which is no part of the bot: what reads the registry's documents.

use super::{IndexEntry, RegistryError, manifest};
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
