//! No secret of the bot appears anywhere, be it a token that stays, an App's key, its signed word, or
//! a token that was minted for it: in no output, no log however loud, no file, no child's arguments or
//! environment.

use crate::stand::{Daemon, Said, Stand, said, snapshot, until};
use std::fs;

/// What gives the token away: itself, and as git's basic authentication spells it.
fn traces(stand: &Stand) -> Vec<Vec<u8>> {
    let mut all: Vec<Vec<u8>> = stand.world.secrets().into_iter().map(Vec::from).collect();
    // One that was revoked is still nobody's business.
    all.push(stand.world.token().into());
    let tokens = stand.world.secrets().into_iter().chain([stand.world.token().to_owned()]);
    let basic = tokens.map(|token| base64(format!("x-access-token:{token}").as_bytes()));
    all.extend(basic.map(String::into_bytes));
    // Any line of the key.
    let key = stand.world.app_key();
    all.extend(key.lines().filter(|line| line.len() == 64).map(Vec::from));
    all
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for three in bytes.chunks(3) {
        let number = three.iter().fold(0_u32, |sum, byte| sum << 8 | u32::from(*byte));
        let number = number << (8 * (3 - three.len()));
        for place in (0..=three.len()).rev().map(|i| 3 - (three.len() - i)) {
            let digit = (number >> (6 * place)) & 63;
            out.push(char::from(DIGITS[digit as usize]));
        }
    }
    out
}

fn assert_clean(stand: &Stand, what: &str, bytes: &[u8]) {
    for trace in traces(stand) {
        let found = bytes.windows(trace.len()).position(|it| it == trace);
        if let Some(at) = found {
            let around = &bytes[at.saturating_sub(200)..(at + 20).min(bytes.len())];
            panic!("a secret in {what}: …{}", String::from_utf8_lossy(around));
        }
    }
}

async fn loud(stand: &Stand, arguments: &[&str]) -> Said {
    let mut command =
        if stand.is_app() { stand.command(arguments) } else { stand.command_with_token(arguments) };
    command.env("DIGEST_BUMP_LOG", "trace");
    let said = said(command).await;
    let loud = said.err.contains("TRACE");
    assert_eq!(
        loud,
        ["plan", "once", "request", "config"].contains(&arguments[0]),
        "{arguments:?}"
    );
    assert_clean(stand, &format!("{arguments:?}"), said.out.as_bytes());
    assert_clean(stand, &format!("{arguments:?}"), said.err.as_bytes());
    said
}

#[test]
fn base64_is_spelled_as_everywhere() {
    assert_eq!(base64(b"Man"), "TWFu");
    assert_eq!(base64(b"a:b"), "YTpi");
    assert_eq!(base64(b"Ma"), "TWE");
    assert_eq!(base64(b"M"), "TQ");
}

#[tokio::test]
async fn no_output_however_loud_and_no_file_has_it() {
    nothing_shows_it(Stand::new().await).await;
}

#[tokio::test]
async fn nor_has_any_what_an_app_has() {
    let mut stand = Stand::new().await;
    stand.become_app();
    loud(&stand, &["config", "check"]).await;
    nothing_shows_it(stand).await;
}

async fn nothing_shows_it(stand: Stand) {
    stand.world.release("3.9.4").publish().await;
    loud(&stand, &["plan"]).await;
    assert_eq!(loud(&stand, &["once"]).await.code, 0);
    loud(&stand, &["request", "bump", "3.9.4"]).await;
    loud(&stand, &["plan", "--json"]).await;
    assert_eq!(loud(&stand, &["once", "--json"]).await.code, 0);
    assert_eq!(stand.world.open_pulls().len(), 1, "it was pushed");
    loud(&stand, &["explain", "3.9.4"]).await;
    loud(&stand, &["status"]).await;
    for (file, (bytes, _)) in snapshot(&stand.state()) {
        assert_clean(&stand, &file.display().to_string(), &bytes);
    }
    if stand.is_app() {
        let spoken = stand.world.secrets();
        assert!(spoken.iter().any(|it| it.starts_with("ghs_7_")), "minted: {spoken:?}");
        assert!(spoken.iter().any(|it| it.starts_with("eyJ")), "signed: {spoken:?}");
    }
    let pull = stand.world.open_pulls().remove(0);
    assert_clean(&stand, "the pull request", pull.body.as_bytes());
}

#[tokio::test]
async fn no_error_has_it() {
    let mut stand = Stand::new().await;
    stand.world.revoke_token(stand.world.token());
    assert_eq!(loud(&stand, &["once"]).await.code, 3);
    stand.set("github.git_url", "http://127.0.0.1:1");
    assert_eq!(loud(&stand, &["once"]).await.code, 3);
}

#[tokio::test]
async fn no_error_of_an_app_has_it() {
    let mut stand = Stand::new().await;
    stand.become_app();
    for (status, body) in [(500, "not"), (201, "a"), (403, "token")] {
        // A proxy that answers with what it was asked would be worse, and is nobody's.
        let odd = world::Fault::on(world::Service::GitHub).path_contains("/access_tokens");
        stand.world.fault(odd.status(status).body(body).always());
        assert_eq!(loud(&stand, &["once"]).await.code, 3);
        stand.world.clear_faults();
    }
    stand.set("github.git_url", "http://127.0.0.1:1");
    assert_eq!(loud(&stand, &["once"]).await.code, 3);
    stand.set("github.app.id", 8);
    assert_eq!(loud(&stand, &["once"]).await.code, 3);
}

#[tokio::test]
async fn no_child_has_it() {
    let mut stand = Stand::new().await;
    stand.set_watch("canary.env.CANARY_DELAY_MS", "40000");
    stand.world.release("3.10.0").publish().await;
    let mut command = stand.command_with_token(&["serve"]);
    command.env("DIGEST_BUMP_LOG", "trace");
    let daemon = Daemon::of(&stand, command);
    let own = format!("/proc/{}/cmdline", daemon.pid());
    assert_clean(&stand, "argv", &fs::read(own).unwrap());
    let child = until("the canary", async || child_of(daemon.pid())).await;
    for file in ["cmdline", "environ"] {
        let bytes = fs::read(format!("/proc/{child}/{file}")).unwrap();
        assert!(!bytes.is_empty());
        assert_clean(&stand, file, &bytes);
    }
    let work = stand.state().join("canary");
    for (file, (bytes, _)) in snapshot(&work) {
        assert_clean(&stand, &file.display().to_string(), &bytes);
    }
    let log = daemon.stop().await;
    assert_clean(&stand, "the daemon's log", log.as_bytes());
}

fn child_of(parent: u32) -> Option<u32> {
    let processes = fs::read_dir("/proc").unwrap().filter_map(Result::ok);
    processes.filter_map(|process| process.file_name().to_str()?.parse::<u32>().ok()).find(|id| {
        let stat = fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
        let after = stat.rsplit(") ").next().unwrap_or_default();
        after.split(' ').nth(1) == Some(&parent.to_string())
    })
}
