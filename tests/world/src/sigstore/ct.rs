//! The certificate transparency log: the timestamps that it puts into certificates.

use super::key::{Key, sha256};
use chrono::{DateTime, Utc};
use x509_cert::der::{Encode, asn1::OctetString};

/// A log that promises to publish each certificate.
#[derive(Debug)]
pub(super) struct CtLog {
    key: Key,
    /// Not the log's own.
    wrong: Key,
}

impl CtLog {
    pub(super) fn new() -> Self {
        Self { key: Key::new(), wrong: Key::new() }
    }

    pub(super) fn key(&self) -> &Key {
        &self.key
    }

    /// The content of the extension that holds the timestamps (RFC 6962, sections 3.2 and 3.3),
    /// for the certificate without it and the public key of its issuer.
    pub(super) fn timestamps(
        &self,
        certificate: &[u8],
        issuer: &[u8],
        at: DateTime<Utc>,
        by_wrong_key: bool,
    ) -> Vec<u8> {
        const VERSION_1: u8 = 0;
        const CERTIFICATE_TIMESTAMP: u8 = 0;
        const PRECERTIFICATE: [u8; 2] = [0, 1];
        const NO_EXTENSIONS: [u8; 2] = [0, 0];
        const SHA256_ECDSA: [u8; 2] = [4, 3];
        let at = at.timestamp_millis().to_be_bytes();
        let signed = [
            [VERSION_1, CERTIFICATE_TIMESTAMP].as_slice(),
            &at,
            &PRECERTIFICATE,
            &sha256(issuer),
            &sized(3, certificate),
            &NO_EXTENSIONS,
        ];
        let key = if by_wrong_key { &self.wrong } else { &self.key };
        let signature = sized(2, &key.sign(&signed.concat()));
        let id = self.key.id();
        let timestamp =
            [[VERSION_1].as_slice(), &id, &at, &NO_EXTENSIONS, &SHA256_ECDSA, &signature];
        let list = sized(2, &sized(2, &timestamp.concat()));
        let content = OctetString::new(list).and_then(|list| list.to_der());
        content.expect("a short list")
    }
}

/// The bytes behind their length, which is written in so many bytes.
fn sized(width: usize, bytes: &[u8]) -> Vec<u8> {
    let length = bytes.len().to_be_bytes();
    [&length[length.len() - width..], bytes].concat()
}
