//! GitHub's REST API, as far as the bot needs it.
//!
//! A [`Reader`] cannot write and a [`Writer`] does nothing else. octocrab carries the requests; the
//! authorisation is added here, and its models stay outside, because they refuse answers that lack
//! fields which nobody here needs.

mod actions;
mod advisories;
mod app;
mod auth;
mod checks;
mod comment;
mod commits;
mod contents;
mod error;
mod git_read;
mod git_write;
mod graphql;
mod headers;
mod issue;
mod json;
mod jwt;
mod minimize;
mod own_check;
mod pages;
mod pull;
mod reaction;
mod reader;
mod ready;
mod release;
mod remark;
mod role;
mod transport;
mod writer;

pub use actions::{Artifact, WorkflowRun};
pub use app::{App, Installation};
pub use checks::{CheckRun, CheckSuite, CommitStatus};
pub use comment::{Comment, PullCommit};
pub use error::GithubError;
pub use git_read::{GitCommit, Listing, Place};
pub use issue::Issue;
pub use own_check::{conclusion, run_status, short, status};
pub use pull::Pull;
pub use reader::Reader;
pub use remark::{Publication, Remark, Remarks};
pub use writer::Writer;

use crate::clients::credential::Credential;
use crate::clients::wire::Http;
use auth::Auth;
use transport::Transport;

/// Makes the clients of the GitHub at `base_url` (`https://api.github.com`, or
/// `https://HOST/api/v3` of an enterprise server). Without a credential there is nothing to write with,
/// hence no [`Writer`]. Nothing is sent yet. Must be called inside a tokio runtime, because
/// octocrab spawns its queue there.
///
/// # Errors
/// [`GithubError::Unusable`] if the base URL is not HTTPS and not on this machine.
pub fn connect(
    http: &Http,
    base_url: &str,
    credential: impl Into<Credential>,
) -> Result<(Reader, Option<Writer>), GithubError> {
    let credential = credential.into();
    let may_write = !credential.is_none();
    let transport = Transport::new(http, base_url, Auth::Credential(credential))?;
    let writer = may_write.then(|| Writer::new(transport.clone()));
    Ok((Reader::new(transport), writer))
}
