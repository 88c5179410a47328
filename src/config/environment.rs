//! The one home of environment variables.

use super::database;
use secrecy::SecretString;
use std::{collections::BTreeMap, ffi::OsString, path::PathBuf};

/// What is taken from the process's environment, read once at the start.
#[derive(Default, Clone)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Environment {
    /// `DIGEST_BUMP_GITHUB_TOKEN`: may push to and open pull requests in the downstream. Not with `[github.app]`.
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub github_token: Option<SecretString>,
    /// `DIGEST_BUMP_GITHUB_APP_KEY`: the private key of the GitHub App that the config names, in PEM,
    /// in the place of a file.
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub github_app_key: Option<SecretString>,
    /// `DIGEST_BUMP_DATABASE_PASSWORD`: opens the PostgreSQL server that the config names.
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub database_password: Option<SecretString>,
    /// `DIGEST_BUMP_WEBHOOK_SECRET`: what GitHub signs webhooks with. They are taken at `/webhook` below
    /// `listen` where it is set, and nowhere otherwise.
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub webhook_secret: Option<SecretString>,
    /// `DIGEST_BUMP_LOG`: the log filter, in the syntax of `tracing_subscriber::EnvFilter`.
    pub log: Option<String>,
    /// `DIGEST_BUMP_LOG_FORMAT`: `text` or `json`.
    pub log_format: Option<String>,
    /// `USER`: who a request from the command line is from.
    pub user: Option<String>,
    /// This program, which runs itself again to confine a canary.
    #[cfg_attr(test, schemars(skip))]
    pub program: PathBuf,
    /// Everything, for what a canary is explicitly given.
    #[cfg_attr(test, schemars(skip))]
    all: BTreeMap<String, OsString>,
}

/// The variable with the token.
pub(super) const TOKEN: &str = "DIGEST_BUMP_GITHUB_TOKEN";
/// The variable with the App's key.
pub(super) const APP_KEY: &str = "DIGEST_BUMP_GITHUB_APP_KEY";

/// The variable with what webhooks are signed with.
const WEBHOOK_SECRET: &str = "DIGEST_BUMP_WEBHOOK_SECRET";

/// The variables that hold secrets, which must never reach a canary.
pub(super) const SECRETS: [&str; 4] = [TOKEN, APP_KEY, database::PASSWORD, WEBHOOK_SECRET];

impl Environment {
    /// Reads the process's environment.
    #[must_use]
    pub fn of_process() -> Self {
        let all =
            std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value)));
        let program = std::env::current_exe().unwrap_or_default();
        Self { program, ..Self::of(all.collect()) }
    }

    /// Reads a given environment.
    #[must_use]
    pub fn of(all: BTreeMap<String, OsString>) -> Self {
        let text = |name: &str| {
            let value = all.get(name)?.to_str()?;
            (!value.is_empty()).then(|| value.to_owned())
        };
        Self {
            github_token: text(TOKEN).map(SecretString::from),
            github_app_key: text(APP_KEY).map(SecretString::from),
            database_password: text(database::PASSWORD).map(SecretString::from),
            webhook_secret: text(WEBHOOK_SECRET).map(SecretString::from),
            log: text("DIGEST_BUMP_LOG"),
            log_format: text("DIGEST_BUMP_LOG_FORMAT"),
            user: text("USER"),
            program: PathBuf::new(),
            all,
        }
    }

    /// The value of one variable.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&OsString> {
        self.all.get(name)
    }
}

/// Names nothing but the names: a value may be a secret.
impl std::fmt::Debug for Environment {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_set().entries(self.all.keys()).finish()
    }
}
