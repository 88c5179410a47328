//! A world with a bot in it.

use crate::database::{self, OnServer};
use crate::settings::{set, settings, watch};
use digest_bump::{
    clock::Clock,
    config::{self, Environment},
    daemon::{self, App},
    domain::{Memory, RunState, Verdict, Wish},
    reconcile::{self, PassReport},
    render::WatchView,
};
use std::{collections::BTreeMap, os::unix::fs::PermissionsExt as _, time::Duration};
use tempfile::TempDir;
use toml::{Table, Value};
use world::{Fault, Pull, Service, World, WorldBuilder};

/// When the stories begin; releases are published then, unless they say otherwise.
pub const START: &str = "2026-06-12T08:00:00Z";

/// A world, and a bot that is called into it pass by pass.
pub struct Stand {
    pub world: World,
    pub clock: Clock,
    pub state: TempDir,
    /// A folder for the App's key.
    pub key: TempDir,
    pub config: Table,
    /// Where the database is, if not in the state directory.
    pub database: Option<OnServer>,
}

/// How many lists lag after each write of the bot's, where `DIGEST_BUMP_TEST_LAG` says so.
fn lag() -> u32 {
    let mut all = std::env::vars_os();
    let lag = all.find(|(name, _)| name == "DIGEST_BUMP_TEST_LAG");
    lag.and_then(|(_, reads)| reads.into_string().ok()?.parse().ok()).unwrap_or_default()
}

/// Runs one story. The world is asked at the end whether anything was written that should not be.
pub async fn run_test(story: impl AsyncFnOnce(&mut Stand)) {
    // A story is a large future.
    Box::pin(run_in(World::builder(), story)).await;
}

/// Runs one story in a world of its own kind.
pub async fn run_in(builder: WorldBuilder, story: impl AsyncFnOnce(&mut Stand)) {
    digest_bump::clients::install_tls_provider();
    let world = builder.now(START).start().await;
    world.lists_lag_behind_writes(lag());
    let state = tempfile::tempdir().unwrap();
    let mut config = settings(&world, state.path());
    let database = OnServer::fresh().await;
    if let Some(database) = &database {
        set(&mut config, "database", database.url().into());
    }
    let clock = Clock::manual(START.parse().unwrap());
    let key = tempfile::tempdir().unwrap();
    let mut stand = Stand { world, clock, state, key, config, database };
    story(&mut stand).await;
    assert_eq!(stand.world.violations(), Vec::<String>::new());
    stand.settles_without_writing().await;
    assert!(!(stand.clones_nothing() && stand.state.path().join("git").exists()), "it was cloned");
    stand.ends_with_a_dashboard().await;
}

impl Stand {
    /// Changes a key of the watch.
    pub fn set(&mut self, path: &str, value: impl Into<Value>) {
        set(watch(&mut self.config), path, value.into());
    }

    /// The bot is a GitHub App from now on, and has no other token.
    pub fn become_app(&mut self) {
        let id = i64::try_from(self.world.app_id()).unwrap();
        set(&mut self.config, "github.app.id", id.into());
        let key = self.key_file(&self.world.app_key());
        set(&mut self.config, "github.app.private_key_file", key.into());
    }

    /// A file with a key, which nobody else can read.
    pub fn key_file(&self, key: &str) -> String {
        let file = self.key.path().join("app.pem");
        std::fs::write(&file, key).unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
        file.to_str().unwrap().to_owned()
    }

    fn is_app(&self) -> bool {
        self.config["github"].get("app").is_some()
    }

    /// Whether commits are made through GitHub's API.
    pub fn through_api(&self) -> bool {
        let downstream = &self.config["watch"][0]["downstream"];
        downstream.get("writer").and_then(Value::as_str) == Some("api")
    }

    /// Whether nothing is run or committed here that takes all of the downstream.
    pub fn clones_nothing(&self) -> bool {
        let executor = self.config["watch"][0].get("canary").and_then(|it| it.get("executor"));
        let remote = executor.and_then(Value::as_str).is_some_and(|executor| executor != "local");
        self.through_api() && remote
    }

    /// A fault of what moves a branch.
    pub fn push_fault(&self) -> Fault {
        if self.through_api() {
            return graphql_fault().body_contains("updateRefs");
        }
        Fault::on(Service::Git).method("POST").path_contains("git-receive-pack")
    }

