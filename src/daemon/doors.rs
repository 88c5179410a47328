//! The ways to GitHub: one for each downstream repository, by a token of its own where the bot is
//! an App.

use crate::clients::credential::Credential;
use crate::clients::github::{self, App, Installation, Reader, Writer};
use crate::clients::wire::{Http, Timeouts, Trust};
use crate::clock::Clock;
use crate::config::{Access, Config, Watch};
use crate::domain::{Need, RepoName};
use anyhow::{Result, bail};
use std::collections::BTreeMap;
use tracing::warn;

/// The way to GitHub in one downstream.
#[derive(Debug, Clone)]
pub(super) struct Door {
    pub(super) credential: Credential,
    pub(super) reader: Reader,
    /// `None` where there is nothing to write with.
    pub(super) writer: Option<Writer>,
}

/// The ways to GitHub.
#[derive(Debug)]
pub(super) struct Doors(BTreeMap<RepoName, Door>);

impl Doors {
    /// Prepares them; nothing is sent yet, and no token minted.
    pub(super) fn prepare(config: &Config, http: &Http, clock: &Clock) -> Result<Self> {
        let mut doors = BTreeMap::new();
        let app = app(config, http, clock)?;
        for (repo, needs) in needs(config) {
            let credential = match (&config.access, &app) {
                (Access::Token(token), _) => Credential::fixed(token.clone()),
                (Access::App(access), Some(app)) => {
                    app.credential(&repo, access.installation, needs, clock.clone())
                }
                _ => Credential::default(),
            };
            let (reader, writer) = github::connect(http, &config.github_api, credential.clone())?;
            let reader = match &config.access {
                Access::App(access) => reader.of_app(access.id),
                Access::Token(_) | Access::Anybody(_) => reader,
            };
            doors.insert(repo, Door { credential, reader, writer });
        }
        Ok(Self(doors))
    }

    /// The one of a watch.
    pub(super) fn of(&self, watch: &Watch) -> Result<&Door> {
        let repo = &watch.downstream.repository;
        let door = self.0.get(repo);
        door.ok_or_else(|| anyhow::anyhow!("no way to GitHub was prepared for {repo}"))
    }

    /// What opens them.
    pub(super) fn credentials(&self) -> Vec<Credential> {
        self.0.values().map(|door| door.credential.clone()).collect()
    }
}

/// The App that the config names, if it names one.
fn app(config: &Config, http: &Http, clock: &Clock) -> Result<Option<App>> {
    let Access::App(access) = &config.access else {
        return Ok(None);
    };
    if let Some(careless) = &access.careless {
        warn!("{careless}");
    }
    let (id, key) = (access.id, access.key.clone());
    Ok(Some(App::new(http, &config.github_api, id, key, clock.clone())?))
}

/// Each downstream repository, with what all of its watches need there.
fn needs(config: &Config) -> BTreeMap<RepoName, Vec<Need>> {
    let mut all: BTreeMap<RepoName, Vec<Need>> = BTreeMap::new();
    for watch in &config.watches {
        let needs = all.entry(watch.downstream.repository.clone()).or_default();
        needs.extend(watch.needs());
        needs.sort_unstable();
        needs.dedup();
    }
    all
}

/// Whether there is something to write with.
///
/// # Errors
/// If there is not: the text says what is lacking.
pub(super) fn may_write(config: &Config) -> Result<()> {
    match &config.access {
        Access::Anybody(lacking) => bail!("{lacking}"),
        Access::Token(_) | Access::App(_) => Ok(()),
    }
}

/// By what means the bot acts in a downstream.
#[derive(Debug)]
pub enum Means {
    /// By a token that stays.
    Token {
        /// Whether the token's owner may push there.
        may_push: bool,
    },
    /// As a GitHub App.
    App {
        /// Its number.
        id: u64,
        /// Where it is installed, and what it was granted there.
        installation: Installation,
        /// What it needs there.
        needs: Vec<Need>,
    },
}

/// Asks GitHub what the bot may do in each downstream. Nothing is changed, and no token minted.
///
/// # Errors
/// If the clients cannot be made from the config. What GitHub refuses is in the list.
pub async fn means(config: &Config, clock: &Clock) -> Result<Vec<(RepoName, Result<Means>)>> {
    crate::clients::install_tls_provider();
    let trust = Trust::with(&config.added_roots)?;
    let http = Http::new(&Timeouts::default(), &trust, clock.clone())?;
    let app = app(config, &http, clock)?;
    let mut all = Vec::new();
    for (repo, needs) in needs(config) {
        let means = match (&config.access, &app) {
            (Access::App(access), Some(app)) => app
                .fetch_installation(&repo, access.installation)
                .await
                .map(|installation| Means::App { id: access.id, installation, needs })
                .map_err(anyhow::Error::new),
            (Access::Token(token), _) => {
                let credential = Credential::fixed(token.clone());
                let (reader, _) = github::connect(&http, &config.github_api, credential)?;
                let may_push = reader.fetch_may_push(&repo).await;
                may_push.map(|may_push| Means::Token { may_push }).map_err(anyhow::Error::new)
            }
            _ => continue,
        };
        all.push((repo, means));
    }
    Ok(all)
}
