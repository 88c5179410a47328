//! A full disk, a broken database, one of a later version: said, and nothing is lost or repeated.

use crate::stand::{Daemon, Said, Stand, said, until};
use std::{fs, os::unix::fs::FileExt as _, process::Command};

/// Runs a script where `$STATE` is a disk of its own of 8 MiB. `None` where this user may not
/// mount one.
async fn on_a_small_disk(stand: &Stand, script: &str) -> Option<Said> {
    // A process namespace of its own: whatever was started in it ends with it.
    let unshare = ["--user", "--map-root-user", "--mount", "--pid", "--kill-child", "sh", "-euc"];
    let may = Command::new("unshare").args(unshare).arg("mount -t tmpfs none /mnt").output();
    if !may.is_ok_and(|output| output.status.success()) {
        eprintln!("SKIPPED: no mount namespaces here, so no disk can be filled");
        assert!(!std::env::vars_os().any(|(name, _)| name == "DIGEST_BUMP_NO_SKIPS"));
        return None;
    }
    fs::create_dir_all(stand.state()).unwrap();
    let mut command = Command::new("unshare");
    command
        .args(unshare)
        .arg(format!("mount -t tmpfs -o size=8m none \"$STATE\"\n{script}"))
        .env("STATE", stand.state())
        .env("BOT", env!("CARGO_BIN_EXE_digest-bump"))
        .env("DIGEST_BUMP_CONFIG", stand.config_file())
        .env("DIGEST_BUMP_GITHUB_TOKEN", stand.world.token());
    Some(said(command).await)
}

/// Fills the disk to the last byte; the failing of `dd` is the point.
const FILL: &str = "dd if=/dev/zero of=$STATE/filler bs=4k 2>/dev/null || true";

#[tokio::test]
async fn a_full_disk_is_said_and_once_there_is_room_again_all_goes_on() {
    let stand = Stand::new().await;
    stand.world.release("3.10.0").publish().await;
    let script = format!(
        "{FILL}
         for i in 1 2; do $BOT once || echo \"exit $?\"; done
         rm $STATE/filler
         $BOT once
         {FILL}
         $BOT once || echo \"exit $?\"
         rm $STATE/filler
         $BOT once; $BOT status --json"
    );
    let Some(said) = on_a_small_disk(&stand, &script).await else {
        return;
    };
    assert_eq!(said.code, 0, "{said:#?}");
    assert_eq!(said.out.matches("exit 3").count(), 3, "{said:#?}");
    assert_eq!(said.err.matches("the database's disk is full").count(), 3, "{said:#?}");
    assert!(!said.err.contains("panicked"), "{said:#?}");
    assert_eq!(stand.world.pulls().len(), 1, "{said:#?}");
}

#[tokio::test]
async fn a_full_disk_does_not_end_the_daemon() {
    let mut stand = Stand::new().await;
    stand.set("schedule.cron", "* * * * * *");
    let go = stand.folder.path().join("go").display().to_string();
    let script = format!(
        "$BOT serve 2>'{go}.log' & bot=$!
         until test -e '{go}'; do sleep 0.1; done
         {FILL}
         echo full >'{go}.full'
         until test -e '{go}.on'; do sleep 0.1; done
         kill -0 $bot
         rm $STATE/filler
         until test -e '{go}.end'; do sleep 0.1; done
         kill $bot; wait $bot"
    );
    let log = || fs::read_to_string(format!("{go}.log")).unwrap();
    let signal = |name: &str| fs::write(format!("{go}{name}"), "").unwrap();
    let story = async {
        until("a pass", async || (!stand.world.requests().is_empty()).then_some(())).await;
        signal("");
        until("the disk", async || fs::metadata(format!("{go}.full")).ok()).await;
        stand.world.release("3.10.0").publish().await;
        // Passes go on, and come to nothing.
        until("passes", async || (log().matches("disk is full").count() > 1).then_some(())).await;
        assert_eq!(stand.world.pulls().len(), 0);
        signal(".on");
        until("the pull request", async || stand.world.open_pulls().pop()).await;
        signal(".end");
    };
    tokio::select! {
        (said, ()) = async { tokio::join!(on_a_small_disk(&stand, &script), story) } => {
            let said = said.unwrap();
            assert_eq!(said.code, 0, "{said:#?}");
            assert!(!log().contains("panicked"), "{}", log());
        }
        skipped = skips(&stand) => skipped,
    }
    assert_eq!(stand.world.pulls().len(), stand.world.open_pulls().len());
}

