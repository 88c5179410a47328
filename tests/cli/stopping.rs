//! SIGTERM and worse: what a daemon leaves behind, and what the next one makes of it.

use crate::stand::{Daemon, Stand, until};
use std::{fs, process::Command, time::Duration};
use world::{Fault, Service};

/// A canary that hangs until [`let_go`], and is soon tried again. All in one command, since
/// another command would be another canary.
pub fn hanging(stand: &mut Stand) {
    let (gate, canary) = (gate(stand), world::CANARY);
    let script = format!("until test -e '{gate}'; do sleep 0.1; done; exec '{canary}'");
    stand.set_watch("canary.step.0.command", vec!["/bin/sh".to_owned(), "-c".to_owned(), script]);
    stand.set_watch("retry", vec!["1s", "1s", "1s"]);
}

fn gate(stand: &Stand) -> String {
    stand.folder.path().join("let go").display().to_string()
}

pub fn let_go(stand: &Stand) {
    fs::write(gate(stand), "").unwrap();
}

pub async fn canary_runs(stand: &Stand) {
    until("the canary", async || (stand.word("3.10.0").await == "canary").then_some(())).await;
}

/// The processes that run the canary of this stand: the shell, and mostly its `sleep`.
fn canaries(stand: &Stand) -> usize {
    processes(stand).len()
}

/// Their ids.
fn processes(stand: &Stand) -> Vec<String> {
    let work = fs::canonicalize(stand.state()).unwrap();
    let all = fs::read_dir("/proc").unwrap().filter_map(Result::ok);
    all.filter(|process| {
        fs::read_link(process.path().join("cwd")).is_ok_and(|cwd| cwd.starts_with(&work))
    })
    .map(|process| process.file_name().into_string().unwrap())
    .collect()
}

/// How many directories of runs there are.
pub fn work_directories(stand: &Stand) -> usize {
    fs::read_dir(stand.state().join("canary")).unwrap().count()
}

#[tokio::test]
async fn an_idle_daemon_ends_at_once() {
    for signal in ["TERM", "INT"] {
        let stand = Stand::new().await;
        let mut daemon = Daemon::start(&stand);
        until("a pass", async || stand.state().join("digest-bump.db").exists().then_some(())).await;
        until("the pin", async || (stand.word("3.9.3").await == "pinned").then_some(())).await;
        daemon.signal(signal);
        let code = daemon.ends_within(Duration::from_secs(10)).await;
        assert_eq!(code, Some(0), "{}", daemon.log());
        assert!(daemon.log().contains("draining") && daemon.log().contains("stopped"));
        let wal = stand.state().join("digest-bump.db-wal");
        assert!(!wal.exists(), "the database was closed");
    }
}

#[tokio::test]
async fn a_hanging_canary_is_interrupted_recorded_and_tried_again() {
    let mut stand = Stand::new().await;
    hanging(&mut stand);
    stand.world.release("3.10.0").publish().await;
    let mut daemon = Daemon::start(&stand);
    canary_runs(&stand).await;
    until("the process", async || (canaries(&stand) > 0).then_some(())).await;
    daemon.signal("TERM");
    let code = daemon.ends_within(Duration::from_secs(10)).await;
    assert_eq!(code, Some(0), "{}", daemon.log());
    assert_eq!(canaries(&stand), 0, "it ended with the bot");
    let out = stand.ok(&["explain", "3.10.0"]).await;
    insta::assert_snapshot!(stand.redact(&out), @"
    3.10.0 (MINOR, published TIME) is checking: its evidence is being collected
      image sha256:…
      platforms linux/amd64, linux/arm64
      TIME  signature: passed, signed by `https://github.com/toon-protocol/connector/.github/workflows/release.yml@refs/heads/main` at TIME
      TIME  platforms: passed, linux/amd64, linux/arm64
      TIME  version label: passed, labelled 3.10.0
      TIME  source commit: passed, built from 7d176fea, the parent of v3.10.0's commit 8b52b79c
      TIME  tag unmoved: passed, DIGEST each time
      TIME  tag, package and image agree: passed, git tag v3.10.0 at 8b52b79c; npm 3.10.0 and the image are both of 7d176fea
      TIME  no known issue: passed, nothing is known against it
      TIME  pin sites: passed, 9 of 9 sites present, each as expected
      TIME  canary run 1 on COMMIT inconclusive after A MOMENT: the canary was interrupted: the bot was stopped
    ");

    let_go(&stand);
    until("the retry", async || {
        stand.ok(&["once"]).await;
        stand.world.open_pulls().pop()
    })
    .await;
    assert_eq!(work_directories(&stand), 0);
}

/// As systemd does it: every process of the service is told at once, and the pass under way goes on
/// for a while.
#[tokio::test]
async fn a_canary_that_is_told_to_end_with_the_bot_is_interrupted_whatever_it_says() {
    let mut stand = Stand::new().await;
    let script =
        format!("trap 'exit 1' TERM; until test -e '{}'; do sleep 0.1; done", gate(&stand));
    let command = vec!["/bin/sh".to_owned(), "-c".to_owned(), script];
    stand.set_watch("canary.step.0.command", command);
    stand.world.release("3.10.0").publish().await;
    let mut daemon = Daemon::start(&stand);
    canary_runs(&stand).await;
    until("the process", async || (canaries(&stand) > 0).then_some(())).await;
    let slow = Fault::on(Service::GitHub).path_contains("/releases");
    stand.world.fault(slow.delay(Duration::from_secs(4)));
    stand.world.clear_requests();
    stand.ok(&["request", "bump", "3.10.0"]).await;
    until("a pass", async || (!stand.world.requests().is_empty()).then_some(())).await;
    daemon.signal("TERM");
    // Its `sleep` may be another one by now.
    let _ = Command::new("kill").args(["-s", "TERM"]).args(processes(&stand)).status().unwrap();
    until("the canary's end", async || (canaries(&stand) == 0).then_some(())).await;
    let code = daemon.ends_within(Duration::from_secs(30)).await;
    assert_eq!(code, Some(0), "{}", daemon.log());
    let out = stand.ok(&["explain", "3.10.0"]).await;
    assert!(out.contains("the canary was interrupted: the bot was stopped"), "{out}");
    assert!(!out.contains(" canary failed") && !out.contains(" canary inconclusive"), "{out}");
    assert_eq!(stand.word("3.10.0").await, "checking");
}

#[tokio::test]
async fn a_pass_that_hangs_is_given_up_after_the_grace_period() {
    let mut stand = Stand::new().await;
    stand.set("schedule.grace", "1s");
    let slow = Fault::on(Service::Git).delay(Duration::from_secs(20));
    stand.world.fault(slow.always());
    let mut daemon = Daemon::start(&stand);
    until("the slow exchange", async || (!stand.world.requests().is_empty()).then_some(())).await;
    daemon.signal("TERM");
    let code = daemon.ends_within(Duration::from_secs(10)).await;
    assert_eq!(code, Some(0), "{}", daemon.log());
    assert!(daemon.log().contains("the grace period ended"), "{}", daemon.log());
}

#[tokio::test]
async fn a_pass_under_way_is_finished_first() {
    let stand = Stand::new().await;
    let slow = Fault::on(Service::GitHub).path_contains("/releases");
    stand.world.fault(slow.delay(Duration::from_secs(2)));
    let daemon = Daemon::start(&stand);
    daemon.logs("the schedule's next times").await;
    daemon.stop().await;
    assert_eq!(stand.word("3.9.3").await, "pinned", "the pass was recorded");
}
