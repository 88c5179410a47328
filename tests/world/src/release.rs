//! Upstream releases: what a test says about one.

use crate::World;
use crate::builder::UPSTREAM;
use crate::image::{Image, SignatureLayout};
use crate::images::{SIDECAR, Which};
use crate::npm::NpmVersion;
use crate::sigstore::{Predicate, Signing};
use crate::upstream::CONTRACT;
use crate::wire::{invented_sha, rfc3339};
use chrono::{DateTime, Utc};

/// One upstream version with everything that a test said about it.
#[derive(Debug, Clone)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is one thing that a test says, independent of the others"
)]
pub(crate) struct Release {
    pub(crate) id: u64,
    pub(crate) version: String,
    pub(crate) tag: String,
    pub(crate) notes: String,
    pub(crate) sha: String,
    pub(crate) parent: String,
    /// Where the git tag is, if there is one; on the release's commit, unless told.
    pub(crate) tag_at: Option<String>,
    /// What the contract says in that commit.
    pub(crate) contract: String,
    pub(crate) draft: bool,
    pub(crate) prerelease: bool,
    pub(crate) published_at: Option<DateTime<Utc>>,
    pub(crate) created_at: DateTime<Utc>,
    pub(crate) image: Image,
    pub(crate) sidecar: Option<Image>,
    /// The commits on which images were built again: when, in which order, and the commit.
    pub(crate) later: Vec<(DateTime<Utc>, u64, String)>,
    pub(crate) npm: NpmVersion,
    pub(crate) downloads: u64,
    pub(crate) on_github: bool,
    pub(crate) has_image: bool,
}

impl Release {
    pub(crate) fn image_of(&self, which: Which) -> &Image {
        match which {
            Which::Connector => &self.image,
            Which::Sidecar => self.sidecar.as_ref().unwrap_or(&self.image),
        }
    }
}

/// A release that is being described. Nothing happens before [`ReleaseBuilder::publish`].
#[derive(Debug)]
#[must_use = "a release is published by `.publish().await`"]
pub struct ReleaseBuilder<'world> {
    world: &'world World,
    release: Release,
}

impl<'world> ReleaseBuilder<'world> {
    pub(crate) fn new(world: &'world World, version: &str) -> Self {
        Self { world, release: described(version) }
    }

    /// The release notes in Markdown.
    pub fn notes(mut self, markdown: &str) -> Self {
        markdown.clone_into(&mut self.release.notes);
        self
    }

    /// When it was published, as RFC 3339; now, unless told.
    ///
    /// # Panics
    /// If it is no such time.
    pub fn published_at(mut self, time: &str) -> Self {
        self.release.published_at = Some(rfc3339(time));
        self
    }

    /// The commit that the tag is on; made up from the version, unless told.
    pub fn sha(mut self, sha: &str) -> Self {
        sha.clone_into(&mut self.release.sha);
        self.release.tag_at = Some(sha.to_owned());
        self
    }

    /// That commit's first parent, which triggered the release and is the image's revision.
    pub fn parent(mut self, sha: &str) -> Self {
        sha.clone_into(&mut self.release.parent);
        self
    }

    /// Not published yet: only those who may push see it.
    pub fn draft(mut self) -> Self {
        self.release.draft = true;
        self
    }

    /// Marked as a pre-release.
    pub fn prerelease(mut self) -> Self {
        self.release.prerelease = true;
        self
    }

    /// Another git tag than `v` and the version.
    pub fn tag(mut self, tag: &str) -> Self {
        tag.clone_into(&mut self.release.tag);
        self
    }

    /// No image yet; `World::publish_image` makes it later.
    pub fn without_image(mut self) -> Self {
        self.release.has_image = false;
        self
    }

    /// No npm version yet; `World::publish_npm` makes it later.
    pub fn without_npm(mut self) -> Self {
        self.release.npm.published = false;
        self
    }

    /// No GitHub release at all.
    pub fn without_github(mut self) -> Self {
        self.release.on_github = false;
        self
    }

    /// A release whose git tag is gone.
    pub fn without_git_tag(mut self) -> Self {
        self.release.tag_at = None;
        self
    }

