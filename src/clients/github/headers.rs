//! What GitHub says in headers and in error bodies, and what it means.

use super::error::GithubError;
use crate::clients::link;
use crate::clients::wire;
use crate::clients::wire::Answer;
use crate::domain::Timestamp;
use http::StatusCode;
use reqwest::Url;
use serde::Deserialize;
use std::time::Duration;

/// The pause after a secondary limit that names none, as GitHub's documentation asks for.
const SECONDARY_PAUSE: Duration = Duration::from_mins(1);

/// Lets a success pass, and turns every other answer into its error. `what` names the thing that
/// was asked for.
pub(super) fn judge(answer: Answer, what: &str, now: Timestamp) -> Result<Answer, GithubError> {
    if answer.status.is_success() {
        return Ok(answer);
    }
    let message = message(&answer.body);
    if let Some(until) = limited_until(&answer, &message, now) {
        return Err(GithubError::RateLimited { until });
    }
    let status = answer.status.as_u16();
    Err(match answer.status {
        StatusCode::NOT_FOUND | StatusCode::GONE => GithubError::NotFound { what: what.to_owned() },
        StatusCode::UNAUTHORIZED
        | StatusCode::FORBIDDEN
        | StatusCode::UNAVAILABLE_FOR_LEGAL_REASONS => {
            GithubError::Denied { status, message: with_permission(message, &answer) }
        }
        StatusCode::REQUEST_TIMEOUT => transient(status),
        code if code.is_server_error() => transient(status),
        code if code.is_client_error() => GithubError::Rejected { status, message },
        _ => GithubError::malformed(format!("status {status} for {what}")),
    })
}

/// Whether the answer says that it is not the thing that is closed, but the token that does not open
/// it.
pub(super) fn is_kept_from_the_token(answer: &Answer) -> bool {
    answer.status == StatusCode::FORBIDDEN
        && message(&answer.body).starts_with("Resource not accessible by ")
}

/// GitHub names the permissions that would do beside its refusal, which only says that one is
/// missing.
fn with_permission(message: String, answer: &Answer) -> String {
    match answer.header("x-accepted-github-permissions").map(wire::excerpt) {
        Some(needed) if !needed.is_empty() => format!("{message} (it takes {needed})"),
        _ => message,
    }
}

fn transient(status: u16) -> GithubError {
    GithubError::Transient { origin: None, what: format!("status {status}") }
}

/// When the limit that this answer speaks of ends; `None` if it speaks of none.
fn limited_until(answer: &Answer, message: &str, now: Timestamp) -> Option<Timestamp> {
    let refused = answer.status == StatusCode::FORBIDDEN;
    if !refused && answer.status != StatusCode::TOO_MANY_REQUESTS {
        return None;
    }
    let spent = answer.header("x-ratelimit-remaining").map(str::trim) == Some("0");
    if spent || answer.retry_after(now).is_some() {
        return Some(limit_ends(answer, now));
    }
    (!refused || is_secondary_limit(message)).then(|| now + SECONDARY_PAUSE)
}

/// Whether GitHub's words are about the secondary limit. It has answered without any header; only its
/// words tell it from a missing permission.
pub(super) fn is_secondary_limit(message: &str) -> bool {
    message.to_ascii_lowercase().contains("secondary rate limit")
}

/// When the rate limit that `answer` is known to speak of ends, by its headers.
pub(super) fn limit_ends(answer: &Answer, now: Timestamp) -> Timestamp {
    let reset = || answer.header("x-ratelimit-reset").and_then(|text| reset_at(text, now));
    let spent = answer.header("x-ratelimit-remaining").map(str::trim) == Some("0");
    let until = answer.retry_after(now).or_else(|| spent.then(reset).flatten());
    until.unwrap_or(now + SECONDARY_PAUSE)
}

/// Reads `x-ratelimit-reset`: seconds since the epoch.
fn reset_at(text: &str, now: Timestamp) -> Option<Timestamp> {
    let seconds: i64 = text.trim().parse().ok()?;
    let reset = Timestamp::from_millis(seconds.saturating_mul(1000));
    Some(wire::after_seconds(reset.since(now).as_secs_f64(), now))
}

#[derive(Deserialize)]
struct ErrorBody {
    message: String,
    #[serde(default)]
    errors: Vec<serde_json::Value>,
}

/// GitHub's own words: the message, and what its list of errors adds.
fn message(body: &[u8]) -> String {
    let Ok(error) = serde_json::from_slice::<ErrorBody>(body) else {
        return "no reason given".to_owned();
    };
    let details = error.errors.iter().filter_map(detail);
    let words: Vec<String> = std::iter::once(error.message.clone()).chain(details).collect();
    wire::excerpt(&words.join(": "))
}

/// One entry of an error's list: its own words, or which field is at fault and how.
fn detail(entry: &serde_json::Value) -> Option<String> {
    let text = |key: &str| entry.get(key)?.as_str();
    let words = entry.as_str().or_else(|| text("message")).map(str::to_owned);
    words.or_else(|| {
        let code = text("code")?;
        Some(text("field").map_or_else(|| code.to_owned(), |field| format!("{field} {code}")))
    })
}

