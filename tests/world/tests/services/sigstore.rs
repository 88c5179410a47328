//! What the private Sigstore signs, judged by an implementation that is not the world's.

use base64::{Engine, engine::general_purpose::STANDARD};
use chrono::{TimeDelta, Utc};
use serde_json::{Value, json};
use sigstore_verify::{
    VerificationPolicy, Verifier,
    trust_root::TrustedRoot,
    types::{Artifact, Bundle, Sha256Hash},
};
use world::{BundleVersion, Forgery, Form, Signed, Signing, Sigstore};

const ISSUER: &str = "https://token.actions.githubusercontent.com";

fn digest() -> String {
    format!("sha256:{}", "5a".repeat(32))
}

#[expect(clippy::disallowed_methods, reason = "the judge goes by the machine's clock")]
fn sigstore() -> Sigstore {
    Sigstore::new(Utc::now() - TimeDelta::hours(1))
}

/// The independent judge's opinion: who signed, or what is wrong.
fn judged(sigstore: &Sigstore, bundle: &[u8], artifact: Artifact<'_>) -> Result<String, String> {
    let root = TrustedRoot::from_json(&sigstore.trusted_root()).unwrap();
    let judge = Verifier::new(&root).unwrap();
    let text = std::str::from_utf8(bundle).unwrap();
    let bundle = Bundle::from_json(text).map_err(|error| error.to_string())?;
    let policy = VerificationPolicy::any_identity().require_issuer(ISSUER);
    let verified = judge.verify(artifact, &bundle, &policy).map_err(|error| error.to_string())?;
    assert!(verified.sct_verified() && verified.tlog_verified());
    Ok(verified.identity().map(ToString::to_string).unwrap_or_default())
}

fn judged_in(form: Form, sigstore: &Sigstore, signed: &Signed) -> Result<String, String> {
    match form {
        Form::Legacy => {
            let bundle = converted(signed).ok_or("an annotation is missing or is none")?;
            judged(sigstore, &bundle, signed.payload.as_slice().into())
        }
        Form::Bundle(version) => {
            let digest = Sha256Hash::from_hex(&signed.digest[7..]).unwrap();
            judged(sigstore, signed.bundle(version), digest.into())
        }
    }
}

/// The legacy form as a bundle of the oldest version, which holds the same things.
fn converted(signed: &Signed) -> Option<Vec<u8>> {
    let manifest: Value = serde_json::from_slice(&signed.manifest).unwrap();
    let annotations = &manifest["layers"][0]["annotations"];
    let logged = annotations["dev.sigstore.cosign/bundle"].as_str()?;
    let logged: Value = serde_json::from_str(logged).ok()?;
    let (promise, logged) = (&logged["SignedEntryTimestamp"], &logged["Payload"]);
    let pem = annotations["dev.sigstore.cosign/certificate"].as_str()?;
    let pem = pem.strip_prefix("-----BEGIN CERTIFICATE-----\n")?;
    let (certificate, rest) = pem.split_once("-----END CERTIFICATE-----\n")?;
    let log_id: Vec<u8> = (0..32)
        .map(|at| u8::from_str_radix(&logged["logID"].as_str()?[2 * at..2 * at + 2], 16).ok())
        .collect::<Option<_>>()?;
    let hash = Sha256Hash::from_hex(&manifest["layers"][0]["digest"].as_str()?[7..]).ok()?;
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
    let signed = sigstore.sign(&Signing::new(), &digest());
    for form in Form::ALL {
        let identity = judged_in(form, &sigstore, &signed);
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
    let mut refused = 0;
    for &forgery in Forgery::ALL {
        let signed = sigstore.sign(&Signing::new().forged(forgery), &digest());
        for form in Form::ALL.into_iter().filter(|&form| forgery.concerns(form)) {
            let opinion = judged_in(form, &sigstore, &signed);
            let left = is_left_to_the_asker(forgery, form);
            assert_eq!(opinion.is_ok(), left, "{forgery:?} as {form:?}: {opinion:?}");
            refused += usize::from(opinion.is_err());
        }
    }
    assert!(refused > 100, "{refused}");
}
