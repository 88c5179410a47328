//! What all clients over HTTP share: one pool of connections with time-outs, bodies that are whole
//! and of bounded size, and the headers of conditional requests. It knows no service.
//!
//! It follows no redirect by itself and repeats no request: both can do harm, and only the client
//! of a service knows where they are harmless.

use crate::clock::Clock;
use crate::domain::{Cached, Timestamp};
use http::{
    HeaderMap, HeaderValue, StatusCode,
    header::{
        CONTENT_TYPE, ETAG, HeaderName, IF_MODIFIED_SINCE, IF_NONE_MATCH, LAST_MODIFIED,
        RETRY_AFTER,
    },
};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use reqwest::Url;
use rustls::pki_types::CertificateDer;
use std::{error::Error, time::Duration};

/// Any error, as the source of another.
pub type Cause = Box<dyn Error + Send + Sync>;

/// Who asks.
const USER_AGENT: &str = concat!("digest-bump/", env!("CARGO_PKG_VERSION"));

/// The longest time that a server can make us wait by a header: what is longer is a mistake, and
/// would put the bot to sleep for good.
const LONGEST_PAUSE: Duration = Duration::from_hours(24);

/// The shortest such time: a limit that has just ended by one clock has not by the other.
const SHORTEST_PAUSE: Duration = Duration::from_secs(1);

/// How much of a server's own words enters an error.
const EXCERPT_CHARS: usize = 200;

/// How long one request may take.
#[derive(Debug, Clone)]
pub struct Timeouts {
    /// Until the connection stands, TLS included. Default: 5 s.
    pub connect: Duration,
    /// Between two pieces of an answer. Default: 20 s.
    pub idle: Duration,
    /// From the first byte sent to the last byte received. Default: 60 s.
    pub total: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(5),
            idle: Duration::from_secs(20),
            total: Duration::from_mins(1),
        }
    }
}

/// A client that cannot be built from what the config says. The text names the fault.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{why}")]
pub struct Unusable {
    why: String,
}

impl Unusable {
    pub(crate) fn new(why: impl Into<String>) -> Self {
        Self { why: why.into() }
    }
}

/// The authorities whose certificates are believed: the system's, and those that the config adds.
#[derive(Debug, Clone, Default)]
pub struct Trust {
    added: Vec<reqwest::Certificate>,
}

impl Trust {
    /// The system's authorities and these.
    ///
    /// # Errors
    /// If one of them is no certificate.
    pub fn with(added: &[CertificateDer<'_>]) -> Result<Self, Unusable> {
        let added = added.iter().map(|der| reqwest::Certificate::from_der(der));
        let added = added
            .collect::<Result<_, _>>()
            .map_err(|error| Unusable::new(format!("an added root certificate: {error}")))?;
        Ok(Self { added })
    }

    /// Makes a client believe them.
    pub(crate) fn taught(&self, client: reqwest::ClientBuilder) -> reqwest::ClientBuilder {
        if self.added.is_empty() { client } else { client.tls_certs_merge(self.added.clone()) }
    }
}

/// A pool of connections, shared by all clients. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Http {
    client: reqwest::Client,
    clock: Clock,
}

impl Http {
    /// Opens an empty pool. `clock` dates the ends of rate limits and of tokens.
    ///
    /// # Errors
    /// If TLS cannot be set up.
    pub fn new(timeouts: &Timeouts, trust: &Trust, clock: Clock) -> Result<Self, Unusable> {
        let client = trust
            .taught(reqwest::Client::builder())
            .user_agent(USER_AGENT)
            .connect_timeout(timeouts.connect)
            .read_timeout(timeouts.idle)
            .timeout(timeouts.total)
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .build()
            .map_err(|error| Unusable::new(format!("no HTTP client: {error}")))?;
        Ok(Self { client, clock })
    }

