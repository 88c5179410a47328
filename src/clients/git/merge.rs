//! Whether two commits can be merged by a machine.

use super::{GitCache, GitError, objects::find_commit};
use crate::domain::CommitId;

impl GitCache {
    /// Whether merging `head` into `base` leaves conflicts for a person. Nothing is written.
    ///
    /// # Errors
    /// [`GitError::NotFound`] if one of them is not known here.
    pub async fn conflicts(&self, base: &CommitId, head: &CommitId) -> Result<bool, GitError> {
        let (base, head) = (base.clone(), head.clone());
        self.local(move |repository| {
            let (ours, theirs) = (find_commit(repository, &base)?, find_commit(repository, &head)?);
            let merged = repository.merge_commits(&ours, &theirs, None).map_err(GitError::local)?;
            Ok(merged.has_conflicts())
        })
        .await
    }
}
