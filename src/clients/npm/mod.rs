//! npm's registry: one package's packument (all its versions in one document).

mod packument;

pub use packument::Packument;

use crate::clients::wire;
use crate::clients::wire::{Answer, Cause, Http, Unusable, WireError};
use crate::domain::{Cached, Fetched, Timestamp};
use http::{HeaderValue, StatusCode, header::ACCEPT, header::LOCATION};
use reqwest::Url;
use serde::de::IgnoredAny;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Packuments of old, busy packages reach tens of megabytes.
const BODY_CAP: usize = 64 * 1024 * 1024;

/// A mirror may send us on to its upstream.
const MAX_REDIRECTS: usize = 3;

/// The pause after a rate limit that names none.
const DEFAULT_PAUSE_SECONDS: f64 = 60.0;

/// Why a request to npm's registry brought no result.
#[derive(Debug, thiserror::Error)]
pub enum NpmError {
    /// The registry knows no such package (404). It has answered so for whole packages that
    /// existed: "source unavailable", not "no releases".
    #[error("npm knows no package {package}")]
    NotFound {
        /// The package's name.
        package: String,
    },
    /// A rate limit (429).
    #[error("npm's rate limit holds until {until}")]
    RateLimited {
        /// When to try again.
        until: Timestamp,
    },
    /// The registry wants to know who asks (401, 403), or refuses otherwise (other 4xx).
    #[error("npm denies it ({status})")]
    Denied {
        /// The HTTP status.
        status: u16,
    },
    /// No answer, or one of the server's own troubles (408, 5xx): later it may work.
    #[error("npm{} is out of reach: {what}", wire::in_brackets(.origin.as_deref()))]
    Transient {
        /// Who was asked, if there was no answer: scheme, host and port.
        origin: Option<String>,
        /// What was seen.
        what: String,
    },
    /// An answer that is no packument: broken off, a page for people, fields missing.
    #[error("npm's answer is malformed: {what}")]
    Malformed {
        /// What was wrong.
        what: String,
        /// What the connection or the parser says.
        #[source]
        source: Option<Cause>,
    },
    /// The client cannot be built from what the config says.
    #[error(transparent)]
    Unusable(#[from] Unusable),
}

impl NpmError {
    fn malformed(what: impl Into<String>) -> Self {
        Self::Malformed { what: what.into(), source: None }
    }
}

impl From<WireError> for NpmError {
    fn from(error: WireError) -> Self {
        let what = error.to_string();
        match error {
            WireError::Unreachable { origin, why } => {
                Self::Transient { origin: Some(origin), what: why }
            }
            WireError::Cut { source } => Self::Malformed { what, source: Some(source) },
            WireError::TooLarge { .. } => Self::malformed(what),
        }
    }
}

/// Reads packuments. Sends no credentials. Cheap to clone; clones share what is known of a rate limit,
/// which ends with the process.
#[derive(Debug, Clone)]
pub struct Npm {
    http: Http,
    base: Url,
    limited_until: Arc<Mutex<Option<Timestamp>>>,
}

impl Npm {
    /// A client of the registry at `base_url`. Nothing is sent yet.
    ///
    /// # Errors
    /// [`NpmError::Unusable`] if the base URL is not HTTPS and not on this machine.
    pub fn new(http: &Http, base_url: &str) -> Result<Self, NpmError> {
        let base = wire::base_url(base_url)?;
        Ok(Self { http: http.clone(), base, limited_until: Arc::default() })
    }

    /// The URL of a packument: what a remembered body is found by.
    ///
    /// # Errors
    /// If the package's name is not one.
    pub fn packument_url(&self, package: &str) -> Result<String, NpmError> {
        Ok(wire::below(&self.base, &format!("/{}", encode(package)?))?.into())
    }

