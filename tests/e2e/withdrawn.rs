//! Upstream takes a release back while its pull request is open.

use crate::majors::publish_major;
use crate::people::BRANCH;
use crate::stand::{Stand, run_test};

/// The first line of a pull request that the bot closed.
#[track_caller]
fn closed(stand: &Stand, number: u64) -> String {
    let mut pulls = stand.world.pulls().into_iter();
    let pull = pulls.find(|pull| pull.number == number).unwrap();
    assert_eq!(pull.state, "closed");
    pull.body.lines().next().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_release_that_is_withdrawn_takes_its_pull_request_with_it_and_an_older_one_is_proposed() {
    run_test(async |stand| {
        stand.world.release("3.10.0").publish().await;
        stand.world.release("3.11.0").publish().await;
        stand.settle().await;
        let pull = stand.only();
        assert_eq!(pull.title, "chore(connector): bump 3.9.3 → 3.11.0");
        stand.wait(1);
        stand.world.withdraw_release("3.11.0");
        stand.settle().await;
        assert_eq!(
            closed(stand, pull.number),
            "**Closed by the bot: 3.11.0 is no release of the stream any more: upstream withdrew \
             it.**"
        );
        assert_eq!(stand.only().title, "chore(connector): bump 3.9.3 → 3.10.0");
        assert_eq!(stand.stage("3.10.0").await.0, "proposed");
        assert_eq!(stand.alarms().await, "");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_was_made_a_prerelease_is_proposed_again_when_it_is_none_any_more() {
    run_test(async |stand| {
        stand.world.release("3.10.0").publish().await;
        stand.settle().await;
        let pull = stand.only();
        for round in 0..2 {
            stand.wait(1);
            stand.world.mark_prerelease("3.10.0", true);
            stand.settle().await;
            assert_eq!(stand.open(), [""; 0]);
            assert_eq!(
                closed(stand, pull.number + round),
                "**Closed by the bot: 3.10.0 is no release of the stream any more: it is a \
                 pre-release.**"
            );
            stand.wait(1);
            stand.world.mark_prerelease("3.10.0", false);
            stand.settle().await;
            let again = stand.only();
            assert_eq!((again.title, again.number), (pull.title.clone(), pull.number + round + 1));
        }
        // The canary's answer is about the digest, and still counts.
        assert_eq!(stand.runs().await, ["3.10.0 passed"]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_persons_pull_request_for_it_stays_and_is_an_alarm() {
    run_test(async |stand| {
        stand.world.release("3.10.0").publish().await;
        stand.settle().await;
        stand.world.commit_to(BRANCH, "README.md", b"# by hand\n", "docs: by hand");
        stand.wait(1);
        stand.settle().await;
        let pull = stand.only();
        stand.world.withdraw_release("3.10.0");
        stand.settle().await;
        assert_eq!(stand.only(), pull);
        assert_eq!(
            stand.alarms().await,
            "pull request #1 proposes 3.10.0, which is no release of the stream any more: upstream \
             withdrew it; a person works on its branch, so it is left open"
        );
        // It ends with the pull request.
        stand.world.close(pull.number);
        stand.settle().await;
        assert_eq!(stand.alarms().await, "");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stub_for_it_is_closed_where_there_is_no_other_release_of_its_major() {
    run_test(async |stand| {
        publish_major(stand).await;
        stand.settle().await;
        let stub = stand.only();
        stand.wait(1);
        stand.world.withdraw_release("4.0.0");
        stand.settle().await;
        assert_eq!(
            closed(stand, stub.number),
            "**Closed by the bot: 4.0.0 is no release of the stream any more: upstream withdrew \
             it.**"
        );
        assert_eq!(stand.open(), [""; 0]);
        assert_eq!(stand.alarms().await, "");
        // It declined nothing.
        stand.world.release("4.1.0").publish().await;
        stand.settle().await;
        assert_eq!(stand.only().title, "docs(connector): migration stub for 3.9.3 → 4.1.0");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_release_of_its_major_takes_a_stub_over() {
    run_test(async |stand| {
        publish_major(stand).await;
        stand.settle().await;
        let stub = stand.only();
        stand.wait(1);
        stand.world.release("4.1.0").publish().await;
        stand.settle().await;
        assert_eq!(stand.stage("4.1.0").await.0, "covered");
        stand.world.withdraw_release("4.0.0");
        stand.settle().await;
        let after = stand.only();
        assert_eq!((after.number, after.head_branch), (stub.number, stub.head_branch));
        assert_eq!(after.title, "docs(connector): migration stub for 3.9.3 → 4.1.0");
        assert_eq!(stand.stage("4.1.0").await.0, "proposed");
        assert_eq!(stand.alarms().await, "");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stub_on_which_a_person_works_stays_and_is_an_alarm() {
    run_test(async |stand| {
        publish_major(stand).await;
        stand.settle().await;
        let branch = stand.only().head_branch;
        stand.world.commit_to(&branch, "README.md", b"# by hand\n", "docs: by hand");
        stand.wait(1);
        stand.settle().await;
        let stub = stand.only();
        stand.world.withdraw_release("4.0.0");
        stand.settle().await;
        assert_eq!(stand.only(), stub);
        assert_eq!(
            stand.alarms().await,
            "pull request #1 proposes 4.0.0, which is no release of the stream any more: upstream \
             withdrew it; a person works on its branch, so it is left open"
        );
        // It ends with the pull request.
        stand.world.close(stub.number);
        stand.settle().await;
        assert_eq!(stand.alarms().await, "");
    })
    .await;
}
