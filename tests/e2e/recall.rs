//! Orders outlive the database: they are found again in the bot's own answers and on its dashboard.
//! And what was done a moment before it was lost is not done twice.

use crate::by_checks::{CHECK, by_checks, draft};
use crate::commands::{MAINTAINER, STRANGER, answers, run_story, say};
use crate::stand::{Stand, run_test};
use digest_bump::daemon;
use digest_bump::domain::Ordered;
use world::{Fault, Service};

/// What the command line does.
async fn order(stand: &Stand, ordered: Ordered) {
    let config = stand.parsed();
    let store = daemon::open_store(&config, &stand.clock).await.unwrap();
    let (watch, at) = (&config.watches[0].name, stand.clock.now());
    store.record_order(watch, &ordered, "operator", at).await.unwrap();
    store.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hold_outlives_the_database() {
    run_story(async |stand, pull| {
        say(stand, MAINTAINER, pull.number, "/bump hold for the fair --> <!-- @all").await;
        let held = stand.view().await.standing;
        stand.world.release("3.11.0").publish().await;
        for _ in 0..2 {
            stand.lose_memory().await;
            stand.wait_minutes(5);
            let report = stand.settle().await;
            assert_eq!(
                report.performed[0],
                "found a standing order again: hold by maya since 2026-06-12T08:05:00Z: for the \
                 fair --> <!-- @all"
            );
            assert_eq!(stand.view().await.standing, held);
            assert_eq!(stand.open(), ["chore(connector): bump 3.9.3 → 3.10.0"]);
        }
        say(stand, MAINTAINER, pull.number, "/bump unhold").await;
        assert_eq!(stand.open(), ["chore(connector): bump 3.9.3 → 3.11.0"]);
        // That it ended is as good as known.
        stand.lose_memory().await;
        stand.settle().await;
        assert_eq!(stand.view().await.standing, Vec::<String>::new());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hold_that_was_said_in_a_merged_pull_request_outlives_it_too() {
    run_story(async |stand, pull| {
        say(stand, MAINTAINER, pull.number, "/bump hold").await;
        stand.world.merge(pull.number);
        stand.world.release("3.11.0").publish().await;
        stand.lose_memory().await;
        stand.settle().await;
        assert_eq!(stand.open(), Vec::<String>::new());
        assert_eq!(stand.view().await.standing.len(), 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_ignored_stays_so_and_what_was_asked_for_is_not() {
    run_story(async |stand, pull| {
        say(stand, MAINTAINER, pull.number, "/bump ignore minor").await;
        assert_eq!(stand.open(), Vec::<String>::new());
        stand.world.release("3.11.0").publish().await;
        say(stand, MAINTAINER, pull.number, "/bump 3.11.0").await;
        let asked = stand.only();
        assert_eq!(asked.title, "chore(connector): bump 3.9.3 → 3.11.0");
        stand.world.release("3.12.0").publish().await;
        stand.lose_memory().await;
        stand.wait_minutes(5);
        let report = stand.settle().await;
        insta::assert_snapshot!(report.performed.join("\n"), @"
        found a standing order again: ignore minor by maya since 2026-06-12T08:05:00Z
        canary started at 3.11.0
        ");
        assert_eq!(stand.only().number, asked.number);
        assert_eq!(stand.only().title, asked.title);
        insta::assert_snapshot!(stand.stages().await, @"
        3.12.0 skipped: a person asked for 3.11.0 when this was already out
        3.11.0 proposed: pull request #2 proposes it
        3.10.0 covered: 3.11.0 contains it
        3.9.3 pinned: the downstream pins it
        ");
        insta::assert_snapshot!(stand.requests().await, @"3.11.0 granted: it was asked for before the database was lost");
        say(stand, MAINTAINER, asked.number, "/bump unignore").await;
        stand.lose_memory().await;
        stand.wait_minutes(5);
        stand.settle().await;
        assert_eq!(stand.view().await.standing, Vec::<String>::new());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_dashboard_keeps_what_the_command_line_ordered() {
    run_test(async |stand| {
        stand.set("downstream.dashboard.enabled", true);
        stand.settle().await;
        order(stand, Ordered::Hold { reason: Some("a freeze".to_owned()) }).await;
        stand.settle().await;
        stand.world.release("3.10.0").publish().await;
        stand.lose_memory().await;
        stand.wait_minutes(5);
        stand.settle().await;
        assert_eq!(stand.open(), Vec::<String>::new());
        assert_eq!(stand.world.issues().len(), 1);
        // What was said to the new database counts more.
        stand.lose_memory().await;
        order(stand, Ordered::Unhold).await;
        stand.wait_minutes(5);
        stand.settle().await;
        assert_eq!(stand.open(), ["chore(connector): bump 3.9.3 → 3.10.0"]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_else_can_put_an_order_there() {
    run_story(async |stand, pull| {
        let forged = "<!-- digest-bump:orders:1 {\"watch\":\"townhouse\",\"as_of\":99,\"entries\":\
                      [{\"said\":\"hold\",\"by\":\"eve\",\"at\":99}]} -->";
        say(stand, STRANGER, pull.number, &format!("words\n{forged}")).await;
        // What the bot quotes in its answer is no line of its own.
        say(stand, STRANGER, pull.number, &format!("/bump hold {forged}")).await;
        say(stand, STRANGER, pull.number, &format!("/bump {forged}")).await;
        assert_eq!(answers(stand, pull.number).len(), 2);
        stand.lose_memory().await;
        stand.wait_minutes(5);
        stand.world.release("3.11.0").publish().await;
        stand.settle().await;
        assert_eq!(stand.view().await.standing, Vec::<String>::new());
        assert_eq!(stand.open(), ["chore(connector): bump 3.9.3 → 3.11.0"]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_memory_that_cannot_look_back_does_nothing() {
    run_story(async |stand, pull| {
        say(stand, MAINTAINER, pull.number, "/bump hold").await;
        stand.world.release("3.11.0").publish().await;
        stand.lose_memory().await;
        let lists = "/town/issues/comments";
        let down = Fault::on(Service::GitHub).path_contains(lists).status(502).always();
        stand.world.fault(down);
        let report = stand.once().await;
        stand.world.clear_faults();
        assert!(!report.troubles.is_empty());
        assert_eq!(stand.open(), ["chore(connector): bump 3.9.3 → 3.10.0"]);
        stand.settle().await;
        assert_eq!(stand.open(), ["chore(connector): bump 3.9.3 → 3.10.0"]);
        assert_eq!(stand.view().await.standing.len(), 1);
    })
    .await;
}

/// Loses the memory while the lists do not show the last write; gives it back its sight only when the
/// bot has waited for them.
async fn forget_and_wait(stand: &Stand) {
    stand.lose_memory().await;
    for minutes in [0, 1] {
        stand.wait_minutes(minutes);
        stand.world.list_lag(60);
        let report = stand.settle().await;
        assert_eq!(
            report.wake.map(|it| it.to_string()).as_deref(),
            Some("2026-06-12T08:02:00Z"),
            "{report:?}"
        );
    }
    stand.world.list_lag(0);
    stand.wait_minutes(1);
    stand.settle().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dashboard_that_is_not_listed_yet_is_not_opened_twice() {
    run_test(async |stand| {
        stand.world.release("3.10.0").publish().await;
        stand.settle().await;
        stand.set("downstream.dashboard.enabled", true);
        stand.settle().await;
        assert_eq!(stand.world.issues().len(), 1);
        forget_and_wait(stand).await;
        assert_eq!(stand.world.issues().len(), 1);
        stand.only();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_check_that_is_not_listed_yet_is_not_reported_twice() {
    run_test(async |stand| {
        // Nobody else makes check runs.
        stand.become_app();
        by_checks(stand);
        stand.world.release("3.10.0").publish().await;
        stand.settle().await;
        let first = draft(stand);
        stand.world.ci_concludes(&first.head_sha, CHECK, "failure");
        stand.settle().await;
        stand.world.release("3.11.0").publish().await;
        // The last thing that is written is the check of the new commit.
        let edits = Fault::on(Service::GitHub).method("PATCH").path_contains("/pulls/");
        stand.world.fault(edits.status(502).always());
        stand.once().await;
        stand.world.clear_faults();
        let head = draft(stand).head_sha;
        assert_ne!(head, first.head_sha);
        assert_eq!(stand.world.check_runs(&head).len(), 1);
        forget_and_wait(stand).await;
        assert_eq!(draft(stand).head_sha, head);
        assert_eq!(stand.world.check_runs(&head).len(), 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_comment_that_is_not_listed_yet_is_not_said_twice() {
    run_test(async |stand| {
        stand.world.release("3.10.0").publish().await;
        stand.settle().await;
        let pull = stand.only();
        stand.world.commit_to(&pull.head_branch, "README.md", b"# by hand\n", "docs: by hand");
        stand.settle().await;
        assert_eq!(stand.world.comments(pull.number).len(), 1);
        forget_and_wait(stand).await;
        assert_eq!(stand.world.comments(pull.number).len(), 1);
    })
    .await;
}
