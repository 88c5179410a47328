//! Structured logs: one JSON object per line, and one id through a pass and its candidates.

use crate::stand::{Stand, said};
use serde_json::Value as Json;
use std::time::Duration;
use world::{Fault, Service};

async fn lines(stand: &Stand, level: &str) -> Vec<Json> {
    let mut command = stand.command_with_token(&["once"]);
    command.env("DIGEST_BUMP_LOG", level);
    command.env("DIGEST_BUMP_LOG_FORMAT", "json");
    let said = said(command).await;
    assert_eq!(said.code, 0, "{said:#?}");
    let parse = |line: &str| serde_json::from_str(line).unwrap_or_else(|_| panic!("{line}"));
    said.err.lines().map(parse).collect()
}

fn span<'a>(line: &'a Json, name: &str) -> Option<&'a Json> {
    let mut spans = line["spans"].as_array()?.iter();
    spans.find(|span| span["name"] == name)
}

#[tokio::test]
async fn one_id_goes_through_a_pass_and_its_candidates() {
    let stand = Stand::new().await;
    stand.world.release("3.10.0").publish().await;
    let lines = lines(&stand, "digest_bump=info").await;
    let said = |text: &str| {
        let found = lines.iter().find(|line| {
            let message = line["message"].as_str().unwrap_or_default();
            message.starts_with(text)
        });
        found.unwrap_or_else(|| panic!("no `{text}` in {lines:#?}"))
    };
    let started = said("canary started");
    let opened = said("opened pull request");
    for line in [started, opened] {
        assert_eq!(span(line, "pass").unwrap()["watch"], "townhouse");
        assert_eq!(span(line, "candidate").unwrap()["version"], "3.10.0");
    }
    let id = |line| span(line, "pass").unwrap()["id"].as_i64().unwrap();
    assert!(id(opened) > id(started), "another pass collected the canary");
    let ended = said("the canary ended");
    assert_eq!(span(ended, "candidate").unwrap()["version"], "3.10.0");
    assert_eq!(span(ended, "canary").unwrap()["run"], "1");
    assert_eq!(ended["verdict"], "passed");
}

#[tokio::test]
async fn at_trace_every_line_is_still_json() {
    let stand = Stand::new().await;
    assert!(lines(&stand, "trace").await.len() > 50);
}

#[tokio::test]
async fn a_quiet_pass_says_nothing_that_a_person_must_read() {
    let stand = Stand::new().await;
    stand.ok(&["once"]).await;
    let told = lines(&stand, "warn").await;
    assert_eq!(told, Vec::<Json>::new());
}

#[tokio::test]
async fn an_answer_names_a_trouble_as_the_log_does() {
    let mut stand = Stand::new().await;
    stand.set_watch("downstream.commands.enabled", true);
    stand.world.set_permission("maya", "write");
    stand.world.release("3.10.0").publish().await;
    stand.ok(&["once"]).await;
    let number = stand.world.pulls()[0].number;
    tokio::time::sleep(Duration::from_secs(1)).await;
    stand.world.comment_as("maya", number, "/bump hold");
    let down = Fault::on(Service::GitHub).path_contains("/permission").status(502);
    stand.world.fault(down.always());
    let mut command = stand.command_with_token(&["once"]);
    command.env("DIGEST_BUMP_LOG", "warn").env("DIGEST_BUMP_LOG_FORMAT", "json");
    let said = said(command).await;
    assert_eq!(said.code, 3, "{said:#?}");
    let line: Json = serde_json::from_str(said.err.lines().next().unwrap()).unwrap();
    assert_eq!(line["message"], "not done");
    let comments = stand.world.comments(number);
    let named = format!("logged as `{}`", line["id"].as_str().unwrap());
    assert!(comments.iter().any(|comment| comment.body.contains(&named)), "{comments:#?}");
}

#[tokio::test]
async fn a_setting_that_means_nothing_is_refused() {
    let stand = Stand::new().await;
    for (variable, value, why) in [
        ("DIGEST_BUMP_LOG_FORMAT", "xml", "`xml` is neither `text` nor `json`"),
        ("DIGEST_BUMP_LOG", "=digest_bump=all", "`=digest_bump=all` is no filter such as"),
    ] {
        let mut command = stand.command(&["status"]);
        command.env(variable, value);
        let said = said(command).await;
        assert_eq!((said.code, said.out.as_str()), (2, ""), "{variable}");
        assert!(said.err.starts_with(&format!("digest-bump: {variable}: {why}")), "{said:?}");
    }
    let mut command = stand.command(&["status"]);
    command.env("DIGEST_BUMP_LOG_FORMAT", "JSON");
    assert_eq!(said(command).await.code, 0);
}
