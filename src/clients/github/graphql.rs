//! What GitHub offers by GraphQL alone: how it is asked, and how it refuses.

use super::{error::GithubError, headers, json, transport::Transport};
use crate::clients::wire;
use crate::domain::Timestamp;
use http::Method;
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};

#[derive(Deserialize)]
struct Answer<T> {
    data: Option<T>,
    #[serde(default)]
    errors: Vec<Fault>,
}

#[derive(Deserialize)]
struct Fault {
    #[serde(default, rename = "type")]
    kind: String,
    message: String,
}

/// Asks. `what` names the thing that is asked about.
pub(super) async fn ask<T: DeserializeOwned>(
    transport: &Transport,
    query: &str,
    variables: Value,
    what: &str,
) -> Result<T, GithubError> {
    let text = json!({ "query": query, "variables": variables });
    let url = transport.graphql_url();
    let answer = transport.write_to(Method::POST, &url, &text, "GraphQL").await?;
    parse(&answer.body, what, headers::limit_ends(&answer, transport.now()))
}

/// Reads an answer: GraphQL refuses with status 200. A rate limit that it speaks of ends at `limit_ends`.
fn parse<T: DeserializeOwned>(
    body: &[u8],
    what: &str,
    limit_ends: Timestamp,
) -> Result<T, GithubError> {
    // What was refused is null in the data, whatever its type is.
    let refused: Answer<Value> = json::object(body, "GraphQL answer")?;
    if let Some(fault) = refused.errors.first() {
        let message = wire::excerpt(&fault.message);
        return Err(match fault.kind.as_str() {
            // It may come with any kind, or with none.
            _ if headers::is_secondary_limit(&message) => {
                GithubError::RateLimited { until: limit_ends }
            }
            "FORBIDDEN" | "INSUFFICIENT_SCOPES" => GithubError::Denied { status: 200, message },
            "RATE_LIMITED" | "RATE_LIMIT" => GithubError::RateLimited { until: limit_ends },
            "NOT_FOUND" => GithubError::NotFound { what: what.to_owned() },
            _ if is_denial(&message) => GithubError::Denied { status: 200, message },
            _ => GithubError::Rejected { status: 200, message },
        });
    }
    let answer: Answer<T> = json::object(body, "GraphQL answer")?;
    answer.data.ok_or_else(|| GithubError::malformed("a GraphQL answer without its data"))
}

/// Whether a refusal is about what the token may do, though it is of no kind that says so: that is
/// how GitHub guards workflow files.
fn is_denial(message: &str) -> bool {
    message.to_ascii_lowercase().starts_with("refusing to allow")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_one_whatever_its_status() {
        let said = |body: Value| {
            let until = Timestamp::from_millis(1_000_000_000);
            parse::<Value>(body.to_string().as_bytes(), "pull request", until)
                .map_err(|error| error.to_string())
        };
        assert_eq!(said(json!({"data": {"a": 1}})), Ok(json!({"a": 1})));
        let refused = |kind: &str, message: &str| json!({"data": {"a": null}, "errors": [{"type": kind, "message": message}]});
        assert_eq!(said(refused("FORBIDDEN", "no")), Err("github denies it (200): no".to_owned()));
        assert_eq!(
            said(refused("NOT_FOUND", "no")),
            Err("github knows no pull request".to_owned())
        );
        assert_eq!(
            said(refused("UNPROCESSABLE", "it is closed")),
            Err("github rejects it (200): it is closed".to_owned())
        );
        let workflows = "refusing to allow a GitHub App to create or update workflow `a.yml` \
                         without `workflows` permission";
        assert_eq!(
            said(refused("UNPROCESSABLE", workflows)),
            Err(format!("github denies it (200): {workflows}"))
        );
        assert_eq!(
            said(refused("RATE_LIMITED", "API rate limit exceeded")),
            Err("github's rate limit holds until 1970-01-12T13:46:40Z".to_owned())
        );
        let secondary = "You have exceeded a secondary rate limit. Please wait a few minutes.";
        for body in [
            json!({"data": null, "errors": [{"message": secondary}]}),
            json!({"errors": [{"message": secondary}]}),
            refused("FORBIDDEN", secondary),
        ] {
            assert_eq!(
                said(body),
                Err("github's rate limit holds until 1970-01-12T13:46:40Z".to_owned())
            );
        }
        assert!(said(json!({})).is_err());
    }
}