    /// The pool itself, for a library that sends its own requests.
    pub(crate) fn reqwest(&self) -> reqwest::Client {
        self.client.clone()
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Sends a request and returns as soon as the head of the answer is here.
    pub(crate) async fn send(
        &self,
        request: reqwest::Request,
    ) -> Result<http::Response<reqwest::Body>, reqwest::Error> {
        let answer = self.client.execute(request).await;
        // A URL may carry a signed query; no error shows it.
        answer.map(http::Response::from).map_err(reqwest::Error::without_url)
    }

    /// Fetches a URL, with a body of at most `cap` bytes.
    pub(crate) async fn get(
        &self,
        url: Url,
        headers: HeaderMap,
        cap: usize,
    ) -> Result<Answer, WireError> {
        let origin = origin(&url);
        let place = format!("{origin}{}", url.path());
        let mut request = reqwest::Request::new(http::Method::GET, url);
        *request.headers_mut() = headers;
        let response = self.send(request).await;
        let response = response.map_err(|error| WireError::unreachable(&origin, &error))?;
        tracing::debug!(url = place, status = response.status().as_u16(), "fetched");
        collect(response, &origin, cap).await
    }
}

/// Why there is no whole answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum WireError {
    /// No connection, no answer, or not in time.
    #[error("no answer of {origin}: {why}")]
    Unreachable {
        /// Who was asked.
        origin: String,
        /// What the connection says.
        why: String,
    },
    /// The body ended before its end.
    #[error("the body broke off")]
    Cut {
        /// What the connection says.
        source: Cause,
    },
    /// The body is larger than anything that is expected there.
    #[error("the body is larger than {cap} bytes")]
    TooLarge {
        /// The bound.
        cap: usize,
    },
}

impl WireError {
    pub(crate) fn unreachable(origin: &str, error: &(dyn Error + 'static)) -> Self {
        Self::Unreachable { origin: origin.to_owned(), why: innermost(error) }
    }
}

/// A whole answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    /// A header as text; `None` if it is absent or no text.
    pub(crate) fn header(&self, name: impl http::header::AsHeaderName) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// Whether the body says that it is a page for people: then a proxy speaks, not the service.
    pub(crate) fn is_page(&self) -> bool {
        self.header(CONTENT_TYPE)
            .is_some_and(|kind| kind.trim_start().to_ascii_lowercase().starts_with("text/html"))
    }

    /// When `Retry-After` allows the next request.
    pub(crate) fn retry_after(&self, now: Timestamp) -> Option<Timestamp> {
        retry_after(self.header(RETRY_AFTER)?, now)
    }

    /// This answer as it is remembered, with `next` as the URL of the next page.
    pub(crate) fn into_cached(self, url: &Url, next: Option<String>) -> Cached {
        Cached {
            url: url.to_string(),
            etag: self.header(ETAG).map(str::to_owned),
            last_modified: self.header(LAST_MODIFIED).map(str::to_owned),
            next,
            body: self.body,
        }
    }
}

/// Reads the body to its end. `origin` is who sends it.
pub(crate) async fn collect<B>(
    response: http::Response<B>,
    origin: &str,
    cap: usize,
) -> Result<Answer, WireError>
where
    B: BodyExt,
    B::Error: Into<Cause>,
{
    let (head, body) = response.into_parts();
    match Limited::new(body, cap).collect().await {
        Ok(whole) => Ok(Answer {
            status: head.status,
            headers: head.headers,
            body: whole.to_bytes().to_vec(),
        }),
        Err(error) if error.is::<LengthLimitError>() => Err(WireError::TooLarge { cap }),
        Err(error) if is_timeout(error.as_ref()) => {
            Err(WireError::unreachable(origin, error.as_ref()))
        }
        Err(error) => Err(WireError::Cut { source: error }),
    }
}

