//! Comments with commands, as they were heard, and what became of each line.

use super::{CommitId, Invalid, RequestId, Timestamp};
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// The id of something heard: counted by the store, from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HeardId(pub i64);

/// Where something was said. What is heard twice, by a webhook and by polling say, has the same
/// source, and is one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum CommandSource {
    /// A comment on an issue or pull request, by GitHub's id of it.
    Comment(u64),
    /// A comment within the diff of a pull request, by GitHub's id of it.
    Review(u64),
    /// A box of a dashboard that somebody ticked, by what tells this tick from others: the issue, when
    /// it was changed, who, and the versions.
    Box(String),
}

impl fmt::Display for CommandSource {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Comment(id) => write!(out, "comment {id}"),
            Self::Review(id) => write!(out, "review {id}"),
            Self::Box(tick) => write!(out, "box {tick}"),
        }
    }
}

impl FromStr for CommandSource {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let invalid = || Invalid::new("the source of a command", text);
        let (kind, id) = text.split_once(' ').ok_or_else(invalid)?;
        match kind {
            "comment" => id.parse().map(Self::Comment).map_err(|_| invalid()),
            "review" => id.parse().map(Self::Review).map_err(|_| invalid()),
            "box" => Ok(Self::Box(id.to_owned())),
            _ => Err(invalid()),
        }
    }
}

impl TryFrom<String> for CommandSource {
    type Error = Invalid;

    fn try_from(text: String) -> Result<Self, Invalid> {
        text.parse()
    }
}

impl From<CommandSource> for String {
    fn from(source: CommandSource) -> Self {
        source.to_string()
    }
}

/// A text with commands in it, before anybody looked whether they may be carried out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// Where.
    pub source: CommandSource,
    /// The issue or pull request.
    pub number: u64,
    /// The login of who said it.
    pub author: String,
    /// Whether that is an App or another machine's account.
    pub bot: bool,
    /// The text in Markdown. Foreign text.
    pub body: String,
    /// Where the pull request's branch was then, as far as is known.
    pub head: Option<CommitId>,
    /// When it was said.
    pub at: Timestamp,
}

/// A text with commands in it, as the store remembers it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heard {
    /// Its id.
    pub id: HeardId,
    /// What was said.
    pub said: Said,
    /// When the bot heard it.
    pub heard_at: Timestamp,
    /// What became of each command in it, in order; `None` until somebody looked.
    pub rulings: Option<Vec<Ruling>>,
}

/// One command, and what became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ruling {
    /// The line as it was written. Foreign text.
    pub line: String,
    /// What became of it.
    #[serde(flatten)]
    pub outcome: Ruled,
}

/// What became of a command.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "ruled", rename_all = "snake_case")]
pub enum Ruled {
    /// A request was recorded, whose answer is the command's.
    Asked {
        /// Which one.
        request: RequestId,
    },
    /// A standing order was recorded.
    Ordered {
        /// Which one.
        request: RequestId,
        /// What comes of it.
        answer: String,
    },
    /// It asked for nothing but words.
    Told {
        /// The words in Markdown.
        answer: String,
    },
    /// It is not carried out.
    Refused {
        /// Why, in the words of who commands.
        why: String,
    },
    /// It was not understood.
    Unclear {
        /// Why, and what may have been meant.
        why: String,
    },
}

impl Ruled {
    /// The request or order that it left, if it left one.
    #[must_use]
    pub const fn request(&self) -> Option<RequestId> {
        match self {
            Self::Asked { request } | Self::Ordered { request, .. } => Some(*request),
            Self::Told { .. } | Self::Refused { .. } | Self::Unclear { .. } => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_is_read_as_it_is_written() {
        for source in [
            CommandSource::Comment(7),
            CommandSource::Review(8),
            CommandSource::Box("a-b 1".to_owned()),
        ] {
            assert_eq!(source.to_string().parse(), Ok(source));
        }
        for text in ["", "comment", "comment x", "issue 7"] {
            assert!(text.parse::<CommandSource>().is_err(), "{text}");
        }
    }
}
