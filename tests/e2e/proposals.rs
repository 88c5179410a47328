//! A MINOR becomes a pull request; of several the newest that passes.

use crate::stand::{Stand, run_test};
use digest_bump::domain::CommitId;

/// The text of the maintainer's pull request, and of the commit below it.
fn letter(stand: &Stand) -> String {
    let pull = stand.only();
    let commit = stand.git(&["log", "-1", "--format=%an <%ae>%n%n%B", &pull.head_branch]);
    let stat = stand.git(&["diff", "--stat=100", "main", &pull.head_branch]);
    stand.redact(&format!(
        "{}\n\n{}\n\n=== {}\n{commit}\n{stat}",
        pull.title, pull.body, pull.head_branch
    ))
}

const NOTES: &str = "## 3.10.0\n\n### Features\n\n* **admin:** list settlements ([abc1234](https://example.com/c/abc1234))\n";

#[tokio::test(flavor = "multi_thread")]
async fn a_minor_becomes_a_pull_request() {
    run_test(async |stand| {
        stand.world.release("3.10.0").notes(NOTES).publish().await;
        stand.settle().await;
        insta::assert_snapshot!(letter(stand).split("### Changed files").next().unwrap(), @r#"
        chore(connector): bump 3.9.3 → 3.10.0

        **connector 3.9.3 → 3.10.0 is a MINOR. Every required check passed; one point needs a person.**

        - Look at: the npm package @&#8203;toon-protocol/connector where this repository depends on it, and the lockfile

        | | pinned | proposed |
        | --- | --- | --- |
        | version | 3.9.3 | [3.10.0](https://github.com/toon-protocol/connector/releases/tag/v3.10.0) |
        | index digest | `sha256:…` | `sha256:…` |
        | source commit | v3.9.3 | `8b52b79c` ([compare](https://github.com/toon-protocol/connector/compare/v3.9.3...v3.10.0)) |
        | published | 2026-06-05T08:00:00Z | 2026-06-12T08:00:00Z |
        | age at the last check | 7 d | less than 1 h |

        ### Contract canary: passed

        Contract ok: 1 file, 3 tests passed. It ran on exactly the tree that this pull request pushes (`<id>`, made on `<id>`), on the bot's host, not confined.

        | step | verdict | what was seen | saw the digest |
        | --- | --- | --- | --- |
        | contract | ✅ passed | contract ok: 1 file, 3 tests passed | yes |

        <details>
        <summary>The last lines that it printed</summary>

        ```text
        environment: EXPECT_DIGEST HOME LANG PATH TMPDIR WORLD_REGISTRY
        resolved ghcr.io/toon-protocol/connector@sha256:… platforms linux/amd64 linux/arm64
        connector 3.10.0 answers
        GET /health ok
        GET /admin/channels ok
        GET /admin/peers ok
        contract ok: 1 file, 3 tests passed
        ```

        </details>

        ### Evidence

        - Image: ✅ signature · ✅ platforms · ✅ version label · ✅ source commit · ✅ tag unmoved · ✅ no known issue
        - Release and downstream: ✅ tag, package and image agree · ✅ pin sites · ✅ canary

        <details>
        <summary>What each check saw, and how to check it yourself</summary>

        The tag `ghcr.io/toon-protocol/connector:3.10.0` gave this digest, which is sha256 over the bytes of the index. All checks, the canary and the edit speak of this digest.

        | check | verdict | what was seen |
        | --- | --- | --- |
        | the producer's own workflow signed it | ✅ passed | signed by `https://github.com/toon-protocol/connector/.github/workflows/release.yml@refs/heads/main` at 2026-06-12T08:00:00Z |
        | every promised platform is in the index | ✅ passed | linux/amd64, linux/arm64 |
        | each platform's version label names this release | ✅ passed | labelled 3.10.0 |
        | the image was built from the release's commit | ✅ passed | built from 7d176fea, the parent of v3.10.0's commit 8b52b79c |
        | the tag still gives what it first gave | ✅ passed | <short> each time |
        | git tag, release, package and image are one release | ✅ passed | git tag v3.10.0 at 8b52b79c; npm 3.10.0 and the image are both of 7d176fea |
        | the tag is not known to hold something else | ✅ passed | nothing is known against it |
        | every required pin site can be edited | ✅ passed | 9 of 9 sites present, each as expected |
        | the contract canary passes at this digest | ✅ passed | contract ok: 1 file, 3 tests passed |

        ```sh
        # the producer's own workflow signed it
        cosign verify ghcr.io/toon-protocol/connector@sha256:… \
          --certificate-oidc-issuer 'https://token.actions.githubusercontent.com' \
          --certificate-identity-regexp '^(?:https://github\.com/toon-protocol/connector/\.github/workflows/(build-and-publish|release)\.yml@.*)$'

        # every promised platform is in the index
        docker buildx imagetools inspect ghcr.io/toon-protocol/connector@sha256:… --raw | jq -r '.manifests[].platform | "\(.os)/\(.architecture)"'

        # each platform's version label names this release
        docker buildx imagetools inspect ghcr.io/toon-protocol/connector@sha256:… --format '{{json .Image}}' | jq 'map_values(.config.Labels["org.opencontainers.image.version"])'

        # the image was built from the release's commit
        docker buildx imagetools inspect ghcr.io/toon-protocol/connector@sha256:… --format '{{json .Image}}' | jq 'map_values(.config.Labels["org.opencontainers.image.revision"])'
        curl -s 'https://api.github.com/repos/toon-protocol/connector/commits/v3.10.0' | jq '.sha, .parents[0].sha'

        # the tag still gives what it first gave
        docker buildx imagetools inspect ghcr.io/toon-protocol/connector:3.10.0 --format '{{.Manifest.Digest}}'

        # git tag, release, package and image are one release
        npm view '@toon-protocol/connector@3.10.0' gitHead dist.integrity --json

        # the tag is not known to hold something else
        digest-bump explain 3.10.0

        # every required pin site can be edited
        digest-bump pin --tree . --check
        ```

        The bot keeps what it judged:

        - index: `sha256:…`
        - signature: `sha256:…`
        - payload: `sha256:…`
        - trusted root (file trusted_root.json): `sha256:…`

        </details>

        ### The contract

        Upstream's `CONNECTOR_RELEASE_CONTRACT.md` promises all that it did at 3.9.3. The notes name none of its 4 rows.
        "#);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pull_request_names_its_changes_and_brings_the_notes() {
    run_test(async |stand| {
        stand.world.release("3.10.0").notes(NOTES).publish().await;
        stand.settle().await;
        insta::assert_snapshot!(letter(stand).split("### Changed files").nth(1).unwrap(), @r#"
        , in lockstep

        - packages/townhouse/dist/image-manifest.json:28 (image manifest): 3.9.3 (<short>) → 3.10.0 (<short>)
        - packages/townhouse/src/constants.ts:23 (DEFAULT_CONNECTOR_IMAGE): <short> → <short>
        - packages/townhouse/src/constants.ts:26 (DEFAULT_CONNECTOR_TAG): 3.9.3 → 3.10.0
        - .github/workflows/publish-townhouse-images.yml:17 (publish workflow): 3.9.3 → 3.10.0
        - docker-compose-townhouse.yml:10 (compose): <short> → <short>
        - packages/townhouse/compose/townhouse-dev.yml:4 (dev compose): 3.9.3 → 3.10.0
        - scripts/townhouse-e2e-local-hs.sh:7 (e2e script): 3.9.3 → 3.10.0
        - packages/sdk/CONNECTOR_MIGRATION.md:5 (migration heading): 3.9.3 → 3.10.0
        - packages/sdk/CONNECTOR_MIGRATION.md:7 (migration sentence): 3.9.3 → 3.10.0

        Left for a person:

        - the npm package @&#8203;toon-protocol/connector where this repository depends on it, and the lockfile: the bot has no tool for them (`canary.prepare`)

        Merging this under its title releases nothing downstream, by the usual meaning of the type `chore`; `fix` would release a patch.

        <details>
        <summary>Release notes of 3.10.0</summary>

        #### [3.10.0](https://github.com/toon-protocol/connector/releases/tag/v3.10.0)

        **Features**

        - **admin:** list settlements

        </details>

        <details>
        <summary>Commands, and what happens on a push, on closing and on merging</summary>

        - `digest-bump explain 3.10.0`, where the bot runs, tells all that was found out about this release, and `digest-bump plan` what the bot would do next.
        - `digest-bump request bump VERSION` asks for another version; this pull request is then rewritten for it.
        - A newer release with complete evidence rewrites this pull request, under the same number.
        - `digest-bump request rebase 3.10.0` has this made anew on the base branch of today; by itself the bot does that where git finds a conflict.
        - A commit by anybody else on the branch makes the bot keep its hands off it, until `digest-bump request recreate 3.10.0` gives such commits up.
        - Closing this without merging declines 3.10.0: it is not proposed again unless somebody asks for it.
        - Merging this moves the pin. The bot never merges.

        </details>

        <!-- digest-bump:1 {"kind":"pin_bump","version":"3.10.0","digest":"sha256:…","commit":"<id>","requested":false,"from":"sha256:…"} -->

        === digest-bump/connector
        digest-bump[bot] <digest-bump[bot]@users.noreply.github.com>

        chore(connector): bump 3.9.3 → 3.10.0

        Bumps ghcr.io/toon-protocol/connector from 3.9.3 to 3.10.0.

        ---
        updated-dependencies:
        - dependency-name: ghcr.io/toon-protocol/connector
          dependency-version: 3.10.0
          dependency-type: direct:production
          update-type: version-update:semver-minor
        ...

        ghcr.io/toon-protocol/connector@sha256:…
         .github/workflows/publish-townhouse-images.yml | 2 +-
         docker-compose-townhouse.yml                   | 2 +-
         packages/sdk/CONNECTOR_MIGRATION.md            | 4 ++--
         packages/townhouse/compose/townhouse-dev.yml   | 2 +-
         packages/townhouse/dist/image-manifest.json    | 4 ++--
         packages/townhouse/src/constants.ts            | 4 ++--
         scripts/townhouse-e2e-local-hs.sh              | 2 +-
         7 files changed, 10 insertions(+), 10 deletions(-)
        "#);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_pushed_is_the_tree_that_the_canary_saw() {
    run_test(async |stand| {
        stand.world.release("3.10.0").publish().await;
        stand.settle().await;
        let memory = stand.memory().await;
        let run = memory.runs.last().unwrap();
        let tree = stand.git(&["rev-parse", "digest-bump/connector^{tree}"]);
        assert_eq!(tree, run.tree.to_string());
        let parent = stand.git(&["rev-parse", "digest-bump/connector^"]);
        assert_eq!(parent, run.base.to_string());
        let head: CommitId = stand.only().head_sha.parse().unwrap();
        assert_eq!(memory.pulls().next().unwrap().head, head);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_several_minors_the_newest_is_proposed_with_the_notes_of_all() {
    run_test(async |stand| {
        for version in ["3.10.0", "3.11.0", "3.11.1", "3.12.0"] {
            stand.world.release(version).publish().await;
        }
        stand.settle().await;
        let pull = stand.only();
        assert_eq!(pull.title, "chore(connector): bump 3.9.3 → 3.12.0");
        for version in ["3.10.0", "3.11.0", "3.11.1", "3.12.0"] {
            let note = format!("something new in {version}");
            assert!(pull.body.contains(&note), "{note}");
        }
        assert_eq!(stand.runs().await, ["3.12.0 passed"]);
        insta::assert_snapshot!(stand.stages().await, @"
        3.12.0 proposed: pull request #1 proposes it
        3.11.1 covered: 3.12.0 contains it
        3.11.0 covered: 3.12.0 contains it
        3.10.0 covered: 3.12.0 contains it
        3.9.3 pinned: the downstream pins it
        ");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_held_newer_one_blocks_no_older_good_one_and_is_named() {
    run_test(async |stand| {
        stand.world.release("3.10.0").publish().await;
        let broken = stand.world.release("3.11.0");
        let broken = broken.breaks_contract("GET /admin/peers is gone");
        broken.publish().await;
        stand.settle().await;
        let pull = stand.only();
        assert_eq!(pull.title, "chore(connector): bump 3.9.3 → 3.10.0");
        let named: Vec<&str> = pull
            .body
            .lines()
            .filter(|l| l.starts_with("- Look"))
            .collect();
        insta::assert_snapshot!(named.join("\n"), @"
        - Look at: 3.11.0 is newer, but not proposed: the first at which the canary fails; the canary failed: exit status 1: FAIL GET /admin/peers is gone; it passes at the pinned 3.9.3
        - Look at: the npm package @&#8203;toon-protocol/connector where this repository depends on it, and the lockfile
        ");
        insta::assert_snapshot!(stand.stages().await, @"
        3.11.0 held: the canary failed: exit status 1: FAIL GET /admin/peers is gone; it passes at the pinned 3.9.3
        3.10.0 proposed: pull request #1 proposes it
        3.9.3 pinned: the downstream pins it
        ");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_pull_request_is_rewritten_when_a_newer_one_passes() {
    run_test(async |stand| {
        stand.world.release("3.10.0").publish().await;
        stand.world.release("3.11.0").without_image().publish().await;
        stand.settle().await;
        let before = stand.only();
        assert_eq!(before.title, "chore(connector): bump 3.9.3 → 3.10.0");
        assert!(before.body.contains("3.11.0 is newer, but not proposed"));

        stand.wait(1);
        stand.world.publish_image("3.11.0").await;
        stand.settle().await;
        let after = stand.only();
        assert_eq!((after.number, &after.head_branch), (before.number, &before.head_branch));
        assert_eq!(after.title, "chore(connector): bump 3.9.3 → 3.11.0");
        assert!(after.body.contains("**connector 3.9.3 → 3.11.0 is a MINOR."));
        assert!(after.body.contains("something new in 3.10.0"));
        assert!(after.body.contains(&stand.world.image_digest("3.11.0").unwrap()));
        assert_ne!(after.head_sha, before.head_sha);
        // One commit on the base, not one on top of the other.
        assert_eq!(stand.git(&["rev-list", "--count", "main..digest-bump/connector"]), "1");
        let subject = stand.git(&["log", "-1", "--format=%s", "digest-bump/connector"]);
        assert_eq!(subject, after.title);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_open_pull_request_stays_until_its_successors_evidence_is_complete() {
    run_test(async |stand| {
        stand.world.release("3.10.0").publish().await;
        stand.settle().await;
        let before = stand.only();
        let broken = stand.world.release("3.11.0").breaks_contract("no");
        broken.publish().await;
        stand.world.release("3.12.0").without_npm().publish().await;
        stand.world.clear_requests();
        stand.settle().await;
        assert_eq!(stand.only(), before);
        assert_eq!(stand.world.writes(), []);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_open_pull_request_never_moves_down_by_itself() {
    run_test(async |stand| {
        stand.canary_script("exit 0");
        stand.world.release("3.10.0").publish().await;
        stand.world.release("3.11.0").publish().await;
        stand.settle().await;
        let before = stand.only();
        // Another canary makes all findings stale, and fails at the proposed one.
        stand.canary_script("test $V != 3.11.0");
        stand.settle().await;
        assert_eq!(
            stand.runs().await,
            ["3.11.0 passed", "3.11.0 failed", "3.9.3 passed", "3.10.0 passed"]
        );
        assert_eq!(stand.only(), before);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_start_is_no_flood() {
    run_test(async |stand| {
        for version in ["3.9.4", "3.10.0", "3.10.1", "3.11.0", "3.12.0", "4.0.0", "4.1.0"] {
            stand.world.release(version).publish().await;
        }
        stand.settle().await;
        let mut open = stand.open();
        open.sort();
        insta::assert_snapshot!(open.join("\n"), @"
        chore(connector): bump 3.9.3 → 3.12.0
        docs(connector): migration stub for 3.9.3 → 4.1.0
        ");
    })
    .await;
}
