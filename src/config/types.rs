//! A config that makes sense, in the domain's types.

use super::{CanaryConfig, CommitsBy, Database};
use crate::domain::{BranchName, ImageName, PinSite, RepoName, Rules, WatchName};
use chrono_tz::Tz;
use croner::Cron;
use rustls::pki_types::CertificateDer;
use secrecy::SecretString;
use std::{collections::BTreeMap, net::SocketAddr, path::PathBuf, time::Duration};

/// A config that makes sense.
#[derive(Debug, Clone)]
pub struct Config {
    /// The directory for the git cache, the canary's work trees, and SQLite's database.
    pub state: PathBuf,
    /// What remembers.
    pub database: Database,
    /// The address of the status page.
    pub listen: Option<SocketAddr>,
    /// When passes run.
    pub schedule: Schedule,
    /// The base URL of GitHub's REST API.
    pub github_api: String,
    /// The base URL of GitHub's repositories.
    pub github_git: String,
    /// The token for GitHub, if there is one.
    pub github_token: Option<SecretString>,
    /// The base URL of the npm registry, if a watch needs one.
    pub npm_registry: Option<String>,
    /// Base URLs of registries, by the host in the image's name.
    pub registries: BTreeMap<String, String>,
    /// Certificate authorities that are believed beside the system's.
    pub added_roots: Vec<CertificateDer<'static>>,
    /// Whose signatures are believed.
    pub trust: Trust,
    /// This program, which runs itself again to confine a canary.
    pub program: PathBuf,
    /// The pairs.
    pub watches: Vec<Watch>,
}

/// Whose signatures are believed.
#[derive(Debug, Clone)]
pub struct Trust {
    /// Where the trusted root comes from.
    pub source: TrustSource,
    /// Without a refresh for longer than this, no signature is believed. Only for TUF.
    pub max_age: Duration,
}

/// Where the trusted root comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TrustSource {
    /// The public one that this program was built with.
    Embedded,
    /// A file.
    File(PathBuf),
    /// A TUF repository and the file with its first `root.json`; `None` is the public one.
    Tuf(Option<(String, PathBuf)>),
}

/// When passes run.
#[derive(Debug, Clone)]
pub struct Schedule {
    /// The cron line.
    pub cron: Cron,
    /// Whether the line has seconds.
    pub seconds: bool,
    /// The zone that the line is meant in.
    pub zone: Tz,
    /// Each pass starts up to this much later.
    pub jitter: Duration,
    /// How long a pass may go on after SIGTERM.
    pub grace: Duration,
}

/// One upstream–downstream pair.
#[derive(Debug, Clone)]
pub struct Watch {
    /// Its name.
    pub name: WatchName,
    /// What releases.
    pub upstream: Upstream,
    /// What pins.
    pub downstream: Downstream,
    /// What the decision goes by.
    pub rules: Rules,
    /// The contract canary.
    pub canary: CanaryConfig,
    /// Where readers of its pull requests reach the status page.
    pub public_url: Option<String>,
    /// The title of a pin bump, with `{image}`, `{from}` and `{to}`.
    pub title: String,
    /// Labels for its pull requests.
    pub labels: Vec<String>,
    /// Name and e-mail of its commits' author.
    pub author: (String, String),
}

/// What releases.
#[derive(Debug, Clone)]
pub struct Upstream {
    /// The repository.
    pub repository: RepoName,
    /// The image.
    pub image: ImageName,
}

/// What pins.
#[derive(Debug, Clone)]
pub struct Downstream {
    /// The repository.
    pub repository: RepoName,
    /// The branch that proposals are for.
    pub branch: BranchName,
    /// How commits get there.
    pub writer: CommitsBy,
    /// The places that spell the pin.
    pub sites: Vec<PinSite>,
}
