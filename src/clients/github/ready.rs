//! Marking a draft as ready for review.

use super::{error::GithubError, graphql, writer::Writer};
use serde::Deserialize;
use serde_json::json;

const MUTATION: &str = "mutation($id: ID!) { markPullRequestReadyForReview(input: \
    {pullRequestId: $id}) { pullRequest { isDraft } } }";

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

impl Writer {
    /// Marks the pull request with this node id as ready for review.
    ///
    /// # Errors
    /// As [`GithubError`] says; [`GithubError::Denied`] if the token may not, and
    /// [`GithubError::Rejected`] if it is closed.
    pub async fn mark_ready(&self, node_id: &str) -> Result<(), GithubError> {
        let variables = json!({ "id": node_id });
        let data = graphql::ask(&self.transport, MUTATION, variables, "pull request").await?;
        judge(data)
    }
}

fn judge(data: Data) -> Result<(), GithubError> {
    match data.marked.and_then(|marked| marked.pull) {
        Some(pull) if !pull.is_draft => Ok(()),
        Some(_) => Err(GithubError::malformed("the pull request is still a draft")),
        None => Err(GithubError::malformed("a GraphQL answer without its data")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_no_draft_any_more_is_ready() {
        let said = |draft: Option<bool>| {
            let pull = draft.map(|is_draft| json!({ "isDraft": is_draft }));
            let data = json!({ "markPullRequestReadyForReview": { "pullRequest": pull } });
            judge(serde_json::from_value(data).unwrap())
        };
        assert!(said(Some(false)).is_ok());
        assert!(said(Some(true)).is_err());
        assert!(said(None).is_err());
    }
}
