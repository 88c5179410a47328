//! Carries canary runs outside the lease, and records their ends.

use super::{
    command::{Invocation, Target, invocation},
    process::{Outcome, run},
};
use crate::clock::Clock;
use crate::config::CanaryConfig;
use crate::domain::{Check, Finding, RunId, WatchName};
use crate::store::Store;
use secrecy::{ExposeSecret as _, SecretString};
use std::{path::PathBuf, sync::Arc, time::Duration};
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
    /// The run's own directory, with the exported tree below it. It vanishes with the run.
    pub work: PathBuf,
}

/// Carries runs. Cheap to clone; clones share their runs.
#[derive(Debug, Clone)]
pub struct Supervisor {
    store: Store,
    clock: Clock,
    secret: Option<Arc<SecretString>>,
    tasks: TaskTracker,
    stop: CancellationToken,
    ended: Arc<Notify>,
}

impl Supervisor {
    /// A supervisor that records into `store`, and masks `secret` in whatever a canary prints.
    /// `ended` is notified whenever a run has ended.
    #[must_use]
    pub fn new(
        store: Store,
        clock: Clock,
        secret: Option<SecretString>,
        ended: Arc<Notify>,
    ) -> Self {
        Self {
            store,
            clock,
            secret: secret.map(Arc::new),
            tasks: TaskTracker::new(),
            stop: CancellationToken::new(),
            ended,
        }
    }

    /// Starts a run and returns at once.
    pub fn start(&self, order: Order, config: &CanaryConfig) {
        let invocation = invocation(config, &order.target, &order.work);
        let this = self.clone();
        // Below the span of the pass that started it, which is long over when the run ends.
        let span = tracing::info_span!("canary", run = %order.run);
        self.tasks.spawn(async move { this.carry(order, invocation).await }.instrument(span));
    }

    /// Whether no run is under way.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.tasks.is_empty()
    }

    /// Ends every run as interrupted, and waits until their ends are recorded. They are started
    /// anew by the next pass.
    pub async fn stop(&self) {
        self.stop.cancel();
        self.tasks.close();
        self.tasks.wait().await;
    }

    async fn carry(&self, order: Order, invocation: Invocation) {
        let outcome = {
            let stop = self.stop.child_token();
            let work = run(&invocation, &stop);
            tokio::pin!(work);
            loop {
                tokio::select! {
                    outcome = &mut work => break outcome,
                    () = tokio::time::sleep(HEARTBEAT) => self.beat(&order, &stop).await,
                }
            }
        };
        self.record(&order, outcome).await;
        if let Err(error) = tokio::fs::remove_dir_all(&order.work).await {
            warn!(%error, "the canary's directory could not be removed");
        }
        self.ended.notify_one();
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
            summary: self.mask(outcome.summary),
            at: self.clock.now(),
        };
        info!(verdict = %finding.verdict, summary = %finding.summary, "the canary ended");
        let output = self.mask(outcome.output);
        // An interruption found out nothing and was no fault of the release: no finding, so that
        // the next pass starts the run anew, and no number of restarts holds a good release.
        let ended = if outcome.interrupted {
            self.store.interrupt_run(&order.watch, order.run, &finding).await
        } else {
            self.store.end_run(&order.watch, order.run, &output, &finding).await
        };
        if let Err(error) = ended {
            // The next pass finds the run silent and starts another.
            tracing::error!(%error, "the canary's end was not recorded");
        }
    }

    fn mask(&self, text: String) -> String {
        match &self.secret {
            Some(secret) => text.replace(secret.expose_secret(), "***"),
            None => text,
        }
    }
}
