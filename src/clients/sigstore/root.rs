//! A trusted root: the authorities and logs whose word counts, ready for use.

use crate::domain::{Content, Timestamp};
use sigstore_verify::{Verifier, trust_root};
use std::fmt;

/// Why there is no trusted root.
#[derive(Debug, thiserror::Error)]
pub enum RootError {
    /// It is no trusted root, or holds a key or certificate that cannot be used.
    #[error("{source_name} is not a trusted root that can be used: {why}")]
    Unusable {
        /// Where it came from.
        source_name: String,
        /// What is wrong with it.
        why: String,
    },
    /// A file that cannot be read.
    #[error("{path} cannot be read")]
    Unreadable {
        /// Which one.
        path: String,
        /// What the system says.
        #[source]
        source: std::io::Error,
    },
    /// The last good refresh is too long ago, and another one failed.
    #[error("the trusted root of {source_name} was {last}, and now it cannot be: {why}")]
    Stale {
        /// Where it comes from.
        source_name: String,
        /// When that was, and when it would have to be, in words.
        last: String,
        /// Why it could not be refreshed now.
        why: String,
    },
}

/// A trusted root with what is told of it beside each verdict.
pub struct TrustedRoot {
    pub(super) verifier: Verifier,
    /// The ids of its transparency logs.
    logs: Vec<Vec<u8>>,
    /// The document (`application/vnd.dev.sigstore.trustedroot+json`).
    pub content: Content,
    /// Where it came from: `tuf`, `embedded` or a file.
    pub source: String,
    /// When it was last known to be current; `None` where nobody refreshes it.
    pub refreshed_at: Option<Timestamp>,
}

impl TrustedRoot {
    /// Reads a `trusted_root.json`.
    ///
    /// # Errors
    /// [`RootError::Unusable`] if it is none, or one of its keys or certificates cannot be used.
    pub fn parse(
        json: Vec<u8>,
        source: impl Into<String>,
        refreshed_at: Option<Timestamp>,
    ) -> Result<Self, RootError> {
        let source = source.into();
        let unusable = |why: String| RootError::Unusable { source_name: source.clone(), why };
        let text = std::str::from_utf8(&json).map_err(|error| unusable(error.to_string()))?;
        let root = trust_root::TrustedRoot::from_json(text)
            .map_err(|error| unusable(error.to_string()))?;
        let verifier = Verifier::new(&root).map_err(|error| unusable(error.to_string()))?;
        let content = Content::new("application/vnd.dev.sigstore.trustedroot+json", json);
        let logs = root.tlogs.iter().map(|log| log.log_id.key_id.as_bytes().to_vec()).collect();
        Ok(Self { verifier, logs, content, source, refreshed_at })
    }

    /// Whether a transparency log with this id is known.
    pub(super) fn knows_log(&self, id: &[u8]) -> bool {
        self.logs.iter().any(|log| log == id)
    }
}

impl fmt::Debug for TrustedRoot {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "TrustedRoot({} from {})", self.content.digest, self.source)
    }
}
