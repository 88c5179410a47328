//! The bot's own check of a commit.

use super::{RunId, Timestamp, Verdict};
use serde::{Deserialize, Serialize};

/// What the bot's own check of a commit shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OwnReport {
    /// What the check is called: the name of the check run, or the context of the commit status.
    #[serde(default)]
    pub name: String,
    /// What it says.
    pub state: OwnCheck,
    /// One line for whoever looks at it.
    pub title: String,
    /// The run of the canary that it tells of, if the bot ran it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<RunId>,
    /// When what it tells of began; `None` while nothing has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_at: Option<Timestamp>,
    /// When it ended; `None` until it has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub completed_at: Option<Timestamp>,
    /// Where all that the run printed is found, if readers can reach it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub page: Option<String>,
    /// More for whoever opens it, in Markdown; empty if the title is all. Neither this nor what the
    /// run printed is recorded: that is kept only as long as the config says.
    #[serde(skip)]
    pub summary: String,
    /// What the run printed, in Markdown.
    #[serde(skip)]
    pub text: String,
}

impl OwnReport {
    /// One that has nothing more to tell than this line.
    #[must_use]
    pub const fn new(name: String, state: OwnCheck, title: String) -> Self {
        Self {
            name,
            state,
            title,
            run: None,
            started_at: None,
            completed_at: None,
            page: None,
            summary: String::new(),
            text: String::new(),
        }
    }
}

/// What the bot's own check of a commit says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OwnCheck {
    /// The canary is not yet started, or waits for its turn.
    Queued,
    /// It runs.
    #[serde(alias = "pending")]
    Running,
    /// The canary passed.
    Success,
    /// It failed.
    Failure,
    /// It found nothing out.
    Neutral,
}

impl From<Verdict> for OwnCheck {
    fn from(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Passed => Self::Success,
            Verdict::Failed => Self::Failure,
            Verdict::Inconclusive => Self::Neutral,
        }
    }
}

impl OwnCheck {
    /// Whether it has not concluded.
    #[must_use]
    pub const fn is_open(self) -> bool {
        matches!(self, Self::Queued | Self::Running)
    }

    /// The name in keys.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Success => "success",
            Self::Failure => "failure",
            Self::Neutral => "neutral",
        }
    }
}
