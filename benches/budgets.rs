//! What the bot costs, measured from outside on the release build: CPU and memory of one process,
//! the time until a daemon is ready, and whether many passes leave anything behind.
//!
//! `cargo bench --bench budgets` prints a table. Figures beside their aims are for people to read,
//! since machines differ; that nothing is left behind is asserted. How many requests and round
//! trips a pass needs is asserted by the tests (`tests/e2e/budgets.rs`).
//!
//! `DIGEST_BUMP_BENCH_PASSES` is the number of empty passes, 10,000 unless it says otherwise.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a benchmark fails by panic")]

#[path = "../tests/e2e/settings.rs"]
mod settings;

use digest_bump::{
    clock::Clock,
    config::{self, Environment},
    daemon::App,
};
use futures_util::{StreamExt as _, stream};
use hmac::{Hmac, KeyInit as _, Mac as _};
use nix::sys::resource::{UsageWho, getrusage};
use serde::{Deserialize, Serialize};
use serde_json::json;
use settings::{set, settings, watch};
use sha2::Sha256;
use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};
use tempfile::TempDir;
use toml::{Table, Value};
use world::World;

/// How often a process is measured; the median counts.
const RUNS: usize = 7;
/// After so many passes all pools and caches are as full as they get.
const WARM: usize = 500;
/// Measured beside their own noise: more than this is a leak.
const MAY_GROW: u64 = 4 << 20;
/// Pools fill when passes happen to need more at once: so many descriptors, however many passes.
const POOLED: usize = 12;
/// SQLite merges its log after a thousand pages of 4 KiB.
const LARGEST_LOG: u64 = 5 << 20;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["--measure", report, program, rest @ ..] => measure(Path::new(report), program, rest),
        ["--passes", number, config] => passes(number.parse().unwrap(), Path::new(config)),
        // Cargo's own arguments, such as `--bench`.
        _ => tokio::runtime::Runtime::new().unwrap().block_on(all()),
    }
}

async fn all() {
    digest_bump::clients::install_tls_provider();
    println!("{:<44} {:>12} {:>12} {:>8}", "", "measured", "aim", "");
    nothing_new().await;
    release_to_pull_request().await;
    start_to_ready().await;
    webhooks().await;
    many_releases().await;
    many_passes().await;
}

/// What a process used.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct Used {
    cpu_ms: f64,
    peak_mib: f64,
    wall_ms: f64,
}

/// Runs a program from a process that runs nothing else, whose children's usage is thus its own.
#[expect(clippy::disallowed_methods, reason = "a benchmark looks at the clock")]
fn measure(report: &Path, program: &str, arguments: &[&str]) {
    let begin = Instant::now();
    let output = Command::new(program).args(arguments).stdin(Stdio::null()).output().unwrap();
    let wall_ms = begin.elapsed().as_secs_f64() * 1000.0;
    assert!(output.status.success(), "{output:?}");
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN).unwrap();
    let millis = |time: nix::sys::time::TimeVal| {
        Duration::new(
            time.tv_sec().try_into().unwrap(),
            u32::try_from(time.tv_usec()).unwrap() * 1000,
        )
        .as_secs_f64()
            * 1000.0
    };
    #[expect(clippy::cast_precision_loss, reason = "kibibytes of one process")]
    let peak_mib = usage.max_rss() as f64 / 1024.0;
    let used =
        Used { cpu_ms: millis(usage.user_time()) + millis(usage.system_time()), peak_mib, wall_ms };
    fs::write(report, serde_json::to_vec(&used).unwrap()).unwrap();
}

/// A world, and an operator's files.
struct Stand {
    world: World,
    folder: TempDir,
    config: Table,
}

impl Stand {
    async fn new() -> Self {
        let world = World::start().await;
        let folder = tempfile::tempdir().unwrap();
        let mut config = settings(&world, &folder.path().join("state"));
        set(&mut config, "schedule.jitter", "0".into());
        // The canary's time is the downstream's, not the bot's.
        set(watch(&mut config), "canary.step.0.command", Value::Array(vec!["true".into()]));
        Self { world, folder, config }
    }

    fn config_file(&self) -> PathBuf {
        let file = self.folder.path().join("config.toml");
        fs::write(&file, toml::to_string(&self.config).unwrap()).unwrap();
        file
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .env("DIGEST_BUMP_GITHUB_TOKEN", self.world.token())
            .env("DIGEST_BUMP_CONFIG", self.config_file());
        command
    }

    /// What one `once` uses.
    async fn once(&self) -> Used {
        let report = self.folder.path().join("used.json");
        let myself = std::env::current_exe().unwrap();
        let mut command = self.command(myself.to_str().unwrap());
        command.arg("--measure").arg(&report).args([env!("CARGO_BIN_EXE_digest-bump"), "once"]);
        let mut command = tokio::process::Command::from(command);
        assert!(command.status().await.unwrap().success());
        serde_json::from_slice(&fs::read(report).unwrap()).unwrap()
    }
}

