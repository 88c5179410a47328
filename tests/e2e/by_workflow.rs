//! A workflow of the downstream's is the canary: dispatched on a scratch branch, found by its marker.

use crate::people::bump_by_hand;
use crate::stand::{Stand, run_test};
use toml::{Table, Value};
use world::{Dispatch, Fault, Service};

/// The workflow that downstreams are given.
const SHIPPED: &str = include_str!("../../config/workflows/digest-bump-canary.yml");
pub const FILE: &str = "digest-bump-canary.yml";

/// What a runner of tests writes of two that passed, and of one that failed.
const GOOD: &str = "1..2\nok 1 - health\nok 2 - peers\n";
const BAD: &str = "1..2\nok 1 - health\nnot ok 2 - peers\n";
const TAP: &str = "contract.tap";

fn table(pairs: &[(&str, Value)]) -> Table {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), value.clone())).collect()
}

/// Leaves the canary to a workflow, which has to show a report.
pub fn by_workflow(stand: &mut Stand) {
    let report = table(&[
        ("name", "contract".into()),
        ("format", "tap".into()),
        ("path", TAP.into()),
        ("at_least", 2.into()),
    ]);
    let canary = table(&[
        ("executor", "github-actions".into()),
        ("workflow", FILE.into()),
        ("sees_digest", true.into()),
        ("report", Value::Array(vec![report.into()])),
    ]);
    stand.set("canary", Value::Table(canary));
    commit_workflow(stand);
}

pub fn commit_workflow(stand: &Stand) {
    let path = format!(".github/workflows/{FILE}");
    stand.world.commit_to("main", &path, SHIPPED.as_bytes(), "Let digest-bump run the canary");
}

async fn run_story(story: impl AsyncFnOnce(&mut Stand)) {
    run_test(async |stand| {
        by_workflow(stand);
        story(stand).await;
    })
    .await;
}

/// The last run that was dispatched.
#[track_caller]
pub fn last(stand: &Stand) -> Dispatch {
    stand.world.dispatches().pop().expect("a run")
}

/// The last run hands back this report and these files, and concludes.
pub fn ends(stand: &Stand, conclusion: &str, report: &str, files: &[(&str, &[u8])]) {
    let run = last(stand).id;
    let mut all = vec![(TAP, report.as_bytes())];
    all.extend_from_slice(files);
    stand.world.run_hands_back(run, "digest-bump", &all);
    stand.world.run_concludes(run, conclusion);
}

