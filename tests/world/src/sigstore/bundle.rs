//! The form of cosign 3: bundles, found through manifests that refer to the image.

use super::canonical::canonical;
use super::forgery::Forgery;
use super::signer::{Sealed, Signer, another_digest, digest_bytes};
use crate::wire::hex_sha256;
use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

/// The media type of a config that says nothing.
pub(crate) const EMPTY_TYPE: &str = "application/vnd.oci.empty.v1+json";
/// What such a config is.
pub(crate) const EMPTY: &str = "{}";
const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const INDEX: &str = "application/vnd.oci.image.index.v1+json";
const STATEMENT: &str = "application/vnd.in-toto+json";

/// A version of the bundle format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum BundleVersion {
    /// A certificate chain, and a promise by the log.
    V01,
    /// A certificate chain, and a promise and a proof by the log.
    V02,
    /// One certificate, and a promise and a proof by the log.
    V03,
}

impl BundleVersion {
    /// All versions.
    pub const ALL: [Self; 3] = [Self::V01, Self::V02, Self::V03];

    /// The media type of a bundle.
    #[must_use]
    pub fn media_type(self) -> &'static str {
        match self {
            Self::V01 => "application/vnd.dev.sigstore.bundle+json;version=0.1",
            Self::V02 => "application/vnd.dev.sigstore.bundle+json;version=0.2",
            Self::V03 => "application/vnd.dev.sigstore.bundle.v0.3+json",
        }
    }

    pub(super) fn has_proof(self) -> bool {
        self != Self::V01
    }
}

/// What a statement says of its subject.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Predicate {
    /// That it is signed: cosign's own.
    Signature,
    /// What is in it.
    Sbom,
    /// How it was built.
    Provenance,
}

impl Predicate {
    /// The type as statements name it.
    #[must_use]
    pub fn uri(self) -> &'static str {
        match self {
            Self::Signature => "https://sigstore.dev/cosign/sign/v1",
            Self::Sbom => "https://spdx.dev/Document",
            Self::Provenance => "https://slsa.dev/provenance/v1",
        }
    }
}

/// What is signed and how: a bundle without its version.
pub(super) struct Content {
    sealed: Sealed,
    field: &'static str,
    value: Value,
}

/// Signs a statement about a digest, or what was asked for in its place.
pub(super) fn statement(signer: &Signer<'_>, predicate: Predicate, digest: &str) -> Content {
    if signer.has(Forgery::MessageSignature) {
        return message(signer, &digest_bytes(digest));
    }
    let shown = stated(signer, predicate, &signer.named(digest));
    let vouched = if signer.has(Forgery::PayloadSwapped) {
        stated(signer, predicate, &another_digest())
    } else {
        shown.clone()
    };
    let kind = if signer.has(Forgery::WrongType) { "text/plain" } else { STATEMENT };
    let seal = || seal_envelope(signer, kind, &vouched);
    let sealed = seal();
    let mut signatures = vec![json!({ "sig": STANDARD.encode(&sealed.signature) })];
    if signer.has(Forgery::TwoSignatures) {
        signatures.push(json!({ "sig": STANDARD.encode(seal().signature) }));
    }
    let value = json!({
        "payload": STANDARD.encode(shown),
        "payloadType": kind,
        "signatures": signatures,
    });
    Content { sealed, field: "dsseEnvelope", value }
}

fn seal_envelope(signer: &Signer<'_>, kind: &str, payload: &str) -> Sealed {
    let message = format!("DSSEv1 {} {kind} {} {payload}", kind.len(), payload.len());
    signer.seal(
        "dsse",
        |key| key.sign(message.as_bytes()),
        |signature, certificate| {
            // The envelope as it was sent to the log.
            let envelope = canonical(&json!({
                "payload": STANDARD.encode(payload),
                "payloadType": kind,
                "signatures": [{ "sig": signature }],
            }));
            let hash = hex_sha256(envelope.as_bytes());
            json!({
                "envelopeHash": { "algorithm": "sha256", "value": hash },
                "payloadHash": signer.logged_hash(payload.as_bytes()),
                "signatures": [{ "signature": signature, "verifier": certificate }],
            })
        },
    )
}

