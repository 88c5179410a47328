//! The canary's steps: what they prove, what they are compared with, and what is remembered.

use crate::stand::{Stand, run_in, run_test};
use digest_bump::domain::{RunId, RunState};
use toml::{Table, Value};
use world::World;

/// A step of the canary.
struct Step(Table);

impl Step {
    fn new(name: &str, script: &str) -> Self {
        let command = ["/bin/sh", "-c", script].map(Value::from);
        let mut step = Table::new();
        step.insert("name".into(), name.into());
        step.insert("command".into(), Value::Array(command.to_vec()));
        Self(step)
    }

    fn with(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.0.insert(key.into(), value.into());
        self
    }
}

/// The canary is these steps; each knows `$V`, the version.
fn steps(stand: &mut Stand, steps: impl IntoIterator<Item = Step>) {
    let steps = steps.into_iter().map(|step| Value::Table(step.0)).collect();
    stand.set("canary.step", Value::Array(steps));
    stand.canary_env("V", "{{version}}");
}

/// The first line of a pull request, and its section about the canary.
fn told(stand: &Stand, body: &str) -> String {
    let first = body.lines().next().unwrap();
    let section = body.split("### Contract canary").nth(1).unwrap();
    let section = section.split("<details>").next().unwrap().trim_end();
    stand.redact(&format!("{first}\n### Contract canary{section}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn each_step_is_shown_and_which_of_them_saw_the_digest() {
    run_test(async |stand| {
        let install = Step::new("install", "echo added 7 packages").with("setup", true);
        let types = Step::new("types", "echo no errors");
        let image = Step::new("image", "echo \"$V answers\"").with("sees_digest", true);
        steps(stand, [image, install, types]);
        stand.world.release("3.10.0").publish().await;
        stand.settle().await;
        insta::assert_snapshot!(told(stand, &stand.only().body), @"
        **connector 3.9.3 → 3.10.0 is a MINOR. Every required check passed; one point needs a person.**
        ### Contract canary: passed

        Image: 3.10.0 answers; types: no errors. It ran on exactly the tree that this pull request pushes (`<id>`, made on `<id>`), on the bot's host, not confined.

        | step | verdict | what was seen | saw the digest |
        | --- | --- | --- | --- |
        | install (setup) | ✅ passed | added 7 packages | no |
        | image | ✅ passed | 3.10.0 answers | yes |
        | types | ✅ passed | no errors | no |
        ");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_canary_that_never_saw_the_digest_says_so_first() {
    run_test(async |stand| {
        steps(stand, [Step::new("types", "echo no errors")]);
        stand.world.release("3.10.0").publish().await;
        stand.settle().await;
        let body = stand.only().body;
        let told: Vec<&str> = body.lines().filter(|line| line.contains("canary")).take(2).collect();
        insta::assert_snapshot!(stand.redact(&told.join("\n")), @"
        **connector 3.9.3 → 3.10.0 is a MINOR. Every required check passed; 2 points need a person. The canary never saw this digest: it tested only what is around the image.**
        - Look at: no step of the canary tested the image itself; somebody or something else has to
        ");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_installation_is_no_broken_contract() {
    run_test(async |stand| {
        let install = Step::new("install", "echo no space left; exit 1").with("setup", true);
        steps(stand, [install, Step::new("contract", "echo fine")]);
        stand.world.release("3.10.0").publish().await;
        stand.settle().await;
        insta::assert_snapshot!(stand.stages().await, @"
        3.10.0 waiting: attempt 1 was inconclusive: the canary could not be prepared: install: exit status 1: no space left; until 2026-06-12T08:01:00Z (1 min from now)
        3.9.3 pinned: the downstream pins it
        ");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_step_that_fails_ends_the_run() {
    run_test(async |stand| {
        let types = Step::new("types", "test $V = 3.9.3 || { echo TS2339; exit 2; }");
        steps(stand, [types, Step::new("contract", "echo fine")]);
        stand.world.release("3.10.0").publish().await;
        stand.settle().await;
        insta::assert_snapshot!(stand.stages().await, @"
        3.10.0 held: the canary failed: types: exit status 2: TS2339; it passes at the pinned 3.9.3
        3.9.3 pinned: the downstream pins it
        ");
        assert!(!stand.canary_output().await.starts_with("fine"));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flaky_canary_is_run_as_often_as_the_config_says_and_all_attempts_are_shown() {
    run_test(async |stand| {
        // It fails in every second attempt.
        let script = "if rm tried; then echo fine; else touch tried; echo flaky; exit 1; fi";
        steps(stand, [Step::new("contract", script).with("sees_digest", true)]);
        stand.set("canary.attempts", 4);
        stand.set("canary.required_passes", 2);
        stand.world.release("3.10.0").publish().await;
        stand.settle().await;
        insta::assert_snapshot!(told(stand, &stand.only().body), @"
        **connector 3.9.3 → 3.10.0 is a MINOR. Every required check passed; one point needs a person.**
        ### Contract canary: passed

        2 of 4 attempts passed, 2 needed: fine. It ran on exactly the tree that this pull request pushes (`<id>`, made on `<id>`), on the bot's host, not confined.

        | step | verdict | what was seen | saw the digest |
        | --- | --- | --- | --- |
        | contract (attempt 1) | ❌ failed | exit status 1: flaky | yes |
        | contract (attempt 2) | ✅ passed | fine | yes |
        | contract (attempt 3) | ❌ failed | exit status 1: flaky | yes |
        | contract (attempt 4) | ✅ passed | fine | yes |
        ");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_broken_before_is_not_blamed_on_the_release() {
    run_test(async |stand| {
        stand.canary_script("echo \"no route to $V\"; exit 1");
        stand.world.release("3.10.0").publish().await;
        stand.settle().await;
        assert_eq!(stand.open(), [""; 0]);
        assert_eq!(stand.runs().await, ["3.10.0 failed", "3.9.3 failed"]);
        insta::assert_snapshot!(stand.stages().await, @"
        3.10.0 held: broken before: the canary fails at the pinned 3.9.3 as well, so the release is not to blame; there: exit status 1: no route to 3.9.3; here: exit status 1: no route to 3.10.0
        3.9.3 pinned: the downstream pins it
        ");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_patch_that_mends_the_pin_is_proposed_with_both_runs_as_evidence() {
    run_test(async |stand| {
        stand.canary_script("test $V != 3.9.3 || { echo GET /admin/peers is gone; exit 1; }");
        stand.world.release("3.9.4").publish().await;
        stand.settle().await;
        assert_eq!(stand.runs().await, ["3.9.4 passed", "3.9.3 failed"]);
        let body = stand.only().body;
        insta::assert_snapshot!(body.lines().next().unwrap(), @"**connector 3.9.3 → 3.9.4 is a patch. Every required check passed; one point needs a person. The canary fails at the pinned 3.9.3, and passes with this.**");
        let before = body.split("#### ").nth(1).unwrap().split("\n\n").take(2);
        insta::assert_snapshot!(before.collect::<Vec<_>>().join("\n"), @"
        At the pinned 3.9.3, the canary fails
        The canary failed: exit status 1: GET /admin/peers is gone.
        ");
        stand.world.merge(stand.only().number);
        stand.settle().await;
        assert_eq!(stand.open(), [""; 0]);
    })
    .await;
}

const HARNESS: &str = "packages/sdk/canary.sh";

/// A town whose harness breaks at every version but the pinned one.
async fn with_harness(story: impl AsyncFnOnce(&mut Stand)) {
    let builder = World::builder().town(|files| {
        let text = "test $1 = 3.9.3 || { echo the harness knows only 3.9.3; exit 1; }\n";
        files.insert(HARNESS.to_owned(), text.into());
    });
    run_in(builder, async |stand| {
        stand.canary_script(&format!("sh {HARNESS} $V"));
        stand.set("canary.harness", vec!["packages/sdk/canary.sh", "scripts"]);
        stand.world.release("3.10.0").publish().await;
        stand.settle().await;
        assert_eq!(stand.runs().await, ["3.10.0 failed", "3.9.3 passed"]);
        story(stand).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mended_harness_gives_another_try_and_no_other_commit_does() {
    with_harness(async |stand| {
        stand.world.commit_to("main", "README.md", b"# moved on\n", "docs: move on");
        stand.settle().await;
        assert_eq!(stand.runs().await.len(), 2);
        stand.world.commit_to("main", HARNESS, b"echo fine\n", "test: know 3.10.0");
        stand.settle().await;
        let runs = stand.runs().await;
        assert_eq!(runs, ["3.10.0 failed", "3.9.3 passed", "3.10.0 passed"]);
        assert_eq!(stand.only().title, "chore(connector): bump 3.9.3 → 3.10.0");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_asks_for_a_release_whose_canary_failed_asks_for_another_try() {
    with_harness(async |stand| {
        stand.wait_minutes(1);
        stand.request("3.10.0").await;
        stand.settle().await;
        let runs = stand.runs().await;
        assert_eq!(runs, ["3.10.0 failed", "3.9.3 passed", "3.10.0 failed"]);
        insta::assert_snapshot!(stand.requests().await, @"3.10.0 refused: the canary failed: exit status 1: the harness knows only 3.9.3; it passes at the pinned 3.9.3");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_steps_at_the_same_digest_on_the_same_harness_are_not_run_twice() {
    run_test(async |stand| {
        stand.canary_script("echo \"$V is fine\"; date +%N >> $HOME/../../../ran");
        stand.world.release("3.10.0").publish().await;
        stand.settle().await;
        stand.world.merge(stand.only().number);
        stand.wait(1);
        // The patch wants to know how the pinned release does: that was found out before.
        stand.world.release("3.10.1").publish().await;
        stand.settle().await;
        assert_eq!(stand.runs().await, ["3.10.0 passed", "3.10.1 passed", "3.10.0 passed"]);
        let ran = std::fs::read_to_string(stand.state.path().join("ran")).unwrap();
        assert_eq!(ran.lines().count(), 2);
        let memory = stand.memory().await;
        let RunState::Ended { report, .. } = &memory.runs[2].state else { panic!() };
        assert_eq!(report.of, Some(memory.runs[0].id));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn all_that_a_canary_printed_is_linked_without_secrets_and_kept_as_long_as_the_config_says() {
    run_test(async |stand| {
        let secret = format!("ghp_{}", "A1b2C3d4".repeat(5));
        stand.canary_script(&format!("seq 5000; echo {secret}; echo \"$V is fine\""));
        stand.config.insert("public_url".into(), "https://bumps.example/".into());
        stand.set("canary.keep_logs", "7d");
        stand.world.release("3.10.0").publish().await;
        stand.settle().await;
        let body = stand.only().body;
        assert!(body.contains("[All that it printed](https://bumps.example/runs/1)."), "{body}");
        let app = stand.app().await;
        let log = app.store.canary_log(RunId(1)).await.unwrap().unwrap();
        assert!(log.starts_with("1\n2\n") && log.ends_with("***\n3.10.0 is fine\n"));
        assert!(!log.contains(&secret) && !body.contains(&secret));
        app.store.close().await;
        stand.wait(8 * 24);
        stand.settle().await;
        let app = stand.app().await;
        assert_eq!(app.store.canary_log(RunId(1)).await.unwrap(), None);
        app.store.close().await;
    })
    .await;
}