pub fn scratch(stand: &Stand) -> Vec<String> {
    let branches = stand.world.branches().into_keys();
    branches.filter(|branch| branch.contains("-canary-")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_passes_is_proposed_with_what_the_run_showed() {
    run_story(async |stand| {
        stand.world.release("3.10.0").publish().await;
        stand.settle().await;
        let run = last(stand);
        assert_eq!(stand.world.dispatches().len(), 1);
        let marker = &run.inputs["marker"];
        assert_eq!(run.branch, format!("digest-bump/connector-canary-{marker}"));
        assert_eq!(run.title, format!("digest-bump {marker}: connector 3.10.0"));
        assert_eq!(run.inputs["version"], "3.10.0");
        let digest = &run.inputs["digest"];
        assert!(run.inputs["image"].ends_with(&format!("/connector@{digest}")), "{run:?}");
        // What runs there is the edit.
        let constants = stand.git(&["show", &format!("{}:packages/townhouse/src/constants.ts", run.sha)]);
        assert!(constants.contains(digest), "{constants}");
        assert_eq!(stand.world.open_pulls(), []);
        // Right after the dispatch no list may show the run yet.
        stand.settle().await;
        insta::assert_snapshot!(stand.stages().await, @"
        3.10.0 canary: its checks run since 2026-06-12T08:00:00Z: workflow digest-bump-canary.yml is under way
        3.9.3 pinned: the downstream pins it
        ");

        stand.world.run_begins(run.id);
        stand.wait_minutes(2);
        stand.settle().await;
        insta::assert_snapshot!(stand.stages().await, @"
        3.10.0 canary: its checks run since 2026-06-12T08:00:00Z: workflow digest-bump-canary.yml is under way
        3.9.3 pinned: the downstream pins it
        ");

        ends(stand, "success", GOOD, &[]);
        stand.wait_minutes(2);
        stand.settle().await;
        let pull = stand.only();
        assert_eq!(stand.git(&["rev-parse", &format!("{}^{{tree}}", pull.head_sha)]), stand.git(&["rev-parse", &format!("{}^{{tree}}", run.sha)]));
        let canary = pull.body.split("### Contract canary").nth(1).unwrap();
        let canary = canary.split("\n### ").next().unwrap();
        insta::assert_snapshot!(stand.redact(canary), @"
        : passed

        Workflow digest-bump-canary.yml: success; contract: 2 of 2 passed. It ran on exactly the tree that this pull request pushes (`<id>`, made on `<id>`), by the downstream's own workflow digest-bump-canary.yml.

        | step | verdict | what was seen | saw the digest |
        | --- | --- | --- | --- |
        | [workflow digest-bump-canary.yml](https://github.com/toon-protocol/town/actions/runs/N) | ✅ passed | success | yes |
        | contract | ✅ passed | 2 of 2 passed | yes |
        ");
        // The branch was there for that run alone.
        assert_eq!(scratch(stand), Vec::<String>::new());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_app_dispatches_it_or_says_that_it_may_not() {
    run_story(async |stand| {
        stand.become_app();
        let mut granted = vec!["contents", "pull_requests", "workflows"];
        let grant = |stand: &Stand, all: &[&str]| {
            let all: Vec<_> = all.iter().map(|&name| (name, "write")).collect();
            stand.world.grant_app(&all);
        };
        grant(stand, &granted);
        stand.world.release("3.10.0").publish().await;
        let troubles = stand.once().await.troubles.join("\n");
        let lacks = "it lacks Actions (read and write): the workflow";
        assert!(troubles.contains(lacks), "{troubles}");
        assert_eq!(stand.world.writes(), []);

        granted.push("actions");
        grant(stand, &granted);
        stand.settle().await;
        ends(stand, "success", GOOD, &[]);
        stand.wait_minutes(2);
        stand.settle().await;
        assert_eq!(stand.only().author, "digest-bump[bot]");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_fails_is_held_and_compared_with_the_pinned_release() {
    run_story(async |stand| {
        stand.world.release("3.10.0").publish().await;
        stand.settle().await;
        ends(stand, "success", BAD, &[]);
        stand.wait_minutes(2);
        stand.settle().await;
        let baseline = last(stand);
        assert_eq!(baseline.inputs["version"], "3.9.3");
        assert_eq!(baseline.sha, stand.git(&["rev-parse", "main"]));
        ends(stand, "success", GOOD, &[]);
        stand.wait_minutes(2);
        stand.settle().await;
        insta::assert_snapshot!(stand.redact(&stand.stages().await), @"
        3.10.0 held: the canary failed: contract: 1 of 2 failed: peers, https://github.com/toon-protocol/town/actions/runs/N; it passes at the pinned 3.9.3
        3.9.3 pinned: the downstream pins it
        ");
        assert_eq!(stand.world.open_pulls(), []);
        assert_eq!(scratch(stand), Vec::<String>::new());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_success_that_shows_nothing_is_no_pass() {
    run_story(async |stand| {
        stand.world.release("3.10.0").publish().await;
        stand.settle().await;
        stand.world.run_concludes(last(stand).id, "success");
        stand.wait_minutes(2);
        stand.settle().await;
        insta::assert_snapshot!(stand.redact(&stand.stages().await), @"
        3.10.0 waiting: attempt 1 was inconclusive: the canary did not find out: contract: did not run: it left no artifact digest-bump, https://github.com/toon-protocol/town/actions/runs/N; until 2026-06-12T08:03:00Z (1 min from now)
        3.9.3 pinned: the downstream pins it
        ");
        // It is tried again, as a run of its own; this one's artifact is gone when it is looked at.
        stand.wait_minutes(20);
        stand.settle().await;
        let second = last(stand);
        assert_eq!(stand.world.dispatches().len(), 2);
        ends(stand, "success", GOOD, &[]);
        stand.world.artifacts_expire(second.id);
        stand.wait_minutes(20);
        stand.settle().await;
        insta::assert_snapshot!(stand.redact(&stand.stages().await), @"
        3.10.0 waiting: attempt 2 was inconclusive: the canary did not find out: contract: did not run: its artifact digest-bump has expired, https://github.com/toon-protocol/town/actions/runs/N; until 2026-06-12T08:52:00Z (10 min from now)
        3.9.3 pinned: the downstream pins it
        ");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_artifact_that_is_gone_ends_the_run_without_an_answer() {
    run_story(async |stand| {
        stand.world.release("3.10.0").publish().await;
        stand.settle().await;
        ends(stand, "success", GOOD, &[]);
        // Thrown away between the list and the fetch.
        let gone = Fault::on(Service::GitHub).path_contains("/zip").status(410);
        stand.world.fault(gone.always());
        stand.wait_minutes(2);
        stand.settle().await;
        assert_eq!(stand.runs().await, ["3.10.0 inconclusive"]);
        stand.world.clear_faults();
        stand.wait_minutes(2);
        stand.settle().await;
        assert_eq!(stand.world.dispatches().len(), 2);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_run_is_found_by_its_marker_and_not_by_being_the_newest() {
    run_story(async |stand| {
        stand.world.release("3.10.0").publish().await;
        stand.world.list_lag(40);
        stand.settle().await;
        let run = last(stand);
        // Somebody else dispatches the same workflow on the same branch, and that one fails.
        let other = stand.world.dispatch_as("maya", FILE, &run.branch, &[("marker", "by-hand")]);
        stand.world.run_concludes(other, "failure");
        stand.world.run_hands_back(run.id, "digest-bump", &[(TAP, GOOD.as_bytes())]);
        stand.world.run_concludes(run.id, "success");
        stand.world.list_lag(0);
        stand.wait_minutes(2);
        stand.settle().await;
        assert_eq!(stand.only().title, "chore(connector): bump 3.9.3 → 3.10.0");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_is_superseded_is_cancelled() {
    run_story(async |stand| {
        stand.world.release("3.10.0").publish().await;
        stand.settle().await;
        let run = last(stand);
        // A person is faster.
        bump_by_hand(stand, &run.branch);
        stand.wait_minutes(2);
        let report = stand.settle().await;
        assert_eq!(stand.world.dispatches()[0].state, "cancelled");
        let cancelled = "cancelled the workflow at 3.10.0: what it depends on has changed";
        assert_eq!(report.performed[0], cancelled);
        assert_eq!(stand.runs().await, ["3.10.0 inconclusive"]);
        assert_eq!(scratch(stand), Vec::<String>::new());
        assert_eq!(stand.world.dispatches().len(), 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_newer_one_that_passes_makes_an_older_ones_run_needless() {
    run_story(async |stand| {
        stand.world.release("3.10.0").publish().await;
        stand.settle().await;
        stand.world.release("3.11.0").publish().await;
        stand.wait_minutes(2);
        stand.settle().await;
        let states = |stand: &Stand| -> Vec<String> {
            stand.world.dispatches().into_iter().map(|run| run.state).collect()
        };
        assert_eq!(states(stand), ["queued", "queued"]);
        ends(stand, "success", GOOD, &[]);
        stand.wait_minutes(2);
        let report = stand.settle().await;
        assert_eq!(states(stand), ["cancelled", "success"]);
        let cancelled = "cancelled the workflow at 3.10.0: 3.11.0 contains 3.10.0".to_owned();
        assert!(report.performed.contains(&cancelled), "{report:?}");
        assert_eq!(stand.only().title, "chore(connector): bump 3.9.3 → 3.11.0");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_database_dispatches_nothing_twice() {
    run_story(async |stand| {
        stand.world.release("3.10.0").publish().await;
        stand.settle().await;
        stand.lose_memory().await;
        stand.settle().await;
        assert_eq!(stand.world.dispatches().len(), 1);
        ends(stand, "success", GOOD, &[]);
        stand.wait_minutes(2);
        stand.settle().await;
        assert_eq!(stand.only().title, "chore(connector): bump 3.9.3 → 3.10.0");
        // Found again also when it was over.
        stand.lose_memory().await;
        stand.settle().await;
        assert_eq!(stand.world.dispatches().len(), 1);
        assert_eq!(stand.world.open_pulls().len(), 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_is_lost_before_the_run_is_listed_dispatches_nothing_twice() {
    run_story(async |stand| {
        stand.world.release("3.10.0").publish().await;
        stand.settle().await;
        for minutes in [0, 1] {
            stand.wait_minutes(minutes);
            if minutes == 0 {
                stand.lose_memory().await;
            }
            stand.world.list_lag(40);
            let report = stand.settle().await;
            assert_eq!(report.wake.unwrap().to_string(), "2026-06-12T08:02:00Z");
            assert_eq!(stand.world.dispatches().len(), 1);
        }
        stand.world.list_lag(0);
        stand.wait_minutes(1);
        stand.settle().await;
        assert_eq!(stand.world.dispatches().len(), 1);
        ends(stand, "success", GOOD, &[]);
        stand.wait_minutes(2);
        stand.settle().await;
        stand.only();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_outcome_of_a_dispatch_is_looked_for_before_it_is_sent_again() {
    run_story(async |stand| {
        stand.world.release("3.10.0").publish().await;
        let dispatch = Fault::on(Service::GitHub).method("POST").path_contains("/dispatches");
        stand.world.fault(dispatch.after_commit(502));
        stand.once().await;
        stand.settle().await;
        assert_eq!(stand.world.dispatches().len(), 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_workflow_that_is_missing_or_hides_the_marker_is_told() {
    run_story(async |stand| {
        let path = format!(".github/workflows/{FILE}");
        let nameless = SHIPPED.replace("${{ inputs.marker }}: ", "");
        stand.world.commit_to("main", &path, nameless.as_bytes(), "A nicer name");
        stand.world.release("3.10.0").publish().await;
        stand.settle().await;
        stand.wait_minutes(15);
        stand.settle().await;
        insta::assert_snapshot!(stand.redact(&stand.stages().await), @"
        3.10.0 canary: its checks run since 2026-06-12T08:00:00Z: workflow digest-bump-canary.yml was dispatched, and within 10 min no run showed its marker: the `run-name` of the workflow has to
        3.9.3 pinned: the downstream pins it
        ");
    })
    .await;
}

/// The workflow prepares the lockfile as well.
fn with_files(stand: &mut Stand) {
    let files = Value::Array(vec!["pnpm-lock.yaml".into(), "packages/*/package.json".into()]);
    stand.set("canary.prepare", Value::Table(table(&[("files", files)])));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_files_that_it_hands_back_are_part_of_the_proposal() {
    run_story(async |stand| {
        with_files(stand);
        stand.world.release("3.10.0").publish().await;
        stand.settle().await;
        let manifest = stand.git(&["show", "main:packages/sdk/package.json"]) + "\n";
        let raised = manifest.replace("^3.9.3", "3.10.0");
        ends(
            stand,
            "success",
            GOOD,
            &[
                ("prepared/pnpm-lock.yaml", b"lockfileVersion: '6.0'\n"),
                ("prepared/packages/sdk/package.json", raised.as_bytes()),
                // Handed back as it was.
                (
                    "prepared/packages/mill/package.json",
                    (stand.git(&["show", "main:packages/mill/package.json"]) + "\n").as_bytes(),
                ),
            ],
        );
        stand.wait_minutes(2);
        stand.settle().await;
        let pull = stand.only();
        let changed = stand.git(&[
            "diff",
            "--name-only",
            "main",
            &pull.head_sha,
            "--",
            "pnpm-lock.yaml",
            "packages/*/package.json",
        ]);
        assert_eq!(changed, "packages/sdk/package.json\npnpm-lock.yaml");
        assert!(
            pull.body.contains("pnpm-lock.yaml: as the downstream's own tool writes it"),
            "{}",
            pull.body
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_it_may_not_change_is_a_fault() {
    run_story(async |stand| {
        with_files(stand);
        stand.world.release("3.10.0").publish().await;
        stand.settle().await;
        ends(stand, "success", GOOD, &[("prepared/.github/workflows/own.yml", b"on: push\n")]);
        stand.wait_minutes(2);
        stand.settle().await;
        assert_eq!(stand.world.open_pulls(), []);
        insta::assert_snapshot!(stand.redact(&stand.stages().await), @"
        3.10.0 waiting: attempt 1 was inconclusive: the draft could not be prepared: it changed what it may not: .github/workflows/own.yml; until 2026-06-12T08:03:00Z (1 min from now)
        3.9.3 pinned: the downstream pins it
        ");
    })
    .await;
}
