//! What is known of an image's tags although no check can find it out.

use super::Version;

/// Everything that is known of one image. Data, from a file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KnownIssues {
    /// The tags that hold something else than they say.
    pub corrupt: Vec<CorruptTag>,
    /// The releases that have no tag of their own.
    pub missing: Vec<Version>,
}

/// A tag that holds something else than it and its label say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CorruptTag {
    /// The tag.
    pub tag: Version,
    /// How its revision label begins, if that is known.
    pub revision: Option<String>,
    /// What it holds instead.
    pub holds: Held,
}

/// What a corrupt tag holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Held {
    /// The content of this release.
    Release(Version),
    /// In words that complete "the tag holds …".
    Something(String),
}

impl KnownIssues {
    /// Whether nothing is known.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.corrupt.is_empty() && self.missing.is_empty()
    }

    /// What is known of the tag of `version`.
    #[must_use]
    pub fn of_tag(&self, version: &Version) -> Option<&CorruptTag> {
        self.corrupt.iter().find(|corrupt| corrupt.tag == *version)
    }

    /// The tag that the content of `version` is under, where it is not its own.
    #[must_use]
    pub fn tag_that_holds(&self, version: &Version) -> Option<&Version> {
        let holds = |corrupt: &&CorruptTag| corrupt.holds == Held::Release(version.clone());
        self.corrupt.iter().find(holds).map(|corrupt| &corrupt.tag)
    }

    /// That the release has no tag of its own, and where its content is; `None` if it has one.
    #[must_use]
    pub fn missing(&self, version: &Version) -> Option<String> {
        self.missing.contains(version).then(|| match self.tag_that_holds(version) {
            Some(tag) => format!("there is no image {version}: its content is under the tag {tag}"),
            None => format!("there is no image {version}"),
        })
    }
}

impl CorruptTag {
    /// What it really holds, for a maintainer.
    #[must_use]
    pub fn sentence(&self) -> String {
        let tag = &self.tag;
        match &self.holds {
            Held::Release(version) => {
                format!("the tag {tag} is known to hold the content of {version}")
            }
            Held::Something(what) => format!("the tag {tag} is known to hold {what}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_is_found_where_it_is() {
        let version = |text: &str| text.parse::<Version>().unwrap();
        let corrupt = |tag, holds| CorruptTag { tag: version(tag), revision: None, holds };
        let known = KnownIssues {
            corrupt: vec![
                corrupt("1.1.0", Held::Release(version("1.2.0"))),
                corrupt("1.0.0", Held::Something("a draft".to_owned())),
            ],
            missing: vec![version("1.2.0"), version("0.9.0")],
        };
        let of_tag = |tag| known.of_tag(&version(tag)).map(CorruptTag::sentence);
        assert_eq!(of_tag("1.1.0").unwrap(), "the tag 1.1.0 is known to hold the content of 1.2.0");
        assert_eq!(of_tag("1.0.0").unwrap(), "the tag 1.0.0 is known to hold a draft");
        assert_eq!(of_tag("1.2.0"), None);
        assert_eq!(known.tag_that_holds(&version("1.2.0")), Some(&version("1.1.0")));
        assert_eq!(known.tag_that_holds(&version("1.1.0")), None);
        let missing = |text| known.missing(&version(text));
        assert_eq!(
            missing("1.2.0").unwrap(),
            "there is no image 1.2.0: its content is under the tag 1.1.0"
        );
        assert_eq!(missing("0.9.0").unwrap(), "there is no image 0.9.0");
        assert_eq!(missing("1.1.0"), None);
    }
}
