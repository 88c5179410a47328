//! The world that `digest-bump` lives in, small enough to be started by every test: a GitHub with
//! its memory, git over smart HTTP, a container registry with GHCR's manners, npm, and a private
//! Sigstore that signs what is published, its trusted root in a TUF repository.
//!
//! Everything listens on loopback, each door on a port of its own. The world uses nothing of the
//! bot's code, so that it cannot share its mistakes. It runs on threads of its own: a test may
//! block its own runtime, and the world goes on answering.
//!
//! A world that is dropped panics if something happened that no well-behaved bot does: a write to
//! upstream, a merge, a push to a branch that is not the bot's, or a request that the world does
//! not know.
//!
//! ```no_run
//! # async fn example() {
//! let world = world::World::start().await;
//! world.release("3.10.0").notes("### Features\n\n* faster").publish().await;
//! assert!(world.pulls().is_empty());
//! # }
//! ```

#![expect(
    clippy::expect_used,
    reason = "a world that cannot be made fails the test that asked for it"
)]

mod actions;
mod app;
mod artifacts;
mod builder;
mod changes;
mod ci;
mod fault;
mod git_http;
mod github;
mod history;
mod image;
mod images;
mod lists;
mod log;
mod npm;
mod people;
mod publish;
mod push;
mod reality;
mod registry;
mod release;
mod repository;
mod server;
mod sigstore;
mod state;
mod tags;
mod tls;
mod town;
mod tracker;
mod tuf;
mod upstream;
mod webhook;
mod wire;

pub use actions::Dispatch;
pub use builder::WorldBuilder;
pub use fault::Fault;
pub use history::{HistoryEntry, history};
pub use image::{Image, SignatureLayout};
pub use log::{Request, Service};
pub use people::{Comment, Pull};
pub use reality::{GRAPHQL_SCHEMA, OPENAPI, WEBHOOK_EXAMPLES, published};
pub use registry::Referrers;
pub use release::ReleaseBuilder;
pub use sigstore::{BundleVersion, Forgery, Form, Predicate, San, Signed, Signing, Sigstore};
pub use tracker::Ticket;
pub use tuf::TufForgery;
pub use webhook::EVENTS;

