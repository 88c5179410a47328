//! Releases, as the list endpoint gives them.

use super::{error::GithubError, json};
use crate::domain::{Invalid, ReleaseFacts, Timestamp};
use serde::Deserialize;

/// The fields that are read of a release.
#[derive(Deserialize)]
struct Wire {
    tag_name: String,
    draft: bool,
    prerelease: bool,
    created_at: String,
    /// Null while it is a draft.
    published_at: Option<String>,
    html_url: String,
    /// Null when nobody wrote notes.
    body: Option<String>,
}

/// Reads a page of the list of releases, in the order of the page.
pub(super) fn parse_list(body: &[u8]) -> Result<Vec<ReleaseFacts>, GithubError> {
    json::list::<Wire>(body, "release")?
        .into_iter()
        .enumerate()
        .map(|(index, wire)| {
            facts(wire).map_err(|error| GithubError::Malformed {
                what: format!("release {index} of the page"),
                source: Some(error.into()),
            })
        })
        .collect()
}

fn facts(wire: Wire) -> Result<ReleaseFacts, Invalid> {
    let published_at: Timestamp = wire.published_at.unwrap_or(wire.created_at).parse()?;
    Ok(ReleaseFacts {
        tag: wire.tag_name,
        draft: wire.draft,
        prerelease: wire.prerelease,
        published_at,
        url: wire.html_url,
        notes: wire.body.unwrap_or_default(),
        withdrawn: false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn a_page_of_releases_becomes_facts() {
        let page = json!([
            {"tag_name": "v1.1.0", "draft": true, "prerelease": false, "created_at": "2026-01-02T00:00:00Z",
             "published_at": null, "html_url": "https://github.com/o/r/releases/2", "body": null, "id": 2},
            {"tag_name": "2026.08.21.1", "draft": false, "prerelease": true, "created_at": "2026-01-01T00:00:00Z",
             "published_at": "2026-01-01T00:00:05Z", "html_url": "https://github.com/o/r/releases/1", "body": "## é"},
        ]);
        let facts = parse_list(page.to_string().as_bytes()).unwrap();
        assert_eq!(facts[0].published_at.to_string(), "2026-01-02T00:00:00Z");
        assert_eq!((facts[0].draft, facts[0].notes.as_str()), (true, ""));
        assert_eq!(facts[1].tag, "2026.08.21.1");
        assert_eq!(facts[1].published_at.to_string(), "2026-01-01T00:00:05Z");
        assert!(parse_list(b"[]").unwrap().is_empty());
    }

    #[test]
    fn a_faulty_release_is_named() {
        let good = r#"{"tag_name":"v1","draft":false,"prerelease":false,"created_at":"2026-01-02T00:00:00Z","published_at":null,"html_url":"u","body":null}"#;
        for (page, expected) in [
            (format!("[{good},{}]", good.replace("tag_name", "tag")), "release 1 of the page"),
            (
                format!("[{good},{good},{}]", good.replace("2026-01", "2026-13")),
                "release 2 of the page",
            ),
            (format!("[{good}"), "not a list of releases"),
            (r#"{"message":"Not Found"}"#.to_owned(), "not a list of releases"),
            ("<html>".to_owned(), "not a list of releases"),
        ] {
            let error = parse_list(page.as_bytes()).unwrap_err().to_string();
            assert_eq!(error, format!("github's answer is malformed: {expected}"));
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(body: Vec<u8>) {
            let _ = parse_list(&body);
        }
    }
}
