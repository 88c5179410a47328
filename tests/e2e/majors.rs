//! MAJORs: a migration stub, the pin untouched; the pin on request, once it is merged.

use crate::stand::{Stand, run_in, run_test};
use digest_bump::domain::Wish;

const NOTES: &str = "\
## [4.0.0](https://github.com/toon-protocol/connector/compare/v3.9.3...v4.0.0) (2026-06-12)

### ⚠ BREAKING CHANGES

* **admin:** `GET /admin/peers` answers a page instead of a list
* the field `balance` is gone

Co-Authored-By: Somebody <somebody@example.com>

### Features

* pages
";

const DOCUMENT: &str = "packages/sdk/CONNECTOR_MIGRATION.md";

pub async fn publish_major(stand: &Stand) {
    stand.world.release("4.0.0").notes(NOTES).publish().await;
}

/// The lines that a branch adds to the base, and takes away.
fn changed_lines(stand: &Stand, branch: &str) -> String {
    let diff = stand.git(&["diff", "-U0", "main", branch]);
    let lines = diff.lines().filter(|line| {
        (line.starts_with('+') || line.starts_with('-')) && !line.starts_with("---")
    });
    stand.redact(&lines.collect::<Vec<_>>().join("\n"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_major_becomes_a_stub_with_a_row_for_each_breaking_note_and_the_pin_stays() {
    run_test(async |stand| {
        publish_major(stand).await;
        stand.settle().await;
        let pull = stand.only();
        assert_eq!(pull.head_branch, "digest-bump/connector-4-migration");
        let text = format!("{}\n\n{}", pull.title, pull.body);
        insta::assert_snapshot!(stand.redact(&text), @r#"
        docs(connector): migration stub for 3.9.3 → 4.0.0

        **connector 4.0.0 is a MAJOR. The pin stays at 3.9.3; merging this changes no running code.**

        This opens a section with 2 rows in `packages/sdk/CONNECTOR_MIGRATION.md`, taken from the breaking notes of [4.0.0](https://github.com/toon-protocol/connector/releases/tag/v4.0.0). What the notes do not say is marked TODO, for a person to fill in here.

        The contract canary passes at this release as the code stands: contract ok: 1 file, 3 tests passed.

        <details>
        <summary>The last lines that it printed</summary>

        ```text
        environment: EXPECT_DIGEST HOME LANG PATH TMPDIR WORLD_REGISTRY
        resolved ghcr.io/toon-protocol/connector@sha256:… platforms linux/amd64 linux/arm64
        connector 4.0.0 answers
        GET /health ok
        GET /admin/channels ok
        GET /admin/peers ok
        contract ok: 1 file, 3 tests passed
        ```

        </details>

        ### The migration cycle

        - [ ] Fill in the TODO cells of the new section
        - [ ] Adapt the code that uses what changed
        - [ ] Mark this draft as ready, and merge it
        - [ ] Ask for the pin, where the bot runs: `digest-bump request bump 4.0.0`

        What is committed to this branch is left alone, and so is the section once it is merged: there is one such pull request for each migration. Closing it declines the migration.

        The image is `ghcr.io/toon-protocol/connector@sha256:…`.

        <details>
        <summary>Release notes of 4.0.0</summary>

        #### [4.0.0](https://github.com/toon-protocol/connector/releases/tag/v4.0.0)

        **⚠ Breaking changes**

        - **admin:** `GET /admin/peers` answers a page instead of a list
        - the field `balance` is gone

        **Features**

        - pages

        </details>

        <!-- digest-bump:1 {"kind":"migration_stub","version":"4.0.0","digest":"sha256:…","commit":"<id>","requested":false} -->
        "#);
        insta::assert_snapshot!(changed_lines(stand, &pull.head_branch), @"
        +++ b/packages/sdk/CONNECTOR_MIGRATION.md
        +## Breaking Changes — v3.9.3 → v4.0.0
        +
        +| API | v3.9.3 Behavior | v4.0.0 Behavior | Migration |
        +| --- | --- | --- | --- |
        +| admin | TODO | `GET /admin/peers` answers a page instead of a list | TODO |
        +| TODO | TODO | the field `balance` is gone | TODO |
        +
        ");
        let files = stand.git(&["diff", "--name-only", "main", &pull.head_branch]);
        assert_eq!(files, DOCUMENT);
        insta::assert_snapshot!(stand.stages().await, @"
        4.0.0 proposed: pull request #1 proposes it
        3.9.3 pinned: the downstream pins it
        ");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn there_is_one_stub_for_each_major_line() {
    run_test(async |stand| {
        publish_major(stand).await;
        stand.settle().await;
        let stub = stand.only();
        stand.world.release("4.1.0").publish().await;
        stand.settle().await;
        assert_eq!(stand.only(), stub);
        stand.world.release("5.0.0").publish().await;
        stand.settle().await;
        insta::assert_snapshot!(stand.open().join("\n"), @"
        docs(connector): migration stub for 3.9.3 → 4.0.0
        docs(connector): migration stub for 3.9.3 → 5.0.0
        ");
        insta::assert_snapshot!(stand.stages().await, @"
        5.0.0 proposed: pull request #2 proposes it
        4.1.0 covered: 4.0.0 contains it
        4.0.0 proposed: pull request #1 proposes it
        3.9.3 pinned: the downstream pins it
        ");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_stub_of_a_line_has_the_rows_of_all_its_releases() {
    run_test(async |stand| {
        publish_major(stand).await;
        stand.world.release("4.1.0").publish().await;
        stand.settle().await;
        let pull = stand.only();
        assert_eq!(pull.title, "docs(connector): migration stub for 3.9.3 → 4.1.0");
        insta::assert_snapshot!(changed_lines(stand, &pull.head_branch), @"
        +++ b/packages/sdk/CONNECTOR_MIGRATION.md
        +## Breaking Changes — v3.9.3 → v4.1.0
        +
        +| API | v3.9.3 Behavior | v4.1.0 Behavior | Migration |
        +| --- | --- | --- | --- |
        +| admin | TODO | `GET /admin/peers` answers a page instead of a list | TODO |
        +| TODO | TODO | the field `balance` is gone | TODO |
        +
        ");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_canarys_failure_at_a_major_is_news_for_the_reader() {
    run_test(async |stand| {
        let major = stand.world.release("4.0.0").notes(NOTES);
        major
            .breaks_contract("GET /admin/peers is a page")
            .publish()
            .await;
        stand.settle().await;
        let body = stand.only().body;
        let news = body.lines().find(|line| line.contains("canary")).unwrap();
        insta::assert_snapshot!(news, @"The contract canary fails at this release, so there is something to migrate: the canary failed: exit status 1: FAIL GET /admin/peers is a page. It passes at the pinned 3.9.3.");
        assert!(body.contains("FAIL GET /admin/peers is a page"));
        // It is made anew from another pin, and still says what its canary showed.
        stand.world.release("3.10.0").publish().await;
        stand.wait(1);
        stand.settle().await;
        let opened = stand.world.open_pulls();
        let bump = opened.iter().find(|pull| pull.title.contains("bump 3.9.3 → 3.10.0")).unwrap();
        stand.world.merge(bump.number);
        stand.settle().await;
        stand.wish(Wish::Rebase, "4.0.0").await;
        stand.settle().await;
        let body = stand.only().body;
        assert!(body.contains("The contract canary fails at this release"), "{body}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_major_and_a_minor_are_independent() {
    run_test(async |stand| {
        publish_major(stand).await;
        stand.world.release("3.10.0").publish().await;
        stand.settle().await;
        insta::assert_snapshot!(stand.open().join("\n"), @"
        docs(connector): migration stub for 3.9.3 → 4.0.0
        chore(connector): bump 3.9.3 → 3.10.0
        ");
        let bump = "digest-bump/connector";
        let document = stand.git(&["show", &format!("{bump}:{DOCUMENT}")]);
        assert!(!document.contains("4.0.0"));
        let pull = stand.world.open_pulls();
        let pull = pull.iter().find(|pull| pull.head_branch == bump).unwrap();
        assert!(!pull.body.contains("answers a page"));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_for_a_major_waits_until_its_migration_is_merged() {
    run_test(async |stand| {
        publish_major(stand).await;
        stand.settle().await;
        let stub = stand.only();
        stand.request("4.0.0").await;
        stand.settle().await;
        assert_eq!(stand.open(), [stub.title]);
        assert_eq!(stand.requests().await, "4.0.0 open: no answer yet");
        insta::assert_snapshot!(stand.stages().await, @"
        4.0.0 waiting: the migration to 4.x has to be merged into the migration document first; looked at again in each pass
        3.9.3 pinned: the downstream pins it
        ");

        stand.world.merge(stub.number);
        stand.settle().await;
        let pull = stand.only();
        assert_eq!(pull.title, "chore(connector): bump 3.9.3 → 4.0.0");
        insta::assert_snapshot!(pull.body.lines().take(3).collect::<Vec<_>>().join("\n"), @"
        **connector 3.9.3 → 4.0.0 is a MAJOR. Every required check passed; 2 points need a person.** Asked for by maintainer.

        - Look at: this is a MAJOR: see its section in the migration document
        ");
        assert_eq!(
            stand.requests().await,
            "4.0.0 granted: pull request #2 proposes it"
        );

        stand.world.merge(pull.number);
        stand.settle().await;
        assert_eq!(stand.view().await.pinned, Some("4.0.0".parse().unwrap()));
        assert_eq!(stand.open(), [""; 0]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_merged_stub_moves_no_pin_by_itself() {
    run_test(async |stand| {
        publish_major(stand).await;
        stand.settle().await;
        stand.world.merge(stand.only().number);
        stand.world.release("4.1.0").publish().await;
        stand.wait(1);
        stand.settle().await;
        assert_eq!(stand.open(), [""; 0]);
        insta::assert_snapshot!(stand.stages().await, @"
        4.1.0 migrated: its migration is in the document; `digest-bump request bump 4.1.0` moves the pin
        4.0.0 migrated: its migration is in the document; `digest-bump request bump 4.0.0` moves the pin
        3.9.3 pinned: the downstream pins it
        ");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_declined_stub_stays_declined() {
    run_test(async |stand| {
        publish_major(stand).await;
        stand.settle().await;
        stand.world.close(stand.only().number);
        stand.world.release("4.1.0").publish().await;
        stand.wait(1);
        stand.settle().await;
        assert_eq!(stand.open(), [""; 0]);
        insta::assert_snapshot!(stand.stages().await, @"
        4.1.0 declined: pull request #1 was closed without merging
        4.0.0 declined: pull request #1 was closed without merging
        3.9.3 pinned: the downstream pins it
        ");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_migration_document_a_major_is_only_reported() {
    run_test(async |stand| {
        crate::settings::watch(&mut stand.config).remove("migration");
        publish_major(stand).await;
        stand.settle().await;
        assert_eq!(stand.open(), [""; 0]);
        assert_eq!(stand.runs().await, [""; 0]);
        insta::assert_snapshot!(stand.stages().await, @"
        4.0.0 held: a MAJOR needs a migration, and no migration document is configured
        3.9.3 pinned: the downstream pins it
        ");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_pin_site_keeps_no_stub_waiting() {
    let builder = world::World::builder().town(|files| {
        files.remove("docker-compose-townhouse.yml");
    });
    run_in(builder, async |stand| {
        publish_major(stand).await;
        stand.settle().await;
        let pull = stand.only();
        assert_eq!(pull.title, "docs(connector): migration stub for 3.9.3 → 4.0.0");
        assert!(pull.body.contains("The contract canary did not run."), "{}", pull.body);
        assert_eq!(stand.runs().await, [""; 0]);
    })
    .await;
}
