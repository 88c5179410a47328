//! GitHub's REST API, as far as the bot needs it.
//!
//! A [`Reader`] cannot write and a [`Writer`] does nothing else. octocrab carries the requests and
//! the authorisation; its models stay outside, because they refuse answers that lack fields which
//! nobody here needs.

mod advisories;
mod checks;
mod commits;
mod contents;
mod error;
mod git_read;
mod git_write;
mod graphql;
mod headers;
mod json;
mod pull;
mod reader;
mod ready;
mod release;
mod transport;
mod writer;

pub use checks::{CheckRun, CommitStatus, conclusion, short, status};
pub use error::GithubError;
pub use git_read::{GitCommit, Listing, Place};
pub use pull::Pull;
pub use reader::Reader;
pub use writer::Writer;

use crate::clients::wire::Http;
use secrecy::SecretString;
use transport::Transport;

/// Makes the clients of the GitHub at `base_url` (`https://api.github.com`, or
/// `https://HOST/api/v3` of an enterprise server). Without a token there is nothing to write with,
/// hence no [`Writer`]. Nothing is sent yet. Must be called inside a tokio runtime, because
/// octocrab spawns its queue there.
///
/// # Errors
/// [`GithubError::Unusable`] if the base URL is not HTTPS and not on this machine.
pub fn connect(
    http: &Http,
    base_url: &str,
    token: Option<SecretString>,
) -> Result<(Reader, Option<Writer>), GithubError> {
    let may_write = token.is_some();
    let transport = Transport::new(http, base_url, token)?;
    let writer = may_write.then(|| Writer::new(transport.clone()));
    Ok((Reader::new(transport), writer))
}
