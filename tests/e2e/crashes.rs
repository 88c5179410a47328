//! Unknown outcomes, lost memory, closed doors: the same end, and nothing twice.

use crate::people::{BRANCH, bump_by_hand};
use crate::stand::{Stand, run_test};
use toml::Value;
use world::{Fault, Service};

/// What can become of a write and of the answer to it.
fn kinds() -> [fn(Fault) -> Fault; 4] {
    [
        |fault| fault.after_commit(502),
        |fault| fault.status(502),
        |fault| fault.cut_body(),
        |fault| fault.close_connection(),
    ]
}

/// For each way in which a write goes wrong, a MINOR: it ends in one pull request that says it.
async fn each_minor(stand: &Stand, fault: impl Fn() -> Fault, after: fn(&Stand)) {
    for (n, kind) in kinds().into_iter().enumerate() {
        let version = format!("3.{}.0", n + 10);
        stand.wait(1);
        stand.world.release(&version).publish().await;
        stand.world.fault(kind(fault()));
        stand.once().await;
        stand.settle().await;
        let pull = stand.only();
        assert!(pull.title.ends_with(&format!("→ {version}")), "{}", pull.title);
        assert_eq!(pull.labels, ["dependencies"]);
        let subject = stand.git(&["log", "-1", "--format=%s", &pull.head_branch]);
        assert_eq!(subject, pull.title);
        after(stand);
        stand.settle().await;
    }
}

fn with_labels(stand: &mut Stand) {
    let labels = vec![Value::from("dependencies")];
    stand.set("proposal.labels", Value::Array(labels));
}

