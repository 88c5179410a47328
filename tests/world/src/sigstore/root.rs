//! What a verifier is given to believe in.

use super::Sigstore;
use super::authority::{Authority, NAME, ORGANIZATION, RETIRED};
use super::key::Key;
use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

const START: &str = "2020-01-01T00:00:00Z";
const CT: &str = "https://ct.world.test";

/// The trusted root of a Sigstore.
pub(super) fn trusted_root(sigstore: &Sigstore) -> Value {
    let Sigstore { authority, ct, log, before, .. } = sigstore;
    let always = json!({ "start": START });
    let past = json!({ "start": START, "end": "2021-12-31T23:59:59Z" });
    let (mut authorities, mut ct_logs, mut logs) = (
        vec![entry(authority, NAME, &always), entry(&sigstore.retired, RETIRED, &past)],
        vec![log_entry(ct.key(), CT)],
        vec![log_entry(log.key(), &log.url())],
    );
    for (authority, ct, log) in before {
        authorities.push(entry(authority, NAME, &always));
        ct_logs.push(log_entry(ct.key(), CT));
        logs.push(log_entry(log.key(), &log.url()));
    }
    json!({
        "mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
        "tlogs": logs,
        "certificateAuthorities": authorities,
        "ctlogs": ct_logs,
        "timestampAuthorities": [],
    })
}

fn log_entry(key: &Key, url: &str) -> Value {
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

fn entry(authority: &Authority, name: &str, valid_for: &Value) -> Value {
    json!({
        "subject": { "organization": ORGANIZATION, "commonName": name },
        "uri": "https://fulcio.world.test",
        "certChain": {
            "certificates": [{ "rawBytes": STANDARD.encode(&authority.certificate) }],
        },
        "validFor": valid_for,
    })
}
