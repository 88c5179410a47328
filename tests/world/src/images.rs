//! How upstream's workflow builds and signs images, and what a test may do to them.

use crate::World;
use crate::image::{Covers, Image};
use crate::registry::{Built, Pushed, Referrers};
use crate::release::Release;
use crate::sigstore::{Signed, Signing};
use crate::state::State;
use crate::wire::invented_sha;
use chrono::{DateTime, TimeDelta, Utc};

/// The name of the second image.
pub(crate) const SIDECAR: &str = "toon-protocol/ator-sidecar";
/// Images are signed from this version on.
const FIRST_SIGNED: [u64; 2] = [3, 6];

/// One of the images of a release.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Which {
    Connector,
    Sidecar,
}

impl World {
    /// Publishes the image of a release that was published without.
    pub async fn publish_image(&self, version: &str) {
        self.build(version, Which::Connector).await;
    }

    /// Publishes the second image of a release that was published without.
    pub async fn publish_sidecar(&self, version: &str) {
        self.build(version, Which::Sidecar).await;
    }

    /// Pushes other content under the same tag, as upstream's workflow does when it runs again:
    /// another digest, the right version label, a valid signature, and a revision that is younger
    /// than the release.
    pub async fn retag(&self, version: &str) {
        self.build(version, Which::Connector).await;
    }

    /// As [`World::retag`], for the second image.
    pub async fn retag_sidecar(&self, version: &str) {
        self.build(version, Which::Sidecar).await;
    }

    async fn build(&self, version: &str, which: Which) {
        let version = version.to_owned();
        self.run(move |inner| {
            let mut state = inner.state();
            let now = state.now();
            state.build_image(&version, which, now);
        })
        .await;
    }

    /// Signs an image that was published unsigned, where its release says, now.
    pub async fn sign_image(&self, version: &str) {
        self.sign_later(version, Which::Connector, Signing::new()).await;
    }

    /// As [`World::sign_image`], in the way that a test says.
    pub async fn sign_image_as(&self, version: &str, signing: Signing) {
        self.sign_later(version, Which::Connector, signing).await;
    }

    /// As [`World::sign_image`], for the second image.
    pub async fn sign_sidecar(&self, version: &str) {
        self.sign_later(version, Which::Sidecar, Signing::new()).await;
    }

    async fn sign_later(&self, version: &str, which: Which, signing: Signing) {
        let version = version.to_owned();
        self.run(move |inner| inner.state().sign_later(&version, which, &signing)).await;
    }

    /// Removes every tag under which signatures of a version's image are kept.
    ///
    /// # Panics
    /// If there is no such image.
    pub fn withdraw_signatures(&self, version: &str) {
        let mut state = self.later();
        let name = state.upstream.clone();
        let digest = state.registry.tag(&name, version).expect("the image").replace(':', "-");
        for tag in state.registry.tags(&name).into_keys().filter(|tag| tag.starts_with(&digest)) {
            state.registry.remove_tag(&name, &tag);
        }
    }

    /// The index digest that a version's tag resolves to now.
    #[must_use]
    pub fn image_digest(&self, version: &str) -> Option<String> {
        let state = self.inner.state();
        state.registry.tag(&state.upstream, version)
    }

    /// The index digest that a version's tag of the second image resolves to now.
    #[must_use]
    pub fn sidecar_digest(&self, version: &str) -> Option<String> {
        self.inner.state().registry.tag(SIDECAR, version)
    }

    /// All tags of an image, such as `toon-protocol/connector`, with their digests.
    #[must_use]
    pub fn image_tags(&self, name: &str) -> std::collections::BTreeMap<String, String> {
        self.inner.state().registry.tags(name)
    }

    /// A manifest or blob of any image, as it was pushed.
    #[must_use]
    pub fn pushed(&self, digest: &str) -> Option<Vec<u8>> {
        self.inner.state().registry.bytes(digest)
    }

    /// Points a tag of the connector's image to what another one points to.
    ///
    /// # Panics
    /// If there is no such other tag.
    pub fn copy_tag(&self, from: &str, to: &str) {
        let mut state = self.later();
        let name = state.upstream.clone();
        let digest = state.registry.tag(&name, from).expect("the tag to copy");
        state.registry.point_tag(&name, to, &digest);
    }

    /// Removes a tag of the connector's image; what it pointed to stays.
    pub fn delete_image_tag(&self, tag: &str) {
        let mut state = self.later();
        let name = state.upstream.clone();
        state.registry.remove_tag(&name, tag);
    }

    /// Removes a manifest with all its tags, as a clean-up of the registry does.
    pub fn delete_manifest(&self, digest: &str) {
        self.later().registry.remove_manifest(digest);
    }

    /// Makes all tokens of the registry worthless, as time does.
    pub fn expire_registry_tokens(&self) {
        self.inner.state().registry.forget_tokens();
    }

    /// What the registry answers when it is asked for referrers; 404, as GHCR does, unless told.
    pub fn set_referrers(&self, referrers: Referrers) {
        self.inner.state().registry.referrers = referrers;
    }

