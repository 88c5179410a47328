//! What can go wrong between the bot and GitHub.

use crate::clients::credential::NoToken;
use crate::clients::wire::{self, Cause, Unusable, WireError};
use crate::domain::Timestamp;

/// Why a request to GitHub brought no result. No variant ever contains the token.
#[derive(Debug, thiserror::Error)]
pub enum GithubError {
    /// There is no such thing, or the token may not know of it (404, 410).
    #[error("github knows no {what}")]
    NotFound {
        /// What was asked for.
        what: String,
    },
    /// A primary or secondary rate limit (403, 429).
    #[error("github's rate limit holds until {until}")]
    RateLimited {
        /// When to try again.
        until: Timestamp,
    },
    /// The token is missing, wrong, or may not do this (401, 403, 451).
    #[error("github denies it ({status}): {message}")]
    Denied {
        /// The HTTP status.
        status: u16,
        /// GitHub's words, cut to one line.
        message: String,
    },
    /// The request was understood and refused (422 above all): repeating it changes nothing.
    #[error("github rejects it ({status}): {message}")]
    Rejected {
        /// The HTTP status.
        status: u16,
        /// GitHub's words, cut to one line.
        message: String,
    },
    /// No answer, or one of the server's own troubles (408, 5xx): later it may work.
    #[error("github{} is out of reach: {what}", wire::in_brackets(.origin.as_deref()))]
    Transient {
        /// Who was asked, if there was no answer: scheme, host and port.
        origin: Option<String>,
        /// What was seen.
        what: String,
    },
    /// An answer that is not what the API promises: broken off, a page for people, fields missing.
    #[error("github's answer is malformed: {what}")]
    Malformed {
        /// What was wrong, and where.
        what: String,
        /// What the connection or the parser says.
        #[source]
        source: Option<Cause>,
    },
    /// The answer is larger than the client reads.
    #[error("github's answer is too large: {what}")]
    TooLarge {
        /// How much would have been read.
        what: String,
    },
    /// There is no token to ask with.
    #[error(transparent)]
    NoToken(NoToken),
    /// The client cannot be built from what the config says.
    #[error(transparent)]
    Unusable(#[from] Unusable),
}

impl GithubError {
    pub(super) fn malformed(what: impl Into<String>) -> Self {
        Self::Malformed { what: what.into(), source: None }
    }

    /// Whether it says that the repository has no drafts: not every plan of GitHub's has them in private
    /// ones. REST says so; GraphQL says that whoever asks may not make this a draft.
    #[must_use]
    pub fn is_of_no_drafts(&self) -> bool {
        let (Self::Rejected { message, .. } | Self::Denied { message, .. }) = self else {
            return false;
        };
        let message = message.to_ascii_lowercase();
        message.contains("draft pull requests are not supported")
            || message.contains("does not have permission to convert the pull request")
    }

    /// Whether a write that ended so may have been performed all the same. Then it has to be
    /// probed before it is repeated.
    #[must_use]
    pub const fn outcome_unknown(&self) -> bool {
        match self {
            Self::Transient { .. } | Self::Malformed { .. } | Self::TooLarge { .. } => true,
            Self::NotFound { .. }
            | Self::RateLimited { .. }
            | Self::Denied { .. }
            | Self::Rejected { .. }
            | Self::NoToken(_)
            | Self::Unusable(_) => false,
        }
    }
}

impl From<NoToken> for GithubError {
    fn from(error: NoToken) -> Self {
        match error {
            NoToken::RateLimited { until } => Self::RateLimited { until },
            other => Self::NoToken(other),
        }
    }
}

impl From<WireError> for GithubError {
    fn from(error: WireError) -> Self {
        let what = error.to_string();
        match error {
            WireError::Unreachable { origin, why } => {
                Self::Transient { origin: Some(origin), what: why }
            }
            WireError::Cut { source } => Self::Malformed { what, source: Some(source) },
            WireError::TooLarge { .. } => Self::TooLarge { what },
        }
    }
}
