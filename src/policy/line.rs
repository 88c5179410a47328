//! Lines of releases that share one migration, and so one stub.

use super::{
    honesty::newest,
    snapshot::{Candidate, Migration},
};
use crate::domain::Version;
use std::fmt;

/// Which migration a MAJOR belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Line {
    /// Everything with this major version.
    Major(u64),
    /// What contains the break of this release, which calls itself a MINOR or a patch: it, and
    /// what came after it.
    Since(Version),
}

impl Candidate {
    /// The line that it belongs to, if it is a MAJOR: of several breaks the newest counts, since
    /// whoever migrates to it has the older ones behind them.
    #[must_use]
    pub fn line(&self) -> Line {
        match newest(self.understated.iter().map(|broken| &broken.since)) {
            Some(since) => Line::Since(since.clone()),
            None => Line::Major(self.version.major),
        }
    }
}

impl Line {
    /// Whether a migration to `version` is this line's.
    #[must_use]
    pub fn is_met_by(&self, version: &Version) -> bool {
        match self {
            Self::Major(major) => version.major == *major,
            Self::Since(since) => {
                version.major == since.major && version.cmp_precedence(since).is_ge()
            }
        }
    }
}

/// `4` or `3.10.0`, as in the name of its stub's branch.
impl fmt::Display for Line {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Major(major) => write!(out, "{major}"),
            Self::Since(since) => write!(out, "{since}"),
        }
    }
}

impl Migration {
    /// Whether the document has a section for this line.
    #[must_use]
    pub fn has(&self, line: &Line) -> bool {
        let Self::Ready { majors, targets } = self else { return false };
        match line {
            Line::Major(major) => majors.contains(major),
            Line::Since(_) => targets.iter().any(|target| line.is_met_by(target)),
        }
    }
}
