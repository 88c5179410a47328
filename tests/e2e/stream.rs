//! Upstream goes on releasing, but nothing that the contract knows: one alarm.

use crate::stand::{Stand, run_test};

/// Three releases, each made so: the third is one too many.
async fn three(stand: &Stand, publish: impl AsyncFn(&Stand, u64)) {
    for n in 1..=3 {
        stand.wait(1);
        publish(stand, n).await;
        stand.settle().await;
        if n < 3 {
            assert_eq!(stand.alarms().await, "", "{n}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn calendar_versions_and_rust_tags_are_one_alarm_and_no_list() {
    run_test(async |stand| {
        stand.world.release("3.10.0").publish().await;
        stand.settle().await;
        three(stand, async |stand, n| {
            let tag =
                if n == 2 { "rust-sha-59e167f".to_owned() } else { format!("2026.08.2{n}.1") };
            let version = format!("2026.8.2{n}");
            stand.world.release(&version).tag(&tag).without_image().publish().await;
        })
        .await;
        insta::assert_snapshot!(stand.alarms().await, @r"upstream left the contract: of its 3 releases since 2026-06-12T09:00:00Z there is none that the contract knows: 2026.08.23.1 (the tag does not match `^v(?P<version>\d+\.\d+\.\d+.*)$`), rust-sha-59e167f (the tag does not match `^v(?P<version>\d+\.\d+\.\d+.*)$`), 2026.08.21.1 (the tag does not match `^v(?P<version>\d+\.\d+\.\d+.*)$`)");
        // It does not keep the good one from being proposed, and ends when upstream is back.
        stand.only();
        stand.world.release("3.11.0").publish().await;
        stand.settle().await;
        assert_eq!(stand.alarms().await, "");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_product_under_the_same_name_is_a_departure() {
    run_test(async |stand| {
        three(stand, async |stand, n| {
            let shim = stand.world.release(&format!("4.0.{n}"));
            shim.npm_guard_value("git+https://github.com/someone/shim.git").publish().await;
        })
        .await;
        insta::assert_snapshot!(stand.alarms().await, @r"upstream left the contract: of its 3 releases since 2026-06-12T09:00:00Z there is none that the contract knows: v4.0.3 (npm @toon-protocol/connector@4.0.3 is another product: `/repository/url` says git+https://github.com/someone/shim.git, not `[/:]toon-protocol/connector(\.git)?$`), v4.0.2 (npm @toon-protocol/connector@4.0.2 is another product: `/repository/url` says git+https://github.com/someone/shim.git, not `[/:]toon-protocol/connector(\.git)?$`), v4.0.1 (npm @toon-protocol/connector@4.0.1 is another product: `/repository/url` says git+https://github.com/someone/shim.git, not `[/:]toon-protocol/connector(\.git)?$`)");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_architecture_that_is_left_out_for_good_is_a_departure() {
    run_test(async |stand| {
        three(stand, async |stand, n| {
            let release = stand.world.release(&format!("3.1{n}.0"));
            release.platforms(&["linux/amd64"]).publish().await;
        })
        .await;
        insta::assert_snapshot!(stand.alarms().await, @"upstream left the contract: of its 3 releases since 2026-06-12T09:00:00Z there is none that the contract knows: 3.13.0 (its image has no linux/arm64, which the pinned one has), 3.12.0 (its image has no linux/arm64, which the pinned one has), 3.11.0 (its image has no linux/arm64, which the pinned one has)");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn signatures_that_are_left_out_are_waited_for_and_then_a_departure() {
    run_test(async |stand| {
        for n in 1..=3 {
            stand.world.release(&format!("3.1{n}.0")).unsigned().publish().await;
        }
        stand.settle().await;
        assert_eq!(stand.alarms().await, "", "signing follows the push");
        stand.wait(2);
        stand.settle().await;
        insta::assert_snapshot!(stand.alarms().await, @"upstream left the contract: of its 3 releases since 2026-06-12T08:00:00Z there is none that the contract knows: 3.13.0 (not signed), 3.12.0 (not signed), 3.11.0 (not signed)");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_pre_release_or_late_images_are_none() {
    run_test(async |stand| {
        for n in 1..=3 {
            stand.world.release(&format!("3.10.0-rc.{n}")).prerelease().publish().await;
            stand.world.release(&format!("3.1{n}.0")).without_image().publish().await;
        }
        stand.settle().await;
        assert_eq!(stand.alarms().await, "");
        // Too late, all of them: then it is one.
        stand.wait(25);
        stand.settle().await;
        insta::assert_snapshot!(stand.alarms().await, @"upstream left the contract: of its 3 releases since 2026-06-12T08:00:00Z there is none that the contract knows: 3.13.0 (its image did not appear), 3.12.0 (its image did not appear), 3.11.0 (its image did not appear)");
        stand.world.publish_image("3.13.0").await;
        stand.settle().await;
        assert_eq!(stand.alarms().await, "");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_npm_exchanged_is_an_alarm_also_once_it_is_pinned() {
    run_test(async |stand| {
        stand.world.release("3.9.3").publish().await;
        stand.settle().await;
        assert_eq!(stand.alarms().await, "");
        stand.wait(1);
        stand.world.republish_npm("3.9.3").await;
        stand.settle().await;
        let integrity = regex::Regex::new(r"sha512-[\w/+]{8}").unwrap();
        let alarms = stand.alarms().await;
        insta::assert_snapshot!(integrity.replace_all(&alarms, "sha512-…"), @"npm's 3.9.3 is not what it was: from 2026-06-12T08:00:00Z on it was sha512-…, at 2026-06-12T09:00:00Z it was sha512-…");
    })
    .await;
}
