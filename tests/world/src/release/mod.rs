//! Upstream releases: what there is to one, and what its publication brings about.

mod builder;

pub use builder::ReleaseBuilder;

use crate::builder::UPSTREAM;
use crate::image::Image;
use crate::images::Which;
use crate::npm::NpmVersion;
use crate::state::State;
use crate::upstream::CONTRACT;
use crate::wire::invented_sha;
use chrono::{DateTime, Utc};
use serde_json::{Value, json};

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

impl State {
    /// Puts a release into the world, with the artifacts that it says it has.
    pub(crate) fn publish(&mut self, mut release: Release) {
        let now = self.now();
        release.id = self.id();
        release.created_at = release.published_at.unwrap_or(now);
        release.published_at = (!release.draft).then_some(release.created_at);
        let (version, at) = (release.version.clone(), release.created_at);
        let (image, sidecar) = (release.has_image, release.sidecar.is_some());
        let prerelease = release.prerelease;
        let announced = release.on_github && !release.draft;
        self.releases.retain(|known| known.version != version);
        self.releases.push(release);
        if image {
            self.build_image(&version, Which::Connector, at);
        }
        if sidecar {
            self.build_image(&version, Which::Sidecar, at);
        }
        if announced {
            let kind = if prerelease { "prereleased" } else { "released" };
            for action in ["created", "published", kind] {
                self.emit_release(&version, action, json!({}));
            }
        }
    }

    pub(crate) fn release(&self, version: &str) -> Option<&Release> {
        self.releases.iter().find(|release| release.version == version)
    }

    /// # Panics
    /// If no such release was described.
    pub(crate) fn release_mut(&mut self, version: &str) -> &mut Release {
        let mut known = self.releases.iter_mut();
        let found = known.find(|release| release.version == version);
        found.expect("the release was described before")
    }

    /// Tells of a release, with what else there is to tell.
    pub(crate) fn emit_release(&mut self, version: &str, action: &str, mut more: Value) {
        let Some(release) = self.release(version) else {
            return;
        };
        let shape = crate::github::shape::release(self, release);
        let upstream = self.upstream.clone();
        more["release"] = shape;
        let maintainer = "semantic-release-bot";
        self.emit(&upstream, "release", Some(action), more, maintainer);
    }
}
