//! The bot's own check at the head of what it proposes, where it runs the canary itself.

use crate::stand::{Stand, run_test};
use world::{Fault, Service};

pub const OWN: &str = "connector contract canary";

/// What whoever opens the check reads.
fn opened(stand: &Stand) -> String {
    let run = stand.world.check_run(&stand.only().head_sha, OWN).expect("the bot's check");
    let text = |it: &serde_json::Value| it.as_str().unwrap_or("nothing").to_owned();
    let (output, page) = (&run["output"], text(&run["details_url"]));
    let parts = [&run["conclusion"], &output["title"], &output["summary"], &output["text"]];
    let parts: Vec<String> = parts.into_iter().map(text).collect();
    format!("{}\n{page}", stand.redact(&parts.join("\n---\n")))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_head_says_what_the_canary_came_to_with_all_that_it_printed() {
    run_test(async |stand| {
        let secret = format!("ghp_{}", "A1b2C3d4".repeat(5));
        stand.canary_script(&format!("echo '```'; echo {secret}; echo \"$V is fine\""));
        stand.config.insert("public_url".into(), "https://bumps.example/".into());
        stand.world.release("3.10.0").publish().await;
        stand.settle().await;
        insta::assert_snapshot!(opened(stand), @"
        success
        ---
        3.10.0 is fine
        ---
        3.10.0 is fine. It ran on the tree `<id>`, made on `<id>`, on the bot's host, not confined.

        | step | verdict | what was seen | saw the digest |
        | --- | --- | --- | --- |
        | contract | ✅ passed | 3.10.0 is fine | yes |
        ---
        ````text
        ```
        ***
        3.10.0 is fine
        ````
        https://bumps.example/runs/1
        ");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_log_is_cut_to_what_github_takes_by_its_beginning() {
    run_test(async |stand| {
        stand.canary_script("seq 30000; echo \"$V is fine\"");
        stand.world.release("3.10.0").publish().await;
        stand.settle().await;
        let run = stand.world.check_run(&stand.only().head_sha, OWN).unwrap();
        let text = run["output"]["text"].as_str().unwrap();
        assert!(text.len() <= 65_535 && text.len() > 65_000, "{}", text.len());
        assert!(text.starts_with("The beginning is left out.\n\n```text\n"), "{}", &text[..60]);
        assert!(text.ends_with("\n30000\n3.10.0 is fine\n```"));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_is_no_apps_sets_a_status_with_a_link_to_the_log() {
    run_test(async |stand| {
        let denied = Fault::on(Service::GitHub).method("POST").path_contains("/check-runs");
        stand.world.fault(denied.status(403).always());
        stand.config.insert("public_url".into(), "https://bumps.example".into());
        stand.world.release("3.10.0").publish().await;
        stand.settle().await;
        let head = stand.only().head_sha;
        assert_eq!(stand.world.check_run(&head, OWN), None);
        let status = stand.world.status(&head, OWN).unwrap();
        assert_eq!(status["state"], "success");
        assert_eq!(status["target_url"], "https://bumps.example/runs/1");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_could_not_be_set_keeps_no_pull_request_back_and_is_made_good() {
    run_test(async |stand| {
        let down = Fault::on(Service::GitHub).method("POST").path_contains("/check-runs");
        stand.world.fault(down.status(502).always());
        stand.world.release("3.10.0").publish().await;
        let report = stand.once().await;
        assert_eq!(report.troubles.len(), 1, "{:?}", report.troubles);
        let head = stand.only().head_sha;
        assert_eq!(stand.world.check_runs(&head), [] as [(String, String); 0]);
        stand.world.clear_faults();
        stand.settle().await;
        assert_eq!(stand.world.check_runs(&head), [(OWN.into(), "success".into())]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_head_that_a_person_pushed_and_a_stub_get_none() {
    run_test(async |stand| {
        stand.world.release("4.0.0").publish().await;
        stand.settle().await;
        assert_eq!(stand.world.check_runs(&stand.only().head_sha), [] as [(String, String); 0]);
        stand.world.close(stand.only().number);
        stand.world.release("3.10.0").publish().await;
        stand.settle().await;
        let branch = stand.only().head_branch;
        stand.world.commit_to(&branch, "README.md", b"# mine\n", "docs: mine");
        stand.wait(1);
        stand.settle().await;
        assert_eq!(stand.world.check_runs(&stand.only().head_sha), [] as [(String, String); 0]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_its_database_the_bot_does_not_guess_and_leaves_the_check_as_it_is() {
    run_test(async |stand| {
        stand.world.release("3.10.0").publish().await;
        stand.settle().await;
        let before = opened(stand);
        stand.lose_memory().await;
        stand.wait(1);
        stand.settle().await;
        assert_eq!(opened(stand), before);
    })
    .await;
}

/// What the check shows of its life: state, line, when it began and when it ended.
fn life(stand: &Stand) -> String {
    let run = stand.world.check_run(&stand.only().head_sha, OWN).unwrap();
    let word = run["conclusion"].as_str().or(run["status"].as_str()).unwrap();
    let text = |it: &serde_json::Value| it.as_str().unwrap_or("-").to_owned();
    let times = [text(&run["started_at"]), text(&run["completed_at"])].join(" ");
    format!("{word}: {}; {times}", run["output"]["title"].as_str().unwrap())
}

/// What was written to the checks of commits: the requests in their order.
fn written(stand: &Stand) -> Vec<String> {
    let all = stand.world.requests().into_iter();
    let all = all.filter(|asked| asked.method != "GET");
    let all =
        all.filter(|asked| ["/check-runs", "/statuses/"].iter().any(|it| asked.path.contains(it)));
    all.map(|asked| asked.method).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_canary_that_is_asked_for_again_is_queued_runs_and_concludes_in_one_more_check_run() {
    run_test(async |stand| {
        stand.canary_script("echo fine");
        stand.world.release("3.10.0").publish().await;
        stand.settle().await;
        let mut seen = vec![life(stand)];
        stand.canary_script("test $V != 3.10.0 || sleep 60");
        stand.wait(1);
        stand.request_canary("3.10.0").await;
        stand.world.clear_requests();
        let app = stand.app().await;
        stand.pass(&app).await;
        seen.push(life(stand));
        assert_eq!(written(stand), ["POST", "PATCH"], "queued, then in progress");
        app.supervisor.stop().await;
        app.store.close().await;
        stand.canary_script("echo fine again");
        stand.wait_minutes(5);
        stand.world.clear_requests();
        stand.settle().await;
        seen.push(life(stand));
        insta::assert_snapshot!(seen.join("\n"), @"
        success: fine; 2026-06-12T08:00:00Z 2026-06-12T08:00:00Z
        in_progress: the canary runs again; 2026-06-12T09:00:00Z -
        success: fine again; 2026-06-12T09:05:00Z 2026-06-12T09:05:00Z
        ");
        let all = stand.world.check_runs(&stand.only().head_sha);
        assert_eq!(all.len(), 2, "what has concluded stays so: {all:?}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wish_that_is_refused_takes_the_check_out_of_the_queue_again() {
    run_test(async |stand| {
        stand.canary_script("echo fine");
        stand.world.release("3.10.0").publish().await;
        stand.settle().await;
        stand.wait(1);
        let path = "packages/townhouse/src/constants.ts";
        stand.world.commit_to("main", path, b"// gone\n", "refactor: the pin is elsewhere");
        stand.request_canary("3.10.0").await;
        stand.world.clear_requests();
        stand.settle().await;
        let answer = stand.requests().await;
        assert!(answer.starts_with("3.10.0 refused"), "{answer}");
        assert_eq!(written(stand), ["POST", "PATCH"]);
        insta::assert_snapshot!(life(stand), @"success: fine; 2026-06-12T08:00:00Z 2026-06-12T08:00:00Z");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_death_while_it_runs_again_leaves_no_check_run_without_an_end() {
    run_test(async |stand| {
        stand.canary_script("echo fine");
        stand.world.release("3.10.0").publish().await;
        stand.settle().await;
        stand.canary_script("test $V != 3.10.0 || sleep 60");
        stand.wait(1);
        stand.request_canary("3.10.0").await;
        stand.pass_and_die().await;
        assert!(life(stand).starts_with("in_progress"), "{}", life(stand));
        stand.canary_script("echo fine");
        for minutes in [5, 1] {
            stand.wait_minutes(minutes);
            stand.settle().await;
        }
        assert!(life(stand).starts_with("success: fine"), "{}", life(stand));
        let all = stand.world.check_runs(&stand.only().head_sha);
        assert!(all.iter().all(|(_, word)| word != "in_progress" && word != "queued"), "{all:?}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_status_is_pending_from_the_queue_to_the_end() {
    run_test(async |stand| {
        let denied = Fault::on(Service::GitHub).method("POST").path_contains("/check-runs");
        stand.world.fault(denied.status(403).always());
        stand.canary_script("echo fine");
        stand.world.release("3.10.0").publish().await;
        stand.settle().await;
        stand.canary_script("test $V != 3.10.0 || exit 1");
        stand.wait(1);
        stand.request_canary("3.10.0").await;
        stand.settle().await;
        let head = stand.only().head_sha;
        let states: Vec<String> =
            stand.world.statuses(&head).into_iter().map(|(_, state)| state).collect();
        assert_eq!(states[..2], ["success", "pending"], "{states:?}");
        assert_eq!(states.last().unwrap(), "failure", "{states:?}");
        assert_eq!(stand.world.check_runs(&head), [] as [(String, String); 0]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_called_as_the_config_says_and_by_another_name_from_then_on() {
    run_test(async |stand| {
        stand.set("canary.check_name", "does the connector keep its word?");
        stand.canary_script("echo fine");
        stand.world.release("3.10.0").publish().await;
        stand.settle().await;
        let head = stand.only().head_sha;
        let first = ("does the connector keep its word?".to_owned(), "success".to_owned());
        assert_eq!(stand.world.check_runs(&head), std::slice::from_ref(&first));
        stand.set("canary.check_name", OWN);
        stand.wait(1);
        stand.settle().await;
        assert_eq!(stand.world.check_runs(&head), [first, (OWN.into(), "success".into())]);
    })
    .await;
}
