//! What a maintainer sees of a release whose signature is not what was promised: for each outcome
//! that is no pass, one story.

use crate::stand::{Stand, run_in, run_test};
use toml::Value;
use world::{Fault, Forgery, Predicate, Referrers, Service, SignatureLayout, Signing, World};

/// A release that is signed so is held with this reason, and never proposed.
async fn held(signing: Signing) -> String {
    let mut told = String::new();
    run_test(async |stand| {
        stand.world.release("3.10.0").signed(signing).publish().await;
        stand.settle().await;
        stand.wait(48);
        stand.settle().await;
        assert_eq!(stand.open(), [""; 0]);
        assert_eq!(stand.runs().await, [""; 0]);
        let (word, line) = stand.stage("3.10.0").await;
        assert_eq!(word, "held", "{line}");
        told = stand.redact(&line);
    })
    .await;
    told
}

async fn forged(forgery: Forgery) -> String {
    held(Signing::new().forged(forgery)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn signed_by_somebody_else() {
    let fork = "https://github.com/evil/connector/.github/workflows/release.yml@refs/heads/main";
    insta::assert_snapshot!(held(Signing::new().identity(fork)).await, @"signed by somebody else: `https://github.com/evil/connector/.github/workflows/release.yml@refs/heads/main`");
}

#[tokio::test(flavor = "multi_thread")]
async fn vouched_for_by_another_issuer() {
    let signing = Signing::new().issuer("https://accounts.example.com");
    insta::assert_snapshot!(held(signing).await, @"vouched for by another issuer: `https://accounts.example.com`, for `https://github.com/toon-protocol/connector/.github/workflows/release.yml@refs/heads/main`");
}

#[tokio::test(flavor = "multi_thread")]
async fn signed_from_a_pull_request() {
    let signing = Signing::new().workflow("release.yml", "refs/pull/9/merge");
    insta::assert_snapshot!(held(signing).await, @"signed by `https://github.com/toon-protocol/connector/.github/workflows/release.yml@refs/pull/9/merge` at 2026-06-12T08:00:00Z, which is not one of the expected refs");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signature_of_another_digest() {
    insta::assert_snapshot!(forged(Forgery::AnotherDigest).await, @"signed, but something else: it is a signature of sha256:…");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signature_that_is_not_valid() {
    insta::assert_snapshot!(forged(Forgery::SignatureCorrupted).await, @"the signature is not valid: invalid signature: signature verification failed: Verification error: ECDSA_P256_SHA256 signature invalid");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_entry_of_another_artifact() {
    insta::assert_snapshot!(forged(Forgery::EntryOfAnotherArtifact).await, @"the transparency log does not vouch for the signature: artifact mismatch: artifact hash mismatch for hashedrekord entry");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_by_another_authority() {
    insta::assert_snapshot!(forged(Forgery::OtherAuthority).await, @"the signing certificate is not valid: certificate chain is invalid: certificate chain validation failed: InvalidSignatureForPublicKey");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signature_that_cannot_be_read() {
    insta::assert_snapshot!(forged(Forgery::CertificateNotPem).await, @"the signature cannot be read: 0 certificates instead of one");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unexpected_ref_can_be_left_to_the_reviewer() {
    run_test(async |stand| {
        stand.set("upstream.signature.unexpected", "warn");
        let signing = Signing::new().workflow("build-and-publish.yml", "refs/heads/main");
        stand.world.release("3.10.0").signed(signing).publish().await;
        stand.settle().await;
        let body = stand.only().body;
        let first: Vec<&str> = body.lines().take(3).collect();
        insta::assert_snapshot!(first.join("\n"), @"
        **connector 3.9.3 → 3.10.0 is a MINOR. Every required check passed; 2 points need a person.**

        - Look at: it is signed by `https://github.com/toon-protocol/connector/.github/workflows/build-and-publish.yml@refs/heads/main`, which is not one of the expected refs
        ");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unsigned_release_waits_out_a_grace_time_and_is_then_held_and_still_proposed_if_signed()
{
    run_test(async |stand| {
        stand.world.release("3.10.0").unsigned().publish().await;
        stand.settle().await;
        let mut told = vec![stand.stages().await];
        stand.wait_minutes(30);
        stand.settle().await;
        told.push(stand.stages().await);
        stand.wait_minutes(31);
        stand.settle().await;
        told.push(stand.stages().await);
        insta::assert_snapshot!(told.join("\n\n"), @"
        3.10.0 waiting: not signed yet, which is a failure from 2026-06-12T09:00:00Z on; until 2026-06-12T08:01:00Z (1 min from now)
        3.9.3 pinned: the downstream pins it

        3.10.0 waiting: not signed yet, which is a failure from 2026-06-12T09:00:00Z on; until 2026-06-12T08:40:00Z (10 min from now)
        3.9.3 pinned: the downstream pins it

        3.10.0 held: not signed
        3.9.3 pinned: the downstream pins it
        ");
        assert_eq!(stand.runs().await, [""; 0]);

        stand.world.sign_image("3.10.0").await;
        stand.wait(1);
        stand.settle().await;
        assert_eq!(stand.only().title, "chore(connector): bump 3.9.3 → 3.10.0");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_is_signed_within_the_grace_time_is_proposed() {
    run_test(async |stand| {
        stand.world.release("3.10.0").unsigned().publish().await;
        let report = stand.settle().await;
        // The first look again comes after the first pause.
        assert_eq!(report.wake.unwrap().to_string(), "2026-06-12T08:01:00Z");
        stand.world.sign_image("3.10.0").await;
        stand.wait_minutes(1);
        stand.settle().await;
        assert_eq!(stand.only().title, "chore(connector): bump 3.9.3 → 3.10.0");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_attestation_is_no_signature() {
    run_test(async |stand| {
        let release = stand.world.release("3.10.0").unsigned();
        let release = release.layout(SignatureLayout::FallbackTag);
        release.attested(Predicate::Provenance).publish().await;
        stand.settle().await;
        let early = stand.stage("3.10.0").await;
        stand.wait(2);
        stand.settle().await;
        let late = stand.stage("3.10.0").await;
        insta::assert_snapshot!(format!("{}: {}\n{}: {}", early.0, early.1, late.0, late.1), @"
        waiting: not signed yet, which is a failure from 2026-06-12T09:00:00Z on; there is only a statement of the kind https://slsa.dev/provenance/v1; until 2026-06-12T08:01:00Z (1 min from now)
        held: not signed; there is only a statement of the kind https://slsa.dev/provenance/v1
        ");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_registry_that_does_not_answer_is_never_taken_for_unsigned() {
    run_test(async |stand| {
        let fault = Fault::on(Service::Registry).path_contains(".sig");
        stand.world.fault(fault.status(503).always());
        stand.world.release("3.10.0").publish().await;
        let mut told = Vec::new();
        for minutes in [0, 1, 10, 60, 60] {
            stand.wait_minutes(minutes);
            stand.settle().await;
            let (word, line) = stand.stage("3.10.0").await;
            told.push(format!("after {minutes} min: {word}: {}", stand.redact(&line)));
        }
        insta::assert_snapshot!(told.join("\n"), @"
        after 0 min: waiting: attempt 1 was inconclusive: signatures could not be asked for: the registry is out of reach: status 503 for a tag for signatures, of ghcr.io/toon-protocol/connector; until 2026-06-12T08:01:00Z (1 min from now)
        after 1 min: waiting: attempt 2 was inconclusive: signatures could not be asked for: the registry is out of reach: status 503 for a tag for signatures, of ghcr.io/toon-protocol/connector; until 2026-06-12T08:11:00Z (10 min from now)
        after 10 min: waiting: attempt 3 was inconclusive: signatures could not be asked for: the registry is out of reach: status 503 for a tag for signatures, of ghcr.io/toon-protocol/connector; until 2026-06-12T09:11:00Z (1 h from now)
        after 60 min: held: could not be found out in 4 attempts: signatures could not be asked for: the registry is out of reach: status 503 for a tag for signatures, of ghcr.io/toon-protocol/connector; asked again after 2026-06-12T10:11:00Z
        after 60 min: held: could not be found out in 5 attempts: signatures could not be asked for: the registry is out of reach: status 503 for a tag for signatures, of ghcr.io/toon-protocol/connector; asked again after 2026-06-12T11:11:00Z
        ");
        // What is written and left standing does not change with each attempt's time.
        let view = stand.view().await;
        assert!(view.releases[0].lasting.starts_with("could not be found out"));
        assert!(!view.releases[0].lasting.contains("asked again"), "{}", view.releases[0].lasting);
        stand.world.clear_faults();
        stand.wait(1);
        stand.settle().await;
        assert_eq!(stand.only().title, "chore(connector): bump 3.9.3 → 3.10.0");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trusted_root_that_does_not_know_the_signer_yet_is_asked_for_again() {
    run_test(async |stand| {
        let old = std::fs::read_to_string(stand.world.trusted_root_file()).unwrap();
        let file = stand.state.path().join("old_root.json");
        std::fs::write(&file, &old).unwrap();
        crate::settings::set(
            &mut stand.config,
            "sigstore.trusted_root",
            Value::String(file.display().to_string()),
        );
        stand.world.rotate_sigstore();
        stand.world.release("3.10.0").publish().await;
        stand.settle().await;
        let (word, line) = stand.stage("3.10.0").await;
        insta::assert_snapshot!(format!("{word}: {line}"), @"waiting: attempt 1 was inconclusive: the trusted root does not know the signer's authority or log: the entry is in a log that is not known; until 2026-06-12T08:01:00Z (1 min from now)");

        // Somebody installs the new one.
        std::fs::write(&file, stand.world.trusted_root()).unwrap();
        stand.wait(1);
        stand.settle().await;
        assert_eq!(stand.only().title, "chore(connector): bump 3.9.3 → 3.10.0");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_trusted_root_nothing_is_believed_and_nothing_is_rejected() {
    run_test(async |stand| {
        let path = "sigstore.trusted_root";
        let good = stand.config["sigstore"]["trusted_root"].clone();
        crate::settings::set(&mut stand.config, path, Value::from("/nowhere/root.json"));
        stand.world.release("3.10.0").publish().await;
        stand.settle().await;
        let (word, line) = stand.stage("3.10.0").await;
        insta::assert_snapshot!(format!("{word}: {line}"), @"waiting: attempt 1 was inconclusive: no signature can be judged: file root.json cannot be read; until 2026-06-12T08:01:00Z (1 min from now)");
        crate::settings::set(&mut stand.config, path, good);
        stand.wait_minutes(1);
        stand.settle().await;
        assert_eq!(stand.only().title, "chore(connector): bump 3.9.3 → 3.10.0");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_older_release_needs_no_signature_but_a_bad_one_is_refused() {
    run_in(World::builder().pinned("3.4.9"), async |stand| {
        stand.world.release("3.5.7").publish().await;
        stand.settle().await;
        let body = stand.only().body;
        let line = body.lines().find(|line| line.contains("signed")).unwrap();
        insta::assert_snapshot!(line, @"| the producer's own workflow signed it | ➖ not required | not signed; required from 3.6.0 on |");
        let forged = Signing::new().forged(Forgery::OtherAuthority);
        stand.world.release("3.5.8").signed(forged).publish().await;
        stand.settle().await;
        assert_eq!(stand.stage("3.5.8").await.0, "held");
        stand.request("3.5.8").await;
        stand.settle().await;
        insta::assert_snapshot!(stand.requests().await, @"3.5.8 refused: the signing certificate is not valid: certificate chain is invalid: certificate chain validation failed: InvalidSignatureForPublicKey");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_layout_ends_in_a_pull_request() {
    for layout in
        [SignatureLayout::Legacy, SignatureLayout::Referrers, SignatureLayout::FallbackTag]
    {
        run_test(async |stand| {
            stand.world.set_referrers(Referrers::Served);
            stand.world.release("3.10.0").layout(layout).publish().await;
            stand.settle().await;
            assert!(stand.only().body.contains("signed by"), "{layout:?}");
        })
        .await;
    }
}

/// Everything that the answer rests on can be looked at again, byte for byte.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_judged_is_kept() {
    run_test(async |stand| {
        stand.world.release("3.10.0").publish().await;
        stand.settle().await;
        let findings = stand.memory().await.findings;
        let signature = findings.iter().find(|found| !found.detail.judged.is_empty()).unwrap();
        let roles: Vec<&str> =
            signature.detail.judged.iter().map(|judged| judged.role.as_str()).collect();
        assert_eq!(roles[..3], ["index", "signature", "payload"], "{roles:?}");
        for judged in &signature.detail.judged {
            let content = content(stand, &judged.digest).await;
            assert_eq!(digest_bump::domain::Digest::of(&content), judged.digest);
        }
        // The configs, which the labels are read from, are kept as well.
        let image = stand.memory().await.image(&"3.10.0".parse().unwrap()).unwrap().clone();
        for part in image.platforms {
            let manifest = content(stand, part.digest.digest()).await;
            let manifest: serde_json::Value = serde_json::from_slice(&manifest).unwrap();
            let config = manifest["config"]["digest"].as_str().unwrap().parse().unwrap();
            let config = String::from_utf8(content(stand, &config).await).unwrap();
            assert!(config.contains("org.opencontainers.image.version"), "{config}");
        }
    })
    .await;
}

async fn content(stand: &Stand, digest: &digest_bump::domain::Digest) -> Vec<u8> {
    let store = digest_bump::daemon::read_store(&stand.parsed()).await.unwrap().unwrap();
    let content = store.content(digest).await.unwrap().expect("it was kept");
    store.close().await;
    content.bytes
}
