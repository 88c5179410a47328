//! Platforms that the sidecar lost or won since its own pin: the contract calls the first a MAJOR.

use crate::companions::{BOTH, FILE, SIDECAR, with_image, with_site};
use crate::honesty::{head, rows};
use crate::stand::Stand;
use world::Image;

/// A sidecar that had a platform more than its contract promises.
async fn with_riscv(story: impl AsyncFnOnce(&mut Stand)) {
    let platforms = ["linux/amd64", "linux/arm64", "linux/riscv64"];
    with_image(BOTH, move |image| image.platforms(&platforms), story).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_platform_that_nobody_promised_is_a_major_all_the_same() {
    with_riscv(async |stand| {
        stand.world.release("3.10.0").with_sidecar().publish().await;
        stand.settle().await;
        let pull = stand.only();
        let text = format!("{}\n\n{}", pull.title, pull.body);
        let shown = stand.redact(&text);
        insta::assert_snapshot!(shown.split("<details>").next().unwrap(), @"
        docs(connector): migration stub for 3.9.3 → 3.10.0

        **connector 3.10.0 calls itself a MINOR, and is treated as a MAJOR. The pin stays at 3.9.3; merging this changes no running code.**

        - its ator-sidecar has no linux/riscv64, which the pinned one has

        This opens a section with 1 row in `packages/sdk/CONNECTOR_MIGRATION.md`, for what breaks on the way to [3.10.0](https://github.com/toon-protocol/connector/releases/tag/v3.10.0). What is not known is marked TODO, for a person to fill in here.

        The contract canary passes at this release as the code stands: contract ok: 1 file, 3 tests passed.
        ");
        let cycle = shown.split("### The migration cycle").nth(1).unwrap();
        insta::assert_snapshot!(cycle.split("The image").next().unwrap(), @"


        - [ ] Fill in the TODO cells of the new section
        - [ ] Adapt the code that uses what changed
        - [ ] Take linux/riscv64 out of the `platforms` of ator-sidecar (`upstream.companion`) in the bot's config, if it is there
        - [ ] Mark this draft as ready, and merge it
        - [ ] Ask for the pin, where the bot runs: `digest-bump request bump 3.10.0`

        What is committed to this branch is left alone, and so is the section once it is merged: there is one such pull request for each migration. Closing it declines the migration.
        ");
        insta::assert_snapshot!(rows(stand, &pull.head_branch), @"
        ## Breaking Changes — v3.9.3 → v3.10.0
        | API | v3.9.3 Behavior | v3.10.0 Behavior | Migration |
        | --- | --- | --- | --- |
        | ator-sidecar | TODO | no linux/riscv64 any more | TODO |
        ");
        insta::assert_snapshot!(stand.stages().await, @"
        3.10.0 proposed: pull request #1 proposes it; a MAJOR, though its version says MINOR: its ator-sidecar has no linux/riscv64, which the pinned one has
        3.9.3 pinned: the downstream pins it
        ");

        // Once it is merged and asked for, both pins move.
        stand.world.merge(pull.number);
        stand.settle().await;
        stand.request("3.10.0").await;
        stand.settle().await;
        let pull = stand.only();
        insta::assert_snapshot!(head(&pull), @"
        **connector 3.9.3 → 3.10.0 calls itself a MINOR, and is treated as a MAJOR. Every required check passed; 2 points need a person.** Asked for by maintainer.

        - Look at: a MAJOR, see its section in the migration document: its ator-sidecar has no linux/riscv64, which the pinned one has
        - Look at: the npm package @&#8203;toon-protocol/connector where this repository depends on it, and the lockfile
        ");
        let file = stand.git(&["show", &format!("{}:{FILE}", pull.head_branch)]);
        let digest = stand.world.sidecar_digest("3.10.0").unwrap();
        assert_eq!(file, format!("SIDECAR={SIDECAR}:3.10.0@{digest}"));
        stand.world.merge(pull.number);
        stand.settle().await;
        assert_eq!(stand.view().await.pinned, Some("3.10.0".parse().unwrap()));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_promised_platform_that_is_lost_is_a_major_and_the_promise_is_named() {
    with_site(async |stand| {
        let lost = |image: Image| image.platforms(&["linux/amd64"]);
        stand.world.release("3.10.0").sidecar(lost).publish().await;
        stand.settle().await;
        let pull = stand.only();
        insta::assert_snapshot!(pull.body.lines().find(|it| it.contains("- [ ] Take")).unwrap(), @"- [ ] Take linux/arm64 out of the `platforms` of ator-sidecar (`upstream.companion`) in the bot's config, if it is there");
        stand.world.merge(pull.number);
        stand.settle().await;
        stand.request("3.10.0").await;
        stand.settle().await;
        assert_eq!(stand.open(), [""; 0]);
        insta::assert_snapshot!(stand.requests().await, @"3.10.0 refused: ator-sidecar: the image lacks linux/arm64; it has linux/amd64; once nothing needs linux/arm64 any more, take it out of the `platforms` of ator-sidecar in the bot's config, and ask again");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_signed_makes_no_stub() {
    with_riscv(async |stand| {
        stand.world.release("3.10.0").sidecar(Image::unsigned).publish().await;
        stand.settle().await;
        stand.wait(3);
        stand.settle().await;
        assert_eq!(stand.open(), [""; 0]);
        insta::assert_snapshot!(stand.stages().await, @"
        3.10.0 held: ator-sidecar: not signed; a MAJOR, though its version says MINOR: its ator-sidecar has no linux/riscv64, which the pinned one has
        3.9.3 pinned: the downstream pins it
        ");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_declined_stub_for_a_lost_platform_is_not_revived_without_the_database() {
    with_riscv(async |stand| {
        stand.world.release("3.10.0").with_sidecar().publish().await;
        stand.settle().await;
        let stub = stand.only();
        assert_eq!(stub.head_branch, "digest-bump/connector-3.10.0-migration");
        stand.world.close(stub.number);
        stand.lose_memory().await;
        stand.settle().await;
        assert_eq!(stand.open(), [""; 0]);
        assert_eq!(stand.stage("3.10.0").await.0, "declined");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_platform_that_the_next_release_has_again_needs_no_migration() {
    with_riscv(async |stand| {
        let again =
            |image: Image| image.platforms(&["linux/amd64", "linux/arm64", "linux/riscv64"]);
        stand.world.release("3.10.0").with_sidecar().publish().await;
        stand.world.release("3.11.0").sidecar(again).publish().await;
        stand.settle().await;
        assert_eq!(stand.open(), ["chore(connector): bump 3.9.3 → 3.11.0"]);
        insta::assert_snapshot!(stand.stages().await, @"
        3.11.0 proposed: pull request #1 proposes it
        3.10.0 covered: 3.11.0 contains it
        3.9.3 pinned: the downstream pins it
        ");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_platform_that_is_added_is_a_note_and_no_major() {
    with_site(async |stand| {
        let more = |image: Image| image.platforms(&["linux/amd64", "linux/arm64", "linux/riscv64"]);
        stand.world.release("3.10.0").sidecar(more).publish().await;
        stand.settle().await;
        insta::assert_snapshot!(head(&stand.only()), @"
        **connector 3.9.3 → 3.10.0 is a MINOR. Every required check passed; one point needs a person.**

        - Look at: the npm package @&#8203;toon-protocol/connector where this repository depends on it, and the lockfile
        - New since the pin of ator-sidecar: linux/riscv64
        ");
    })
    .await;
}