fn merge(stand: &Stand) {
    stand.world.merge(stand.only().number);
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_becomes_of_a_push_there_is_one_pull_request() {
    run_test(async |stand| {
        with_labels(stand);
        let stand = &*stand;
        each_minor(stand, || stand.push_fault(), merge).await;
        assert_eq!(stand.world.pulls().len(), 4);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_becomes_of_the_opening_there_is_one_pull_request() {
    run_test(async |stand| {
        with_labels(stand);
        let fault = || Fault::on(Service::GitHub).method("POST").path_contains("/pulls");
        each_minor(stand, fault, merge).await;
        assert_eq!(stand.world.pulls().len(), 4);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_becomes_of_the_labels_they_are_put_on() {
    run_test(async |stand| {
        with_labels(stand);
        let fault = || Fault::on(Service::GitHub).method("POST").path_contains("/labels");
        each_minor(stand, fault, merge).await;
        assert_eq!(stand.world.pulls().len(), 4);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_label_that_a_person_takes_off_stays_off() {
    run_test(async |stand| {
        with_labels(stand);
        stand.world.release("3.10.0").publish().await;
        stand.settle().await;
        let url = stand.world.github_url();
        let url = format!("{url}/repos/toon-protocol/town/issues/1/labels/dependencies");
        let client = reqwest::Client::new().delete(url);
        let answer = client.bearer_auth(stand.world.token_of("maya")).send().await;
        assert_eq!(answer.unwrap().status(), 200);
        stand.world.release("3.11.0").publish().await;
        stand.settle().await;
        assert_eq!(stand.only().labels, [""; 0]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_becomes_of_a_rewriting_branch_title_and_body_agree_in_the_end() {
    run_test(async |stand| {
        with_labels(stand);
        stand.world.release("3.9.9").publish().await;
        stand.request("3.9.9").await;
        stand.settle().await;
        let edit = || Fault::on(Service::GitHub).method("PATCH").path_contains("/pulls/");
        each_minor(stand, edit, |_| ()).await;
        assert_eq!(stand.world.pulls().len(), 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_becomes_of_a_closing_it_is_closed_once_and_is_no_persons_no() {
    for kind in kinds() {
        run_test(async |stand| {
            stand.world.release("3.10.0").publish().await;
            stand.settle().await;
            bump_by_hand(stand, BRANCH);
            let fault = Fault::on(Service::GitHub).method("PATCH").path_contains("/pulls/");
            stand.world.fault(kind(fault));
            stand.once().await;
            stand.settle().await;
            let pull = stand.world.pulls().remove(0);
            assert_eq!((pull.state.as_str(), pull.merged), ("closed", false));
            assert_eq!(pull.body.matches("Closed by the bot").count(), 1, "{}", pull.body);
            stand.wait(1);
            stand.world.release("3.11.0").publish().await;
            stand.settle().await;
            assert_eq!(stand.only().title, "chore(connector): bump 3.10.0 → 3.11.0");
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_that_lags_behind_opens_nothing_twice() {
    run_test(async |stand| {
        stand.world.release("3.10.0").publish().await;
        stand.settle().await;
        stand.world.release("3.11.0").publish().await;
        stand.world.list_lag(3);
        stand.settle().await;
        stand.settle().await;
        assert_eq!(stand.world.pulls().len(), 1);
        assert_eq!(stand.only().title, "chore(connector): bump 3.9.3 → 3.11.0");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_database_opens_nothing_twice() {
    run_test(async |stand| {
        with_labels(stand);
        stand.world.release("3.10.0").publish().await;
        stand.world.release("4.0.0").publish().await;
        stand.settle().await;
        let before = stand.world.pulls();
        stand.lose_memory().await;
        stand.world.clear_requests();
        stand.settle().await;
        assert_eq!(stand.world.pulls(), before);
        // The labels are there, and not put on again.
        assert_eq!(stand.world.writes(), []);
        // The branch is still known as the bot's own.
        stand.world.release("3.11.0").publish().await;
        stand.settle().await;
        assert_eq!(stand.world.pulls().len(), 2);
        assert_eq!(stand.world.pulls()[1].title, "chore(connector): bump 3.9.3 → 3.11.0");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_database_revives_nothing_declined() {
    run_test(async |stand| {
        stand.world.release("4.0.0").publish().await;
        for version in ["3.10.0", "3.11.0"] {
            stand.world.release(version).publish().await;
            stand.settle().await;
            for pull in stand.world.open_pulls() {
                stand.world.close(pull.number);
            }
            stand.settle().await;
            stand.wait(1);
        }
        let before = stand.world.pulls();
        assert_eq!(before.len(), 3);
        stand.lose_memory().await;
        stand.settle().await;
        assert_eq!(stand.world.pulls(), before);
        insta::assert_snapshot!(stand.stages().await, @"
        4.0.0 declined: pull request #1 was closed without merging
        3.11.0 declined: pull request #3 was closed without merging
        3.10.0 skipped: 3.11.0 was declined in #3
        3.9.3 pinned: the downstream pins it
        ");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_is_worth_nothing_stops_everything_and_says_so() {
    run_test(async |stand| {
        stand.world.release("3.10.0").publish().await;
        stand.world.fault(Fault::on(Service::GitHub).status(401).always());
        stand.world.fault(Fault::on(Service::Git).status(401).always());
        let report = stand.once().await;
        insta::assert_snapshot!(stand.redact(&report.troubles.join("\n")), @"
        the releases of toon-protocol/connector: github denies it (401): Unauthorized
        main of toon-protocol/town: the git server denied access (HTTP 401)
        the pull requests of toon-protocol/town: github denies it (401): Unauthorized
        ");
        assert_eq!(stand.world.writes(), []);
        stand.world.clear_faults();
        stand.settle().await;
        stand.only();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rate_limit_is_slept_out() {
    run_test(async |stand| {
        stand.world.release("3.10.0").publish().await;
        stand.world.set_rate_limit_remaining("digest-bump[bot]", 0);
        let report = stand.once().await;
        assert_eq!(report.wake.unwrap().to_string(), "2026-06-12T09:00:00Z");
        insta::assert_snapshot!(stand.redact(&report.troubles.join("\n")), @"
        the releases of toon-protocol/connector: github's rate limit holds until 2026-06-12T09:00:00Z
        the pull requests of toon-protocol/town: github's rate limit holds until 2026-06-12T09:00:00Z
        ");
        assert_eq!(stand.world.writes(), []);
        stand
            .world
            .set_rate_limit_remaining("digest-bump[bot]", 5_000);
        stand.wait(1);
        stand.settle().await;
        stand.only();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_push_that_is_refused_is_told_and_tried_again() {
    run_test(async |stand| {
        stand.world.release("3.10.0").publish().await;
        stand.world.reject_pushes(Some("the workflows permission is missing"));
        let report = stand.once().await;
        // Over git the world's own words are lost.
        let why = if stand.through_api() {
            "the workflows permission is missing"
        } else {
            "hook declined"
        };
        let told = format!("pushing digest-bump/connector: the push was rejected: {why}");
        assert_eq!(report.troubles, [told]);
        assert_eq!(stand.open(), [""; 0]);
        stand.world.reject_pushes(None);
        stand.settle().await;
        stand.only();
    })
    .await;
}