use state::{State, Urls};
use std::{
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tempfile::TempDir;
use tokio::{runtime::Runtime, sync::mpsc};
use webhook::Delivery;

/// The path of the contract canary, a small program that really resolves the pinned image.
///
/// It reads `packages/townhouse/dist/image-manifest.json` in its working directory and
/// `WORLD_REGISTRY`, `EXPECT_DIGEST` and `CANARY_DELAY_MS` in its environment. It exits with 0 if
/// the image keeps the contract, 1 if it does not, 75 if the registry cannot be reached.
pub const CANARY: &str = env!("WORLD_CANARY");

/// The world. Dropping it closes its doors, judges what happened and removes its files.
#[derive(Debug)]
pub struct World {
    inner: Arc<Inner>,
    runtime: Option<Runtime>,
    root: TempDir,
}

/// What the doors share.
#[derive(Debug)]
pub(crate) struct Inner {
    state: Mutex<State>,
    /// Pushes over git come one at a time, so that what they did to pull requests is clear.
    push: Mutex<()>,
    last_delivery: Mutex<Option<Delivery>>,
    deliveries: mpsc::UnboundedSender<Delivery>,
    urls: Urls,
    town_dir: PathBuf,
    /// The authority behind the doors' certificates, if they speak TLS.
    ca_pem: Option<String>,
}

impl Inner {
    /// The memory. To be held for as long as one request takes, never across a wait.
    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        // A panic in one request must not hide what the test was about.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn push_lock(&self) -> MutexGuard<'_, ()> {
        self.push.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn last_delivery(&self) -> MutexGuard<'_, Option<Delivery>> {
        self.last_delivery.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl World {
    /// A world with upstream `toon-protocol/connector` and downstream `toon-protocol/town`, which
    /// pins 3.9.3; that release and its artifacts are published.
    pub async fn start() -> Self {
        Self::builder().start().await
    }

    /// A world that is described first.
    pub fn builder() -> WorldBuilder {
        WorldBuilder::new()
    }

    /// The base URL of the REST interface.
    #[must_use]
    pub fn github_url(&self) -> String {
        self.inner.urls.github.clone()
    }

    /// The base URL of git: the downstream is `{git_url}/toon-protocol/town.git`.
    #[must_use]
    pub fn git_url(&self) -> String {
        self.inner.urls.git.clone()
    }

    /// The base URL of the registry: the image is `toon-protocol/connector` there.
    #[must_use]
    pub fn registry_url(&self) -> String {
        self.inner.urls.registry.clone()
    }

    /// The base URL of npm: the packument is `{npm_url}/@toon-protocol%2fconnector`.
    #[must_use]
    pub fn npm_url(&self) -> String {
        self.inner.urls.npm.clone()
    }

    /// The certificate authority that signed for the doors, in PEM; `None` if they speak no TLS.
    #[must_use]
    pub fn ca_pem(&self) -> Option<&str> {
        self.inner.ca_pem.as_deref()
    }

    /// A file with the trusted root of the world's Sigstore, for as long as the world lives.
    ///
    /// # Panics
    /// If it cannot be written.
    #[must_use]
    pub fn trusted_root_file(&self) -> PathBuf {
        let file = self.root.path().join("trusted_root.json");
        std::fs::write(&file, self.trusted_root()).expect("the world's directory takes a file");
        file
    }

    /// The bot's token: it may push to the downstream, and read the upstream.
    #[must_use]
    pub fn token(&self) -> &str {
        builder::TOKEN
    }

    /// All tokens that are worth something, the minted ones included: what must leak nowhere.
    #[must_use]
    pub fn secrets(&self) -> Vec<String> {
        self.inner.state().secrets().into_iter().collect()
    }

    /// Every request so far, in the order in which they were answered.
    #[must_use]
    pub fn requests(&self) -> Vec<Request> {
        self.inner.state().log.requests.clone()
    }

    /// The requests that changed something.
    #[must_use]
    pub fn writes(&self) -> Vec<Request> {
        let state = self.inner.state();
        let writes = state.log.requests.iter().filter(|request| request.write);
        writes.cloned().collect()
    }

    /// Forgets the requests so far; violations stay.
    pub fn clear_requests(&self) {
        self.inner.state().log.requests.clear();
    }

    /// What happened that no well-behaved bot does.
    #[must_use]
    pub fn violations(&self) -> Vec<String> {
        self.inner.state().log.violations.clone()
    }

    /// This test expects a violation whose sentence contains this text: it is no reason to panic
    /// at the end, its absence is.
    pub fn expect_unusual(&self, text: &str) {
        self.inner.state().log.expected.push(text.to_owned());
    }

    /// This test does not mind violations.
    pub fn allow_unexpected(&self) {
        self.inner.state().log.lenient = true;
    }

    /// The published operations that were judged so far, with the statuses that were answered; none
    /// where no description is named.
    #[must_use]
    pub fn judged(&self) -> Vec<(String, u16)> {
        self.inner.state().log.judged.iter().cloned().collect()
    }

    /// Where an exchange did not agree with what GitHub publishes.
    #[must_use]
    pub fn mismatches(&self) -> Vec<String> {
        self.inner.state().log.mismatches.clone()
    }

    /// This test asks on purpose for what GitHub's description forbids: mismatches whose sentence
    /// contains this text are no reason to panic at the end.
    pub fn expect_mismatch(&self, text: &str) {
        self.inner.state().log.expected_mismatches.push(text.to_owned());
    }

    /// Arms a fault.
    pub fn fault(&self, fault: Fault) {
        self.later().faults.push(fault);
    }

    /// Disarms all faults.
    pub fn clear_faults(&self) {
        self.inner.state().faults.clear();
    }

    /// The next so many lists that are asked for answer from before the last write: those of pull
    /// requests, issues, comments, reactions, labels, refs, check runs and statuses.
    pub fn list_lag(&self, reads: u32) {
        self.inner.state().list_lag = reads;
    }

    /// From now on so many lists lag after each write of the bot's, until somebody looks or acts by
    /// the test's own means: time passes then.
    pub fn lists_lag_behind_writes(&self, reads: u32) {
        self.inner.state().lag_after_writes = reads;
    }

    /// The memory, for what a test does by its own means: time passes until then.
    pub(crate) fn later(&self) -> MutexGuard<'_, State> {
        let mut state = self.inner.state();
        state.time_passes();
        state
    }

    /// Does something with the memory on the world's own threads, then sends the webhooks.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Inner) -> T + Send + 'static,
    ) -> T {
        self.inner.state().time_passes();
        let inner = self.inner.clone();
        let runtime = self.runtime.as_ref().expect("the world is there");
        let task = runtime.spawn_blocking(move || {
            let result = work(&inner);
            inner.deliver();
            result
        });
        task.await.expect("the world does what it is asked")
    }
}

impl Drop for World {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
        let complaints = self.inner.state().log.complaints();
        assert!(
            complaints.is_empty() || std::thread::panicking(),
            "the world saw what it should not have:\n  {}",
            complaints.join("\n  ")
        );
    }
}
