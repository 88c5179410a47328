//! Reactions of the bot's to comments.

use serde::{Deserialize, Serialize};

/// A reaction to a comment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reaction {
    /// It was heard.
    Eyes,
    /// What it asked for is done.
    Rocket,
    /// It is not done.
    ThumbsDown,
    /// It was not understood.
    Confused,
}

impl Reaction {
    /// The name at GitHub.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Eyes => "eyes",
            Self::Rocket => "rocket",
            Self::ThumbsDown => "-1",
            Self::Confused => "confused",
        }
    }
}
