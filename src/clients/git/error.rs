//! What can go wrong with git.

use crate::clients::credential::NoToken;
use crate::domain::{CommitId, FilePath, Invalid};
use git2::{ErrorClass, ErrorCode};
use std::{error::Error, io};

type Cause = Box<dyn Error + Send + Sync>;

/// Why an operation on the downstream's repository failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GitError {
    /// The repository, the branch or the object does not exist, or must not be seen.
    #[error("{what} was not found")]
    NotFound {
        /// What was looked for.
        what: String,
    },
    /// The token is not valid, or may not do this. Asking again does not help.
    #[error("the git server denied access (HTTP {status})")]
    Denied {
        /// 401 or 403.
        status: u16,
    },
    /// There is no token to ask with. Nothing was sent.
    #[error("the git server was not asked")]
    NoToken(#[from] NoToken),
    /// The network or the server failed in a way that may pass. Whether a push arrived is
    /// unknown.
    #[error("the git server could not be used")]
    Transient(#[source] Cause),
    /// The server said something that no git server says.
    #[error("the git server's answer makes no sense: {what}")]
    Malformed {
        /// What was wrong.
        what: String,
    },
    /// Somebody else's commit is at the branch's head: it is not moved.
    #[error("the branch is at {head}, which this bot did not push")]
    Foreign {
        /// The commit at the branch's head.
        head: CommitId,
    },
    /// The server took the push and refused to move the branch.
    #[error("the push was rejected: {message}")]
    Rejected {
        /// The server's reason. Foreign text.
        message: String,
    },
    /// The local object database is damaged. The next fetch moves it aside and clones again.
    #[error("the local git repository is damaged")]
    Corrupt(#[source] Cause),
    /// Something is larger than this bot takes in.
    #[error("{what} is too large (over {limit} bytes)")]
    TooLarge {
        /// What it is.
        what: String,
        /// The limit that it exceeds, in bytes.
        limit: u64,
    },
    /// A folder, a symbolic link or a submodule stands where a file was expected.
    #[error("`{path}` is not a regular file")]
    NotAFile {
        /// Where.
        path: FilePath,
    },
    /// The repository's URL cannot be used.
    #[error("the repository's URL {why}")]
    BadUrl {
        /// Why, as the rest of a sentence. The URL itself might hold a secret.
        why: &'static str,
    },
    /// The local file system failed.
    #[error("the local git repository could not be read or written")]
    Io(#[source] Cause),
}

impl GitError {
    /// An error of an operation that talks to nobody. What should be there and is not, is damage.
    pub(super) fn local(error: git2::Error) -> Self {
        match error.class() {
            ErrorClass::Os | ErrorClass::Filesystem | ErrorClass::NoMemory => {
                Self::Io(error.into())
            }
            _ => Self::Corrupt(error.into()),
        }
    }

    /// An error of an operation over the wire that the transport itself did not notice.
    pub(super) fn remote(error: git2::Error) -> Self {
        match (error.class(), error.code()) {
            (ErrorClass::Net | ErrorClass::Http, ErrorCode::Eof) => Self::Transient(error.into()),
            (ErrorClass::Net, _) if error.message().starts_with("unpacking the sent packfile") => {
                Self::Rejected { message: error.message().to_owned() }
            }
            (ErrorClass::Net | ErrorClass::Http | ErrorClass::Ssl, _) => {
                Self::Malformed { what: error.message().to_owned() }
            }
            _ => Self::local(error),
        }
    }

    /// An error of finding the object that the caller named.
    pub(super) fn finding(what: String) -> impl FnOnce(git2::Error) -> Self {
        move |error| match error.code() {
            ErrorCode::NotFound => Self::NotFound { what },
            _ => Self::local(error),
        }
    }
}

impl From<io::Error> for GitError {
    fn from(error: io::Error) -> Self {
        Self::Io(error.into())
    }
}

impl From<Invalid> for GitError {
    fn from(error: Invalid) -> Self {
        Self::Corrupt(error.into())
    }
}
