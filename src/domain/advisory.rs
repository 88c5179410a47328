//! Security advisories of the upstream, and the versions that they are about.

use super::{Invalid, Version};
use serde::{Deserialize, Serialize};
use std::{cmp::Ordering, str::FromStr};

/// A published security advisory of the upstream repository.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Advisory {
    /// Its id at GitHub: `GHSA-…`.
    pub id: String,
    /// How bad it is, if somebody said.
    pub severity: Option<String>,
    /// What is affected.
    pub affected: Vec<Affected>,
}

/// A package and those of its versions that an advisory is about. Foreign text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Affected {
    /// `npm`, `other` and so on.
    pub ecosystem: Option<String>,
    /// The package's name.
    pub package: Option<String>,
    /// The versions, as GitHub writes them: `>= 3.0.0, < 3.10.1`.
    pub range: String,
}

impl Advisory {
    /// Whether `version` is affected, as the `package` of npm where one is given. A range that
    /// cannot be read is about no version.
    #[must_use]
    pub fn affects(&self, version: &Version, package: Option<&str>) -> bool {
        self.affected.iter().filter(|affected| affected.may_be(package)).any(|affected| {
            affected.range.parse::<VersionRange>().is_ok_and(|range| range.contains(version))
        })
    }
}

impl Affected {
    /// Whether this can be about the release: not if it is another npm package of the repository.
    fn may_be(&self, package: Option<&str>) -> bool {
        let npm = self.ecosystem.as_deref() == Some("npm");
        !npm || package.is_none() || self.package.is_none() || self.package.as_deref() == package
    }
}

/// Versions, by conditions that all have to hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VersionRange(Vec<(Operator, Version)>);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operator {
    Below,
    UpTo,
    Exactly,
    From,
    Above,
}

impl VersionRange {
    /// Whether `version` is one of them.
    #[must_use]
    pub fn contains(&self, version: &Version) -> bool {
        self.0.iter().all(|(operator, bound)| {
            let order = version.cmp_precedence(bound);
            match operator {
                Operator::Below => order == Ordering::Less,
                Operator::UpTo => order != Ordering::Greater,
                Operator::Exactly => order == Ordering::Equal,
                Operator::From => order != Ordering::Less,
                Operator::Above => order == Ordering::Greater,
            }
        })
    }
}

impl FromStr for VersionRange {
    type Err = Invalid;

    /// Reads what GitHub writes: conditions between commas. A version may lack its last numbers.
    fn from_str(text: &str) -> Result<Self, Invalid> {
        let invalid = || Invalid::new("a range of versions", text);
        let condition = |part: &str| {
            let part = part.trim();
            let operators = [
                ("<=", Operator::UpTo),
                (">=", Operator::From),
                ("<", Operator::Below),
                (">", Operator::Above),
                ("=", Operator::Exactly),
            ];
            let found = operators
                .into_iter()
                .find_map(|(sign, operator)| Some((operator, part.strip_prefix(sign)?)));
            let (operator, bound) = found?;
            Some((operator, whole(bound.trim())?))
        };
        let conditions = text.split(',').map(condition);
        conditions.collect::<Option<Vec<_>>>().map(Self).ok_or_else(invalid)
    }
}

/// A version whose missing numbers count as 0.
fn whole(text: &str) -> Option<Version> {
    let text = text.strip_prefix('v').unwrap_or(text);
    let padded = [text.to_owned(), format!("{text}.0"), format!("{text}.0.0")];
    padded.iter().find_map(|text| text.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn ranges_are_read_as_github_writes_them() {
        for (range, inside, outside) in [
            (">= 3.0.0, < 3.10.1", &["3.0.0", "3.10.0"][..], &["2.9.9", "3.10.1", "4.0.0"][..]),
            ("< 4", &["3.99.0"], &["4.0.0", "4.0.1"]),
            ("<= 3.10", &["3.10.0", "1.0.0"], &["3.10.1"]),
            ("= 3.9.3", &["3.9.3"], &["3.9.2", "3.9.4"]),
            ("> 3.9.3", &["3.9.4", "4.0.0"], &["3.9.3"]),
            (">=v1.0.0,<1.2.0", &["1.1.0"], &["1.2.0"]),
            ("< 1.0.0", &["1.0.0-rc.1"], &["1.0.0"]),
        ] {
            let read: VersionRange = range.parse().unwrap();
            let contains = |text: &&str| read.contains(&text.parse().unwrap());
            assert!(inside.iter().all(contains), "{range}");
            assert!(!outside.iter().any(contains), "{range}");
        }
        for bad in ["", "3.0.0", "~> 1.0", "< one", ">= 1.0.0, ", "^1.0.0", "< 1.0.0 || > 2.0.0"] {
            assert!(bad.parse::<VersionRange>().is_err(), "{bad}");
        }
    }

    #[test]
    fn another_package_of_the_repository_is_another_matter() {
        let affected = |ecosystem: Option<&str>, package: Option<&str>, range: &str| Affected {
            ecosystem: ecosystem.map(str::to_owned),
            package: package.map(str::to_owned),
            range: range.to_owned(),
        };
        let is_affected = |affected, package| {
            let advisory =
                Advisory { id: "GHSA-1".to_owned(), severity: None, affected: vec![affected] };
            advisory.affects(&"1.0.0".parse().unwrap(), package)
        };
        let range = "<= 1.0.0";
        assert!(is_affected(affected(Some("npm"), Some("@o/p"), range), Some("@o/p")));
        assert!(!is_affected(affected(Some("npm"), Some("@o/q"), range), Some("@o/p")));
        assert!(is_affected(affected(Some("npm"), Some("@o/q"), range), None));
        assert!(is_affected(affected(Some("other"), Some("image"), range), Some("@o/p")));
        assert!(is_affected(affected(None, None, range), Some("@o/p")));
        assert!(!is_affected(affected(None, None, "all of them"), Some("@o/p")));
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text: String) {
            let _ = text.parse::<VersionRange>();
        }
    }
}
