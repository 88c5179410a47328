//! CI that never starts on a pull request of the bot's, or late: said where people look, with why that
//! usually is, until it has started.

use crate::app::run_as_app;
use crate::by_checks::{self, CHECK};
use crate::own_check::OWN;
use crate::stand::{Stand, run_test};
use world::{Fault, Service};

/// CI has half an hour, as where nothing else is said.
fn watched(stand: &mut Stand) {
    stand.set("downstream.ci_starts_within", "30m");
}

/// Who looks whether CI has started asks for these, and nobody else does.
fn looks(stand: &Stand) -> usize {
    let asked = stand.world.requests();
    asked.iter().filter(|asked| asked.path.contains("/check-suites")).count()
}

/// What the bot's own check at the only head says: state, line, and the beginning of its text.
fn own_check(stand: &Stand) -> String {
    let run = stand.world.check_run(&stand.only().head_sha, OWN).unwrap();
    let word = run["conclusion"].as_str().or(run["status"].as_str()).unwrap();
    let text = |field: &str| run["output"][field].as_str().unwrap_or_default().to_owned();
    let first = text("summary").lines().next().unwrap_or_default().to_owned();
    stand.redact(&format!("{word}: {}\n{first}", text("title")))
}

async fn proposed(stand: &mut Stand) {
    watched(stand);
    stand.canary_script("echo fine");
    stand.world.release("3.10.0").publish().await;
    stand.settle().await;
}

async fn minutes_later(stand: &Stand, minutes: u64) {
    stand.wait_minutes(minutes);
    stand.settle().await;
}

async fn alarms(stand: &Stand) -> String {
    let head = &stand.only().head_sha[..12];
    let alarms = stand.alarms().await;
    alarms.replace(&head[..8], "<head>")
}

