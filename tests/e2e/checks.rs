//! The cheap checks: all of them run, and the canary only when they passed.

use crate::stand::run_test;

#[tokio::test(flavor = "multi_thread")]
async fn a_release_that_fails_is_held_with_all_of_why_and_no_canary_is_started() {
    run_test(async |stand| {
        let release = stand.world.release("3.10.0");
        let release = release.platforms(&["linux/amd64"]).version_label("3.9.9");
        release.without_npm().publish().await;
        stand.settle().await;
        assert_eq!(stand.open(), [""; 0]);
        assert_eq!(stand.runs().await, [""; 0]);
        insta::assert_snapshot!(stand.stages().await, @"
        3.10.0 held: linux/amd64 is labelled `3.9.9`, not 3.10.0; a MAJOR, though its version says MINOR: its image has no linux/arm64, which the pinned one has
        3.9.3 pinned: the downstream pins it
        ");
        stand.wait(25);
        stand.settle().await;
        insta::assert_snapshot!(stand.stages().await, @"
        3.10.0 held: linux/amd64 is labelled `3.9.9`, not 3.10.0; torn release: its npm package did not appear within 1 d; a MAJOR, though its version says MINOR: its image has no linux/arm64, which the pinned one has
        3.9.3 pinned: the downstream pins it
        ");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_label_with_a_v_is_taken_and_told() {
    run_test(async |stand| {
        let release = stand.world.release("3.10.0").version_label("v3.10.0");
        release.publish().await;
        stand.settle().await;
        let body = stand.only().body;
        let line = body.lines().find(|line| line.starts_with("| each platform"));
        insta::assert_snapshot!(line.unwrap(), @"| each platform's version label names this release | ✅ passed | labelled v3.10.0 |");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_platform_more_than_promised_is_no_fault() {
    run_test(async |stand| {
        let platforms = ["linux/amd64", "linux/arm64", "linux/riscv64"];
        let release = stand.world.release("3.10.0").platforms(&platforms);
        release.publish().await;
        stand.settle().await;
        assert!(stand.only().body.contains("linux/riscv64"));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_promise_makes_the_old_answer_stale() {
    run_test(async |stand| {
        stand.world.release("3.9.4").publish().await;
        stand.settle().await;
        assert_eq!(stand.stage("3.9.4").await.0, "offered");
        let more = ["linux/amd64", "linux/s390x"].map(toml::Value::from);
        stand.set("upstream.platforms", toml::Value::Array(more.to_vec()));
        stand.settle().await;
        insta::assert_snapshot!(stand.stages().await, @"
        3.9.4 held: the image lacks linux/s390x; it has linux/amd64, linux/arm64
        3.9.3 pinned: the downstream pins it
        ");
    })
    .await;
}
