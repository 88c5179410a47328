//! Git tag, GitHub release, npm version and image: are they one release?

use crate::stand::{Stand, run_test};

#[tokio::test(flavor = "multi_thread")]
async fn one_release_in_all_its_places() {
    run_test(async |stand| {
        stand.world.release("3.10.0").publish().await;
        stand.settle().await;
        let body = stand.only().body;
        let line = body.lines().find(|line| line.starts_with("| git tag, release"));
        insta::assert_snapshot!(line.unwrap(), @"| git tag, release, package and image are one release | ✅ passed | git tag v3.10.0 at 8b52b79c; npm 3.10.0 and the image are both of 7d176fea |");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_git_tag_that_does_not_come_tears_the_release() {
    run_test(async |stand| {
        stand.world.release("3.10.0").publish().await;
        stand.world.release("3.11.0").without_git_tag().publish().await;
        stand.settle().await;
        assert_eq!(stand.only().title, "chore(connector): bump 3.9.3 → 3.10.0");
        insta::assert_snapshot!(stand.stage("3.11.0").await.1, @"the git tag v3.11.0 is not there to compare with; until 2026-06-12T08:01:00Z (1 min from now)");
        stand.wait(25);
        stand.settle().await;
        insta::assert_snapshot!(stand.stage("3.11.0").await.1, @"torn release: the git tag v3.11.0 did not appear within 1 d");
        assert_eq!(stand.runs().await, ["3.10.0 passed"]);
        // It comes after all: found at the next look.
        stand.world.release("3.11.0").published_at("2026-06-12T08:00:00Z").publish().await;
        stand.wait(1);
        stand.settle().await;
        assert_eq!(stand.only().title, "chore(connector): bump 3.9.3 → 3.11.0");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn npm_of_another_commit_would_let_the_canary_test_other_code() {
    run_test(async |stand| {
        stand.world.release("3.10.0").npm_git_head(None).publish().await;
        let other = "7".repeat(40);
        stand.world.release("3.11.0").npm_git_head(Some(&other)).publish().await;
        stand.settle().await;
        assert_eq!(stand.only().title, "chore(connector): bump 3.9.3 → 3.10.0");
        insta::assert_snapshot!(stand.redact(&stages(stand).await), @"
        3.11.0 held: npm's 3.11.0 is of <id>, the image of <id>: the canary's npm half would test other code
        3.10.0 proposed: pull request #1 proposes it
        3.9.3 pinned: the downstream pins it
        ");
    })
    .await;
}

async fn stages(stand: &Stand) -> String {
    let ids = regex::Regex::new(r"\b[0-9a-f]{8}\b").unwrap();
    let short = regex::Regex::new(r"sha512-[\w/+]{8}").unwrap();
    let stages = stand.stages().await;
    short.replace_all(&ids.replace_all(&stages, "<id>"), "sha512-…").into_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_npm_exchanged_is_held_for_ever() {
    run_test(async |stand| {
        stand.world.release("3.10.0").without_image().publish().await;
        stand.settle().await;
        stand.wait(1);
        stand.world.republish_npm("3.10.0").await;
        stand.settle().await;
        stand.world.publish_image("3.10.0").await;
        stand.settle().await;
        assert_eq!(stand.open(), [""; 0]);
        insta::assert_snapshot!(stages(stand).await, @"
        3.10.0 held: npm's 3.10.0 is not what it was: from 2026-06-12T08:00:00Z on it was sha512-…, at 2026-06-12T09:00:00Z it was sha512-…
        3.9.3 pinned: the downstream pins it
        ");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_npm_withdrew_is_not_waited_for() {
    run_test(async |stand| {
        stand.world.release("3.10.0").without_image().publish().await;
        // Nobody saw what it was.
        stand.world.release("3.11.0").publish().await;
        stand.world.unpublish_npm("3.11.0").await;
        stand.settle().await;
        stand.world.unpublish_npm("3.10.0").await;
        stand.world.publish_image("3.10.0").await;
        stand.wait(1);
        stand.settle().await;
        assert_eq!(stand.open(), [""; 0]);
        insta::assert_snapshot!(stages(stand).await, @"
        3.11.0 held: npm has withdrawn @toon-protocol/connector@3.11.0
        3.10.0 held: npm has withdrawn 3.10.0: from 2026-06-12T08:00:00Z on it was sha512-…, at 2026-06-12T09:00:00Z it was gone
        3.9.3 pinned: the downstream pins it
        ");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_is_asked_again_when_npm_says_something_else() {
    run_test(async |stand| {
        stand.world.release("3.9.4").publish().await;
        stand.settle().await;
        assert_eq!(stand.stage("3.9.4").await.0, "offered");
        stand.world.republish_npm("3.9.4").await;
        stand.settle().await;
        assert_eq!(stand.stage("3.9.4").await.0, "held");
        stand.request("3.9.4").await;
        stand.settle().await;
        assert_eq!(stand.open(), [""; 0]);
        assert!(stand.requests().await.contains("is not what it was"));
    })
    .await;
}
