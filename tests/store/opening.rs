//! Opening: one database by many, its file, and what is no database of this program's.

use super::*;

#[tokio::test]
async fn many_open_one_fresh_database_at_once_and_all_write() {
    let (database, _folder) = shared().await;
    let openings: Vec<_> = (0..8_u32)
        .map(|number| {
            let database = database.clone();
            tokio::spawn(async move {
                let store = Store::open(&database, &clock()).await.unwrap();
                for patch in 0..10 {
                    let wanted = Version::new(3, u64::from(number), patch);
                    store
                        .record_request(&watch(), Wish::Bump, &wanted, "ada", at(1))
                        .await
                        .unwrap();
                }
            })
        })
        .collect();
    for opening in openings {
        opening.await.unwrap();
    }
    let store = Store::open(&database, &clock()).await.unwrap();
    assert_eq!(store.newest_wish().await.unwrap(), 80);
    assert_eq!(store.load_memory(&watch()).await.unwrap().requests.len(), 80);
}

#[tokio::test]
async fn the_file_is_its_owners_alone() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("state.db");
    let store = Store::open(&file(&path), &clock()).await.unwrap();
    store.record_request(&watch(), Wish::Bump, &version("1.0.0"), "ada", at(1)).await.unwrap();
    for file in std::fs::read_dir(folder.path()).unwrap().flatten() {
        let mode = file.metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "{:?}", file.path());
    }
}

#[tokio::test]
async fn a_reader_sees_what_a_writer_wrote_and_writes_nothing() {
    let (database, _folder) = shared().await;
    assert!(Store::open_readonly(&database).await.unwrap().is_none());
    if let Database::Sqlite(path) = &database {
        assert!(!path.exists());
    }

    let writer = Store::open(&database, &clock()).await.unwrap();
    let reader = Store::open_readonly(&database).await.unwrap().unwrap();
    writer.record_request(&watch(), Wish::Bump, &version("1.0.0"), "ada", at(1)).await.unwrap();
    assert_eq!(reader.newest_wish().await.unwrap(), 1);
    let refused =
        reader.record_request(&watch(), Wish::Bump, &version("2.0.0"), "ada", at(1)).await;
    assert!(matches!(refused, Err(StoreError::ReadOnly(_))), "{refused:?}");
    assert_eq!(writer.newest_wish().await.unwrap(), 1);

    // After a clean end, which leaves SQLite's file without a log beside it.
    reader.close().await;
    writer.close().await;
    let reader = Store::open_readonly(&database).await.unwrap().unwrap();
    assert_eq!(reader.newest_wish().await.unwrap(), 1);
}

/// A database with the schema, and a way to change it behind the store's back.
struct Tampered {
    database: Database,
    server: Option<OnServer>,
    folder: TempDir,
}

impl Tampered {
    async fn new() -> Self {
        let (folder, server) = (TempDir::new().unwrap(), OnServer::fresh().await);
        let database = match &server {
            Some(server) => on(server),
            None => file(&folder.path().join("state.db")),
        };
        Store::open(&database, &clock()).await.unwrap().close().await;
        Self { database, server, folder }
    }

    async fn run(&self, sql: &'static str) {
        sqlx::any::install_default_drivers();
        let mut connection = if let Some(server) = &self.server {
            server.connect_to(&server.name).await
        } else {
            let path = self.folder.path().join("state.db");
            let url = format!("sqlite://{}?mode=rw", path.display());
            sqlx::AnyConnection::connect(&url).await.unwrap()
        };
        sqlx::raw_sql(sql).execute(&mut connection).await.unwrap();
        connection.close().await.unwrap();
    }

    async fn open(&self) -> Result<Store, StoreError> {
        Store::open(&self.database, &clock()).await
    }

    async fn look(&self) -> Result<Option<Store>, StoreError> {
        Store::open_readonly(&self.database).await
    }
}

#[tokio::test]
async fn another_versions_database_is_refused_with_its_number() {
    let database = Tampered::new().await;
    database.run("UPDATE _sqlx_migrations SET checksum = 'other'").await;
    let error = database.open().await.unwrap_err();
    assert!(matches!(error, StoreError::Altered { version: 1 }), "{error:?}");

    database
        .run(
            "INSERT INTO _sqlx_migrations (version, description, success, checksum, \
             execution_time) VALUES (999, 'later', TRUE, 'other', 0)",
        )
        .await;
    for error in [database.open().await.unwrap_err(), database.look().await.unwrap_err()] {
        assert!(matches!(error, StoreError::Newer { found: 999, .. }), "{error:?}");
    }

    database.run("DELETE FROM _sqlx_migrations").await;
    let error = database.look().await.unwrap_err();
    assert!(matches!(error, StoreError::Older { found: 0, .. }), "{error:?}");
    database.run("DROP TABLE _sqlx_migrations").await;
    match database.look().await {
        // On a server, whoever made the empty database was about to start the first pass.
        Ok(None) if database.server.is_some() => {}
        Err(StoreError::Older { found: 0, .. }) if database.server.is_none() => {}
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn what_is_no_database_is_called_corrupt() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("state.db");
    std::fs::write(&path, "x".repeat(8192)).unwrap();
    let error = Store::open(&file(&path), &clock()).await.unwrap_err();
    assert!(matches!(error, StoreError::Corrupt { .. }), "{error:?}");
    let error = Store::open_readonly(&file(&path)).await.unwrap_err();
    assert!(matches!(error, StoreError::Corrupt { .. }), "{error:?}");
}

#[tokio::test]
async fn a_row_that_nobody_can_have_written_is_named() {
    let database = Tampered::new().await;
    let store = database.open().await.unwrap();
    store.record_request(&watch(), Wish::Bump, &version("1.0.0"), "ada", at(1)).await.unwrap();
    database.run("UPDATE request SET version = 'newest'").await;
    let error = store.load_memory(&watch()).await.unwrap_err();
    assert_eq!(error.to_string(), "the database is corrupt: column version");
}
