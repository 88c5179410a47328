//! JSON bodies, and where they are wrong.

use super::error::GithubError;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde_json::Value;

/// Reads an array of `noun`s; the error names the first one that cannot be read.
pub(super) fn list<T: DeserializeOwned>(body: &[u8], noun: &str) -> Result<Vec<T>, GithubError> {
    serde_json::from_slice(body).map_err(|error| GithubError::Malformed {
        what: where_wrong::<T>(body, noun),
        source: Some(error.into()),
    })
}

/// Reads one object.
pub(super) fn object<T: DeserializeOwned>(body: &[u8], noun: &str) -> Result<T, GithubError> {
    serde_json::from_slice(body).map_err(|error| GithubError::Malformed {
        what: format!("not a {noun}"),
        source: Some(error.into()),
    })
}

/// Makes sure that a body is a whole array before anybody remembers it.
pub(super) fn check_list(body: &[u8], noun: &str) -> Result<(), GithubError> {
    list::<IgnoredAny>(body, noun).map(drop)
}

fn where_wrong<T: DeserializeOwned>(body: &[u8], noun: &str) -> String {
    let elements: Vec<Value> = serde_json::from_slice(body).unwrap_or_default();
    elements
        .into_iter()
        .position(|element| serde_json::from_value::<T>(element).is_err())
        .map_or_else(
            || format!("not a list of {noun}s"),
            |index| format!("{noun} {index} of the page"),
        )
}
