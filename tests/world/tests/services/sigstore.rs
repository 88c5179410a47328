//! What the private Sigstore signs, judged by an implementation that is not the world's.

use base64::{Engine, engine::general_purpose::STANDARD};
use chrono::{TimeDelta, Utc};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use sigstore_verify::{
    VerificationPolicy, Verifier,
    trust_root::TrustedRoot,
    types::{Artifact, Bundle, Sha256Hash},
};
use world::{BundleVersion, Forgery, Form, San, Signed, Signing, Sigstore};

const ISSUER: &str = "https://token.actions.githubusercontent.com";

fn digest() -> String {
    format!("sha256:{}", "5a".repeat(32))
}

#[expect(clippy::disallowed_methods, reason = "the judge goes by the machine's clock")]
fn sigstore() -> Sigstore {
    Sigstore::new(Utc::now() - TimeDelta::hours(1))
}

/// A signature as it was found somewhere.
pub(crate) enum Found {
    /// A layer of the legacy manifest, and the payload that it describes.
    Legacy(Value, Vec<u8>),
    /// A bundle.
    Bundle(Vec<u8>),
}

impl Found {
    /// The signature in one of its forms.
    fn of(signed: &Signed, form: Form) -> Self {
        match form {
            Form::Legacy => {
                let manifest: Value = serde_json::from_slice(&signed.manifest).unwrap();
                Self::Legacy(manifest["layers"][0].clone(), signed.payload.clone())
            }
            Form::Bundle(version) => Self::Bundle(signed.bundle(version).to_vec()),
        }
    }

    /// The independent judge's opinion: who signed, or what is wrong.
    pub(crate) fn judged(&self, trusted_root: &str, digest: &str) -> Result<String, String> {
        match self {
            Self::Legacy(layer, payload) => {
                let bundle = converted(layer).ok_or("an annotation is missing or is none")?;
                judged(trusted_root, &bundle, payload.as_slice().into())
            }
            Self::Bundle(bundle) => {
                let digest = Sha256Hash::from_hex(&digest[7..]).unwrap();
                judged(trusted_root, bundle, digest.into())
            }
        }
    }

    /// The digest that a legacy payload is about.
    pub(crate) fn named(&self) -> String {
        let Self::Legacy(_, payload) = self else { panic!("the legacy form") };
        let payload: Value = serde_json::from_slice(payload).unwrap();
        payload["critical"]["image"]["docker-manifest-digest"].as_str().unwrap().to_owned()
    }
}

/// `sha256:` and the hash of some bytes.
pub(crate) fn digest_of(bytes: &[u8]) -> String {
    format!("sha256:{}", Sha256Hash::new(Sha256::digest(bytes).into()).to_hex())
}

fn judged(trusted_root: &str, bundle: &[u8], artifact: Artifact<'_>) -> Result<String, String> {
    let root = TrustedRoot::from_json(trusted_root).unwrap();
    let judge = Verifier::new(&root).unwrap();
    let text = std::str::from_utf8(bundle).unwrap();
    let bundle = Bundle::from_json(text).map_err(|error| error.to_string())?;
    let policy = VerificationPolicy::any_identity().require_issuer(ISSUER);
    let verified = judge.verify(artifact, &bundle, &policy).map_err(|error| error.to_string())?;
    assert!(verified.sct_verified() && verified.tlog_verified());
    Ok(verified.identity().map(ToString::to_string).unwrap_or_default())
}

/// The legacy form as a bundle of the oldest version, which holds the same things.
fn converted(layer: &Value) -> Option<Vec<u8>> {
    let annotations = &layer["annotations"];
    let logged = annotations["dev.sigstore.cosign/bundle"].as_str()?;
    let logged: Value = serde_json::from_str(logged).ok()?;
    let (promise, logged) = (&logged["SignedEntryTimestamp"], &logged["Payload"]);
    let pem = annotations["dev.sigstore.cosign/certificate"].as_str()?;
    let pem = pem.strip_prefix("-----BEGIN CERTIFICATE-----\n")?;
    let (certificate, rest) = pem.split_once("-----END CERTIFICATE-----\n")?;
    let log_id: Vec<u8> = (0..32)
        .map(|at| u8::from_str_radix(&logged["logID"].as_str()?[2 * at..2 * at + 2], 16).ok())
        .collect::<Option<_>>()?;
    let hash = Sha256Hash::from_hex(&layer["digest"].as_str()?[7..]).ok()?;
    let bundle = json!({
        "mediaType": BundleVersion::V01.media_type(),
        "verificationMaterial": {
            "x509CertificateChain": {
                "certificates": [{ "rawBytes": certificate.replace('\n', "") }],
            },
            "tlogEntries": [{
                "logIndex": logged["logIndex"].to_string(),
                "logId": { "keyId": STANDARD.encode(log_id) },
                "kindVersion": { "kind": "hashedrekord", "version": "0.0.1" },
                "integratedTime": logged["integratedTime"].to_string(),
                "inclusionPromise": { "signedEntryTimestamp": promise },
                "canonicalizedBody": logged["body"],
            }],
        },
        "messageSignature": {
            "messageDigest": { "algorithm": "SHA2_256", "digest": STANDARD.encode(hash.as_bytes()) },
            "signature": annotations["dev.cosignproject.cosign/signature"].as_str()?,
        },
    });
    rest.is_empty().then(|| bundle.to_string().into_bytes())
}

