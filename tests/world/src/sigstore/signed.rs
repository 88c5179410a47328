//! What came of a signing, in all forms.

use super::bundle::{BundleVersion, EMPTY, EMPTY_TYPE, Predicate, referrer};
use chrono::{DateTime, Utc};
use serde_json::Value;

/// A signature of one digest, written down in all forms. They share a key and a certificate.
#[derive(Debug, Clone)]
pub struct Signed {
    /// The digest that was to be signed.
    pub digest: String,
    /// The legacy form: the manifest under the tag `sha256-<hex>.sig`.
    pub manifest: Vec<u8>,
    /// The legacy form: the simple-signing payload, the manifest's only layer.
    pub payload: Vec<u8>,
    /// The certificate in PEM.
    pub certificate: String,
    /// When the log took it in.
    pub signed_at: DateTime<Utc>,
    pub(super) layer: Value,
    pub(super) bundles: [Vec<u8>; 3],
}

impl Signed {
    /// The bundle of a version.
    #[must_use]
    pub fn bundle(&self, version: BundleVersion) -> &[u8] {
        let [first, second, third] = &self.bundles;
        match version {
            BundleVersion::V01 => first,
            BundleVersion::V02 => second,
            BundleVersion::V03 => third,
        }
    }

    /// The manifest that refers to an index of this size and holds the bundle of a version.
    #[must_use]
    pub fn referrer(&self, version: BundleVersion, index_size: usize) -> Vec<u8> {
        let index = (self.digest.as_str(), index_size);
        referrer(self.bundle(version), Predicate::Signature, index).to_string().into_bytes()
    }

    /// The config of the manifest that refers: its media type and its bytes.
    #[must_use]
    pub fn referrer_config() -> (&'static str, &'static str) {
        (EMPTY_TYPE, EMPTY)
    }

    /// The layer of the legacy form, with its annotations.
    pub(crate) fn layer(&self) -> &Value {
        &self.layer
    }
}
