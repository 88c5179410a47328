//! One signed image, and what the bot makes of it.

use chrono::{DateTime, Utc};
use digest_bump::{
    clients::{
        registry::{LegacySignature, Signatures},
        sigstore::TrustedRoot,
    },
    domain::{
        Content, Digest, Finding, IdentityPattern, ImageFacts, IndexDigest, Memory, Rules,
        SignatureRule, Timestamp, UnexpectedRef,
    },
    verify::{Material, Subject, verify_signature},
};
use std::time::Duration;
use world::{Form, Signed, Signing, Sigstore};

/// When everything is signed and judged.
pub(crate) const NOW: &str = "2026-06-12T08:00:00Z";
/// The release that is signed.
pub(crate) const RELEASE: &str = "3.10.0";
/// The contract's pattern, as it is published.
pub(crate) const PATTERN: &str = r"https://github\.com/toon-protocol/connector/\.github/workflows/(build-and-publish|release)\.yml@.*";
pub(crate) const ISSUER: &str = "https://token.actions.githubusercontent.com";

pub(crate) fn now() -> DateTime<Utc> {
    DateTime::parse_from_rfc3339(NOW).unwrap().to_utc()
}

/// The digest of the image.
pub(crate) fn image() -> Digest {
    Digest::of(b"the index")
}

/// What is attached to an image that was signed so, in this form.
pub(crate) fn attached(signed: &Signed, form: Form) -> Signatures {
    let content = |bytes: &[u8]| Content::new("", bytes.to_vec());
    match form {
        Form::Legacy => Signatures {
            legacy: vec![LegacySignature {
                manifest: content(&signed.manifest),
                payloads: vec![content(&signed.payload)],
            }],
            ..Signatures::default()
        },
        Form::Bundle(version) => {
            Signatures { bundles: vec![content(signed.bundle(version))], ..Signatures::default() }
        }
    }
}

/// The contract of the connector.
pub(crate) fn rule() -> SignatureRule {
    SignatureRule {
        identity: IdentityPattern::new(PATTERN).unwrap(),
        issuer: ISSUER.to_owned(),
        expected: vec![
            "/release.yml@refs/heads/main".to_owned(),
            "/build-and-publish.yml@refs/tags/v{version}".to_owned(),
        ],
        unexpected: UnexpectedRef::Deny,
        required_from: Some("3.6.0".parse().unwrap()),
        grace: Duration::from_hours(1),
    }
}

/// What the bot finds out about `found`, attached to `release`, a day after the image was pushed.
pub(crate) fn judge_as(
    release: &str,
    rule: SignatureRule,
    found: &Signatures,
    root: &str,
) -> Finding {
    let facts = ImageFacts {
        version: release.parse().unwrap(),
        digest: IndexDigest::new(image()),
        platforms: Vec::new(),
    };
    let root = TrustedRoot::parse(root.as_bytes().to_vec(), "the test", None).unwrap();
    let pushed: Timestamp = NOW.parse().unwrap();
    let rules = Rules { signature: Some(rule), ..crate::rules() };
    let memory = Memory::default();
    let subject = Subject { image: &facts, memory: &memory, rules: &rules, pinned: None };
    let material = Material { found, root: Ok(&root), first_seen: pushed };
    verify_signature(subject, material, pushed + Duration::from_hours(24)).unwrap().0
}

/// The outcome for what is attached to the release, by the contract.
pub(crate) fn outcome(found: &Signatures, sigstore: &Sigstore) -> String {
    let finding = judge_as(RELEASE, rule(), found, &sigstore.trusted_root());
    finding.detail.outcome.unwrap()
}

/// The outcome of one signing, in one form.
pub(crate) fn outcome_of(signing: &Signing, form: Form, sigstore: &Sigstore) -> String {
    let signed = sigstore.sign(signing, image().as_str());
    outcome(&attached(&signed, form), sigstore)
}
