//! The pin: where it is read, and what is edited.

use crate::stand::{run_in, run_test};
use world::World;

const MANIFEST: &str = "packages/townhouse/dist/image-manifest.json";
const CONSTANTS: &str = "packages/townhouse/src/constants.ts";
const WORKFLOW: &str = ".github/workflows/publish-townhouse-images.yml";
const COMPOSE: &str = "docker-compose-townhouse.yml";
const DEV_COMPOSE: &str = "packages/townhouse/compose/townhouse-dev.yml";
const SCRIPT: &str = "scripts/townhouse-e2e-local-hs.sh";

/// Replaces text in a file of the downstream's first tree.
fn town(path: &'static str, from: &'static str, to: &'static str) -> world::WorldBuilder {
    World::builder().town(move |files| {
        let text = String::from_utf8(files[path].clone()).unwrap();
        assert!(text.contains(from), "{text}");
        files.insert(path.into(), text.replace(from, to).into_bytes());
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_site_that_holds_only_a_digest_is_resolved_to_its_version() {
    let builder = World::builder().town(|files| {
        files.remove(MANIFEST);
    });
    run_in(builder, async |stand| {
        stand.canary_script("exit 0");
        stand.world.release("3.10.0").publish().await;
        stand.settle().await;
        let view = stand.view().await;
        assert_eq!(view.pinned, Some("3.9.3".parse().unwrap()));
        assert_eq!(view.drift, [""; 0]);
        let pull = stand.only();
        assert_eq!(pull.title, "chore(connector): bump 3.9.3 → 3.10.0");
        let alone = pull
            .body
            .lines()
            .find(|line| line.starts_with("Left alone"));
        insta::assert_snapshot!(alone.unwrap(), @"Left alone: packages/townhouse/dist/image-manifest.json (image manifest): absent, skipped.");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_digest_that_no_release_has_leaves_the_pin_unknown_and_everything_held() {
    let builder = World::builder().town(|files| {
        files.remove(MANIFEST);
        for path in [CONSTANTS, COMPOSE] {
            let text = String::from_utf8(files[path].clone()).unwrap();
            let start = text.rfind("connector@sha256:").unwrap() + "connector@sha256:".len();
            let other = "0123456789abcdef".repeat(4);
            let text = format!("{}{other}{}", &text[..start], &text[start + 64..]);
            files.insert(path.into(), text.into_bytes());
        }
    });
    run_in(builder, async |stand| {
        stand.world.release("3.10.0").publish().await;
        stand.settle().await;
        assert_eq!(stand.open(), [""; 0]);
        insta::assert_snapshot!(stand.stages().await, @"
        3.10.0 held: the pin is unknown: no known release has the pinned digest sha256:…
        3.9.3 held: the pin is unknown: no known release has the pinned digest sha256:…
        ");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_placeholder_is_never_read_as_a_pin() {
    let builder = World::builder().town(|files| {
        let text = String::from_utf8(files[MANIFEST].clone()).unwrap();
        let start = text.rfind("sha256:").unwrap();
        let text =
            format!("{}sha256:dead{}{}", &text[..start], "0".repeat(60), &text[start + 71..]);
        files.insert(MANIFEST.into(), text.into_bytes());
    });
    run_in(builder, async |stand| {
        stand.world.release("3.10.0").publish().await;
        stand.settle().await;
        assert_eq!(stand.open(), [""; 0]);
        assert_eq!(stand.runs().await, [""; 0]);
        insta::assert_snapshot!(stand.stages().await, @"
        3.10.0 held: the pin is unknown: packages/townhouse/dist/image-manifest.json: `/images/connector/digest` is the placeholder `sha256:<short>…`, which is no pin
        3.9.3 held: the pin is unknown: packages/townhouse/dist/image-manifest.json: `/images/connector/digest` is the placeholder `sha256:<short>…`, which is no pin
        ");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sites_that_disagree_are_reported_and_repaired() {
    let builder = town(DEV_COMPOSE, "connector:3.9.3", "connector:3.8.0");
    run_in(builder, async |stand| {
        stand.settle().await;
        let drift = stand.view().await.drift.join("\n");
        insta::assert_snapshot!(stand.redact(&drift), @"packages/townhouse/compose/townhouse-dev.yml:4 (dev compose) spells 3.8.0, the pin is 3.9.3 (<short>)");
        stand.world.release("3.10.0").publish().await;
        stand.settle().await;
        let pull = stand.only();
        let head: Vec<&str> = pull.body.lines().take(3).collect();
        insta::assert_snapshot!(stand.redact(&head.join("\n")), @"
        **connector 3.9.3 → 3.10.0 is a MINOR. Every required check passed; 2 points need a person.**

        - Look at: drift that this repairs: packages/townhouse/compose/townhouse-dev.yml:4 (dev compose) spells 3.8.0, the pin is 3.9.3 (<short>)
        ");
        let dev = stand.world.file(&pull.head_branch, DEV_COMPOSE).unwrap();
        assert!(String::from_utf8(dev).unwrap().contains("connector:3.10.0"));
        stand.world.merge(pull.number);
        stand.settle().await;
        assert_eq!(stand.view().await.drift, [""; 0]);
    })
    .await;
}

/// A required site that does not match as often as expected: named, and nothing is proposed.
async fn broken_site(to: &'static str, said: &str) {
    let builder = town(WORKFLOW, "  CONNECTOR_VERSION_DEFAULT: '3.9.3'\n", to);
    run_in(builder, async |stand| {
        stand.world.release("3.10.0").publish().await;
        stand.settle().await;
        assert_eq!(stand.open(), [""; 0]);
        assert_eq!(stand.runs().await, [""; 0]);
        let (word, line) = stand.stage("3.10.0").await;
        assert_eq!(word, "held");
        assert!(line.contains(WORKFLOW) && line.contains(said), "{line}");

        // Repaired by a person, it is proposed.
        let text = "env:\n  CONNECTOR_VERSION_DEFAULT: '3.9.3'\n";
        stand.world.commit_to("main", WORKFLOW, text.as_bytes(), "fix: the workflow");
        stand.settle().await;
        assert_eq!(stand.only().title, "chore(connector): bump 3.9.3 → 3.10.0");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_required_site_without_a_match_is_named_and_nothing_is_proposed() {
    broken_site("", "found none").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_required_site_with_two_matches_is_named_and_nothing_is_proposed() {
    let twice = "  CONNECTOR_VERSION_DEFAULT: '3.9.3'\n  CONNECTOR_VERSION_DEFAULT: '3.9.3'\n";
    broken_site(twice, "found 2").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_manifest_of_an_unknown_shape_is_refused_with_its_json_pointer() {
    let builder = town(MANIFEST, "\"tag\": \"3.9.3\",", "\"tag\": \"3.9.3\", \"pinned\": true,");
    run_in(builder, async |stand| {
        stand.world.release("3.10.0").publish().await;
        stand.settle().await;
        assert_eq!(stand.open(), [""; 0]);
        insta::assert_snapshot!(stand.stages().await, @"
        3.10.0 held: the pin is unknown: packages/townhouse/dist/image-manifest.json: `/images/connector` has an unknown key `pinned`
        3.9.3 held: the pin is unknown: packages/townhouse/dist/image-manifest.json: `/images/connector` has an unknown key `pinned`
        ");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn file_modes_and_every_other_byte_stay() {
    let builder = World::builder().town(|files| {
        let text = String::from_utf8(files[COMPOSE].clone()).unwrap();
        files.insert(COMPOSE.into(), text.replace('\n', "\r\n").into_bytes());
    });
    run_in(builder, async |stand| {
        let script = stand.world.file("main", SCRIPT).unwrap();
        stand.world.commit_with_mode("main", SCRIPT, "100755", &script, "chore: may be run");
        stand.world.release("3.10.0").publish().await;
        stand.settle().await;
        let branch = stand.only().head_branch;
        let mode = |revision: &str| {
            let line = stand.git(&["ls-tree", revision, SCRIPT]);
            line.split(' ').next().unwrap().to_owned()
        };
        assert_eq!((mode("main").as_str(), mode(&branch).as_str()), ("100755", "100755"));
        let numbers = stand.git(&["diff", "--numstat", "main", &branch]);
        insta::assert_snapshot!(numbers.replace('\t', " "), @"
        1 1 .github/workflows/publish-townhouse-images.yml
        1 1 docker-compose-townhouse.yml
        2 2 packages/sdk/CONNECTOR_MIGRATION.md
        1 1 packages/townhouse/compose/townhouse-dev.yml
        2 2 packages/townhouse/dist/image-manifest.json
        2 2 packages/townhouse/src/constants.ts
        1 1 scripts/townhouse-e2e-local-hs.sh
        ");
        let words =
            stand.git(&["diff", "--word-diff=porcelain", "-U0", "main", &branch, "--", COMPOSE]);
        assert!(words.contains("connector@sha256:"));
        let compose = stand.world.file(&branch, COMPOSE).unwrap();
        let lines = |end: &[u8]| compose.windows(end.len()).filter(|at| *at == end).count();
        assert_eq!(lines(b"\n"), lines(b"\r\n"));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_site_that_is_a_symbolic_link_is_not_followed() {
    run_test(async |stand| {
        let target = b"../../../README.md";
        stand.world.commit_with_mode("main", COMPOSE, "120000", target, "chore: link");
        stand.world.release("3.10.0").publish().await;
        stand.settle().await;
        assert_eq!(stand.open(), [""; 0]);
        assert_eq!(stand.world.writes(), []);
        insta::assert_snapshot!(stand.stages().await, @"
        3.10.0 held: compose (docker-compose-townhouse.yml): a link, a folder or a submodule stands where a file should
        3.9.3 pinned: the downstream pins it
        ");
    })
    .await;
}
