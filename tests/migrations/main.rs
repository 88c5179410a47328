//! Data survives each migration. For every step there is a database as it was before it, with
//! sample rows in each table and column; opened by today's program, it says what it said then.
//!
//! A new migration needs sample rows of its own (`tests/migrations/<number>.sql`), for the day
//! when it is the old one.
#![expect(clippy::unwrap_used, reason = "a test fails by panic")]

#[path = "../database/mod.rs"]
mod database;

use database::OnServer;
use digest_bump::{
    clock::Clock,
    config::{Database, PostgresServer},
    domain::{Digest, EffectState, Fact, Order, RunId, RunState, Timestamp},
    store::Store,
};
use sqlx::{
    AnyConnection, AssertSqlSafe, Column as _, Connection as _, Row as _, SqlSafeStr as _,
    migrate::{Migration, MigrationType, Migrator},
};
use std::{fs, path::Path};
use tempfile::TempDir;

/// The migrations that brought the contents of documents, and the logs of canaries.
const SINCE_CONTENT: i64 = 2;
const SINCE_LOGS: i64 = 3;
/// The one that brought commands.
const SINCE_COMMANDS: i64 = 7;
/// The table in which the migrations themselves are counted.
const COUNTED: &str = "_sqlx_migrations";

/// Every migration: number and text.
fn migrations() -> Vec<(i64, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations");
    let mut all: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            (name[..4].parse().unwrap(), fs::read_to_string(path).unwrap())
        })
        .collect();
    all.sort();
    all
}

/// A database in which only the first so many migrations were applied.
async fn old(steps: usize) -> (Database, AnyConnection, TempDir) {
    sqlx::any::install_default_drivers();
    let folder = TempDir::new().unwrap();
    let (database, mut connection) = if let Some(server) = OnServer::fresh().await {
        let password = Some(server.password().into());
        let database = PostgresServer::new(&server.url(), password).unwrap();
        (Database::Postgres(database), server.connect_to(&server.name).await)
    } else {
        let path = folder.path().join("state.db");
        let url = format!("sqlite://{}?mode=rwc", path.display());
        (Database::Sqlite(path), AnyConnection::connect(&url).await.unwrap())
    };
    let applied = migrations().into_iter().take(steps).map(|(number, text)| {
        let text = AssertSqlSafe(text).into_sql_str();
        Migration::new(number, "".into(), MigrationType::Simple, text, false)
    });
    Migrator::with_migrations(applied.collect()).run(&mut connection).await.unwrap();
    (database, connection, folder)
}

#[tokio::test]
async fn what_was_written_before_each_migration_is_read_after_it() {
    let all = migrations();
    for (before, (number, _)) in all.iter().enumerate() {
        let (database, mut connection, _folder) = old(before + 1).await;
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/migrations");
        let rows = fs::read_to_string(folder.join(format!("{number:04}.sql"))).unwrap();
        // The one literal for which the two have no common form.
        let rows = match &database {
            Database::Sqlite(_) => rows.replace("'whole'", "x'77686f6c65'"),
            Database::Postgres(_) => rows,
        };
        sqlx::raw_sql(AssertSqlSafe(rows)).execute(&mut connection).await.unwrap();
        for table in tables(&mut connection, &database).await {
            every_column_is_shown(&mut connection, &table).await;
        }
        connection.close().await.unwrap();
        let store = Store::open(&database, &Clock::manual(Timestamp::from_millis(0))).await;
        says_what_it_said(&store.unwrap(), *number).await;
    }
    eprintln!("{} migrations, each from rows as they were before the next", all.len());
}

/// Every table that the migrations made so far: none is to be left out by a list.
async fn tables(connection: &mut AnyConnection, database: &Database) -> Vec<String> {
    let all = match database {
        Database::Sqlite(_) => "SELECT name FROM sqlite_master WHERE type = 'table'",
        Database::Postgres(_) => {
            "SELECT CAST(table_name AS TEXT) FROM information_schema.tables \
             WHERE table_schema = 'public'"
        }
    };
    let mut names: Vec<String> = sqlx::query_scalar(all).fetch_all(connection).await.unwrap();
    names.retain(|name| name != COUNTED && !name.starts_with("sqlite_"));
    assert!(names.len() >= 7, "{names:?}");
    names
}

