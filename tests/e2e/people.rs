//! What people do with the bot's pull requests, and what the bot then leaves alone.

use crate::stand::{Stand, run_test};
use std::time::Duration;
use world::{Fault, Service};

pub const BRANCH: &str = "digest-bump/connector";

/// The pin is moved by hand, in all the places that the bot's branch moves.
pub fn bump_by_hand(stand: &Stand, branch: &str) {
    let files = stand.git(&["diff", "--name-only", "main", branch]);
    for file in files.lines() {
        let content = stand.world.file(branch, file).unwrap();
        stand.world.commit_to("main", file, &content, "chore: bump by hand");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_merged_pull_request_moves_the_pin() {
    run_test(async |stand| {
        stand.world.release("3.10.0").publish().await;
        stand.settle().await;
        stand.world.merge(stand.only().number);
        stand.settle().await;
        insta::assert_snapshot!(stand.stages().await, @"3.10.0 pinned: the downstream pins it");
        assert_eq!(stand.view().await.older, 1);

        // The next one comes from the same branch.
        stand.world.release("3.11.0").publish().await;
        stand.settle().await;
        let pull = stand.only();
        assert_eq!(pull.title, "chore(connector): bump 3.10.0 → 3.11.0");
        assert_eq!((pull.number, pull.head_branch.as_str()), (2, BRANCH));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_merged_between_two_looks_of_a_pass_is_not_proposed_again() {
    run_test(async |stand| {
        stand.world.release("3.10.0").publish().await;
        stand.settle().await;
        let number = stand.only().number;
        stand.wait(1);
        stand.world.clear_requests();
        // The pin is read beside npm, and the pull requests after both.
        stand.world.fault(Fault::on(Service::Npm).delay(Duration::from_secs(4)));
        let settled = stand.settle();
        let merged = async {
            let begun = ["service=git-upload-pack", "/branches/main"];
            let pin_is_read = || {
                let requests = stand.world.requests();
                requests.iter().any(|it| begun.iter().any(|path| it.path.ends_with(path)))
            };
            while !pin_is_read() {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            tokio::time::sleep(Duration::from_secs(1)).await;
            stand.world.merge(number);
        };
        tokio::join!(settled, merged);
        assert_eq!(stand.world.pulls().len(), 1);
        stand.settle().await;
        assert_eq!(stand.world.pulls().len(), 1);
        assert_eq!(stand.stage("3.10.0").await.0, "pinned");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_closed_pull_request_is_declined_and_stays_declined() {
    run_test(async |stand| {
        stand.world.release("3.10.0").publish().await;
        stand.settle().await;
        stand.world.close(1);
        stand.settle().await;
        assert_eq!(stand.open(), [""; 0]);
        insta::assert_snapshot!(stand.stages().await, @"
        3.10.0 declined: pull request #1 was closed without merging
        3.9.3 pinned: the downstream pins it
        ");

        stand.wait(1);
        stand.world.release("3.11.0").publish().await;
        stand.settle().await;
        let pull = stand.only();
        assert_eq!(pull.title, "chore(connector): bump 3.9.3 → 3.11.0");
        assert_eq!(pull.head_branch, "digest-bump/connector-3.11.0");
        insta::assert_snapshot!(stand.stages().await, @"
        3.11.0 proposed: pull request #2 proposes it
        3.10.0 declined: pull request #1 was closed without merging
        3.9.3 pinned: the downstream pins it
        ");

        stand.world.close(pull.number);
        stand.wait(1);
        stand.settle().await;
        assert_eq!(stand.open(), [""; 0]);
        insta::assert_snapshot!(stand.stages().await, @"
        3.11.0 declined: pull request #2 was closed without merging
        3.10.0 skipped: 3.11.0 was declined in #2
        3.9.3 pinned: the downstream pins it
        ");
        stand.world.release("3.12.0").publish().await;
        stand.settle().await;
        assert_eq!(stand.only().head_branch, "digest-bump/connector-3.12.0");
        // What was declined can still be opened again: its branch is where it was.
        assert_eq!(stand.world.reopen(1), Ok(()));
        stand.world.close(1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_older_minor_is_no_way_around_a_declined_one() {
    run_test(async |stand| {
        stand.world.release("3.10.0").publish().await;
        stand.world.release("3.11.0").publish().await;
        stand.settle().await;
        stand.world.close(stand.only().number);
        stand.settle().await;
        assert_eq!(stand.open(), [""; 0]);
        insta::assert_snapshot!(stand.stages().await, @"
        3.11.0 declined: pull request #1 was closed without merging
        3.10.0 skipped: 3.11.0 was declined in #1
        3.9.3 pinned: the downstream pins it
        ");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_by_a_person_makes_the_bot_keep_its_hands_off() {
    run_test(async |stand| {
        stand.world.release("3.10.0").publish().await;
        stand.settle().await;
        let by = stand
            .world
            .commit_to(BRANCH, "README.md", b"# by hand\n", "docs: by hand");
        stand.wait(1);
        stand.world.release("3.11.0").publish().await;
        stand.settle().await;
        stand.world.clear_requests();
        assert_eq!(stand.only().head_sha, by);
        assert_eq!(stand.only().title, "chore(connector): bump 3.9.3 → 3.10.0");
        insta::assert_snapshot!(stand.stages().await, @"
        3.11.0 held: pull request #1 has commits by a person: hands off
        3.10.0 proposed: pull request #1 proposes it; a person works on its branch, hands off
        3.9.3 pinned: the downstream pins it
        ");
        stand.request("3.11.0").await;
        stand.settle().await;
        insta::assert_snapshot!(stand.requests().await, @"3.11.0 refused: pull request #1 has commits by a person: hands off");
        assert_eq!(stand.world.writes(), []);

        // It is theirs until it is merged or closed.
        stand.world.merge(1);
        stand.settle().await;
        assert_eq!(stand.only().title, "chore(connector): bump 3.10.0 → 3.11.0");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_elses_pull_request_from_the_bots_branch_is_left_alone() {
    run_test(async |stand| {
        let by = stand.world.commit_to(BRANCH, "README.md", b"# mine\n", "docs: mine");
        let url = format!("{}/repos/toon-protocol/town/pulls", stand.world.github_url());
        let wish = serde_json::json!({
            "title": "docs: mine", "head": BRANCH, "base": "main", "body": "No marker here.",
        });
        let client = reqwest::Client::new();
        let token = stand.world.token_of("maya");
        let answer = client.post(url).bearer_auth(token).json(&wish).send().await.unwrap();
        assert_eq!(answer.status(), 201);

        stand.world.release("3.10.0").publish().await;
        stand.world.clear_requests();
        stand.settle().await;
        assert_eq!(stand.world.writes(), []);
        assert_eq!(stand.only().head_sha, by);
        insta::assert_snapshot!(stand.stages().await, @"
        3.10.0 held: pull request #1 of somebody else uses the branch digest-bump/connector
        3.9.3 pinned: the downstream pins it
        ");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_branch_of_a_person_is_never_overwritten() {
    run_test(async |stand| {
        let by = stand
            .world
            .commit_to(BRANCH, "README.md", b"# mine\n", "docs: mine");
        stand.world.release("3.10.0").publish().await;
        let report = stand.once().await;
        insta::assert_snapshot!(stand.redact(&report.troubles.join("\n")), @"pushing digest-bump/connector: the branch is at <id>, which this bot did not push");
        assert_eq!(stand.open(), [""; 0]);
        assert_eq!(stand.world.branches()[BRANCH], by);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bump_by_hand_closes_the_pull_request_with_the_reason() {
    run_test(async |stand| {
        stand.world.release("3.10.0").publish().await;
        stand.settle().await;
        bump_by_hand(stand, BRANCH);
        stand.settle().await;
        assert_eq!(stand.open(), [""; 0]);
        let pull = stand.world.pulls().remove(0);
        assert_eq!((pull.state.as_str(), pull.merged), ("closed", false));
        insta::assert_snapshot!(pull.body.lines().next().unwrap(), @"**Closed by the bot: the pin is at 3.10.0 already.**");
        insta::assert_snapshot!(stand.stages().await, @"3.10.0 pinned: the downstream pins it");

        // That was no person's "no".
        stand.wait(1);
        stand.world.release("3.11.0").publish().await;
        stand.settle().await;
        assert_eq!(stand.only().title, "chore(connector): bump 3.10.0 → 3.11.0");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bump_by_hand_below_the_proposal_rewrites_it_from_the_new_pin() {
    run_test(async |stand| {
        stand.world.release("3.10.0").publish().await;
        stand.settle().await;
        // Kept by a person under another name.
        let head = stand.only().head_sha;
        stand.world.release("3.11.0").publish().await;
        stand.settle().await;
        let before = stand.only();
        assert_eq!(before.title, "chore(connector): bump 3.9.3 → 3.11.0");
        bump_by_hand(stand, &head);
        stand.settle().await;
        let after = stand.only();
        assert_eq!(after.number, before.number);
        assert_eq!(after.title, "chore(connector): bump 3.10.0 → 3.11.0");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pull_request_that_the_bot_took_back_is_none_that_a_person_declined() {
    run_test(async |stand| {
        stand.world.release("3.10.0").publish().await;
        stand.settle().await;
        let before = stand.git(&["rev-parse", "main"]).trim().to_owned();
        bump_by_hand(stand, BRANCH);
        stand.settle().await;
        assert_eq!(stand.open(), [""; 0]);

        // The hand thinks better of it.
        let files = stand.git(&["diff", "--name-only", &before, "main"]);
        for file in files.lines() {
            let content = stand.world.file(&before, file).unwrap();
            stand.world.commit_to("main", file, &content, "revert: bump by hand");
        }
        stand.settle().await;
        assert_eq!(stand.stage("3.10.0").await.0, "proposed");
    })
    .await;
}
