//! What is attached to an image: cosign's signatures and Sigstore's bundles, wherever they are kept.
//!
//! There are three places, and all are asked every time: cosign's own tag `sha256-<hex>.sig`, the
//! referrers endpoint, and the tag `sha256-<hex>` that stands in for it where a registry has none.
//! What is found is handed on as it is; whether it is worth anything is for others to say.

use super::{MANIFEST_CAP, Registry, answer, content, error::RegistryError, manifest};
use crate::clients::wire;
use crate::domain::{Content, Digest, ImageName, IndexDigest};
use futures_util::future::join_all;
use manifest::{ACCEPT_INDEX, ACCEPT_MANIFEST, Descriptor};
use std::collections::BTreeSet;

/// The media type of what cosign signs in its own layout.
const SIMPLE_SIGNING: &str = "application/vnd.dev.cosign.simplesigning.v1+json";
/// What the media types of Sigstore's bundles begin with, whatever their version.
const BUNDLE: &str = "application/vnd.dev.sigstore.bundle";
/// So many documents of one image are looked at; a signature on each platform, with attestations,
/// takes a dozen.
const MAX_CHILDREN: usize = 64;
/// So many signatures of one manifest: cosign appends one for each time that it is run.
const MAX_LAYERS: usize = 64;

/// What was found attached to an image, and where nothing could be found out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Signatures {
    /// Manifests in cosign's own layout.
    pub legacy: Vec<LegacySignature>,
    /// Sigstore bundles of any kind.
    pub bundles: Vec<Content>,
    /// What is there, but cannot be read; a sentence fragment each.
    pub malformed: Vec<String>,
    /// What could not be asked for, or not in full; a sentence fragment each. A good signature may
    /// be there.
    pub gaps: Vec<String>,
}

/// A manifest in cosign's own layout: the signatures are annotations of its layers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LegacySignature {
    /// The manifest.
    pub manifest: Content,
    /// The blobs of those layers that could be had: what was signed.
    pub payloads: Vec<Content>,
}

impl Registry {
    /// Looks in all places for what is attached to the index `digest`. What cannot be asked for is
    /// part of the result, so that it never looks like "unsigned".
    pub async fn fetch_signatures(&self, image: &ImageName, digest: &IndexDigest) -> Signatures {
        let hex = digest.as_str().replace(':', "-");
        let [legacy, referrers, fallback] = [
            format!("manifests/{hex}.sig"),
            format!("referrers/{digest}"),
            format!("manifests/{hex}"),
        ];
        let (legacy, referrers, fallback) = tokio::join!(
            self.attached(image, &legacy, ACCEPT_MANIFEST),
            self.attached(image, &referrers, ACCEPT_INDEX),
            self.attached(image, &fallback, ACCEPT_INDEX),
        );
        let mut found = Signatures::default();
        if let Some(manifest) = found.keep(legacy) {
            let what = format!("{image}:{hex}.sig");
            self.take_manifest(image, manifest, &what, &mut found).await;
        }
        let mut children: Vec<Descriptor> = Vec::new();
        for list in [referrers, fallback] {
            let Some(list) = found.keep(list) else { continue };
            match manifest::parse_referrers(&list.bytes, &format!("the list of {image}@{digest}")) {
                Ok(entries) => children.extend(entries),
                Err(error) => found.malformed.push(error.to_string()),
            }
        }
        let mut seen = BTreeSet::new();
        children.retain(|child| seen.insert(child.digest.clone()));
        if children.len() > MAX_CHILDREN {
            let left = children.len() - MAX_CHILDREN;
            found
                .gaps
                .push(format!("{left} of the documents that are attached were not looked at"));
            children.truncate(MAX_CHILDREN);
        }
        // The type that a list names can be wrong: each is opened, and judged by its own.
        let opened = children.iter().map(|child| self.fetch_manifest(image, &child.digest));
        for (child, opened) in children.iter().zip(join_all(opened).await) {
            let what = format!("{image}@{}", child.digest);
            match opened {
                Ok(manifest) => self.take_manifest(image, manifest, &what, &mut found).await,
                Err(error) => found.miss(&error),
            }
        }
        found
    }

