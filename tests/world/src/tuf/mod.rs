//! A repository of The Update Framework that has the trusted root of the world's Sigstore, as the
//! public one keeps its own: roles, thresholds and expiry as there, keys made on the spot, and a
//! machine that signs anew what would expire.

mod forgery;
mod metadata;
mod mirror;

pub use forgery::TufForgery;

use crate::Inner;
use crate::World;
use crate::wire::{Answer, Call};
use chrono::{DateTime, Utc};
use mirror::Mirror;
use std::{path::PathBuf, sync::Arc};

/// The repository as it is, and as it is shown.
#[derive(Debug)]
pub(crate) struct Tuf {
    genuine: Mirror,
    /// What is served in place of the genuine documents.
    forged: Option<Mirror>,
    /// Whether the machine signs anew what would expire.
    alive: bool,
}

impl Tuf {
    /// A repository that has this trusted root.
    pub(crate) fn new(target: &str, now: DateTime<Utc>) -> Self {
        let mut genuine = Mirror::new(now);
        genuine.publish(target.as_bytes(), now, None);
        Self { genuine, forged: None, alive: true }
    }

    fn serve(&mut self, path: &str, now: DateTime<Utc>) -> Option<Vec<u8>> {
        if self.alive && self.forged.is_none() {
            self.genuine.keep_alive(now);
        }
        let shown = self.forged.as_ref().unwrap_or(&self.genuine);
        shown.files.get(path).cloned()
    }
}

impl World {
    /// The base URL of the TUF repository with the trusted root of the world's Sigstore.
    #[must_use]
    pub fn tuf_url(&self) -> String {
        self.inner.urls.tuf.clone()
    }

    /// A file with the repository's first `root.json`, for as long as the world lives.
    ///
    /// # Panics
    /// If it cannot be written.
    #[must_use]
    pub fn tuf_root_file(&self) -> PathBuf {
        let file = self.root.path().join("1.root.json");
        let bytes = self.inner.state().tuf.genuine.files["1.root.json"].clone();
        std::fs::write(&file, bytes).expect("the world's directory takes a file");
        file
    }

    /// Publishes the trusted root of the world's Sigstore as it is now, with everything in order.
    pub fn publish_trusted_root(&self) {
        self.change_tuf(|tuf, target, now| tuf.genuine.publish(target, now, None));
    }

    /// Puts forged documents in the place of the genuine ones, until the next publication.
    pub fn forge_tuf(&self, forgery: TufForgery) {
        self.change_tuf(|tuf, target, now| {
            if forgery == TufForgery::ExpiredRoot {
                tuf.genuine.sign_expired_root(now);
            }
            let mut forged = tuf.genuine.clone();
            forged.publish(target, now, Some(forgery));
            tuf.genuine.count_on_from(&forged);
            tuf.forged = Some(forged);
        });
    }

    /// Exchanges keys by a new root, and publishes everything anew.
    pub fn rotate_tuf_root(&self) {
        self.change_tuf(|tuf, target, now| tuf.genuine.rotate(target, now));
    }

    /// The machine signs nothing more until the next publication: what is there expires.
    pub fn neglect_tuf(&self) {
        self.inner.state().tuf.alive = false;
    }

    fn change_tuf(&self, change: impl FnOnce(&mut Tuf, &[u8], DateTime<Utc>)) {
        let mut state = self.inner.state();
        let (target, now) = (state.sigstore.trusted_root(), state.now());
        (state.tuf.forged, state.tuf.alive) = (None, true);
        change(&mut state.tuf, target.as_bytes(), now);
    }
}

/// Answers a request for one of the repository's documents.
pub(crate) fn answer(inner: &Arc<Inner>, call: &Call) -> Answer {
    let mut state = inner.state();
    let now = state.now();
    let found = state.tuf.serve(call.path.trim_start_matches('/'), now);
    match found.filter(|_| call.method == "GET") {
        Some(bytes) => Answer::new(200, "application/json", bytes),
        None => Answer::text(404, "Not Found"),
    }
}
