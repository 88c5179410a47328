//! What a lockstep edit reports.

use super::site;
use crate::domain::{FileChange, FilePath, PinSite};
use std::fmt;

/// An edit of all sites, not yet written anywhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lockstep {
    /// The files that change, by path. Empty if every site spells the new pin already.
    pub changes: Vec<FileChange>,
    /// What happened to each site, in the config's order.
    pub lines: Vec<SiteLine>,
}

/// What happened to one site. `Display` is one readable line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SiteLine {
    /// The site's name in the config.
    pub site: String,
    /// The file.
    pub path: FilePath,
    /// What happened.
    pub outcome: SiteOutcome,
}

/// What the lockstep edit did at a site.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SiteOutcome {
    /// It spelled another pin, and now spells the new one.
    Edited {
        /// The 1-based line on which the pin first stands.
        line: usize,
        /// What it spelled, digests shortened: `3.9.3 (0123456789ab)`.
        from: String,
        /// What it spells now, in the same form.
        to: String,
    },
    /// It spelled the new pin before.
    AlreadyThere {
        /// The 1-based line on which the pin first stands.
        line: usize,
    },
    /// It is not there, and need not be.
    Absent,
    /// It spells another pin, and only a person may edit it.
    ByHand {
        /// The 1-based line on which the pin first stands.
        line: usize,
        /// What it spells, digests shortened.
        from: String,
        /// What it has to spell, in the same form.
        to: String,
    },
    /// It spells a companion image of which there is no new one.
    Kept {
        /// The 1-based line on which the pin first stands.
        line: usize,
    },
}

impl SiteLine {
    /// What changed here, for the file's notes; `None` if nothing did.
    pub(super) fn note(&self) -> Option<String> {
        match &self.outcome {
            SiteOutcome::Edited { from, to, .. } => Some(format!("{}: {from} → {to}", self.site)),
            SiteOutcome::AlreadyThere { .. }
            | SiteOutcome::Absent
            | SiteOutcome::ByHand { .. }
            | SiteOutcome::Kept { .. } => None,
        }
    }
}

impl fmt::Display for SiteLine {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = |line| site::place(&self.site, &self.path, line);
        match &self.outcome {
            SiteOutcome::Edited { line, from, to } => {
                write!(out, "{}: {from} → {to}", place(Some(*line)))
            }
            SiteOutcome::AlreadyThere { line } => {
                write!(out, "{}: already there", place(Some(*line)))
            }
            SiteOutcome::ByHand { line, from, to } => {
                write!(out, "{}: {from} → {to}, by hand", place(Some(*line)))
            }
            SiteOutcome::Absent => write!(out, "{}: absent, skipped", place(None)),
            SiteOutcome::Kept { line } => {
                write!(out, "{}: its image has no such release, kept", place(Some(*line)))
            }
        }
    }
}

/// Why a site cannot be edited.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}: {why}", site::place(.site, .path, None))]
pub struct SiteFault {
    /// The site's name in the config.
    pub site: String,
    /// The file.
    pub path: FilePath,
    /// A sentence fragment that names what was expected and what was found.
    pub why: String,
}

impl SiteFault {
    /// A fault of `site`.
    pub(super) fn at(site: &PinSite, why: impl Into<String>) -> Self {
        Self { site: site.name.clone(), path: site.path.clone(), why: why.into() }
    }
}
