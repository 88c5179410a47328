//! One file of a repository, as it is at a tag.

use super::{error::GithubError, reader::Reader};
use crate::domain::{FilePath, RepoName};
use http::{
    HeaderMap, HeaderValue,
    header::{ACCEPT, CONTENT_TYPE},
};

/// The bytes themselves, instead of JSON around them.
const RAW: HeaderValue = HeaderValue::from_static("application/vnd.github.raw+json");

impl Reader {
    /// Fetches the bytes of a file at `reference`, a tag or a commit.
    ///
    /// # Errors
    /// As [`GithubError`] says; [`GithubError::NotFound`] if there is no such file there, or no
    /// such reference; [`GithubError::Malformed`] if it is a directory.
    pub async fn fetch_file(
        &self,
        repo: &RepoName,
        path: &FilePath,
        reference: &str,
    ) -> Result<Vec<u8>, GithubError> {
        let mut url = self.transport().url(&format!("/repos/{repo}/contents/{path}"))?;
        url.query_pairs_mut().append_pair("ref", reference);
        let headers = HeaderMap::from_iter([(ACCEPT, RAW)]);
        let answer = self.transport().get(&url, &headers, "file").await?;
        let raw = answer.header(CONTENT_TYPE).is_some_and(|kind| kind.contains("raw"));
        if !raw {
            return Err(GithubError::malformed(format!("{path} is not a file")));
        }
        Ok(answer.body)
    }
}
