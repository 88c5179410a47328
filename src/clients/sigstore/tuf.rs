//! A repository of The Update Framework that holds a trusted root, and what is kept of it.

use super::root::TrustedRoot;
use crate::clients::wire::{self, Http};
use crate::domain::Timestamp;
use sigstore_tuf::{FileStore, HttpRepository, MetadataStore, StoreRepository, Updater};
use sigstore_tuf::{Metadata, Root};
use sigstore_verify::trust_root::TRUSTED_ROOT_TARGET;
use std::{
    collections::BTreeMap,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tracing::warn;

/// When the last good refresh was, in the cache directory.
const REFRESHED: &str = "refreshed";
/// The repository's own root as of then.
const ROOT: &str = "root.json";
/// All of its roots so far, by their numbers.
const ROOTS: &str = "root_history/";

/// A repository of The Update Framework that holds a trusted root.
#[derive(Debug, Clone)]
pub struct Tuf {
    pub(super) url: String,
    /// Its first `root.json`, from which trust starts.
    pub(super) bootstrap: Vec<u8>,
    /// Where its documents are kept.
    pub(super) cache: PathBuf,
    /// Whether the cache may be written.
    pub(super) writes: bool,
    pub(super) max_age: Duration,
}

impl Tuf {
    /// Refreshes the repository's metadata and takes the trusted root from it.
    pub(super) async fn fetch(&self, http: &Http, now: Timestamp) -> Result<TrustedRoot, String> {
        let repository = HttpRepository::new(&self.url).map_err(|error| wire::chain(&error))?;
        let repository = repository.with_http_client(http.reqwest());
        let updater = Updater::new(repository, &self.bootstrap);
        let updater = updater.map_err(|error| wire::chain(&error))?;
        let cache = Arc::new(Cache::new(self));
        let json = target(updater, &cache, now).await?;
        let root = TrustedRoot::parse(json, &self.url, Some(now));
        let root = root.map_err(|error| wire::chain(&error))?;
        if self.writes
            && let Err(error) = cache.keep(now)
        {
            // It is good all the same; the next process has to fetch it for itself.
            warn!(error = wire::chain(&error), "the trusted root is not kept");
        }
        Ok(root)
    }

    /// The trusted root of the last good refresh, proved anew from the cache as of that time.
    pub(super) async fn kept(&self) -> Option<TrustedRoot> {
        let files = FileStore::new(&self.cache);
        let read = |name: &str| files.load(name).ok().flatten();
        let at: Timestamp = String::from_utf8(read(REFRESHED)?).ok()?.trim().parse().ok()?;
        let current = Metadata::<Root>::from_slice(&read(ROOT)?).ok()?.signed().version;
        let repository = StoreRepository::new(files.clone());
        let updater = Updater::new(repository, &self.bootstrap).ok()?;
        let cache = Cache { writes: false, last_root: current, ..Cache::new(self) };
        match target(updater, &Arc::new(cache), at).await {
            Ok(json) => TrustedRoot::parse(json, &self.url, Some(at)).ok(),
            Err(why) => {
                warn!(error = why, "the kept trusted root cannot be used");
                None
            }
        }
    }
}

async fn target(updater: Updater, cache: &Arc<Cache>, at: Timestamp) -> Result<Vec<u8>, String> {
    let at = jiff::Timestamp::from_millisecond(at.millis()).map_err(|error| error.to_string())?;
    let mut updater = updater.with_store(cache.clone());
    updater.refresh(at).await.map_err(|error| wire::chain(&error))?;
    updater.get_target(TRUSTED_ROOT_TARGET, at).await.map_err(|error| wire::chain(&error))
}

/// The cache during one refresh. Its documents prove each other, so they are exchanged together,
/// when all is well: a refresh that breaks off in the middle leaves what was good before.
///
/// Only a new root of the repository is kept at once (TUF specification, 5.3.8): who has seen that
/// a key was withdrawn does not forget it. It plays no part in proving what was good before it.
///
/// Two processes may exchange documents at the same time. If a mixture is left, it proves nothing
/// and is fetched anew.
struct Cache {
    files: FileStore,
    writes: bool,
    /// Later roots of the repository are not looked at.
    last_root: u64,
    staged: Mutex<BTreeMap<String, Vec<u8>>>,
}

impl Cache {
    fn new(tuf: &Tuf) -> Self {
        let files = FileStore::new(&tuf.cache);
        Self { files, writes: tuf.writes, last_root: u64::MAX, staged: Mutex::default() }
    }

    /// Exchanges the documents for those of a refresh that was good at this time.
    fn keep(&self, now: Timestamp) -> sigstore_tuf::Result<()> {
        let staged = self.staged.lock().unwrap_or_else(PoisonError::into_inner);
        for (name, bytes) in staged.iter() {
            self.files.store(name, bytes)?;
        }
        self.files.store(REFRESHED, now.to_string().as_bytes())
    }
}

impl MetadataStore for Cache {
    fn load(&self, name: &str) -> sigstore_tuf::Result<Option<Vec<u8>>> {
        let number = name.strip_prefix(ROOTS).and_then(|name| name.split('.').next()?.parse().ok());
        if number.is_some_and(|number: u64| number > self.last_root) {
            return Ok(None);
        }
        let staged = self.staged.lock().unwrap_or_else(PoisonError::into_inner);
        staged.get(name).map_or_else(|| self.files.load(name), |bytes| Ok(Some(bytes.clone())))
    }

    fn store(&self, name: &str, bytes: &[u8]) -> sigstore_tuf::Result<()> {
        if name.starts_with(ROOTS) && self.writes {
            return self.files.store(name, bytes);
        }
        let mut staged = self.staged.lock().unwrap_or_else(PoisonError::into_inner);
        staged.insert(name.to_owned(), bytes.to_vec());
        Ok(())
    }
}
