//! Several signatures on one image, none at all, and which of several failures is told.

use crate::case::{RELEASE, attached, image, judge_as, now, outcome, rule};
use digest_bump::clients::registry::Signatures;
use digest_bump::domain::{Content, SignatureOutcome, Verdict};
use std::collections::BTreeMap;
use world::{BundleVersion, Forgery, Form, Predicate, Signing, Sigstore};

/// All of these on one image.
fn all(found: impl IntoIterator<Item = Signatures>) -> Signatures {
    let mut all = Signatures::default();
    for one in found {
        all.legacy.extend(one.legacy);
        all.bundles.extend(one.bundles);
        all.malformed.extend(one.malformed);
        all.gaps.extend(one.gaps);
    }
    all
}

fn forged(sigstore: &Sigstore, forgery: Forgery, form: Form) -> Signatures {
    attached(&sigstore.sign(&Signing::new().forged(forgery), image().as_str()), form)
}

#[test]
fn one_good_signature_suffices_whatever_else_is_there() {
    let sigstore = Sigstore::new(now());
    let good = |form| attached(&sigstore.sign(&Signing::new(), image().as_str()), form);
    let forgeries = [Forgery::OtherAuthority, Forgery::AnotherDigest, Forgery::NoLogEntry];
    let bad =
        || forgeries.map(|forgery| forged(&sigstore, forgery, Form::Bundle(BundleVersion::V03)));
    let gap = Signatures { gaps: vec!["status 503".to_owned()], ..Signatures::default() };
    let mess = Signatures { malformed: vec!["no layers".to_owned()], ..Signatures::default() };
    for form in Form::ALL {
        let found = all(bad().into_iter().chain([gap.clone(), mess.clone(), good(form)]));
        assert_eq!(outcome(&found, &sigstore), "verified", "{form:?}");
        let found = all([good(form)].into_iter().chain(bad()));
        assert_eq!(outcome(&found, &sigstore), "verified", "{form:?}");
    }
}

#[test]
fn one_from_an_expected_ref_counts_before_one_from_elsewhere() {
    let sigstore = Sigstore::new(now());
    let elsewhere = Signing::new().workflow("release.yml", "refs/pull/9/merge");
    let signed = [elsewhere, Signing::new()].map(|it| sigstore.sign(&it, image().as_str()));
    let found = all(signed.iter().map(|it| attached(it, Form::Legacy)));
    assert_eq!(outcome(&found, &sigstore), "verified");
    let turned = all(signed.iter().rev().map(|it| attached(it, Form::Legacy)));
    assert_eq!(outcome(&turned, &sigstore), "verified");
}

#[test]
fn of_several_failures_the_most_telling_is_told() {
    let sigstore = Sigstore::new(now());
    let form = Form::Bundle(BundleVersion::V03);
    let one = |forgery| forged(&sigstore, forgery, form);
    let by = |identity: &str| {
        attached(&sigstore.sign(&Signing::new().identity(identity), image().as_str()), form)
    };
    let garbage = || Signatures {
        bundles: vec![Content::new("", b"<html>".to_vec())],
        ..Signatures::default()
    };
    let sbom = || Signatures {
        bundles: vec![Content::new(
            "",
            sigstore.attest(&Signing::new(), Predicate::Sbom, image().as_str(), BundleVersion::V03),
        )],
        ..Signatures::default()
    };
    let gap = || Signatures { gaps: vec!["status 503".to_owned()], ..Signatures::default() };
    let cases = [
        (vec![garbage(), one(Forgery::OtherAuthority)], "bad_certificate"),
        (vec![one(Forgery::OtherAuthority), one(Forgery::WrongProof)], "bad_log"),
        (vec![one(Forgery::WrongProof), one(Forgery::SignatureCorrupted)], "bad_signature"),
        (vec![one(Forgery::SignatureCorrupted), one(Forgery::AnotherDigest)], "bad_digest"),
        (vec![one(Forgery::AnotherDigest), by("https://evil.example/x")], "bad_identity"),
        (vec![sbom(), garbage()], "malformed"),
        (vec![sbom()], "attestation_only"),
        // A good one may be where nobody could look.
        (vec![gap(), by("https://evil.example/x")], "registry_unavailable"),
        (vec![gap(), sbom()], "registry_unavailable"),
        (vec![gap()], "registry_unavailable"),
        (vec![], "unsigned"),
    ];
    for (number, (found, expected)) in cases.into_iter().enumerate() {
        let backwards = all(found.clone().into_iter().rev());
        assert_eq!(outcome(&all(found), &sigstore), expected, "case {number}");
        assert_eq!(outcome(&backwards, &sigstore), expected, "case {number}, backwards");
    }
}

#[test]
fn somebody_elses_attestation_is_nothing_at_all() {
    let sigstore = Sigstore::new(now());
    let stranger = Signing::new().identity("https://github.com/evil/x/.github/workflows/y.yml@z");
    let sbom = sigstore.attest(&stranger, Predicate::Sbom, image().as_str(), BundleVersion::V03);
    let found = Signatures { bundles: vec![Content::new("", sbom)], ..Signatures::default() };
    assert_eq!(outcome(&found, &sigstore), "unsigned");
}

#[test]
fn a_signature_is_required_from_a_version_on_and_a_bad_one_is_a_failure_below_it_too() {
    let sigstore = Sigstore::new(now());
    let root = sigstore.trusted_root();
    let none = Signatures::default();
    let bad = forged(&sigstore, Forgery::OtherAuthority, Form::Legacy);
    let good = attached(&sigstore.sign(&Signing::new(), image().as_str()), Form::Legacy);
    let gap = Signatures { gaps: vec!["status 503".to_owned()], ..Signatures::default() };
    let cases = [
        ("3.5.9", &none, "not_required", Verdict::Passed),
        ("3.6.0", &none, "unsigned", Verdict::Failed),
        ("3.6.0+build", &none, "unsigned", Verdict::Failed),
        ("3.10.0", &none, "unsigned", Verdict::Failed),
        ("3.5.9", &bad, "bad_certificate", Verdict::Failed),
        ("3.5.9", &good, "verified", Verdict::Passed),
        ("3.5.9", &gap, "registry_unavailable", Verdict::Inconclusive),
    ];
    for (release, found, expected, verdict) in cases {
        let finding = judge_as(release, rule(), found, &root);
        assert_eq!(finding.detail.outcome.as_deref(), Some(expected), "{release}");
        assert_eq!(finding.verdict, verdict, "{release} {expected}");
        assert_eq!(finding.signature_outcome().map(SignatureOutcome::name), Some(expected));
    }
}

#[test]
fn what_the_answer_rests_on_is_named_with_its_digests() {
    let sigstore = Sigstore::new(now());
    let signed = sigstore.sign(&Signing::new(), image().as_str());
    let root = sigstore.trusted_root();
    let finding = judge_as(RELEASE, rule(), &attached(&signed, Form::Legacy), &root);
    let judged: BTreeMap<&str, &str> =
        finding.detail.judged.iter().map(|it| (it.role.as_str(), it.digest.as_str())).collect();
    let of = |bytes: &[u8]| digest_bump::domain::Digest::of(bytes);
    assert_eq!(judged["index"], image().as_str());
    assert_eq!(judged["signature"], of(&signed.manifest).as_str());
    assert_eq!(judged["payload"], of(&signed.payload).as_str());
    assert_eq!(judged["trusted root (the test)"], of(root.as_bytes()).as_str());
    assert_eq!(finding.detail.signed_at, Some(crate::case::NOW.parse().unwrap()));
}