fn median(mut all: Vec<f64>) -> f64 {
    all.sort_by(f64::total_cmp);
    all[all.len() / 2]
}

fn row(what: &str, measured: f64, aim: Option<f64>, unit: &str) {
    let said = aim.map_or("", |aim| if measured <= aim { "ok" } else { "OVER" });
    let aim = aim.map_or(String::new(), |aim| format!("{aim:.0} {unit}"));
    println!("{what:<44} {:>12} {aim:>12} {said:>8}", format!("{measured:.1} {unit}"));
}

fn rows(what: &str, used: &[Used]) {
    row(
        &format!("{what}: CPU"),
        median(used.iter().map(|it| it.cpu_ms).collect()),
        Some(60.0),
        "ms",
    );
    let peak = median(used.iter().map(|it| it.peak_mib).collect());
    row(&format!("{what}: peak memory"), peak, Some(50.0), "MiB");
}

async fn nothing_new() {
    let stand = Stand::new().await;
    stand.once().await;
    let mut used = Vec::new();
    for _ in 0..RUNS {
        used.push(stand.once().await);
    }
    rows("nothing new", &used);
}

async fn release_to_pull_request() {
    let stand = Stand::new().await;
    stand.once().await;
    let mut used = Vec::new();
    for run in 0..RUNS {
        stand.world.release(&format!("3.{}.0", run + 10)).publish().await;
        used.push(stand.once().await);
        let open = stand.world.open_pulls();
        assert_eq!(open.len(), 1);
        stand.world.merge(open[0].number);
        stand.once().await;
    }
    rows("release to pull request", &used);
}