#[tokio::test(flavor = "multi_thread")]
async fn where_none_starts_that_is_said_with_its_usual_cause_until_it_starts_late() {
    run_test(async |stand| {
        watched(stand);
        stand.set("downstream.dashboard.enabled", true);
        stand.canary_script("echo fine");
        stand.world.release("3.10.0").publish().await;
        let report = stand.settle().await;
        assert_eq!(report.wake.unwrap().to_string(), "2026-06-12T08:30:00Z");
        let head = stand.only().head_sha;
        // GitHub has one for each App, and nothing comes of it.
        stand.world.ci_suite(&head, "queued");
        minutes_later(stand, 29).await;
        assert_eq!((looks(stand), alarms(stand).await), (0, String::new()));
        insta::assert_snapshot!(own_check(stand), @"
        success: fine
        Fine. It ran on the tree `<id>`, made on `<id>`, on the bot's host, not confined.
        ");

        minutes_later(stand, 1).await;
        insta::assert_snapshot!(alarms(stand).await, @r#"no CI has started on pull request #2 within 30 min of the push of <head>; that is usually because the bot pushed with a workflow's own `GITHUB_TOKEN`, whose events start no workflows: give the bot a GitHub App or a personal access token. A downstream that has none for pull requests says so: `ci_starts_within = "0"` in `[watch.downstream]`"#);
        insta::assert_snapshot!(own_check(stand), @"
        success: no CI has started here; fine
        **No CI has started here**; that is usually because the bot pushed with a workflow's own `GITHUB_TOKEN`, whose events start no workflows: give the bot a GitHub App or a personal access token.
        ");
        assert!(stand.world.issues()[0].body.contains("no CI has started on pull request"));
        // Once.
        stand.world.clear_requests();
        minutes_later(stand, 15).await;
        assert_eq!((looks(stand), stand.world.writes()), (1, Vec::new()));

        stand.world.ci_begins(&head, "build");
        minutes_later(stand, 15).await;
        assert_eq!(alarms(stand).await, "");
        insta::assert_snapshot!(own_check(stand), @"
        success: fine
        Fine. It ran on the tree `<id>`, made on `<id>`, on the bot's host, not confined.
        ");
        assert!(!stand.world.issues()[0].body.contains("no CI has started"));
        assert_eq!(stand.world.check_runs(&head).len(), 2, "one of the bot's");
        stand.world.clear_requests();
        minutes_later(stand, 600).await;
        assert_eq!((looks(stand), stand.world.writes()), (0, Vec::new()));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_shows_that_it_has_started_is_looked_at_once_and_nothing_is_said() {
    let signs: [fn(&Stand, &str); 4] = [
        |stand, head| stand.world.ci_begins(head, "build"),
        |stand, head| stand.world.ci_concludes(head, "build", "failure"),
        |stand, head| stand.world.sets_status(head, "ci/elsewhere", "pending"),
        |stand, head| stand.world.ci_suite(head, "in_progress"),
    ];
    for sign in signs {
        run_test(async |stand| {
            proposed(stand).await;
            let before = own_check(stand);
            sign(stand, &stand.only().head_sha);
            stand.world.clear_requests();
            minutes_later(stand, 30).await;
            let asked = |stand: &Stand| {
                let all = stand.world.requests();
                all.iter().filter(|asked| asked.path.contains("/commits/")).count()
            };
            assert!((2..=3).contains(&asked(stand)), "{}", asked(stand));
            stand.world.clear_requests();
            minutes_later(stand, 600).await;
            assert_eq!((asked(stand), stand.world.writes()), (0, Vec::new()));
            assert_eq!((alarms(stand).await, own_check(stand)), (String::new(), before));
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_status_says_it_in_its_one_line() {
    run_test(async |stand| {
        let denied = Fault::on(Service::GitHub).method("POST").path_contains("/check-runs");
        stand.world.fault(denied.status(403).always());
        proposed(stand).await;
        let head = stand.only().head_sha;
        let says = |stand: &Stand| {
            let status = stand.world.status(&head, OWN).unwrap();
            let text = |field: &str| status[field].as_str().unwrap().to_owned();
            (text("state"), text("description"))
        };
        minutes_later(stand, 30).await;
        let line = "no CI has started here; fine".to_owned();
        assert_eq!(says(stand), ("success".to_owned(), line));
        assert!(alarms(stand).await.contains("GITHUB_TOKEN"));
        stand.world.ci_begins(&head, "build");
        minutes_later(stand, 15).await;
        assert_eq!(says(stand), ("success".to_owned(), "fine".to_owned()));
        assert_eq!(alarms(stand).await, "");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_apps_own_check_is_no_ci() {
    run_as_app(async |stand| {
        proposed(stand).await;
        minutes_later(stand, 30).await;
        assert!(alarms(stand).await.starts_with("no CI has started on pull request #1"));
        insta::assert_snapshot!(own_check(stand), @"
        success: no CI has started here; fine
        **No CI has started here**; that is usually because the bot pushed with a workflow's own `GITHUB_TOKEN`, whose events start no workflows: give the bot a GitHub App or a personal access token.
        ");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_said_of_a_stub_as_well_and_no_longer_once_the_pull_request_is_closed() {
    run_test(async |stand| {
        watched(stand);
        stand.world.release("4.0.0").publish().await;
        stand.settle().await;
        minutes_later(stand, 30).await;
        assert!(alarms(stand).await.starts_with("no CI has started on pull request #1"));
        stand.world.close(stand.only().number);
        minutes_later(stand, 15).await;
        assert_eq!(stand.alarms().await, "");
        stand.world.clear_requests();
        minutes_later(stand, 15).await;
        assert_eq!(looks(stand), 0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_head_that_a_person_pushed_is_not_looked_at_and_a_new_one_of_the_bots_is() {
    run_test(async |stand| {
        proposed(stand).await;
        minutes_later(stand, 30).await;
        assert!(!stand.alarms().await.is_empty());
        stand.world.release("3.11.0").publish().await;
        minutes_later(stand, 15).await;
        assert_eq!(stand.alarms().await, "", "the new head has its own time");
        minutes_later(stand, 30).await;
        assert!(alarms(stand).await.contains("<head>"));
        let branch = stand.only().head_branch;
        stand.world.commit_to(&branch, "README.md", b"# mine\n", "docs: mine");
        minutes_later(stand, 15).await;
        assert_eq!(stand.alarms().await, "");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_downstream_without_ci_switches_it_off() {
    run_test(async |stand| {
        proposed(stand).await;
        minutes_later(stand, 30).await;
        assert!(stand.alarms().await.contains("`ci_starts_within = \"0\"`"));
        stand.set("downstream.ci_starts_within", "0");
        stand.world.clear_requests();
        minutes_later(stand, 600).await;
        assert_eq!((looks(stand), stand.alarms().await), (0, String::new()));
        insta::assert_snapshot!(own_check(stand), @"
        success: fine
        Fine. It ran on the tree `<id>`, made on `<id>`, on the bot's host, not confined.
        ");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_not_look_says_nothing() {
    for place in ["/check-runs", "/status", "/check-suites"] {
        run_test(async |stand| {
            proposed(stand).await;
            stand.wait_minutes(30);
            let kept = Fault::on(Service::GitHub).method("GET").path_contains(place).status(403);
            let kept = kept.body(r#"{"message":"Resource not accessible by integration"}"#);
            stand.world.fault(kept.always());
            stand.settle().await;
            assert_eq!(stand.alarms().await, "", "{place}");
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_its_database_it_is_found_out_anew() {
    run_test(async |stand| {
        proposed(stand).await;
        minutes_later(stand, 30).await;
        stand.lose_memory().await;
        stand.settle().await;
        assert_eq!(stand.alarms().await, "");
        minutes_later(stand, 30).await;
        assert!(alarms(stand).await.starts_with("no CI has started on pull request #1"));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_draft_waits_in_the_queue_and_says_why_until_its_checks_begin() {
    by_checks::run_story(async |stand| {
        watched(stand);
        stand.world.release("3.10.0").publish().await;
        stand.settle().await;
        let mut seen = vec![own_check(stand)];
        minutes_later(stand, 30).await;
        seen.push(own_check(stand));
        assert!(alarms(stand).await.starts_with("no CI has started on pull request #1"));
        let head = stand.only().head_sha;
        stand.world.ci_begins(&head, CHECK);
        minutes_later(stand, 10).await;
        seen.push(own_check(stand));
        by_checks::ci(stand, "success");
        minutes_later(stand, 10).await;
        seen.push(own_check(stand));
        insta::assert_snapshot!(seen.join("\n\n"), @"
        queued: waits for Connector Contract Canary
        waits for Connector Contract Canary

        queued: no CI has started here; waits for Connector Contract Canary
        **No CI has started here**; that is usually because the bot pushed with a workflow's own `GITHUB_TOKEN`, whose events start no workflows: give the bot a GitHub App or a personal access token.

        in_progress: waits for Connector Contract Canary
        waits for Connector Contract Canary

        success: Connector Contract Canary: success
        Connector Contract Canary: success
        ");
        let runs = stand.world.check_runs(&head);
        assert_eq!(runs.iter().filter(|(name, _)| name == OWN).count(), 1);
    })
    .await;
}
