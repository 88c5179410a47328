//! A pull request of the bot's, as GitHub shows it.

use super::{BranchName, CommitId, Marker, PullNumber, Timestamp};
use serde::{Deserialize, Serialize};

/// A pull request whose head is one of the bot's branches.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PullFacts {
    /// Its number.
    pub number: PullNumber,
    /// The head branch.
    pub branch: BranchName,
    /// The commit at the head.
    pub head: CommitId,
    /// Open, merged, or closed.
    pub state: PullState,
    /// Whether it is a draft.
    pub draft: bool,
    /// The title, as it is now.
    pub title: String,
    /// The page that people read.
    pub url: String,
    /// What the bot wrote into the body; `None` if the body has no readable marker.
    pub marker: Option<Marker>,
    /// When GitHub last changed anything about it, as it was first seen so; `None` if that is not
    /// told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub updated_at: Option<Timestamp>,
}

impl PullFacts {
    /// Whether this says something else than what is known, and is not older: a list may show what
    /// was so before the bot's own last write. A comment changes the time and nothing else.
    pub(super) fn is_news_to(&self, known: &Self) -> bool {
        let older = self.updated_at.zip(known.updated_at).is_some_and(|(this, that)| this < that);
        !older && *self != Self { updated_at: self.updated_at, ..known.clone() }
    }
}

/// Where a pull request is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PullState {
    /// Waiting for a person.
    Open,
    /// A person accepted it.
    Merged,
    /// A person closed it without merging: declined.
    Closed,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pull_request_is_believed_unless_what_is_read_is_older() {
        let at = |seconds: i64| Some(Timestamp::from_millis(seconds * 1_000));
        let pull = |title: &str, updated_at| PullFacts {
            number: PullNumber(1),
            branch: "digest-bump/connector".parse().unwrap(),
            head: "a".repeat(40).parse().unwrap(),
            state: PullState::Open,
            draft: false,
            title: title.to_owned(),
            url: String::new(),
            marker: None,
            updated_at,
        };
        let known = pull("a", at(10));
        let news = [None, at(9), at(10), at(11)].map(|at| pull("b", at).is_news_to(&known));
        assert_eq!(news, [true, false, true, true]);
        // Somebody commented.
        assert!(!pull("a", at(11)).is_news_to(&known));
        // Recorded before times were.
        assert!(pull("b", at(9)).is_news_to(&pull("a", None)));
    }
}
