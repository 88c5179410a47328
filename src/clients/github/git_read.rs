//! Git's objects and branches, as GitHub's API gives them.

use super::{error::GithubError, graphql, json, reader::Reader};
use crate::clients::wire;
use crate::domain::{
    BlobId, BranchName, Cached, CommitId, FOLDER_MODE, Fetched, Invalid, ListedTree, RepoName,
    Timestamp, TreeEntry, TreeId,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use http::{HeaderMap, StatusCode};
use reqwest::Url;
use serde::Deserialize;
use serde_json::json;
use std::collections::BTreeMap;

const REF: &str = "query($owner: String!, $name: String!, $ref: String!) { repository(owner: \
    $owner, name: $name) { id ref(qualifiedName: $ref) { target { oid } } } }";

/// What is read of a commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GitCommit {
    /// Its id.
    pub id: CommitId,
    /// Its tree.
    pub tree: TreeId,
    /// The commits that it was made on.
    pub parents: Vec<CommitId>,
    /// Its message, without line ends at its end.
    pub message: String,
    /// When it was committed.
    pub at: Timestamp,
}

/// A tree and, as far as GitHub lists them, the trees below it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listing {
    /// Each with its own entries.
    pub trees: Vec<ListedTree>,
    /// Whether some are missing, because it is too large.
    pub truncated: bool,
}

/// A repository as GraphQL names it, and where one of its branches is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The repository's node id.
    pub repository: String,
    /// The commit at the branch's head; `None` if there is no such branch.
    pub head: Option<CommitId>,
}

/// A commit, as the endpoint for git's commits gives it.
#[derive(Deserialize)]
struct WireCommit {
    sha: String,
    #[serde(flatten)]
    content: WireContent,
    parents: Vec<WireObject>,
}

/// What both endpoints that give a commit give of it.
#[derive(Deserialize)]
struct WireContent {
    tree: WireObject,
    message: String,
    committer: WireCommitter,
}

#[derive(Deserialize)]
struct WireObject {
    sha: String,
}

#[derive(Deserialize)]
struct WireCommitter {
    date: String,
}

#[derive(Deserialize)]
struct WireBranch {
    commit: WireHead,
}

#[derive(Deserialize)]
struct WireHead {
    sha: String,
    commit: WireContent,
    parents: Vec<WireObject>,
}

#[derive(Deserialize)]
struct WireTree {
    sha: String,
    tree: Vec<WireEntry>,
    truncated: bool,
}

#[derive(Deserialize)]
struct WireEntry {
    path: String,
    mode: String,
    sha: String,
}

#[derive(Deserialize)]
struct WireBlob {
    content: String,
    encoding: String,
}

#[derive(Deserialize)]
struct WireData {
    repository: Option<WireRepository>,
}

#[derive(Deserialize)]
struct WireRepository {
    id: String,
    #[serde(rename = "ref")]
    found: Option<WireRef>,
}

#[derive(Deserialize)]
struct WireRef {
    target: WireTarget,
}

#[derive(Deserialize)]
struct WireTarget {
    oid: String,
}

impl Reader {
    /// The URL of a branch: what a remembered body is found by.
    ///
    /// # Errors
    /// If it cannot be put together.
    pub fn branch_url(&self, repo: &RepoName, branch: &BranchName) -> Result<String, GithubError> {
        Ok(self.url_of_branch(repo, branch)?.into())
    }

    fn url_of_branch(&self, repo: &RepoName, branch: &BranchName) -> Result<Url, GithubError> {
        self.transport.url(&format!("/repos/{repo}/branches/{branch}"))
    }

    /// Fetches a branch with the commit at its head. `cached` is what is remembered of it.
    ///
    /// # Errors
    /// As [`GithubError`] says; [`GithubError::NotFound`] if there is no such branch.
    pub async fn fetch_branch(
        &self,
        repo: &RepoName,
        branch: &BranchName,
        cached: Option<&Cached>,
    ) -> Result<Fetched, GithubError> {
        let url = self.url_of_branch(repo, branch)?;
        let cached = cached.filter(|cached| cached.url == url.as_str());
        let answer = self.transport.get(&url, &wire::validators(cached), "branch").await?;
        if answer.status == StatusCode::NOT_MODIFIED {
            return Ok(Fetched::NotModified);
        }
        Self::parse_branch(&answer.body)?;
        Ok(Fetched::Fresh(answer.into_cached(&url, None)))
    }

