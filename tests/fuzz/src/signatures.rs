//! What is attached to an image, and whose word counts. Whatever the bytes are: only what was really
//! signed is accepted, and only by a root that has the keys which signed it.

use base64::{Engine as _, engine::GeneralPurpose, engine::general_purpose as base64_kinds};
use digest_bump::clients::sigstore::{
    Artifact, Expected, Rejection, Signer, TrustedRoot, Verified, verify_bundle, verify_legacy,
};
use digest_bump::domain::{Digest, IdentityPattern};
use serde_json::Value;
use std::sync::LazyLock;

/// What the seeds are signatures of, the last of them alone of the second.
const IMAGE: &[u8] = b"the image";
const BLOB: &[u8] = b"the artifact";

/// Genuine, and the same in three versions of the format; then one over bytes.
const BUNDLES: [&[u8]; 4] = [
    include_bytes!("../seeds/bundle/v01.json"),
    include_bytes!("../seeds/bundle/v02.json"),
    include_bytes!("../seeds/bundle/v03.json"),
    include_bytes!("../seeds/bundle/blob.json"),
];
const LEGACY: &[u8] = include_bytes!("../seeds/legacy/signed");
const TRUSTED: &[u8] = include_bytes!("../seeds/root/trusted_root.json");

/// What a bundle holds that is signed, or vouched for by the log: base64, and plain.
const SIGNED: [&str; 8] = [
    "/dsseEnvelope/payload",
    "/dsseEnvelope/signatures/0/sig",
    "/messageSignature/signature",
    "/verificationMaterial/certificate/rawBytes",
    "/verificationMaterial/x509CertificateChain/certificates/0/rawBytes",
    "/verificationMaterial/tlogEntries/0/logId/keyId",
    "/verificationMaterial/tlogEntries/0/canonicalizedBody",
    "/verificationMaterial/tlogEntries/0/inclusionPromise/signedEntryTimestamp",
];
const VOUCHED: [&str; 3] = [
    "/dsseEnvelope/payloadType",
    "/verificationMaterial/tlogEntries/0/integratedTime",
    "/verificationMaterial/tlogEntries/0/logIndex",
];

static ROOT: LazyLock<TrustedRoot> = LazyLock::new(|| parsed(TRUSTED).expect("a root"));
static PATTERN: LazyLock<IdentityPattern> = LazyLock::new(|| {
    let pattern = r"https://github\.com/toon-protocol/connector/\.github/workflows/release\.yml@.*";
    IdentityPattern::new(pattern).expect("a pattern")
});
static DIGEST: LazyLock<Digest> = LazyLock::new(|| Digest::of(IMAGE));

/// What the seeds come to, with all that is signed in them.
static GENUINE: LazyLock<Vec<(Verified, Vec<Vec<u8>>)>> = LazyLock::new(|| {
    let genuine = BUNDLES.iter().map(|bundle| {
        let verified = verdicts(bundle).into_iter().find_map(Result::ok);
        let tree = serde_json::from_slice(bundle).expect("JSON");
        (verified.expect("a seed is genuine"), signed_in(&tree).expect("all of it is there"))
    });
    genuine.collect()
});
static GENUINE_LEGACY: LazyLock<Verified> = LazyLock::new(|| {
    let (manifest, payload) = halves(LEGACY);
    let verdicts = verify_legacy(&ROOT, signer(), manifest, &[payload], &DIGEST);
    verdicts.expect("a manifest").remove(0).expect("the seed is genuine")
});

fn parsed(json: &[u8]) -> Option<TrustedRoot> {
    TrustedRoot::parse(json.to_vec(), "the seeds", None).ok()
}

fn signer() -> Signer<'static> {
    let issuer = "https://token.actions.githubusercontent.com";
    Signer { identity: &PATTERN, issuer, email: false }
}

/// As the signature of the image, as anything about it, and as anything about the blob.
fn verdicts(bundle: &[u8]) -> [Result<Verified, Rejection>; 3] {
    let verify = |artifact, expected| verify_bundle(&ROOT, signer(), bundle, artifact, expected);
    [
        verify(Artifact::Digest(&DIGEST), Expected::ImageSignature),
        verify(Artifact::Digest(&DIGEST), Expected::Anything),
        verify(Artifact::Bytes(BLOB), Expected::Anything),
    ]
}

