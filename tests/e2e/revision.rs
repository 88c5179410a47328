//! Was the image built from the release's commit?

use crate::stand::{Stand, run_test};
use digest_bump::domain::{Check, Finding};
use world::{Fault, Service};

/// The latest answer to the check about a release.
async fn answer(stand: &Stand, version: &str) -> Finding {
    let version = version.parse().unwrap();
    let findings = stand.memory().await.findings.into_iter().rev();
    let mut ours = findings.filter(|it| it.check == Check::Revision && it.version == version);
    ours.next().expect("it was asked")
}

async fn told(stand: &Stand, version: &str) -> String {
    let found = answer(stand, version).await;
    let (outcome, verdict) = (found.detail.outcome.unwrap(), found.verdict);
    let ids = regex::Regex::new(r"\b[0-9a-f]{8}\b").unwrap();
    ids.replace_all(&format!("{outcome}, {verdict}: {}", found.summary), "<id>").into_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_triggered_the_release_and_its_own_commit_are_both_clean() {
    run_test(async |stand| {
        stand.world.release("3.10.0").publish().await;
        let own = "5".repeat(40);
        stand.world.release("3.11.0").sha(&own).revision(&own).publish().await;
        stand.settle().await;
        assert_eq!(stand.only().title, "chore(connector): bump 3.9.3 → 3.11.0");
        insta::assert_snapshot!(told(stand, "3.11.0").await, @"tag_commit, passed: built from <id>, the commit of v3.11.0");
        let line = stand.only().body;
        let line = line.lines().find(|line| line.contains("release's commit")).unwrap();
        insta::assert_snapshot!(line, @"| the image was built from the release's commit | ✅ passed | built from 55555555, the commit of v3.11.0 |");
        stand.request("3.10.0").await;
        stand.settle().await;
        insta::assert_snapshot!(told(stand, "3.10.0").await, @"first_parent, passed: built from <id>, the parent of v3.10.0's commit <id>");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tag_that_was_pushed_again_before_it_was_first_seen_holds_the_release() {
    run_test(async |stand| {
        stand.world.release("3.10.0").publish().await;
        stand.world.release("3.11.0").publish().await;
        stand.world.retag("3.11.0").await;
        stand.settle().await;
        assert_eq!(stand.only().title, "chore(connector): bump 3.9.3 → 3.10.0");
        insta::assert_snapshot!(told(stand, "3.11.0").await, @"pushed_again, failed: the image's tag was pushed again: it was built from <id>, which came after <id>, the commit of v3.11.0");
        assert_eq!(stand.stage("3.11.0").await.0, "held");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_commit_or_none_is_shown_and_held_only_if_the_config_says_so() {
    run_test(async |stand| {
        let stray = stand.world.stray_commit();
        stand.world.release("3.10.0").revision(&stray).npm_git_head(None).publish().await;
        stand.settle().await;
        assert_eq!(stand.only().title, "chore(connector): bump 3.9.3 → 3.10.0");
        insta::assert_snapshot!(told(stand, "3.10.0").await, @"unrelated, passed: the image was built from <id>, a commit of another line; v3.10.0 is at <id>");
        let points = answer(stand, "3.10.0").await.detail.points;
        assert_eq!(points.len(), 1, "{points:?}");
        stand.world.release("3.11.0").revision("").publish().await;
        stand.settle().await;
        assert_eq!(stand.only().title, "chore(connector): bump 3.9.3 → 3.11.0");
        insta::assert_snapshot!(told(stand, "3.11.0").await, @"absent, passed: the image does not say which commit it was built from");

        stand.set("upstream.revision", "deny");
        for (version, label) in [("3.12.0", ""), ("3.13.0", "main"), ("3.14.0", &"0".repeat(40))] {
            let release = stand.world.release(version).revision(label);
            release.npm_git_head(None).publish().await;
        }
        stand.settle().await;
        assert_eq!(stand.only().title, "chore(connector): bump 3.9.3 → 3.11.0");
        for version in ["3.12.0", "3.13.0", "3.14.0"] {
            assert_eq!(stand.stage(version).await.0, "held", "{version}");
        }
        insta::assert_snapshot!(told(stand, "3.13.0").await, @"unrelated, failed: the image names `main`, which is no commit; v3.13.0 is at <id>");
        insta::assert_snapshot!(told(stand, "3.14.0").await, @"unrelated, failed: the image was built from <id>, a commit that upstream does not know; v3.14.0 is at <id>");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_could_not_be_asked_for_is_no_pass_and_blocks_no_older_release() {
    run_test(async |stand| {
        stand.world.release("3.10.0").publish().await;
        stand.world.release("3.11.0").publish().await;
        let fault = Fault::on(Service::GitHub).path_contains("/commits/tags/v3.11.0");
        stand.world.fault(fault.status(502).always());
        stand.settle().await;
        assert_eq!(stand.only().title, "chore(connector): bump 3.9.3 → 3.10.0");
        insta::assert_snapshot!(told(stand, "3.11.0").await, @"unavailable, inconclusive: upstream could not be asked: github is out of reach: status 502");
        for minutes in [1, 10, 60] {
            stand.wait_minutes(minutes);
            stand.settle().await;
        }
        insta::assert_snapshot!(stand.stage("3.11.0").await.1, @"could not be found out in 4 attempts: upstream could not be asked: github is out of reach: status 502; could not be found out in 4 attempts: upstream could not be asked: github is out of reach: status 502; asked again after 2026-06-12T10:11:00Z");
        stand.world.clear_faults();
        stand.wait(1);
        stand.settle().await;
        assert_eq!(stand.only().title, "chore(connector): bump 3.9.3 → 3.11.0");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rate_limit_in_the_middle_of_it_ends_the_pass_and_nothing_is_forgotten() {
    run_test(async |stand| {
        stand.world.release("3.10.0").publish().await;
        let fault = Fault::on(Service::GitHub).path_contains("/commits/tags/");
        stand.world.fault(fault.status(429).header("retry-after", "60"));
        let report = stand.once().await;
        assert_eq!(report.troubles.len(), 1, "{:?}", report.troubles);
        assert_eq!(stand.open(), [""; 0]);
        stand.wait_minutes(2);
        stand.settle().await;
        assert_eq!(stand.only().title, "chore(connector): bump 3.9.3 → 3.10.0");
    })
    .await;
}
