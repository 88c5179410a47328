//! From the config to working parts.

use super::doors::{self, Doors};
use crate::canary::{
    Supervisor,
    sandbox::{Demand, Sandbox},
};
use crate::clients::credential::Credential;
use crate::clients::git::{GitCache, Objects};
use crate::clients::npm::Npm;
use crate::clients::registry::Registry;
use crate::clients::sigstore::{self, RootError};
use crate::clients::wire::{Http, Timeouts, Trust};
use crate::clock::Clock;
use crate::config::{self, CommitsBy, Config, Database, TrustSource, Watch};
use crate::proposal::Performer;
use crate::reconcile::{Bot, Limit, Preview};
use crate::repository::{ApiWriter, CommitWriter, Repository};
use crate::sources::Sources;
use crate::store::Store;
use anyhow::{Context as _, Result};
use std::{
    path::{Path, PathBuf},
    sync::Arc,
};
use tokio::sync::Notify;
use tracing::info;

/// Everything that runs.
#[derive(Debug)]
pub struct App {
    /// The config that it was built from.
    pub config: Config,
    /// One for each watch.
    pub bots: Vec<Bot>,
    /// What happened.
    pub store: Store,
    /// Carries canary runs.
    pub supervisor: Supervisor,
    /// The time.
    pub clock: Clock,
    /// Notified when something may be due: a canary ended, the alarm rang.
    pub wake: Arc<Notify>,
    /// This process, as the holder of leases.
    pub owner: String,
}

impl App {
    /// Opens the store and the caches, and connects the clients. Nothing is sent yet.
    ///
    /// # Errors
    /// If there is nothing to write with, or the state directory cannot be used.
    pub async fn build(config: Config, clock: Clock) -> Result<Self> {
        doors::may_write(&config)?;
        make_state_directory(&config)?;
        let store = open_store(&config, &clock).await?;
        let wake = Arc::new(Notify::new());
        let clients = Clients::connect(&config, &clock, true)?;
        let secrets = config.database.password().cloned();
        let secrets = secrets.into_iter().chain(config.webhook_secret.clone()).collect();
        let credentials = clients.doors.credentials();
        let supervisor =
            Supervisor::new(store.clone(), clock.clone(), secrets, credentials, wake.clone());
        let limit = Limit::default();
        let mut bots = Vec::new();
        for watch in &config.watches {
            let door = clients.doors.of(watch)?;
            let writer = door.writer.clone().context("what may write has a writer")?;
            let (git, cache) = clients.repository(&config, watch)?;
            let commits = match cache.filter(|_| watch.downstream.writer == CommitsBy::Git) {
                Some(cache) => CommitWriter::Git(cache),
                None => CommitWriter::Api(Box::new(ApiWriter {
                    reader: door.reader.clone(),
                    writer: writer.clone(),
                    source: git.clone(),
                    repo: watch.downstream.repository.clone(),
                })),
            };
            bots.push(Bot {
                watch: watch.clone(),
                store: store.clone(),
                sources: clients.sources(watch, Some(store.clone()))?,
                performer: Performer {
                    reader: door.reader.clone(),
                    writer,
                    commits,
                    repository: watch.downstream.repository.clone(),
                },
                git,
                supervisor: supervisor.clone(),
                sandbox: sandbox(watch, &config.program).await?,
                clock: clock.clone(),
                limit: limit.clone(),
                state: config.state.clone(),
            });
        }
        let owner = format!("{}-{}", std::process::id(), clock.now().millis());
        Ok(Self { config, bots, store, supervisor, clock, wake, owner })
    }
}

/// What confines a watch's canary on this host. What the config demands and this host cannot do
/// keeps the bot from starting, rather than foreign code from being confined.
async fn sandbox(watch: &Watch, program: &Path) -> Result<Sandbox> {
    if !is_run_here(watch) {
        // Nothing is run here, so there is nothing to confine.
        return Ok(Sandbox::choose(Demand::Off, program).await?);
    }
    let demand = match watch.canary.confinement.demand {
        config::Demand::Strict => Demand::Strict,
        config::Demand::Landlock => Demand::Files,
        config::Demand::Off => Demand::Off,
    };
    let sandbox = Sandbox::choose(demand, program).await;
    let sandbox =
        sandbox.with_context(|| format!("the canary of {} cannot be confined", watch.name))?;
    let (by, open) = (sandbox.describe(), sandbox.leaves_open());
    info!(watch = %watch.name, sandbox = by, ?open, "what confines the canary, and what it leaves open");
    Ok(sandbox)
}

fn make_state_directory(config: &Config) -> Result<()> {
    std::fs::create_dir_all(&config.state)
        .with_context(|| format!("the state directory {}", config.state.display()))
}

/// The store for looking only, beside a running daemon or before the first one: `None` if there
/// is no database yet.
///
/// # Errors
/// If the database cannot be read.
pub async fn read_store(config: &Config) -> Result<Option<Store>> {
    Store::open_readonly(&config.database).await.with_context(|| config.database.to_string())
}

/// The store for recording a request, beside a running daemon too. It is created if it is not there
/// yet, since an order may come before the first pass.
///
/// # Errors
/// If the database cannot be written, or its directory not be made.
pub async fn open_store(config: &Config, clock: &Clock) -> Result<Store> {
    if matches!(config.database, Database::Sqlite(_)) {
        make_state_directory(config)?;
    }
    Store::open(&config.database, clock).await.with_context(|| config.database.to_string())
}

