//! GitHub's rate limit, from one pass to the next, and other reasons for asking it nothing.

use crate::clients::credential::NoToken;
use crate::clients::github::GithubError;
use crate::domain::Timestamp;
use std::sync::{Arc, Mutex, PoisonError};

/// When GitHub lets itself be asked again. Whoever goes on asking meanwhile risks to be shut out,
/// and what wakes a pass, a canary's end say, knows nothing of limits.
///
/// Clones share it: the limit is the token's, and the watches share the token. (Those of an App's
/// other installations wait as well, which is rare and does no harm.) It ends with the process: a limit that a broken proxy invented shall not outlive a restart.
#[derive(Debug, Clone, Default)]
pub struct Limit(Arc<Mutex<Option<Timestamp>>>);

impl Limit {
    /// A limit was met that ends then.
    pub(super) fn met(&self, until: Timestamp) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *known = (*known).max(Some(until));
    }

    /// When the limit ends that holds now, if one does.
    pub(super) fn holds(&self, now: Timestamp) -> Option<Timestamp> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).filter(|until| now < *until)
    }
}

/// When GitHub's rate limit ends, if it caused `error`. The registry's is met when looking.
pub(super) fn rate_limit(error: &anyhow::Error) -> Option<Timestamp> {
    error.chain().find_map(|cause| match (cause.downcast_ref(), cause.downcast_ref()) {
        (Some(GithubError::RateLimited { until }), _)
        | (_, Some(NoToken::RateLimited { until })) => Some(*until),
        _ => None,
    })
}

/// Why there was no token, if that caused `error`, whoever wanted it.
pub(super) fn no_token(error: &anyhow::Error) -> Option<&NoToken> {
    error.chain().find_map(|cause| match cause.downcast_ref() {
        Some(GithubError::NoToken(why)) => Some(why),
        _ => cause.downcast_ref(),
    })
}
