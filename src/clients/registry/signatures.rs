//! What is attached to an image: cosign's signatures and Sigstore's bundles, wherever they are kept.
//!
//! There are three places, and all are asked every time: cosign's own tag `sha256-<hex>.sig`, the
//! referrers endpoint, and the tag `sha256-<hex>` that stands in for it where a registry has none.
//! What is found is handed on as it is; whether it is worth anything is for others to say.

use super::{MANIFEST_CAP, Registry, content, error::RegistryError, manifest};
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
/// So many of these are fetched at a time.
const SIDE_BY_SIDE: usize = 8;
/// So much of what is attached to one image is looked at; a bundle takes some ten kilobytes.
const MAX_BYTES: usize = 32 * 1024 * 1024;
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
        let (legacy, fallback) = (format!("manifests/{hex}.sig"), format!("manifests/{hex}"));
        let (legacy, (mut lists, rest), fallback) = tokio::join!(
            self.tagged(image, &legacy, ACCEPT_MANIFEST),
            Box::pin(self.fetch_referrers(image, digest)),
            self.tagged(image, &fallback, ACCEPT_INDEX),
        );
        let mut search = Search {
            registry: self,
            image,
            found: Signatures::default(),
            room: Room { left: Some(MAX_BYTES) },
        };
        if let Some(manifest) = search.found.keep(legacy) {
            search.take_manifest(manifest, &format!("{image}:{hex}.sig")).await;
        }
        if let Some(error) = rest {
            search.found.miss(&error);
        }
        lists.extend(search.found.keep(fallback));
        let children = search.found.children(&lists, &format!("the list of {image}@{digest}"));
        search.open(&children).await;
        let Search { mut found, room, .. } = search;
        if room.left.is_none() {
            let most = MAX_BYTES >> 20;
            found.gaps.push(format!("of what is attached only {most} MiB were looked at"));
        }
        found
    }

    /// What is behind a tag that may be there.
    async fn tagged(
        &self,
        image: &ImageName,
        path: &str,
        accept: &'static str,
    ) -> Result<Option<Content>, RegistryError> {
        let what = format!("a tag for signatures, of {image}");
        match self.get(image, path, accept, MANIFEST_CAP, &what).await {
            Ok(answer) if answer.is_page() => {
                Err(RegistryError::malformed(format!("a page instead of {what}")))
            }
            Ok(answer) => {
                let digest = super::verified_digest(&answer, None, &what)?;
                Ok(Some(content(digest, answer)))
            }
            Err(RegistryError::NotFound { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// A look at all that is attached to one image.
struct Search<'a> {
    registry: &'a Registry,
    image: &'a ImageName,
    found: Signatures,
    room: Room,
}

impl Search<'_> {
    /// Opens what is listed. The type that a list names can be wrong: each is opened, and judged by
    /// its own.
    async fn open(&mut self, children: &[Descriptor]) {
        let (registry, image) = (self.registry, self.image);
        for some in children.chunks(SIDE_BY_SIDE) {
            if self.room.left.is_none() {
                return;
            }
            let asked = some.iter().map(|child| registry.fetch_manifest(image, &child.digest));
            let opened = join_all(asked).await;
            for (child, opened) in some.iter().zip(opened) {
                match opened {
                    Ok(manifest) => {
                        self.take_manifest(manifest, &format!("{image}@{}", child.digest)).await;
                    }
                    Err(error) => self.found.miss(&error),
                }
            }
        }
    }

    /// Takes what a manifest holds: payloads of cosign's, bundles, or nothing of interest.
    async fn take_manifest(&mut self, manifest: Content, what: &str) {
        if !self.room.take(manifest.bytes.len()) {
            return;
        }
        let layers = match manifest::parse_layers(&manifest.bytes, what) {
            Ok(layers) => layers,
            Err(error) => return self.found.malformed.push(error.to_string()),
        };
        let of_kind = |wanted: fn(&str) -> bool| -> BTreeSet<&Digest> {
            let layers = layers.iter().filter(|layer| wanted(&layer.media_type));
            layers.map(|layer| &layer.digest).collect()
        };
        let (signed, bundles) = (of_kind(|kind| kind == SIMPLE_SIGNING), of_kind(is_bundle));
        let payloads = self.blobs(&signed, what).await;
        if !signed.is_empty() {
            self.found.legacy.push(LegacySignature { manifest, payloads });
        }
        let fetched = self.blobs(&bundles, what).await;
        self.found.bundles.extend(fetched);
    }

    /// The blobs of these layers that can be had, some side by side.
    async fn blobs(&mut self, digests: &BTreeSet<&Digest>, what: &str) -> Vec<Content> {
        if let Some(left) = digests.len().checked_sub(MAX_LAYERS).filter(|left| *left > 0) {
            self.found.gaps.push(format!("{left} layers of {what} were not looked at"));
        }
        let what = format!("a layer of {what}");
        let (registry, image) = (self.registry, self.image);
        let asked: Vec<&Digest> = digests.iter().copied().take(MAX_LAYERS).collect();
        let mut blobs: Vec<Content> = Vec::new();
        for some in asked.chunks(SIDE_BY_SIDE) {
            if self.room.left.is_none() {
                break;
            }
            let asked = some.iter().map(|digest| registry.fetch_blob(image, digest, &what));
            let fetched = join_all(asked).await;
            for blob in fetched {
                match blob {
                    Ok(blob) if self.room.take(blob.bytes.len()) => blobs.push(blob),
                    Ok(_) => {}
                    Err(error) => self.found.miss(&error),
                }
            }
        }
        blobs
    }
}

/// How many bytes may still be kept; `None` once something did not fit. Who may push to upstream's
/// package chooses how much there is.
struct Room {
    left: Option<usize>,
}

impl Room {
    /// Makes room for so many bytes; whether there was enough. Where there was not, there is none for
    /// anything that comes later either.
    fn take(&mut self, bytes: usize) -> bool {
        self.left = self.left.and_then(|left| left.checked_sub(bytes));
        self.left.is_some()
    }
}

impl Signatures {
    /// What these lists name, each once; notes what of them cannot be read, and what is too much.
    fn children(&mut self, lists: &[Content], what: &str) -> Vec<Descriptor> {
        let mut children: Vec<Descriptor> = Vec::new();
        for list in lists {
            match manifest::parse_referrers(&list.bytes, what) {
                Ok(entries) => children.extend(entries),
                Err(error) => self.malformed.push(error.to_string()),
            }
        }
        let mut seen = BTreeSet::new();
        children.retain(|child| seen.insert(child.digest.clone()));
        if children.len() > MAX_CHILDREN {
            let left = children.len() - MAX_CHILDREN;
            self.gaps.push(format!("{left} of the documents that are attached were not looked at"));
            children.truncate(MAX_CHILDREN);
        }
        children
    }

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn once_something_does_not_fit_nothing_does() {
        let mut room = Room { left: Some(10) };
        assert!(room.take(4) && room.take(6) && room.take(0));
        assert!(!room.take(1) && !room.take(0));
        assert_eq!(room.left, None);
    }
}
