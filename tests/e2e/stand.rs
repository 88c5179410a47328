//! A world with a bot in it.

use crate::settings::{set, settings, watch};
use digest_bump::{
    clock::Clock,
    config::{self, Environment},
    daemon::{self, App},
    domain::Memory,
    reconcile::{self, PassReport},
    render::WatchView,
};
use std::{collections::BTreeMap, process::Output, time::Duration};
use tempfile::TempDir;
use toml::{Table, Value};
use world::{World, WorldBuilder};

/// When the stories begin; releases are published then, unless they say otherwise.
pub const START: &str = "2026-06-12T08:00:00Z";

/// A world, and a bot that is called into it pass by pass.
pub struct Stand {
    pub world: World,
    pub clock: Clock,
    pub state: TempDir,
    pub config: Table,
}

/// Runs one story. The world is asked at the end whether anything was written that should not be.
pub async fn run_test(story: impl AsyncFnOnce(&mut Stand)) {
    run_in(World::builder(), story).await;
}

/// Runs one story in a world of its own kind.
pub async fn run_in(builder: WorldBuilder, story: impl AsyncFnOnce(&mut Stand)) {
    digest_bump::clients::install_tls_provider();
    let world = builder.now(START).start().await;
    let state = tempfile::tempdir().unwrap();
    let config = settings(&world, state.path());
    let clock = Clock::manual(START.parse().unwrap());
    let mut stand = Stand {
        world,
        clock,
        state,
        config,
    };
    story(&mut stand).await;
    assert_eq!(stand.world.violations(), Vec::<String>::new());
    stand.settles_without_writing().await;
}

impl Stand {
    /// Changes a key of the watch.
    pub fn set(&mut self, path: &str, value: impl Into<Value>) {
        set(watch(&mut self.config), path, value.into());
    }

    pub fn environment(&self) -> Environment {
        let mut all: BTreeMap<String, std::ffi::OsString> = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value)))
            .collect();
        all.insert("DIGEST_BUMP_GITHUB_TOKEN".into(), self.world.token().into());
        Environment::of(all)
    }

    pub fn parsed(&self) -> config::Config {
        let text = toml::to_string(&self.config).unwrap();
        config::parse(&text, "the test's config", &self.environment()).unwrap()
    }

    /// A fresh process's worth of bot, as far as that goes within this one.
    pub async fn app(&self) -> App {
        App::build(self.parsed(), self.clock.clone()).await.unwrap()
    }

    /// One settled pass, canaries included.
    pub async fn once(&self) -> PassReport {
        let app = self.app().await;
        let mut reports = daemon::once(&app).await.unwrap();
        app.supervisor.stop().await;
        app.store.close().await;
        reports.remove(0).expect("nobody else holds the lease")
    }

    /// Like [`Stand::once`], with no trouble on the way.
    pub async fn settle(&self) -> PassReport {
        let report = self.once().await;
        assert_eq!(report.troubles, Vec::<String>::new());
        report
    }

    /// Turns both clocks.
    pub fn wait(&self, hours: u64) {
        self.clock.advance(Duration::from_secs(hours * 3_600));
        self.world.set_now(&self.clock.now().to_string());
    }

    pub async fn memory(&self) -> Memory {
        let app = self.app().await;
        let memory = app
            .store
            .load_memory(&app.bots[0].watch.name)
            .await
            .unwrap();
        app.store.close().await;
        memory
    }

    pub async fn view(&self) -> WatchView {
        let config = self.parsed();
        reconcile::look_at(&config.watches[0], &self.memory().await, self.clock.now())
    }

    /// Where a release stands: word and sentence.
    pub async fn stage(&self, version: &str) -> (String, String) {
        let view = self.view().await;
        let version = version.parse().unwrap();
        let release = view
            .releases
            .into_iter()
            .find(|release| release.version == version);
        release.map_or(("unlisted".into(), String::new()), |r| {
            (r.word.into(), r.line)
        })
    }

    pub async fn request(&self, version: &str) {
        let app = self.app().await;
        let (watch, version) = (&app.bots[0].watch.name, version.parse().unwrap());
        app.store
            .record_request(watch, &version, "maintainer", self.clock.now())
            .await
            .unwrap();
        app.store.close().await;
    }

    /// The titles of the open pull requests.
    pub fn open(&self) -> Vec<String> {
        self.world
            .open_pulls()
            .into_iter()
            .map(|pull| pull.title)
            .collect()
    }

    /// Two settles in a row: the second writes nothing.
    async fn settles_without_writing(&self) {
        self.world.clear_faults();
        self.once().await;
        self.world.clear_requests();
        let report = self.once().await;
        assert_eq!(report.performed, Vec::<String>::new());
        assert_eq!(self.world.writes().len(), 0, "{:?}", self.world.writes());
    }

    /// Runs the real binary with the stand's config.
    pub async fn bot(&self, arguments: &[&str]) -> Output {
        let file = self.state.path().join("config.toml");
        std::fs::write(&file, toml::to_string(&self.config).unwrap()).unwrap();
        let mut command = tokio::process::Command::new(env!("CARGO_BIN_EXE_digest-bump"));
        command.arg("--config").arg(&file).args(arguments);
        command.env("DIGEST_BUMP_GITHUB_TOKEN", self.world.token());
        command.output().await.unwrap()
    }
}
