//! A world, a config file, and the real binary.

use crate::settings::{set, settings, watch};
use regex::Regex;
use serde_json::Value as Json;
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    time::Duration,
};
use tempfile::TempDir;
use tokio::process::Child;
use toml::{Table, Value};
use world::{World, WorldBuilder};

/// The longest that anything here may take. Far more than it needs: the machine may be busy.
pub const LIMIT: Duration = Duration::from_secs(90);

/// A world and what one operator has: a config file, and a directory for the state.
pub struct Stand {
    pub world: World,
    pub folder: TempDir,
    pub config: Table,
}

/// What a command said.
#[derive(Debug)]
pub struct Said {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Stand {
    pub async fn new() -> Self {
        Self::of(World::builder()).await
    }

    pub async fn of(builder: WorldBuilder) -> Self {
        let world = builder.start().await;
        let folder = tempfile::tempdir().unwrap();
        let mut config = settings(&world, &folder.path().join("state"));
        set(&mut config, "schedule.jitter", "0".into());
        Self { world, folder, config }
    }

    /// The bot is a GitHub App from now on: its key is in a file beside the config.
    pub fn become_app(&mut self) {
        let file = self.folder.path().join("app.pem");
        fs::write(&file, self.world.app_key()).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
        self.set("github.app.id", i64::try_from(self.world.app_id()).unwrap());
        self.set("github.app.private_key_file", file.to_str().unwrap());
    }

    pub fn is_app(&self) -> bool {
        self.config["github"].get("app").is_some()
    }

    pub fn state(&self) -> PathBuf {
        self.folder.path().join("state")
    }

    /// Changes a key of the config.
    pub fn set(&mut self, path: &str, value: impl Into<Value>) {
        set(&mut self.config, path, value.into());
    }

    /// Changes a key of the watch.
    pub fn set_watch(&mut self, path: &str, value: impl Into<Value>) {
        set(watch(&mut self.config), path, value.into());
    }

    /// What becomes of patches: `skip`, `offer` or `propose`.
    pub fn set_patches(&mut self, policy: &str) {
        self.set_watch("proposal.patches", policy);
    }

    pub fn config_file(&self) -> PathBuf {
        let file = self.folder.path().join("config.toml");
        fs::write(&file, toml::to_string(&self.config).unwrap()).unwrap();
        file
    }

    /// The binary with the config and an environment of its own, but without a token.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = bare(arguments);
        command.arg("--config").arg(self.config_file());
        command
    }

    pub fn command_with_token(&self, arguments: &[&str]) -> Command {
        let mut command = self.command(arguments);
        command.env("DIGEST_BUMP_GITHUB_TOKEN", self.world.token());
        command
    }

    /// Runs a command to its end, with the token.
    pub async fn run(&self, arguments: &[&str]) -> Said {
        said(self.command_with_token(arguments)).await
    }

    /// As [`Stand::run`], and it must end well. What it printed.
    pub async fn ok(&self, arguments: &[&str]) -> String {
        let said = self.run(arguments).await;
        assert_eq!(said.code, 0, "{arguments:?}: {said:#?}");
        said.out
    }

    /// As [`Stand::ok`], read as JSON.
    pub async fn json(&self, arguments: &[&str]) -> Json {
        let mut all = arguments.to_vec();
        all.push("--json");
        serde_json::from_str(&self.ok(&all).await).unwrap()
    }

    /// Where a release stands, in one word.
    pub async fn word(&self, version: &str) -> String {
        let status = self.json(&["status"]).await;
        let releases = status["releases"].as_array().unwrap();
        let found = releases.iter().find(|it| it["version"] == version);
        found.map_or("unlisted", |it| it["word"].as_str().unwrap()).to_owned()
    }

