//! Resolving again: what a tag leads to now that was resolved before, in one request.

use super::{MANIFEST_CAP, Registry, RegistryError, answer, asked_for, manifest, verified_digest};
use crate::clients::wire::{self, Answer};
use crate::domain::{Digest, ImageName, Platform};
use http::{
    HeaderMap, HeaderValue, StatusCode,
    header::{ACCEPT, CONTENT_TYPE, IF_NONE_MATCH},
};

/// What a tag or a digest leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Resolution {
    /// Still to the digest that is known, by the registry's word.
    Same,
    /// To these bytes, which may have the digest that is known, too.
    Found {
        /// sha256 over them.
        digest: Digest,
        /// The platforms of the index; `None` if it is a single platform's image.
        platforms: Option<Vec<Platform>>,
    },
}

impl Registry {
    /// Finds out what a tag or a digest leads to now. With `known`, only "is it still this?" is
    /// asked: a registry names a manifest's version by its digest.
    ///
    /// # Errors
    /// As [`RegistryError`] says. A single platform's image is none here.
    pub async fn resolve(
        &self,
        image: &ImageName,
        reference: &str,
        known: Option<&Digest>,
    ) -> Result<Resolution, RegistryError> {
        let (asked, what) = asked_for(image, reference)?;
        let path = format!("manifests/{reference}");
        let accept = HeaderValue::from_static(manifest::ACCEPT_ANY);
        let mut headers = HeaderMap::from_iter([(ACCEPT, accept)]);
        let validator =
            known.and_then(|digest| HeaderValue::try_from(format!("\"{digest}\"")).ok());
        headers.extend(validator.map(|validator| (IF_NONE_MATCH, validator)));
        let answer = self.get_with(image, &path, headers, MANIFEST_CAP, &what).await?;
        // To a request without a condition it says nothing, and is judged with what is malformed.
        if let Some(known) = known.filter(|_| answer.status == StatusCode::NOT_MODIFIED) {
            return unchanged(&answer, known, &what);
        }
        let answer = answer::judge(answer, &what, self.http.now())?;
        let digest = verified_digest(&answer, asked.as_ref(), &what)?;
        match manifest::parse_index(&answer.body, answer.header(CONTENT_TYPE), &what) {
            Ok(entries) => {
                let platforms = entries.into_iter().map(|entry| entry.platform).collect();
                Ok(Resolution::Found { digest, platforms: Some(platforms) })
            }
            Err(RegistryError::NotAnIndex { .. }) => {
                Ok(Resolution::Found { digest, platforms: None })
            }
            Err(error) => Err(error),
        }
    }
}

/// "It is still that", unless the same answer names something else.
fn unchanged(answer: &Answer, known: &Digest, what: &str) -> Result<Resolution, RegistryError> {
    match answer.header("docker-content-digest").filter(|claim| claim.starts_with("sha256:")) {
        Some(claim) if claim != known.as_str() => Err(RegistryError::malformed(format!(
            "{what} is said to be {known} still, and {}",
            wire::excerpt(claim)
        ))),
        _ => Ok(Resolution::Same),
    }
}
