//! PostgreSQL: one server, for any number of machines.

use super::{
    StoreError,
    open::{connect, first_connection},
    schema,
};
use crate::config::PostgresServer;
use secrecy::ExposeSecret as _;
use sqlx::{AnyConnection, AnyPool, Connection as _};

/// Passes are few and one writes at a time, so that more connections only wait for each other.
const CONNECTIONS: u32 = 4;

/// As on SQLite, nobody waits for another's write for longer than this. A process that froze with
/// a transaction open keeps nobody else from working.
const WRITER: &str = "SET lock_timeout = '5s'; SET idle_in_transaction_session_timeout = '60s'";
const READER: &str = "SET default_transaction_read_only = on; SET lock_timeout = '5s'";

/// Which of the server's advisory locks orders the writers. Any number
/// does that is the same for all of them; it holds in one database.
const WRITERS_LOCK: i64 = 0x6469_6765_7374;

/// Connects, and brings the schema up to date.
pub(super) async fn open(server: &PostgresServer) -> Result<AnyPool, StoreError> {
    let url = server.url_with_password();
    first_connection(url.expose_secret(), WRITER).await?.close().await?;
    let pool = connect(url.expose_secret(), CONNECTIONS, WRITER).await?;
    schema::migrate(&pool).await?;
    Ok(pool)
}

/// Connects for looking only; `None` if there is no schema of this program yet.
pub(super) async fn open_readonly(server: &PostgresServer) -> Result<Option<AnyPool>, StoreError> {
    let url = server.url_with_password();
    let mut first = first_connection(url.expose_secret(), READER).await?;
    let Some(found) = schema::applied(&mut first).await? else {
        return Ok(None);
    };
    schema::must_be_known(found)?;
    let pool = connect(url.expose_secret(), 1, READER).await?;
    first.close().await?;
    Ok(Some(pool))
}

/// Makes a transaction the only one that writes until it ends. Ids are counted by the writer, and
/// what a pass checks before it writes must still hold when it has written. A lock of the
/// transaction, and none of the session, works through a connection pooler as well.
pub(super) async fn lock_writers(transaction: &mut AnyConnection) -> Result<(), StoreError> {
    let lock = sqlx::query("SELECT 1 FROM (SELECT pg_advisory_xact_lock($1)) AS locked");
    lock.bind(WRITERS_LOCK).execute(transaction).await?;
    Ok(())
}
