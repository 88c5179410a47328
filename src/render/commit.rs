//! The message of the commit that moves a pin.

use crate::domain::{Bump, ImageName, Pin};
use std::fmt::Write as _;

/// All of the message below its title: what `dependabot/fetch-metadata` reads, so that workflows
/// which label or approve by it take these pull requests as well, and at its end the digest.
///
/// `bump` is what the release is after all, not what its version says: who approves MINORs
/// unseen must not be shown one that breaks. `moved` are the companion images that move as well.
#[must_use]
pub fn commit_message(from: &Pin, to: &Pin, bump: Bump, moved: &[&ImageName]) -> String {
    let mut out = format!("Bumps {} from {} to {}.\n", to.image, from.version, to.version);
    for name in moved {
        let _ = writeln!(out, "Updates `{name}` to {}", to.version);
    }
    let update = match bump {
        // What leads nowhere or back is not to be approved unseen.
        Bump::Major | Bump::None => "major",
        Bump::Minor => "minor",
        Bump::Patch => "patch",
    };
    out.push_str("\n---\nupdated-dependencies:\n");
    for name in std::iter::once(&to.image).chain(moved.iter().copied()) {
        let _ = write!(
            out,
            "- dependency-name: {name}\n  dependency-version: {}\n  dependency-type: \
             direct:production\n  update-type: version-update:semver-{update}\n",
            to.version
        );
    }
    // That action wants something behind its block: GitHub cuts the last line end off.
    let _ = write!(out, "...\n\n{}@{}\n", to.image, to.digest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Digest, IndexDigest};
    use regex::Regex;

    /// What `dependabot/fetch-metadata` makes of a commit's message, after its documentation and its
    /// regular expressions: version before and after, and of each dependency its entries.
    fn read(message: &str) -> (String, String, Vec<Vec<(String, String)>>) {
        let bumps = Regex::new(r"(?m)^Bumps .* from (v?\d[^ ]*) to (v?\d[^ ]*)\.$").unwrap();
        let versions = bumps.captures(message).expect("the versions");
        let block = Regex::new(r"(?m)^-{3}\n([\S\s]*?)\n^\.{3}\n").unwrap();
        let block = block.captures(message).expect("a block with something behind it");
        let list = block[1].strip_prefix("updated-dependencies:\n").expect("the list");
        let entry = |text: &str| {
            let pairs = text.lines().map(|line| line.trim().split_once(": ").expect("a pair"));
            pairs.map(|(key, value)| (key.to_owned(), value.to_owned())).collect()
        };
        let list = list.strip_prefix("- ").expect("a list").split("\n- ").map(entry).collect();
        (versions[1].to_owned(), versions[2].to_owned(), list)
    }

    #[test]
    fn fetch_metadata_reads_what_is_updated_and_how_far() {
        let pin = |version: &str| Pin {
            image: "ghcr.io/o/connector".parse().unwrap(),
            version: version.parse().unwrap(),
            digest: IndexDigest::new(Digest::of(version.as_bytes())),
        };
        let sidecar = "localhost:5000/o/sidecar".parse().unwrap();
        let (from, to) = (pin("3.9.3"), pin("3.10.0"));
        for (bump, moved, update) in [
            (Bump::Patch, vec![], "version-update:semver-patch"),
            (Bump::Minor, vec![&sidecar], "version-update:semver-minor"),
            // A MINOR by its version, and a MAJOR after all.
            (Bump::Major, vec![&sidecar], "version-update:semver-major"),
        ] {
            let message = commit_message(&from, &to, bump, &moved);
            // GitHub gives the message without the line end behind it.
            let (before, after, entries) = read(message.trim_end());
            assert_eq!((before.as_str(), after.as_str()), ("3.9.3", "3.10.0"));
            let names =
                std::iter::once(to.image.as_str()).chain(moved.iter().map(|it| it.as_str()));
            for (entry, name) in entries.iter().zip(names) {
                let expected = [
                    ("dependency-name", name),
                    ("dependency-version", "3.10.0"),
                    ("dependency-type", "direct:production"),
                    ("update-type", update),
                ];
                let expected = expected.map(|(key, value)| (key.to_owned(), value.to_owned()));
                assert_eq!(entry[..], expected);
            }
            assert_eq!(entries.len(), 1 + moved.len());
            assert!(message.ends_with(&format!("{}@{}\n", to.image, to.digest)));
        }
    }
}
