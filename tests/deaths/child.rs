//! The process that dies: the bot, with a listener that ends it by SIGKILL at a given step.
//!
//! A step is an event of `telemetry::step`: just before or just after a record in the database, an
//! effect in the world, a canary's child. The listener runs in the middle of it, on the thread
//! that took it, so that nothing comes after.

use digest_bump::{
    clock::Clock,
    config::{self, Environment},
    daemon::{self, App},
    domain::Wish,
};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeMap,
    ffi::OsString,
    fmt,
    fs::{self, File},
    io::Write as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::Mutex,
    time::Duration,
};
use tracing::field::{Field, Visit};
use tracing_subscriber::{
    Layer, Registry,
    filter::{LevelFilter, Targets},
    layer::{Context, SubscriberExt as _},
};

/// Names the file with the orders, and so tells the child from the test.
const ORDERS: &str = "DIGEST_BUMP_TEST_ORDERS";

/// Far more than any child needs: the machine may be busy.
const LONGEST: Duration = Duration::from_mins(2);

/// What a child has to do.
#[derive(Debug, Serialize, Deserialize)]
pub struct Orders {
    /// The config, in TOML.
    pub config: String,
    /// What its clock says; it stands still.
    pub now: String,
    /// What is asked for, of which version, instead of a settled pass.
    pub request: Option<(Wish, String)>,
    /// The step at which it dies, counted from 0.
    pub death: Option<usize>,
    /// Where its steps are written, a line each.
    pub steps: PathBuf,
    /// Where it reports at its end.
    pub report: PathBuf,
}

/// How a child ended.
#[derive(Debug, PartialEq, Eq)]
pub enum End {
    /// By SIGKILL.
    Killed,
    /// By itself.
    Done(Report),
}

/// What a child says at its end.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// When something changes by itself.
    pub wake: Option<String>,
    /// What could not be done.
    pub troubles: Vec<String>,
}

/// Lets a child carry out its orders, and waits for its end, which comes after `life` at the
/// latest: at no step in particular.
pub async fn run(orders: &Orders, variables: &[(&str, &str)], life: Option<Duration>) -> End {
    use std::os::unix::process::ExitStatusExt as _;
    let file = orders.steps.with_extension("orders");
    fs::write(&file, serde_json::to_vec(orders).unwrap()).unwrap();
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args(["child::carries_out_its_orders", "--exact", "--nocapture", "--test-threads=1"])
        .env(ORDERS, file)
        .envs(variables.iter().copied())
        .stdin(Stdio::null());
    let output = tokio::process::Command::from(command).kill_on_drop(true).output();
    // Dropped unfinished, it is killed.
    let Ok(output) = tokio::time::timeout(life.unwrap_or(LONGEST), output).await else {
        assert!(life.is_some(), "the child goes on and on");
        return End::Killed;
    };
    let output = output.unwrap();
    if output.status.signal() == Some(9) {
        return End::Killed;
    }
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    End::Done(serde_json::from_slice(&fs::read(&orders.report).unwrap()).unwrap())
}

/// In the test itself this does nothing.
#[test]
fn carries_out_its_orders() {
    let variables: BTreeMap<String, OsString> = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value)))
        .collect();
    let Some(file) = variables.get(ORDERS) else {
        return;
    };
    let orders: Orders = serde_json::from_slice(&fs::read(file).unwrap()).unwrap();
    let steps = Steps::new(&orders.steps, orders.death);
    let filter = Targets::new().with_target("digest_bump::step", LevelFilter::TRACE);
    let listener = Registry::default().with(steps.with_filter(filter));
    tracing::subscriber::set_global_default(listener).unwrap();
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let report = runtime.block_on(carry_out(&orders, &Environment::of(variables)));
    fs::write(&orders.report, serde_json::to_vec(&report).unwrap()).unwrap();
}

async fn carry_out(orders: &Orders, environment: &Environment) -> Report {
    let config = config::parse(&orders.config, "the orders", environment).unwrap();
    let clock = Clock::manual(orders.now.parse().unwrap());
    if let Some((wish, version)) = &orders.request {
        let store = daemon::open_store(&config, &clock).await.unwrap();
        let (watch, version) = (&config.watches[0].name, version.parse().unwrap());
        store.record_request(watch, *wish, &version, "maintainer", clock.now()).await.unwrap();
        store.close().await;
        return Report::default();
    }
    let app = App::build(config, clock).await.unwrap();
    let reports = daemon::once(&app).await;
    app.supervisor.stop().await;
    app.store.close().await;
    let report = reports.unwrap().remove(0).expect("nobody else is at work");
    Report { wake: report.wake.map(|at| at.to_string()), troubles: report.troubles }
}

/// Counts the steps, writes them down, and ends the process at one of them.
struct Steps {
    death: Option<usize>,
    taken: Mutex<(usize, File)>,
}

impl Steps {
    fn new(file: &Path, death: Option<usize>) -> Self {
        Self { death, taken: Mutex::new((0, File::create(file).unwrap())) }
    }
}

impl<S: tracing::Subscriber> Layer<S> for Steps {
    fn on_event(&self, event: &tracing::Event<'_>, _: Context<'_, S>) {
        let mut words = Words::default();
        event.record(&mut words);
        let mut taken = self.taken.lock().unwrap();
        let (count, file) = &mut *taken;
        writeln!(file, "{} {} {}", words.0["message"], words.0["kind"], words.0["of"]).unwrap();
        if self.death == Some(*count) {
            kill(Pid::this(), Signal::SIGKILL).unwrap();
            // The signal is on its way; nothing may happen meanwhile.
            loop {
                std::thread::park();
            }
        }
        *count += 1;
    }
}

/// An event's fields.
#[derive(Default)]
struct Words(BTreeMap<&'static str, String>);

impl Visit for Words {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name(), value.to_owned());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.0.insert(field.name(), format!("{value:?}"));
    }
}