    /// What upstream's `CONNECTOR_RELEASE_CONTRACT.md` says at the release; the same for all,
    /// unless told. Empty: it is not there.
    pub fn contract(mut self, markdown: &str) -> Self {
        markdown.clone_into(&mut self.release.contract);
        self
    }

    /// The image's platforms, as `os/architecture`.
    pub fn platforms(self, platforms: &[&str]) -> Self {
        self.image(|image| image.platforms(platforms))
    }

    /// The image's `org.opencontainers.image.version`; the version, unless told. Empty: none.
    pub fn version_label(self, label: &str) -> Self {
        self.image(|image| image.version_label(label))
    }

    /// The image's `org.opencontainers.image.revision`; the parent commit, unless told. Empty:
    /// none.
    pub fn revision(self, sha: &str) -> Self {
        self.image(|image| image.revision(sha))
    }

    /// The image does not keep the contract: the canary fails and says why.
    pub fn breaks_contract(self, why: &str) -> Self {
        self.image(|image| image.breaks_contract(why))
    }

    /// Nobody signs the image; `World::sign_image` does it later.
    pub fn unsigned(self) -> Self {
        self.image(Image::unsigned)
    }

    /// The image is signed so; as upstream does, unless told. See [`Image::signed`].
    pub fn signed(self, signing: Signing) -> Self {
        self.image(|image| image.signed(signing))
    }

    /// Where the image's signatures are kept. See [`Image::layout`].
    pub fn layout(self, layout: SignatureLayout) -> Self {
        self.image(|image| image.layout(layout))
    }

    /// There is also an attestation. See [`Image::attested`].
    pub fn attested(self, predicate: Predicate) -> Self {
        self.image(|image| image.attested(predicate))
    }

    /// Whatever else there is to say of the image.
    pub fn image(mut self, describe: impl FnOnce(Image) -> Image) -> Self {
        self.release.image = describe(self.release.image);
        self
    }

    /// There is a second image, `toon-protocol/ator-sidecar`, at the same version.
    pub fn with_sidecar(self) -> Self {
        self.sidecar(|image| image)
    }

    /// As [`ReleaseBuilder::with_sidecar`], and what there is to say of it.
    pub fn sidecar(mut self, describe: impl FnOnce(Image) -> Image) -> Self {
        let known = self.release.sidecar.take();
        let image = known.unwrap_or_else(|| Image::new(SIDECAR, &self.release.version));
        self.release.sidecar = Some(describe(image));
        self
    }

    /// What the npm version names as its `repository.url`; upstream's, unless told.
    pub fn npm_guard_value(mut self, url: &str) -> Self {
        self.release.npm.guard = Some(url.to_owned());
        self
    }

    /// What the npm version names as its `gitHead`, if anything; the parent commit, unless told.
    pub fn npm_git_head(mut self, sha: Option<&str>) -> Self {
        self.release.npm.git_head = Some(sha.unwrap_or_default().to_owned());
        self
    }

    /// When npm got the version, as RFC 3339; with the release, unless told.
    ///
    /// # Panics
    /// If it is no such time.
    pub fn npm_published_at(mut self, time: &str) -> Self {
        self.release.npm.at = Some(rfc3339(time));
        self
    }

    /// Publishes it. A version that is there already is replaced, with its artifacts.
    pub async fn publish(self) {
        let Self { world, release } = self;
        world.run(move |inner| inner.state().publish(release)).await;
    }
}

/// A release of which nothing but the version was said.
pub(crate) fn described(version: &str) -> Release {
    let sha = invented_sha(&format!("release {version}"));
    let parent = invented_sha(&format!("pushed before {version}"));
    Release {
        id: 0,
        version: version.to_owned(),
        tag: format!("v{version}"),
        notes: format!("## {version}\n\n### Features\n\n* something new in {version}\n"),
        tag_at: Some(sha.clone()),
        contract: CONTRACT.to_owned(),
        sha,
        parent,
        draft: false,
        prerelease: false,
        published_at: None,
        created_at: DateTime::UNIX_EPOCH,
        image: Image::new(UPSTREAM, version),
        sidecar: None,
        later: Vec::new(),
        npm: NpmVersion::default(),
        downloads: 0,
        on_github: true,
        has_image: true,
    }
}
