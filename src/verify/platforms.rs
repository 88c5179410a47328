//! Is every promised platform in the index?

use super::{Answer, failed, passed};
use crate::domain::{ImageFacts, Platform};

/// Attestation entries were left out when the index was read. That an image is an index proves
/// nothing: a build for one platform with an attestation is one too.
pub(super) fn verify(image: &ImageFacts, promised: &[Platform]) -> Answer {
    let there: Vec<&Platform> = image.platforms.iter().map(|part| &part.platform).collect();
    let list = |platforms: &[&Platform]| {
        platforms.iter().map(|platform| platform.0.as_str()).collect::<Vec<_>>().join(", ")
    };
    let missing: Vec<&Platform> = promised.iter().filter(|want| !there.contains(want)).collect();
    if missing.is_empty() {
        passed(list(&there))
    } else if there.is_empty() {
        failed(format!("the image lacks {}; it has no platform at all", list(&missing)))
    } else {
        failed(format!("the image lacks {}; it has {}", list(&missing), list(&there)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Digest, IndexDigest, PlatformDigest, PlatformFacts, Verdict};

    fn image(platforms: &[&str]) -> ImageFacts {
        let part = |name: &&str| PlatformFacts {
            platform: Platform((*name).to_owned()),
            digest: PlatformDigest::new(Digest::of(name.as_bytes())),
            labels: std::collections::BTreeMap::new(),
        };
        ImageFacts {
            version: "1.0.0".parse().unwrap(),
            digest: IndexDigest::new(Digest::of(b"index")),
            platforms: platforms.iter().map(part).collect(),
        }
    }

    #[test]
    fn each_promised_platform_counts_and_others_do_no_harm() {
        let promised: Vec<_> = ["linux/amd64", "linux/arm64"].map(|p| Platform(p.into())).into();
        let cases = [
            (&["linux/amd64", "linux/arm64"][..], Verdict::Passed, "linux/amd64, linux/arm64"),
            (&["linux/arm64", "linux/s390x", "linux/amd64"], Verdict::Passed, "s390x"),
            (&["linux/amd64"], Verdict::Failed, "lacks linux/arm64; it has linux/amd64"),
            (&[], Verdict::Failed, "no platform at all"),
        ];
        for (there, verdict, text) in cases {
            let Answer { verdict: found, summary, .. } = verify(&image(there), &promised);
            assert_eq!(found, verdict, "{there:?}");
            assert!(summary.contains(text), "{summary}");
        }
    }
}
