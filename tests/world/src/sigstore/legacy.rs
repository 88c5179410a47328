//! The form of cosign 2: a simple-signing payload, and annotations around it.

use super::authority::pem;
use super::forgery::Forgery;
use super::key::sha256;
use super::signer::{Signer, another_digest};
use crate::wire::{hex, hex_sha256};
use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const CONFIG_TYPE: &str = "application/vnd.oci.image.config.v1+json";
const PAYLOAD_TYPE: &str = "application/vnd.dev.cosign.simplesigning.v1+json";

/// The config of the manifest that signatures hang on: it is no image.
pub(crate) const CONFIG: &str = r#"{"architecture":"","created":"0001-01-01T00:00:00Z","os":"","rootfs":{"type":"layers","diff_ids":[]},"config":{}}"#;

/// Signs a digest; the payload, and the layer that describes it.
pub(super) fn sign(signer: &Signer<'_>, digest: &str) -> (Vec<u8>, Value) {
    let named = signer.named(digest);
    let swapped = signer.has(Forgery::PayloadSwapped);
    let other = another_digest();
    let vouched = payload(signer, if swapped { &other } else { &named });
    let sealed = signer.seal(
        "hashedrekord",
        |key| key.sign(&vouched),
        |signature, certificate| {
            json!({
                "data": { "hash": signer.logged_hash(&vouched) },
                "signature": { "content": signature, "publicKey": { "content": certificate } },
            })
        },
    );
    let shown = if swapped { payload(signer, &named) } else { vouched.clone() };
    let mut annotations = json!({
        "dev.cosignproject.cosign/signature": STANDARD.encode(&sealed.signature),
        "dev.sigstore.cosign/certificate": certificate(signer),
        "dev.sigstore.cosign/chain": chain(signer),
    });
    if let Some(entry) = sealed.entries.first() {
        annotations["dev.sigstore.cosign/bundle"] = json!(entry.annotation().to_string());
    }
    if let Some(annotations) = annotations.as_object_mut() {
        if signer.has(Forgery::NoSignatureAnnotation) {
            annotations.remove("dev.cosignproject.cosign/signature");
        }
        if signer.has(Forgery::NoCertificateAnnotation) {
            annotations.remove("dev.sigstore.cosign/certificate");
        }
    }
    let layer = json!({
        "mediaType": PAYLOAD_TYPE,
        "size": shown.len(),
        "digest": format!("sha256:{}", hex(&sha256(&shown))),
        "annotations": annotations,
    });
    (shown, layer)
}

/// The manifest that signatures hang on.
pub(crate) fn manifest(layers: &[Value]) -> Value {
    json!({
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": {
            "mediaType": CONFIG_TYPE,
            "size": CONFIG.len(),
            "digest": format!("sha256:{}", hex_sha256(CONFIG.as_bytes())),
        },
        "layers": layers,
    })
}

fn payload(signer: &Signer<'_>, digest: &str) -> Vec<u8> {
    let kind = if signer.has(Forgery::WrongType) {
        "atomic container signature"
    } else {
        "cosign container image signature"
    };
    let payload = json!({
        "critical": {
            "identity": { "docker-reference": signer.signing.image() },
            "image": { "docker-manifest-digest": digest },
            "type": kind,
        },
        "optional": null,
    });
    payload.to_string().into_bytes()
}

fn certificate(signer: &Signer<'_>) -> String {
    let own = pem(&signer.certificate);
    if signer.has(Forgery::CertificateNotPem) {
        STANDARD.encode(&signer.certificate)
    } else if signer.has(Forgery::TwoCertificates) {
        pem(&signer.sigstore.other.certificate) + &own
    } else {
        own
    }
}

fn chain(signer: &Signer<'_>) -> String {
    let mut chain: String = signer.chain.iter().map(|certificate| pem(certificate)).collect();
    chain.push_str(&pem(&signer.sigstore.authority.certificate));
    chain
}