    /// From now on, lists of referrers and fallback tags claim another `artifactType` than the
    /// manifests have.
    pub fn mislabel_referrers(&self) {
        self.inner.state().registry.mislabel_referrers();
    }

    /// The trusted root of the world's private Sigstore, in JSON.
    #[must_use]
    pub fn trusted_root(&self) -> String {
        self.inner.state().sigstore.trusted_root()
    }

    /// Signs a digest with the world's private Sigstore, now, and publishes nothing.
    ///
    /// # Panics
    /// If it is no digest.
    #[must_use]
    pub fn sign(&self, signing: &Signing, digest: &str) -> Signed {
        let state = self.inner.state();
        state.sigstore.sign(&signing.clone().or_at(state.now()), digest)
    }

    /// The world's private Sigstore goes on with new keys, as the public one does every year. Who
    /// has the trusted root of before does not know them; the new one has both.
    pub fn rotate_sigstore(&self) {
        self.inner.state().sigstore.rotate();
    }
}

impl State {
    /// Builds an image of a version, or builds it again, and signs it.
    ///
    /// # Panics
    /// If no such release was described.
    pub(crate) fn build_image(&mut self, version: &str, which: Which, at: DateTime<Utc>) {
        let next = self.id();
        let release = self.release_mut(version);
        if which == Which::Connector {
            release.has_image = true;
        } else {
            release.sidecar.get_or_insert_with(|| Image::new(SIDECAR, version));
        }
        let parent = release.parent.clone();
        let image = match which {
            Which::Connector => &mut release.image,
            Which::Sidecar => release.sidecar.as_mut().expect("it was made above"),
        };
        image.builds += 1;
        image.revision.get_or_insert(parent);
        if image.builds > 1 {
            // The workflow ran again, on a commit after the release.
            let revision = invented_sha(&format!("after {version}, build {next}"));
            image.revision = Some(revision.clone());
            release.later.push((at, next, revision));
        }
        let release = release.clone();
        let image = release.image_of(which);
        let built = self.registry.build(&self.upstream, &release, image);
        let signings = image.signings.clone().unwrap_or_else(|| by_default(version));
        let at = (at + TimeDelta::minutes(2)).min(self.now());
        self.attach(&release, which, &built, &signings, at);
    }

    fn sign_later(&mut self, version: &str, which: Which, signing: &Signing) {
        let release = self.release(version).cloned().expect("the release was described before");
        let image = release.image_of(which);
        let digest = self.registry.tag(&image.name, version).expect("the image is there");
        let built = self.registry.built(&image.name, &digest);
        let now = self.now();
        self.attach(&release, which, &built, std::slice::from_ref(signing), now);
    }

    /// Signs what was built, and pushes the signatures.
    fn attach(
        &mut self,
        release: &Release,
        which: Which,
        built: &Built,
        signings: &[Signing],
        at: DateTime<Utc>,
    ) {
        let image = release.image_of(which);
        let (subject, signed) = match image.covers {
            Covers::Index => (&built.index, &built.index),
            Covers::Platform => (&built.platforms[0], &built.platforms[0]),
            Covers::PlatformAtTheIndex => (&built.index, &built.platforms[0]),
        };
        let workflow = which.workflow(release);
        let reference = format!("ghcr.io/{}", image.name);
        let revision = image.revision.as_deref().unwrap_or_default();
        let complete = |signing: &Signing| signing.clone().or(&workflow, &reference, revision, at);
        let own = complete(&Signing::new());
        let mut pushed = Vec::new();
        if image.crowd > 0 {
            let stranger = Signing::new().identity(STRANGER);
            let stranger = self.sigstore.sign(&complete(&stranger), &signed.digest);
            pushed.extend(std::iter::repeat_n(Pushed::Signature(stranger), image.crowd));
        }
        for signing in signings {
            pushed.push(Pushed::Signature(self.sigstore.sign(&complete(signing), &signed.digest)));
        }
        for &predicate in &image.attested {
            let bundle = self.sigstore.attest(&own, predicate, &signed.digest, image.bundles);
            pushed.push(Pushed::Attestation(predicate, bundle));
        }
        for &layout in image.places() {
            self.registry.attach(&image.name, layout, subject, image.bundles, &pushed);
        }
    }
}

/// Somebody else's workflow.
const STRANGER: &str =
    "https://github.com/somebody/else/.github/workflows/release.yml@refs/heads/main";

impl Which {
    /// The identity under which upstream signs it.
    fn workflow(self, release: &Release) -> String {
        let (file, reference) = match self {
            Self::Connector => ("release.yml", "refs/heads/main".to_owned()),
            Self::Sidecar => ("build-and-publish.yml", format!("refs/tags/{}", release.tag)),
        };
        format!("https://github.com/toon-protocol/connector/.github/workflows/{file}@{reference}")
    }
}

/// How upstream signs a version unless a test says otherwise.
fn by_default(version: &str) -> Vec<Signing> {
    let numbers: Vec<u64> =
        version.split('.').take(2).map(|part| part.parse().unwrap_or_default()).collect();
    if numbers.as_slice() >= FIRST_SIGNED.as_slice() { vec![Signing::new()] } else { Vec::new() }
}
