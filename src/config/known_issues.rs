//! The known issues of an image, from the file that ships or from another one.

use crate::domain::{CorruptTag, Held, ImageName, KnownIssues, Version};
use serde::Deserialize;
use std::collections::BTreeSet;

/// The words of the config that are no file's name.
const SHIPPED: &str = "shipped";
const NONE: &str = "none";

/// What ships.
const FILE: &str = include_str!("../../config/known-issues.toml");

/// The whole file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    image: Vec<Image>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Image {
    name: String,
    #[serde(default)]
    missing: Vec<Version>,
    #[serde(default)]
    corrupt: Vec<Corrupt>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Corrupt {
    tag: Version,
    revision: Option<String>,
    version: Option<Version>,
    what: Option<String>,
}

/// What is known of `image`, by the config's word for where that stands.
pub(super) fn read(word: &str, image: &ImageName) -> Result<KnownIssues, String> {
    match word {
        NONE => Ok(KnownIssues::default()),
        SHIPPED => parse(FILE, image),
        path => {
            let text = std::fs::read_to_string(path).map_err(|error| format!("{path}: {error}"))?;
            parse(&text, image).map_err(|why| format!("{path}: {why}"))
        }
    }
}

fn parse(text: &str, image: &ImageName) -> Result<KnownIssues, String> {
    let file: File = toml::from_str(text).map_err(|error| error.to_string().trim().to_owned())?;
    // Every entry has to make sense, also those of other images.
    let mut known = KnownIssues::default();
    for entry in file.image {
        let name: ImageName = entry.name.parse().map_err(|error| format!("{error}"))?;
        let mut tags = BTreeSet::new();
        let mut corrupt = Vec::new();
        for raw in entry.corrupt {
            if !tags.insert(raw.tag.clone()) {
                return Err(format!("{name}: the tag {} stands twice", raw.tag));
            }
            corrupt.push(corrupt_tag(raw).map_err(|why| format!("{name}: {why}"))?);
        }
        if name == *image {
            known.corrupt.extend(corrupt);
            known.missing.extend(entry.missing);
        }
    }
    Ok(known)
}

fn corrupt_tag(raw: Corrupt) -> Result<CorruptTag, String> {
    let Corrupt { tag, revision, version, what } = raw;
    let holds = match (version, what) {
        (Some(version), None) if version != tag => Held::Release(version),
        (None, Some(what)) => Held::Something(what),
        _ => {
            let text = "needs either another `version` or `what`";
            return Err(format!("the tag {tag} {text}"));
        }
    };
    let hexadecimal = |text: &String| {
        text.len() >= 7 && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
    };
    if let Some(revision) = revision.as_ref().filter(|text| !hexadecimal(text)) {
        return Err(format!("the tag {tag}: `{revision}` is not how a commit's id begins"));
    }
    Ok(CorruptTag { tag, revision, holds })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn image() -> ImageName {
        "ghcr.io/toon-protocol/connector".parse().unwrap()
    }

    #[test]
    fn what_ships_is_what_the_release_contract_says() {
        let known = read(SHIPPED, &image()).unwrap();
        let mut lines: Vec<String> = known.corrupt.iter().map(CorruptTag::sentence).collect();
        lines.extend(known.missing.iter().filter_map(|version| known.missing(version)));
        insta::assert_snapshot!(lines.join("\n"), @"
        the tag 3.4.2 is known to hold the content of 3.5.0
        the tag 3.4.1 is known to hold the content of 3.4.2
        the tag 3.4.0 is known to hold the content of 3.4.1
        the tag 3.3.3 is known to hold the content of 3.4.0
        the tag 3.3.2 is known to hold something that is one release ahead
        the tag 3.3.1 is known to hold something that is one release ahead
        the tag 3.3.0 is known to hold the first release of another shape of the workflow
        there is no image 3.5.0: its content is under the tag 3.4.2
        ");
        assert!(known.corrupt.iter().all(|corrupt| corrupt.revision.is_some()));
        assert!(read(SHIPPED, &"ghcr.io/o/other".parse().unwrap()).unwrap().is_empty());
        assert!(read(NONE, &image()).unwrap().is_empty());
    }

    #[test]
    fn a_file_that_makes_no_sense_says_where() {
        let entry = |text: &str| {
            format!(
                "[[image]]\nname = \"ghcr.io/o/other\"\n[[image.corrupt]]\ntag = \"1.0.0\"\n{text}"
            )
        };
        for (text, expected) in [
            (entry(""), "the tag 1.0.0 needs either another `version` or `what`"),
            (entry("version = \"1.0.0\""), "needs either another `version`"),
            (entry("version = \"1.1.0\"\nwhat = \"x\""), "needs either another `version`"),
            (entry("what = \"x\"\nrevision = \"main\""), "`main` is not how a commit's id begins"),
            (entry("what = \"x\"\nlabel = \"1.0.0\""), "unknown field `label`"),
            (
                entry("what = \"x\"\n[[image.corrupt]]\ntag = \"1.0.0\"\nwhat = \"y\""),
                "stands twice",
            ),
            ("[[image]]\nname = \"connector\"".to_owned(), "an image name"),
            ("[[image]]\nname = \"ghcr.io/o/p\"\nmissing = [\"1.0\"]".to_owned(), "version"),
        ] {
            let why = parse(&text, &image()).unwrap_err();
            assert!(why.contains(expected), "{expected}: {why}");
        }
    }
}
