//! The upstream's security advisories.

use super::{error::GithubError, headers, json, reader::Reader};
use crate::domain::{Advisory, Affected, Cached, Fetched, RepoName};
use serde::Deserialize;

/// The fields that are read of an advisory.
#[derive(Deserialize)]
struct Wire {
    ghsa_id: String,
    severity: Option<String>,
    /// Once it is withdrawn it is about nothing.
    withdrawn_at: Option<String>,
    vulnerabilities: Option<Vec<Vulnerability>>,
}

#[derive(Deserialize)]
struct Vulnerability {
    package: Option<Package>,
    vulnerable_version_range: Option<String>,
}

#[derive(Deserialize)]
struct Package {
    ecosystem: Option<String>,
    name: Option<String>,
}

impl Reader {
    /// The URL of the first page of a repository's published advisories: what a remembered body is
    /// found by.
    ///
    /// # Errors
    /// If it cannot be put together.
    pub fn advisories_url(&self, repo: &RepoName) -> Result<String, GithubError> {
        let path = format!("/repos/{repo}/security-advisories?state=published&per_page=100");
        Ok(self.transport.url(&path)?.into())
    }

    /// Fetches one page of a repository's published advisories, 100 to a page; `page_url` and
    /// `cached` as in [`Reader::fetch_releases_page`].
    ///
    /// # Errors
    /// As [`GithubError`] says; [`GithubError::Malformed`] if `page_url` is not at this GitHub.
    pub async fn fetch_advisories_page(
        &self,
        repo: &RepoName,
        cached: Option<&Cached>,
        page_url: &str,
    ) -> Result<Fetched, GithubError> {
        let first = self.transport.url(&format!("/repos/{repo}/security-advisories"))?;
        let url = headers::inside(page_url, &first, self.transport.base())?;
        self.fetch_list(&url, cached, "advisory").await
    }

    /// Reads the body of a page of advisories, in its order, without those that were withdrawn.
    ///
    /// # Errors
    /// [`GithubError::Malformed`], which names the first one that cannot be read.
    pub fn parse_advisories(body: &[u8]) -> Result<Vec<Advisory>, GithubError> {
        let all = json::list::<Wire>(body, "advisory")?;
        let stands = |wire: &Wire| wire.withdrawn_at.is_none();
        Ok(all.into_iter().filter(stands).map(advisory).collect())
    }
}

fn advisory(wire: Wire) -> Advisory {
    let affected = wire.vulnerabilities.unwrap_or_default().into_iter().filter_map(|it| {
        let (ecosystem, package) =
            it.package.map_or((None, None), |package| (package.ecosystem, package.name));
        Some(Affected { ecosystem, package, range: it.vulnerable_version_range? })
    });
    Advisory { id: wire.ghsa_id, severity: wire.severity, affected: affected.collect() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn a_page_of_advisories_says_what_is_affected() {
        let page = json!([
            {"ghsa_id": "GHSA-1", "severity": "high", "withdrawn_at": null, "summary": "x",
             "vulnerabilities": [
                 {"package": {"ecosystem": "npm", "name": "@o/p"}, "vulnerable_version_range": "< 1"},
                 {"package": null, "vulnerable_version_range": ">= 2"},
                 {"package": {"ecosystem": "other", "name": null}, "vulnerable_version_range": null},
             ]},
            {"ghsa_id": "GHSA-2", "severity": null, "withdrawn_at": "2026-01-01T00:00:00Z"},
            {"ghsa_id": "GHSA-3", "severity": null, "vulnerabilities": null},
        ]);
        let read = Reader::parse_advisories(page.to_string().as_bytes()).unwrap();
        let ids: Vec<&str> = read.iter().map(|advisory| advisory.id.as_str()).collect();
        assert_eq!(ids, ["GHSA-1", "GHSA-3"]);
        let ranges: Vec<&str> = read[0].affected.iter().map(|it| it.range.as_str()).collect();
        assert_eq!(ranges, ["< 1", ">= 2"]);
        assert_eq!(read[0].affected[0].package.as_deref(), Some("@o/p"));
        let error = Reader::parse_advisories(br#"[{"ghsa_id": 7}]"#).unwrap_err().to_string();
        assert_eq!(error, "github's answer is malformed: advisory 0 of the page");
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(body: Vec<u8>) {
            let _ = Reader::parse_advisories(&body);
        }
    }
}
