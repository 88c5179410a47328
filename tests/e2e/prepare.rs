//! What a tool of the downstream's own adds to the edit: a regenerated lockfile, say.

use crate::people::bump_by_hand;
use crate::stand::{Stand, run_in};
use toml::{Table, Value};
use world::World;

const LOCK: &str = "pnpm-lock.yaml";

fn prepare(stand: &mut Stand, script: &str) {
    let command = ["/bin/sh", "-c", script].map(Value::from);
    let mut prepare = Table::new();
    prepare.insert("command".into(), Value::Array(command.to_vec()));
    let files = [LOCK, "packages/*/package.json"].map(Value::from);
    prepare.insert("files".into(), Value::Array(files.to_vec()));
    stand.set("canary.prepare", Value::Table(prepare));
}

/// A town with a lockfile, a tool that writes it, and a canary that wants it.
async fn with_lockfile(story: impl AsyncFnOnce(&mut Stand)) {
    let builder = World::builder().town(|files| {
        files.insert(LOCK.to_owned(), b"connector 3.9.3\n".into());
        files.insert("packages/mill/package.json".to_owned(), b"{ \"needs\": \"3.9.3\" }\n".into());
    });
    run_in(builder, async |stand| {
        stand.canary_script(&format!("grep -qx \"connector $V\" {LOCK} && echo \"$V is locked\""));
        let tool = format!(
            "echo connector $V > {LOCK}; sed -i s/3.9.3/$V/ packages/mill/package.json; echo done"
        );
        prepare(stand, &tool);
        story(stand).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_files_are_part_of_what_the_canary_sees_and_of_the_pull_request() {
    with_lockfile(async |stand| {
        stand.world.release("3.10.0").publish().await;
        stand.settle().await;
        let pull = stand.only();
        let file = |path: &str| stand.git(&["show", &format!("{}:{path}", pull.head_branch)]);
        assert_eq!(file(LOCK), "connector 3.10.0");
        assert_eq!(file("packages/mill/package.json"), "{ \"needs\": \"3.10.0\" }");
        let told: Vec<&str> = pull
            .body
            .lines()
            .filter(|line| line.contains("prepare") || line.contains("own tool"))
            .collect();
        insta::assert_snapshot!(told.join("\n"), @"
        | prepare (setup) | ✅ passed | wrote packages/mill/package.json, pnpm-lock.yaml | no |
        - packages/mill/package.json: as the downstream's own tool writes it
        - pnpm-lock.yaml: as the downstream's own tool writes it
        ");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_else_it_changes_is_a_fault_and_nothing_is_proposed() {
    with_lockfile(async |stand| {
        let tool = "echo x > .npmrc; rm README.md; chmod +x package.json; mkdir new; \
                    echo y > new/package.json; ln -s /etc/passwd packages/mill/link; \
                    rm pnpm-lock.yaml; ln -s /etc/passwd pnpm-lock.yaml; echo done";
        prepare(stand, tool);
        stand.world.release("3.10.0").publish().await;
        stand.settle().await;
        assert_eq!(stand.open(), [""; 0]);
        insta::assert_snapshot!(stand.stages().await, @"
        3.10.0 waiting: attempt 1 was inconclusive: the canary could not be prepared: prepare: it changed what it may not: .npmrc is not among its files, README.md was removed, new/package.json is not among its files, package.json changed its mode, packages/mill/link is a new link, and 1 more; until 2026-06-12T08:01:00Z (1 min from now)
        3.9.3 pinned: the downstream pins it
        ");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tool_that_fails_says_nothing_of_the_release() {
    with_lockfile(async |stand| {
        prepare(stand, "echo no such version; exit 1");
        stand.world.release("3.10.0").publish().await;
        stand.settle().await;
        insta::assert_snapshot!(stand.stages().await, @"
        3.10.0 waiting: attempt 1 was inconclusive: the canary could not be prepared: prepare: exit status 1: no such version; until 2026-06-12T08:01:00Z (1 min from now)
        3.9.3 pinned: the downstream pins it
        ");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_prepared_is_remembered_where_only_the_pin_moved() {
    with_lockfile(async |stand| {
        stand.set("canary.harness", vec!["packages/sdk"]);
        stand.world.release("3.10.0").publish().await;
        stand.settle().await;
        let older = stand.only().head_sha;
        stand.world.release("3.11.0").publish().await;
        stand.settle().await;
        bump_by_hand(stand, &older);
        stand.settle().await;
        let pull = stand.only();
        assert_eq!(pull.title, "chore(connector): bump 3.10.0 → 3.11.0");
        assert_eq!(stand.runs().await, ["3.10.0 passed", "3.11.0 passed", "3.11.0 passed"]);
        let branch = pull.head_branch;
        assert_eq!(stand.git(&["show", &format!("{branch}:{LOCK}")]), "connector 3.11.0");
        insta::assert_snapshot!(stand.redact(pull.body.split("\n\n").nth(3).unwrap()), @"3.11.0 is locked. That was found out by run 2, on the bot's host, not confined, with the same steps, at the same digest and on the same harness, which are not run twice.");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_lost_with_the_git_cache_is_prepared_again() {
    with_lockfile(async |stand| {
        stand.world.release("3.9.4").publish().await;
        stand.settle().await;
        std::fs::remove_dir_all(stand.state.path().join("git")).unwrap();
        stand.wait_minutes(1);
        stand.request("3.9.4").await;
        for _ in 0..2 {
            stand.settle().await;
            stand.wait_minutes(2);
        }
        let branch = stand.only().head_branch;
        assert_eq!(stand.git(&["show", &format!("{branch}:{LOCK}")]), "connector 3.9.4");
    })
    .await;
}