    /// What is printed, without what differs from run to run.
    pub fn redact(&self, text: &str) -> String {
        let folder = self.folder.path().display().to_string();
        let mut text = text.replace(&folder, "FOLDER");
        for (pattern, instead) in [
            (r"sha256:[0-9a-f]{64}", "sha256:…"),
            (r"\b[0-9a-f]{40}\b", "COMMIT"),
            (r"\(([0-9.]+ )?[0-9a-f]{12}\)", "(${1}DIGEST)"),
            (r"\b[0-9a-f]{12}\b", "DIGEST"),
            (r"on [0-9a-f]{7,8}\b", "on COMMIT"),
            (r"index [0-9a-f]+\.\.[0-9a-f]+", "index ID..ID"),
            (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", "TIME"),
            (r"127\.0\.0\.1:\d+", "HOST"),
            (r" after \d+ (s|min)( \d+ s)?:", " after A MOMENT:"),
            (r"\(\d+ (h|min|s)( \d+ (min|s))? from now\)", "(A WHILE from now)"),
            (r"TIME, \d+ (s|min)( \d+ s)? ago", "TIME, A MOMENT ago"),
        ] {
            let pattern = Regex::new(pattern).unwrap();
            text = pattern.replace_all(&text, instead).into_owned();
        }
        text
    }
}

/// The binary with nothing of this process's environment but a path and a user.
pub fn bare(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_digest-bump"));
    command
        .args(arguments)
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .env("USER", "maya")
        .stdin(Stdio::null());
    command
}

/// Runs a command to its end.
pub async fn said(command: Command) -> Said {
    let mut command = tokio::process::Command::from(command);
    let ended = tokio::time::timeout(LIMIT, command.kill_on_drop(true).output()).await;
    let Output { status, stdout, stderr } = ended.expect("it ends").unwrap();
    Said {
        code: status.code().expect("it exits by itself"),
        out: String::from_utf8(stdout).unwrap(),
        err: String::from_utf8(stderr).unwrap(),
    }
}

/// Looks again and again until there is something to see.
pub async fn until<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let polled = async {
        loop {
            if let Some(seen) = look().await {
                return seen;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    let seen = tokio::time::timeout(LIMIT, polled).await;
    seen.unwrap_or_else(|_| panic!("it never happened: {what}"))
}

/// A daemon at work. It dies with the test.
pub struct Daemon {
    child: Child,
    log: PathBuf,
}

impl Daemon {
    /// Starts `serve`; its log goes to a file.
    pub fn start(stand: &Stand) -> Self {
        Self::of(stand, stand.command_with_token(&["serve"]))
    }

    /// One more, beside the first.
    pub fn logging_to(stand: &Stand, log: &str) -> Self {
        Self::with_log(stand, stand.command_with_token(&["serve"]), log)
    }

    /// One more by a command of its own.
    pub fn of_logging_to(stand: &Stand, command: Command, log: &str) -> Self {
        Self::with_log(stand, command, log)
    }

    pub fn of(stand: &Stand, command: Command) -> Self {
        Self::with_log(stand, command, "serve.log")
    }

    fn with_log(stand: &Stand, mut command: Command, log: &str) -> Self {
        let log = stand.folder.path().join(log);
        let file = fs::File::options().create(true).append(true).open(&log);
        command.stdout(Stdio::null()).stderr(file.unwrap());
        let child = tokio::process::Command::from(command).kill_on_drop(true).spawn().unwrap();
        Self { child, log }
    }

    pub fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap()
    }

    pub fn pid(&self) -> u32 {
        self.child.id().expect("it has not been waited for")
    }

    /// Waits until the log holds this text.
    pub async fn logs(&self, text: &str) {
        let seen = tokio::time::timeout(LIMIT, async {
            while !self.log().contains(text) {
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        });
        assert!(seen.await.is_ok(), "no `{text}` in:\n{}", self.log());
    }

    /// The status page's address, from the log.
    pub async fn page(&self) -> String {
        self.logs("the status page is at ").await;
        let log = self.log();
        let (_, rest) = log.split_once("the status page is at ").unwrap();
        let end = rest.find(|c: char| c.is_whitespace() || c == '"').unwrap();
        rest[..end].to_owned()
    }

    pub fn signal(&self, name: &str) {
        let killed = Command::new("kill").args(["-s", name, &self.pid().to_string()]).status();
        assert!(killed.unwrap().success());
    }

    /// Waits for its end: the exit code.
    pub async fn ends_within(&mut self, limit: Duration) -> Option<i32> {
        let ended = tokio::time::timeout(limit, self.child.wait()).await;
        let status = ended.unwrap_or_else(|_| panic!("it goes on:\n{}", self.log()));
        status.unwrap().code()
    }

    /// Sends SIGTERM and waits for a good end.
    pub async fn stop(mut self) -> String {
        self.signal("TERM");
        assert_eq!(self.ends_within(LIMIT).await, Some(0), "{}", self.log());
        self.log()
    }
}

/// Every file below a directory: its bytes and its mode. Not its time: libgit2 touches an object
/// that it was to write and that is there already.
pub type Snapshot = BTreeMap<PathBuf, (Vec<u8>, u32)>;

pub fn snapshot(dir: &Path) -> Snapshot {
    let mut all = BTreeMap::new();
    collect(dir, &mut all);
    all
}

/// The files that are in one snapshot alone, or differ.
pub fn differences(before: &Snapshot, after: &Snapshot) -> Vec<String> {
    let all: BTreeSet<&PathBuf> = before.keys().chain(after.keys()).collect();
    all.into_iter()
        .filter(|path| before.get(*path) != after.get(*path))
        .map(|path| path.display().to_string())
        .collect()
}

fn collect(dir: &Path, all: &mut Snapshot) {
    let Ok(entries) = fs::read_dir(dir) else {
        return;
    };
    for entry in entries.map(Result::unwrap) {
        let about = fs::symlink_metadata(entry.path()).unwrap();
        let mode = about.permissions().mode();
        if about.is_dir() {
            all.insert(entry.path(), (Vec::new(), mode));
            collect(&entry.path(), all);
        } else {
            let bytes = fs::read(entry.path()).unwrap();
            all.insert(entry.path(), (bytes, mode));
        }
    }
}
