//! Where the trusted root comes from, and how it is kept current.

use super::root::{RootError, TrustedRoot};
use super::tuf::Tuf;
use crate::clients::wire::Http;
use crate::clock::Clock;
use crate::domain::{Timestamp, human_duration};
use sigstore_verify::trust_root::{SIGSTORE_PRODUCTION_TRUSTED_ROOT, SigstoreInstance};
use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};
use tokio::sync::Mutex;
use tracing::{info, warn};

/// How often the trusted root is refreshed.
const REFRESHED_EVERY: Duration = Duration::from_hours(24);
/// The pause after a refresh that failed, and before one that a failed verification asks for: who
/// signs badly shall not make us knock at the repository's door for each signature.
const PAUSE: Duration = Duration::from_mins(10);

/// Where a trusted root comes from.
#[derive(Debug, Clone)]
pub enum Source {
    /// The public one that this program was built with.
    Embedded,
    /// A file, read anew each time.
    File(PathBuf),
    /// A repository of The Update Framework.
    Tuf(Tuf),
}

impl Source {
    /// The public repository, or that of a private Sigstore: its URL and the file with its first
    /// `root.json`. `cache` holds what was fetched, and is left as it is unless `writes`; without a
    /// refresh for longer than `max_age` there is no trusted root.
    ///
    /// # Errors
    /// [`RootError::Unreadable`] if the file cannot be read.
    pub fn tuf(
        private: Option<(&str, &Path)>,
        cache: PathBuf,
        writes: bool,
        max_age: Duration,
    ) -> Result<Self, RootError> {
        let (url, bootstrap) = match private {
            None => {
                let public = SigstoreInstance::PublicGood;
                (public.tuf_url().to_owned(), public.tuf_root().to_vec())
            }
            Some((url, file)) => (url.to_owned(), read(file)?),
        };
        Ok(Self::Tuf(Tuf { url, bootstrap, cache, writes, max_age }))
    }
}

/// The trusted root, kept current. Cheap to clone; clones share it.
#[derive(Debug, Clone)]
pub struct Trust {
    source: Arc<Source>,
    http: Http,
    clock: Clock,
    held: Arc<Mutex<Held>>,
}

/// What is known of a repository's trusted root.
#[derive(Debug, Default)]
struct Held {
    root: Option<Arc<TrustedRoot>>,
    /// When it was last asked for, successfully or not, and why not.
    asked: Option<(Timestamp, String)>,
}

impl Trust {
    /// Nothing is read or fetched yet.
    #[must_use]
    pub fn new(source: Source, http: &Http, clock: Clock) -> Self {
        Self { source: Arc::new(source), http: http.clone(), clock, held: Arc::default() }
    }

    /// The trusted root as it is now: fetched, if the last refresh is a day ago.
    ///
    /// # Errors
    /// If there is none, or it is too old.
    pub async fn root(&self) -> Result<Arc<TrustedRoot>, RootError> {
        let mut held = self.held.lock().await;
        self.current(&mut held, REFRESHED_EVERY).await
    }

    /// Another trusted root than `than`, if there is one by now: for a signature that names an
    /// authority or a log that `than` does not know.
    pub async fn newer(&self, than: &TrustedRoot) -> Option<Arc<TrustedRoot>> {
        let mut held = self.held.lock().await;
        let root = self.current(&mut held, PAUSE).await.ok()?;
        (root.content.digest != than.content.digest).then_some(root)
    }

    async fn current(
        &self,
        held: &mut Held,
        at_most: Duration,
    ) -> Result<Arc<TrustedRoot>, RootError> {
        match &*self.source {
            Source::Embedded => held.take(|| {
                let json = SIGSTORE_PRODUCTION_TRUSTED_ROOT.as_bytes().to_vec();
                TrustedRoot::parse(json, "embedded", None)
            }),
            Source::File(path) => {
                let json = read(path)?;
                let same = |root: &&Arc<TrustedRoot>| root.content.bytes == json;
                if let Some(root) = held.root.as_ref().filter(same) {
                    return Ok(root.clone());
                }
                held.root = None;
                held.take(|| TrustedRoot::parse(json, name_of(path), None))
            }
            Source::Tuf(tuf) => self.of_repository(tuf, held, at_most).await,
        }
    }

    async fn of_repository(
        &self,
        tuf: &Tuf,
        held: &mut Held,
        at_most: Duration,
    ) -> Result<Arc<TrustedRoot>, RootError> {
        let now = self.clock.now();
        let at_most = at_most.min(tuf.max_age);
        if held.root.is_none() {
            held.root = tuf.kept().await.map(Arc::new);
        }
        let age = |root: &TrustedRoot| root.refreshed_at.map(|at| between(now, at));
        let fresh = |root: &&Arc<TrustedRoot>| age(root).is_some_and(|age| age < at_most);
        if let Some(root) = held.root.as_ref().filter(fresh) {
            return Ok(root.clone());
        }
        let resting = |asked: &Timestamp| between(now, *asked) < PAUSE;
        let why = match &held.asked {
            Some((asked, why)) if resting(asked) && !why.is_empty() => why.clone(),
            _ => match tuf.fetch(&self.http, now).await {
                Ok(root) => {
                    info!(digest = %root.content.digest, source = tuf.url, "trusted root refreshed");
                    held.asked = Some((now, String::new()));
                    let root = Arc::new(root);
                    held.root = Some(root.clone());
                    return Ok(root);
                }
                Err(why) => {
                    warn!(error = why, source = tuf.url, "the trusted root was not refreshed");
                    held.asked = Some((now, why.clone()));
                    why
                }
            },
        };
        match &held.root {
            Some(root) if age(root).is_some_and(|age| age <= tuf.max_age) => Ok(root.clone()),
            kept => {
                let last = kept.as_ref().and_then(|root| age(root));
                let limit = human_duration(tuf.max_age);
                let last = last.map(human_duration).map_or_else(
                    || "never refreshed".to_owned(),
                    |age| format!("last refreshed {age} ago, the limit is {limit}"),
                );
                Err(RootError::Stale { source_name: tuf.url.clone(), last, why })
            }
        }
    }
}

impl Held {
    /// What is held, or made now and held from now on.
    fn take(
        &mut self,
        make: impl FnOnce() -> Result<TrustedRoot, RootError>,
    ) -> Result<Arc<TrustedRoot>, RootError> {
        if let Some(root) = &self.root {
            return Ok(root.clone());
        }
        let root = Arc::new(make()?);
        self.root = Some(root.clone());
        Ok(root)
    }
}

/// How far two times are apart. A clock that was ahead for a while has left times behind that are
/// still to come; they are as old as they are far away, or they would be fresh for as long.
fn between(one: Timestamp, other: Timestamp) -> Duration {
    one.since(other) + other.since(one)
}

fn read(path: &Path) -> Result<Vec<u8>, RootError> {
    std::fs::read(path).map_err(|source| RootError::Unreadable { path: name_of(path), source })
}

/// The file without its folder: it is told in pull requests, where the folders are nobody's
/// business.
fn name_of(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default();
    format!("file {}", name.to_string_lossy())
}