/// A bundle.
pub fn bundle(bytes: &[u8]) {
    let verdicts = verdicts(bytes);
    if let [Ok(strict), loose, _] = &verdicts {
        assert_eq!(Some(strict), loose.as_ref().ok());
    }
    let tree: Option<Value> = serde_json::from_slice(bytes).ok();
    let signed = tree.as_ref().and_then(signed_in);
    for verified in verdicts.into_iter().flatten() {
        let mut genuine = GENUINE.iter().filter(|(it, _)| *it == verified);
        // serde also takes a list for an object: there the tree has no names.
        let same = genuine.any(|(_, parts)| signed.as_ref().is_none_or(|it| it == parts));
        assert!(same, "accepted, and never signed: {verified:?}");
    }
}

/// All that is signed in a bundle; the first one's certificate stands in another place.
fn signed_in(tree: &Value) -> Option<Vec<Vec<u8>>> {
    let of = |pointer: &&str| tree.pointer(pointer);
    let mut parts: Vec<Vec<u8>> = SIGNED.iter().filter_map(of).filter_map(decoded).collect();
    let plain = VOUCHED.iter().filter_map(of);
    parts.extend(plain.map(|it| it.to_string().replace('"', "").into_bytes()));
    (parts.len() >= 7).then_some(parts)
}

/// Base64 as the format allows it: either alphabet, with or without its end.
fn decoded(text: &Value) -> Option<Vec<u8>> {
    const KINDS: [GeneralPurpose; 4] = [
        base64_kinds::STANDARD,
        base64_kinds::STANDARD_NO_PAD,
        base64_kinds::URL_SAFE,
        base64_kinds::URL_SAFE_NO_PAD,
    ];
    let text = text.as_str()?;
    KINDS.iter().find_map(|kind| kind.decode(text).ok())
}

/// A manifest in cosign's own layout on the first line, and the payload on the others. Where the
/// manifest names the seed's payload it names this one instead, or none would ever be looked at.
pub fn legacy(bytes: &[u8]) {
    let (manifest, payload) = halves(bytes);
    let (_, signed) = halves(LEGACY);
    let manifest = String::from_utf8_lossy(manifest);
    let (old, new) = (Digest::of(signed), Digest::of(payload));
    let manifest = manifest.replace(old.as_str(), new.as_str());
    let verdicts = verify_legacy(&ROOT, signer(), manifest.as_bytes(), &[payload], &DIGEST);
    for verified in verdicts.into_iter().flatten().flatten() {
        assert_eq!(verified, *GENUINE_LEGACY);
        assert_eq!(payload, signed, "accepted, and never signed");
    }
}

fn halves(bytes: &[u8]) -> (&[u8], &[u8]) {
    let line = bytes.iter().position(|byte| *byte == b'\n').unwrap_or(bytes.len());
    (&bytes[..line], bytes.get(line + 1..).unwrap_or_default())
}

/// A trusted root.
pub fn root(bytes: &[u8]) {
    let Some(root) = parsed(bytes) else { return };
    assert_eq!(root.content.bytes, bytes);
    assert_eq!(root.content.digest, Digest::of(bytes));
    let artifact = Artifact::Digest(&DIGEST);
    let verified = verify_bundle(&root, signer(), BUNDLES[2], artifact, Expected::ImageSignature);
    let Ok(verified) = verified else { return };
    assert_eq!(verified, GENUINE[2].0);
    // Whatever else was changed, it has the keys of the authority and of both logs.
    let Ok(tree) = serde_json::from_slice(bytes) else { return };
    let original = serde_json::from_slice(TRUSTED).expect("JSON");
    let keys = points(&tree);
    for pointer in [
        "/certificateAuthorities/0/certChain/certificates/0/rawBytes",
        "/ctlogs/0/publicKey/rawBytes",
        "/tlogs/0/publicKey/rawBytes",
    ] {
        let needed = Value::pointer(&original, pointer).expect("it is there");
        assert!(points(needed).iter().all(|key| keys.contains(key)), "without {pointer}");
    }
}

/// The points of all elliptic keys in a document: whatever begins as one does in DER.
fn points(tree: &Value) -> Vec<Vec<u8>> {
    const HEAD: [u8; 4] = [3, 66, 0, 4];
    match tree {
        Value::Array(items) => items.iter().flat_map(points).collect(),
        Value::Object(fields) => fields.values().flat_map(points).collect(),
        text => {
            let bytes = decoded(text).unwrap_or_default();
            bytes.windows(68).filter(|it| it.starts_with(&HEAD)).map(<[u8]>::to_vec).collect()
        }
    }
}
