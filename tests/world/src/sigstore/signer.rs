//! One signing, as it happens: a key, its certificate, signatures and their log entries.

use super::Sigstore;
use super::authority::pem;
use super::bundle::{self, BundleVersion, Predicate};
use super::forgery::Forgery;
use super::key::{Key, sha256};
use super::legacy;
use super::log::Entry;
use super::signed::Signed;
use super::signing::{Signing, Times};
use crate::wire::hex;
use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

/// Who signs, with everything that is the same for all forms.
pub(super) struct Signer<'a> {
    pub(super) sigstore: &'a Sigstore,
    pub(super) signing: &'a Signing,
    pub(super) times: Times,
    key: Key,
    /// The certificate in DER, and those above it that are shown along.
    pub(super) certificate: Vec<u8>,
    pub(super) chain: Vec<Vec<u8>>,
}

/// A signature and its log entries: one, if all is well.
pub(super) struct Sealed {
    pub(super) signature: Vec<u8>,
    pub(super) entries: Vec<Entry>,
}

impl<'a> Signer<'a> {
    pub(super) fn new(sigstore: &'a Sigstore, signing: &'a Signing) -> Self {
        let times = signing.times(sigstore.now);
        let key = Key::new();
        let (certificate, chain) = issue(sigstore, signing, times, &key);
        Self { sigstore, signing, times, key, certificate, chain }
    }

    pub(super) fn has(&self, forgery: Forgery) -> bool {
        self.signing.has(forgery)
    }

    /// Signs, with the log entry that this kind of entry makes of it.
    pub(super) fn seal(
        &self,
        kind: &'static str,
        sign: impl Fn(&Key) -> Vec<u8>,
        spec: impl Fn(&str, &str) -> Value,
    ) -> Sealed {
        let other = Key::new();
        let key = if self.has(Forgery::SignatureByAnotherKey) { &other } else { &self.key };
        let mut signature = sign(key);
        let logged =
            if self.has(Forgery::EntryOfAnotherSignature) { sign(key) } else { signature.clone() };
        let certificate = if self.has(Forgery::EntryOfAnotherCertificate) {
            issue(self.sigstore, self.signing, self.times, &other).0
        } else {
            self.certificate.clone()
        };
        let spec = spec(&STANDARD.encode(logged), &STANDARD.encode(pem(&certificate)));
        if self.has(Forgery::SignatureCorrupted)
            && let Some(last) = signature.last_mut()
        {
            *last ^= 1;
        }
        Sealed { signature, entries: self.entries(kind, &spec) }
    }

    fn entries(&self, kind: &'static str, spec: &Value) -> Vec<Entry> {
        if self.has(Forgery::NoLogEntry) {
            return Vec::new();
        }
        let mut entries = vec![self.record(kind, spec)];
        if self.has(Forgery::SecondBareEntry) {
            entries.push(entries[0].clone().without(true, true));
        }
        if self.has(Forgery::SecondFullEntry) {
            entries.push(self.record(kind, spec));
        }
        entries
    }

    fn record(&self, kind: &'static str, spec: &Value) -> Entry {
        let unknown = self.has(Forgery::EntryByUnknownLog);
        let log = if unknown { &self.sigstore.other_log } else { &self.sigstore.log };
        let entry = log.record(kind, spec, self.times.logged, self.signing);
        let neither = self.has(Forgery::NoPromiseNoProof);
        entry
            .without(neither || self.has(Forgery::NoPromise), neither || self.has(Forgery::NoProof))
    }

    /// The SHA-256 that the log has of some content.
    pub(super) fn logged_hash(&self, content: &[u8]) -> Value {
        self.logged(&sha256(content))
    }

    /// The hash that the log has of content with this one.
    pub(super) fn logged(&self, sha256_of_it: &[u8]) -> Value {
        let hash = if self.has(Forgery::EntryOfAnotherArtifact) {
            sha256(b"something else")
        } else {
            sha256_of_it.to_vec()
        };
        json!({ "algorithm": "sha256", "value": hex(&hash) })
    }

    /// The digest that the content names when it means this one.
    pub(super) fn named(&self, digest: &str) -> String {
        if self.has(Forgery::AnotherDigest) {
            another_digest()
        } else if self.has(Forgery::UpperCaseDigest) {
            digest.to_uppercase().replace("SHA256", "sha256")
        } else {
            digest.to_owned()
        }
    }

    /// Signs a digest in all forms.
    pub(super) fn sign(&self, digest: &str) -> Signed {
        // Whatever is forged, a digest is asked for.
        digest_bytes(digest);
        let (payload, layer) = legacy::sign(self, digest);
        let content = bundle::statement(self, Predicate::Signature, digest);
        Signed {
            digest: digest.to_owned(),
            manifest: legacy::manifest(std::slice::from_ref(&layer)).to_string().into_bytes(),
            payload,
            certificate: pem(&self.certificate),
            signed_at: self.times.logged,
            layer,
            bundles: BundleVersion::ALL.map(|version| bundle::bundle(self, &content, version)),
        }
    }
}

/// A certificate for a key, and what is above it if that is to be shown.
fn issue(
    sigstore: &Sigstore,
    signing: &Signing,
    times: Times,
    key: &Key,
) -> (Vec<u8>, Vec<Vec<u8>>) {
    let log = if signing.has(Forgery::SctOfUnknownLog) { &sigstore.other_ct } else { &sigstore.ct };
    let log = (!signing.has(Forgery::NoSct)).then_some(log);
    let (authority, chain) = if signing.has(Forgery::OtherAuthority) {
        (&sigstore.other, Vec::new())
    } else if signing.has(Forgery::RetiredAuthority) {
        (&sigstore.retired, Vec::new())
    } else if signing.has(Forgery::ExpiredIntermediate) {
        (&sigstore.intermediate, vec![sigstore.intermediate.certificate.clone()])
    } else {
        (&sigstore.authority, Vec::new())
    };
    (authority.issue(signing, times, key, log), chain)
}

/// The 32 bytes of a digest.
pub(super) fn digest_bytes(digest: &str) -> Vec<u8> {
    let digits = digest.strip_prefix("sha256:").filter(|digits| digits.len() == 64);
    let bytes = digits.and_then(|digits| {
        let pairs = (0..32).map(|at| u8::from_str_radix(digits.get(2 * at..2 * at + 2)?, 16).ok());
        pairs.collect::<Option<Vec<u8>>>()
    });
    bytes.expect("a digest is sha256: and 64 hexadecimal digits")
}

/// The digest of something that nobody asked about.
pub(super) fn another_digest() -> String {
    format!("sha256:{}", hex(&sha256(b"another image")))
}
