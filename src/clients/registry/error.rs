//! What can go wrong between the bot and an image registry.

use crate::clients::wire::{self, Cause, Unusable, WireError};
use crate::domain::Timestamp;

/// Why a request to a registry brought no result. No variant ever contains a token.
#[derive(Debug, thiserror::Error)]
pub enum RegistryError {
    /// The registry knows no such tag, digest or repository (404).
    #[error("the registry knows no {what}")]
    NotFound {
        /// What was asked for.
        what: String,
    },
    /// The tag or digest is a single platform's image, where an index was expected.
    #[error("{what} is not a multi-platform index")]
    NotAnIndex {
        /// What was asked for.
        what: String,
    },
    /// A rate limit (429).
    #[error("the registry's rate limit holds until {until}")]
    RateLimited {
        /// When to try again.
        until: Timestamp,
    },
    /// Nobody without a password may read this (401, 403). GHCR answers so for a repository that
    /// does not exist, too.
    #[error("the registry denies {what}: {message}")]
    Denied {
        /// What was asked for.
        what: String,
        /// The registry's words, cut to one line.
        message: String,
    },
    /// No answer, or one of the server's own troubles (408, 5xx): later it may work.
    #[error("the registry{} is out of reach: {what}", wire::in_brackets(.origin.as_deref()))]
    Transient {
        /// Who was asked, if there was no answer: scheme, host and port.
        origin: Option<String>,
        /// What was seen.
        what: String,
    },
    /// An answer that is not what the distribution specification promises: another digest than was
    /// asked for, a page for people, broken off, fields missing.
    #[error("the registry's answer is malformed: {what}")]
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

impl RegistryError {
    pub(super) fn malformed(what: impl Into<String>) -> Self {
        Self::Malformed { what: what.into(), source: None }
    }
}

impl From<WireError> for RegistryError {
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
