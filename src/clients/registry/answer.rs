//! What a registry's status means.

use super::error::RegistryError;
use crate::clients::wire;
use crate::clients::wire::Answer;
use crate::domain::Timestamp;
use http::StatusCode;
use serde::Deserialize;

/// The pause after a rate limit that names none.
const DEFAULT_PAUSE_SECONDS: f64 = 60.0;

/// Lets a success pass, and turns every other answer into its error. `what` names the thing that
/// was asked for.
pub(super) fn judge(answer: Answer, what: &str, now: Timestamp) -> Result<Answer, RegistryError> {
    let status = answer.status;
    if status.is_success() {
        return Ok(answer);
    }
    let what = what.to_owned();
    Err(match status {
        // A page is a proxy's word. Taken for the registry's, it would turn an outage into
        // "this release has no image".
        StatusCode::NOT_FOUND if answer.is_page() => {
            RegistryError::malformed(format!("a page instead of {what}"))
        }
        StatusCode::NOT_FOUND => RegistryError::NotFound { what },
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
            RegistryError::Denied { what, message: message(&answer.body) }
        }
        StatusCode::TOO_MANY_REQUESTS => RegistryError::RateLimited {
            until: answer
                .retry_after(now)
                .unwrap_or_else(|| wire::after_seconds(DEFAULT_PAUSE_SECONDS, now)),
        },
        code if code.is_server_error() || code == StatusCode::REQUEST_TIMEOUT => {
            RegistryError::Transient {
                origin: None,
                what: format!("status {} for {what}", code.as_u16()),
            }
        }
        code => RegistryError::malformed(format!("status {} for {what}", code.as_u16())),
    })
}

#[derive(Deserialize)]
struct ErrorBody {
    errors: Vec<ErrorEntry>,
}

#[derive(Deserialize)]
struct ErrorEntry {
    code: String,
    #[serde(default)]
    message: String,
}

/// The registry's own words (distribution specification, "Error codes").
fn message(body: &[u8]) -> String {
    let errors =
        serde_json::from_slice::<ErrorBody>(body).map_or_else(|_| Vec::new(), |body| body.errors);
    errors.first().map_or_else(
        || "no reason given".to_owned(),
        |error| wire::excerpt(&format!("{} {}", error.code, error.message)),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::{HeaderMap, header::CONTENT_TYPE};

    fn verdict(status: u16, kind: &str, body: &str) -> String {
        let answer = Answer {
            status: StatusCode::from_u16(status).unwrap(),
            headers: HeaderMap::from_iter([(CONTENT_TYPE, kind.parse().unwrap())]),
            body: body.as_bytes().to_vec(),
        };
        judge(answer, "o/r:1", Timestamp::from_millis(0))
            .map_or_else(|error| error.to_string(), |_| "fine".to_owned())
    }

    #[test]
    fn each_answer_has_its_meaning() {
        let unknown = r#"{"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest unknown"}]}"#;
        let denied = r#"{"errors":[{"code":"DENIED","message":"denied"}]}"#;
        let json = "application/json";
        for (status, kind, body, expected) in [
            (200, json, "", "fine"),
            (404, json, unknown, "the registry knows no o/r:1"),
            (404, "text/plain", "", "the registry knows no o/r:1"),
            (
                404,
                "text/html; charset=utf-8",
                "<html>",
                "the registry's answer is malformed: a page instead of o/r:1",
            ),
            (403, json, denied, "the registry denies o/r:1: DENIED denied"),
            (401, "text/html", "<html>", "the registry denies o/r:1: no reason given"),
            (429, json, "", "the registry's rate limit holds until 1970-01-01T00:01:00Z"),
            (503, json, "", "the registry is out of reach: status 503 for o/r:1"),
            (408, json, "", "the registry is out of reach: status 408 for o/r:1"),
            (302, json, "", "the registry's answer is malformed: status 302 for o/r:1"),
            (400, json, "", "the registry's answer is malformed: status 400 for o/r:1"),
        ] {
            assert_eq!(verdict(status, kind, body), expected, "{status} {body}");
        }
    }
}