/// Signs content of which only the SHA-256 is known.
pub(super) fn message(signer: &Signer<'_>, sha256: &[u8]) -> Content {
    let sealed = signer.seal(
        "hashedrekord",
        |key| key.sign_digest(sha256),
        |signature, certificate| {
            json!({
                "data": { "hash": signer.logged(sha256) },
                "signature": { "content": signature, "publicKey": { "content": certificate } },
            })
        },
    );
    let value = json!({
        "messageDigest": { "algorithm": "SHA2_256", "digest": STANDARD.encode(sha256) },
        "signature": STANDARD.encode(&sealed.signature),
    });
    Content { sealed, field: "messageSignature", value }
}

/// The statement about a digest.
fn stated(signer: &Signer<'_>, predicate: Predicate, digest: &str) -> String {
    let subject = |digest: &str| json!({ "digest": { "sha256": digest.replace("sha256:", "") } });
    let mut subjects = vec![subject(digest)];
    if signer.has(Forgery::RightSubjectSecond) {
        subjects.insert(0, subject(&another_digest()));
    }
    if signer.has(Forgery::NoSubject) {
        subjects.clear();
    }
    let predicate = if signer.has(Forgery::SbomPredicate) {
        Predicate::Sbom
    } else if signer.has(Forgery::ProvenancePredicate) {
        Predicate::Provenance
    } else {
        predicate
    };
    let statement = json!({
        "_type": "https://in-toto.io/Statement/v1",
        "subject": subjects,
        "predicateType": predicate.uri(),
        "predicate": {},
    });
    statement.to_string()
}

/// The content as a bundle of some version.
pub(super) fn bundle(signer: &Signer<'_>, content: &Content, version: BundleVersion) -> Vec<u8> {
    let bytes = |certificate: &Vec<u8>| json!({ "rawBytes": STANDARD.encode(certificate) });
    let entries = content.sealed.entries.iter();
    let entries: Vec<Value> = entries.map(|entry| entry.in_bundle(version.has_proof())).collect();
    let mut material = json!({ "tlogEntries": entries });
    if version == BundleVersion::V03 {
        material["certificate"] = bytes(&signer.certificate);
    } else {
        let chain = std::iter::once(&signer.certificate).chain(&signer.chain);
        let chain: Vec<Value> = chain.map(bytes).collect();
        material["x509CertificateChain"] = json!({ "certificates": chain });
    }
    let media_type = if signer.has(Forgery::UnknownMediaType) {
        "application/vnd.example.bundle+json"
    } else if signer.has(Forgery::UnknownVersion) {
        "application/vnd.dev.sigstore.bundle.v0.9+json"
    } else {
        version.media_type()
    };
    let mut bundle = json!({ "mediaType": media_type, "verificationMaterial": material });
    bundle[content.field] = content.value.clone();
    bundle.to_string().into_bytes()
}

/// The manifest that refers to an index and holds a bundle.
pub(crate) fn referrer(bundle: &[u8], predicate: Predicate, index: (&str, usize)) -> Value {
    let kind = BundleVersion::V03.media_type();
    let (digest, size) = index;
    json!({
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "artifactType": kind,
        "config": {
            "mediaType": EMPTY_TYPE,
            "size": EMPTY.len(),
            "digest": format!("sha256:{}", hex_sha256(EMPTY.as_bytes())),
        },
        "layers": [{
            "mediaType": kind,
            "size": bundle.len(),
            "digest": format!("sha256:{}", hex_sha256(bundle)),
        }],
        "subject": { "mediaType": INDEX, "size": size, "digest": digest },
        "annotations": {
            "dev.sigstore.bundle.content": "dsse-envelope",
            "dev.sigstore.bundle.predicateType": predicate.uri(),
            "org.opencontainers.image.created": "2026-06-01T00:00:00Z",
        },
    })
}
