//! How requests get to GitHub: octocrab with a service of our own underneath.
//!
//! octocrab's default service is left out on purpose. It repeats every failed request, also those
//! that write; it logs each failure as an error; and it follows redirects with tower-http 0.6,
//! which sends the token along again on the second hop at a foreign host.

use super::{error::GithubError, headers};
use crate::clients::wire;
use crate::clients::wire::{Answer, Cause, Http, WireError};
use crate::domain::Timestamp;
use http::{
    HeaderMap, HeaderValue, Method, Request, StatusCode,
    header::{ACCEPT, LOCATION},
};
use http_body_util::BodyExt;
use octocrab::service::middleware::base_uri::BaseUriLayer;
use octocrab::{AuthState, OctoBody, Octocrab, OctocrabBuilder};
use reqwest::Url;
use secrecy::SecretString;
use serde::Serialize;

/// No answer that the bot asks for comes near this: 100 releases with long notes are 1 MiB.
const BODY_CAP: usize = 16 * 1024 * 1024;

/// A renamed repository redirects once; a few more are allowed, a loop is not.
const MAX_REDIRECTS: usize = 3;

/// The way to one GitHub. Clones share it.
#[derive(Debug, Clone)]
pub(super) struct Transport {
    crab: Octocrab,
    base: Url,
    http: Http,
}

impl Transport {
    pub(super) fn new(
        http: &Http,
        base_url: &str,
        token: Option<SecretString>,
    ) -> Result<Self, GithubError> {
        let base = wire::base_url(base_url)?;
        // Without its path, which every request brings along: GraphQL is not below it everywhere.
        let uri: http::Uri = base
            .origin()
            .ascii_serialization()
            .parse()
            .map_err(|_| wire::Unusable::new("base url: not one that octocrab can read"))?;
        let pool = http.clone();
        let service = tower::service_fn(move |request| send(pool.clone(), request));
        let auth = token.map_or(AuthState::None, |token| AuthState::AccessToken { token });
        let crab = OctocrabBuilder::new_empty()
            .with_service(service)
            .with_layer(&BaseUriLayer::new(uri))
            .with_auth(auth)
            .build();
        let Ok(crab) = crab;
        Ok(Self { crab, base, http: http.clone() })
    }

    pub(super) fn base(&self) -> &Url {
        &self.base
    }

    pub(super) fn now(&self) -> Timestamp {
        self.http.now()
    }

    /// The URL of an endpoint; `path` starts with a slash.
    pub(super) fn url(&self, path: &str) -> Result<Url, GithubError> {
        Ok(wire::below(&self.base, path)?)
    }

    /// Where GraphQL is: `/graphql` beside the REST API, or `/api/graphql` beside the `/api/v3` of an
    /// enterprise server.
    pub(super) fn graphql_url(&self) -> Url {
        let mut url = self.base.clone();
        let rest = self.base.path().trim_end_matches('/');
        let path = format!("{}/graphql", rest.strip_suffix("/v3").unwrap_or(rest));
        url.set_path(&path);
        url
    }

    /// Fetches; follows redirects that stay inside. A 304 passes, if the caller asked for it.
    pub(super) async fn get(
        &self,
        url: &Url,
        validators: &HeaderMap,
        what: &str,
    ) -> Result<Answer, GithubError> {
        let mut place = url.clone();
        for _ in 0..=MAX_REDIRECTS {
            let answer = self.exchange(Method::GET, &place, validators, None::<&()>).await?;
            if answer.status == StatusCode::NOT_MODIFIED && !validators.is_empty() {
                return Ok(answer);
            }
            match answer.header(LOCATION) {
                Some(target) if answer.status.is_redirection() => {
                    place = headers::inside(target, &place, &self.base)?;
                }
                _ => return headers::judge(answer, what, self.http.now()),
            }
        }
        Err(GithubError::malformed(format!("too many redirects for {what}")))
    }

    /// Writes, once. A redirect is not followed: GitHub has then done nothing, and the person who
    /// renamed the repository should say so in the config.
    pub(super) async fn write(
        &self,
        method: Method,
        path: &str,
        body: &impl Serialize,
        what: &str,
    ) -> Result<Answer, GithubError> {
        self.write_to(method, &self.url(path)?, body, what).await
    }

    /// The same, at a URL that is not below the REST API.
    pub(super) async fn write_to(
        &self,
        method: Method,
        url: &Url,
        body: &impl Serialize,
        what: &str,
    ) -> Result<Answer, GithubError> {
        let answer = self.exchange(method, url, &HeaderMap::new(), Some(body)).await?;
        if answer.status.is_redirection() {
            return Err(GithubError::Rejected {
                status: answer.status.as_u16(),
                message: format!("{what} has moved elsewhere"),
            });
        }
        headers::judge(answer, what, self.http.now())
    }

    async fn exchange<B: Serialize>(
        &self,
        method: Method,
        url: &Url,
        extra: &HeaderMap,
        body: Option<&B>,
    ) -> Result<Answer, GithubError> {
        // octocrab authorises a relative URI only, so relative it is.
        let query = url.query().map(|query| format!("?{query}")).unwrap_or_default();
        let relative = format!("{}{query}", url.path());
        let mut request = Request::builder().method(method.clone()).uri(relative);
        if let Some(headers) = request.headers_mut() {
            headers.insert(ACCEPT, HeaderValue::from_static("application/vnd.github+json"));
            headers.extend(extra.clone());
        }
        let request = self
            .crab
            .build_request(request, body)
            .map_err(|_| GithubError::malformed("it is asked at a url that cannot be sent"))?;
        let response = self
            .crab
            .execute(request)
            .await
            .map_err(|error| WireError::Unreachable { source: cause(error) })?;
        let status = response.status().as_u16();
        tracing::debug!(%method, path = url.path(), status, "asked github");
        Ok(wire::collect(response, BODY_CAP).await?)
    }
}

/// Carries one of octocrab's requests over the shared pool.
async fn send(
    http: Http,
    request: Request<OctoBody>,
) -> Result<http::Response<reqwest::Body>, Cause> {
    let (head, body) = request.into_parts();
    let body = body.collect().await?.to_bytes();
    let request = reqwest::Request::try_from(Request::from_parts(head, body))?;
    Ok(http.send(request).await?)
}

/// What is behind octocrab's error, without its own words and its backtrace.
fn cause(error: octocrab::Error) -> Cause {
    match error {
        octocrab::Error::Service { source, .. } => source,
        other => Box::new(other),
    }
}
