//! Which database.

use reqwest::Url;
use secrecy::{ExposeSecret as _, SecretString};
use std::{fmt, path::PathBuf};

/// Which database remembers what happened.
#[derive(Debug, Clone)]
pub enum Database {
    /// A file of SQLite's, for one machine.
    Sqlite(PathBuf),
    /// A PostgreSQL server, for any number of machines.
    Postgres(PostgresServer),
}

impl Database {
    /// What opens it, if it is locked.
    #[must_use]
    pub fn password(&self) -> Option<&SecretString> {
        match self {
            Self::Sqlite(_) => None,
            Self::Postgres(server) => server.password.as_ref(),
        }
    }
}

/// Where it is, without what opens it.
impl fmt::Display for Database {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => path.display().fmt(out),
            Self::Postgres(server) => server.url.fmt(out),
        }
    }
}

/// A PostgreSQL server, and what opens it.
#[derive(Debug, Clone)]
pub struct PostgresServer {
    url: Url,
    password: Option<SecretString>,
}

impl PostgresServer {
    /// Reads a `postgres://` URL. Unless it says otherwise itself (`sslmode`), a server on another
    /// machine has to prove who it is: what happened is what the next decision goes by.
    ///
    /// # Errors
    /// If it is no such URL, or carries a password: those belong into the environment.
    pub fn new(text: &str, password: Option<SecretString>) -> Result<Self, String> {
        let mut url: Url = text.parse().map_err(|error| format!("`{text}`: {error}"))?;
        if !matches!(url.scheme(), "postgres" | "postgresql") {
            return Err(format!("`{text}` is not a postgres:// URL"));
        }
        if url.password().is_some() || url.query_pairs().any(|(key, _)| key == "password") {
            // Not shown: it holds a secret.
            return Err(format!("the password belongs into the environment, as {PASSWORD}"));
        }
        if !url.query_pairs().any(|(key, _)| matches!(&*key, "sslmode" | "ssl-mode"))
            && !is_local(&url)
        {
            url.query_pairs_mut().append_pair("sslmode", "verify-full");
        }
        Ok(Self { url, password })
    }

    /// The URL with everything that it takes to get in. It is a secret.
    #[must_use]
    pub fn url_with_password(&self) -> SecretString {
        let mut url = self.url.clone();
        if let Some(password) = &self.password {
            // What the URL already holds is not repeated; only a URL without a host refuses this.
            let _ = url.set_password(Some(password.expose_secret()));
        }
        SecretString::from(url.to_string())
    }
}

/// The variable with the password.
pub(super) const PASSWORD: &str = "DIGEST_BUMP_DATABASE_PASSWORD";

/// A server of this machine: nothing crosses a network. No host means a socket.
fn is_local(url: &Url) -> bool {
    let query = url.query_pairs().find(|(key, _)| key == "host").map(|(_, host)| host.to_string());
    let host = query.or_else(|| url.host_str().map(str::to_owned)).unwrap_or_default();
    let literal = host.trim_start_matches('[').trim_end_matches(']');
    host.is_empty()
        || host == "localhost"
        || host.starts_with('/')
        || host.starts_with("%2F")
        || literal.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> String {
        let server = PostgresServer::new(text, Some("p@ss/word".into())).unwrap();
        server.url_with_password().expose_secret().to_owned()
    }

    #[test]
    fn the_password_is_added_last_and_shown_nowhere() {
        assert_eq!(url("postgres://bot@localhost/x"), "postgres://bot:p%40ss%2Fword@localhost/x");
        let server = PostgresServer::new("postgres://bot@localhost/x", Some("hidden".into()));
        assert!(!format!("{server:?}").contains("hidden"));
    }

    #[test]
    fn a_server_elsewhere_has_to_prove_who_it_is_unless_told_otherwise() {
        assert!(url("postgres://bot@db.example/x").ends_with("?sslmode=verify-full"));
        assert!(url("postgres://bot@db.example/x?sslmode=disable").ends_with("?sslmode=disable"));
        for local in ["postgres://bot@127.0.0.1:5433/x", "postgres:///x?host=/run/postgresql"] {
            assert!(!url(local).contains("sslmode"), "{local}");
        }
    }

    #[test]
    fn what_is_no_server_is_refused_and_a_password_is_not_shown() {
        for bad in ["mysql://bot@localhost/x", "state.db", ""] {
            assert!(PostgresServer::new(bad, None).is_err(), "{bad}");
        }
        for bad in ["postgres://bot:hunter2@localhost/x", "postgres:///x?password=hunter2"] {
            let why = PostgresServer::new(bad, None).unwrap_err();
            assert!(!why.contains("hunter2"), "{why}");
        }
    }
}
