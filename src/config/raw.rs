//! The config file as it is written. Every key is here, with its default; unknown keys are errors.

use super::{raw_downstream::Downstream, raw_proposal::Proposal, raw_upstream::Upstream};
use serde::Deserialize;
use std::{collections::BTreeMap, path::PathBuf};

/// The whole file.
#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(deny_unknown_fields))]
pub(super) struct Config {
    /// The directory for the git cache, the canary's work trees, and SQLite's database, as an
    /// absolute path. Required.
    pub(super) state: PathBuf,
    /// A PostgreSQL server for what is remembered, such as `postgres://bot@db.example/bumps`, for
    /// replicas on several machines. The password comes from `DIGEST_BUMP_DATABASE_PASSWORD`, or
    /// by libpq's own ways. A server on another machine must prove its name by TLS unless the URL
    /// says `sslmode`. Default: SQLite, `digest-bump.db` in the state directory.
    pub(super) database: Option<String>,
    /// The address of the status page, such as `127.0.0.1:8080`. Default: no page.
    pub(super) listen: Option<String>,
    /// Where readers of pull requests reach the status page, such as `https://bumps.example`: pull
    /// requests then link to all that their canary printed. Default: they do not.
    pub(super) public_url: Option<String>,
    /// When passes run.
    #[serde(default)]
    pub(super) schedule: Schedule,
    /// Where GitHub is.
    #[serde(default)]
    pub(super) github: Github,
    /// Where npm packages are. Required if a watch names a package. Default: none.
    pub(super) npm: Option<Npm>,
    /// Registries that are not at `https://<host of the image>`, by that host. Default: none.
    #[serde(default)]
    pub(super) registries: BTreeMap<String, Registry>,
    /// Whose certificates are believed.
    #[serde(default)]
    pub(super) tls: Tls,
    /// Whose signatures are believed.
    #[serde(default)]
    pub(super) sigstore: Sigstore,
    /// The upstream–downstream pairs. At least one.
    #[serde(default)]
    pub(super) watch: Vec<Watch>,
}

/// When passes run. One more runs at the start.
#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(deny_unknown_fields))]
#[serde(default)]
pub(super) struct Schedule {
    /// Five fields as in cron, or six with the seconds first. Default: `*/15 * * * *`.
    pub(super) cron: String,
    /// An IANA time zone. Default: `UTC`.
    pub(super) time_zone: String,
    /// Each pass starts up to this much later, so that many bots do not ask at once. Default: `30s`.
    pub(super) jitter: String,
    /// How long a pass may go on after SIGTERM. Default: `30s`.
    pub(super) grace: String,
}

impl Default for Schedule {
    fn default() -> Self {
        Self {
            cron: "*/15 * * * *".to_owned(),
            time_zone: "UTC".to_owned(),
            jitter: "30s".to_owned(),
            grace: "30s".to_owned(),
        }
    }
}

/// Where GitHub is.
#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(deny_unknown_fields))]
#[serde(default)]
pub(super) struct Github {
    /// The REST API. Default: `https://api.github.com`.
    pub(super) api_url: String,
    /// Where repositories are fetched from and pushed to. Default: `https://github.com`.
    pub(super) git_url: String,
    /// The GitHub App that the bot is, in the place of a token. Default: none.
    pub(super) app: Option<App>,
}

/// The GitHub App that the bot is. `config check` says what it may do, and what is missing.
#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(deny_unknown_fields))]
pub(super) struct App {
    /// The App ID on the App's page. Required.
    pub(super) id: u64,
    /// The file with one of the App's private keys, as it was downloaded. Default: the key is in
    /// `DIGEST_BUMP_GITHUB_APP_KEY`.
    pub(super) private_key_file: Option<PathBuf>,
    /// The number in the URL of the installation's page. Default: it is looked for, by the
    /// downstream's repository.
    pub(super) installation: Option<u64>,
}