    /// A document that may be there. A redirect leads to another service, which is not asked; that
    /// and every other answer that is no success means that there is nothing here, but for those
    /// that mean that it could not be found out.
    async fn attached(
        &self,
        image: &ImageName,
        path: &str,
        accept: &'static str,
    ) -> Result<Option<Content>, RegistryError> {
        let lists = path.starts_with("referrers/");
        let name = if lists { "the list of what refers to it" } else { "a tag for signatures" };
        let what = format!("{name}, of {image}");
        let answer = self.get_authorised(image, path, accept, MANIFEST_CAP, &what).await?;
        // An endpoint that a registry does not have is answered in many ways, a page among them.
        if lists && (answer.status.is_redirection() || answer.is_page()) {
            return Ok(None);
        }
        match answer::judge(answer, &what, self.http.now()) {
            Ok(answer) if answer.is_page() => {
                Err(RegistryError::malformed(format!("a page instead of {what}")))
            }
            Ok(answer) => {
                let digest = super::verified_digest(&answer, None, &what)?;
                Ok(Some(content(digest, answer)))
            }
            Err(RegistryError::NotFound { .. }) => Ok(None),
            Err(RegistryError::Malformed { .. } | RegistryError::Denied { .. }) if lists => {
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// Takes what a manifest holds: payloads of cosign's, bundles, or nothing of interest.
    async fn take_manifest(
        &self,
        image: &ImageName,
        manifest: Content,
        what: &str,
        found: &mut Signatures,
    ) {
        let layers = match manifest::parse_layers(&manifest.bytes, what) {
            Ok(layers) => layers,
            Err(error) => return found.malformed.push(error.to_string()),
        };
        let of_kind = |wanted: fn(&str) -> bool| -> BTreeSet<&Digest> {
            let layers = layers.iter().filter(|layer| wanted(&layer.media_type));
            layers.map(|layer| &layer.digest).collect()
        };
        let (signed, bundles) = (of_kind(|kind| kind == SIMPLE_SIGNING), of_kind(is_bundle));
        let payloads = self.blobs(image, &signed, what, found).await;
        if !signed.is_empty() {
            found.legacy.push(LegacySignature { manifest, payloads });
        }
        let fetched = self.blobs(image, &bundles, what, found).await;
        found.bundles.extend(fetched);
    }

    /// The blobs of these layers that can be had, side by side.
    async fn blobs(
        &self,
        image: &ImageName,
        digests: &BTreeSet<&Digest>,
        what: &str,
        found: &mut Signatures,
    ) -> Vec<Content> {
        if let Some(left) = digests.len().checked_sub(MAX_LAYERS).filter(|left| *left > 0) {
            found.gaps.push(format!("{left} layers of {what} were not looked at"));
        }
        let what = format!("a layer of {what}");
        let asked = digests.iter().take(MAX_LAYERS);
        let fetched = join_all(asked.map(|digest| self.fetch_blob(image, digest, &what)));
        let mut blobs: Vec<Content> = Vec::new();
        for blob in fetched.await {
            match blob {
                Ok(blob) => blobs.push(blob),
                Err(error) => found.miss(&error),
            }
        }
        blobs
    }
}

impl Signatures {
    /// The document of one place, if it was there; notes it, if that could not be found out.
    fn keep(&mut self, place: Result<Option<Content>, RegistryError>) -> Option<Content> {
        place.unwrap_or_else(|error| {
            self.miss(&error);
            None
        })
    }

    /// Notes why something that is listed, or may be there, could not be had or not be believed.
    fn miss(&mut self, error: &RegistryError) {
        self.gaps.push(wire::chain(error));
    }

    /// Whether there is nothing at all, and that is certain.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

fn is_bundle(media_type: &str) -> bool {
    media_type.strip_prefix(BUNDLE).is_some_and(|rest| rest.starts_with(['.', '+', ';']))
}
