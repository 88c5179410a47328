//! Image registries (OCI distribution specification 1.1), read without an account.
//!
//! Nothing that a registry says about a digest is believed: every digest is computed over the
//! bytes that were received, and what was asked for by digest has to have it.

mod answer;
mod challenge;
mod error;
#[cfg(fuzzing)]
#[doc(hidden)]
pub mod fuzzing;
mod manifest;
mod referrers;
mod request;
mod resolve;
mod signatures;
mod token;

pub use error::RegistryError;
pub use manifest::IndexEntry;
pub use resolve::Resolution;
pub use signatures::{LegacySignature, Signatures};

use crate::clients::wire::{self, Answer, Http};
use crate::domain::{
    Content, Digest, ImageFacts, ImageName, IndexDigest, PlatformDigest, PlatformFacts, Version,
};
use futures_util::future::try_join_all;
use http::header::CONTENT_TYPE;
use reqwest::Url;
use std::{collections::BTreeMap, sync::Arc};
use token::Tokens;

/// The specification's bound on manifests.
const MANIFEST_CAP: usize = 4 * 1024 * 1024;

/// A multi-platform index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Index {
    /// sha256 over the bytes that were received.
    pub digest: IndexDigest,
    /// Its platforms, in its order; build attestations are left out.
    pub entries: Vec<IndexEntry>,
    /// The document itself.
    pub content: Content,
}

/// An image, read whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image {
    /// What it is.
    pub facts: ImageFacts,
    /// Index, manifests and configs, as they came.
    pub contents: Vec<Content>,
}

/// Reads images. Cheap to clone; clones share the tokens.
#[derive(Debug, Clone)]
pub struct Registry {
    http: Http,
    origins: Arc<BTreeMap<String, Url>>,
    tokens: Tokens,
}

impl Registry {
    /// A client of every registry. `origins` maps a host, as image names spell it, to the base URL
    /// under which it is really reached; a host that is not in it is reached at `https://HOST`.
    /// Nothing is sent yet.
    ///
    /// # Errors
    /// [`RegistryError::Unusable`] if a base URL is not HTTPS and not on this machine.
    pub fn new(http: &Http, origins: &BTreeMap<String, String>) -> Result<Self, RegistryError> {
        let origins = origins
            .iter()
            .map(|(host, url)| Ok((host.clone(), wire::base_url(url)?)))
            .collect::<Result<_, wire::Unusable>>()?;
        Ok(Self { http: http.clone(), origins: Arc::new(origins), tokens: Tokens::default() })
    }

    /// Fetches the index behind a tag or a digest.
    ///
    /// # Errors
    /// As [`RegistryError`] says; [`RegistryError::NotAnIndex`] for a single platform's image,
    /// [`RegistryError::Malformed`] if the bytes have another digest than was asked for or than
    /// the registry claims.
    pub async fn fetch_index(
        &self,
        image: &ImageName,
        reference: &str,
    ) -> Result<Index, RegistryError> {
        let (asked, what) = asked_for(image, reference)?;
        let path = format!("manifests/{reference}");
        let answer = self.get(image, &path, manifest::ACCEPT_ANY, MANIFEST_CAP, &what).await?;
        let digest = verified_digest(&answer, asked.as_ref(), &what)?;
        let entries = manifest::parse_index(&answer.body, answer.header(CONTENT_TYPE), &what)?;
        let content = content(digest.clone(), answer);
        Ok(Index { digest: IndexDigest::new(digest), entries, content })
    }

    /// Fetches the labels of one platform's image, by way of its manifest and its config.
    ///
    /// # Errors
    /// As [`RegistryError`] says.
    pub async fn fetch_labels(
        &self,
        image: &ImageName,
        manifest: &PlatformDigest,
    ) -> Result<BTreeMap<String, String>, RegistryError> {
        Ok(self.fetch_platform(image, manifest).await?.0)
    }

    /// The labels, and the two documents on the way to them.
    async fn fetch_platform(
        &self,
        image: &ImageName,
        manifest: &PlatformDigest,
    ) -> Result<(BTreeMap<String, String>, [Content; 2]), RegistryError> {
        let what = format!("{image}@{manifest}");
        let manifest = self.fetch_manifest(image, manifest.digest()).await?;
        let config = manifest::parse_manifest(&manifest.bytes, &what)?;
        let config = self.fetch_blob(image, &config, &format!("the config of {what}")).await?;
        let labels = manifest::parse_labels(&config.bytes, &format!("the config of {what}"))?;
        Ok((labels, [manifest, config]))
    }

