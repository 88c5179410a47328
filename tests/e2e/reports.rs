//! A canary is believed only when its report shows that it ran.

use crate::stand::{Stand, run_in, run_test};
use toml::{Table, Value};
use world::World;

const FILE: &str = "packages/sdk/tests/integration/connector-contract.test.ts";

/// The canary is a step that writes this report of Vitest's, `$V` being the version, and ends so.
fn reporting(stand: &mut Stand, report: &str, status: u8) {
    let script = format!("cat > out.json <<END\n{report}\nEND\nexit {status}");
    stand.canary_script(&script);
    let files = Value::Array(vec![FILE.into()]);
    let mut rule = Table::new();
    rule.insert("format".into(), "vitest-json".into());
    rule.insert("path".into(), "out.json".into());
    rule.insert("files".into(), files);
    stand.set("canary.step.0.report", Value::Table(rule));
}

/// What Vitest writes of one file, each test with its outcome.
fn file(path: &str, tests: &[(&str, &str)]) -> String {
    let tests: Vec<String> = tests
        .iter()
        .map(|(name, outcome)| {
            let message = if *outcome == "failed" { r#""AssertionError: expected 404 to be 200""# } else { "" };
            format!(
                r#"{{"ancestorTitles":["admin"],"fullName":"admin {name}","title":"{name}","status":"{outcome}","failureMessages":[{message}]}}"#
            )
        })
        .collect();
    format!(
        r#"{{"name":"/build/tree/{path}","status":"passed","message":"","assertionResults":[{}]}}"#,
        tests.join(",")
    )
}

fn report(files: &[String]) -> String {
    format!(r#"{{"success":true,"numTotalTests":3,"testResults":[{}]}}"#, files.join(","))
}

/// Where 3.10.0 stands after such a report.
async fn stage_after(report: &str, status: u8) -> String {
    let mut told = String::new();
    run_test(async |stand| {
        reporting(stand, report, status);
        stand.world.release("3.10.0").publish().await;
        stand.settle().await;
        let (word, line) = stand.stage("3.10.0").await;
        told = format!("{word}: {line}");
    })
    .await;
    told
}

#[tokio::test(flavor = "multi_thread")]
async fn what_ran_is_counted_in_the_named_file_alone() {
    run_test(async |stand| {
        let named = file(FILE, &[("GET /health", "passed"), ("GET /admin/peers", "passed")]);
        let other = file("packages/sdk/tests/integration/other.test.ts", &[("x", "passed")]);
        reporting(stand, &report(&[named, other]), 0);
        stand.world.release("3.10.0").publish().await;
        stand.settle().await;
        let body = stand.only().body;
        let row = body.lines().find(|line| line.starts_with("| contract ")).unwrap();
        insta::assert_snapshot!(row, @"| contract | ✅ passed | 2 of 2 passed in connector-contract.test.ts | yes |");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_shows_nothing_is_no_pass_whatever_its_exit_status() {
    let skipped = file(FILE, &[("GET /health", "skipped"), ("GET /admin/peers", "todo")]);
    let other = file("packages/sdk/tests/integration/other.test.ts", &[("x", "passed")]);
    let all = [
        stage_after(&report(&[skipped]), 0).await,
        stage_after(&report(&[other]), 0).await,
        stage_after(&report(&[]), 0).await,
        stage_after("No projects matched the filters", 0).await,
    ];
    insta::assert_snapshot!(all.join("\n"), @"
    waiting: attempt 1 was inconclusive: the canary did not run: contract: all 2 tests were skipped; until 2026-06-12T08:01:00Z (1 min from now)
    waiting: attempt 1 was inconclusive: the canary did not run: contract: no test of connector-contract.test.ts is in the report (it ran 1 test of 1 other file); until 2026-06-12T08:01:00Z (1 min from now)
    waiting: attempt 1 was inconclusive: the canary did not run: contract: no test of connector-contract.test.ts is in the report; until 2026-06-12T08:01:00Z (1 min from now)
    waiting: attempt 1 was inconclusive: the canary did not run: contract: the report is no vitest-json: expected value at line 1 column 1; until 2026-06-12T08:01:00Z (1 min from now)
    ");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_tests_that_failed_are_named() {
    let broken = file(FILE, &[("GET /health", "passed"), ("GET /admin/peers", "failed")]);
    insta::assert_snapshot!(stage_after(&report(&[broken]), 1).await, @"held: broken before: the canary fails at the pinned 3.9.3 as well, so the release is not to blame; there: 1 of 2 failed: admin > GET /admin/peers; here: 1 of 2 failed: admin > GET /admin/peers");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_and_an_exit_status_that_contradict_each_other_prove_nothing() {
    let named = file(FILE, &[("GET /health", "passed")]);
    insta::assert_snapshot!(stage_after(&report(&[named]), 1).await, @"waiting: attempt 1 was inconclusive: the canary did not find out: 1 of 1 passed in connector-contract.test.ts, and yet exit status 1: it printed nothing; until 2026-06-12T08:01:00Z (1 min from now)");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_that_lies_in_the_tree_is_none() {
    let named = report(&[file(FILE, &[("GET /health", "passed")])]);
    let builder = World::builder().town(move |files| {
        files.insert("out.json".to_owned(), named.into_bytes());
    });
    run_in(builder, async |stand| {
        reporting(stand, "", 0);
        // It never writes one of its own; or only a link to somebody else's.
        stand.canary_script("echo nothing was run");
        stand.world.release("3.10.0").publish().await;
        stand.settle().await;
        let first = stand.stage("3.10.0").await.1;
        stand.canary_script("ln -s /etc/passwd out.json");
        stand.settle().await;
        let second = stand.stage("3.10.0").await.1;
        insta::assert_snapshot!(format!("{first}\n{second}"), @"
        attempt 1 was inconclusive: the canary did not run: contract: it left no report at out.json; until 2026-06-12T08:01:00Z (1 min from now)
        attempt 1 was inconclusive: the canary did not run: contract: its report cannot be read: it is no file of the tree; until 2026-06-12T08:01:00Z (1 min from now)
        ");
    })
    .await;
}
