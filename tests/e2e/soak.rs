//! The soak time: a release that is too young waits, unless it is the cure.

use crate::stand::{Stand, run_test};
use world::{Fault, Service};

#[tokio::test(flavor = "multi_thread")]
async fn a_young_release_waits_before_its_canary_runs() {
    run_test(async |stand| {
        stand.set("upstream.minimum_release_age", "3d");
        stand.world.release("3.10.0").publish().await;
        let report = stand.settle().await;
        assert_eq!(stand.open(), [""; 0]);
        assert_eq!(stand.runs().await, [""; 0]);
        insta::assert_snapshot!(stand.stage("3.10.0").await.1, @"it has to be 3 d old, and is of 2026-06-12T08:00:00Z by the release's clock; until 2026-06-15T08:00:00Z (3 d from now)");
        let wake = report.wake.expect("it gets old by itself");
        assert_eq!(wake.to_string(), "2026-06-15T08:00:00Z");
        // Nor by a wish: who asks for it gets it when it is old enough.
        stand.request("3.10.0").await;
        stand.settle().await;
        assert_eq!(stand.requests().await, "3.10.0 open: no answer yet");
        stand.wait(71);
        stand.settle().await;
        assert_eq!(stand.runs().await, [""; 0]);
        stand.wait(1);
        stand.settle().await;
        assert_eq!(stand.only().title, "chore(connector): bump 3.9.3 → 3.10.0");
        assert!(!stand.only().body.contains("the clocks disagree"), "{}", stand.only().body);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trouble_does_not_wait_until_a_release_is_old_enough() {
    run_test(async |stand| {
        stand.set("upstream.minimum_release_age", "3d");
        stand.world.release("3.10.0").publish().await;
        assert!(!stand.settle().await.try_again);
        stand
            .world
            .fault(Fault::on(Service::GitHub).path_contains("/releases").status(502).always());
        let report = stand.once().await;
        assert_eq!(report.troubles.len(), 1, "{report:?}");
        assert!(report.try_again);
        stand.world.clear_faults();
        assert!(!stand.settle().await.try_again);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_young_release_blocks_no_older_one() {
    run_test(async |stand| {
        stand.set("upstream.minimum_release_age", "3d");
        let old = stand.world.release("3.10.0").published_at("2026-06-01T08:00:00Z");
        old.publish().await;
        stand.world.release("3.11.0").publish().await;
        stand.settle().await;
        assert_eq!(stand.only().title, "chore(connector): bump 3.9.3 → 3.10.0");
        assert_eq!(stand.stage("3.11.0").await.0, "waiting");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn clocks_that_disagree_are_told_and_the_latest_counts() {
    run_test(async |stand| {
        stand.set("upstream.minimum_release_age", "3d");
        // Somebody who owns the release can date it back, npm and the log do not let them.
        let backdated = stand.world.release("3.10.0").published_at("2026-05-01T08:00:00Z");
        backdated.npm_published_at("2026-06-12T08:00:00Z").publish().await;
        stand.settle().await;
        assert_eq!(stand.open(), [""; 0]);
        insta::assert_snapshot!(stand.stage("3.10.0").await.1, @"it has to be 3 d old, and is of 2026-06-12T08:00:00Z by npm's clock; the clocks disagree: the release's says 2026-05-01T08:00:00Z, npm's says 2026-06-12T08:00:00Z, the transparency log's says 2026-05-01T08:02:00Z; until 2026-06-15T08:00:00Z (3 d from now)");
        stand.wait(72);
        stand.settle().await;
        let body = stand.only().body;
        let points: Vec<&str> = body.lines().filter(|it| it.starts_with("- Look at")).collect();
        insta::assert_snapshot!(points.join("\n"), @"
        - Look at: the clocks disagree: the release's says 2026-05-01T08:00:00Z, npm's says 2026-06-12T08:00:00Z, the transparency log's says 2026-05-01T08:02:00Z
        - Look at: the npm package @&#8203;toon-protocol/connector where this repository depends on it, and the lockfile
        ");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_advisory_about_what_is_pinned_cuts_it_short() {
    run_test(async |stand| {
        stand.set("upstream.minimum_release_age", "3d");
        stand.world.release("3.10.0").publish().await;
        stand.world.release("3.11.0").publish().await;
        let wrong = stand.world.publish_advisory("< 3.9.0");
        stand.settle().await;
        assert_eq!(stand.open(), [""; 0], "{wrong} is about older ones");
        // 3.10.0 has the fault as well.
        let id = stand.world.publish_advisory(">= 3.0.0, <= 3.10.0");
        stand.settle().await;
        assert_eq!(stand.only().title, "chore(connector): bump 3.9.3 → 3.11.0");
        let body = stand.only().body;
        let points: Vec<&str> = body.lines().filter(|it| it.starts_with("- Look at")).collect();
        let points = points.join("\n").replace(&id, "GHSA-…");
        insta::assert_snapshot!(points, @"
        - Look at: GHSA-… (high) affects the pinned 3.9.3, and not 3.11.0: the soak time of 3 d is cut short
        - Look at: the npm package @&#8203;toon-protocol/connector where this repository depends on it, and the lockfile
        ");
        stand.world.withdraw_advisory(&id);
        stand.world.release("3.12.0").publish().await;
        stand.settle().await;
        assert_eq!(stand.stage("3.12.0").await.0, "waiting");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_advisories_to_be_read_a_release_just_waits() {
    run_test(async |stand| {
        stand.set("upstream.minimum_release_age", "1h");
        stand.world.release("3.10.0").publish().await;
        let fault = Fault::on(Service::GitHub).path_contains("/security-advisories");
        stand.world.fault(fault.status(502).always());
        let report = stand.once().await;
        assert_eq!(report.troubles.len(), 1, "{:?}", report.troubles);
        assert_eq!(stand.stage("3.10.0").await.0, "waiting");
        stand.wait(1);
        stand.once().await;
        assert_eq!(stand.only().title, "chore(connector): bump 3.9.3 → 3.10.0");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_wrong_in_the_meantime_is_no_evidence() {
    run_test(async |stand| {
        let file = "docker-compose-townhouse.yml";
        stand.set("upstream.minimum_release_age", "3d");
        stand.world.release("3.10.0").publish().await;
        stand.settle().await;
        let before = stand.world.file("main", file).unwrap();
        stand.world.commit_to("main", file, b"services: {}\n", "refactor: move it away");
        stand.wait(1);
        stand.settle().await;
        assert_eq!(stand.stage("3.10.0").await.0, "held", "{:?}", stand.stage("3.10.0").await);
        stand.world.commit_to("main", file, &before, "revert: leave it there");
        stand.wait(71);
        stand.settle().await;
        let body = stand.only().body;
        assert!(body.contains("Every required check passed"), "{body}");
        assert!(!body.contains('❌'), "{body}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn advisories_are_asked_for_conditionally_and_only_for_a_soak_time() {
    run_test(async |stand| {
        stand.settle().await;
        assert!(advisories(stand).is_empty());
        stand.set("upstream.minimum_release_age", "1h");
        stand.settle().await;
        assert_eq!(advisories(stand), [200]);
        stand.world.clear_requests();
        stand.settle().await;
        assert_eq!(advisories(stand), [304]);
    })
    .await;
}

/// The answers to each request for advisories.
fn advisories(stand: &Stand) -> Vec<u16> {
    let requests = stand.world.requests().into_iter();
    let asked = requests.filter(|asked| asked.path.contains("/security-advisories"));
    asked.map(|asked| asked.status).collect()
}
