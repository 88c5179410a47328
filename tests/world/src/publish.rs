//! What the publication of a release brings about.

use crate::builder::UPSTREAM;
use crate::images::{SIDECAR, Which};
use crate::release::Release;
use crate::state::State;
use serde_json::{Value, json};

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
        self.forget(&version);
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

    /// Forgets a release that is about to be published anew, and who signed its images.
    fn forget(&mut self, version: &str) {
        self.releases.retain(|known| known.version != version);
        for name in [UPSTREAM, SIDECAR] {
            if let Some(digest) = self.registry.tag(name, version) {
                self.registry.detach(name, &digest);
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
