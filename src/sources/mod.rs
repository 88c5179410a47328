//! Where facts come from: GitHub releases, npm, the registry, the downstream's pin sites and pull
//! requests. Reads only; what the facts mean is the policy's business.

mod advisories;
mod checks;
mod ci;
mod contract;
mod dashboard;
mod npm;
mod pin;
mod pulls;
mod releases;
mod tags;
mod withdrawn;
mod workflows;

pub use dashboard::DashboardSeen;
pub use pin::{Downstream, read_pin};
pub use tags::Pinned;
pub use withdrawn::withdrawn;
pub use workflows::Dispatched;

use crate::clients::github::Reader;
use crate::clients::npm::Npm;
use crate::clients::registry::{Image, Registry, RegistryError};
use crate::clients::sigstore::Trust;
use crate::config::Watch;
use crate::domain::{
    BranchName, Cached, CommitId, ContractFacts, Digest, Fact, FilePath, ImageName, IndexDigest,
    IssueNumber, PinnedFacts, Version,
};
use crate::policy::AwaitedCi;
use crate::repository::Repository;
use crate::store::Store;
use anyhow::Result;

/// The read side of the world, for one watch.
#[derive(Debug, Clone)]
pub struct Sources {
    /// GitHub.
    pub github: Reader,
    /// The npm registry, if the watch has an npm half.
    pub npm: Option<Npm>,
    /// The image's registry.
    pub registry: Registry,
    /// Whose signatures are believed.
    pub trust: Trust,
    /// Remembered bodies for conditional requests; without it every request is a full one.
    pub store: Option<Store>,
}

/// Facts, and the response bodies that are to be remembered with them.
#[derive(Debug, Default)]
pub struct Gathered {
    /// What was read.
    pub facts: Vec<Fact>,
    /// Bodies that are new.
    pub fresh: Vec<Cached>,
}

impl Sources {
    /// All releases of the upstream, from every page of the list.
    ///
    /// # Errors
    /// If GitHub could not be asked or understood.
    pub async fn observe_releases(&self, watch: &Watch) -> Result<Gathered> {
        releases::observe(self, watch).await
    }

    /// The downstream's pin sites at the head of its base branch.
    ///
    /// # Errors
    /// As [`read_pin`] says.
    pub async fn observe_pin(&self, git: &Repository, watch: &Watch) -> Result<Downstream> {
        let cached = match git.head_url(&watch.downstream.branch)? {
            Some(url) => self.cached(&url).await?,
            None => None,
        };
        read_pin(git, watch, cached).await
    }

    /// Every version of the npm package; nothing if the watch has none.
    ///
    /// # Errors
    /// If npm could not be asked or understood, or has no such package: that says nothing about
    /// any version.
    pub async fn observe_npm(&self, watch: &Watch) -> Result<Gathered> {
        npm::observe(self, watch).await
    }

    /// The upstream's published security advisories; nothing if there is no soak time that they
    /// could cut short.
    ///
    /// # Errors
    /// If GitHub could not be asked or understood.
    pub async fn observe_advisories(&self, watch: &Watch) -> Result<Gathered> {
        advisories::observe(self, watch).await
    }

    /// The pull requests from these branches of the downstream.
    ///
    /// # Errors
    /// If GitHub could not be asked or understood.
    pub async fn observe_pulls(&self, watch: &Watch, branches: &[BranchName]) -> Result<Gathered> {
        pulls::observe(self, watch, branches).await
    }

    /// The downstream's own checks of these commits; nothing if they are not the canary.
    ///
    /// # Errors
    /// If GitHub could not be asked or understood.
    pub async fn observe_checks(&self, watch: &Watch, commits: &[CommitId]) -> Result<Gathered> {
        checks::observe(self, watch, commits).await
    }

    /// Whether anybody's CI has started at these heads; nothing of one where the token may not look.
    ///
    /// # Errors
    /// If GitHub could not be asked or understood.
    pub async fn observe_ci(&self, watch: &Watch, heads: &[AwaitedCi]) -> Result<Gathered> {
        ci::observe(self, watch, heads).await
    }

    /// The runs of these dispatches; nothing if no workflow is to be dispatched.
    ///
    /// # Errors
    /// If GitHub could not be asked or understood.
    pub async fn observe_workflows(
        &self,
        watch: &Watch,
        dispatched: &[Dispatched],
    ) -> Result<Gathered> {
        workflows::observe(self, watch, dispatched).await
    }

    /// The commit that a run with this marker was begun on, as its title claims: whoever believes it
    /// looks at the commit.
    ///
    /// # Errors
    /// If GitHub could not be asked or understood.
    pub async fn find_dispatched(
        &self,
        watch: &Watch,
        marker: &str,
        branch: &BranchName,
    ) -> Result<Option<CommitId>> {
        workflows::begun_on(self, watch, marker, branch).await
    }

    /// Resolves an image's tag of a version again; `known` is what it led to the last time, and
    /// `None` is a tag that is gone.
    ///
    /// # Errors
    /// As the registry client says; "not there" is none of its errors.
    pub async fn resolve_tag(
        &self,
        image: &ImageName,
        version: &Version,
        known: Option<&Digest>,
    ) -> Result<Option<Digest>, RegistryError> {
        tags::resolve_tag(self, image, version, known).await
    }

    /// Resolves an image's tag of the pinned version again, if that is known, and finds out what is
    /// served under the pinned digest; `tag` and `known` are what they gave the last time.
    ///
    /// # Errors
    /// As the registry client says; "not there" is none of its errors.
    pub async fn resolve_pinned(
        &self,
        image: &ImageName,
        version: Option<&Version>,
        digest: &IndexDigest,
        tag: Option<&Digest>,
        known: Option<&PinnedFacts>,
    ) -> Result<Pinned, RegistryError> {
        tags::resolve_pinned(self, image, version, digest, tag, known).await
    }

    /// Resolves the tag of a version, and reads each platform's labels.
    ///
    /// # Errors
    /// As the registry client says; "not there" is one of its errors.
    pub async fn fetch_image(
        &self,
        watch: &Watch,
        version: &Version,
    ) -> Result<Image, RegistryError> {
        self.registry.fetch_image(&watch.upstream.image, version).await
    }

    /// Fetches the bytes of the contract document at one of upstream's git tags; `None` if there is
    /// none.
    ///
    /// # Errors
    /// If GitHub could not be asked or understood.
    pub async fn fetch_contract_bytes(
        &self,
        watch: &Watch,
        path: &FilePath,
        tag: &str,
    ) -> Result<Option<Vec<u8>>> {
        contract::fetch_bytes(self, watch, path, tag).await
    }

    /// Upstream's contract document at one of its tags.
    ///
    /// # Errors
    /// If GitHub could not be asked or understood; "not there" is no error.
    pub async fn fetch_contract(
        &self,
        watch: &Watch,
        path: &FilePath,
        tag: &str,
    ) -> Result<ContractFacts> {
        contract::fetch(self, watch, path, tag).await
    }

    /// The dashboard issue as it is now; `known` is its number where it is remembered.
    ///
    /// # Errors
    /// If GitHub could not be asked or understood; "not there" is no error.
    pub async fn fetch_dashboard(
        &self,
        watch: &Watch,
        known: Option<IssueNumber>,
    ) -> Result<DashboardSeen> {
        dashboard::observe(self, watch, known).await
    }

    async fn cached(&self, url: &str) -> Result<Option<Cached>> {
        match &self.store {
            Some(store) => Ok(store.cached(url).await?),
            None => Ok(None),
        }
    }
}
