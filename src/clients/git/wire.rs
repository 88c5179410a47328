//! How to reach one repository, and how libgit2 is told to.

use super::{
    GitError,
    transport::{Http, exchange},
};
use crate::clients::credential::Credential;
use crate::clients::wire::Trust;
use git2::{
    ConfigLevel, Remote, opts,
    transport::{self, Transport},
};
use reqwest::{Client, Url, redirect::Policy};
use std::{net::IpAddr, sync::OnceLock, time::Duration};

const CONNECT_LIMIT: Duration = Duration::from_secs(10);
/// The longest silence: a large repository's server counts objects for a while before it speaks.
const READ_LIMIT: Duration = Duration::from_mins(1);
/// libgit2's defaults are 256 MiB of objects and 8 GiB of mapped packs.
const OBJECT_CACHE: isize = 32 << 20;
const MAPPED_PACKS: usize = 256 << 20;

/// How to reach one repository.
#[derive(Debug)]
pub(super) struct Wire {
    url: String,
    credential: Credential,
    client: Client,
}

impl Wire {
    /// Checks the URL.
    pub(super) fn new(url: &str, credential: Credential, trust: &Trust) -> Result<Self, GitError> {
        let parsed = check(url)?;
        let mut client = trust
            .taught(Client::builder())
            .user_agent("git/2.0 (digest-bump)")
            .connect_timeout(CONNECT_LIMIT)
            .read_timeout(READ_LIMIT)
            .redirect(Policy::none())
            .no_gzip();
        if is_loopback(&parsed) {
            client = client.no_proxy();
        }
        let client = client.build().map_err(|error| GitError::Io(error.into()))?;
        let url = parsed.as_str().trim_end_matches('/').to_owned();
        Ok(Self { url, credential, client })
    }

    /// The repository's URL, without credentials.
    pub(super) fn url(&self) -> &str {
        &self.url
    }

    /// Runs `work`, during which libgit2 reaches this repository and no other. To be called where
    /// blocking is allowed.
    pub(super) fn exchange<T>(
        &self,
        limit: Duration,
        work: impl FnOnce() -> Result<T, git2::Error>,
    ) -> Result<T, GitError> {
        exchange(&self.client, &self.credential, limit, work)
    }
}

fn check(url: &str) -> Result<Url, GitError> {
    let bad = |why| GitError::BadUrl { why };
    let url = Url::parse(url).map_err(|_| bad("is no URL"))?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(bad("must not hold credentials"));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(bad("must not have a query or a fragment"));
    }
    match url.scheme() {
        "https" => Ok(url),
        "http" if is_loopback(&url) => Ok(url),
        "http" => Err(bad("must be https:// (http:// reaches loopback only)")),
        _ => Err(bad("must be https://")),
    }
}

fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || address.parse().is_ok_and(|ip: IpAddr| ip.is_loopback())
}

/// Prepares libgit2, once for the whole process.
pub(super) fn prepare_library() -> Result<(), GitError> {
    static PREPARED: OnceLock<Result<(), String>> = OnceLock::new();
    PREPARED
        .get_or_init(|| prepare().map_err(|error| error.message().to_owned()))
        .clone()
        .map_err(|message| GitError::Io(message.into()))
}

#[expect(
    unsafe_code,
    reason = "libgit2's settings and its list of transports are process-global; the caller's \
              OnceLock makes this the only change to them, before the first repository is opened"
)]
fn prepare() -> Result<(), git2::Error> {
    let connect = |remote: &Remote<'_>| Transport::smart(remote, true, Http);
    // SAFETY: nothing else in this program changes these settings or registers transports, and
    // every use of libgit2 comes after `Objects::new`, so after the end of this function.
    unsafe {
        // The machine's git configuration must not rewrite URLs or change what is written.
        for level in
            [ConfigLevel::System, ConfigLevel::Global, ConfigLevel::XDG, ConfigLevel::ProgramData]
        {
            opts::set_search_path(level, "")?;
        }
        opts::set_cache_max_size(OBJECT_CACHE)?;
        opts::set_mwindow_mapped_limit(MAPPED_PACKS)?;
        transport::register("http", connect)?;
        transport::register("https", connect)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_that_could_leak_or_be_read_is_refused() {
        for good in [
            "https://github.com/toon-protocol/town.git",
            "http://127.0.0.1:8080/a/b.git",
            "http://[::1]:8080/a/b.git",
            "http://localhost/a",
        ] {
            assert!(check(good).is_ok(), "{good}");
        }
        for bad in [
            "http://github.com/a/b",
            "http://127.0.0.1.example.com/a",
            "https://user@github.com/a/b",
            "https://x-access-token:secret@github.com/a/b",
            "https://github.com/a/b?x=1",
            "ssh://git@github.com/a/b",
            "file:///tmp/a",
            "/tmp/a",
        ] {
            assert!(check(bad).is_err(), "{bad}");
        }
    }
}
