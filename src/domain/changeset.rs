//! The changeset that a downstream may want beside a change: a file in the form of the tool
//! `changesets`, which says how its packages are released with it.

use super::{FilePath, ImageName, Invalid, Version, invalid::text_type};
use serde::Deserialize;
use std::{collections::BTreeMap, fmt};

/// How a package of the downstream is released.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema, serde::Serialize))]
#[serde(rename_all = "lowercase")]
pub enum PackageBump {
    /// As a patch.
    Patch,
    /// As a MINOR.
    Minor,
    /// As a MAJOR.
    Major,
}

impl fmt::Display for PackageBump {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(match self {
            Self::Patch => "patch",
            Self::Minor => "minor",
            Self::Major => "major",
        })
    }
}

text_type! {
    /// The name of an npm package, with its scope if it has one.
    PackageName, "the name of an npm package", |text| {
        let plain = |part: &str| {
            !part.is_empty()
                && !part.starts_with(['.', '_'])
                && part.bytes().all(|b| {
                    b.is_ascii_lowercase() || b.is_ascii_digit() || b"-._~".contains(&b)
                })
        };
        text.len() <= 214 && match text.strip_prefix('@') {
            None => plain(text),
            Some(rest) => rest.split_once('/').is_some_and(|(scope, name)| plain(scope) && plain(name)),
        }
    }
}

/// That each pin bump brings a changeset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangesetRule {
    /// The folder of the changesets.
    pub folder: FilePath,
    /// The packages and how each is released.
    pub packages: BTreeMap<PackageName, PackageBump>,
}

/// One changeset, as it stands in a proposal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changeset {
    /// Its file. The same bump has the same one, however often it is made.
    pub path: FilePath,
    /// The packages and how each is released.
    pub packages: BTreeMap<PackageName, PackageBump>,
    /// What it says in the changelog.
    pub summary: String,
}

impl ChangesetRule {
    /// The changeset of a bump of `image` to `version`.
    ///
    /// # Errors
    /// If the two make no file name, which their types forbid.
    pub fn of(&self, image: &ImageName, version: &Version) -> Result<Changeset, Invalid> {
        let name = image.short();
        Ok(Changeset {
            path: format!("{}/digest-bump-{name}-{version}.md", self.folder).parse()?,
            packages: self.packages.clone(),
            summary: format!("Bump {name} to {version}."),
        })
    }
}

impl Changeset {
    /// The file.
    #[must_use]
    pub fn content(&self) -> String {
        let packages = self.packages.iter().map(|(name, bump)| format!("\"{name}\": {bump}\n"));
        format!("---\n{}---\n\n{}\n", packages.collect::<String>(), self.summary)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_changeset_is_named_after_its_bump_and_says_what_is_released() {
        let packages = [("@o/town", PackageBump::Minor), ("town", PackageBump::Patch)];
        let packages = packages.map(|(name, bump)| (name.parse().unwrap(), bump)).into();
        let rule = ChangesetRule { folder: ".changeset".parse().unwrap(), packages };
        let image = "ghcr.io/o/connector".parse().unwrap();
        let changeset = rule.of(&image, &"3.10.0".parse().unwrap()).unwrap();
        assert_eq!(changeset.path.as_str(), ".changeset/digest-bump-connector-3.10.0.md");
        insta::assert_snapshot!(changeset.content(), @r#"
        ---
        "@o/town": minor
        "town": patch
        ---

        Bump connector to 3.10.0.
        "#);
    }

    #[test]
    fn a_package_name_can_be_nothing_else_in_yaml() {
        for good in ["a", "@o/town", "x-y.z_1~"] {
            assert!(good.parse::<PackageName>().is_ok(), "{good}");
        }
        for bad in ["", "@o", "@/x", "@o/", "A", ".a", "_a", "a b", "a\"b", "a\n", "a/b", "@o/a/b"]
        {
            assert!(bad.parse::<PackageName>().is_err(), "{bad}");
        }
    }
}