#[test]
fn a_clean_signature_is_accepted_in_every_form() {
    let sigstore = sigstore();
    let root = sigstore.trusted_root();
    let signed = sigstore.sign(&Signing::new(), &digest());
    for form in Form::ALL {
        let identity = Found::of(&signed, form).judged(&root, &digest());
        assert_eq!(
            identity.as_deref(),
            Ok(
                "https://github.com/toon-protocol/connector/.github/workflows/release.yml@refs/heads/main"
            ),
            "{form:?}"
        );
    }
}

/// What the independent judge has no opinion on: it is up to whoever asks it. It looks at no more
/// of the key usage than the code signing, at a promise or a proof of one entry, and not at what
/// the legacy payload or the statement's predicate say.
fn is_left_to_the_asker(forgery: Forgery, form: Form) -> bool {
    match forgery {
        Forgery::NoDigitalSignature
        | Forgery::SecondBareEntry
        | Forgery::SecondFullEntry
        | Forgery::UpperCaseDigest
        | Forgery::SbomPredicate
        | Forgery::ProvenancePredicate
        | Forgery::RightSubjectSecond
        | Forgery::MessageSignature => true,
        Forgery::AnotherDigest | Forgery::WrongType => form == Form::Legacy,
        _ => false,
    }
}

#[test]
fn each_forgery_is_refused_but_for_what_is_left_to_the_asker() {
    let sigstore = sigstore();
    let root = sigstore.trusted_root();
    let mut refused = 0;
    for &forgery in Forgery::ALL {
        let signed = sigstore.sign(&Signing::new().forged(forgery), &digest());
        for form in Form::ALL.into_iter().filter(|&form| forgery.concerns(form)) {
            let opinion = Found::of(&signed, form).judged(&root, &digest());
            let left = is_left_to_the_asker(forgery, form);
            assert_eq!(opinion.is_ok(), left, "{forgery:?} as {form:?}: {opinion:?}");
            refused += usize::from(opinion.is_err());
        }
    }
    assert!(refused > 100, "{refused}");
}

#[test]
fn keys_are_exchanged_and_only_the_trusted_root_of_before_does_not_know_the_new_ones() {
    let mut sigstore = sigstore();
    let before = sigstore.trusted_root();
    let old = sigstore.sign(&Signing::new(), &digest());
    sigstore.rotate();
    let after = sigstore.trusted_root();
    let new = sigstore.sign(&Signing::new(), &digest());
    for form in Form::ALL {
        let judged = |signed, root: &str| Found::of(signed, form).judged(root, &digest());
        assert!(judged(&old, &before).is_ok() && judged(&old, &after).is_ok(), "{form:?}");
        assert!(judged(&new, &after).is_ok(), "{form:?}");
        let stale = judged(&new, &before).unwrap_err();
        assert!(stale.contains("No log key valid"), "{form:?}: {stale}");
    }
}

#[test]
fn times_names_and_issuers_are_those_that_were_asked_for() {
    let sigstore = sigstore();
    let root = sigstore.trusted_root();
    let judged = |signing: &Signing| {
        let signed = sigstore.sign(signing, &digest());
        Found::of(&signed, Form::Bundle(BundleVersion::V03)).judged(&root, &digest())
    };
    let evil = "https://evil.example/x";
    let second = |san: San| Signing::new().second_san(san);
    assert_eq!(judged(&Signing::new().identity(evil)), Ok(evil.to_owned()));
    assert_eq!(
        judged(&Signing::new().email("maya@example.org")),
        Ok("maya@example.org".to_owned())
    );
    // The judge looks at the first name only: to refuse the second is up to whoever asks it.
    assert_eq!(judged(&second(San::Uri(evil.to_owned()))), judged(&Signing::new()));
    let first = Signing::new().second_san_first(San::Email("eve@example.org".to_owned()));
    assert_eq!(judged(&first), Ok("eve@example.org".to_owned()));
    assert_eq!(judged(&Signing::new().without_san()), Ok(String::new()));
    assert!(judged(&Signing::new().issuer(evil)).unwrap_err().starts_with("issuer mismatch"));
    assert!(judged(&Signing::new().issuer_only_v1()).is_ok());
    assert!(judged(&Signing::new().issuer_v1(evil)).is_ok());
    let at = "2026-06-12T08:00:00Z".parse().unwrap();
    let minutes = TimeDelta::minutes;
    assert!(judged(&Signing::new().at(at)).is_ok());
    assert!(judged(&Signing::new().at(at).logged_at(at + minutes(4))).is_ok());
    let late = judged(&Signing::new().at(at).logged_at(at + minutes(6))).unwrap_err();
    assert!(late.contains("CertExpired"), "{late}");
    let long = Signing::new().valid(at, at + minutes(60)).at(at).logged_at(at + minutes(59));
    assert!(judged(&long).is_ok());
    let bytes = b"an artifact that is no image";
    for version in BundleVersion::ALL {
        let bundle = sigstore.sign_blob(&Signing::new().at(at), bytes, version);
        let found = Found::Bundle(bundle);
        assert!(found.judged(&root, &digest_of(bytes)).is_ok(), "{version:?}");
        assert!(found.judged(&root, &digest()).is_err(), "{version:?}");
    }
}
