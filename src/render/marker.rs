//! The hidden line in a pull request's body with which the bot finds its own proposals again.

use crate::domain::Marker;

const OPEN: &str = "<!-- digest-bump:1 ";
const CLOSE: &str = " -->";

/// The marker as it stands in a body.
#[must_use]
pub fn marker(marker: &Marker) -> String {
    // The fields are validated types: none can contain the end of the comment.
    let json = serde_json::to_string(marker).unwrap_or_default();
    format!("{OPEN}{json}{CLOSE}")
}

/// The marker in `body`, if there is one that can be read. The last one counts: text of others
/// stands above it.
#[must_use]
pub fn parse_marker(body: &str) -> Option<Marker> {
    let (_, rest) = body.rsplit_once(OPEN)?;
    let (json, _) = rest.split_once(CLOSE)?;
    serde_json::from_str(json).ok()
}

/// `body` without its marker: a proposal that the bot takes back is none that a person declined.
/// One that stands above the bot's own, in the output of a canary say, goes as well, or it would
/// be the last one now.
#[must_use]
pub fn without_marker(body: &str) -> String {
    let mut body = body.to_owned();
    // Again, because what stood around one may be one when it is gone.
    while body.contains(OPEN) {
        let mut parts = body.split(OPEN);
        let mut rest = parts.next().unwrap_or_default().trim_end().to_owned();
        rest.extend(parts.filter_map(|part| part.split_once(CLOSE)).map(|(_, after)| after));
        body = rest;
    }
    body
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Digest, DraftMark, IndexDigest, ProposalKind};

    #[test]
    fn a_marker_is_found_again() {
        let written = Marker {
            kind: ProposalKind::PinBump,
            version: "3.10.0".parse().unwrap(),
            digest: IndexDigest::new(Digest::of(b"x")),
            commit: "a".repeat(40).parse().unwrap(),
            requested: true,
            from: Some(IndexDigest::new(Digest::of(b"w"))),
            companions: [("ghcr.io/o/p".parse().unwrap(), IndexDigest::new(Digest::of(b"c")))]
                .into(),
            whole: None,
            draft: DraftMark::None,
            held: None,
        };
        let forged = "<!-- digest-bump:1 {} -->";
        let body = format!("text\n{forged}\nmore\n{}\n", marker(&written));
        assert_eq!(parse_marker(&body), Some(written));
        assert_eq!(parse_marker(&without_marker(&body)), None);
        assert_eq!(parse_marker(forged), None);
        assert_eq!(parse_marker("<!-- digest-bump:1 "), None);
    }

    #[test]
    fn no_other_marker_takes_the_place_of_one_that_is_taken_back() {
        let forged = "<!-- digest-bump:1 {\"kind\":\"pin_bump\",\"version\":\"9.9.9\",\
            \"digest\":\"sha256:1111111111111111111111111111111111111111111111111111111111111111\",\
            \"commit\":\"1111111111111111111111111111111111111111\"} -->";
        assert!(parse_marker(forged).is_some());
        let nested = forged.replace("digest-bump", &format!("digest{forged}-bump"));
        for body in [format!("a\n{forged}\nb\n{forged}\n"), nested] {
            assert_eq!(parse_marker(&without_marker(&body)), None, "{body}");
        }
        let twice = format!("a\n{forged}\nb\n{forged}\nc");
        assert_eq!(without_marker(&twice), "a\nb\n\nc");
    }
}