impl Default for Github {
    fn default() -> Self {
        Self {
            api_url: "https://api.github.com".to_owned(),
            git_url: "https://github.com".to_owned(),
            app: None,
        }
    }
}

/// Where npm packages are.
#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(deny_unknown_fields))]
pub(super) struct Npm {
    /// What `npm config get registry` prints. Required.
    pub(super) registry: String,
}

/// Where a container registry is.
#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(deny_unknown_fields))]
pub(super) struct Registry {
    /// Its base URL. Required.
    pub(super) url: String,
}

/// Whose certificates are believed.
#[derive(Debug, Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(deny_unknown_fields))]
pub(super) struct Tls {
    /// A PEM file with certificate authorities that are believed beside the system's, by every
    /// client, git's included, but not by the canary. It is read once, at the start. Default: only
    /// the system's.
    pub(super) ca_file: Option<PathBuf>,
}

/// Whose signatures are believed: Sigstore's certificate authorities and logs, its *trusted root*.
#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(deny_unknown_fields))]
pub(super) struct Sigstore {
    /// Where the trusted root comes from. Default: `tuf`.
    #[serde(default)]
    pub(super) source: TrustSource,
    /// A file with a trusted root (`trusted_root.json`), of a private Sigstore say; read anew when
    /// it changes. Required by `source = "file"`. Default: none.
    pub(super) trusted_root: Option<PathBuf>,
    /// The TUF repository of a private Sigstore. Default: the public one's.
    pub(super) tuf_url: Option<String>,
    /// The file with that repository's first `root.json`. Required by `tuf_url`. Default: none.
    pub(super) tuf_root: Option<PathBuf>,
    /// With `tuf`: without a refresh for longer than this, no signature is believed. Default: `7d`.
    #[serde(default = "default_max_age")]
    pub(super) max_age: String,
}

fn default_max_age() -> String {
    "7d".to_owned()
}

impl Default for Sigstore {
    fn default() -> Self {
        Self {
            source: TrustSource::default(),
            trusted_root: None,
            tuf_url: None,
            tuf_root: None,
            max_age: default_max_age(),
        }
    }
}

/// Where the trusted root comes from.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema, serde::Serialize))]
#[serde(rename_all = "lowercase")]
pub(super) enum TrustSource {
    /// Fetched by The Update Framework, refreshed daily, and kept in the state directory.
    #[default]
    Tuf,
    /// The public one that this program was built with.
    Embedded,
    /// From `trusted_root`.
    File,
}

/// One upstream–downstream pair.
#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(deny_unknown_fields))]
pub(super) struct Watch {
    /// Its name in logs, commands and the status page: lower-case letters, digits, dashes. Required.
    pub(super) name: String,
    /// What releases. Required.
    pub(super) upstream: Upstream,
    /// What pins. Required.
    pub(super) downstream: Downstream,
    /// The contract canary. Required: nothing is proposed unproved.
    pub(super) canary: super::raw_canary::Raw,
    /// Where a MAJOR's stub goes. Default: MAJORs are only reported.
    pub(super) migration: Option<Migration>,
    /// What proposals look like, and which are made.
    #[serde(default)]
    pub(super) proposal: Proposal,
    /// The pauses after answers that told nothing, of the registry or of the canary; one more after
    /// the last pause holds the release. Default: `["1m", "10m", "1h"]`.
    #[serde(default = "default_retry")]
    pub(super) retry: Vec<String>,
}

fn default_retry() -> Vec<String> {
    vec!["1m".to_owned(), "10m".to_owned(), "1h".to_owned()]
}

/// Where a MAJOR's stub goes.
#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(deny_unknown_fields))]
pub(super) struct Migration {
    /// The migration document. Required.
    pub(super) path: String,
    /// Whether a stub is opened as a draft, which nobody merges unfilled. Not every plan of GitHub's
    /// has drafts in private repositories. Default: `true`.
    #[serde(default = "default_draft")]
    pub(super) draft: bool,
}

fn default_draft() -> bool {
    true
}
