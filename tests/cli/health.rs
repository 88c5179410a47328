//! `health`: what a container engine asks with.

use crate::stand::{Daemon, Stand, said};
use std::net::TcpListener;

/// A stand whose daemon listens at a port that the config names, and at every address.
async fn listening() -> Stand {
    let mut stand = Stand::new().await;
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    stand.set("listen", free.to_string());
    stand
}

#[tokio::test]
async fn a_daemon_is_healthy_until_its_store_cannot_be_read() {
    let stand = listening().await;
    let daemon = Daemon::start(&stand);
    daemon.page().await;
    // A proxy is for the world, not for this machine.
    let mut command = stand.command(&["health"]);
    command.env("HTTP_PROXY", "http://127.0.0.1:1").env("http_proxy", "http://127.0.0.1:1");
    let healthy = said(command).await;
    assert_eq!((healthy.code, healthy.out.as_str()), (0, "healthy\n"), "{healthy:#?}");
    assert_eq!(stand.ok(&["health", "--json"]).await, "{\"healthy\":true}\n");

    let file = stand.state().join("digest-bump.db");
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(&file);
    let store = sqlx::SqlitePool::connect_with(options).await.unwrap();
    sqlx::query("DROP TABLE request").execute(&store).await.unwrap();
    store.close().await;
    let sick = stand.run(&["health"]).await;
    assert_eq!((sick.code, sick.out.as_str()), (1, "not healthy: its log says why\n"), "{sick:#?}");
    assert!(daemon.log().contains("a person must look"), "{}", daemon.log());
    daemon.stop().await;
}

#[tokio::test]
async fn where_no_daemon_answers_nothing_is_known() {
    let stand = listening().await;
    let said = stand.run(&["health"]).await;
    assert_eq!((said.code, said.out.as_str()), (3, ""));
    let asked = format!(
        "digest-bump: asking http://{}/healthz: ",
        stand.config["listen"].as_str().unwrap()
    );
    assert!(said.err.starts_with(&asked), "{}", said.err);
}

#[tokio::test]
async fn a_config_that_names_no_place_to_ask_at() {
    let mut stand = Stand::new().await;
    let said = stand.run(&["health"]).await;
    assert_eq!(said.code, 2);
    insta::assert_snapshot!(said.err, @"digest-bump: the config has no `listen`, so nobody can be asked");
    stand.set("listen", "127.0.0.1:0");
    let said = stand.run(&["health"]).await;
    assert_eq!(said.code, 2);
    insta::assert_snapshot!(said.err, @"digest-bump: `listen` has port 0, so nobody knows where to ask");
}
