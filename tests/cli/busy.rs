//! What takes patience. First in the alphabet, so that everything else runs meanwhile.

use crate::stand::{Daemon, Stand, until};
use crate::stopping::{canary_runs, hanging, let_go, work_directories};
use digest_bump::{clock::Clock, config::Database, store::Store};
use std::time::Duration;

/// Both take half a minute, of waiting alone: together, so that it is waited once.
#[tokio::test]
async fn what_takes_patience() {
    tokio::join!(
        a_canary_whose_daemon_was_killed_is_taken_for_dead_and_tried_again(),
        somebody_else_at_work_the_whole_time_exits_with_4(),
    );
}

async fn a_canary_whose_daemon_was_killed_is_taken_for_dead_and_tried_again() {
    let mut stand = Stand::new().await;
    hanging(&mut stand);
    stand.world.release("3.10.0").publish().await;
    let mut daemon = Daemon::start(&stand);
    canary_runs(&stand).await;
    daemon.signal("KILL");
    daemon.ends_within(Duration::from_secs(10)).await;
    let status = stand.json(&["status"]).await;
    assert_eq!(status["pinned"], "3.9.3", "readable after a kill");

    let_go(&stand);
    stand.set("schedule.cron", "* * * * * *");
    let daemon = Daemon::start(&stand);
    until("the retry", async || stand.world.open_pulls().pop()).await;
    daemon.stop().await;
    let out = stand.ok(&["explain", "3.10.0"]).await;
    assert!(out.contains("the bot's process died while the canary ran"), "{out}");
    assert_eq!(stand.world.pulls().len(), 1);
    assert_eq!(work_directories(&stand), 0);
}

async fn somebody_else_at_work_the_whole_time_exits_with_4() {
    let stand = Stand::new().await;
    stand.ok(&["once"]).await;
    let file = Database::Sqlite(stand.state().join("digest-bump.db"));
    let store = Store::open(&file, &Clock::system()).await.unwrap();
    let long = Duration::from_mins(10);
    let lease = store.acquire("pass townhouse", "another", long).await;
    let lease = lease.unwrap().expect("nobody has it");
    let said = stand.run(&["once"]).await;
    assert_eq!((said.code, said.out.as_str()), (4, ""), "{said:#?}");
    let mut told = said.err.lines().filter(|line| !line.contains(" INFO "));
    assert_eq!(told.next(), Some("townhouse: another process was at work the whole time"));
    assert_eq!(told.next(), None);
    store.release(lease).await.unwrap();
    stand.ok(&["once"]).await;
}
