//! A watch's bot, and one pass of it from the lease to the report.

use super::{limit::Limit, pass::settle};
use crate::canary::{Supervisor, sandbox::Sandbox};
use crate::clock::Clock;
use crate::config::Watch;
use crate::domain::Timestamp;
use crate::heartbeat::with_heartbeat;
use crate::policy::Decision;
use crate::proposal::Performer;
use crate::repository::Repository;
use crate::sources::Sources;
use crate::store::{Lease, Store, StoreError, pass_lease};
use anyhow::Result;
use metrics::gauge;
use std::{path::PathBuf, time::Duration};
use tracing::{Instrument as _, info_span, warn};

/// How long the lease outlives a pass that died: shorter than what `once` waits for it.
const LEASE_TTL: Duration = Duration::from_secs(20);
/// How often a pass renews it, whatever step it is at.
const RENEWAL: Duration = Duration::from_secs(5);

/// Everything that one watch's passes need.
#[derive(Debug, Clone)]
pub struct Bot {
    /// The watch.
    pub watch: Watch,
    /// What happened.
    pub store: Store,
    /// The read side of the world.
    pub sources: Sources,
    /// The downstream's repository, as it is read.
    pub git: Repository,
    /// The write side of the world.
    pub performer: Performer,
    /// Carries canary runs.
    pub supervisor: Supervisor,
    /// What confines their steps.
    pub sandbox: Sandbox,
    /// The time.
    pub clock: Clock,
    /// GitHub's rate limit.
    pub limit: Limit,
    /// The directory for canary work trees.
    pub state: PathBuf,
}

/// What a pass did, and where it left things.
#[derive(Debug, Default)]
pub struct PassReport {
    /// What was done in the world, one line each.
    pub performed: Vec<String>,
    /// What could not be read or done, one line each. Nothing is lost: it is due again.
    pub troubles: Vec<String>,
    /// Those of them that the next pass does not try again, nor tell.
    pub told_once: Vec<String>,
    /// Whether there is a trouble that gave no time at which it is to be tried again.
    pub try_again: bool,
    /// Where each release stands now.
    pub decision: Decision,
    /// When the next pass is due at the latest, if a time is known.
    pub wake: Option<Timestamp>,
}

impl Bot {
    /// The lease under which this watch's passes run.
    #[must_use]
    pub fn lease_name(&self) -> String {
        pass_lease(&self.watch.name)
    }

    /// One settled pass, if nobody else has the lease: `None` if somebody has.
    ///
    /// # Errors
    /// If the store fails or the lease is lost. Troubles in the world are part of the report.
    pub async fn pass(&self, owner: &str) -> Result<Option<PassReport>> {
        let Some(lease) = self.store.acquire(&self.lease_name(), owner, LEASE_TTL).await? else {
            return Ok(None);
        };
        // The lease's number is counted for ever: one id through a pass and its candidates,
        // whichever process it ran in.
        let span = info_span!("pass", watch = %self.watch.name, id = lease.token());
        let report = self.settle_holding(&lease).instrument(span).await;
        self.store.release(lease).await?;
        self.gauge(report.as_ref().ok());
        report.map(Some)
    }

    /// Tells whoever watches the bot that a pass ended, and how.
    #[expect(clippy::cast_precision_loss, reason = "seconds and small numbers")]
    fn gauge(&self, report: Option<&PassReport>) {
        let watch = || self.watch.name.to_string();
        let seconds = self.clock.now().seconds() as f64;
        gauge!("digest_bump_last_pass_timestamp_seconds", "watch" => watch()).set(seconds);
        if let Some(report) = report {
            let troubles = report.troubles.len() as f64;
            gauge!("digest_bump_pass_troubles", "watch" => watch()).set(troubles);
        }
    }

    /// Settles while the lease is renewed beside it. A pass that loses it ends where it stands.
    async fn settle_holding(&self, lease: &Lease) -> Result<PassReport> {
        let renew = || async {
            match self.store.renew(lease, LEASE_TTL).await {
                Err(error @ StoreError::LeaseLost { .. }) => Err(error),
                // There is time for another try. Without one, whatever is written looks for the lease.
                Err(error) => {
                    warn!(%error, "the lease was not renewed");
                    Ok(())
                }
                Ok(()) => Ok(()),
            }
        };
        // A pass is a large future.
        with_heartbeat(Box::pin(settle(self, lease)), RENEWAL, renew).await?
    }
}

impl PassReport {
    /// This report and the next one of the same watch, as one. What could not be done in the first
    /// was due again in the second, whose troubles are the ones that last, but for those that are
    /// told once.
    #[must_use]
    pub fn then(mut self, next: Self) -> Self {
        self.performed.extend(next.performed);
        let mut troubles = self.told_once.clone();
        troubles.extend(next.troubles.into_iter().filter(|line| !self.told_once.contains(line)));
        self.told_once.extend(next.told_once);
        Self { performed: self.performed, troubles, told_once: self.told_once, ..next }
    }
}
