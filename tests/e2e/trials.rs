//! A canary that is run again because somebody asks.

use crate::by_checks;
use crate::own_check::OWN;
use crate::stand::{Stand, run_test};
use std::fs;

/// A canary that fails at 3.10.0 while a file is there; and that file.
fn fickle(stand: &mut Stand) -> std::path::PathBuf {
    let door = stand.state.path().join("the wind");
    let script = format!("test $V != 3.10.0 -o ! -e '{}' || exit 1; echo fine", door.display());
    stand.canary_script(&script);
    stand.config.insert("public_url".into(), "https://bumps.example".into());
    door
}

/// What the bot's own check at the head says: the newest, which counts.
fn own_check(stand: &Stand) -> String {
    let run = stand.world.check_run(&stand.only().head_sha, OWN).unwrap();
    run["conclusion"].as_str().or(run["status"].as_str()).unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_passed_is_run_again_and_the_open_pull_request_tells_of_the_new_run() {
    run_test(async |stand| {
        fickle(stand);
        stand.world.release("3.10.0").publish().await;
        stand.settle().await;
        let before = stand.only();
        assert!(before.body.contains("https://bumps.example/runs/1"));
        stand.world.commit_to("main", "README.md", b"# moved on\n", "docs: move on");
        stand.wait(1);
        stand.settle().await;
        assert_eq!((stand.runs().await.len(), stand.only()), (1, before.clone()));

        stand.request_canary("3.10.0").await;
        stand.settle().await;
        assert_eq!(stand.runs().await, ["3.10.0 passed", "3.10.0 passed"]);
        assert_eq!(stand.requests().await, "3.10.0 granted: the canary passed: fine");
        let after = stand.only();
        assert_eq!(after.number, before.number);
        assert!(after.body.contains("https://bumps.example/runs/2"), "{}", after.body);
        // What it ran on is what is proposed: the downstream of today.
        let parent = stand.git(&["rev-parse", &format!("{}^", after.head_branch)]);
        assert_eq!(parent, stand.git(&["rev-parse", "main"]));
        assert_eq!(own_check(stand), "success");
        // Once, and not again.
        stand.wait(1);
        stand.settle().await;
        assert_eq!((stand.runs().await.len(), stand.only()), (2, after));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_then_fails_warns_in_the_open_pull_request_until_another_passes() {
    run_test(async |stand| {
        let door = fickle(stand);
        stand.world.release("3.10.0").publish().await;
        stand.settle().await;
        assert_eq!(own_check(stand), "success");
        fs::write(&door, "").unwrap();
        stand.wait(1);
        stand.request_canary("3.10.0").await;
        stand.settle().await;
        insta::assert_snapshot!(stand.requests().await, @"3.10.0 granted: the canary failed: exit status 1: it printed nothing; it passes at the pinned 3.9.3");
        let first = stand.only().body.lines().take(3).collect::<Vec<_>>().join("\n");
        insta::assert_snapshot!(first, @"
        > [!WARNING]
        > **Look before you merge: the canary was asked for again, and run 2 of it failed.** What this pull request tells of the canary was found out before that.
        ");
        assert_eq!(own_check(stand), "failure");
        let warned = stand.only();
        stand.wait(1);
        stand.settle().await;
        assert_eq!(stand.only(), warned);

        fs::remove_file(&door).unwrap();
        stand.request_canary("3.10.0").await;
        stand.settle().await;
        assert!(!stand.only().body.contains("Look before you merge"), "{}", stand.only().body);
        assert!(stand.only().body.contains("https://bumps.example/runs/4"));
        assert_eq!(own_check(stand), "success");
        assert_eq!(
            stand.runs().await,
            ["3.10.0 passed", "3.10.0 failed", "3.9.3 passed", "3.10.0 passed"]
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn while_it_runs_again_the_head_says_so() {
    run_test(async |stand| {
        stand.canary_script("exit 0");
        stand.world.release("3.10.0").publish().await;
        stand.settle().await;
        stand.canary_script("test $V != 3.10.0 || sleep 60");
        stand.wait(1);
        stand.request_canary("3.10.0").await;
        let app = stand.app().await;
        stand.pass(&app).await;
        assert_eq!(own_check(stand), "in_progress");
        app.supervisor.stop().await;
        app.store.close().await;
        stand.canary_script("exit 0");
        stand.settle().await;
        assert_eq!(own_check(stand), "success");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_pinned_release_and_a_major_are_tried_and_nothing_older_or_unknown_is() {
    run_test(async |stand| {
        stand.config.insert("public_url".into(), "https://bumps.example".into());
        stand.world.release("3.9.2").published_at("2026-06-01T08:00:00Z").publish().await;
        stand.world.release("4.0.0").publish().await;
        stand.settle().await;
        assert_eq!(stand.runs().await, ["4.0.0 passed"]);
        for version in ["3.9.2", "3.99.0", "3.9.3", "4.0.0"] {
            stand.wait(1);
            stand.request_canary(version).await;
            stand.settle().await;
        }
        assert_eq!(stand.runs().await, ["4.0.0 passed", "3.9.3 passed", "4.0.0 passed"]);
        insta::assert_snapshot!(stand.requests().await, @"
        4.0.0 granted: the canary passed: contract ok: 1 file, 3 tests passed
        3.9.3 granted: the canary passed: contract ok: 1 file, 3 tests passed
        3.99.0 refused: there is no release 3.99.0
        3.9.2 refused: the pin is at 3.9.3, and nothing older is tried
        ");
        // The stub's news is that of the last run.
        assert!(
            stand.only().body.contains("https://bumps.example/runs/3"),
            "{}",
            stand.only().body
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_downstream_runs_itself_is_run_again_there() {
    by_checks::run_story(async |stand| {
        stand.world.release("3.10.0").publish().await;
        stand.settle().await;
        stand.wait_minutes(1);
        stand.request_canary("3.10.0").await;
        stand.settle().await;
        insta::assert_snapshot!(stand.requests().await, @"3.10.0 refused: the downstream's own checks are the canary: have them run again at GitHub, and ask for the release once more if it is held");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_finds_nothing_out_is_retried_before_it_is_answered() {
    run_test(async |stand| {
        stand.canary_script("exit 0");
        stand.world.release("3.10.0").publish().await;
        stand.settle().await;
        let before = stand.only();
        stand.canary_script("test $V != 3.10.0 || exit 75");
        stand.wait(1);
        stand.request_canary("3.10.0").await;
        for minutes in [0, 1, 10, 60, 600] {
            stand.wait_minutes(minutes);
            stand.settle().await;
        }
        insta::assert_snapshot!(stand.requests().await, @"3.10.0 refused: could not be found out in 4 attempts: the canary did not find out: exit status 75: it printed nothing");
        assert_eq!(stand.only().body, before.body);
        assert_eq!(own_check(stand), "neutral");
    })
    .await;
}