/// From the start of the process until the health check answers.
#[expect(clippy::disallowed_methods, reason = "a benchmark looks at the clock")]
async fn start_to_ready() {
    let mut stand = Stand::new().await;
    stand.once().await;
    let mut times = Vec::new();
    for _ in 0..RUNS {
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        set(&mut stand.config, "listen", format!("127.0.0.1:{port}").into());
        let mut command = stand.command(env!("CARGO_BIN_EXE_digest-bump"));
        command.arg("serve").stdout(Stdio::null()).stderr(Stdio::null());
        let begin = Instant::now();
        let mut daemon = tokio::process::Command::from(command).kill_on_drop(true).spawn().unwrap();
        let health = format!("http://127.0.0.1:{port}/healthz");
        let client = reqwest::Client::new();
        while !client.get(&health).send().await.is_ok_and(|answer| answer.status().is_success()) {
            assert!(begin.elapsed() < Duration::from_secs(30), "never ready");
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        times.push(begin.elapsed().as_secs_f64() * 1000.0);
        daemon.kill().await.unwrap();
    }
    row("start to ready", median(times), Some(200.0), "ms");
}

/// From a delivery's first byte until its 202, while the bot works on those before it.
#[expect(clippy::disallowed_methods, reason = "a benchmark looks at the clock")]
async fn webhooks() {
    const DELIVERIES: usize = 1000;
    const AT_ONCE: usize = 8;
    const SECRET: &str = "secret";
    let mut stand = Stand::new().await;
    stand.world.release("3.10.0").publish().await;
    stand.once().await;
    let pull = stand.world.open_pulls()[0].number;
    stand.world.set_permission("maya", "write");
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    set(&mut stand.config, "listen", format!("127.0.0.1:{port}").into());
    set(watch(&mut stand.config), "downstream.commands.enabled", true.into());
    let mut command = stand.command(env!("CARGO_BIN_EXE_digest-bump"));
    command.arg("serve").env("DIGEST_BUMP_WEBHOOK_SECRET", SECRET);
    command.stdout(Stdio::null()).stderr(Stdio::null());
    let mut daemon = tokio::process::Command::from(command).kill_on_drop(true).spawn().unwrap();
    let (client, page) = (reqwest::Client::new(), format!("http://127.0.0.1:{port}"));
    let ready = format!("{page}/healthz");
    while !client.get(&ready).send().await.is_ok_and(|answer| answer.status().is_success()) {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    let deliveries = (0..DELIVERIES).map(|number| {
        // One in ten commands, the others only wake the bot.
        let text = if number % 10 == 0 { "/bump unhold" } else { "thanks" };
        let id = stand.world.comment_as("maya", pull, text);
        let body = json!({
            "action": "created", "issue": {"number": pull, "body": ""},
            "comment": {
                "id": id, "body": text, "created_at": "2026-06-12T08:00:00Z",
                "user": {"login": "maya", "type": "User"},
            },
            "repository": {"full_name": "toon-protocol/town"},
        });
        (format!("delivery-{number}"), body.to_string())
    });
    let deliveries: Vec<(String, String)> = deliveries.collect();
    let sent = stream::iter(deliveries).map(|(id, body)| {
        let request = client
            .post(format!("{page}/webhook"))
            .header("content-type", "application/json")
            .header("x-github-event", "issue_comment")
            .header("x-github-delivery", id)
            .header("x-hub-signature-256", signature(SECRET, &body))
            .body(body);
        async move {
            let begin = Instant::now();
            assert_eq!(request.send().await.unwrap().status().as_u16(), 202);
            begin.elapsed().as_secs_f64() * 1000.0
        }
    });
    let mut times: Vec<f64> = sent.buffer_unordered(AT_ONCE).collect().await;
    daemon.kill().await.unwrap();
    times.sort_by(f64::total_cmp);
    row("1000 webhooks, 8 at once: median", times[DELIVERIES / 2], None, "ms");
    row("1000 webhooks, 8 at once: p99", times[DELIVERIES * 99 / 100], Some(50.0), "ms");
}

/// GitHub's signature of a body.
fn signature(secret: &str, body: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(body.as_bytes());
    let bytes = mac.finalize().into_bytes();
    bytes.iter().fold("sha256=".to_owned(), |text, byte| format!("{text}{byte:02x}"))
}

/// A first start over a long past: one pull request, whatever lies behind it.
async fn many_releases() {
    const RELEASES: usize = 1000;
    let stand = Stand::new().await;
    for number in 0..RELEASES {
        let version = format!("3.{}.{}", 10 + number / 10, number % 10);
        stand.world.release(&version).notes("### Features\n\n* one thing\n").publish().await;
    }
    stand.world.clear_requests();
    let used = stand.once().await;
    assert_eq!(stand.world.open_pulls().len(), 1, "no flood");
    row("first start, 1000 releases: wall", used.wall_ms, None, "ms");
    row("first start, 1000 releases: CPU", used.cpu_ms, None, "ms");
    row("first start, 1000 releases: peak memory", used.peak_mib, None, "MiB");
    #[expect(clippy::cast_precision_loss, reason = "a few hundred")]
    row("first start, 1000 releases: requests", stand.world.requests().len() as f64, None, "");
    let again = stand.once().await;
    row("second start, 1000 releases: CPU", again.cpu_ms, None, "ms");
}

/// What a process holds on to.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct Held {
    resident: u64,
    descriptors: usize,
    database: u64,
    /// SQLite's log. It grows until it is merged into the file, and is then written anew.
    log: u64,
}

impl Held {
    fn now(state: &Path) -> Self {
        let status = fs::read_to_string("/proc/self/status").unwrap();
        let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
        let kib: u64 = line.split_whitespace().nth(1).unwrap().parse().unwrap();
        let size = |name: &str| fs::metadata(state.join(name)).map_or(0, |file| file.len());
        Self {
            resident: kib * 1024,
            descriptors: fs::read_dir("/proc/self/fd").unwrap().count(),
            database: size("digest-bump.db"),
            log: size("digest-bump.db-wal"),
        }
    }
}

/// The process that makes them, one after the other, as a daemon would.
fn passes(number: usize, config: &Path) {
    let environment = Environment::of_process();
    let config = config::load(config, &environment).unwrap();
    let state = config.state.clone();
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let app = App::build(config, Clock::system()).await.unwrap();
        let mut before = None;
        for pass in 0..number {
            if pass == WARM.min(number / 2) {
                before = Some(Held::now(&state));
            }
            let report = app.bots[0].pass(&app.owner).await.unwrap().unwrap();
            assert_eq!(report.performed, Vec::<String>::new());
            assert_eq!(report.troubles, Vec::<String>::new());
        }
        let held = (before.unwrap(), Held::now(&state));
        println!("{}", serde_json::to_string(&held).unwrap());
    });
}

#[expect(clippy::disallowed_methods, reason = "a benchmark looks at the clock")]
async fn many_passes() {
    let wanted = std::env::vars_os().find(|(name, _)| name == "DIGEST_BUMP_BENCH_PASSES");
    let number: usize =
        wanted.map_or(10_000, |(_, value)| value.to_str().unwrap().parse().unwrap());
    let stand = Stand::new().await;
    stand.world.release("3.10.0").publish().await;
    stand.once().await;
    stand.once().await;
    let myself = std::env::current_exe().unwrap();
    let mut command = stand.command(myself.to_str().unwrap());
    command.arg("--passes").arg(number.to_string()).arg(stand.config_file());
    command.env("DIGEST_BUMP_LOG", "error").stderr(Stdio::inherit());
    let begin = Instant::now();
    let output = tokio::process::Command::from(command).output().await.unwrap();
    let each = begin.elapsed().as_secs_f64() * 1000.0 / f64::from(u32::try_from(number).unwrap());
    assert!(output.status.success(), "{output:?}");
    let (before, after): (Held, Held) = serde_json::from_slice(&output.stdout).unwrap();
    row(&format!("{number} empty passes: each"), each, None, "ms");
    println!("  before {before:?}\n  after  {after:?}");
    assert!(after.resident <= before.resident + MAY_GROW, "memory grows");
    assert!(after.descriptors <= before.descriptors + POOLED, "descriptors are left open");
    assert!(after.database <= before.database, "the database grows");
    assert!(after.log <= LARGEST_LOG, "the database's log grows");
}
