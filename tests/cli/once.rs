//! `once`: one settled pass.

use crate::stand::{Daemon, Stand, said, until};
use world::{Fault, Service};

#[tokio::test]
async fn a_minor_is_proposed_and_what_was_done_is_printed() {
    let stand = Stand::new().await;
    stand.world.release("3.10.0").publish().await;
    let out = stand.ok(&["once"]).await;
    insta::assert_snapshot!(stand.redact(&out), @"
    townhouse: canary started at 3.10.0
    townhouse: opened pull request #1: chore(connector): bump 3.9.3 → 3.10.0
    ");
    assert_eq!(stand.world.open_pulls().len(), 1);

    stand.world.clear_requests();
    let out = stand.ok(&["once"]).await;
    insta::assert_snapshot!(out, @"townhouse: nothing to do");
    assert_eq!(stand.world.writes().len(), 0);
}

#[tokio::test]
async fn for_machines() {
    let stand = Stand::new().await;
    stand.world.release("3.10.0").publish().await;
    let out = stand.ok(&["once", "--json"]).await;
    insta::assert_snapshot!(stand.redact(&out), @r#"{"watch":"townhouse","performed":["canary started at 3.10.0","opened pull request #1: chore(connector): bump 3.9.3 → 3.10.0"],"troubles":[],"wake":null}"#);
}

#[tokio::test]
async fn two_that_overlap_do_no_harm() {
    let mut stand = Stand::new().await;
    stand.set_watch("canary.env.CANARY_DELAY_MS", "1500");
    stand.world.release("3.10.0").publish().await;
    let (one, two) = tokio::join!(stand.run(&["once"]), stand.run(&["once"]));
    assert_eq!((one.code, two.code), (0, 0), "{one:#?}{two:#?}");
    assert_eq!(stand.world.pulls().len(), 1);
    let canaries = [&one, &two].map(|said| said.out.matches("canary started").count());
    assert_eq!(canaries.iter().sum::<usize>(), 1, "{one:#?}{two:#?}");
    stand.world.clear_requests();
    stand.ok(&["once"]).await;
    assert_eq!(stand.world.writes().len(), 0);
}

#[tokio::test]
async fn beside_a_daemon_it_does_no_harm() {
    let mut stand = Stand::new().await;
    stand.set("schedule.cron", "* * * * * *");
    let daemon = Daemon::start(&stand);
    stand.world.release("3.10.0").publish().await;
    for _ in 0..3 {
        stand.ok(&["once"]).await;
    }
    until("the pull request", async || (!stand.world.pulls().is_empty()).then_some(())).await;
    daemon.stop().await;
    assert_eq!(stand.world.pulls().len(), 1);
    assert_eq!(stand.word("3.10.0").await, "proposed");
}

#[tokio::test]
async fn what_could_not_be_read_is_said_and_exits_with_3() {
    let stand = Stand::new().await;
    stand.world.release("3.10.0").publish().await;
    let gone = Fault::on(Service::GitHub).path_contains("/releases").status(503);
    stand.world.fault(gone.always());
    let said = stand.run(&["once"]).await;
    assert_eq!(said.code, 3, "{said:#?}");
    insta::assert_snapshot!(stand.redact(&said.out), @"townhouse: not done: the releases of toon-protocol/connector: github is out of reach: status 503");
    stand.world.clear_faults();
    stand.ok(&["once"]).await;
    assert_eq!(stand.world.open_pulls().len(), 1);
}

#[tokio::test]
async fn a_token_that_is_worth_nothing_exits_with_3() {
    let stand = Stand::new().await;
    let mut command = stand.command(&["once"]);
    command.env("DIGEST_BUMP_GITHUB_TOKEN", "ghs_wrong");
    let said = said(command).await;
    assert_eq!(said.code, 3, "{said:#?}");
    insta::assert_snapshot!(stand.redact(&said.out), @"
    townhouse: not done: the releases of toon-protocol/connector: github denies it (401): Bad credentials
    townhouse: not done: main of toon-protocol/town: the git server denied access (HTTP 401)
    townhouse: not done: the pull requests of toon-protocol/town: github denies it (401): Bad credentials
    ");
    assert!(!format!("{said:?}").contains("ghs_wrong"));
}

#[tokio::test]
async fn it_ends_while_the_downstreams_checks_run_and_says_what_it_waits_for() {
    let mut stand = Stand::new().await;
    let canary = toml::toml! { executor = "checks" checks = ["Connector Contract Canary"] };
    stand.set_watch("canary", canary);
    stand.world.release("3.10.0").publish().await;
    let timeless = |text: &str| {
        let time = regex::Regex::new(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ").unwrap();
        time.replace_all(text, "TIME").into_owned()
    };
    let out = stand.ok(&["once"]).await;
    insta::assert_snapshot!(timeless(&out), @"
    townhouse: opened draft pull request #1: chore(connector): bump 3.9.3 → 3.10.0
    townhouse: waiting for the checks of the draft at 3.10.0: Connector Contract Canary
    townhouse: waits for 3.10.0, whose checks run since TIME: Connector Contract Canary has not started
    townhouse: look again by TIME
    ");
    let out = stand.ok(&["once"]).await;
    insta::assert_snapshot!(timeless(&out), @"
    townhouse: nothing to do
    townhouse: waits for 3.10.0, whose checks run since TIME: Connector Contract Canary has not started
    townhouse: look again by TIME
    ");
    let out = stand.ok(&["status"]).await;
    insta::assert_snapshot!(timeless(&stand.redact(&out)), @"
    townhouse: pinned at 3.9.3 (sha256:…)
      last pass: TIME, A MOMENT ago
      3.10.0     MINOR  canary    its checks run since TIME: Connector Contract Canary has not started
      3.9.3             pinned    the downstream pins it
      draft #1: chore(connector): bump 3.9.3 → 3.10.0 <https://github.com/toon-protocol/town/pull/1>
    ");
}