fn is_timeout(error: &(dyn Error + 'static)) -> bool {
    std::iter::successors(Some(error), |&error| error.source())
        .filter_map(|error| error.downcast_ref::<reqwest::Error>())
        .any(reqwest::Error::is_timeout)
}

/// The base URL of a service, checked.
///
/// Plain HTTP is for a server on this machine alone: a token must never cross a network in the
/// clear, and an answer that anyone on the way can change is worth nothing.
pub(crate) fn base_url(text: &str) -> Result<Url, Unusable> {
    let bad = |why: &str| Unusable::new(format!("base url: {why}"));
    let url = Url::parse(text).map_err(|error| bad(&error.to_string()))?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(bad("a url carries no user and no password"));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(bad("a base url ends with its path"));
    }
    match url.scheme() {
        "https" => Ok(url),
        "http" if is_loopback(&url) => Ok(url),
        "http" => Err(bad("http:// is refused but for this machine; use https://")),
        other => Err(bad(&format!("no service speaks `{other}:`"))),
    }
}

/// A URL below a base. `path` starts with a slash and is encoded already.
pub(crate) fn below(base: &Url, path: &str) -> Result<Url, Unusable> {
    let text = format!("{}{path}", base.as_str().trim_end_matches('/'));
    Url::parse(&text).map_err(|error| Unusable::new(format!("path below the base url: {error}")))
}

/// Whether a server at `from` may send us to `to`: never out of TLS, and to this machine only if
/// it is on this machine itself.
pub(crate) fn may_go(from: &Url, to: &Url) -> bool {
    match to.scheme() {
        "https" => !is_loopback(to) || is_loopback(from),
        "http" => is_loopback(from) && is_loopback(to),
        _ => false,
    }
}

