//! Comments that are shown small, because what they say is not so any more.

use super::{error::GithubError, graphql, reader::Reader, writer::Writer};
use serde::Deserialize;
use serde_json::json;

const SEEN: &str =
    "query($id: ID!) { comment: node(id: $id) { ... on Minimizable { isMinimized } } }";
const MINIMIZE: &str = "mutation($id: ID!) { done: minimizeComment(input: \
    {subjectId: $id, classifier: OUTDATED}) { comment: minimizedComment { isMinimized } } }";

#[derive(Deserialize)]
struct Seen {
    comment: Option<Comment>,
}

#[derive(Deserialize)]
struct Data {
    done: Option<Seen>,
}

#[derive(Deserialize)]
struct Comment {
    #[serde(rename = "isMinimized")]
    minimized: bool,
}

impl Reader {
    /// Whether the comment with this node id is shown small.
    ///
    /// # Errors
    /// As [`GithubError`] says; [`GithubError::NotFound`] if it was deleted.
    pub async fn is_minimized(&self, node_id: &str) -> Result<bool, GithubError> {
        let seen = graphql::ask(&self.transport, SEEN, json!({ "id": node_id }), "comment").await?;
        judge(seen)
    }
}

impl Writer {
    /// Has the comment with this node id shown small, as outdated.
    ///
    /// # Errors
    /// As [`GithubError`] says; [`GithubError::NotFound`] if it was deleted.
    pub async fn minimize(&self, node_id: &str) -> Result<(), GithubError> {
        let variables = json!({ "id": node_id });
        let data: Data = graphql::ask(&self.transport, MINIMIZE, variables, "comment").await?;
        let done =
            data.done.ok_or_else(|| GithubError::malformed("a GraphQL answer without data"))?;
        if judge(done)? {
            Ok(())
        } else {
            Err(GithubError::malformed("the comment is still whole"))
        }
    }
}

fn judge(seen: Seen) -> Result<bool, GithubError> {
    let comment = seen.comment.map(|comment| comment.minimized);
    comment.ok_or_else(|| GithubError::malformed("a GraphQL answer without its comment"))
}
