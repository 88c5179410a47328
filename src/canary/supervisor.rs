//! Carries canary runs outside the lease, and records their ends.

use super::{
    command::Target,
    mask::Mask,
    output::end_of,
    prepare::Preparation,
    sandbox::Sandbox,
    steps::{Outcome, Run},
    work,
};
use crate::clients::credential::Credential;
use crate::clock::Clock;
use crate::config::CanaryConfig;
use crate::domain::{CanaryReport, Check, Detail, Finding, RunId, WatchName};
use crate::heartbeat::with_heartbeat;
use crate::store::{Shown, Store};
use crate::telemetry::{Moment, step};
use secrecy::SecretString;
use std::{
    collections::BTreeSet,
    convert::Infallible,
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::sync::Notify;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tracing::{Instrument as _, info, warn};

/// How long a run counts as alive after its supervisor's last word.
pub const ALIVE_FOR: Duration = Duration::from_secs(20);
/// How often the supervisor speaks: often enough that one missed write does no harm.
const HEARTBEAT: Duration = Duration::from_secs(5);

/// One run to carry. Its row is in the store, its tree in its work directory.
#[derive(Debug)]
pub struct Order {
    /// The watch.
    pub watch: WatchName,
    /// The run.
    pub run: RunId,
    /// What it is run at.
    pub target: Target,
    /// What the finding depends on besides the digest.
    pub inputs: String,
    /// What has to be added to the tree first.
    pub preparation: Option<Preparation>,
    /// The run's own directory, with the exported tree below it. It vanishes with the run.
    pub work: PathBuf,
}

/// The runs that have no recorded end yet. Clones are one.
#[derive(Debug, Clone, Default)]
struct Carried(Arc<Mutex<BTreeSet<RunId>>>);

impl Carried {
    fn runs(&self) -> MutexGuard<'_, BTreeSet<RunId>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Names one run while it lives, and notifies when it is over, also after a panic.
struct UnderWay {
    run: RunId,
    carried: Carried,
    ended: Arc<Notify>,
}

impl UnderWay {
    fn begin(run: RunId, carried: &Carried, ended: &Arc<Notify>) -> Self {
        carried.runs().insert(run);
        Self { run, carried: carried.clone(), ended: ended.clone() }
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.carried.runs().remove(&self.run);
        self.ended.notify_one();
    }
}

/// Carries runs. Cheap to clone; clones share their runs.
#[derive(Debug, Clone)]
pub struct Supervisor {
    store: Store,
    clock: Clock,
    mask: Mask,
    tasks: TaskTracker,
    carried: Carried,
    /// The bot is about to end; who told it so may have told its canaries as well.
    drain: CancellationToken,
    stop: CancellationToken,
    ended: Arc<Notify>,
}

impl Supervisor {
    /// A supervisor that records into `store`, and masks `secrets` and what `credentials` hold in
    /// whatever a canary prints. `ended` is notified whenever a run has ended.
    #[must_use]
    pub fn new(
        store: Store,
        clock: Clock,
        secrets: Vec<SecretString>,
        credentials: Vec<Credential>,
        ended: Arc<Notify>,
    ) -> Self {
        Self {
            store,
            clock,
            mask: Mask::new(secrets, credentials),
            tasks: TaskTracker::new(),
            carried: Carried::default(),
            drain: CancellationToken::new(),
            stop: CancellationToken::new(),
            ended,
        }
    }

    /// Starts a run and returns at once.
    pub fn start(&self, order: Order, config: &CanaryConfig, sandbox: &Sandbox) {
        let (this, config, sandbox) = (self.clone(), config.clone(), sandbox.clone());
        let under_way = UnderWay::begin(order.run, &self.carried, &self.ended);
        // Below the span of the pass that started it, which is long over when the run ends.
        let span = tracing::info_span!("canary", run = %order.run);
        let carried = async move {
            this.carry(order, &config, &sandbox).await;
            drop(under_way);
        };
        self.tasks.spawn(carried.instrument(span));
    }

    /// Whether no run is under way. Who was notified of a run's end finds it over.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.carried.runs().is_empty()
    }

    /// Whether this supervisor carries the run: it is alive then, however long ago its row said so.
    #[must_use]
    pub fn carries(&self, run: RunId) -> bool {
        self.carried.runs().contains(&run)
    }

    /// The bot is about to end. Runs go on, but one that does not pass from now on counts as
    /// interrupted: a service manager ends all processes of the service at once, so that nobody
    /// knows what a step would have shown.
    pub fn drain(&self) {
        self.drain.cancel();
    }

    /// Ends every run as interrupted, and waits until their ends are recorded. They are started
    /// anew by the next pass.
    pub async fn stop(&self) {
        self.drain();
        self.stop.cancel();
        self.tasks.close();
        self.tasks.wait().await;
    }

    async fn carry(&self, order: Order, config: &CanaryConfig, sandbox: &Sandbox) {
        let name = order.run.to_string();
        step(Moment::Before, "canary", &name);
        let outcome = {
            let stop = self.stop.child_token();
            let (target, work) = (&order.target, order.work.as_path());
            let preparation = order.preparation.as_ref();
            let (clock, stop, drain) = (&self.clock, &stop, &self.drain);
            let run = Run { config, preparation, target, work, sandbox, clock, drain, stop };
            let beat = || async {
                self.beat(&order, stop).await;
                Ok::<_, Infallible>(())
            };
            let Ok(outcome) = with_heartbeat(Box::pin(run.carry()), HEARTBEAT, beat).await;
            outcome
        };
        step(Moment::After, "canary", &name);
        self.record(&order, outcome).await;
        if let Err(error) = work::remove(&order.work).await {
            warn!(%error, "the canary's directory could not be removed");
        }
    }

    /// Says that the run is alive; ends it if it was given up for dead meanwhile.
    async fn beat(&self, order: &Order, stop: &CancellationToken) {
        match self.store.keep_run_alive(order.run, self.clock.now() + ALIVE_FOR).await {
            Ok(true) => {}
            Ok(false) => stop.cancel(),
            Err(error) => warn!(%error, "the run's sign of life was not recorded"),
        }
    }

    async fn record(&self, order: &Order, outcome: Outcome) {
        let finding = Finding {
            check: Check::Canary,
            verdict: outcome.verdict,
            version: order.target.version.clone(),
            subject: order.target.digest.clone(),
            inputs: order.inputs.clone(),
            summary: self.mask.text(&outcome.summary),
            detail: Detail::default(),
            at: self.clock.now(),
        };
        info!(verdict = %finding.verdict, summary = %finding.summary, "the canary ended");
        let log = self.mask.text(&outcome.log);
        let report = self.mask_report(outcome.report);
        // An interruption found out nothing and was no fault of the release: no finding, so that
        // the next pass starts the run anew, and no number of restarts holds a good release.
        let ended = if outcome.interrupted {
            self.store.interrupt_run(&order.watch, order.run, &finding).await
        } else {
            let shown = Shown {
                output: end_of(&log),
                log: &log,
                report: &report,
                tree: outcome.tree.as_ref(),
            };
            self.store.end_run(&order.watch, order.run, shown, &finding).await
        };
        if let Err(error) = ended {
            // The next pass finds the run silent and starts another.
            tracing::error!(%error, "the canary's end was not recorded");
        }
    }

    fn mask_report(&self, mut report: CanaryReport) -> CanaryReport {
        for step in report.setup.iter_mut().chain(report.attempts.iter_mut().flatten()) {
            step.summary = self.mask.text(&step.summary);
            for test in &mut step.failed {
                test.name = self.mask.text(&test.name);
                test.message = self.mask.text(&test.message);
            }
        }
        report
    }
}