fn is_loopback(url: &Url) -> bool {
    let Some(host) = url.host_str() else {
        return false;
    };
    let literal = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost"
        || literal.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// The headers that ask "only if it is not this any more".
pub(crate) fn validators(cached: Option<&Cached>) -> HeaderMap {
    let mut headers = HeaderMap::new();
    let mut add = |name: HeaderName, value: Option<&String>| {
        if let Some(value) = value.and_then(|text| HeaderValue::from_str(text).ok()) {
            headers.insert(name, value);
        }
    };
    add(IF_NONE_MATCH, cached.and_then(|cached| cached.etag.as_ref()));
    add(IF_MODIFIED_SINCE, cached.and_then(|cached| cached.last_modified.as_ref()));
    headers
}

/// The end of a pause of so many seconds, brought within bounds.
pub(crate) fn after_seconds(seconds: f64, now: Timestamp) -> Timestamp {
    let pause = Duration::try_from_secs_f64(seconds).unwrap_or(if seconds > 0.0 {
        LONGEST_PAUSE
    } else {
        SHORTEST_PAUSE
    });
    now + pause.clamp(SHORTEST_PAUSE, LONGEST_PAUSE)
}

/// Reads `Retry-After` (RFC 9110, section 10.2.3): seconds, also fractional ones as some servers
/// send them, or a date.
fn retry_after(text: &str, now: Timestamp) -> Option<Timestamp> {
    let text = text.trim();
    if let Ok(seconds) = text.parse::<f64>() {
        return (!seconds.is_nan()).then(|| after_seconds(seconds, now));
    }
    let date = chrono::DateTime::parse_from_rfc2822(text).ok()?;
    let pause = Timestamp::from_millis(date.timestamp_millis()).since(now);
    Some(after_seconds(pause.as_secs_f64(), now))
}

/// A server's words, fit for one line of an error.
pub(crate) fn excerpt(text: &str) -> String {
    let line: String =
        text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(EXCERPT_CHARS).collect();
    line.trim().to_owned()
}

/// Who is asked at a URL: its scheme, host and port. All else of it may be a secret.
pub(crate) fn origin(url: &Url) -> String {
    url.origin().ascii_serialization()
}

/// An origin as it stands behind the name of a service that did not answer.
pub(crate) fn in_brackets(origin: Option<&str>) -> String {
    origin.map(|origin| format!(" ({origin})")).unwrap_or_default()
}

/// What is at the bottom of an error. Those of HTTP clients say above it only that a request failed.
pub(crate) fn innermost(error: &(dyn Error + 'static)) -> String {
    let causes = std::iter::successors(Some(error), |&error| error.source());
    let told = causes.map(ToString::to_string).filter(|text| !text.is_empty());
    told.last().unwrap_or_default()
}

/// An error with all its causes, on one line.
pub(crate) fn chain(error: &(dyn Error + 'static)) -> String {
    let causes = std::iter::successors(error.source(), |&error| error.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NOW: Timestamp = Timestamp::from_millis(1_445_412_480_000); // 2015-10-21T07:28:00Z

    #[test]
    fn base_urls_are_https_or_of_this_machine() {
        for good in [
            "https://api.github.com",
            "https://ghe.example/api/v3/",
            "http://127.0.0.1:8080",
            "http://[::1]:1",
            "http://localhost:1",
        ] {
            assert!(base_url(good).is_ok(), "{good}");
        }
        for bad in [
            "http://api.github.com",
            "http://127.0.0.1.example",
            "http://localhost.example",
            "https://user:word@host",
            "https://host/?q=1",
            "ftp://host",
            "api.github.com",
            "",
        ] {
            assert!(base_url(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_redirect_never_leaves_tls_nor_enters_this_machine() {
        let go = |from: &str, to: &str| may_go(&from.parse().unwrap(), &to.parse().unwrap());
        assert!(go("https://a.example", "https://b.example"));
        assert!(go("http://127.0.0.1:1", "http://127.0.0.1:2"));
        assert!(!go("https://a.example", "http://a.example"));
        assert!(!go("https://a.example", "http://127.0.0.1:1"));
        assert!(!go("https://a.example", "https://127.0.0.1:1"));
        assert!(!go("https://a.example", "file:///etc/passwd"));
    }

    #[test]
    fn paths_join_below_the_base() {
        let at = |base: &str| below(&base.parse().unwrap(), "/x?y=1").unwrap().to_string();
        assert_eq!(at("https://a.example"), "https://a.example/x?y=1");
        assert_eq!(at("https://a.example/api/v3/"), "https://a.example/api/v3/x?y=1");
    }

    #[test]
    fn retry_after_is_read_in_all_its_forms() {
        let seconds = |text| retry_after(text, NOW).map(|until| until.since(NOW).as_secs_f64());
        for (text, expected) in [
            ("120", Some(120.0)),
            (" 1.5 ", Some(1.5)),
            ("0", Some(1.0)),
            ("-5", Some(1.0)),
            ("1e300", Some(86_400.0)),
            ("inf", Some(86_400.0)),
            ("NaN", None),
            ("Wed, 21 Oct 2015 07:29:00 GMT", Some(60.0)),
            ("Wed, 21 Oct 2015 07:00:00 GMT", Some(1.0)),
            ("soon", None),
            ("", None),
        ] {
            assert_eq!(seconds(text), expected, "{text:?}");
        }
    }

    #[test]
    fn of_who_does_not_answer_nothing_is_told_but_the_origin() {
        let url = "https://user:word@host.example:8443/a/path?token=s#f".parse().unwrap();
        assert_eq!(in_brackets(Some(&origin(&url))), " (https://host.example:8443)");
        assert_eq!(in_brackets(None), "");
        let refused = std::io::Error::other("Connection refused");
        let unread = WireError::Cut { source: Box::new(refused) };
        assert_eq!(innermost(&unread), "Connection refused");
        assert_eq!(innermost(&WireError::TooLarge { cap: 1 }), "the body is larger than 1 bytes");
    }

    #[test]
    fn words_of_a_server_stay_on_one_short_line() {
        assert_eq!(excerpt(" a\r\nb\u{1b}[0m "), "a  b [0m");
        assert_eq!(excerpt(&"é".repeat(500)).chars().count(), EXCERPT_CHARS);
    }

    proptest! {
        #[test]
        fn no_header_makes_it_panic(text: String) {
            let _ = retry_after(&text, NOW);
        }
    }
}
