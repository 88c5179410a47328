//! Requests to a registry, with a token where it wants one.

use super::{
    Registry, RegistryError, answer, challenge,
    token::{self, Holder},
};
use crate::clients::wire::{self, Answer};
use crate::domain::{Digest, ImageName};
use http::{
    HeaderMap, HeaderValue, StatusCode,
    header::{ACCEPT, AUTHORIZATION, LOCATION, WWW_AUTHENTICATE},
};
use reqwest::Url;
use secrecy::ExposeSecret;

/// An image config is a few kilobytes; its history may make it larger.
const CONFIG_CAP: usize = 1024 * 1024;

/// Registries keep blobs at a storage service, one redirect away.
const MAX_REDIRECTS: usize = 3;

impl Registry {
    /// Fetches something of a repository, with a token where the registry wants one.
    pub(super) async fn get(
        &self,
        image: &ImageName,
        path: &str,
        accept: &'static str,
        cap: usize,
        what: &str,
    ) -> Result<Answer, RegistryError> {
        let answer = self.get_authorised(image, path, accept, cap, what).await?;
        answer::judge(answer, what, self.http.now())
    }

    /// Fetches a blob. The redirect to a storage service is followed without the token, which is
    /// the registry's alone; the digest says whether the right bytes came.
    pub(super) async fn get_blob(
        &self,
        image: &ImageName,
        digest: &Digest,
        what: &str,
    ) -> Result<Answer, RegistryError> {
        let path = format!("blobs/{digest}");
        let mut place = self.url(image, &path)?;
        let mut answer = self.get_authorised(image, &path, "*/*", CONFIG_CAP, what).await?;
        for _ in 0..MAX_REDIRECTS {
            let Some(target) = answer.header(LOCATION).filter(|_| answer.status.is_redirection())
            else {
                break;
            };
            place = place
                .join(target)
                .ok()
                .filter(|next| wire::may_go(&place, next))
                .ok_or_else(|| RegistryError::malformed("a redirect to where we may not go"))?;
            answer = self.http.get(place.clone(), HeaderMap::new(), CONFIG_CAP).await?;
        }
        answer::judge(answer, what, self.http.now())
    }

    /// Fetches with the token that there is, and once more with a new one if it is refused.
    pub(super) async fn get_authorised(
        &self,
        image: &ImageName,
        path: &str,
        accept: &'static str,
        cap: usize,
        what: &str,
    ) -> Result<Answer, RegistryError> {
        let headers = HeaderMap::from_iter([(ACCEPT, HeaderValue::from_static(accept))]);
        self.get_with(image, path, headers, cap, what).await
    }

    /// As [`Registry::get_authorised`], with these headers.
    pub(super) async fn get_with(
        &self,
        image: &ImageName,
        path: &str,
        mut headers: HeaderMap,
        cap: usize,
        what: &str,
    ) -> Result<Answer, RegistryError> {
        let origin = self.origin(image)?;
        let holder = Holder { origin: &origin, path: image.path() };
        let url = self.url(image, path)?;
        let grant = self.tokens.current(&self.http, &holder).await?;
        if let Some(grant) = &grant {
            headers.insert(AUTHORIZATION, authorization(grant)?);
        }
        let answer = self.http.get(url.clone(), headers.clone(), cap).await?;
        if answer.status != StatusCode::UNAUTHORIZED {
            return Ok(answer);
        }
        let Some(bearer) = bearer_of(&answer) else {
            return Err(RegistryError::Denied {
                what: what.to_owned(),
                message: "it wants more than an anonymous token".to_owned(),
            });
        };
        let grant = self.tokens.replace(&self.http, &holder, grant.as_ref(), bearer).await?;
        headers.insert(AUTHORIZATION, authorization(&grant)?);
        Ok(self.http.get(url, headers, cap).await?)
    }

    pub(super) fn url(&self, image: &ImageName, path: &str) -> Result<Url, RegistryError> {
        let path = format!("/v2/{}/{path}", image.path());
        Ok(wire::below(&self.origin(image)?, &path)?)
    }

    pub(super) fn origin(&self, image: &ImageName) -> Result<Url, RegistryError> {
        match self.origins.get(image.host()) {
            Some(origin) => Ok(origin.clone()),
            None => Ok(wire::base_url(&format!("https://{}", image.host()))?),
        }
    }
}

fn bearer_of(answer: &Answer) -> Option<challenge::Bearer> {
    answer
        .headers
        .get_all(WWW_AUTHENTICATE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .find_map(challenge::bearer)
}

fn authorization(grant: &token::Grant) -> Result<HeaderValue, RegistryError> {
    let text = format!("Bearer {}", grant.token.expose_secret());
    let mut value = HeaderValue::from_str(&text)
        .map_err(|_| RegistryError::malformed("a token that cannot be sent"))?;
    value.set_sensitive(true);
    Ok(value)
}
