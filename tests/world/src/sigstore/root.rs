//! What a verifier is given to believe in.

use super::Sigstore;
use super::authority::{Authority, NAME, ORGANIZATION, RETIRED};
use super::key::Key;
use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

const START: &str = "2020-01-01T00:00:00Z";

/// The trusted root of a Sigstore.
pub(super) fn trusted_root(sigstore: &Sigstore) -> Value {
    json!({
        "mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
        "tlogs": [log(sigstore.log.key(), &sigstore.log.url())],
        "certificateAuthorities": [
            authority(&sigstore.authority, NAME, &json!({ "start": START })),
            authority(
                &sigstore.retired,
                RETIRED,
                &json!({ "start": START, "end": "2021-12-31T23:59:59Z" }),
            ),
        ],
        "ctlogs": [log(sigstore.ct.key(), "https://ct.world.test")],
        "timestampAuthorities": [],
    })
}

fn log(key: &Key, url: &str) -> Value {
    json!({
        "baseUrl": url,
        "hashAlgorithm": "SHA2_256",
        "publicKey": {
            "rawBytes": STANDARD.encode(key.public()),
            "keyDetails": "PKIX_ECDSA_P256_SHA_256",
            "validFor": { "start": START },
        },
        "logId": { "keyId": STANDARD.encode(key.id()) },
    })
}

fn authority(authority: &Authority, name: &str, valid_for: &Value) -> Value {
    json!({
        "subject": { "organization": ORGANIZATION, "commonName": name },
        "uri": "https://fulcio.world.test",
        "certChain": {
            "certificates": [{ "rawBytes": STANDARD.encode(&authority.certificate) }],
        },
        "validFor": valid_for,
    })
}
