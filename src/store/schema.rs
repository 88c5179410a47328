//! The schema: its migrations, and which of them a database has.

use super::StoreError;
use sqlx::{
    AnyConnection, AnyPool, Row as _, SqlSafeStr as _,
    migrate::{MigrateError, Migration, MigrationType, Migrator},
};
use std::cmp::Ordering;

/// Every migration: number, name, text, one text for both databases. One that was released is
/// never changed.
const MIGRATIONS: &[(i64, &str, &str)] = &[
    (1, "init", include_str!("../../migrations/0001_init.sql")),
    (2, "content", include_str!("../../migrations/0002_content.sql")),
    (3, "canary", include_str!("../../migrations/0003_canary.sql")),
    (4, "checked", include_str!("../../migrations/0004_checked.sql")),
    (5, "wish", include_str!("../../migrations/0005_wish.sql")),
    (6, "dispatched", include_str!("../../migrations/0006_dispatched.sql")),
    (7, "commands", include_str!("../../migrations/0007_commands.sql")),
    (8, "bound", include_str!("../../migrations/0008_bound.sql")),
    (9, "last_pass", include_str!("../../migrations/0009_last_pass.sql")),
];

/// The last migration that this program knows.
fn known() -> i64 {
    MIGRATIONS.last().map_or(0, |(version, ..)| *version)
}

/// Applies what is missing. On PostgreSQL under a lock of the migrator's own; on SQLite the caller
/// holds one.
pub(super) async fn migrate(pool: &AnyPool) -> Result<(), StoreError> {
    let migrations = MIGRATIONS.iter().map(|(version, name, text)| {
        let text = (*text).into_sql_str();
        Migration::new(*version, (*name).into(), MigrationType::Simple, text, false)
    });
    let migrator = Migrator::with_migrations(migrations.collect());
    migrator.run(pool).await.map_err(|error| match error {
        MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => error.into(),
        MigrateError::VersionMissing(found) => StoreError::Newer { found, known: known() },
        MigrateError::VersionMismatch(version) => StoreError::Altered { version },
        error => StoreError::corrupt("the schema", error),
    })
}

/// For who may not migrate: the schema has to be exactly this program's. The last migration that
/// was applied; `None` if there is no schema of this program at all.
pub(super) async fn applied(connection: &mut AnyConnection) -> Result<Option<i64>, StoreError> {
    let last = "SELECT COALESCE(MAX(version), 0) AS version FROM _sqlx_migrations";
    match sqlx::query(last).fetch_one(connection).await {
        Ok(row) => Ok(Some(row.try_get("version")?)),
        Err(sqlx::Error::Database(error)) if is_no_table(error.code().as_deref()) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// SQLite's plain "error", which here can only mean that, and PostgreSQL's `undefined_table`.
fn is_no_table(code: Option<&str>) -> bool {
    matches!(code, Some("1" | "42P01"))
}

/// Fails unless the last migration that was applied is the last one that is known.
pub(super) fn must_be_known(found: i64) -> Result<(), StoreError> {
    match found.cmp(&known()) {
        Ordering::Greater => Err(StoreError::Newer { found, known: known() }),
        Ordering::Less => Err(StoreError::Older { found, known: known() }),
        Ordering::Equal => Ok(()),
    }
}
