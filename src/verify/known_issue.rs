//! Is the tag known to hold something else? Where tag, label and signature agree, only a list says.

use super::{Answer, failed, passed};
use crate::domain::{CorruptTag, ImageFacts, KnownIssues};

pub(super) fn verify(image: &ImageFacts, known: &KnownIssues) -> Answer {
    if let Some(corrupt) = known.of_tag(&image.version) {
        let mut sentence = corrupt.sentence();
        if let Some(other) = other_revision(image, corrupt) {
            sentence = format!("{sentence}; but {other}: the list may be out of date");
        }
        return failed(sentence).named("corrupt_tag");
    }
    let mut answer = passed("nothing is known against it").named("nothing_known");
    if let Some(missing) = known.missing(&image.version) {
        let point = format!("the list of known issues says that {missing}; now there is one");
        answer.summary.clone_from(&point);
        answer.detail.points.push(point);
    }
    answer
}

/// That an image has another revision label than the one that is listed, if so.
fn other_revision(image: &ImageFacts, corrupt: &CorruptTag) -> Option<String> {
    let listed = corrupt.revision.as_ref()?;
    let mut revisions = image.platforms.iter().filter_map(|part| part.revision());
    let other = revisions.find(|label| !label.starts_with(listed.as_str()))?;
    let shown: String = other.chars().take(40).collect();
    Some(format!("its revision label is `{shown}`, not the listed {listed}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{
        Digest, Held, IndexDigest, Platform, PlatformDigest, PlatformFacts, Verdict,
    };

    fn image(version: &str, revision: &str) -> ImageFacts {
        let name = "org.opencontainers.image.revision".to_owned();
        ImageFacts {
            version: version.parse().unwrap(),
            digest: IndexDigest::new(Digest::of(b"index")),
            platforms: vec![PlatformFacts {
                platform: Platform("linux/amd64".to_owned()),
                digest: PlatformDigest::new(Digest::of(b"x")),
                labels: std::iter::once((name, revision.to_owned())).collect(),
            }],
        }
    }

    #[test]
    fn what_is_listed_fails_whatever_its_label_says() {
        let known = KnownIssues {
            corrupt: vec![CorruptTag {
                tag: "1.1.0".parse().unwrap(),
                revision: Some("f87d7b9b".to_owned()),
                holds: Held::Release("1.2.0".parse().unwrap()),
            }],
            missing: vec!["1.2.0".parse().unwrap()],
        };
        for (version, revision, verdict, summary) in [
            (
                "1.1.0",
                "f87d7b9b0000",
                Verdict::Failed,
                "the tag 1.1.0 is known to hold the content of 1.2.0",
            ),
            (
                "1.1.0",
                "0000000",
                Verdict::Failed,
                "the tag 1.1.0 is known to hold the content of 1.2.0; but its revision label is \
                 `0000000`, not the listed f87d7b9b: the list may be out of date",
            ),
            ("1.3.0", "f87d7b9b", Verdict::Passed, "nothing is known against it"),
            (
                "1.2.0",
                "f87d7b9b",
                Verdict::Passed,
                "the list of known issues says that there is no image 1.2.0: its content is under \
                 the tag 1.1.0; now there is one",
            ),
        ] {
            let answer = verify(&image(version, revision), &known);
            assert_eq!((answer.verdict, answer.summary.as_str()), (verdict, summary));
            assert_eq!(answer.detail.points.len(), usize::from(version == "1.2.0"));
        }
    }
}
