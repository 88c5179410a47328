//! Upstream releases: what a test says about one, and what the services then show.

use crate::World;
use crate::state::State;
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
    pub(crate) draft: bool,
    pub(crate) prerelease: bool,
    pub(crate) published_at: Option<DateTime<Utc>>,
    pub(crate) created_at: DateTime<Utc>,
    pub(crate) platforms: Vec<String>,
    pub(crate) version_label: String,
    pub(crate) revision: String,
    pub(crate) broken: Option<String>,
    pub(crate) npm_guard: Option<String>,
    pub(crate) downloads: u64,
    pub(crate) on_github: bool,
    pub(crate) on_npm: bool,
    pub(crate) has_image: bool,
    /// How often the image was built: the same tag with other content from the second time on.
    pub(crate) builds: u32,
}

/// A release that is being described. Nothing happens before [`ReleaseBuilder::publish`].
#[derive(Debug)]
#[must_use = "a release is published by `.publish().await`"]
pub struct ReleaseBuilder<'world> {
    world: &'world World,
    release: Release,
    revision: Option<String>,
}

impl<'world> ReleaseBuilder<'world> {
    pub(crate) fn new(world: &'world World, version: &str) -> Self {
        let release = described(version);
        Self { world, release, revision: None }
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
        let time = DateTime::parse_from_rfc3339(time).expect("an RFC 3339 time");
        self.release.published_at = Some(time.with_timezone(&Utc));
        self
    }

    /// The commit that the tag is on; made up from the version, unless told.
    pub fn sha(mut self, sha: &str) -> Self {
        sha.clone_into(&mut self.release.sha);
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
        self.release.on_npm = false;
        self
    }

    /// No GitHub release at all.
    pub fn without_github(mut self) -> Self {
        self.release.on_github = false;
        self
    }

    /// The image's platforms, as `os/architecture`.
    pub fn platforms(mut self, platforms: &[&str]) -> Self {
        self.release.platforms = platforms.iter().map(|&text| text.to_owned()).collect();
        self
    }

    /// The image's `org.opencontainers.image.version`; the version, unless told.
    pub fn version_label(mut self, label: &str) -> Self {
        label.clone_into(&mut self.release.version_label);
        self
    }

    /// The image's `org.opencontainers.image.revision`; the parent commit, unless told.
    pub fn revision(mut self, sha: &str) -> Self {
        self.revision = Some(sha.to_owned());
        self
    }

    /// The image does not keep the contract: the canary fails and says why.
    pub fn breaks_contract(mut self, why: &str) -> Self {
        self.release.broken = Some(why.to_owned());
        self
    }

    /// What the npm version names as its `repository.url`; upstream's, unless told.
    pub fn npm_guard_value(mut self, url: &str) -> Self {
        self.release.npm_guard = Some(url.to_owned());
        self
    }

    /// Publishes it. A version that is there already is replaced, with its artifacts.
    pub async fn publish(self) {
        let Self { world, mut release, revision } = self;
        release.revision = revision.unwrap_or_else(|| release.parent.clone());
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
        sha,
        revision: parent.clone(),
        parent,
        draft: false,
        prerelease: false,
        published_at: None,
        created_at: DateTime::UNIX_EPOCH,
        platforms: vec!["linux/amd64".to_owned(), "linux/arm64".to_owned()],
        version_label: version.to_owned(),
        broken: None,
        npm_guard: None,
        downloads: 0,
        on_github: true,
        on_npm: true,
        has_image: true,
        builds: 0,
    }
}

impl State {
    /// Puts a release into the world, with the artifacts that it says it has.
    pub(crate) fn publish(&mut self, mut release: Release) {
        let now = self.now();
        release.id = self.id();
        release.created_at = release.published_at.unwrap_or(now);
        release.published_at = (!release.draft).then_some(release.created_at);
        let (version, image) = (release.version.clone(), release.has_image);
        let prerelease = release.prerelease;
        let announced = release.on_github && !release.draft;
        self.releases.retain(|known| known.version != version);
        self.releases.push(release);
        if image {
            self.build_image(&version);
        }
        if announced {
            let kind = if prerelease { "prereleased" } else { "released" };
            for action in ["created", "published", kind] {
                self.emit_release(&version, action, json!({}));
            }
        }
    }

    /// Builds the image of a version, or builds it again.
    ///
    /// # Panics
    /// If no such release was described.
    pub(crate) fn build_image(&mut self, version: &str) {
        let known = self.releases.iter_mut();
        let release = known
            .into_iter()
            .find(|release| release.version == version)
            .expect("the release was described before");
        release.has_image = true;
        release.builds += 1;
        if release.builds > 1 {
            // The image job ran again, on a commit after the release.
            let again = format!("after {version}, build {}", release.builds);
            release.revision = invented_sha(&again);
        }
        let release = release.clone();
        self.registry.build(&self.upstream, &release);
    }

    pub(crate) fn release(&self, version: &str) -> Option<&Release> {
        self.releases.iter().find(|release| release.version == version)
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
