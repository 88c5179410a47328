//! The downstream's own checks are the canary, and a workflow prepares the draft for them.

use crate::by_checks::{CHECK, ci, draft, pulls};
use crate::by_workflow::{FILE, commit_workflow, last, scratch};
use crate::stand::{Stand, run_test};
use toml::Value;

const LOCKFILE: &[u8] = b"lockfileVersion: '6.0'\n";

async fn run_story(story: impl AsyncFnOnce(&mut Stand)) {
    run_test(async |stand| {
        let mut canary = toml::toml! {
            executor = "checks"
            sees_digest = true
            prepare = { files = ["pnpm-lock.yaml"] }
        };
        canary.insert("checks".into(), Value::Array(vec![CHECK.into()]));
        stand.set("canary", Value::Table(canary));
        stand.set("canary.prepare.workflow", FILE);
        commit_workflow(stand);
        stand.world.release("3.10.0").publish().await;
        stand.settle().await;
        story(stand).await;
    })
    .await;
}

/// The last run hands back this file, and concludes.
fn prepared(stand: &Stand, conclusion: &str, path: &str) {
    let run = last(stand).id;
    stand.world.run_hands_back(run, "digest-bump", &[(path, LOCKFILE)]);
    stand.world.run_concludes(run, conclusion);
    stand.wait_minutes(2);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_draft_is_opened_with_what_was_prepared() {
    run_story(async |stand| {
        assert_eq!(stand.world.open_pulls(), []);
        // Right after the dispatch no list may show the run yet.
        stand.settle().await;
        insta::assert_snapshot!(stand.stages().await, @"
        3.10.0 canary: its checks run since 2026-06-12T08:00:00Z: workflow digest-bump-canary.yml is under way
        3.9.3 pinned: the downstream pins it
        ");
        prepared(stand, "success", "prepared/pnpm-lock.yaml");
        stand.settle().await;
        let waits = draft(stand);
        assert_eq!(stand.world.file(&waits.head_sha, "pnpm-lock.yaml").unwrap(), LOCKFILE);
        assert!(waits.body.contains("pnpm-lock.yaml: as the downstream's own tool writes it"));
        assert_eq!(scratch(stand), Vec::<String>::new());
        insta::assert_snapshot!(stand.stages().await, @"
        3.10.0 canary: its checks run since 2026-06-12T08:00:00Z: Connector Contract Canary has not started
        3.9.3 pinned: the downstream pins it
        ");
        ci(stand, "success");
        stand.settle().await;
        let ready = stand.only();
        assert_eq!((ready.draft, &ready.head_sha), (false, &waits.head_sha));
        assert!(ready.body.contains("pnpm-lock.yaml: as the downstream's own tool writes it"));
        assert_eq!(stand.runs().await, ["3.10.0 passed"]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_could_not_be_prepared_says_nothing_of_the_release() {
    run_story(async |stand| {
        stand.world.run_concludes(last(stand).id, "failure");
        stand.wait_minutes(2);
        stand.settle().await;
        assert_eq!(stand.world.open_pulls(), []);
        insta::assert_snapshot!(stand.stages().await, @"
        3.10.0 waiting: attempt 1 was inconclusive: the draft could not be prepared: workflow digest-bump-canary.yml: failure, https://github.com/toon-protocol/town/actions/runs/N; until 2026-06-12T08:03:00Z (1 min from now)
        3.9.3 pinned: the downstream pins it
        ");
        stand.wait_minutes(2);
        stand.settle().await;
        assert_eq!(stand.world.dispatches().len(), 2);
        prepared(stand, "success", "prepared/src/index.ts");
        stand.settle().await;
        insta::assert_snapshot!(stand.stages().await, @"
        3.10.0 waiting: attempt 2 was inconclusive: the draft could not be prepared: it changed what it may not: src/index.ts; until 2026-06-12T08:16:00Z (10 min from now)
        3.9.3 pinned: the downstream pins it
        ");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_database_prepares_nothing_twice() {
    run_story(async |stand| {
        prepared(stand, "success", "prepared/pnpm-lock.yaml");
        stand.settle().await;
        let waits = draft(stand);
        stand.lose_memory().await;
        stand.settle().await;
        assert_eq!(draft(stand).head_sha, waits.head_sha);
        assert_eq!(stand.world.dispatches().len(), 1);
        ci(stand, "success");
        stand.settle().await;
        assert!(!stand.only().draft, "{}", pulls(stand));
    })
    .await;
}
