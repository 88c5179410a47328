//! What conditional requests need to remember.

/// A whole response body with the validators that a server gave it (RFC 9110, section 8.8).
///
/// Only complete bodies become one of these: half a body that is replayed after a 304 would be
/// wrong for ever.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cached {
    /// The absolute URL that was asked.
    pub url: String,
    /// `ETag`, with quotes and weakness mark as sent.
    pub etag: Option<String>,
    /// `Last-Modified`, as sent.
    pub last_modified: Option<String>,
    /// The URL of the next page (`Link: rel="next"`, RFC 8288), if there is one.
    pub next: Option<String>,
    /// The body.
    pub body: Vec<u8>,
}

/// What a conditional request brought.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fetched {
    /// The remembered body still holds (304).
    NotModified,
    /// A new body, to be remembered in the old one's place.
    Fresh(Cached),
}
