//! `verify`: is an image what was promised? By the network, and for files without it.

use crate::stand::{Said, Stand, bare, differences, said, snapshot};
use serde_json::Value as Json;
use std::{fs, io::Write as _, path::PathBuf};
use tempfile::TempDir;
use world::{Fault, Forgery, Service, Signing, Sigstore, World};

const IDENTITY: &str =
    r"https://github\.com/toon-protocol/connector/\.github/workflows/release\.yml@refs/heads/main";
const ISSUER: &str = "https://token.actions.githubusercontent.com";
const PUBLIC: &str = "DIGEST_BUMP_SIGSTORE_CASES";

#[tokio::test]
async fn a_release_is_examined_and_nothing_is_written() {
    let stand = Stand::new().await;
    stand.world.release("3.10.0").publish().await;
    let out = stand.ok(&["verify", "3.10.0"]).await;
    insta::assert_snapshot!(stand.redact(&out), @"
    ghcr.io/toon-protocol/connector:3.10.0@sha256:…
      signature      passed        verified: signed by `https://github.com/toon-protocol/connector/.github/workflows/release.yml@refs/heads/main` at TIME
      platforms      passed        linux/amd64, linux/arm64
      version_label  passed        labelled 3.10.0
      revision       passed        first_parent: built from 7d176fea, the parent of v3.10.0's commit 8b52b79c
      tag_stability  passed        DIGEST each time
      agreement      passed        agree: git tag v3.10.0 at 8b52b79c; npm 3.10.0 and the image are both of 7d176fea
      known_issue    passed        nothing_known: nothing is known against it
    ");
    assert!(!stand.state().exists(), "nobody asked for a database");
    stand.ok(&["once"]).await;
    let before = snapshot(&stand.state());
    let again = stand.ok(&["verify", "v3.10.0"]).await;
    assert_eq!(stand.redact(&again), stand.redact(&out));
    assert_eq!(differences(&before, &snapshot(&stand.state())), [""; 0]);
    assert_eq!(stand.world.writes().iter().filter(|it| it.path.contains("/v2/")).count(), 0);
}

#[tokio::test]
async fn machines_are_told_what_each_answer_rests_on() {
    let stand = Stand::new().await;
    stand.world.release("3.10.0").publish().await;
    let json = stand.json(&["verify", "3.10.0"]).await;
    assert_eq!(json["verdict"], "passed");
    assert_eq!(json["version"], "3.10.0");
    assert_eq!(json["digest"], stand.world.image_digest("3.10.0").unwrap());
    let findings = json["findings"].as_array().unwrap();
    let signature = findings.iter().find(|found| found["check"] == "signature").unwrap();
    assert_eq!(signature["outcome"], "verified");
    let roles: Vec<&Json> =
        signature["judged"].as_array().unwrap().iter().map(|it| &it["role"]).collect();
    assert_eq!(roles[..3], ["index", "signature", "payload"]);
}

#[tokio::test]
async fn a_digest_is_examined_as_the_release_whose_tag_gives_it() {
    let stand = Stand::new().await;
    stand.world.release("3.10.0").publish().await;
    let digest = stand.world.image_digest("3.10.0").unwrap();
    let image = format!("ghcr.io/toon-protocol/connector@{digest}");
    let all = stand.json(&["verify", "3.10.0"]).await;
    assert_eq!(stand.json(&["verify", &image]).await, all);
    stand.ok(&["once"]).await;
    assert_eq!(stand.json(&["verify", &image]).await, all);
}

#[tokio::test]
async fn a_digest_that_no_tag_gives_is_held_to_what_every_image_must_be() {
    let stand = Stand::new().await;
    stand.world.release("3.10.0").publish().await;
    let digest = stand.world.image_digest("3.10.0").unwrap();
    stand.world.retag("3.10.0").await;
    let image = format!("ghcr.io/toon-protocol/connector@{digest}");
    let unknown = stand.ok(&["verify", &image]).await;
    insta::assert_snapshot!(stand.redact(&unknown), @"
    ghcr.io/toon-protocol/connector@sha256:…
      signature  passed        verified: signed by `https://github.com/toon-protocol/connector/.github/workflows/release.yml@refs/heads/main` at TIME
      platforms  passed        linux/amd64, linux/arm64
      no known release has this digest: only what every image must be was asked
    ");
}

/// What was found of a release, check for check.
async fn told(stand: &Stand, what: &str, only: &[&str]) -> String {
    let said = stand.run(&["verify", what]).await;
    let asked = |line: &&str| only.iter().any(|check| line.trim_start().starts_with(check));
    let lines: Vec<&str> = said.out.lines().filter(asked).map(str::trim).collect();
    let text = format!("exit {}\n{}", said.code, lines.join("\n"));
    let npm = regex::Regex::new(r"sha512-[\w/+]{8}").unwrap();
    stand.redact(&npm.replace_all(&text, "sha512-…"))
}

#[tokio::test]
async fn before_any_pass_the_answers_are_those_of_a_pass() {
    let stand = Stand::new().await;
    let stray = stand.world.stray_commit();
    let (world, other) = (&stand.world, "7".repeat(40));
    world.release("3.10.0").publish().await;
    world.release("3.11.0").without_git_tag().publish().await;
    world.release("3.12.0").npm_git_head(Some(&other)).publish().await;
    world.release("3.13.0").revision(&stray).publish().await;
    world.release("3.14.0").version_label("3.0.0").publish().await;
    let versions = ["3.10.0", "3.11.0", "3.12.0", "3.13.0", "3.14.0"];
    let mut before = Vec::new();
    for version in versions {
        let said = stand.run(&["verify", version, "--json"]).await;
        let view: Json = serde_json::from_str(&said.out).unwrap();
        let mut lines: Vec<String> = view["findings"]
            .as_array()
            .unwrap()
            .iter()
            .map(|it| [&it["check"], &it["verdict"], &it["summary"]].map(|it| it.as_str().unwrap()))
            .map(|[check, verdict, summary]| format!("{check} {verdict}: {summary}"))
            .collect();
        lines.sort();
        before.push(lines);
    }
    stand.ok(&["once"]).await;
    for (version, before) in versions.into_iter().zip(before) {
        let history = stand.json(&["explain", version]).await["history"].clone();
        let lines = history.as_array().unwrap().iter().map(|line| line.as_str().unwrap());
        let mut lines: Vec<String> =
            lines.map(|line| line.split_once("  ").unwrap().1.to_owned()).collect();
        lines.retain(|line| !line.starts_with("sites") && !line.starts_with("canary"));
        lines.sort();
        assert_eq!(before, lines, "{version}");
        assert_eq!(before.len(), 7, "{before:?}");
    }
}

#[tokio::test]
async fn what_moved_since_the_last_pass_is_found_out() {
    let stand = Stand::new().await;
    stand.world.release("3.10.0").publish().await;
    let digest = stand.world.image_digest("3.10.0").unwrap();
    stand.ok(&["once"]).await;
    stand.world.retag("3.10.0").await;
    stand.world.republish_npm("3.10.0").await;
    let only = ["tag_stability", "agreement"];
    let by_tag = told(&stand, "3.10.0", &only).await;
    insta::assert_snapshot!(by_tag, @"
    exit 1
    tag_stability  failed        the tag 3.10.0 moved: sha256:… (first seen TIME) → sha256:… (seen TIME)
    agreement      failed        npm_drift: npm's 3.10.0 is not what it was: from TIME on it was sha512-…, at TIME it was sha512-…
    ");
    let image = format!("ghcr.io/toon-protocol/connector@{digest}");
    assert_eq!(told(&stand, &image, &only).await, by_tag);
}

#[tokio::test]
async fn a_pull_request_tells_what_its_tag_gave_where_no_database_does() {
    let stand = Stand::new().await;
    stand.world.release("3.10.0").publish().await;
    stand.ok(&["once"]).await;
    fs::remove_dir_all(stand.state()).unwrap();
    stand.world.retag("3.10.0").await;
    insta::assert_snapshot!(told(&stand, "3.10.0", &["tag_stability"]).await, @"
    exit 1
    tag_stability  failed        the tag 3.10.0 moved: pull request #1 proposed sha256:…, and now it gives sha256:…
    ");
}

#[tokio::test]
async fn what_could_not_be_asked_is_no_answer_and_spoils_no_other() {
    let stand = Stand::new().await;
    stand.world.release("3.10.0").publish().await;
    stand.world.fault(Fault::on(Service::Npm).status(503).always());
    stand.world.fault(Fault::on(Service::GitHub).path_contains("/pulls").status(503).always());
    let only = ["signature", "tag_stability", "agreement"];
    insta::assert_snapshot!(told(&stand, "3.10.0", &only).await, @"
    exit 3
    signature      passed        verified: signed by `https://github.com/toon-protocol/connector/.github/workflows/release.yml@refs/heads/main` at TIME
    tag_stability  inconclusive  unavailable: the downstream could not be asked: the pull requests of toon-protocol/town: github is out of reach: status 503
    agreement      inconclusive  unavailable: npm could not be asked: the npm package @toon-protocol/connector: npm is out of reach: status 503
    ");
}

/// A release that was described so: exit code and what is said of the signature.
async fn verdict(describe: impl AsyncFnOnce(&World)) -> (i32, String) {
    let stand = Stand::new().await;
    describe(&stand.world).await;
    let said = stand.run(&["verify", "3.10.0"]).await;
    let line = said.out.lines().find(|line| line.contains("signature")).unwrap_or(&said.err);
    (said.code, stand.redact(line.trim()))
}

#[tokio::test]
async fn exit_codes_tell_the_outcomes_apart() {
    let by = |signing: Signing| {
        async move |world: &World| world.release("3.10.0").signed(signing).publish().await
    };
    let forged = |forgery| by(Signing::new().forged(forgery));
    let codes = [
        verdict(async |_| {}).await,
        verdict(async |world| world.release("3.10.0").unsigned().publish().await).await,
        verdict(by(Signing::new().identity("https://evil.example/x"))).await,
        verdict(forged(Forgery::OtherAuthority)).await,
        verdict(by(Signing::new().issuer("https://accounts.example.com"))).await,
        verdict(by(Signing::new().workflow("release.yml", "refs/pull/9/merge"))).await,
        verdict(forged(Forgery::AnotherDigest)).await,
        verdict(forged(Forgery::SignatureCorrupted)).await,
        verdict(forged(Forgery::WrongType)).await,
        verdict(forged(Forgery::EntryOfAnotherSignature)).await,
        verdict(forged(Forgery::EntryByUnknownLog)).await,
        verdict(async |world| {
            world.release("3.10.0").publish().await;
            world.fault(Fault::on(Service::Registry).path_contains(".sig").status(503).always());
        })
        .await,
        verdict(async |world| {
            let release = world.release("3.10.0").platforms(&["linux/amd64"]);
            release.publish().await;
        })
        .await,
    ];
    let told: Vec<String> = codes.iter().map(|(code, line)| format!("{code:>2}  {line}")).collect();
    insta::assert_snapshot!(told.join("\n"), @"
    11  digest-bump: the registry knows no ghcr.io/toon-protocol/connector:3.10.0
    10  signature      inconclusive  unsigned: not signed yet, which is a failure from TIME on
    12  signature      failed        bad_identity: signed by somebody else: `https://evil.example/x`
    13  signature      failed        bad_certificate: the signing certificate is not valid: certificate chain is invalid: certificate chain validation failed: InvalidSignatureForPublicKey
    14  signature      failed        bad_issuer: vouched for by another issuer: `https://accounts.example.com`, for `https://github.com/toon-protocol/connector/.github/workflows/release.yml@refs/heads/main`
    15  signature      failed        unexpected_ref: signed by `https://github.com/toon-protocol/connector/.github/workflows/release.yml@refs/pull/9/merge` at TIME, which is not one of the expected refs
    16  signature      failed        bad_digest: signed, but something else: it is a signature of sha256:…
    17  signature      failed        bad_signature: the signature is not valid: invalid signature: signature verification failed: Verification error: ECDSA_P256_SHA256 signature invalid
    19  signature      failed        malformed: the signature cannot be read: the payload is of the type atomic container signature
    18  signature      failed        bad_log: the transparency log does not vouch for the signature: log entry does not match the bundle: signature in bundle does not match signature in Rekor entry
    21  signature      inconclusive  trust_root_stale: the trusted root does not know the signer's authority or log: the entry is in a log that is not known
    22  signature      inconclusive  registry_unavailable: signatures could not be asked for: the registry is out of reach: status 503 for a tag for signatures, of ghcr.io/toon-protocol/connector
     1  signature      passed        verified: signed by `https://github.com/toon-protocol/connector/.github/workflows/release.yml@refs/heads/main` at TIME
    ");
}

#[tokio::test]
async fn what_cannot_be_meant_is_said() {
    let stand = Stand::new().await;
    let digest = format!("sha256:{}", "0".repeat(64));
    for arguments in [
        &["verify", "latest"][..],
        &["verify", "ghcr.io/toon-protocol/connector:3.10.0"],
        &["verify", &format!("ghcr.io/somebody/else@{digest}")],
        &["verify"],
        &["verify", "3.10.0", "--bundle", "x"],
        &["verify", "--bundle", "x"],
        &["verify", "--bundle", "x", "--identity-regexp", "(", "--issuer", "i"],
        &["verify", "--legacy-signature", "x"],
    ] {
        let said = stand.run(arguments).await;
        assert_eq!(said.code, 2, "{arguments:?}: {said:?}");
        assert!(!said.err.contains("panicked"), "{said:?}");
    }
}

/// Files of one signing, and the trusted root.
struct Files {
    folder: TempDir,
}

impl Files {
    fn of(signing: &Signing, digest: &str) -> Self {
        let now = chrono_now();
        let sigstore = Sigstore::new(now);
        let signed = sigstore.sign(signing, digest);
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, bytes: &[u8]| fs::write(folder.path().join(name), bytes).unwrap();
        write("root.json", sigstore.trusted_root().as_bytes());
        write("bundle.json", signed.bundle(world::BundleVersion::V03));
        write("manifest.json", &signed.manifest);
        write("payload.json", &signed.payload);
        Self { folder }
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    /// Runs `verify` for files, without config.
    async fn verify(&self, arguments: &[&str]) -> Said {
        let root = self.path("root.json");
        let mut all = vec![
            "verify",
            "--trusted-root",
            &root,
            "--identity-regexp",
            IDENTITY,
            "--issuer",
            ISSUER,
        ];
        all.extend(arguments);
        said(bare(&all)).await
    }
}

fn chrono_now() -> chrono::DateTime<chrono::Utc> {
    chrono::DateTime::parse_from_rfc3339("2026-06-12T08:00:00Z").unwrap().to_utc()
}

#[tokio::test]
async fn files_are_verified_without_network_config_or_database() {
    let artifact = b"the index".to_vec();
    let digest = digest_bump::domain::Digest::of(&artifact);
    let digest = digest.as_str();
    let files = Files::of(&Signing::new(), digest);
    fs::write(files.folder.path().join("artifact"), &artifact).unwrap();
    let (bundle, manifest) = (files.path("bundle.json"), files.path("manifest.json"));
    let (payload, artifact) = (files.path("payload.json"), files.path("artifact"));
    let legacy = ["--legacy-signature", &manifest, "--payload", &payload, "--digest", digest];
    let good = [
        files.verify(&["--bundle", &bundle, "--digest", digest]).await,
        files.verify(&["--bundle", &bundle, "--artifact", &artifact]).await,
        files.verify(&legacy).await,
    ];
    for said in &good {
        assert_eq!((said.code, said.err.as_str()), (0, ""), "{said:?}");
    }
    insta::assert_snapshot!(good[0].out, @"verified: signed by https://github.com/toon-protocol/connector/.github/workflows/release.yml@refs/heads/main at 2026-06-12T08:00:00Z");
    let json = files.verify(&["--json", "--bundle", &bundle, "--digest", digest]).await;
    let json: Json = serde_json::from_str(&json.out).unwrap();
    assert_eq!(json["outcome"], "verified");

    let other = format!("sha256:{}", "0".repeat(64));
    let capitals = digest.to_uppercase().replace("SHA256", "sha256");
    let bad = [
        files.verify(&["--bundle", &bundle, "--digest", &other]).await,
        files.verify(&["--bundle", &bundle, "--artifact", &payload]).await,
        files
            .verify(&["--legacy-signature", &manifest, "--payload", &payload, "--digest", &other])
            .await,
        files
            .verify(&["--legacy-signature", &manifest, "--payload", &bundle, "--digest", digest])
            .await,
        files
            .verify(&["--legacy-signature", &bundle, "--payload", &payload, "--digest", digest])
            .await,
        files.verify(&["--bundle", &manifest, "--digest", digest]).await,
        files.verify(&["--bundle", &bundle, "--digest", &capitals]).await,
        files.verify(&["--bundle", &files.path("nothing"), "--digest", digest]).await,
    ];
    let told: Vec<String> = bad.iter().map(|it| format!("{}  {}", it.code, it.out)).collect();
    let told = told.join("").replace(&files.folder.path().display().to_string(), "FOLDER");
    // Signatures by fresh keys are of different lengths.
    let told = regex::Regex::new(r"column \d+").unwrap().replace_all(&told, "column N");
    insta::assert_snapshot!(told, @"
    16  bad_digest: artifact mismatch: artifact hash does not match any subject in attestation
    16  bad_digest: artifact mismatch: artifact hash does not match any subject in attestation
    16  bad_digest: it is a signature of sha256:2814ba1ae47e21f6f49e55683952d32eecba42333f12c643494aa1abcc173a0a
    10  unsigned: none of the payloads is signed there
    19  malformed: the signatures' manifest: missing field `layers` at line 1 column N
    19  malformed: JSON error: Invalid media type: application/vnd.oci.image.manifest.v1+json at line 1 column N
    2  3
    ");
}

#[tokio::test]
async fn people_sign_only_where_that_is_allowed() {
    let digest = digest_bump::domain::Digest::of(b"the index");
    let files = Files::of(&Signing::new().email("maya@toon.example"), digest.as_str());
    let bundle = files.path("bundle.json");
    let root = files.path("root.json");
    let arguments = [
        "verify",
        "--trusted-root",
        &root,
        "--identity-regexp",
        r".*@toon\.example",
        "--issuer",
        ISSUER,
        "--bundle",
        &bundle,
        "--digest",
        digest.as_str(),
    ];
    let refused = said(bare(&arguments)).await;
    assert_eq!(
        (refused.code, refused.out.as_str()),
        (12, "bad_identity: the person maya@toon.example\n")
    );
    let mut allowed = arguments.to_vec();
    allowed.push("--allow-email-identity");
    assert_eq!(said(bare(&allowed)).await.code, 0);
}

/// Genuine bundles of the public Sigstore and of its staging instance, as their makers ship them
/// for tests; the folder is named by the environment, nothing of it is kept here.
#[tokio::test]
async fn bundles_of_the_public_sigstore_are_judged_as_they_should_be() {
    let named = |variable: &str| std::env::vars_os().find(|(name, _)| name == variable);
    let Some((_, folder)) = named(PUBLIC) else {
        // Not through `eprintln!`, whose words a passing test swallows.
        let said = format!("SKIPPED: {PUBLIC} does not name a folder with public bundles\n");
        let _ = std::io::stderr().write_all(said.as_bytes());
        assert!(named("DIGEST_BUMP_NO_SKIPS").is_none());
        return;
    };
    let folder = PathBuf::from(folder);
    let table = include_str!("public.txt");
    let mut wrong = Vec::new();
    let mut cases = 0;
    for line in table.lines().filter(|line| !line.starts_with('#') && !line.is_empty()) {
        let words: Vec<&str> = line.split_whitespace().collect();
        let [expected, bundle, artifact, root, identity, issuer] = words[..] else {
            panic!("{line}");
        };
        let file = |name: &str| folder.join(name).display().to_string();
        let (bundle, root) = (file(bundle), file(root));
        let identity = regex::escape(identity);
        let mut arguments = vec![
            "verify",
            "--allow-email-identity",
            "--trusted-root",
            &root,
            "--identity-regexp",
            &identity,
            "--issuer",
            issuer,
            "--bundle",
            &bundle,
        ];
        let path = file(artifact);
        if artifact.starts_with("sha256:") {
            arguments.extend(["--digest", artifact]);
        } else {
            arguments.extend(["--artifact", &path]);
        }
        let said = said(bare(&arguments)).await;
        cases += 1;
        let outcome = said.out.split(':').next().unwrap_or_default();
        if outcome != expected || (said.code == 0) != (expected == "verified") {
            wrong.push(format!("{line}\n  {} {}{}", said.code, said.out, said.err));
        }
    }
    eprintln!("{cases} public bundles");
    assert!(cases > 10 && wrong.is_empty(), "\n{}", wrong.join("\n"));
}
