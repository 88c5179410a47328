//! `serve`: when it passes, what it listens to, and its status page.

use crate::stand::{Daemon, Stand, until};
use serde_json::Value as Json;
use std::time::Duration;
use world::{Fault, Service};

/// GETs a path of the status page.
async fn get(url: &str) -> (u16, String) {
    digest_bump::clients::install_tls_provider();
    let answer = reqwest::get(url).await.unwrap();
    (answer.status().as_u16(), answer.text().await.unwrap())
}

/// A schedule that rings tomorrow at the earliest.
fn seldom(stand: &mut Stand) {
    stand.set("schedule.cron", "0 0 1 1 *");
}

/// Passes so far: each begins by asking for the releases.
fn passes(stand: &Stand) -> usize {
    let requests = stand.world.requests();
    let asked =
        |it: &&world::Request| it.service == Service::GitHub && it.path.contains("/releases");
    requests.iter().filter(asked).count()
}

#[tokio::test]
async fn one_pass_at_the_start_then_by_the_schedule() {
    let mut stand = Stand::new().await;
    stand.world.release("3.10.0").publish().await;
    stand.set("schedule.cron", "* * * * * *");
    let daemon = Daemon::start(&stand);
    until("the first pull request", async || (stand.world.pulls().len() == 1).then_some(())).await;
    stand.world.release("3.11.0").publish().await;
    until("the rewritten pull request", async || {
        let title = stand.world.pulls()[0].title.clone();
        title.ends_with("3.11.0").then_some(())
    })
    .await;
    daemon.stop().await;
    assert_eq!(stand.world.pulls().len(), 1);
}

#[tokio::test]
async fn the_status_page_shows_what_the_status_command_says() {
    let mut stand = Stand::new().await;
    seldom(&mut stand);
    stand.set("listen", "127.0.0.1:0");
    let evil = "### Features\n\n* <script>alert(1)</script>";
    stand.world.release("3.10.0").notes(evil).publish().await;
    stand.world.release("3.11.0").tag("<b>v3.11.0</b>").publish().await;
    let daemon = Daemon::start(&stand);
    let page = daemon.page().await;
    until("the pull request on the page", async || {
        let (_, html) = get(&page).await;
        html.contains("pull request #1 proposes it").then_some(())
    })
    .await;
    let (status, html) = get(&page).await;
    assert_eq!(status, 200);
    assert!(html.contains("Pinned at <strong>3.9.3</strong>"), "{html}");
    assert!(!html.contains("<b>v3.11.0") && !html.contains("<script"), "{html}");

    let (status, json) = get(&format!("{page}status.json")).await;
    assert_eq!(status, 200);
    let mut told: Json = serde_json::from_str(&json).unwrap();
    assert_eq!(told[0].take(), stand.json(&["status"]).await);
    assert_eq!(get(&format!("{page}healthz")).await, (200, "ok\n".to_owned()));
    assert_eq!(get(&format!("{page}nothing")).await.0, 404);
    daemon.stop().await;
    assert!(reqwest::get(&page).await.is_err(), "the page ends with the daemon");
}

#[tokio::test]
async fn a_request_is_acted_on_without_waiting_for_the_schedule() {
    let mut stand = Stand::new().await;
    seldom(&mut stand);
    stand.world.release("3.9.4").publish().await;
    let daemon = Daemon::start(&stand);
    until("the offer", async || (stand.word("3.9.4").await == "offered").then_some(())).await;
    stand.ok(&["request", "bump", "3.9.4"]).await;
    let acted = until("the pull request", async || stand.world.open_pulls().pop());
    let pull = tokio::time::timeout(Duration::from_secs(10), acted).await;
    assert!(pull.expect("within seconds").body.contains("Asked for by maya"));
    daemon.stop().await;
}

#[tokio::test]
async fn never_two_passes_at_once() {
    let mut stand = Stand::new().await;
    stand.set("schedule.cron", "* * * * * *");
    // Each pass takes longer than the schedule's step.
    let slow = Fault::on(Service::GitHub).path_contains("/releases");
    stand.world.fault(slow.delay(Duration::from_millis(1_500)).always());
    let mut command = stand.command_with_token(&["serve"]);
    command.env("DIGEST_BUMP_LOG", "digest_bump=debug");
    command.env("DIGEST_BUMP_LOG_FORMAT", "json");
    let daemon = Daemon::of(&stand, command);
    until("some passes", async || (passes(&stand) >= 4).then_some(())).await;
    let log = daemon.stop().await;
    let lines = log.lines().map(|line| serde_json::from_str::<Json>(line).unwrap());
    let ids: Vec<i64> = lines
        .filter_map(|line| {
            let spans = line["spans"].as_array()?.clone();
            spans.iter().find(|span| span["name"] == "pass")?["id"].as_i64()
        })
        .collect();
    assert!(ids.is_sorted(), "two passes were mixed: {ids:?}");
    assert!(ids.last() > ids.first(), "{log}");
}

#[tokio::test]
async fn a_second_daemon_on_the_same_database_says_so_and_takes_its_turn() {
    let mut stand = Stand::new().await;
    stand.set("schedule.cron", "* * * * * *");
    stand.world.release("3.10.0").publish().await;
    // The first one's pass is long enough for the second to come upon it.
    let slow = Fault::on(Service::Git).delay(Duration::from_secs(4));
    stand.world.fault(slow);
    let first = Daemon::start(&stand);
    until("the slow exchange", async || (!stand.world.requests().is_empty()).then_some(())).await;
    let second = Daemon::logging_to(&stand, "second.log");
    second.logs("another process is at work; this one waits").await;
    until("the pull request", async || stand.world.open_pulls().pop()).await;
    // The first one is gone; the second goes on alone.
    first.stop().await;
    stand.world.release("3.11.0").publish().await;
    until("the newer one", async || {
        stand.world.open_pulls().pop().filter(|pull| pull.title.ends_with("3.11.0"))
    })
    .await;
    let log = second.stop().await;
    assert_eq!(log.matches("another process").count(), 1, "{log}");
    assert_eq!(stand.world.pulls().len(), 1);
}

#[tokio::test]
async fn a_world_out_of_reach_at_the_start_does_not_end_it() {
    let mut stand = Stand::new().await;
    stand.set("schedule.cron", "* * * * * *");
    stand.world.release("3.10.0").publish().await;
    stand.world.fault(Fault::on(Service::GitHub).status(502).always());
    let daemon = Daemon::start(&stand);
    daemon.logs("not done").await;
    assert_eq!(stand.world.pulls(), []);
    stand.world.clear_faults();
    until("the pull request", async || stand.world.open_pulls().pop()).await;
    daemon.stop().await;
}

#[tokio::test]
async fn an_address_that_is_taken_is_said_and_exits_with_3() {
    let mut stand = Stand::new().await;
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    stand.set("listen", address.as_str());
    let said = stand.run(&["serve"]).await;
    assert_eq!(said.code, 3, "{said:#?}");
    assert!(said.err.contains(&format!("listening on {address}")), "{said:#?}");
    assert_eq!(stand.world.requests(), []);
}
