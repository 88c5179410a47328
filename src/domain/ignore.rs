//! What people ask the bot to leave out.

use serde::{Deserialize, Serialize};

/// What is not to be proposed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum IgnoreScope {
    /// The one release that the pull request proposes.
    This,
    /// Every MAJOR.
    Major,
    /// Every MINOR.
    Minor,
    /// Every patch.
    Patch,
}

impl IgnoreScope {
    /// Every scope.
    pub const ALL: [Self; 4] = [Self::This, Self::Major, Self::Minor, Self::Patch];

    /// The name in the database, in commands and in views.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::This => "this",
            Self::Major => "major",
            Self::Minor => "minor",
            Self::Patch => "patch",
        }
    }
}
