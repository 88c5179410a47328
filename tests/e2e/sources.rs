//! What belongs to the stream, and what is only listed.

use crate::stand::run_test;
use world::{Fault, Service};

#[tokio::test(flavor = "multi_thread")]
async fn what_is_none_of_ours_is_listed_with_the_reason() {
    run_test(async |stand| {
        let world = &stand.world;
        world
            .release("2026.8.21")
            .tag("2026.08.21.1")
            .publish()
            .await;
        world
            .release("0.0.1")
            .tag("rust-sha-59e167f")
            .publish()
            .await;
        world.release("3.10.0-solchan.0").publish().await;
        world.release("3.10.0").prerelease().publish().await;
        world.release("3.11.0").draft().publish().await;
        world.release("3.12").publish().await;
        world
            .release("3.13.0+7")
            .without_image()
            .without_npm()
            .publish()
            .await;
        let shim = world.release("4.0.0");
        shim.npm_guard_value("git+https://github.com/someone/shim.git")
            .publish()
            .await;
        stand.settle().await;
        assert_eq!(stand.open(), [""; 0]);
        assert_eq!(stand.runs().await, [""; 0]);
        let view = stand.view().await;
        let lines = view
            .ignored
            .iter()
            .map(|ignored| format!("{}: {}", ignored.tag, ignored.why));
        let mut lines: Vec<String> = lines.collect();
        lines.sort();
        insta::assert_snapshot!(lines.join("\n"), @r"
        2026.08.21.1: the tag does not match `^v(?P<version>\d+\.\d+\.\d+.*)$`
        rust-sha-59e167f: the tag does not match `^v(?P<version>\d+\.\d+\.\d+.*)$`
        v3.10.0-solchan.0: it is a pre-release
        v3.10.0: it is a pre-release
        v3.12: the tag does not match `^v(?P<version>\d+\.\d+\.\d+.*)$`
        v3.13.0+7: build metadata cannot be part of an image tag
        v4.0.0: npm @toon-protocol/connector@4.0.0 is another product: `/repository/url` says git+https://github.com/someone/shim.git, not `[/:]toon-protocol/connector(\.git)?$`
        ");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_draft_is_proposed_once_it_is_published() {
    run_test(async |stand| {
        stand.world.release("3.10.0").draft().publish().await;
        stand.settle().await;
        assert_eq!(stand.open(), [""; 0]);
        stand.world.release("3.10.0").publish().await;
        stand.settle().await;
        assert_eq!(stand.only().title, "chore(connector): bump 3.9.3 → 3.10.0");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_page_of_releases_is_read() {
    run_test(async |stand| {
        stand.world.release("3.10.0").published_at("2026-06-01T08:00:00Z").publish().await;
        for n in 0..105 {
            let version = format!("1.0.{n}");
            let old = stand.world.release(&version).without_image().without_npm();
            old.publish().await;
        }
        stand.settle().await;
        assert_eq!(stand.only().title, "chore(connector): bump 3.9.3 → 3.10.0");
        assert_eq!(stand.view().await.older, 105);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_list_of_releases_nothing_is_concluded() {
    run_test(async |stand| {
        stand.world.release("3.10.0").publish().await;
        stand.request("3.10.0").await;
        let list = || Fault::on(Service::GitHub).path_contains("/releases");
        for fault in
            [list().status(502), list().html(), list().cut_body(), list().close_connection()]
        {
            stand.world.fault(fault.always());
            let report = stand.once().await;
            assert_eq!(report.troubles.len(), 1, "{:?}", report.troubles);
            assert_eq!(stand.world.writes(), []);
            // "There is no such release" would be wrong.
            assert_eq!(stand.requests().await, "3.10.0 open: no answer yet");
            stand.world.clear_faults();
        }
        stand.settle().await;
        assert_eq!(stand.only().title, "chore(connector): bump 3.9.3 → 3.10.0");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_pull_requests_nothing_is_written() {
    run_test(async |stand| {
        stand.world.release("3.10.0").publish().await;
        let fault = Fault::on(Service::GitHub).path_contains("/pulls").method("GET");
        stand.world.fault(fault.status(502).always());
        let report = stand.once().await;
        assert_eq!(report.troubles.len(), 1, "{:?}", report.troubles);
        assert_eq!(stand.world.writes(), []);
        stand.world.clear_faults();
        stand.settle().await;
        stand.only();
    })
    .await;
}
