//! Patches: offered, skipped or proposed, by policy.

use crate::stand::run_test;

#[tokio::test(flavor = "multi_thread")]
async fn a_patch_is_checked_and_canaried_and_then_offered() {
    run_test(async |stand| {
        stand.world.release("3.9.4").publish().await;
        stand.settle().await;
        assert_eq!(stand.open(), [""; 0]);
        assert_eq!(stand.world.writes(), []);
        assert_eq!(stand.runs().await, ["3.9.4 passed", "3.9.3 passed"]);
        insta::assert_snapshot!(stand.stages().await, @"
        3.9.4 offered: every check passed; `digest-bump request bump 3.9.4` proposes it
        3.9.3 pinned: the downstream pins it
        ");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_offered_patch_is_one_request_away_from_its_pull_request() {
    run_test(async |stand| {
        stand.world.release("3.9.4").publish().await;
        stand.settle().await;
        stand.request("3.9.4").await;
        stand.settle().await;
        let pull = stand.only();
        assert_eq!(pull.title, "chore(connector): bump 3.9.3 → 3.9.4");
        insta::assert_snapshot!(pull.body.lines().next().unwrap(), @"**connector 3.9.3 → 3.9.4 is a patch. Every required check passed; one point needs a person.** Asked for by maintainer.");
        insta::assert_snapshot!(stand.requests().await, @"3.9.4 granted: pull request #1 proposes it");
        // What the offer found out is not found out again.
        assert_eq!(stand.runs().await, ["3.9.4 passed", "3.9.3 passed"]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_several_patches_the_newest_that_passes_is_offered() {
    run_test(async |stand| {
        stand.world.release("3.9.4").publish().await;
        stand.world.release("3.9.5").publish().await;
        stand.world.release("3.9.6").breaks_contract("no").publish().await;
        stand.settle().await;
        assert_eq!(stand.open(), [""; 0]);
        insta::assert_snapshot!(stand.stages().await, @"
        3.9.6 held: the canary failed: exit status 1: FAIL no; it passes at the pinned 3.9.3
        3.9.5 offered: every check passed; `digest-bump request bump 3.9.5` proposes it
        3.9.4 covered: 3.9.5 contains it
        3.9.3 pinned: the downstream pins it
        ");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_patch_below_a_minor_is_part_of_it() {
    run_test(async |stand| {
        stand.world.release("3.9.4").publish().await;
        stand.world.release("3.10.0").publish().await;
        stand.settle().await;
        assert_eq!(stand.open(), ["chore(connector): bump 3.9.3 → 3.10.0"]);
        assert_eq!(stand.runs().await, ["3.10.0 passed"]);
        assert_eq!(stand.stage("3.9.4").await.0, "covered");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_skipped_patch_costs_nothing_and_can_be_asked_for() {
    run_test(async |stand| {
        stand.set("proposal.patches", "skip");
        stand.world.release("3.9.4").publish().await;
        stand.settle().await;
        assert_eq!(stand.runs().await, [""; 0]);
        let stage = stand.stage("3.9.4").await;
        assert_eq!(stage, ("skipped".into(), "patches are skipped by policy".into()));

        stand.request("3.9.4").await;
        stand.settle().await;
        assert_eq!(stand.open(), ["chore(connector): bump 3.9.3 → 3.9.4"]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_patch_is_proposed_where_the_policy_says_so() {
    run_test(async |stand| {
        stand.set("proposal.patches", "propose");
        stand.world.release("3.9.4").publish().await;
        stand.settle().await;
        let pull = stand.only();
        assert_eq!(pull.title, "chore(connector): bump 3.9.3 → 3.9.4");
        assert!(pull.body.starts_with("**connector 3.9.3 → 3.9.4 is a patch."));
        assert!(!pull.body.contains("Asked for by"));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_patch_of_the_proposed_minor_is_proposed_as_the_minor_that_it_is() {
    run_test(async |stand| {
        stand.world.release("3.10.0").publish().await;
        stand.settle().await;
        // From the pin, 3.10.1 is a MINOR.
        stand.world.release("3.10.1").publish().await;
        stand.settle().await;
        assert_eq!(stand.open(), ["chore(connector): bump 3.9.3 → 3.10.1"]);
        assert!(stand.only().body.contains("is a MINOR"));
    })
    .await;
}
