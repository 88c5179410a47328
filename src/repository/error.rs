//! Why a branch was not moved, whichever way it was to be.

use crate::clients::git::GitError;
use crate::clients::github::GithubError;
use crate::domain::CommitId;

/// Why a commit did not get onto its branch.
#[derive(Debug, thiserror::Error)]
pub enum PushError {
    /// Somebody else's commit is at the branch's head: it is not moved.
    #[error("the branch is at {head}, which this bot did not push")]
    Foreign {
        /// The commit at the branch's head.
        head: CommitId,
    },
    /// The token may not do this: the branch or one of the files is closed to it.
    #[error("the token may not do this: {message}")]
    Denied {
        /// The server's reason. Foreign text.
        message: String,
    },
    /// The server understood it and refuses, also because the branch moved meanwhile.
    #[error("the push was rejected: {message}")]
    Rejected {
        /// The server's reason. Foreign text.
        message: String,
    },
    /// What was made there is not what was made here.
    #[error("github made {what} {found} where {expected} was expected")]
    Differs {
        /// Of what it made another one.
        what: &'static str,
        /// What it made.
        found: String,
        /// What was expected.
        expected: String,
    },
    /// Git failed in another way. Whether the branch moved may be unknown.
    #[error("over git")]
    Git(#[source] GitError),
    /// The API failed in another way. Whether it did what was asked may be unknown.
    #[error("through github's api")]
    Api(#[source] GithubError),
}

impl From<GitError> for PushError {
    fn from(error: GitError) -> Self {
        match error {
            GitError::Denied { status } => {
                Self::Denied { message: format!("the git server answers {status}") }
            }
            GitError::Foreign { head } => Self::Foreign { head },
            GitError::Rejected { message } if is_denial(&message) => Self::Denied { message },
            GitError::Rejected { message } => Self::Rejected { message },
            other => Self::Git(other),
        }
    }
}

impl From<GithubError> for PushError {
    fn from(error: GithubError) -> Self {
        match error {
            GithubError::Denied { message, .. } => Self::Denied { message },
            GithubError::Rejected { message, .. } if is_denial(&message) => {
                Self::Denied { message }
            }
            GithubError::Rejected { message, .. } => Self::Rejected { message },
            other => Self::Api(other),
        }
    }
}

/// Whether a refusal is about what the token may do, though only its words say so: that is how GitHub
/// guards workflow files.
fn is_denial(message: &str) -> bool {
    message.to_ascii_lowercase().contains("refusing to allow")
}