    /// Fetches a manifest by its digest.
    async fn fetch_manifest(
        &self,
        image: &ImageName,
        digest: &Digest,
    ) -> Result<Content, RegistryError> {
        let what = format!("{image}@{digest}");
        let path = format!("manifests/{digest}");
        let answer = self.get(image, &path, manifest::ACCEPT_MANIFEST, MANIFEST_CAP, &what).await?;
        Ok(content(verified_digest(&answer, Some(digest), &what)?, answer))
    }

    /// Fetches a blob of moderate size.
    async fn fetch_blob(
        &self,
        image: &ImageName,
        digest: &Digest,
        what: &str,
    ) -> Result<Content, RegistryError> {
        let answer = self.get_blob(image, digest, what).await?;
        Ok(content(verified_digest(&answer, Some(digest), what)?, answer))
    }

    /// Resolves the tag of a version, once, and reads what is behind it. The platforms are read
    /// side by side: three round trips in a row however many there are, and two more for the first
    /// token.
    ///
    /// # Errors
    /// As [`RegistryError`] says; one platform that cannot be read is an error for the whole.
    pub async fn fetch_image(
        &self,
        image: &ImageName,
        version: &Version,
    ) -> Result<Image, RegistryError> {
        self.fetch_image_at(image, &version.to_string(), version).await
    }

    /// As [`Registry::fetch_image`], for what is behind another tag or a digest.
    ///
    /// # Errors
    /// The same.
    pub async fn fetch_image_at(
        &self,
        image: &ImageName,
        reference: &str,
        version: &Version,
    ) -> Result<Image, RegistryError> {
        let index = self.fetch_index(image, reference).await?;
        let platforms = index.entries.into_iter().map(async |entry| {
            let (labels, contents) =
                self.fetch_platform(image, &entry.digest).await.map_err(incomplete)?;
            let IndexEntry { platform, digest } = entry;
            Ok::<_, RegistryError>((PlatformFacts { platform, digest, labels }, contents))
        });
        let (platforms, documents): (Vec<_>, Vec<_>) =
            try_join_all(platforms).await?.into_iter().unzip();
        let contents = std::iter::once(index.content).chain(documents.into_iter().flatten());
        Ok(Image {
            facts: ImageFacts { version: version.clone(), digest: index.digest, platforms },
            contents: contents.collect(),
        })
    }
}

/// The digest that a reference is, if it is one, and its name in texts.
fn asked_for(
    image: &ImageName,
    reference: &str,
) -> Result<(Option<Digest>, String), RegistryError> {
    let asked = reference.parse::<Digest>().ok();
    let separator = if asked.is_some() { '@' } else { ':' };
    let what = format!("{image}{separator}{}", wire::excerpt(reference));
    if asked.is_none() && !is_tag(reference) {
        // No registry can hold it, and it must not get into a path.
        return Err(RegistryError::NotFound { what });
    }
    Ok((asked, what))
}

/// What an index names is there before the index. That it is not says nothing about the tag: it is
/// the registry's trouble, or its storage's.
fn incomplete(error: RegistryError) -> RegistryError {
    match error {
        RegistryError::NotFound { what } => {
            RegistryError::malformed(format!("the index is there, but not {what}"))
        }
        other => other,
    }
}

/// An answer as it is kept.
fn content(digest: Digest, answer: Answer) -> Content {
    let media_type = answer.header(CONTENT_TYPE).unwrap_or_default().to_owned();
    Content { digest, media_type, bytes: answer.body }
}

/// Whether this is a tag (distribution specification, "Pulling manifests").
fn is_tag(text: &str) -> bool {
    text.len() <= 128
        && text.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_')
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte))
}

/// The digest of the bytes, once it is the one that was asked for and the one that the registry
/// claims.
fn verified_digest(
    answer: &Answer,
    asked: Option<&Digest>,
    what: &str,
) -> Result<Digest, RegistryError> {
    let digest = Digest::of(&answer.body);
    if asked.is_some_and(|asked| *asked != digest) {
        return Err(RegistryError::malformed(format!("{what} has the digest {digest}")));
    }
    // A claim in another algorithm cannot be compared, and nothing depends on it.
    let claim = answer.header("docker-content-digest").filter(|claim| claim.starts_with("sha256:"));
    match claim {
        Some(claim) if claim != digest.as_str() => Err(RegistryError::malformed(format!(
            "{what} has the digest {digest}, but the registry says {}",
            wire::excerpt(claim)
        ))),
        _ => Ok(digest),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_cannot_carry_a_path() {
        for good in ["3.10.0", "latest", "_x", "sha256-ab.sig", &"a".repeat(128)] {
            assert!(is_tag(good), "{good}");
        }
        for bad in ["", "..", ".x", "-x", "1/2", "1?x", "1.0.0+b", "é", &"a".repeat(129)] {
            assert!(!is_tag(bad), "{bad}");
        }
    }
}