/// Ends where no disk can be mounted, and nowhere else.
async fn skips(stand: &Stand) {
    if on_a_small_disk(stand, "true").await.is_some() {
        std::future::pending::<()>().await;
    }
}

#[tokio::test]
async fn a_corrupt_database_stops_the_start_and_is_named() {
    let stand = Stand::new().await;
    stand.world.release("3.10.0").publish().await;
    stand.ok(&["once"]).await;
    let file = stand.state().join("digest-bump.db");
    fs::write(&file, "this was a database once\n".repeat(400)).unwrap();
    stand.world.clear_requests();
    for command in ["once", "serve", "plan", "status"] {
        let said = stand.run(&[command]).await;
        assert_eq!((said.code, said.out.as_str()), (3, ""), "{command}: {said:#?}");
        if command == "serve" {
            insta::assert_snapshot!(stand.redact(&said.err), @"digest-bump: FOLDER/state/digest-bump.db: the database is corrupt: its files: (code: 26) file is not a database");
        }
    }
    assert_eq!(stand.world.requests().len(), 0, "nothing was begun");
    // What the message advises.
    for ending in ["", "-wal", "-shm"] {
        let _ = fs::rename(
            stand.state().join(format!("digest-bump.db{ending}")),
            stand.folder.path().join(format!("aside{ending}")),
        );
    }
    stand.ok(&["once"]).await;
    assert_eq!(stand.world.pulls().len(), 1);
}

#[tokio::test]
async fn a_database_that_breaks_under_a_daemon_does_not_end_it() {
    let mut stand = Stand::new().await;
    stand.set("schedule.cron", "* * * * * *");
    stand.world.release("3.10.0").publish().await;
    let daemon = Daemon::start(&stand);
    until("the pull request", async || stand.world.open_pulls().pop()).await;
    let file = fs::File::options().write(true).open(stand.state().join("digest-bump.db")).unwrap();
    let length = file.metadata().unwrap().len();
    file.write_all_at(&vec![0x55; usize::try_from(length).unwrap()], 0).unwrap();
    let wal = stand.state().join("digest-bump.db-wal");
    fs::File::options().write(true).open(wal).unwrap().set_len(0).unwrap();
    daemon.logs("a person must look").await;
    stand.world.release("3.11.0").publish().await;
    tokio::time::sleep(std::time::Duration::from_secs(2)).await;
    assert_eq!(stand.world.pulls().len(), 1, "nothing is written on a memory that is none");
    let log = daemon.stop().await;
    assert!(!log.contains("panicked"), "{log}");
}

#[tokio::test]
async fn a_database_of_a_later_version_stops_the_start() {
    let stand = Stand::new().await;
    stand.ok(&["once"]).await;
    sqlx::any::install_default_drivers();
    let url = format!("sqlite://{}", stand.state().join("digest-bump.db").display());
    let pool = sqlx::AnyPool::connect(&url).await.unwrap();
    let later = "INSERT INTO _sqlx_migrations (version, description, success, checksum, \
                 execution_time) VALUES (999, 'later', TRUE, x'00', 0)";
    sqlx::query(later).execute(&pool).await.unwrap();
    pool.close().await;
    for command in ["once", "serve", "plan", "status"] {
        let said = stand.run(&[command]).await;
        assert_eq!((said.code, said.out.as_str()), (3, ""), "{command}: {said:#?}");
        if command == "serve" {
            insta::assert_snapshot!(stand.redact(&said.err), @"digest-bump: FOLDER/state/digest-bump.db: the database's schema 999 is newer than this program's 9");
        }
    }
}
