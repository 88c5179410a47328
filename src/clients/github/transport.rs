//! How requests get to GitHub: octocrab with a service of our own underneath.
//!
//! octocrab's default service is left out on purpose. It repeats every failed request, also those
//! that write; it logs each failure as an error; and it follows redirects with tower-http 0.6,
//! which sends the token along again on the second hop at a foreign host.

use super::{
    auth::{Auth, Pass},
    error::GithubError,
    headers,
};
use crate::clients::wire;
use crate::clients::wire::{Answer, Cause, Http, WireError};
use crate::domain::Timestamp;
use http::{
    HeaderMap, HeaderValue, Method, Request, StatusCode,
    header::{ACCEPT, AUTHORIZATION, LOCATION},
};
use http_body_util::BodyExt;
use octocrab::service::middleware::base_uri::BaseUriLayer;
use octocrab::{AuthState, OctoBody, Octocrab, OctocrabBuilder};
use reqwest::Url;
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
    auth: Auth,
}

impl Transport {
    pub(super) fn new(http: &Http, base_url: &str, auth: Auth) -> Result<Self, GithubError> {
        let base = wire::base_url(base_url)?;
        // Without its path, which every request brings along: GraphQL is not below it everywhere.
        let uri: http::Uri = base
            .origin()
            .ascii_serialization()
            .parse()
            .map_err(|_| wire::Unusable::new("base url: not one that octocrab can read"))?;
        let pool = http.clone();
        let service = tower::service_fn(move |request| send(pool.clone(), request));
        let crab = OctocrabBuilder::new_empty()
            .with_service(service)
            .with_layer(&BaseUriLayer::new(uri))
            // It would keep a token, and read the clock itself.
            .with_auth(AuthState::None)
            .build();
        let Ok(crab) = crab;
        Ok(Self { crab, base, http: http.clone(), auth })
    }

    pub(super) fn base(&self) -> &Url {
        &self.base
    }

    /// By what right it asks.
    pub(super) const fn auth(&self) -> &Auth {
        &self.auth
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
            let mut answer = self.exchange(Method::GET, &place, validators, None::<&()>).await?;
            if !self.auth.is_none() && headers::is_kept_from_the_token(&answer) {
                answer = self.look_as_anybody(&place, validators, answer).await?;
            }
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

    /// Fetches what GitHub keeps elsewhere: the one redirect is followed wherever it leads to, within
    /// TLS and without the token. The address is as good as a password, and stands in no error.
    pub(super) async fn get_elsewhere(
        &self,
        url: &Url,
        what: &str,
    ) -> Result<Vec<u8>, GithubError> {
        let answer = self.exchange(Method::GET, url, &HeaderMap::new(), None::<&()>).await?;
        let target = answer.header(LOCATION).filter(|_| answer.status.is_redirection());
        let Some(target) = target else {
            return Ok(headers::judge(answer, what, self.http.now())?.body);
        };
        let place = url.join(target).ok().filter(|place| wire::may_go(&self.base, place));
        let place = place.ok_or_else(|| {
            GithubError::malformed(format!("a redirect of {what} that must not be followed"))
        })?;
        let answer = self.http.get(place, HeaderMap::new(), BODY_CAP).await?;
        Ok(headers::judge(answer, what, self.http.now())?.body)
    }

    /// Looks again without the token at what it is kept from: an App's reaches some public things
    /// of other accounts only as everybody does. What is not public stays refused, for the reason
    /// that was given first.
    async fn look_as_anybody(
        &self,
        url: &Url,
        validators: &HeaderMap,
        refused: Answer,
    ) -> Result<Answer, GithubError> {
        let answer = self.send(Method::GET, url, validators, None::<&()>, None).await?;
        let seen = answer.status.is_success() || answer.status == StatusCode::NOT_MODIFIED;
        Ok(if seen { answer } else { refused })
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

    /// Writes something that needs no words.
    pub(super) async fn post(&self, path: &str, what: &str) -> Result<Answer, GithubError> {
        self.exchange_to_write(Method::POST, &self.url(path)?, None::<&()>, what).await
    }

    /// Takes away what the URL names.
    pub(super) async fn delete(&self, url: &Url, what: &str) -> Result<Answer, GithubError> {
        self.exchange_to_write(Method::DELETE, url, None::<&()>, what).await
    }

    /// Writes, at a URL that need not be below the REST API.
    pub(super) async fn write_to(
        &self,
        method: Method,
        url: &Url,
        body: &impl Serialize,
        what: &str,
    ) -> Result<Answer, GithubError> {
        self.exchange_to_write(method, url, Some(body), what).await
    }

    async fn exchange_to_write<B: Serialize>(
        &self,
        method: Method,
        url: &Url,
        body: Option<&B>,
        what: &str,
    ) -> Result<Answer, GithubError> {
        let answer = self.exchange(method, url, &HeaderMap::new(), body).await?;
        if answer.status.is_redirection() {
            return Err(GithubError::Rejected {
                status: answer.status.as_u16(),
                message: format!("{what} has moved elsewhere"),
            });
        }
        headers::judge(answer, what, self.http.now())
    }

    /// Asks with what the credential holds now, and once more if that was refused and there is
    /// something else. A request that was answered with 401 was not performed, also if it writes:
    /// who asks is looked at before what is asked for.
    async fn exchange<B: Serialize>(
        &self,
        method: Method,
        url: &Url,
        extra: &HeaderMap,
        body: Option<&B>,
    ) -> Result<Answer, GithubError> {
        let pass = self.auth.pass().await?;
        let answer = self.send(method.clone(), url, extra, body, pass.as_ref()).await?;
        let Some(refused) = pass.filter(|_| answer.status == StatusCode::UNAUTHORIZED) else {
            return Ok(answer);
        };
        match self.auth.instead_of(&refused, &answer).await? {
            Some(pass) => self.send(method, url, extra, body, Some(&pass)).await,
            None => Ok(answer),
        }
    }

    async fn send<B: Serialize>(
        &self,
        method: Method,
        url: &Url,
        extra: &HeaderMap,
        body: Option<&B>,
        pass: Option<&Pass>,
    ) -> Result<Answer, GithubError> {
        // octocrab puts the host in front of a relative URI only, so relative it is.
        let query = url.query().map(|query| format!("?{query}")).unwrap_or_default();
        let relative = format!("{}{query}", url.path());
        let mut request = Request::builder().method(method.clone()).uri(relative);
        if let Some(headers) = request.headers_mut() {
            headers.insert(ACCEPT, HeaderValue::from_static("application/vnd.github+json"));
            headers.extend(extra.clone());
            headers.extend(pass.map(|pass| (AUTHORIZATION, pass.header())));
        }
        let request = self
            .crab
            .build_request(request, body)
            .map_err(|_| GithubError::malformed("it is asked at a url that cannot be sent"))?;
        // Relative to the base, and so never elsewhere.
        let origin = wire::origin(&self.base);
        let response = self.crab.execute(request).await;
        let response =
            response.map_err(|error| WireError::unreachable(&origin, cause(error).as_ref()))?;
        let status = response.status().as_u16();
        tracing::debug!(%method, path = url.path(), status, "asked github");
        let answer = wire::collect(response, &origin, BODY_CAP).await?;
        if pass.is_some() && answer.status.is_success() {
            self.auth.told_of(&answer);
        }
        Ok(answer)
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
