//! cosign's own layout: a manifest whose layers are what was signed, their annotations signature,
//! certificate and log entry. Each layer is brought into the form of a bundle, so that there is one
//! verifier.

use super::{
    bundle::{Artifact, Rejection, Signer, Verified, verify},
    root::TrustedRoot,
};
use crate::domain::{
    Digest,
    SignatureOutcome::{BadCertificate, BadDigest, BadLog},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use sigstore_verify::types::Bundle;
use std::collections::BTreeMap;

const SIMPLE_SIGNING: &str = "application/vnd.dev.cosign.simplesigning.v1+json";
/// What the payload calls itself.
const PAYLOAD_TYPE: &str = "cosign container image signature";

#[derive(Deserialize)]
struct Manifest {
    layers: Vec<Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Layer {
    media_type: String,
    digest: String,
    #[serde(default)]
    annotations: BTreeMap<String, String>,
}

/// The log entry as cosign writes it into an annotation.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct RekorBundle {
    signed_entry_timestamp: String,
    payload: RekorPayload,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RekorPayload {
    body: String,
    integrated_time: u64,
    log_index: u64,
    #[serde(rename = "logID")]
    log_id: String,
}

/// What a log entry says that it is.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    kind: String,
    api_version: String,
}

/// The simple-signing payload (containers/image, "container signature").
#[derive(Deserialize)]
struct Payload {
    critical: Critical,
}

#[derive(Deserialize)]
struct Critical {
    image: Image,
    #[serde(rename = "type")]
    kind: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Image {
    docker_manifest_digest: String,
}

/// Verifies every signature of a manifest in cosign's own layout. `payloads` are the blobs of its
/// layers, in any order; a layer whose blob is not among them is left out, as are layers that are
/// something else.
///
/// # Errors
/// If the manifest itself cannot be read. What is wrong with one signature is said in its place.
pub fn verify_legacy(
    root: &TrustedRoot,
    signer: Signer<'_>,
    manifest: &[u8],
    payloads: &[&[u8]],
    digest: &Digest,
) -> Result<Vec<Result<Verified, Rejection>>, Rejection> {
    let manifest: Manifest = serde_json::from_slice(manifest)
        .map_err(|error| Rejection::malformed(format!("the signatures' manifest: {error}")))?;
    let blobs: BTreeMap<Digest, &[u8]> =
        payloads.iter().map(|bytes| (Digest::of(bytes), *bytes)).collect();
    let mut verdicts = Vec::new();
    for layer in &manifest.layers {
        if layer["mediaType"] != SIMPLE_SIGNING {
            continue;
        }
        let named = layer["digest"].as_str().and_then(|text| text.parse::<Digest>().ok());
        match named.map(|named| blobs.get(&named)) {
            Some(Some(payload)) => {
                verdicts.push(verify_layer(root, signer, layer, payload, digest));
            }
            Some(None) => {}
            None => verdicts.push(Err(Rejection::malformed("a layer without a digest"))),
        }
    }
    Ok(verdicts)
}

/// Verifies one signature: a layer's descriptor with its annotations, and the layer's blob.
///
/// # Errors
/// Why it is not accepted.
pub fn verify_layer(
    root: &TrustedRoot,
    signer: Signer<'_>,
    layer: &Value,
    payload: &[u8],
    digest: &Digest,
) -> Result<Verified, Rejection> {
    let layer: Layer = serde_json::from_value(layer.clone())
        .map_err(|error| Rejection::malformed(format!("a layer: {error}")))?;
    if layer.media_type != SIMPLE_SIGNING || layer.digest != Digest::of(payload).as_str() {
        return Err(Rejection::malformed("the payload is not that of the layer"));
    }
    let bundle = bundle_of(&layer, payload)?;
    let verified = verify(root, signer, &bundle, Artifact::Bytes(payload));
    // The bundle was made for this payload: what is of another one is the log's entry.
    let verified = verified.map_err(|rejection| match rejection.outcome {
        BadDigest => Rejection::new(BadLog, rejection.why),
        _ => rejection,
    })?;
    // Only now is it certain that the signer wrote the payload.
    let payload: Payload = serde_json::from_slice(payload)
        .map_err(|error| Rejection::malformed(format!("the payload: {error}")))?;
    let Critical { image, kind } = payload.critical;
    if kind != PAYLOAD_TYPE {
        return Err(Rejection::malformed(format!("the payload is of the type {kind}")));
    }
    if image.docker_manifest_digest != digest.as_str() {
        let why = format!("it is a signature of {}", image.docker_manifest_digest);
        return Err(Rejection::new(BadDigest, why));
    }
    Ok(verified)
}

/// A layer as a bundle of version 0.1, which knows the same things.
fn bundle_of(layer: &Layer, payload: &[u8]) -> Result<Bundle, Rejection> {
    let annotation = |name: &str| {
        let text = layer.annotations.get(name).map(String::as_str);
        text.ok_or_else(|| Rejection::malformed(format!("no annotation {name}")))
    };
    // One by a key alone has none; that is for who knows the key.
    let none = |_| Rejection::new(BadCertificate, "no certificate");
    let certificate = annotation("dev.sigstore.cosign/certificate").map_err(none)?;
    let certificate = only_certificate(certificate)?;
    let signature = annotation("dev.cosignproject.cosign/signature")?;
    let log: RekorBundle = serde_json::from_str(annotation("dev.sigstore.cosign/bundle")?)
        .map_err(|error| Rejection::malformed(format!("the log entry: {error}")))?;
    let RekorPayload { body, integrated_time, log_index, log_id } = log.payload;
    let decoded = STANDARD
        .decode(&body)
        .map_err(|error| Rejection::malformed(format!("the log entry's body: {error}")))?;
    let entry: Entry = serde_json::from_slice(&decoded)
        .map_err(|error| Rejection::malformed(format!("the log entry's body: {error}")))?;
    let log_id = bytes_of_hex(&log_id)
        .ok_or_else(|| Rejection::malformed("the log's id is not hexadecimal"))?;
    let bundle = json!({
        "mediaType": "application/vnd.dev.sigstore.bundle+json;version=0.1",
        "verificationMaterial": {
            "x509CertificateChain": {"certificates": [{"rawBytes": STANDARD.encode(certificate)}]},
            "tlogEntries": [{
                "logIndex": log_index.to_string(),
                "logId": {"keyId": STANDARD.encode(log_id)},
                "kindVersion": {"kind": entry.kind, "version": entry.api_version},
                "integratedTime": integrated_time.to_string(),
                "inclusionPromise": {"signedEntryTimestamp": log.signed_entry_timestamp},
                "canonicalizedBody": body,
            }],
        },
        "messageSignature": {
            "messageDigest": {
                "algorithm": "SHA2_256",
                "digest": STANDARD.encode(Sha256::digest(payload)),
            },
            "signature": signature,
        },
    });
    let bundle = Bundle::from_json(&bundle.to_string());
    bundle.map_err(|error| Rejection::malformed(error.to_string()))
}

/// The one certificate in a PEM text: of two, nobody says which one signed.
fn only_certificate(pem: &str) -> Result<Vec<u8>, Rejection> {
    use rustls::pki_types::{CertificateDer, pem::PemObject as _};
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem.as_bytes()).collect();
    match found.as_deref() {
        Ok([certificate]) => Ok(certificate.to_vec()),
        Ok(found) => {
            Err(Rejection::malformed(format!("{} certificates instead of one", found.len())))
        }
        Err(error) => Err(Rejection::malformed(format!("the certificate: {error}"))),
    }
}

fn bytes_of_hex(text: &str) -> Option<Vec<u8>> {
    let (pairs, []) = text.as_bytes().as_chunks::<2>() else { return None };
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|it| u8::try_from(it).ok());
    pairs.iter().map(|[high, low]| Some(digit(*high)? * 16 + digit(*low)?)).collect()
}
