//! What the fuzzer begins with is genuine. `UPDATE=1 cargo test --test signatures seeds` makes it
//! anew, with other keys.

use crate::case::{ISSUER, PATTERN};
use digest_bump::{
    clients::sigstore::{Artifact, Expected, Signer, TrustedRoot, verify_bundle, verify_legacy},
    domain::{Digest, IdentityPattern},
};
use std::{fs, path::PathBuf};
use world::{BundleVersion, Signing, Sigstore};

/// Long ago on every machine: what is signed in the future is not believed.
const SIGNED: &str = "2024-06-12T08:00:00Z";
const IMAGE: &[u8] = b"the image";
const BLOB: &[u8] = b"the artifact";

fn path(name: &str) -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fuzz/seeds")).join(name)
}

fn write(name: &str, bytes: impl AsRef<[u8]>) {
    let path = path(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, bytes).unwrap();
}

fn make() {
    let sigstore = Sigstore::new(SIGNED.parse().unwrap());
    let signed = sigstore.sign(&Signing::new(), Digest::of(IMAGE).as_str());
    write("bundle/v01.json", signed.bundle(BundleVersion::V01));
    write("bundle/v02.json", signed.bundle(BundleVersion::V02));
    write("bundle/v03.json", signed.bundle(BundleVersion::V03));
    let blob = sigstore.sign_blob(&Signing::new(), BLOB, BundleVersion::V03);
    write("bundle/blob.json", blob);
    write("legacy/signed", [signed.manifest.as_slice(), b"\n", &signed.payload].concat());
    write("root/trusted_root.json", sigstore.trusted_root());
    write("attached/layers.json", &signed.manifest);
    write("attached/referrer.json", signed.referrer(BundleVersion::V03, 1234));
}

#[test]
fn what_the_fuzzer_begins_with_is_genuine() {
    if std::env::vars_os().any(|(name, _)| name == "UPDATE") {
        make();
    }
    let read = |name: &str| fs::read(path(name)).unwrap();
    let root = TrustedRoot::parse(read("root/trusted_root.json"), "the seeds", None).unwrap();
    let pattern = IdentityPattern::new(PATTERN).unwrap();
    let signer = Signer { identity: &pattern, issuer: ISSUER, email: false };
    let image = Digest::of(IMAGE);
    for name in ["bundle/v01.json", "bundle/v02.json", "bundle/v03.json"] {
        let artifact = Artifact::Digest(&image);
        let expected = Expected::ImageSignature;
        let verdict = verify_bundle(&root, signer, &read(name), artifact, expected);
        assert!(verdict.is_ok(), "{name}: {verdict:?}");
    }
    let blob = read("bundle/blob.json");
    let verdict = verify_bundle(&root, signer, &blob, Artifact::Bytes(BLOB), Expected::Anything);
    assert!(verdict.is_ok(), "{verdict:?}");
    let legacy = read("legacy/signed");
    let line = legacy.iter().position(|byte| *byte == b'\n').unwrap();
    let (manifest, payload) = (&legacy[..line], &legacy[line + 1..]);
    let verdicts = verify_legacy(&root, signer, manifest, &[payload], &image).unwrap();
    assert!(matches!(verdicts.as_slice(), [Ok(_)]), "{verdicts:?}");
}
