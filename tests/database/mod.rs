//! The database of one test: a file of SQLite's, or a database of its own on the PostgreSQL server
//! that `DIGEST_BUMP_TEST_POSTGRES` names. `.ci/run` starts such a server and runs the suites a
//! second time on it.

use secrecy::{ExposeSecret as _, SecretString};
use sqlx::{AnyConnection, AssertSqlSafe, Connection as _};
use std::{
    ffi::OsString,
    sync::atomic::{AtomicU32, Ordering},
};

/// The server for all tests of this process: a `postgres://` URL without password or database.
const SERVER: &str = "DIGEST_BUMP_TEST_POSTGRES";
/// Its password, under the name by which the bot takes it too.
pub const PASSWORD: &str = "DIGEST_BUMP_DATABASE_PASSWORD";

/// A database on a server, made for one test. `None` where the tests run on SQLite.
#[derive(Debug, Clone)]
pub struct OnServer {
    server: String,
    /// Its name on the server.
    pub name: String,
    password: SecretString,
}

fn variable(name: &str) -> Option<OsString> {
    std::env::vars_os().find(|(found, _)| found == name).map(|(_, value)| value)
}

fn text(name: &str) -> Option<String> {
    variable(name)?.into_string().ok().filter(|value| !value.is_empty())
}

impl OnServer {
    /// Makes an empty database, if there is a server.
    pub async fn fresh() -> Option<Self> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let server = text(SERVER)?;
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("test_{}_{number}", std::process::id());
        let password = text(PASSWORD).unwrap().into();
        let database = Self { server, name, password };
        database.lose().await;
        Some(database)
    }

    /// What a config names.
    pub fn url(&self) -> String {
        format!("{}/{}", self.server, self.name)
    }

    pub fn password(&self) -> &str {
        self.password.expose_secret()
    }

    /// Everything in it is gone, whoever is connected.
    pub async fn lose(&self) {
        let mut server = self.connect_to("postgres").await;
        for statement in ["DROP DATABASE IF EXISTS $ WITH (FORCE)", "CREATE DATABASE $"] {
            let statement = AssertSqlSafe(statement.replace('$', &self.name));
            sqlx::raw_sql(statement).execute(&mut server).await.unwrap();
        }
        server.close().await.unwrap();
    }

    /// A connection beside the bot's, to this database or to another one of the server.
    pub async fn connect_to(&self, name: &str) -> AnyConnection {
        sqlx::any::install_default_drivers();
        let mut url: reqwest::Url = format!("{}/{name}", self.server).parse().unwrap();
        url.set_password(Some(self.password())).unwrap();
        AnyConnection::connect(url.as_str()).await.unwrap()
    }
}
