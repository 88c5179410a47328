//! Nothing new: nothing is sent twice, nothing is written down.

use crate::stand::{Stand, run_test};
use sqlx::Connection as _;
use world::{Fault, Service};

/// The number of rows in each table.
async fn rows(stand: &Stand) -> Vec<(String, i64)> {
    sqlx::any::install_default_drivers();
    let (mut database, names) = if let Some(server) = &stand.database {
        let names = "SELECT tablename::text FROM pg_tables WHERE schemaname = 'public' \
                     ORDER BY tablename";
        (server.connect_to(&server.name).await, names)
    } else {
        let file = stand.state.path().join("digest-bump.db");
        let url = format!("sqlite://{}?mode=ro", file.display());
        let names = "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name";
        (sqlx::AnyConnection::connect(&url).await.unwrap(), names)
    };
    let names: Vec<(String,)> = sqlx::query_as(names).fetch_all(&mut database).await.unwrap();
    assert!(names.len() > 7, "{names:?}");
    let mut rows = Vec::new();
    for (name,) in names {
        let count = sqlx::AssertSqlSafe(format!("SELECT count(*) FROM \"{name}\""));
        let count = sqlx::query_scalar(count).fetch_one(&mut database);
        rows.push((name, count.await.unwrap()));
    }
    rows
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pass_that_finds_nothing_new_asks_conditionally_and_leaves_no_trace() {
    run_test(async |stand| {
        stand.world.release("3.10.0").publish().await;
        stand.world.release("4.0.0").publish().await;
        stand.settle().await;
        stand.wait(1);
        stand.settle().await;
        let before = rows(stand).await;
        stand.world.clear_requests();
        stand.settle().await;
        for asked in stand.world.requests() {
            assert!(!asked.write, "{asked:?}");
            match asked.service {
                Service::Tuf => panic!("{asked:?}"),
                // A process that has just begun asks for its token first.
                Service::Registry if asked.path.starts_with("/token") => {}
                Service::Registry => {
                    let challenged = asked.status == 401 && !asked.authorised;
                    assert!(
                        asked.if_none_match && (asked.status == 304 || challenged),
                        "{asked:?}"
                    );
                }
                Service::Git => assert_eq!(asked.method, "GET"),
                Service::GitHub | Service::Npm => {
                    assert!(asked.if_none_match && asked.status == 304, "{asked:?}");
                    let releases = asked.path.contains("/releases");
                    assert!(asked.if_modified_since || !releases, "{asked:?}");
                }
            }
        }
        assert_eq!(rows(stand).await, before);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn npms_rate_limit_is_written_down_once_however_its_end_moves() {
    run_test(async |stand| {
        stand.world.release("3.10.0").publish().await;
        stand.settle().await;
        let limit = Fault::on(Service::Npm).status(429).header("retry-after", "3600");
        stand.world.fault(limit.always());
        stand.wait_minutes(1);
        stand.once().await;
        let before = rows(stand).await;
        // Another process, which has to ask before it knows.
        stand.wait_minutes(1);
        stand.world.clear_requests();
        let report = stand.once().await;
        assert!(report.troubles.iter().any(|it| it.contains("npm's rate limit")), "{report:?}");
        assert!(stand.world.requests().iter().any(|asked| asked.service == Service::Npm));
        assert_eq!(rows(stand).await, before);
        stand.world.clear_faults();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_download_changes_the_list_and_is_no_news() {
    run_test(async |stand| {
        stand.world.release("3.10.0").publish().await;
        stand.settle().await;
        let before = rows(stand).await;
        stand.world.bump_download_count();
        stand.world.clear_requests();
        let report = stand.settle().await;
        assert_eq!(report.performed, [""; 0]);
        assert_eq!(stand.world.writes(), []);
        assert_eq!(rows(stand).await, before);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tag_that_was_moved_is_not_followed() {
    run_test(async |stand| {
        stand.world.release("3.10.0").publish().await;
        let first = stand.world.image_digest("3.10.0").unwrap();
        stand.settle().await;
        stand.world.retag("3.10.0").await;
        assert_ne!(stand.world.image_digest("3.10.0").unwrap(), first);
        stand.settle().await;
        assert!(stand.only().body.contains(&first));
        assert_eq!(stand.runs().await, ["3.10.0 passed"]);
    })
    .await;
}