    /// Reads the body of a branch: the commit at its head.
    ///
    /// # Errors
    /// [`GithubError::Malformed`].
    pub fn parse_branch(body: &[u8]) -> Result<GitCommit, GithubError> {
        let WireBranch { commit } = json::object(body, "branch")?;
        commit_of(&commit.sha, commit.commit, &commit.parents)
    }

    /// Fetches a commit by its id, also one that no branch leads to.
    ///
    /// # Errors
    /// As [`GithubError`] says.
    pub async fn fetch_git_commit(
        &self,
        repo: &RepoName,
        id: &CommitId,
    ) -> Result<GitCommit, GithubError> {
        let url = self.transport.url(&format!("/repos/{repo}/git/commits/{id}"))?;
        let answer = self.transport.get(&url, &HeaderMap::new(), "commit").await?;
        parse_commit(&answer.body)
    }

    /// Fetches a tree, and all trees below it if asked.
    ///
    /// # Errors
    /// As [`GithubError`] says.
    pub async fn fetch_tree(
        &self,
        repo: &RepoName,
        id: &TreeId,
        all_below: bool,
    ) -> Result<Listing, GithubError> {
        let mut url = self.transport.url(&format!("/repos/{repo}/git/trees/{id}"))?;
        if all_below {
            url.query_pairs_mut().append_pair("recursive", "1");
        }
        let answer = self.transport.get(&url, &HeaderMap::new(), "tree").await?;
        parse_tree(&answer.body)
    }

    /// Fetches a file's content.
    ///
    /// # Errors
    /// As [`GithubError`] says.
    pub async fn fetch_blob(&self, repo: &RepoName, id: &BlobId) -> Result<Vec<u8>, GithubError> {
        let url = self.transport.url(&format!("/repos/{repo}/git/blobs/{id}"))?;
        let answer = self.transport.get(&url, &HeaderMap::new(), "blob").await?;
        parse_blob(&answer.body)
    }

    /// Looks where a branch is, at this moment.
    ///
    /// # Errors
    /// As [`GithubError`] says.
    pub async fn fetch_place(
        &self,
        repo: &RepoName,
        branch: &BranchName,
    ) -> Result<Place, GithubError> {
        let (owner, name) = (repo.owner(), repo.name());
        let variables =
            json!({ "owner": owner, "name": name, "ref": format!("refs/heads/{branch}") });
        let data: WireData = graphql::ask(&self.transport, REF, variables, "repository").await?;
        let repository = data.repository.ok_or_else(|| GithubError::malformed("no repository"))?;
        let head = repository.found.map(|found| found.target.oid.parse()).transpose();
        Ok(Place { repository: repository.id, head: head.map_err(bad_id)? })
    }
}

fn bad_id(error: Invalid) -> GithubError {
    GithubError::Malformed { what: "an id that is none".to_owned(), source: Some(error.into()) }
}

pub(super) fn parse_commit(body: &[u8]) -> Result<GitCommit, GithubError> {
    let commit: WireCommit = json::object(body, "commit")?;
    commit_of(&commit.sha, commit.content, &commit.parents)
}

fn commit_of(
    sha: &str,
    content: WireContent,
    parents: &[WireObject],
) -> Result<GitCommit, GithubError> {
    let WireContent { tree, message, committer } = content;
    let parents: Result<_, _> = parents.iter().map(|parent| parent.sha.parse()).collect();
    Ok(GitCommit {
        id: sha.parse().map_err(bad_id)?,
        tree: tree.sha.parse().map_err(bad_id)?,
        parents: parents.map_err(bad_id)?,
        message: message.trim_end().to_owned(),
        at: committer.date.parse().map_err(bad_id)?,
    })
}

