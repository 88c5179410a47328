//! The ator-sidecar: a second, optional image of the same releases, pinned where a site names it.

use crate::stand::{Stand, run_in, run_test};
use toml::{Table, Value};
use world::{Fault, Forgery, Image, Service, Signing, World};

pub(crate) const SIDECAR: &str = "ghcr.io/toon-protocol/ator-sidecar";
pub(crate) const FILE: &str = "sidecar.env";
/// How its pin stands there: version and digest.
pub(crate) const BOTH: &str =
    "^SIDECAR=ghcr\\.io/toon-protocol/ator-sidecar:{{version}}@{{digest}}$";

/// A town that pins the sidecar, too, and a bot that knows where.
pub(crate) async fn with_site(story: impl AsyncFnOnce(&mut Stand)) {
    with_line(BOTH, story).await;
}

/// As [`with_site`]; the bot looks for this line.
pub(crate) async fn with_line(line: &str, story: impl AsyncFnOnce(&mut Stand)) {
    with_image(line, |image| image, story).await;
}

/// As [`with_line`]; the pinned release's sidecar is so described.
pub(crate) async fn with_image(
    line: &str,
    describe: impl FnOnce(Image) -> Image + Send + 'static,
    story: impl AsyncFnOnce(&mut Stand),
) {
    // A story is a large future.
    let told = run_in(World::builder().sidecar(describe), async |stand| {
        let digest = stand.world.sidecar_digest("3.9.3").unwrap();
        let text = format!("SIDECAR={SIDECAR}:3.9.3@{digest}\n");
        stand.world.commit_to("main", FILE, text.as_bytes(), "chore: pin the sidecar");
        let watch = crate::settings::watch(&mut stand.config);
        let sites = watch["downstream"]["site"].as_array_mut().unwrap();
        let keys = [("name", "sidecar"), ("path", FILE), ("image", SIDECAR), ("line", line)];
        let site = keys.map(|(key, value)| (key.to_owned(), Value::from(value)));
        sites.push(Value::Table(Table::from_iter(site)));
        story(stand).await;
    });
    Box::pin(told).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn it_moves_in_lockstep_in_the_same_proposal() {
    with_site(async |stand| {
        stand.world.release("3.10.0").with_sidecar().publish().await;
        stand.settle().await;
        let pull = stand.only();
        let digest = stand.world.sidecar_digest("3.10.0").unwrap();
        let file = stand.git(&["show", &format!("{}:{FILE}", pull.head_branch)]);
        assert_eq!(file, format!("SIDECAR={SIDECAR}:3.10.0@{digest}"));
        let told: Vec<&str> = pull.body.lines().filter(|line| line.contains("sidecar")).collect();
        insta::assert_snapshot!(stand.redact(&told.join("\n")), @r#"
        | ator-sidecar | 3.9.3 | 3.10.0 |
        | ator-sidecar: index digest | `sha256:…` | `sha256:…` |
        - Image: ✅ signature · ✅ platforms · ✅ version label · ✅ source commit · ✅ tag unmoved · ✅ no known issue · ✅ ator-sidecar (5 checks)
        | ator-sidecar: the producer's own workflow signed it | ✅ passed | signed by `https://github.com/toon-protocol/connector/.github/workflows/build-and-publish.yml@refs/tags/v3.10.0` at 2026-06-12T08:00:00Z |
        | ator-sidecar: every promised platform is in the index | ✅ passed | linux/amd64, linux/arm64 |
        | ator-sidecar: each platform's version label names this release | ✅ passed | labelled 3.10.0 |
        | ator-sidecar: the image was built from the release's commit | ✅ passed | built from 7d176fea, the parent of v3.10.0's commit 8b52b79c |
        | ator-sidecar: the tag still gives what it first gave | ✅ passed | <short> each time |
        # ator-sidecar: the producer's own workflow signed it
        cosign verify ghcr.io/toon-protocol/ator-sidecar@sha256:… \
        # ator-sidecar: every promised platform is in the index
        docker buildx imagetools inspect ghcr.io/toon-protocol/ator-sidecar@sha256:… --raw | jq -r '.manifests[].platform | "\(.os)/\(.architecture)"'
        # ator-sidecar: each platform's version label names this release
        docker buildx imagetools inspect ghcr.io/toon-protocol/ator-sidecar@sha256:… --format '{{json .Image}}' | jq 'map_values(.config.Labels["org.opencontainers.image.version"])'
        # ator-sidecar: the image was built from the release's commit
        docker buildx imagetools inspect ghcr.io/toon-protocol/ator-sidecar@sha256:… --format '{{json .Image}}' | jq 'map_values(.config.Labels["org.opencontainers.image.revision"])'
        # ator-sidecar: the tag still gives what it first gave
        docker buildx imagetools inspect ghcr.io/toon-protocol/ator-sidecar:3.10.0 --format '{{.Manifest.Digest}}'
        - sidecar.env:1 (sidecar): 3.9.3 (<short>) → 3.10.0 (<short>)
        <!-- digest-bump:1 {"kind":"pin_bump","version":"3.10.0","digest":"sha256:…","commit":"<id>","requested":false,"from":"sha256:…","companions":{"ghcr.io/toon-protocol/ator-sidecar":"sha256:…"}} -->
        "#);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_release_without_it_is_waited_for_and_then_proposed_with_its_pin_kept() {
    with_site(async |stand| {
        stand.world.release("3.10.0").publish().await;
        stand.settle().await;
        assert_eq!(stand.open(), [""; 0]);
        insta::assert_snapshot!(stand.stages().await, @"
        3.10.0 waiting: ator-sidecar: its image is not there yet; until 2026-06-13T08:00:00Z (1 d from now)
        3.9.3 pinned: the downstream pins it
        ");
        stand.wait(25);
        stand.settle().await;
        let body = stand.only().body;
        let told: Vec<&str> = body.lines().filter(|line| line.contains("sidecar")).collect();
        insta::assert_snapshot!(stand.redact(&told.join("\n")), @"
        - Look at: there is no ator-sidecar 3.10.0, so its pin stays as it is
        Left alone: sidecar.env:1 (sidecar): its image has no such release, kept.
        ");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_comes_late_is_waited_for() {
    with_site(async |stand| {
        stand.world.release("3.10.0").publish().await;
        stand.settle().await;
        assert_eq!(stand.open(), [""; 0]);
        stand.world.publish_sidecar("3.10.0").await;
        stand.wait_minutes(15);
        stand.settle().await;
        let digest = stand.world.sidecar_digest("3.10.0").unwrap();
        assert!(stand.only().body.contains(&digest));
    })
    .await;
}

/// The release is held for what is wrong with its sidecar; the reason.
async fn held(describe: impl FnOnce(Image) -> Image) -> String {
    let mut told = String::new();
    run_test(async |stand| {
        stand.world.release("3.10.0").with_sidecar().sidecar(describe).publish().await;
        stand.settle().await;
        stand.wait(3);
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

#[tokio::test(flavor = "multi_thread")]
async fn everything_that_holds_the_connector_holds_it_too() {
    let by_release = Signing::new().workflow("release.yml", "refs/heads/main");
    let all = [
        held(Image::unsigned).await,
        // Its identity is narrower than the connector's.
        held(|image| image.signed(by_release)).await,
        held(|image| image.signed(Signing::new().forged(Forgery::OtherAuthority))).await,
        held(|image| image.platforms(&["linux/amd64"])).await,
        held(|image| image.version_label("3.9.9")).await,
    ];
    insta::assert_snapshot!(all.join("\n"), @"
    ator-sidecar: not signed
    ator-sidecar: signed by somebody else: `https://github.com/toon-protocol/connector/.github/workflows/release.yml@refs/heads/main`
    ator-sidecar: the signing certificate is not valid: certificate chain is invalid: certificate chain validation failed: InvalidSignatureForPublicKey
    ator-sidecar: the image lacks linux/arm64; it has linux/amd64
    ator-sidecar: linux/amd64 is labelled `3.9.9`, not 3.10.0
    ");
}

#[tokio::test(flavor = "multi_thread")]
async fn where_no_site_names_it_it_is_examined_all_the_same() {
    run_test(async |stand| {
        stand.world.release("3.10.0").with_sidecar().publish().await;
        stand.settle().await;
        let body = stand.only().body;
        let digest = stand.world.sidecar_digest("3.10.0").unwrap();
        assert!(body.contains(&digest));
        assert!(body.contains("ator-sidecar: the producer's own workflow signed it"));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_registry_that_does_not_answer_for_it_is_waited_for() {
    run_test(async |stand| {
        let fault = Fault::on(Service::Registry).path_contains("/ator-sidecar/manifests/3.10.0");
        stand.world.fault(fault.status(503).always());
        stand.world.release("3.10.0").with_sidecar().publish().await;
        stand.settle().await;
        let (word, line) = stand.stage("3.10.0").await;
        insta::assert_snapshot!(format!("{word}: {line}"), @"waiting: ator-sidecar: its image could not be asked for: the registry is out of reach: status 503 for ghcr.io/toon-protocol/ator-sidecar:3.10.0; until 2026-06-12T08:01:00Z (1 min from now)");
        stand.world.clear_faults();
        stand.wait_minutes(1);
        stand.settle().await;
        assert!(stand.only().body.contains(&stand.world.sidecar_digest("3.10.0").unwrap()));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_known_of_its_tags_counts_for_it_alone() {
    with_site(async |stand| {
        stand.world.release("3.9.4").publish().await;
        stand.world.release("3.10.0").with_sidecar().publish().await;
        let file = stand.state.path().join("issues.toml");
        let text = format!(
            "[[image]]\nname = \"{SIDECAR}\"\nmissing = [\"3.9.4\"]\n\
             [[image.corrupt]]\ntag = \"3.10.0\"\nversion = \"3.9.4\"\n"
        );
        std::fs::write(&file, text).unwrap();
        stand.set("upstream.known_issues", file.to_str().unwrap());
        stand.settle().await;
        // What is known not to be there is not waited for.
        insta::assert_snapshot!(stand.stages().await, @"
        3.10.0 held: ator-sidecar: the tag 3.10.0 is known to hold the content of 3.9.4
        3.9.4 offered: every check passed; `digest-bump request bump 3.9.4` proposes it
        3.9.3 pinned: the downstream pins it
        ");
        let config = stand.parsed();
        let known = |version: &str| {
            let version = version.parse().unwrap();
            let (config, memory) = (&config, stand.memory());
            async move {
                digest_bump::reconcile::known_issues(&config.watches[0], &memory.await, &version)
            }
        };
        let told = [known("3.9.4").await, known("3.10.0").await].concat();
        insta::assert_snapshot!(stand.redact(&told.join("\n")), @"
        ator-sidecar: there is no image 3.9.4: its content is under the tag 3.10.0
        ator-sidecar: to pin 3.9.4 by hand: ghcr.io/toon-protocol/ator-sidecar@sha256:… (the tag 3.10.0 was resolved to it at 2026-06-12T08:00:00Z)
        ator-sidecar: the tag 3.10.0 is known to hold the content of 3.9.4
        ");
    })
    .await;
}
