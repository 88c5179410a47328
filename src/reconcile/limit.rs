//! GitHub's rate limit, from one pass to the next.

use crate::domain::Timestamp;
use std::sync::{Arc, Mutex, PoisonError};

/// When GitHub lets itself be asked again. Whoever goes on asking meanwhile risks to be shut out,
/// and what wakes a pass, a canary's end say, knows nothing of limits.
///
/// Clones share it: the limit is the token's, and the watches share the token. It ends with the
/// process: a limit that a broken proxy invented shall not outlive a restart.
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
