//! Making git's objects through GitHub's API, and moving a branch there.

use super::{
    error::GithubError,
    git_read::{GitCommit, parse_commit, parse_tree},
    graphql,
    writer::Writer,
};
use crate::domain::{BranchName, CommitId, RepoName, TreeFile, TreeId};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use http::Method;
use serde::Deserialize;
use serde_json::{Value, json};

const MOVE: &str = "mutation($input: UpdateRefsInput!) { updateRefs(input: $input) { \
    clientMutationId } }";
/// Where a branch is that does not exist.
const NOWHERE: &str = "0000000000000000000000000000000000000000";
/// A file over this is sent by itself, so that no request for a tree becomes too large.
const INLINE_LIMIT: usize = 256 << 10;

#[derive(Deserialize)]
struct Made {
    sha: String,
}

#[derive(Deserialize)]
struct Moved {
    #[serde(rename = "updateRefs")]
    done: Option<Value>,
}

impl Writer {
    /// Makes the tree `base` with `files` put in, and gives its id. Nothing leads to it yet.
    ///
    /// # Errors
    /// As [`GithubError`] says; [`GithubError::Denied`] if the token may not, also if it may not
    /// write one of these files.
    pub async fn create_tree(
        &self,
        repo: &RepoName,
        base: &TreeId,
        files: &[TreeFile],
    ) -> Result<TreeId, GithubError> {
        let mut entries = Vec::new();
        for file in files {
            let mut entry = json!({ "path": file.path, "mode": file.mode(), "type": "blob" });
            match std::str::from_utf8(&file.content) {
                Ok(text) if text.len() <= INLINE_LIMIT => entry["content"] = text.into(),
                _ => entry["sha"] = self.create_blob(repo, &file.content).await?.into(),
            }
            entries.push(entry);
        }
        let text = json!({ "base_tree": base, "tree": entries });
        let path = format!("/repos/{repo}/git/trees");
        let answer = self.transport.write(Method::POST, &path, &text, "tree").await?;
        // The first one of a listing is the tree itself.
        let made = parse_tree(&answer.body)?.trees.into_iter().next();
        made.map(|tree| tree.id).ok_or_else(|| GithubError::malformed("a tree without its id"))
    }

    async fn create_blob(&self, repo: &RepoName, content: &[u8]) -> Result<String, GithubError> {
        let text = json!({ "content": STANDARD.encode(content), "encoding": "base64" });
        let path = format!("/repos/{repo}/git/blobs");
        let answer = self.transport.write(Method::POST, &path, &text, "blob").await?;
        Ok(super::json::object::<Made>(&answer.body, "blob")?.sha)
    }

    /// Makes a commit of `tree` on `parent`. Nothing leads to it yet. Its author is whoever the token
    /// belongs to: where that is an App, GitHub signs it, which it does only if no author is named.
    ///
    /// # Errors
    /// As [`GithubError`] says.
    pub async fn create_commit(
        &self,
        repo: &RepoName,
        parent: &CommitId,
        tree: &TreeId,
        message: &str,
    ) -> Result<GitCommit, GithubError> {
        let text = json!({ "message": message, "tree": tree, "parents": [parent] });
        let path = format!("/repos/{repo}/git/commits");
        let answer = self.transport.write(Method::POST, &path, &text, "commit").await?;
        parse_commit(&answer.body)
    }

    /// Moves `branch` from `before` to `after`, forwards or not, if it is still at `before`; without
    /// `before`, if it still does not exist. `repository` is its node id.
    ///
    /// # Errors
    /// As [`GithubError`] says; [`GithubError::Rejected`] if it is somewhere else by now,
    /// [`GithubError::Denied`] if the token may not move it there.
    pub async fn move_branch(
        &self,
        repository: &str,
        branch: &BranchName,
        before: Option<&CommitId>,
        after: &CommitId,
    ) -> Result<(), GithubError> {
        let before = before.map_or(NOWHERE, CommitId::as_str);
        self.update_branch(repository, branch, before, after.as_str()).await
    }

    /// Deletes `branch`, if it is still at `before`. `repository` is its node id.
    ///
    /// # Errors
    /// As of [`Self::move_branch`].
    pub async fn delete_branch(
        &self,
        repository: &str,
        branch: &BranchName,
        before: &CommitId,
    ) -> Result<(), GithubError> {
        self.update_branch(repository, branch, before.as_str(), NOWHERE).await
    }

    async fn update_branch(
        &self,
        repository: &str,
        branch: &BranchName,
        before: &str,
        after: &str,
    ) -> Result<(), GithubError> {
        let update = json!({
            "name": format!("refs/heads/{branch}"),
            "beforeOid": before,
            "afterOid": after,
            "force": true,
        });
        let input = json!({ "input": { "repositoryId": repository, "refUpdates": [update] } });
        let moved: Moved = graphql::ask(&self.transport, MOVE, input, "repository").await?;
        moved.done.map(drop).ok_or_else(|| GithubError::malformed("a move that was not made"))
    }
}
