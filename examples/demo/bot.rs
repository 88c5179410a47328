//! The daemon in a process of its own, and what it says of itself.

use crate::{AS_DAEMON, settings, show};
use anyhow::{Context as _, Result, bail};
use serde_json::Value;
use std::{
    process::Stdio,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    process::{Child, Command},
};
use world::World;

/// How long anything may take before the demo gives up.
const LIMIT: Duration = Duration::from_mins(1);
/// How often the status is asked.
const POLL: Duration = Duration::from_millis(100);

/// The running daemon.
pub struct Bot {
    child: Child,
    page: Arc<Mutex<Option<String>>>,
    _state: TempDir,
}

impl Bot {
    /// Starts the daemon against `world`, with the shipped townhouse config. `aloud` shows its log.
    pub async fn start(world: &World, aloud: bool) -> Result<Self> {
        let state = tempfile::Builder::new().prefix("digest-bump-demo-").tempdir()?;
        let mut config = settings::settings(world, state.path());
        settings::set(&mut config, "listen", "127.0.0.1:0".into());
        settings::set(&mut config, "schedule.cron", "* * * * * *".into());
        settings::set(&mut config, "schedule.jitter", "0".into());
        let file = state.path().join("config.toml");
        std::fs::write(&file, toml::to_string(&config)?)?;
        let mut child = Command::new(std::env::current_exe()?)
            .arg(AS_DAEMON)
            .arg("--config")
            .arg(&file)
            .arg("serve")
            .env("DIGEST_BUMP_GITHUB_TOKEN", world.token())
            .env_remove("DIGEST_BUMP_LOG")
            .env_remove("DIGEST_BUMP_LOG_FORMAT")
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let log = child.stderr.take().context("the daemon has a log")?;
        let page = Arc::new(Mutex::new(None));
        let seen = page.clone();
        tokio::spawn(async move {
            let mut lines = BufReader::new(log).lines();
            while let Ok(Some(line)) = lines.next_line().await {
                if let Some((_, address)) = line.split_once("the status page is at ") {
                    *seen.lock().unwrap_or_else(PoisonError::into_inner) = Some(address.to_owned());
                }
                if aloud || line.contains(" WARN ") || line.contains("ERROR") {
                    show::log(&line);
                }
            }
        });
        let bot = Self { child, page, _state: state };
        bot.wait("the status page", || bot.page().map(|_| ())).await?;
        Ok(bot)
    }

    /// The status page's address.
    pub fn page(&self) -> Option<String> {
        self.page.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What the daemon says of the watch now.
    pub async fn status(&self) -> Result<Value> {
        let page = self.page().context("the daemon has a page")?;
        let text = reqwest::get(format!("{page}status.json")).await?.text().await?;
        let mut views: Vec<Value> = serde_json::from_str(&text)?;
        if views.is_empty() {
            bail!("the daemon has no watch");
        }
        Ok(views.remove(0))
    }

    /// The word and the sentence for one release.
    pub async fn stage(&self, version: &str) -> Result<(String, String)> {
        let status = self.status().await?;
        let releases = status["releases"].as_array().cloned().unwrap_or_default();
        let release = releases.iter().find(|release| release["version"] == version);
        let text =
            |field: &str| release.and_then(|r| r[field].as_str()).unwrap_or_default().to_owned();
        Ok((text("word"), text("line")))
    }

    /// Waits until a release stands somewhere.
    pub async fn until(&self, version: &str, words: &[&str]) -> Result<(String, String)> {
        let mut last = String::new();
        let start = tokio::time::Instant::now();
        while start.elapsed() < LIMIT {
            let (word, line) = self.stage(version).await?;
            if words.contains(&word.as_str()) {
                return Ok((word, line));
            }
            last = format!("{word}: {line}");
            tokio::time::sleep(POLL).await;
        }
        bail!("{version} should be {words:?}, and is {last}")
    }

    /// Waits until `there` is something.
    pub async fn wait<T>(&self, what: &str, there: impl Fn() -> Option<T>) -> Result<T> {
        let start = tokio::time::Instant::now();
        while start.elapsed() < LIMIT {
            if let Some(found) = there() {
                return Ok(found);
            }
            tokio::time::sleep(POLL).await;
        }
        bail!("waited {LIMIT:?} in vain for {what}")
    }

    /// Ends the daemon as a service manager does, and expects it to end well.
    pub async fn stop(mut self) -> Result<()> {
        let pid = self.child.id().context("the daemon runs")?.to_string();
        Command::new("kill").args(["-TERM", &pid]).status().await?;
        let status = tokio::time::timeout(LIMIT, self.child.wait()).await??;
        if !status.success() {
            bail!("the daemon ended with {status}");
        }
        Ok(())
    }
}
