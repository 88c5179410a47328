//! Setting the world up before the test begins.

use crate::Inner;
use crate::World;
use crate::image::Image;
use crate::images::SIDECAR;
use crate::log::Service;
use crate::reality;
use crate::repository::Repository;
use crate::server;
use crate::server::Door;
use crate::state::{Actor, Repo, State, Urls};
use crate::tls::{NAMES, Tls};
use crate::town;
use crate::webhook;
use crate::wire::rfc3339;
use chrono::{DateTime, Utc};
use std::{
    collections::BTreeMap,
    net::TcpListener,
    path::Path,
    sync::{Arc, Mutex},
};
use tokio::{runtime::Runtime, sync::mpsc};

/// The repository that releases, and its image.
pub(crate) const UPSTREAM: &str = "toon-protocol/connector";
const DOWNSTREAM: &str = "toon-protocol/town";
const BOT: &str = "digest-bump[bot]";
/// Looks like an installation's token, so that leak detectors in tests have something to find.
pub(crate) const TOKEN: &str = "ghs_worldBotToken0123456789abcdefghijkl";
const MAINTAINER: &str = "maya";

type Files = BTreeMap<String, Vec<u8>>;
type ChangeTown = Box<dyn FnOnce(&mut Files) + Send>;
type DescribeImage = Box<dyn FnOnce(Image) -> Image + Send>;

/// A world that is being described; [`WorldBuilder::start`] makes it.
#[must_use = "a world begins with `.start().await`"]
pub struct WorldBuilder {
    pinned: String,
    town: Vec<ChangeTown>,
    bot_branches: Vec<String>,
    now: Option<DateTime<Utc>>,
    tls: Option<Vec<String>>,
    image: Option<DescribeImage>,
    sidecar: Option<DescribeImage>,
}

impl WorldBuilder {
    pub(crate) fn new() -> Self {
        Self {
            pinned: "3.9.3".to_owned(),
            town: Vec::new(),
            bot_branches: vec!["digest-bump/*".to_owned()],
            now: None,
            tls: None,
            image: None,
            sidecar: None,
        }
    }

    /// The version that the downstream pins; its image and npm version are published.
    pub fn pinned(mut self, version: &str) -> Self {
        version.clone_into(&mut self.pinned);
        self
    }

    /// The pinned release's image is so described.
    pub fn image(mut self, describe: impl FnOnce(Image) -> Image + Send + 'static) -> Self {
        self.image = Some(Box::new(describe));
        self
    }

    /// The pinned release has the second image, too, so described.
    pub fn sidecar(mut self, describe: impl FnOnce(Image) -> Image + Send + 'static) -> Self {
        self.sidecar = Some(Box::new(describe));
        self
    }

    /// Changes the downstream's first tree: its files by path.
    pub fn town(mut self, change: impl FnOnce(&mut Files) + Send + 'static) -> Self {
        self.town.push(Box::new(change));
        self
    }

    /// The branches that the bot may move: exact names, or prefixes that end in `*`.
    pub fn bot_branches(mut self, patterns: &[&str]) -> Self {
        self.bot_branches = patterns.iter().map(|&text| text.to_owned()).collect();
        self
    }

    /// Stops the world's clock at this time (RFC 3339); `World::set_now` moves it. Without it the
    /// world goes by the machine's clock.
    ///
    /// # Panics
    /// If it is no such time.
    pub fn now(mut self, time: &str) -> Self {
        self.now = Some(rfc3339(time));
        self
    }

    /// All doors speak TLS, under a certificate for `localhost` and `127.0.0.1` that a private
    /// authority signed: `World::ca_pem`. (The canary does not: it has to be another one.)
    pub fn tls(self) -> Self {
        self.tls_for(&NAMES)
    }

    /// As [`WorldBuilder::tls`], under a certificate for these names.
    pub fn tls_for(mut self, names: &[&str]) -> Self {
        self.tls = Some(names.iter().map(|&name| name.to_owned()).collect());
        self
    }

    /// Makes the world and opens its doors.
    ///
    /// # Panics
    /// If this machine has no git, no loopback or no room for a few files.
    pub async fn start(self) -> World {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name("world")
            .enable_all()
            .build()
            .expect("a runtime for the world");
        let handle = runtime.handle().clone();
        let made = handle.spawn_blocking(move || self.make(runtime)).await;
        made.expect("the world is made")
    }

