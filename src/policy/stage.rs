//! What became of a release, and what is due.

use crate::domain::{
    Check, ImageName, ProposalKind, PullNumber, RequestId, RunId, Timestamp, Version,
};
use serde::Serialize;

/// Where a release stands. Derived each time from what happened, never stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "stage", rename_all = "snake_case")]
pub enum Stage {
    /// It is what the downstream pins.
    Pinned,
    /// It is older than the pin.
    Older,
    /// The policy does not ask for it.
    Skipped {
        /// Which rule, and why.
        why: String,
    },
    /// A newer one is looked at first.
    Queued {
        /// The newer one.
        behind: Version,
    },
    /// Facts or cheap checks are being collected.
    Checking,
    /// Something is not there yet, or a retry is not due yet.
    Waiting {
        /// When it is looked at again at the latest, if a time is known.
        until: Option<Timestamp>,
        /// What is waited for.
        why: String,
    },
    /// The canary runs.
    CanaryRunning {
        /// Since when.
        since: Timestamp,
        /// Where the downstream's own checks are, if they are the canary.
        #[serde(skip_serializing_if = "Option::is_none")]
        checks: Option<String>,
    },
    /// Something is wrong with it, or could not be found out. A person may look.
    Held {
        /// All of why.
        reasons: Vec<String>,
    },
    /// A patch with complete evidence, one request away from its pull request.
    Offered,
    /// Complete evidence; its pull request is due.
    Ready,
    /// A pull request proposes it.
    Proposed {
        /// Which one.
        pull: PullNumber,
        /// A person worked on its branch: the bot does not touch it any more.
        hands_off: bool,
    },
    /// A newer one, proposed or offered, contains it.
    Covered {
        /// The newer one.
        by: Version,
    },
    /// A person closed its pull request without merging.
    Declined {
        /// Which one.
        pull: PullNumber,
    },
    /// The stub of its major line is in the migration document: the pin moves on request.
    Migrated,
}

/// Something that the loop is to do now. Waiting and holding are stages, not intents: they need
/// nothing to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Intent {
    /// Resolve the version's image tag.
    Look(Version),
    /// Read upstream's contract at the release's tag, and at the pinned one's.
    ReadContract(Version),
    /// Answer a cheap check from the facts.
    Check {
        /// About this release.
        version: Version,
        /// The question.
        check: Check,
    },
    /// Do the same, a look or a check, for a companion image.
    Companion(ImageName, Box<Intent>),
    /// Start the canary at the release's digest.
    StartCanary(Version),
    /// Record that a run's process died.
    Bury(RunId),
    /// End a run with what the downstream's own checks, or its workflow, showed.
    Conclude(RunId),
    /// Cancel a workflow's run that nobody waits for any longer.
    Cancel {
        /// Which one.
        run: RunId,
        /// Why.
        why: String,
    },
    /// Make a draft pull request say why it is held.
    Hold {
        /// Which one.
        pull: PullNumber,
        /// All of why, in one line.
        why: String,
        /// Whether nothing is missing but that somebody asks.
        offered: bool,
    },
    /// Open a pull request, or make an open one say this.
    Propose {
        /// What for.
        kind: ProposalKind,
        /// The release.
        version: Version,
        /// The open pull request that is rewritten, if there is one.
        over: Option<PullNumber>,
        /// Whether a person asked.
        requested: bool,
    },
    /// Close a pull request that has nothing left to propose.
    Close {
        /// Which one.
        pull: PullNumber,
        /// Why, for its body.
        why: String,
    },
    /// Make a pull request say that the tag of what it proposes moved. What it proposes stays.
    Warn {
        /// Which one.
        pull: PullNumber,
        /// What happened.
        why: String,
    },
    /// Say in a pull request that a person works on its branch, and label it.
    StepBack {
        /// Which one.
        pull: PullNumber,
    },
    /// Take the label off again: nobody's commits but the bot's are on the branch.
    TakeUp {
        /// Which one.
        pull: PullNumber,
    },
    /// Name in a pull request the commits that are about to be lost, as somebody asked.
    GiveUp {
        /// Which one.
        pull: PullNumber,
        /// The request for it.
        request: RequestId,
    },
    /// End a request.
    Answer {
        /// Which one.
        request: RequestId,
        /// Whether the wish was met.
        granted: bool,
        /// The answer, in one sentence.
        answer: String,
    },
}

impl Intent {
    /// The release that it is about, if it is about one.
    #[must_use]
    pub const fn version(&self) -> Option<&Version> {
        match self {
            Self::Look(version)
            | Self::ReadContract(version)
            | Self::Check { version, .. }
            | Self::StartCanary(version)
            | Self::Propose { version, .. } => Some(version),
            Self::Companion(_, intent) => intent.version(),
            Self::Bury(_)
            | Self::Conclude(_)
            | Self::Cancel { .. }
            | Self::Hold { .. }
            | Self::Close { .. }
            | Self::Warn { .. }
            | Self::StepBack { .. }
            | Self::TakeUp { .. }
            | Self::GiveUp { .. }
            | Self::Answer { .. } => None,
        }
    }

    /// Whether this only reads the world: a dry run may do it too.
    #[must_use]
    pub const fn only_reads(&self) -> bool {
        matches!(
            self,
            Self::Look(_) | Self::ReadContract(_) | Self::Check { .. } | Self::Companion(..)
        )
    }
}
