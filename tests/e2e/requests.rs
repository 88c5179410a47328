//! What people ask for.

use crate::people::BRANCH;
use crate::stand::{Stand, run_test};

#[tokio::test(flavor = "multi_thread")]
async fn a_request_moves_the_pull_request_down_where_it_stays_until_something_new_appears() {
    run_test(async |stand| {
        stand.world.release("3.10.0").publish().await;
        stand.world.release("3.11.0").publish().await;
        stand.settle().await;
        let before = stand.only();
        assert_eq!(before.title, "chore(connector): bump 3.9.3 → 3.11.0");

        stand.wait(1);
        stand.request("3.10.0").await;
        stand.settle().await;
        let down = stand.only();
        assert_eq!(down.number, before.number);
        assert_eq!(down.title, "chore(connector): bump 3.9.3 → 3.10.0");
        assert!(down.body.contains("Asked for by maintainer."));
        insta::assert_snapshot!(stand.stages().await, @"
        3.11.0 skipped: a person asked for 3.10.0 when this was already out
        3.10.0 proposed: pull request #1 proposes it
        3.9.3 pinned: the downstream pins it
        ");

        stand.wait(30);
        stand.settle().await;
        assert_eq!(stand.only(), down);

        stand.world.release("3.12.0").publish().await;
        stand.settle().await;
        let up = stand.only();
        assert_eq!(up.number, before.number);
        assert_eq!(up.title, "chore(connector): bump 3.9.3 → 3.12.0");
        assert!(!up.body.contains("Asked for by"));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_cannot_be_met_takes_nothing_from_the_one_that_was() {
    run_test(async |stand| {
        for version in ["3.10.0", "3.11.0", "4.0.0"] {
            stand.world.release(version).publish().await;
        }
        stand.settle().await;
        let bump = |stand: &Stand| {
            let mut open = stand.world.open_pulls();
            open.retain(|pull| pull.head_branch == BRANCH);
            open.remove(0).title
        };
        assert_eq!(bump(stand), "chore(connector): bump 3.9.3 → 3.11.0");
        // A typo, the pin, and a MAJOR before its migration.
        for version in ["3.10.0", "3.99.0", "3.9.3", "4.0.0"] {
            stand.wait(1);
            stand.request(version).await;
            stand.settle().await;
            assert_eq!(bump(stand), "chore(connector): bump 3.9.3 → 3.10.0", "{version}");
        }
        assert_eq!(stand.stage("3.11.0").await.0, "skipped");
        assert!(stand.requests().await.starts_with("4.0.0 open: no answer yet\n"));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_for_what_is_older_not_there_or_ignored_is_refused_with_the_reason() {
    run_test(async |stand| {
        stand
            .world
            .release("3.9.2")
            .published_at("2026-06-01T08:00:00Z")
            .publish()
            .await;
        stand.world.release("3.11.0").prerelease().publish().await;
        stand
            .world
            .release("4.0.0")
            .npm_guard_value("git+https://example.com/shim.git")
            .publish()
            .await;
        for version in ["3.9.2", "3.9.3", "3.99.0", "3.11.0", "4.0.0"] {
            stand.request(version).await;
            stand.settle().await;
        }
        assert_eq!(stand.open(), [""; 0]);
        assert_eq!(stand.runs().await, [""; 0]);
        insta::assert_snapshot!(stand.requests().await, @r"
        4.0.0 refused: release v4.0.0 is ignored: npm @toon-protocol/connector@4.0.0 is another product: `/repository/url` says git+https://example.com/shim.git, not `[/:]toon-protocol/connector(\.git)?$`
        3.11.0 refused: release v3.11.0 is ignored: it is a pre-release
        3.99.0 refused: there is no release 3.99.0
        3.9.3 granted: the pin is at 3.9.3 already
        3.9.2 refused: the pin is at 3.9.3, and a downgrade is only proposed where that has to be left
        ");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_requests_the_later_one_wins() {
    run_test(async |stand| {
        stand.world.release("3.10.0").publish().await;
        stand.world.release("3.11.0").publish().await;
        stand.world.release("3.12.0").publish().await;
        stand.request("3.11.0").await;
        stand.request("3.10.0").await;
        stand.settle().await;
        assert_eq!(stand.only().title, "chore(connector): bump 3.9.3 → 3.10.0");
        insta::assert_snapshot!(stand.requests().await, @"
        3.10.0 granted: pull request #1 proposes it
        3.11.0 refused: a later request, 2, took its place
        ");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_for_a_release_that_fails_is_refused_with_all_of_why() {
    run_test(async |stand| {
        let promised = ["linux/amd64", "linux/s390x"].map(toml::Value::from);
        stand.set("upstream.platforms", toml::Value::Array(promised.to_vec()));
        stand.world.release("3.10.0").version_label("3.9.9").publish().await;
        stand.request("3.10.0").await;
        stand.settle().await;
        assert_eq!(stand.open(), [""; 0]);
        insta::assert_snapshot!(stand.requests().await, @"3.10.0 refused: the image lacks linux/s390x; it has linux/amd64, linux/arm64; linux/amd64 is labelled `3.9.9`, not 3.10.0");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_for_a_release_without_image_waits_for_it_and_blocks_no_other() {
    run_test(async |stand| {
        stand.world.release("3.10.0").publish().await;
        stand.world.release("3.9.4").without_image().publish().await;
        stand.request("3.9.4").await;
        stand.settle().await;
        assert_eq!(stand.only().title, "chore(connector): bump 3.9.3 → 3.10.0");
        assert_eq!(stand.requests().await, "3.9.4 open: no answer yet");

        stand.wait(1);
        stand.world.publish_image("3.9.4").await;
        stand.settle().await;
        assert_eq!(stand.only().title, "chore(connector): bump 3.9.3 → 3.9.4");
        assert_eq!(stand.requests().await, "3.9.4 granted: pull request #1 proposes it");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_declined_release_can_be_asked_for_again() {
    run_test(async |stand| {
        stand.world.release("3.10.0").publish().await;
        stand.settle().await;
        stand.world.close(stand.only().number);
        stand.settle().await;
        assert_eq!(stand.stage("3.10.0").await.0, "declined");

        stand.wait(1);
        stand.request("3.10.0").await;
        stand.settle().await;
        let pull = stand.only();
        assert_eq!(pull.title, "chore(connector): bump 3.9.3 → 3.10.0");
        assert_eq!(pull.head_branch, "digest-bump/connector-3.10.0");
    })
    .await;
}