/// Sorts the entries of a listing into the trees that they are in.
pub(super) fn parse_tree(body: &[u8]) -> Result<Listing, GithubError> {
    let WireTree { sha, tree, truncated } = json::object(body, "tree")?;
    let mut ids = BTreeMap::from([(String::new(), sha)]);
    let mut entries: BTreeMap<String, Vec<TreeEntry>> = BTreeMap::new();
    for WireEntry { path, mode, sha } in tree {
        let mode = u32::from_str_radix(&mode, 8)
            .map_err(|_| GithubError::malformed("a tree's entry without its mode"))?;
        if mode == FOLDER_MODE {
            ids.insert(path.clone(), sha.clone());
        }
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", &path));
        let entry = TreeEntry { name: name.to_owned(), mode, id: sha };
        entries.entry(folder.to_owned()).or_default().push(entry);
    }
    let trees = ids.into_iter().map(|(path, id)| {
        let entries = entries.remove(&path).unwrap_or_default();
        Ok(ListedTree { id: id.parse().map_err(bad_id)?, entries })
    });
    Ok(Listing { trees: trees.collect::<Result<_, GithubError>>()?, truncated })
}

fn parse_blob(body: &[u8]) -> Result<Vec<u8>, GithubError> {
    let WireBlob { content, encoding } = json::object(body, "blob")?;
    if encoding != "base64" {
        return Err(GithubError::malformed(format!("a blob in {}", wire::excerpt(&encoding))));
    }
    let lines: String = content.split_whitespace().collect();
    STANDARD.decode(lines).map_err(|error| GithubError::Malformed {
        what: "a blob that is not base64".to_owned(),
        source: Some(error.into()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::Value;

    fn id(digit: &str) -> String {
        digit.repeat(40)
    }

    fn bytes(value: &Value) -> Vec<u8> {
        value.to_string().into_bytes()
    }

    #[test]
    fn entries_are_sorted_into_their_folders() {
        let entry = |path: &str, mode: &str, sha: &str| json!({ "path": path, "mode": mode, "type": "x", "sha": sha });
        let body = json!({
            "sha": id("a"),
            "tree": [
                entry("README.md", "100644", &id("1")),
                entry("bin", "040000", &id("b")),
                entry("bin/run", "100755", &id("2")),
                entry("bin/deep", "040000", &id("c")),
                entry("bin/deep/link", "120000", &id("3")),
            ],
            "truncated": false,
        });
        let listing = parse_tree(&bytes(&body)).unwrap();
        let told = listing.trees.iter().map(|tree| {
            let entries = tree.entries.iter();
            let names = entries.map(|entry| format!("{:o} {}", entry.mode, entry.name));
            (tree.id.as_str()[..1].to_owned(), names.collect::<Vec<_>>().join(", "))
        });
        assert_eq!(
            told.collect::<Vec<_>>(),
            [
                ("a".to_owned(), "100644 README.md, 40000 bin".to_owned()),
                ("b".to_owned(), "100755 run, 40000 deep".to_owned()),
                ("c".to_owned(), "120000 link".to_owned()),
            ]
        );
        assert!(!listing.truncated);
    }

    #[test]
    fn a_commit_is_read_alike_from_both_endpoints() {
        let content = json!({
            "tree": { "sha": id("b") },
            "message": "chore: bump\n",
            "committer": { "date": "2026-06-12T08:00:00Z" },
        });
        let parents = json!([{ "sha": id("c") }]);
        let mut plain = content.clone();
        plain["sha"] = id("a").into();
        plain["parents"] = parents.clone();
        let branch = json!({
            "commit": { "sha": id("a"), "commit": content, "parents": parents },
        });
        let commit = parse_commit(&bytes(&plain)).unwrap();
        assert_eq!(commit, Reader::parse_branch(&bytes(&branch)).unwrap());
        assert_eq!(commit.message, "chore: bump");
        assert_eq!(commit.at.to_string(), "2026-06-12T08:00:00Z");
        plain["tree"]["sha"] = "main".into();
        assert!(parse_commit(&bytes(&plain)).is_err());
    }

    #[test]
    fn a_blob_comes_in_lines_of_base64() {
        let blob = |content: &str, encoding: &str| {
            parse_blob(&bytes(&json!({ "content": content, "encoding": encoding })))
        };
        assert_eq!(blob("aGVs\nbG8=\n", "base64").unwrap(), b"hello");
        assert!(blob("hello", "utf-8").is_err());
        assert!(blob("***", "base64").is_err());
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(body: Vec<u8>) {
            let _ = (parse_commit(&body), parse_tree(&body), parse_blob(&body));
        }
    }
}