/// The dry run of one watch. Works without a token where everything is public.
///
/// # Errors
/// If the clients cannot be made from the config, or no temporary directory can be written.
pub fn preview_of(
    config: &Config,
    watch: &Watch,
    store: Option<Store>,
    clock: &Clock,
) -> Result<Preview> {
    let clients = Clients::connect(config, clock, false)?;
    Ok(Preview {
        watch: watch.clone(),
        sources: clients.sources(watch, store)?,
        git: clients.scratch(config, watch)?,
        clock: clock.clone(),
    })
}

/// The read side of the world for one watch. Writes nothing, not even a cache.
///
/// # Errors
/// If the clients cannot be made from the config.
pub fn sources_of(
    config: &Config,
    watch: &Watch,
    store: Option<Store>,
    clock: &Clock,
) -> Result<Sources> {
    Clients::connect(config, clock, false)?.sources(watch, store)
}

struct Clients {
    trust: Trust,
    doors: Doors,
    npm: Option<Npm>,
    registry: Registry,
    signers: sigstore::Trust,
}

impl Clients {
    /// Connects the clients. Who `keeps` what is fetched writes a cache; a dry run does not.
    fn connect(config: &Config, clock: &Clock, keeps: bool) -> Result<Self> {
        crate::clients::install_tls_provider();
        let trust = Trust::with(&config.added_roots)?;
        let http = Http::new(&Timeouts::default(), &trust, clock.clone())?;
        let doors = Doors::prepare(config, &http, clock)?;
        let npm = config.npm_registry.as_ref().map(|url| Npm::new(&http, url)).transpose()?;
        let registry = Registry::new(&http, &config.registries)?;
        let source = trusted_root(config, keeps)?;
        let signers = sigstore::Trust::new(source, &http, clock.clone());
        Ok(Self { trust, doors, npm, registry, signers })
    }

    /// The downstream's repository, with the cache that it is fetched into over git, if it is.
    fn repository(&self, config: &Config, watch: &Watch) -> Result<(Repository, Option<GitCache>)> {
        if is_cloned(watch) {
            let (url, credential) = (git_url(config, watch), self.credential(watch)?);
            let cache = GitCache::open(&git_cache(config, watch), &url, credential, &self.trust)?;
            return Ok((self.over_git(cache.clone(), watch)?, Some(cache)));
        }
        Ok((self.through_api(Objects::open(&object_cache(config, watch))?, watch)?, None))
    }

    /// The same for a run that must write nothing.
    fn scratch(&self, config: &Config, watch: &Watch) -> Result<Repository> {
        if is_cloned(watch) {
            let (url, credential) = (git_url(config, watch), self.credential(watch)?);
            let lender = git_cache(config, watch);
            let cache = GitCache::scratch(&url, credential, &self.trust, Some(&lender))?;
            return self.over_git(cache, watch);
        }
        self.through_api(Objects::scratch(Some(&object_cache(config, watch)))?, watch)
    }

    fn credential(&self, watch: &Watch) -> Result<Credential> {
        Ok(self.doors.of(watch)?.credential.clone())
    }

    fn over_git(&self, cache: GitCache, watch: &Watch) -> Result<Repository> {
        match watch.downstream.writer {
            CommitsBy::Git => Ok(Repository::over_git(cache)),
            CommitsBy::Api => {
                let (door, repo) = (self.doors.of(watch)?, watch.downstream.repository.clone());
                Ok(Repository::over_git_beside_api(cache, door.reader.clone(), repo))
            }
        }
    }

    fn through_api(&self, objects: Objects, watch: &Watch) -> Result<Repository> {
        let reader = self.doors.of(watch)?.reader.clone();
        Ok(Repository::through_api(objects, reader, watch.downstream.repository.clone()))
    }

    fn sources(&self, watch: &Watch, store: Option<Store>) -> Result<Sources> {
        Ok(Sources {
            github: self.doors.of(watch)?.reader.clone(),
            npm: self.npm.clone().filter(|_| watch.rules.npm.is_some()),
            registry: self.registry.clone(),
            trust: self.signers.clone(),
            store,
        })
    }
}

fn trusted_root(config: &Config, keeps: bool) -> Result<sigstore::Source, RootError> {
    match &config.trust.source {
        TrustSource::Embedded => Ok(sigstore::Source::Embedded),
        TrustSource::File(file) => Ok(sigstore::Source::File(file.clone())),
        TrustSource::Tuf(private) => {
            let private = private.as_ref().map(|(url, root)| (url.as_str(), root.as_path()));
            let cache = config.state.join("tuf");
            sigstore::Source::tuf(private, cache, keeps, config.trust.max_age)
        }
    }
}

/// Whether all of the downstream is fetched: a push over git starts from it, and a canary that is run
/// here runs on it.
fn is_cloned(watch: &Watch) -> bool {
    watch.downstream.writer == CommitsBy::Git || is_run_here(watch)
}

/// Whether the canary is run on this host, and not by the downstream's own CI.
const fn is_run_here(watch: &Watch) -> bool {
    watch.rules.checks.is_none() && watch.rules.workflow.is_none()
}

/// Where the few objects are that were fetched through the API.
fn object_cache(config: &Config, watch: &Watch) -> PathBuf {
    config.state.join("objects").join(watch.name.as_str())
}

fn git_cache(config: &Config, watch: &Watch) -> PathBuf {
    config.state.join("git").join(watch.name.as_str())
}

fn git_url(config: &Config, watch: &Watch) -> String {
    format!("{}/{}.git", config.github_git, watch.downstream.repository)
}