/// Each column of a table holds something in some row.
async fn every_column_is_shown(connection: &mut AnyConnection, table: &str) {
    let first = AssertSqlSafe(format!("SELECT * FROM {table}"));
    let row = sqlx::query(first).fetch_one(&mut *connection).await.unwrap();
    for column in row.columns() {
        let name = column.name();
        let filled = AssertSqlSafe(format!("SELECT COUNT({name}) FROM {table}"));
        let filled: i64 = sqlx::query_scalar(filled).fetch_one(&mut *connection).await.unwrap();
        assert!(filled > 0, "no sample row has a {name} in {table}");
    }
}

async fn says_what_it_said(store: &Store, number: i64) {
    let watch = "townhouse".parse().unwrap();
    let memory = store.load_memory(&watch).await.unwrap();
    let version = "3.10.0".parse().unwrap();
    let image = memory.image(&version).unwrap();
    assert_eq!(image.digest.digest().short(), "222222222222", "the latest counts");
    let key = Fact::Image(image.clone()).key();
    assert_eq!(store.history(&watch, &key).await.unwrap().len(), 2, "and both stay");
    let release = memory.releases().next().unwrap();
    assert_eq!((release.tag.as_str(), release.notes.contains("faster")), ("v3.10.0", true));
    let findings: Vec<String> = memory
        .findings
        .iter()
        .map(|it| format!("{} {} {}", it.check, it.verdict, it.summary))
        .collect();
    assert_eq!(
        findings,
        ["platforms passed linux/amd64, linux/arm64", "canary inconclusive the registry was away"]
    );
    let ended = memory
        .runs
        .iter()
        .map(|run| matches!(&run.state, RunState::Ended { output, .. } if output == "no answer"));
    assert_eq!(ended.collect::<Vec<_>>(), [true, false]);
    if number >= SINCE_LOGS {
        let log = store.canary_log(RunId(1)).await.unwrap();
        assert_eq!(log.as_deref(), Some("all that it printed"));
    }
    if number >= SINCE_CONTENT {
        let kept = store.content(&Digest::of(b"whole")).await.unwrap().unwrap();
        assert_eq!((kept.media_type.as_str(), &*kept.bytes), ("application/json", &b"whole"[..]));
    }
    let requests: Vec<_> = memory
        .requests
        .iter()
        .map(|it| (it.actor.as_str(), it.outcome.as_ref().map(|outcome| outcome.granted)))
        .collect();
    assert_eq!(requests, [("maya", Some(false)), ("maya", None)]);
    if number >= SINCE_COMMANDS {
        let told: Vec<String> = memory.orders.iter().map(Order::told).collect();
        assert_eq!(
            told,
            [
                "hold by ada since 2026-05-28T20:26:40Z: a fair",
                "ignore 3.9.9 by ada since 2026-05-28T20:26:40Z"
            ]
        );
        let repository = "toon-protocol/town".parse().unwrap();
        let heard = store.load_heard(&repository, &watch, Timestamp::from_millis(0)).await.unwrap();
        assert_eq!(heard.len(), 1, "one is open");
        assert_eq!(heard[0].rulings.as_ref().map(Vec::len), Some(1));
    }
    let effects: Vec<_> =
        memory.effects.iter().map(|it| (it.state, it.done_at.is_some())).collect();
    assert_eq!(effects, [(EffectState::Done, true), (EffectState::Intended, false)]);
    let cached = store.cached("https://example.test/releases").await.unwrap().unwrap();
    assert_eq!((cached.etag.as_deref(), cached.body.as_slice()), (Some("W/\"1\""), &b"whole"[..]));
    let lease = store.acquire("pass townhouse", "me", std::time::Duration::from_secs(1)).await;
    assert_eq!(lease.unwrap().unwrap().token(), 42, "the token only rises");
}
