//! Commits of the upstream: where its tags are, and how one commit stands to another.

use super::CommitId;
use serde::{Deserialize, Serialize};

/// Where a git tag of the upstream is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TagCommit {
    /// The tag. Foreign text.
    pub tag: String,
    /// The commit that it is on; `None` if there is no such tag.
    pub at: Option<TaggedCommit>,
    /// The commit that it was first seen on, where it is not there any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<CommitId>,
}

/// A commit with what is needed of its history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaggedCommit {
    /// Its id.
    pub id: CommitId,
    /// The commit that it was made on, in a release the one that triggered it; none at a root.
    pub first_parent: Option<CommitId>,
}

impl TaggedCommit {
    /// Whether `id` is this commit or the one that it was made on.
    #[must_use]
    pub fn is_or_follows(&self, id: &CommitId) -> bool {
        self.id == *id || self.first_parent.as_ref() == Some(id)
    }
}

impl TagCommit {
    /// What a look at the tag says, together with what an earlier look said.
    #[must_use]
    pub fn seen(tag: String, at: Option<TaggedCommit>, earlier: Option<&Self>) -> Self {
        let first = earlier.and_then(|known| {
            known.before.as_ref().or_else(|| known.at.as_ref().map(|commit| &commit.id))
        });
        let before = first.filter(|first| at.as_ref().map(|commit| &commit.id) != Some(first));
        let before = before.cloned();
        Self { tag, at, before }
    }
}

/// How one commit of the upstream stands to another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Descent {
    /// The commit that is compared with.
    pub base: CommitId,
    /// The commit that is asked about.
    pub head: CommitId,
    /// How it stands to `base`.
    pub relation: Relation,
}

/// How a commit stands to another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Relation {
    /// It is the same.
    Identical,
    /// It is a descendant.
    Ahead,
    /// It is an ancestor.
    Behind,
    /// It is on another line.
    Diverged,
    /// The upstream does not know it.
    Unknown,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn commit(digit: &str) -> CommitId {
        digit.repeat(40).parse().unwrap()
    }

    fn on(digit: &str) -> TaggedCommit {
        TaggedCommit { id: commit(digit), first_parent: None }
    }

    #[test]
    fn a_tag_that_left_its_first_commit_says_which_one_it_was() {
        let look = |at, earlier: Option<&TagCommit>| TagCommit::seen("v1".to_owned(), at, earlier);
        let absent = look(None, None);
        assert_eq!(absent.before, None, "never seen");
        let first = look(Some(on("a")), Some(&absent));
        assert_eq!(first.before, None);
        assert_eq!(look(Some(on("a")), Some(&first)).before, None);
        let gone = look(None, Some(&first));
        assert_eq!(gone.before, Some(commit("a")));
        let moved = look(Some(on("b")), Some(&gone));
        assert_eq!(moved.before, Some(commit("a")), "the first one counts");
        assert_eq!(look(Some(on("a")), Some(&moved)).before, None, "it is back");
    }
}
