//! What is not there yet, and what could not be found out.

use crate::stand::run_test;
use world::{Fault, Service};

#[tokio::test(flavor = "multi_thread")]
async fn a_release_waits_for_its_image_and_is_then_proposed() {
    run_test(async |stand| {
        stand.world.release("3.10.0").without_image().publish().await;
        let report = stand.settle().await;
        assert_eq!(stand.open(), [""; 0]);
        insta::assert_snapshot!(stand.stages().await, @"
        3.10.0 waiting: its image is not there yet; until 2026-06-13T08:00:00Z (1 d from now)
        3.9.3 pinned: the downstream pins it
        ");
        assert_eq!(report.wake.unwrap().to_string(), "2026-06-13T08:00:00Z");

        stand.wait(1);
        stand.world.publish_image("3.10.0").await;
        stand.settle().await;
        assert_eq!(stand.only().title, "chore(connector): bump 3.9.3 → 3.10.0");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn after_the_deadline_a_release_without_image_is_held_and_still_proposed_if_it_comes() {
    run_test(async |stand| {
        stand.world.release("3.10.0").without_image().publish().await;
        stand.settle().await;
        stand.wait(25);
        stand.settle().await;
        insta::assert_snapshot!(stand.stages().await, @"
        3.10.0 held: torn release: its image did not appear within 1 d
        3.9.3 pinned: the downstream pins it
        ");

        stand.world.publish_image("3.10.0").await;
        stand.settle().await;
        assert_eq!(stand.only().title, "chore(connector): bump 3.9.3 → 3.10.0");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_release_waits_for_its_npm_package_too() {
    run_test(async |stand| {
        stand.world.release("3.10.0").without_npm().publish().await;
        stand.settle().await;
        assert_eq!(stand.open(), [""; 0]);
        assert_eq!(stand.runs().await, [""; 0]);
        insta::assert_snapshot!(stand.stages().await, @"
        3.10.0 waiting: its npm package is not there yet; until 2026-06-13T08:00:00Z (1 d from now)
        3.9.3 pinned: the downstream pins it
        ");
        stand.wait(25);
        stand.settle().await;
        insta::assert_snapshot!(stand.stages().await, @"
        3.10.0 held: torn release: its npm package did not appear within 1 d
        3.9.3 pinned: the downstream pins it
        ");

        stand.world.publish_npm("3.10.0").await;
        stand.settle().await;
        assert_eq!(stand.only().title, "chore(connector): bump 3.9.3 → 3.10.0");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_package_that_is_gone_altogether_is_unavailable_and_no_release_is_torn_for_it() {
    run_test(async |stand| {
        stand.settle().await;
        stand.world.npm_gone();
        stand.world.release("3.10.0").publish().await;
        for hours in [0, 30] {
            stand.wait(hours);
            let report = stand.once().await;
            let seen = format!("{}\n{}", report.troubles.join("\n"), stand.stages().await);
            insta::allow_duplicates! {
                insta::assert_snapshot!(seen, @"
                the npm package @toon-protocol/connector: npm knows no package @toon-protocol/connector
                3.10.0 waiting: its npm package could not be asked for: the npm package @toon-protocol/connector: npm knows no package @toon-protocol/connector; looked at again in each pass
                3.9.3 pinned: the downstream pins it
                ");
            }
            assert_eq!(stand.open(), [""; 0]);
        }
        stand.world.npm_back();
        stand.settle().await;
        assert_eq!(stand.only().title, "chore(connector): bump 3.9.3 → 3.10.0");
    })
    .await;
}

/// Whatever the registry answers instead of an index: wait, say why, and go on when it recovers.
async fn registry_trouble(fault: fn(Fault) -> Fault, said: &str) {
    run_test(async |stand| {
        let manifests = Fault::on(Service::Registry).path_contains("/manifests/3.10.0");
        stand.world.fault(fault(manifests).always());
        stand.world.release("3.10.0").publish().await;
        stand.once().await;
        assert_eq!(stand.open(), [""; 0]);
        let (word, line) = stand.stage("3.10.0").await;
        assert_eq!(word, "waiting", "{line}");
        assert!(line.contains(said), "{line}");
        // Never a rejection, however long it lasts.
        stand.wait(48);
        stand.once().await;
        assert_eq!(stand.stage("3.10.0").await.0, "waiting");

        stand.world.clear_faults();
        stand.settle().await;
        assert_eq!(stand.only().title, "chore(connector): bump 3.9.3 → 3.10.0");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_registry_that_is_down_is_waited_for() {
    registry_trouble(|fault| fault.status(503), "503").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_for_people_is_no_index() {
    registry_trouble(Fault::html, "its image could not be asked for").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_digest_that_is_not_of_the_bytes_is_not_believed() {
    registry_trouble(Fault::wrong_digest_header, "digest").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn half_an_index_is_none() {
    registry_trouble(Fault::cut_body, "its image could not be asked for").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_cannot_be_read_blocks_no_older_one() {
    run_test(async |stand| {
        let fault = Fault::on(Service::Registry).path_contains("/manifests/3.11.0");
        stand.world.fault(fault.status(503).always());
        stand.world.release("3.10.0").publish().await;
        stand.world.release("3.11.0").publish().await;
        stand.once().await;
        assert_eq!(stand.only().title, "chore(connector): bump 3.9.3 → 3.10.0");
        stand.world.clear_faults();
        stand.settle().await;
        assert_eq!(stand.only().title, "chore(connector): bump 3.9.3 → 3.11.0");
    })
    .await;
}