    pub fn environment(&self) -> Environment {
        let mut all: BTreeMap<String, std::ffi::OsString> = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value)))
            .collect();
        // Not set on every machine, and part of what a canary prints.
        all.insert("LANG".into(), "C.UTF-8".into());
        if !self.is_app() {
            all.insert("DIGEST_BUMP_GITHUB_TOKEN".into(), self.world.token().into());
        }
        if let Some(database) = &self.database {
            all.insert(database::PASSWORD.into(), database.password().into());
        }
        let mut environment = Environment::of(all);
        environment.program = env!("CARGO_BIN_EXE_digest-bump").into();
        environment
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
        let report = once(&app).await;
        app.supervisor.stop().await;
        app.store.close().await;
        report
    }

    /// One pass, and no more: it waits for no canary.
    pub async fn pass(&self, app: &App) -> PassReport {
        let report = app.bots[0].pass(&app.owner).await.unwrap();
        report.expect("nobody else holds the lease")
    }

    /// One pass of a process that dies right after it, with all that it started.
    pub async fn pass_and_die(&self) {
        let (config, clock) = (self.parsed(), self.clock.clone());
        let process = move || {
            let runtime = tokio::runtime::Runtime::new().unwrap();
            runtime.block_on(async {
                let app = App::build(config, clock).await.unwrap();
                app.bots[0].pass("a process that dies").await.unwrap();
            });
            runtime.shutdown_background();
        };
        tokio::task::spawn_blocking(process).await.unwrap();
    }

    /// The database is gone, and the git cache with it.
    pub async fn lose_memory(&self) {
        if let Some(database) = &self.database {
            database.lose().await;
        }
        std::fs::remove_dir_all(self.state.path()).unwrap();
        std::fs::create_dir(self.state.path()).unwrap();
    }

    /// Like [`Stand::once`], with no trouble on the way.
    pub async fn settle(&self) -> PassReport {
        let report = self.once().await;
        assert_eq!(report.troubles, Vec::<String>::new());
        report
    }

    /// Turns both clocks.
    pub fn wait(&self, hours: u64) {
        self.wait_for(Duration::from_hours(hours));
    }

    pub fn wait_minutes(&self, minutes: u64) {
        self.wait_for(Duration::from_mins(minutes));
    }

    fn wait_for(&self, time: Duration) {
        self.clock.advance(time);
        self.world.set_now(&self.clock.now().to_string());
    }

    /// Sets a variable of the canary's environment.
    pub fn canary_env(&mut self, name: &str, value: impl Into<String>) {
        self.set(&format!("canary.env.{name}"), value.into());
    }

    /// Another canary: a line of shell that knows `$V`, the version.
    pub fn canary_script(&mut self, script: &str) {
        let words = ["/bin/sh", "-c", script].map(Value::from);
        self.set("canary.step.0.command", Value::Array(words.to_vec()));
        self.canary_env("V", "{{version}}");
    }

    pub async fn memory(&self) -> Memory {
        let config = self.parsed();
        let store = daemon::read_store(&config).await.unwrap();
        let store = store.expect("a pass made the database");
        let watch = &config.watches[0].name;
        let memory = store.load_memory(watch).await.unwrap();
        store.close().await;
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
        let release = view.releases.into_iter().find(|release| release.version == version);
        release.map_or(("unlisted".into(), String::new()), |r| (r.word.into(), r.line))
    }

    pub async fn request(&self, version: &str) {
        self.wish(Wish::Bump, version).await;
    }

    pub async fn request_canary(&self, version: &str) {
        self.wish(Wish::Canary, version).await;
    }

    pub async fn wish(&self, wish: Wish, version: &str) {
        let config = self.parsed();
        let store = daemon::open_store(&config, &self.clock).await.unwrap();
        let (watch, version) = (&config.watches[0].name, version.parse().unwrap());
        store.record_request(watch, wish, &version, "maintainer", self.clock.now()).await.unwrap();
        store.close().await;
    }

    /// The titles of the open pull requests.
    pub fn open(&self) -> Vec<String> {
        self.world.open_pulls().into_iter().map(|pull| pull.title).collect()
    }

    /// The open pull request, which must be the only one.
    #[track_caller]
    pub fn only(&self) -> Pull {
        let mut open = self.world.open_pulls();
        assert_eq!(open.len(), 1, "{:?}", self.open());
        open.remove(0)
    }

    /// Every release that is not older than the pin: version, word, sentence.
    pub async fn stages(&self) -> String {
        let view = self.view().await;
        let lines = view
            .releases
            .iter()
            .map(|release| format!("{} {}: {}", release.version, release.word, release.line));
        self.redact(&lines.collect::<Vec<_>>().join("\n"))
    }

    /// What is wrong with what was resolved before.
    pub async fn alarms(&self) -> String {
        self.view().await.alarms.join("\n")
    }

    /// What came of each request, the newest first.
    pub async fn requests(&self) -> String {
        let view = self.view().await;
        let lines = view.requests.iter().map(|asked| {
            let answer = asked.answer.as_deref().unwrap_or("no answer yet");
            format!("{} {}: {answer}", asked.version, asked.state)
        });
        lines.collect::<Vec<_>>().join("\n")
    }

    /// The canary runs so far, oldest first: version and verdict.
    pub async fn runs(&self) -> Vec<String> {
        let memory = self.memory().await;
        let runs = memory.runs.iter().map(|run| {
            let state = match &run.state {
                RunState::Running { .. } => "running",
                RunState::Ended { verdict, .. } => Verdict::name(*verdict),
            };
            format!("{} {state}", run.version)
        });
        runs.collect()
    }

    /// Everything that the canaries printed.
    pub async fn canary_output(&self) -> String {
        let memory = self.memory().await;
        let outputs = memory.runs.iter().map(|run| match &run.state {
            RunState::Running { .. } => "",
            RunState::Ended { output, .. } => output,
        });
        outputs.collect()
    }

    /// Plain git in the downstream's bare repository.
    #[track_caller]
    pub fn git(&self, arguments: &[&str]) -> String {
        let output = std::process::Command::new("git")
            .arg("-C")
            .arg(self.world.bare_repo())
            .args(arguments)
            .output()
            .unwrap();
        assert!(output.status.success(), "git {arguments:?}: {output:?}");
        String::from_utf8(output.stdout).unwrap().trim_end().into()
    }

    /// Digests, commits, trees and ports differ from run to run.
    pub fn redact(&self, text: &str) -> String {
        let mut text = text.to_owned();
        let places = [
            (self.world.github_url(), "http://github"),
            (self.world.registry_url(), "http://registry"),
            (self.world.npm_url(), "http://npm"),
            (self.world.git_url(), "http://git"),
            (self.world.tuf_url(), "http://tuf"),
        ];
        for (url, name) in places {
            text = text.replace(&url, name);
        }
        let patterns = [
            (r"sha256:[0-9a-f]{64}", "sha256:…"),
            (r"\b[0-9a-f]{40}\b", "<id>"),
            (r"on `[0-9a-f]{7,12}`", "on `<id>`"),
            (r"\b[0-9a-f]{12}\b", "<short>"),
            (r"\bbefore-[0-9a-f]{8}\b", "before-<short>"),
            // They count what was asked for before.
            (r"/actions/runs/[0-9]+", "/actions/runs/N"),
            // The world counts what it was asked for.
            (r"town/runs/[0-9]+", "town/runs/<check>"),
        ];
        for (pattern, name) in patterns {
            let pattern = regex::Regex::new(pattern).unwrap();
            text = pattern.replace_all(&text, name).into_owned();
        }
        text
    }

    /// Whatever a story left behind, a dashboard says it in one issue that fits, and a second settle
    /// writes nothing. The dashboard's own stories have one already.
    async fn ends_with_a_dashboard(&mut self) {
        if self.parsed().watches[0].downstream.dashboard.is_some() {
            return;
        }
        assert_eq!(self.world.issues(), [], "nobody asked for an issue");
        self.set("downstream.dashboard.enabled", true);
        self.set("downstream.dashboard.checkboxes", true);
        let before = self.world.pulls();
        let opens = |report: &PassReport| {
            report.performed.iter().any(|line| line.starts_with("opened the dashboard"))
        };
        let mut report = self.once().await;
        if !opens(&report) && report.troubles.is_empty() {
            // Who has just lost its memory gives the lists their time.
            self.wait_minutes(2);
            report = self.once().await;
        }
        self.settles_without_writing().await;
        let issues = self.world.issues();
        let opened = opens(&report);
        assert_eq!(issues.len(), usize::from(opened), "{report:?} {issues:#?}");
        assert!(opened || !report.troubles.is_empty(), "{report:?}");
        assert!(issues.iter().all(|issue| issue.body.chars().count() < 65_536), "{issues:#?}");
        assert_eq!(self.world.pulls(), before);
    }

    /// Two settles in a row: the second writes nothing.
    async fn settles_without_writing(&self) {
        self.world.clear_faults();
        let app = self.app().await;
        once(&app).await;
        self.world.clear_requests();
        let report = once(&app).await;
        app.supervisor.stop().await;
        app.store.close().await;
        assert_eq!(report.performed, Vec::<String>::new());
        assert_eq!(self.world.writes().len(), 0, "{:?}", self.world.writes());
    }
}

/// A fault of what is asked by GraphQL.
pub fn graphql_fault() -> Fault {
    Fault::on(Service::GitHub).method("POST").path_contains("/graphql")
}

async fn once(app: &App) -> PassReport {
    let mut reports = daemon::once(app).await.unwrap();
    reports.remove(0).expect("nobody else holds the lease")
}