/// The URL of the next page, if the answer names one.
///
/// It has to be below `base`, where the token may go: a foreign host would be asked without it,
/// and what it answers would be taken for GitHub's.
pub(super) fn next_page(
    answer: &Answer,
    asked: &Url,
    base: &Url,
) -> Result<Option<Url>, GithubError> {
    let target = link::next(&answer.headers);
    target.map(|target| inside(&target, asked, base)).transpose()
}

/// Resolves `target` against `from`, if it stays below `base`.
pub(super) fn inside(target: &str, from: &Url, base: &Url) -> Result<Url, GithubError> {
    let url = from
        .join(target)
        .map_err(|_| GithubError::malformed("it leads to something that is no url"))?;
    if url.origin() == base.origin() && url.path().starts_with(base.path()) {
        Ok(url)
    } else {
        Err(GithubError::malformed("it leads to a url outside of this github"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NOW: Timestamp = Timestamp::from_millis(1_000_000_000);

    fn answer(status: u16, headers: &[(&'static str, &str)], body: &str) -> Answer {
        Answer {
            status: StatusCode::from_u16(status).unwrap(),
            headers: headers
                .iter()
                .map(|(name, value)| (http::HeaderName::from_static(name), value.parse().unwrap()))
                .collect(),
            body: body.as_bytes().to_vec(),
        }
    }

    fn verdict(status: u16, headers: &[(&'static str, &str)], body: &str) -> String {
        judge(answer(status, headers, body), "release", NOW)
            .map_or_else(|error| error.to_string(), |_| "fine".to_owned())
    }

    #[test]
    fn each_answer_has_its_meaning() {
        let bad = r#"{"message":"Bad credentials"}"#;
        for (status, body, expected) in [
            (200, "", "fine"),
            (201, "", "fine"),
            (401, bad, "github denies it (401): Bad credentials"),
            (403, bad, "github denies it (403): Bad credentials"),
            (403, "<html>", "github denies it (403): no reason given"),
            (404, bad, "github knows no release"),
            (410, bad, "github knows no release"),
            (408, "", "github is out of reach: status 408"),
            (500, "", "github is out of reach: status 500"),
            (502, "<html>", "github is out of reach: status 502"),
            (409, bad, "github rejects it (409): Bad credentials"),
            (302, "", "github's answer is malformed: status 302 for release"),
        ] {
            assert_eq!(verdict(status, &[], body), expected, "{status} {body}");
        }
    }

    #[test]
    fn a_rejection_says_everything_that_github_said() {
        let body = r#"{"message":"Validation Failed","errors":[{"resource":"PullRequest","code":"custom","message":"A pull request already exists for o:b."},"also this",{"code":"invalid"},{"field":"base","code":"invalid"},7]}"#;
        assert_eq!(
            verdict(422, &[], body),
            "github rejects it (422): Validation Failed: A pull request already exists for o:b.: also this: invalid: base invalid"
        );
    }

    #[test]
    fn a_rate_limit_is_known_by_any_of_its_signs() {
        let secondary = r#"{"message":"You have exceeded a secondary rate limit."}"#;
        let after = |status, headers: &[(&'static str, &str)], body: &str| match judge(
            answer(status, headers, body),
            "x",
            NOW,
        ) {
            Err(GithubError::RateLimited { until }) => Some(until.since(NOW).as_secs_f64()),
            _ => None,
        };
        let (empty, reset) = (("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "1000090"));
        assert_eq!(after(403, &[("retry-after", "2.5")], "{}"), Some(2.5));
        assert_eq!(after(429, &[("retry-after", "7")], "{}"), Some(7.0));
        assert_eq!(after(403, &[empty, reset], "{}"), Some(90.0));
        assert_eq!(after(429, &[empty, reset], "{}"), Some(90.0));
        assert_eq!(after(403, &[empty, ("x-ratelimit-reset", "1")], "{}"), Some(1.0));
        assert_eq!(after(403, &[empty], "{}"), Some(60.0));
        assert_eq!(after(429, &[], ""), Some(60.0));
        assert_eq!(after(403, &[], secondary), Some(60.0));
        assert_eq!(after(403, &[("x-ratelimit-remaining", "12")], "{}"), None);
        assert_eq!(after(404, &[empty, reset], "{}"), None);
    }

    #[test]
    fn a_link_stays_inside() {
        let base: Url = "https://ghe.example/api/v3".parse().unwrap();
        let from: Url = "https://ghe.example/api/v3/x?page=1".parse().unwrap();
        let go = |target| inside(target, &from, &base).ok().map(|url| url.to_string());
        assert_eq!(go("?page=2").unwrap(), "https://ghe.example/api/v3/x?page=2");
        assert_eq!(go("/api/v3/y").unwrap(), "https://ghe.example/api/v3/y");
        for outside in [
            "https://evil.example/api/v3/x",
            "http://ghe.example/api/v3/x",
            "/login",
            "https://ghe.example:444/api/v3/x",
            "//evil.example/api/v3",
        ] {
            assert_eq!(go(outside), None, "{outside}");
        }
    }

    proptest! {
        #[test]
        fn no_header_and_no_body_makes_it_panic(text: String, body: Vec<u8>) {
            let _ = reset_at(&text, NOW);
            let _ = message(&body);
        }
    }
}
