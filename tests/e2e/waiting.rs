//! What is not there yet, and what could not be found out.

use crate::stand::{Stand, run_test};
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
        stand.wait_minutes(10);
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
async fn a_registry_that_stays_down_is_asked_with_growing_pauses_and_then_the_release_is_held() {
    run_test(async |stand| {
        let manifests = Fault::on(Service::Registry).path_contains("/manifests/3.10.0");
        stand.world.fault(manifests.status(503).always());
        stand.world.release("3.10.0").publish().await;
        let mut told = Vec::new();
        for minutes in [0, 1, 10, 60, 60] {
            // Not before its time, whoever wakes the pass.
            stand.wait_minutes(minutes);
            stand.once().await;
            let looks = asked_for(stand);
            stand.once().await;
            assert_eq!(asked_for(stand), looks, "asked again before the pause was over");
            let (word, line) = stand.stage("3.10.0").await;
            told.push(format!("after {minutes} min: {word}: {line}"));
        }
        insta::assert_snapshot!(told.join("\n"), @"
        after 0 min: waiting: its image could not be asked for: the registry is out of reach: status 503 for ghcr.io/toon-protocol/connector:3.10.0; until 2026-06-12T08:01:00Z (1 min from now)
        after 1 min: waiting: its image could not be asked for: the registry is out of reach: status 503 for ghcr.io/toon-protocol/connector:3.10.0; until 2026-06-12T08:11:00Z (10 min from now)
        after 10 min: waiting: its image could not be asked for: the registry is out of reach: status 503 for ghcr.io/toon-protocol/connector:3.10.0; until 2026-06-12T09:11:00Z (1 h from now)
        after 60 min: held: its image could not be asked for: the registry is out of reach: status 503 for ghcr.io/toon-protocol/connector:3.10.0 (attempt 4; the next one after 2026-06-12T10:11:00Z)
        after 60 min: held: its image could not be asked for: the registry is out of reach: status 503 for ghcr.io/toon-protocol/connector:3.10.0 (attempt 5; the next one after 2026-06-12T11:11:00Z)
        ");
        stand.world.clear_faults();
        stand.wait(1);
        stand.settle().await;
        assert_eq!(stand.only().title, "chore(connector): bump 3.9.3 → 3.10.0");
    })
    .await;
}

/// How often the registry was asked for the release's tag.
fn asked_for(stand: &Stand) -> usize {
    let requests = stand.world.requests();
    requests.iter().filter(|request| request.path.contains("/manifests/3.10.0")).count()
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
        stand.wait_minutes(1);
        stand.settle().await;
        assert_eq!(stand.only().title, "chore(connector): bump 3.9.3 → 3.11.0");
    })
    .await;
}
