//! The canary of a whole bot in its sandbox. What the sandbox keeps from it is `tests/sandbox`'s.

use crate::stand::{Stand, run_in};
use digest_bump::canary::sandbox::{Demand, Sandbox};
use std::path::Path;
use toml::{Table, Value};
use world::World;

const LOCK: &str = "pnpm-lock.yaml";

/// A bot whose canary is confined, if this machine can.
async fn confined(story: impl AsyncFnOnce(&mut Stand)) {
    let program = Path::new(env!("CARGO_BIN_EXE_digest-bump"));
    if let Err(refusal) = Sandbox::choose(Demand::Strict, program).await {
        let why = "no canary was confined: apt install bubblewrap";
        let must = std::env::vars_os().any(|(name, _)| name == "DIGEST_BUMP_NO_SKIPS");
        assert!(!must, "{why}: {refusal}");
        let said = format!("SKIPPED: {why}: {refusal}\n");
        std::io::Write::write_all(&mut std::io::stderr(), said.as_bytes()).unwrap();
        return;
    }
    let builder = World::builder().town(|files| {
        files.insert(LOCK.to_owned(), b"connector 3.9.3\n".into());
    });
    run_in(builder, async |stand| {
        stand.set("canary.sandbox.demand", "strict");
        story(stand).await;
    })
    .await;
}

fn list(texts: &[&str]) -> Value {
    Value::Array(texts.iter().map(|text| Value::from(*text)).collect())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_it_needs_it_has_and_the_pull_request_says_what_confined_it() {
    confined(async |stand| {
        // The registry is on loopback, so it has to stand in the config as it is.
        let address = stand.world.registry_url().replace("http://", "");
        stand.set("canary.step.0.network", list(&[&address]));
        let script = "test ! -e /root/.ssh && ! env | grep -q DIGEST_BUMP_ && \
                      python3 -c 'import os, urllib.request as u; \
                      print(u.urlopen(os.environ[\"WORLD_REGISTRY\"] + \"/token?service=ghcr.io&scope=repository:toon-protocol/connector:pull\").status)'";
        stand.canary_script(script);
        stand.world.release("3.10.0").publish().await;
        stand.settle().await;
        let body = stand.only().body;
        let line = body.lines().find(|line| line.contains("It ran on exactly")).unwrap();
        assert!(line.starts_with("200. ") && line.contains("confined by bubblewrap"), "{line}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_it_was_not_given_it_cannot_reach() {
    confined(async |stand| {
        let registry = stand.world.registry_url().replace("http://", "").replace(':', " ");
        let database = stand.state.path().join("digest-bump.db");
        let script = format!(
            "cat '{}' && echo REACHED; exec 3<>/dev/tcp/{} && echo REACHED; echo nothing",
            database.display(),
            registry.replace(' ', "/"),
        );
        stand.set("canary.step.0.command", list(&["bash", "-c", &script]));
        stand.world.release("3.10.0").publish().await;
        stand.settle().await;
        let output = stand.canary_output().await;
        assert!(!output.contains("REACHED") && output.contains("nothing"), "{output}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn its_report_and_what_is_prepared_come_out_of_the_sandbox() {
    confined(async |stand| {
        stand.canary_script("grep -qx \"connector $V\" pnpm-lock.yaml && printf 'TAP version 13\\n1..1\\nok 1 - locked\\n' > out.tap");
        let mut report = Table::new();
        report.insert("format".into(), "tap".into());
        report.insert("path".into(), "out.tap".into());
        stand.set("canary.step.0.report", Value::Table(report));
        let mut prepare = Table::new();
        let command = ["sh", "-c", "echo connector $V > pnpm-lock.yaml"];
        prepare.insert("command".into(), list(&command));
        prepare.insert("files".into(), list(&[LOCK]));
        stand.set("canary.prepare", Value::Table(prepare));
        stand.world.release("3.10.0").publish().await;
        stand.settle().await;
        let branch = stand.only().head_branch;
        assert_eq!(stand.git(&["show", &format!("{branch}:{LOCK}")]), "connector 3.10.0");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tool_that_changes_what_it_may_not_is_found_out_there_too() {
    confined(async |stand| {
        stand.canary_script("echo fine");
        let mut prepare = Table::new();
        let script = "echo x > .npmrc; rm README.md; ln -s /etc/passwd link; chmod +x package.json; rm pnpm-lock.yaml; ln -s /etc/passwd pnpm-lock.yaml";
        prepare.insert("command".into(), list(&["sh", "-c", script]));
        prepare.insert("files".into(), list(&[LOCK]));
        stand.set("canary.prepare", Value::Table(prepare));
        stand.world.release("3.10.0").publish().await;
        stand.settle().await;
        assert_eq!(stand.open(), [""; 0]);
        let line = stand.stage("3.10.0").await.1;
        insta::assert_snapshot!(line, @"attempt 1 was inconclusive: the canary could not be prepared: prepare: it changed what it may not: .npmrc is not among its files, README.md was removed, link is a new link, package.json changed its mode, pnpm-lock.yaml is a new link; until 2026-06-12T08:01:00Z (1 min from now)");
    })
    .await;
}
