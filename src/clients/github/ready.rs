//! Marking a draft as ready for review: the one thing that GitHub offers by GraphQL alone.

use super::{error::GithubError, json, writer::Writer};
use crate::clients::wire;
use http::Method;
use serde::Deserialize;
use serde_json::json;

const MUTATION: &str = "mutation($id: ID!) { markPullRequestReadyForReview(input: \
    {pullRequestId: $id}) { pullRequest { isDraft } } }";

#[derive(Deserialize)]
struct Answer {
    data: Option<Data>,
    #[serde(default)]
    errors: Vec<Fault>,
}

#[derive(Deserialize)]
struct Data {
    #[serde(rename = "markPullRequestReadyForReview")]
    marked: Option<Payload>,
}

#[derive(Deserialize)]
struct Payload {
    #[serde(rename = "pullRequest")]
    pull: Option<PullRequest>,
}

#[derive(Deserialize)]
struct PullRequest {
    #[serde(rename = "isDraft")]
    is_draft: bool,
}

#[derive(Deserialize)]
struct Fault {
    #[serde(default, rename = "type")]
    kind: String,
    message: String,
}

impl Writer {
    /// Marks the pull request with this node id as ready for review.
    ///
    /// # Errors
    /// As [`GithubError`] says; [`GithubError::Denied`] if the token may not, and
    /// [`GithubError::Rejected`] if it is closed.
    pub async fn mark_ready(&self, node_id: &str) -> Result<(), GithubError> {
        let text = json!({ "query": MUTATION, "variables": { "id": node_id } });
        let url = self.transport.graphql_url();
        let answer = self.transport.write_to(Method::POST, &url, &text, "GraphQL").await?;
        parse(&answer.body)
    }
}

/// GraphQL refuses with status 200.
fn parse(body: &[u8]) -> Result<(), GithubError> {
    let answer: Answer = json::object(body, "GraphQL answer")?;
    if let Some(fault) = answer.errors.first() {
        let message = wire::excerpt(&fault.message);
        return Err(match fault.kind.as_str() {
            "FORBIDDEN" | "INSUFFICIENT_SCOPES" => GithubError::Denied { status: 200, message },
            "NOT_FOUND" => GithubError::NotFound { what: "pull request".to_owned() },
            _ => GithubError::Rejected { status: 200, message },
        });
    }
    let pull = answer.data.and_then(|data| data.marked).and_then(|marked| marked.pull);
    match pull {
        Some(pull) if !pull.is_draft => Ok(()),
        Some(_) => Err(GithubError::malformed("the pull request is still a draft")),
        None => Err(GithubError::malformed("a GraphQL answer without its data")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_one_whatever_its_status() {
        let said = |body: serde_json::Value| {
            parse(body.to_string().as_bytes()).map_err(|error| error.to_string())
        };
        let ready =
            json!({"data": {"markPullRequestReadyForReview": {"pullRequest": {"isDraft": false}}}});
        assert_eq!(said(ready), Ok(()));
        let refused = json!({"data": null, "errors": [{"type": "FORBIDDEN", "message": "no"}]});
        assert_eq!(said(refused), Err("github denies it (200): no".to_owned()));
        let closed = json!({"errors": [{"type": "UNPROCESSABLE", "message": "it is closed"}]});
        assert_eq!(said(closed), Err("github rejects it (200): it is closed".to_owned()));
        assert!(said(json!({"data": {}})).is_err());
    }
}
