//! A tag that moves: told once in the log, and on every face as long as it is so.

use crate::stand::{Daemon, Stand, said};

/// A pass; what of its log a person must act on.
async fn errors(stand: &Stand) -> Vec<String> {
    let mut command = stand.command_with_token(&["once"]);
    command.env("DIGEST_BUMP_LOG", "error");
    let said = said(command).await;
    assert_eq!(said.code, 0, "{said:#?}");
    said.err.lines().map(|line| stand.redact(line)).collect()
}

#[tokio::test]
async fn a_tag_that_moved_is_told_once_in_the_log_and_for_ever_elsewhere() {
    let mut stand = Stand::new().await;
    assert_eq!(errors(&stand).await, [""; 0]);
    stand.world.retag("3.9.3").await;
    let logged = errors(&stand).await;
    assert_eq!(logged.len(), 1, "{logged:?}");
    let alarm = "the tag 3.9.3 moved: sha256:… (first seen TIME) → sha256:… (seen TIME); the downstream pins sha256:…, which is still served";
    assert!(logged[0].contains("ERROR") && logged[0].ends_with(alarm), "{logged:?}");
    assert_eq!(errors(&stand).await, [""; 0]);

    let status = stand.redact(&stand.ok(&["status"]).await);
    assert!(status.contains(&format!("\n  ALARM: {alarm}\n")), "{status}");
    let json = stand.json(&["status"]).await;
    let told: Vec<&str> =
        json["alarms"].as_array().unwrap().iter().map(|line| line.as_str().unwrap()).collect();
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!(stand.redact(told[0]), alarm);

    let explained = stand.redact(&stand.ok(&["explain", "3.9.3"]).await);
    insta::assert_snapshot!(explained, @"
    3.9.3 (published TIME) is pinned: the downstream pins it
      TIME  its tag gave sha256:… when it was first resolved
      TIME  its tag gave sha256:…
    ");

    stand.set("listen", "127.0.0.1:0");
    let daemon = Daemon::start(&stand);
    let page = daemon.page().await;
    digest_bump::clients::install_tls_provider();
    let html = reqwest::get(&page).await.unwrap().text().await.unwrap();
    let strong = r#"<li class="alarm"><strong>ALARM:</strong> the tag 3.9.3 moved"#;
    assert!(html.contains(strong), "{html}");
    assert!(!daemon.stop().await.contains("ERROR"));
}
