//! The upstream's commits: where a tag is, and how one commit stands to another.

use super::{error::GithubError, json, reader::Reader};
use crate::domain::{CommitId, Relation, RepoName, TaggedCommit};
use http::HeaderMap;
use serde::Deserialize;

/// GitHub's answer to a name of which it knows no commit.
const NO_SUCH_COMMIT: u16 = 422;

/// The fields that are read of a commit.
#[derive(Deserialize)]
struct Commit {
    sha: String,
    parents: Vec<Parent>,
}

#[derive(Deserialize)]
struct Parent {
    sha: String,
}

/// The field that is read of a comparison.
#[derive(Deserialize)]
struct Comparison {
    status: Status,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Status {
    Identical,
    Ahead,
    Behind,
    Diverged,
}

impl Reader {
    /// Looks up the commit that a tag is on; `None` if there is no such tag.
    ///
    /// # Errors
    /// As [`GithubError`] says.
    pub async fn fetch_tag_commit(
        &self,
        repo: &RepoName,
        tag: &str,
    ) -> Result<Option<TaggedCommit>, GithubError> {
        let mut url = self.transport.url(&format!("/repos/{repo}/commits/tags"))?;
        // A tag may hold slashes, and is foreign text: segment by segment, each escaped.
        if let Ok(mut path) = url.path_segments_mut() {
            path.extend(tag.split('/'));
        }
        // What the commit changed comes in pages too, and is not wanted.
        url.query_pairs_mut().append_pair("per_page", "1");
        match self.transport.get(&url, &HeaderMap::new(), "repository").await {
            Ok(answer) => parse_commit(&answer.body).map(Some),
            Err(GithubError::Rejected { status: NO_SUCH_COMMIT, .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Asks how `head` stands to `base`. [`Relation::Unknown`] if the repository lacks one of them.
    ///
    /// # Errors
    /// As [`GithubError`] says.
    pub async fn fetch_relation(
        &self,
        repo: &RepoName,
        base: &CommitId,
        head: &CommitId,
    ) -> Result<Relation, GithubError> {
        let path = format!("/repos/{repo}/compare/{base}...{head}?per_page=1");
        let url = self.transport.url(&path)?;
        match self.transport.get(&url, &HeaderMap::new(), "commit").await {
            Ok(answer) => parse_comparison(&answer.body),
            Err(GithubError::NotFound { .. }) => Ok(Relation::Unknown),
            Err(error) => Err(error),
        }
    }
}

fn parse_commit(body: &[u8]) -> Result<TaggedCommit, GithubError> {
    let commit: Commit = json::object(body, "commit")?;
    let id = |text: &str| {
        text.parse::<CommitId>().map_err(|error| GithubError::Malformed {
            what: "a commit without its id".to_owned(),
            source: Some(error.into()),
        })
    };
    let first_parent = commit.parents.first().map(|parent| id(&parent.sha)).transpose()?;
    Ok(TaggedCommit { id: id(&commit.sha)?, first_parent })
}

fn parse_comparison(body: &[u8]) -> Result<Relation, GithubError> {
    let comparison: Comparison = json::object(body, "comparison")?;
    Ok(match comparison.status {
        Status::Identical => Relation::Identical,
        Status::Ahead => Relation::Ahead,
        Status::Behind => Relation::Behind,
        Status::Diverged => Relation::Diverged,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn a_commit_is_its_id_and_its_first_parent() {
        let [own, first, second] = ["a", "b", "c"].map(|digit| digit.repeat(40));
        let body = json!({"sha": own, "parents": [{"sha": first}, {"sha": second}], "files": []});
        let read = parse_commit(body.to_string().as_bytes()).unwrap();
        assert_eq!(read.id.as_str(), own);
        assert_eq!(read.first_parent.unwrap().as_str(), first);
        let root = json!({"sha": own, "parents": []});
        assert_eq!(parse_commit(root.to_string().as_bytes()).unwrap().first_parent, None);
        for bad in [
            json!({"sha": "main", "parents": []}),
            json!({"sha": own, "parents": [{"sha": ""}]}),
            json!({"sha": own}),
        ] {
            let error = parse_commit(bad.to_string().as_bytes()).unwrap_err();
            assert!(matches!(error, GithubError::Malformed { .. }), "{bad}");
        }
    }

    #[test]
    fn a_comparison_is_its_status() {
        for (status, relation) in [
            ("identical", Relation::Identical),
            ("ahead", Relation::Ahead),
            ("behind", Relation::Behind),
            ("diverged", Relation::Diverged),
        ] {
            let body = json!({"status": status, "ahead_by": 1}).to_string();
            assert_eq!(parse_comparison(body.as_bytes()).unwrap(), relation);
        }
        assert!(parse_comparison(br#"{"status":"sideways"}"#).is_err());
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(body: Vec<u8>) {
            let _ = parse_commit(&body);
            let _ = parse_comparison(&body);
        }
    }
}
