//! The contract canary: a real process, bounded, and without the bot's secrets.

use crate::stand::{Stand, run_test};
use digest_bump::domain::RunState;
use std::{path::PathBuf, time::Duration};
use world::{Fault, Service};

#[tokio::test(flavor = "multi_thread")]
async fn a_release_whose_canary_fails_is_held_with_its_last_line() {
    run_test(async |stand| {
        let broken = stand.world.release("3.10.0");
        broken.breaks_contract("GET /admin/peers is gone").publish().await;
        stand.settle().await;
        assert_eq!(stand.open(), [""; 0]);
        insta::assert_snapshot!(stand.stages().await, @"
        3.10.0 held: the canary failed: exit status 1: FAIL GET /admin/peers is gone; it passes at the pinned 3.9.3
        3.9.3 pinned: the downstream pins it
        ");
        // A failure is an answer: it is not tried again.
        stand.wait(100);
        stand.settle().await;
        assert_eq!(stand.runs().await, ["3.10.0 failed", "3.9.3 passed"]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_canary_that_could_not_find_out_is_tried_again_with_growing_pauses_and_then_held() {
    run_test(async |stand| {
        // Nothing listens there.
        stand.canary_env("WORLD_REGISTRY", "http://127.0.0.1:1");
        stand.world.release("3.10.0").publish().await;
        let mut seen = Vec::new();
        for minutes in [0, 1, 10, 60, 600] {
            stand.wait_minutes(minutes);
            stand.settle().await;
            let (word, line) = stand.stage("3.10.0").await;
            seen.push(format!("{} {word}: {line}", stand.runs().await.len()));
        }
        assert_eq!(stand.open(), [""; 0]);
        insta::assert_snapshot!(seen.join("\n"), @"
        1 waiting: attempt 1 was inconclusive: the canary did not find out: exit status 75: cannot reach the registry: GET http://127.0.0.1:1/token?service=ghcr.io&scope=repository:toon-protocol/connector:pull: Connection refused (os error 111); until 2026-06-12T08:01:00Z (1 min from now)
        2 waiting: attempt 2 was inconclusive: the canary did not find out: exit status 75: cannot reach the registry: GET http://127.0.0.1:1/token?service=ghcr.io&scope=repository:toon-protocol/connector:pull: Connection refused (os error 111); until 2026-06-12T08:11:00Z (10 min from now)
        3 waiting: attempt 3 was inconclusive: the canary did not find out: exit status 75: cannot reach the registry: GET http://127.0.0.1:1/token?service=ghcr.io&scope=repository:toon-protocol/connector:pull: Connection refused (os error 111); until 2026-06-12T09:11:00Z (1 h from now)
        4 held: could not be found out in 4 attempts: the canary did not find out: exit status 75: cannot reach the registry: GET http://127.0.0.1:1/token?service=ghcr.io&scope=repository:toon-protocol/connector:pull: Connection refused (os error 111); `digest-bump request canary 3.10.0` has it run again
        4 held: could not be found out in 4 attempts: the canary did not find out: exit status 75: cannot reach the registry: GET http://127.0.0.1:1/token?service=ghcr.io&scope=repository:toon-protocol/connector:pull: Connection refused (os error 111); `digest-bump request canary 3.10.0` has it run again
        ");

        // Whoever asks for it asks for another try.
        stand.canary_env("WORLD_REGISTRY", stand.world.registry_url());
        stand.settle().await;
        assert_eq!(stand.only().title, "chore(connector): bump 3.9.3 → 3.10.0");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_held_release_gets_another_try_on_request() {
    run_test(async |stand| {
        let door = stand.state.path().join("the registry is up again");
        let script = format!("test -e '{}' || exit 75", door.display());
        stand.canary_script(&script);
        stand.world.release("3.10.0").publish().await;
        for minutes in [0, 1, 10, 60] {
            stand.wait_minutes(minutes);
            stand.settle().await;
        }
        assert_eq!(stand.stage("3.10.0").await.0, "held");
        std::fs::write(door, "").unwrap();
        stand.wait_minutes(1);
        stand.settle().await;
        assert_eq!(stand.stage("3.10.0").await.0, "held");
        stand.request("3.10.0").await;
        stand.settle().await;
        assert_eq!(stand.only().title, "chore(connector): bump 3.9.3 → 3.10.0");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_time_limit_ends_it() {
    run_test(async |stand| {
        stand.set("canary.step.0.time_limit", "1s");
        stand.canary_env("CANARY_DELAY_MS", "60000");
        stand.world.release("3.10.0").publish().await;
        stand.settle().await;
        insta::assert_snapshot!(stand.stages().await, @"
        3.10.0 waiting: attempt 1 was inconclusive: the canary did not find out: it did not end within 1 s, and was ended; until 2026-06-12T08:01:00Z (1 min from now)
        3.9.3 pinned: the downstream pins it
        ");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn its_environment_has_no_secret_and_its_output_shows_none() {
    run_test(async |stand| {
        let token = stand.world.token().to_owned();
        // As if the canary had found the token somewhere.
        stand.canary_env("FOUND", token.clone());
        stand.canary_script("env | sort; echo found $FOUND; exit 1");
        stand.world.release("3.10.0").publish().await;
        stand.settle().await;
        let output = stand.canary_output().await;
        let names = output
            .lines()
            .filter_map(|line| line.split_once('='))
            .map(|(name, _)| name);
        insta::assert_snapshot!(names.collect::<Vec<_>>().join(" "), @"EXPECT_DIGEST FOUND HOME LANG PATH PWD TMPDIR V WORLD_REGISTRY EXPECT_DIGEST FOUND HOME LANG PATH PWD TMPDIR V WORLD_REGISTRY");
        assert!(output.contains("FOUND=***"), "{output}");
        insta::assert_snapshot!(stand.stages().await, @"
        3.10.0 held: broken before: the canary fails at the pinned 3.9.3 as well, so the release is not to blame; there: exit status 1: found ***; here: exit status 1: found ***
        3.9.3 pinned: the downstream pins it
        ");
        for file in ["digest-bump.db", "digest-bump.db-wal"] {
            let bytes = std::fs::read(stand.state.path().join(file)).unwrap_or_default();
            assert!(!String::from_utf8_lossy(&bytes).contains(&token), "{file}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn it_runs_in_an_exported_tree_with_exactly_the_proposed_edits() {
    run_test(async |stand| {
        stand.canary_script(
            "git --version >/dev/null; test ! -e .git || exit 1
             find . -type f | sort | xargs sha256sum; echo \"$V\"",
        );
        stand.world.release("3.10.0").publish().await;
        stand.settle().await;
        let branch = stand.only().head_branch;
        let seen = stand.canary_output().await;
        let files = stand.git(&["ls-tree", "-r", "--name-only", &branch]);
        assert_eq!(seen.lines().count(), files.lines().count() + 1);
        for file in files.lines() {
            let bytes = stand.world.file(&branch, file).unwrap();
            let hash = digest_bump::domain::Digest::of(&bytes).to_string();
            let line = format!("{}  ./{file}", hash.trim_start_matches("sha256:"));
            assert!(seen.contains(&line), "{line}\n{seen}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_is_told_version_digest_and_image_in_arguments_and_environment() {
    run_test(async |stand| {
        let words = ["/bin/echo", "{{version}}", "{{digest}}", "{{image}}"].map(toml::Value::from);
        stand.set("canary.step.0.command", toml::Value::Array(words.to_vec()));
        stand.world.release("3.10.0").publish().await;
        stand.settle().await;
        let digest = stand.world.image_digest("3.10.0").unwrap();
        let told = format!("3.10.0 {digest} ghcr.io/toon-protocol/connector@{digest}\n");
        assert_eq!(stand.canary_output().await, told);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_canary_blocks_no_other_candidate_and_no_answer() {
    run_test(async |stand| {
        stand.canary_script("test $V != 3.10.0 || sleep 60");
        stand.world.release("3.10.0").publish().await;
        stand.world.release("4.0.0").publish().await;
        let app = stand.app().await;
        stand.pass(&app).await;
        // The one at the MAJOR ends, the other goes on.
        app.wake.notified().await;
        stand.request("3.99.0").await;
        stand.pass(&app).await;
        assert_eq!(
            stand.open(),
            ["docs(connector): migration stub for 3.9.3 → 4.0.0"]
        );
        insta::assert_snapshot!(stand.requests().await, @"3.99.0 refused: there is no release 3.99.0");
        insta::assert_snapshot!(stand.stages().await, @"
        4.0.0 proposed: pull request #1 proposes it
        3.10.0 canary: the canary has been running for 0 s
        3.9.3 pinned: the downstream pins it
        ");
        app.supervisor.stop().await;
    })
    .await;
}

/// A canary that passes as soon as the file is there.
fn wait_for_a_file(stand: &mut Stand) -> PathBuf {
    let gate = stand.state.path().join("go on");
    stand.canary_script(&format!("until test -e '{}'; do sleep 0.05; done", gate.display()));
    gate
}

#[tokio::test(flavor = "multi_thread")]
async fn a_canary_that_is_carried_lives_however_old_its_row_is() {
    run_test(async |stand| {
        let gate = wait_for_a_file(stand);
        stand.world.release("3.10.0").publish().await;
        let app = stand.app().await;
        stand.pass(&app).await;
        // Longer than its last sign of life lasts: the process was stopped, or the pass was slow.
        stand.wait_minutes(1);
        stand.pass(&app).await;
        assert_eq!(stand.runs().await, ["3.10.0 running"]);
        assert!(stand.state.path().join("canary/1/tree").exists(), "its tree was taken away");
        std::fs::write(gate, "").unwrap();
        app.wake.notified().await;
        stand.pass(&app).await;
        assert_eq!(stand.runs().await, ["3.10.0 passed"]);
        assert_eq!(stand.only().title, "chore(connector): bump 3.9.3 → 3.10.0");
        app.supervisor.stop().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_canary_that_ends_while_another_process_reads_is_not_taken_for_dead() {
    run_test(async |stand| {
        let gate = wait_for_a_file(stand);
        stand.world.release("3.10.0").publish().await;
        let (app, other) = (stand.app().await, stand.app().await);
        stand.pass(&app).await;
        stand.wait_minutes(1);
        stand.world.clear_requests();
        let slow = Fault::on(Service::GitHub).path_contains("/releases");
        stand.world.fault(slow.delay(Duration::from_secs(4)));
        let meanwhile = async {
            while stand.world.requests().is_empty() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            std::fs::write(gate, "").unwrap();
            app.wake.notified().await;
        };
        // It read a row by which the canary is long dead.
        tokio::join!(Box::pin(stand.pass(&other)), meanwhile);
        assert_eq!(stand.runs().await, ["3.10.0 passed"]);
        assert_eq!(stand.only().title, "chore(connector): bump 3.9.3 → 3.10.0");
        app.supervisor.stop().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_whose_process_died_is_inconclusive_and_tried_again() {
    run_test(async |stand| {
        stand.canary_env("CANARY_DELAY_MS", "60000");
        stand.world.release("3.10.0").publish().await;
        stand.pass_and_die().await;
        // Nobody knows yet that it is dead.
        stand.settle().await;
        assert_eq!(stand.runs().await, ["3.10.0 running"]);
        stand.wait_minutes(1);
        stand.settle().await;
        assert_eq!(stand.runs().await, ["3.10.0 inconclusive"]);
        insta::assert_snapshot!(stand.stages().await, @"
        3.10.0 waiting: attempt 1 was inconclusive: the bot's process died while the canary ran; until 2026-06-12T08:02:00Z (1 min from now)
        3.9.3 pinned: the downstream pins it
        ");
        let left = std::fs::read_dir(stand.state.path().join("canary")).unwrap();
        assert_eq!(left.count(), 0);

        stand.canary_env("CANARY_DELAY_MS", "0");
        stand.wait_minutes(1);
        stand.settle().await;
        assert_eq!(stand.only().title, "chore(connector): bump 3.9.3 → 3.10.0");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bot_that_is_stopped_ends_its_canary_and_says_so() {
    run_test(async |stand| {
        stand.canary_env("CANARY_DELAY_MS", "3000");
        stand.world.release("3.10.0").publish().await;
        let app = stand.app().await;
        stand.pass(&app).await;
        app.supervisor.stop().await;
        let memory = stand.memory().await;
        assert!(matches!(memory.runs[0].state, RunState::Ended { .. }));
        insta::assert_snapshot!(stand.stages().await, @"
        3.10.0 checking: its evidence is being collected
        3.9.3 pinned: the downstream pins it
        ");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_base_may_move_while_the_branch_is_pushed() {
    run_test(async |stand| {
        stand.world.release("3.10.0").publish().await;
        stand.world.fault(stand.push_fault().delay(Duration::from_secs(1)));
        let settled = stand.settle();
        let moved = async {
            // The push is in flight from the moment when its commands were asked for, or its commit
            // was made.
            let pushing = || {
                let begun = ["service=git-receive-pack", "/git/commits"];
                let requests = stand.world.requests();
                requests.iter().any(|it| begun.iter().any(|path| it.path.ends_with(path)))
            };
            while !pushing() {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            let script = "scripts/townhouse-e2e-local-hs.sh";
            let content = stand.world.file("main", script).unwrap();
            let content = String::from_utf8(content).unwrap() + "# moved on\n";
            stand.world.commit_to("main", script, content.as_bytes(), "docs: move on");
        };
        tokio::join!(settled, moved);
        // Nothing is lost of either: the pull request has its own lines, and merges.
        let pull = stand.only();
        assert_eq!(pull.title, "chore(connector): bump 3.9.3 → 3.10.0");
        stand.world.merge(pull.number);
        let merged = stand.world.file("main", "scripts/townhouse-e2e-local-hs.sh").unwrap();
        let merged = String::from_utf8(merged).unwrap();
        assert!(merged.contains("3.10.0") && merged.ends_with("# moved on\n"), "{merged}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_base_may_move_after_the_canary_what_is_pushed_is_still_what_it_saw() {
    run_test(async |stand| {
        stand.world.release("3.10.0").publish().await;
        let app = stand.app().await;
        stand.pass(&app).await;
        app.wake.notified().await;
        stand.world.commit_to("main", "README.md", b"# moved on\n", "docs: move on");
        stand.pass(&app).await;
        let run = stand.memory().await.runs.remove(0);
        let branch = stand.only().head_branch;
        let pushed = stand.git(&["show", "-s", "--format=%T %P", &branch]);
        assert_eq!(pushed, format!("{} {}", run.tree, run.base));
        assert_ne!(stand.git(&["rev-parse", "main"]), run.base.to_string());
    })
    .await;
}
