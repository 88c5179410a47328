//! Versions and the size of the step between two of them.

use serde::{Deserialize, Serialize};
use std::fmt;

/// A strict semantic version (semver.org 2.0.0).
///
/// The `Ord` of this type counts build metadata, which semver forbids: compare with
/// `cmp_precedence`, never with `<`.
pub type Version = semver::Version;

/// How far a release is from the pin, by the rules of semver.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Bump {
    /// Not newer than the pin.
    None,
    /// Only the patch number rose.
    Patch,
    /// The minor number rose.
    Minor,
    /// The major number rose.
    Major,
}

impl Bump {
    /// The word that a maintainer reads: MAJOR and MINOR shout, as the contract spells them.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Patch => "patch",
            Self::Minor => "MINOR",
            Self::Major => "MAJOR",
        }
    }
}

impl fmt::Display for Bump {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(self.word())
    }
}