    fn make(self, runtime: Runtime) -> World {
        // Whoever names a description that cannot be read hears of it at once.
        reality::description();
        let root =
            tempfile::Builder::new().prefix("world-").tempdir().expect("a directory for the world");
        let tls = self.tls.as_deref().map(|names| Tls::made_for(names).expect("a certificate"));
        let (urls, doors) = open_doors(if tls.is_some() { "https" } else { "http" });
        let (deliveries, queue) = mpsc::unbounded_channel();
        let state = self.state(root.path(), urls.clone());
        let inner = Arc::new(Inner {
            state: Mutex::new(state),
            push: Mutex::new(()),
            last_delivery: Mutex::new(None),
            deliveries,
            urls,
            town_dir: root.path().join("town.git"),
            ca_pem: tls.as_ref().map(|tls| tls.ca_pem.clone()),
        });
        runtime.spawn(webhook::courier(queue));
        for (door, listener) in doors {
            let inner = inner.clone();
            let tls = tls.as_ref().map(|tls| tls.acceptor.clone());
            runtime.spawn(async move {
                let listener = tokio::net::TcpListener::from_std(listener)
                    .expect("the listener belongs to the runtime");
                server::listen(inner, door, listener, tls).await;
            });
        }
        World { inner, runtime: Some(runtime), root }
    }

    fn state(self, root: &Path, urls: Urls) -> State {
        let tokens = BTreeMap::from([(TOKEN.to_owned(), Actor::Bot)]);
        let mut state = State::new(urls, [UPSTREAM, DOWNSTREAM, BOT], tokens, self.now);
        state.bot_branches = self.bot_branches;
        let version = self.pinned;
        let mut first = crate::release::described(&version);
        // The pinned release is older than everything that a test publishes.
        first.published_at = Some(state.now() - chrono::TimeDelta::days(7));
        if let Some(describe) = self.image {
            first.image = describe(first.image);
        }
        first.sidecar = self.sidecar.map(|describe| describe(Image::new(SIDECAR, &version)));
        state.publish(first);
        state.outbox.clear();
        let digest = state.registry.tag(UPSTREAM, &version).expect("the pinned image is there");
        let mut files = town::tree(&version, &digest);
        for change in self.town {
            change(&mut files);
        }
        let created = state.now() - chrono::TimeDelta::days(300);
        let readme = BTreeMap::from([("README.md".to_owned(), b"# connector\n".to_vec())]);
        for (name, files, message) in
            [(UPSTREAM, readme, "feat: begin"), (DOWNSTREAM, files, "chore: begin")]
        {
            let dir = root.join(format!("{}.git", name.rsplit('/').next().unwrap_or(name)));
            let git = Repository::create(dir, files, message);
            let id = state.id();
            let mut repo = Repo::new(id, git, created);
            repo.permissions.insert(MAINTAINER.to_owned(), "admin".to_owned());
            let bots = if name == DOWNSTREAM { "write" } else { "read" };
            repo.permissions.insert(BOT.to_owned(), bots.to_owned());
            state.repos.insert(name.to_owned(), repo);
        }
        state.upstream_begin = state.repo(UPSTREAM).git.read_commit("main");
        state
    }
}

/// Binds all doors, so that every part knows where the others are.
fn open_doors(scheme: &str) -> (Urls, Vec<(Door, TcpListener)>) {
    let bind = || {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port on loopback");
        listener.set_nonblocking(true).expect("a listener that does not block");
        let address = listener.local_addr().expect("a bound address");
        (format!("{scheme}://{address}"), listener)
    };
    let (github, github_door) = bind();
    let (git, git_door) = bind();
    let (registry, registry_door) = bind();
    let (storage, storage_door) = bind();
    let (npm, npm_door) = bind();
    let (tuf, tuf_door) = bind();
    let doors = vec![
        (Door::Main(Service::GitHub), github_door),
        (Door::Main(Service::Git), git_door),
        (Door::Main(Service::Registry), registry_door),
        (Door::Storage, storage_door),
        (Door::Main(Service::Npm), npm_door),
        (Door::Main(Service::Tuf), tuf_door),
    ];
    let urls = Urls { github, git, registry, storage, npm, tuf };
    (urls, doors)
}
