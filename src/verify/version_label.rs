//! Does each platform's label `org.opencontainers.image.version` name the tag?

use super::{Answer, failed, passed};
use crate::domain::ImageFacts;

/// One leading `v` is taken off first: a hand-run workflow of the producer labels with it. Which
/// form was seen is said.
pub(super) fn verify(image: &ImageFacts) -> Answer {
    let wanted = image.version.to_string();
    let mut forms = Vec::new();
    for part in &image.platforms {
        let Some(label) = part.version_label() else {
            return failed(format!("{} has no version label", part.platform));
        };
        if label.strip_prefix('v').unwrap_or(label) != wanted {
            let shown: String = label.chars().take(80).collect();
            return failed(format!("{} is labelled `{shown}`, not {wanted}", part.platform));
        }
        if !forms.contains(&label) {
            forms.push(label);
        }
    }
    if forms.is_empty() {
        return failed("there is no platform whose label could be read");
    }
    passed(format!("labelled {}", forms.join(" and ")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Digest, IndexDigest, Platform, PlatformDigest, PlatformFacts, Verdict};

    fn image(labels: &[Option<&str>]) -> ImageFacts {
        let part = |label: Option<&str>| PlatformFacts {
            platform: Platform("linux/amd64".to_owned()),
            digest: PlatformDigest::new(Digest::of(b"x")),
            labels: label
                .iter()
                .map(|text| ("org.opencontainers.image.version".to_owned(), (*text).to_owned()))
                .collect(),
        };
        ImageFacts {
            version: "3.10.0".parse().unwrap(),
            digest: IndexDigest::new(Digest::of(b"index")),
            platforms: labels.iter().copied().map(part).collect(),
        }
    }

    #[test]
    fn the_label_must_name_the_tag() {
        let cases = [
            (&[Some("3.10.0"), Some("3.10.0")][..], Verdict::Passed, "labelled 3.10.0"),
            (&[Some("v3.10.0")], Verdict::Passed, "labelled v3.10.0"),
            (&[Some("3.10.0"), Some("v3.10.0")], Verdict::Passed, "3.10.0 and v3.10.0"),
            (&[Some("vv3.10.0")], Verdict::Failed, "`vv3.10.0`, not 3.10.0"),
            (&[Some("3.10.0"), Some("3.11.0")], Verdict::Failed, "`3.11.0`"),
            (&[Some("3.10")], Verdict::Failed, "`3.10`"),
            (&[None], Verdict::Failed, "no version label"),
            (&[], Verdict::Failed, "no platform"),
        ];
        for (labels, verdict, text) in cases {
            let Answer { verdict: found, summary, .. } = verify(&image(labels));
            assert_eq!(found, verdict, "{labels:?}");
            assert!(summary.contains(text), "{summary}");
        }
    }
}
