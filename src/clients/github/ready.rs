//! Marking a draft as ready for review, and making a pull request a draft.

use super::{error::GithubError, graphql, writer::Writer};
use crate::domain::Timestamp;
use serde::Deserialize;
use serde_json::json;

const READY: &str = "mutation($id: ID!) { done: markPullRequestReadyForReview(input: \
    {pullRequestId: $id}) { pullRequest { isDraft updatedAt } } }";
const DRAFT: &str = "mutation($id: ID!) { done: convertPullRequestToDraft(input: \
    {pullRequestId: $id}) { pullRequest { isDraft updatedAt } } }";

#[derive(Deserialize)]
struct Data {
    done: Option<Payload>,
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
    #[serde(rename = "updatedAt")]
    updated_at: Option<String>,
}

impl Writer {
    /// Marks the pull request with this node id as ready for review; gives when that was, if it is
    /// told.
    ///
    /// # Errors
    /// As [`GithubError`] says; [`GithubError::Denied`] if the token may not, and
    /// [`GithubError::Rejected`] if it is closed.
    pub async fn mark_ready(&self, node_id: &str) -> Result<Option<Timestamp>, GithubError> {
        let variables = json!({ "id": node_id });
        let data = graphql::ask(&self.transport, READY, variables, "pull request").await?;
        judge(data, false)
    }

    /// Makes the pull request with this node id a draft; gives when that was, if it is told.
    ///
    /// # Errors
    /// As there.
    pub async fn make_draft(&self, node_id: &str) -> Result<Option<Timestamp>, GithubError> {
        let variables = json!({ "id": node_id });
        let data = graphql::ask(&self.transport, DRAFT, variables, "pull request").await?;
        judge(data, true)
    }
}

fn judge(data: Data, draft: bool) -> Result<Option<Timestamp>, GithubError> {
    match data.done.and_then(|done| done.pull) {
        Some(pull) if pull.is_draft == draft => Ok(pull.updated_at.and_then(|at| at.parse().ok())),
        Some(_) if draft => Err(GithubError::malformed("the pull request is still no draft")),
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
            let data = json!({ "done": { "pullRequest": pull } });
            judge(serde_json::from_value(data).unwrap(), false)
        };
        assert!(said(Some(false)).is_ok());
        assert!(said(Some(true)).is_err());
        assert!(said(None).is_err());
    }
}