    /// Fetches the full packument of `package` (`name` or `@scope/name`). `cached` is what is
    /// remembered of it; one of another URL is ignored. While a rate limit holds nothing is sent.
    ///
    /// # Errors
    /// As [`NpmError`] says.
    pub async fn fetch_packument(
        &self,
        package: &str,
        cached: Option<&Cached>,
    ) -> Result<Fetched, NpmError> {
        let url = wire::below(&self.base, &format!("/{}", encode(package)?))?;
        let cached = cached.filter(|cached| cached.url == url.as_str());
        let now = self.http.now();
        let limited_until = *self.limited_until();
        if let Some(until) = limited_until.filter(|until| now < *until) {
            return Err(NpmError::RateLimited { until });
        }
        let answer = self.get(&url, cached).await?;
        if answer.status == StatusCode::NOT_MODIFIED && cached.is_some() {
            return Ok(Fetched::NotModified);
        }
        self.judge(&answer, package)?;
        // Only a whole document may be remembered.
        serde_json::from_slice::<IgnoredAny>(&answer.body).map_err(|error| {
            NpmError::Malformed {
                what: "not a json document".to_owned(),
                source: Some(error.into()),
            }
        })?;
        Ok(Fetched::Fresh(answer.into_cached(&url, None)))
    }

    /// Reads a packument: every version that is strict semver, in the document's order. The value
    /// at `guard_pointer` (a JSON pointer into the version's entry) becomes
    /// [`NpmFacts::product`](crate::domain::NpmFacts::product), if it is a text there.
    ///
    /// # Errors
    /// [`NpmError::Malformed`] if this is no packument.
    pub fn parse_packument(
        body: &[u8],
        guard_pointer: Option<&str>,
    ) -> Result<Packument, NpmError> {
        let read = packument::parse(body, guard_pointer);
        read.map_err(|error| NpmError::Malformed {
            what: "not a packument".to_owned(),
            source: Some(error.into()),
        })?
        .ok_or_else(|| NpmError::malformed("a packument without versions"))
    }

    async fn get(&self, url: &Url, cached: Option<&Cached>) -> Result<Answer, NpmError> {
        let mut headers = wire::validators(cached);
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        let mut place = url.clone();
        for _ in 0..=MAX_REDIRECTS {
            let answer = self.http.get(place.clone(), headers.clone(), BODY_CAP).await?;
            let redirected =
                answer.status.is_redirection() && answer.status != StatusCode::NOT_MODIFIED;
            let target = answer.header(LOCATION).filter(|_| redirected);
            let Some(target) = target else {
                return Ok(answer);
            };
            place = match place.join(target) {
                Ok(next) if wire::may_go(&place, &next) => next,
                _ => return Err(NpmError::malformed("a redirect to where we may not go")),
            };
        }
        Err(NpmError::malformed("too many redirects"))
    }

    fn limited_until(&self) -> MutexGuard<'_, Option<Timestamp>> {
        self.limited_until.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn judge(&self, answer: &Answer, package: &str) -> Result<(), NpmError> {
        let status = answer.status.as_u16();
        match answer.status {
            code if code.is_success() => Ok(()),
            StatusCode::NOT_FOUND | StatusCode::GONE => {
                Err(NpmError::NotFound { package: package.to_owned() })
            }
            StatusCode::TOO_MANY_REQUESTS => {
                let now = self.http.now();
                let until = answer
                    .retry_after(now)
                    .unwrap_or_else(|| wire::after_seconds(DEFAULT_PAUSE_SECONDS, now));
                *self.limited_until() = Some(until);
                Err(NpmError::RateLimited { until })
            }
            code if code.is_server_error() || code == StatusCode::REQUEST_TIMEOUT => {
                Err(NpmError::Transient { origin: None, what: format!("status {status}") })
            }
            code if code.is_client_error() => Err(NpmError::Denied { status }),
            _ => Err(NpmError::malformed(format!("status {status}"))),
        }
    }
}

/// A package's name as one segment of a path.
fn encode(package: &str) -> Result<String, NpmError> {
    if matches!(package, "" | "." | "..") {
        return Err(Unusable::new(format!("`{package}` is no package name")).into());
    }
    Ok(package
        .bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' | b'@' => {
                char::from(byte).to_string()
            }
            _ => format!("%{byte:02x}"),
        })
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scoped_name_is_one_segment() {
        assert_eq!(encode("@toon-protocol/connector").unwrap(), "@toon-protocol%2fconnector");
        assert_eq!(encode("a/../b?c#d").unwrap(), "a%2f..%2fb%3fc%23d");
        assert!(encode("..").is_err() && encode("").is_err());
    }
}
