//! Lists that lag: what they showed before the last write.

use crate::github::{Ask, actions::Run};
use crate::push::Move;
use crate::state::{Issue, Label, Reaction, Repo, State, StoredComment};
use serde_json::Value;
use std::collections::BTreeMap;

/// What was listed once.
#[derive(Debug, Default)]
struct Before {
    issues: BTreeMap<u64, Issue>,
    labels: BTreeMap<String, Label>,
    comments: BTreeMap<u64, StoredComment>,
    reactions: Vec<Reaction>,
    checks: BTreeMap<u64, Value>,
    statuses: Vec<(String, Value)>,
    runs: BTreeMap<u64, Run>,
}

/// What is listed of a repository.
pub(crate) struct Listed<'a> {
    pub(crate) issues: &'a BTreeMap<u64, Issue>,
    pub(crate) labels: &'a BTreeMap<String, Label>,
    pub(crate) comments: &'a BTreeMap<u64, StoredComment>,
    pub(crate) reactions: &'a [Reaction],
    pub(crate) checks: &'a BTreeMap<u64, Value>,
    pub(crate) statuses: &'a [(String, Value)],
    pub(crate) runs: &'a BTreeMap<u64, Run>,
}

/// What a lagging repository has not taken in yet.
#[derive(Debug, Default)]
pub(crate) struct Lag {
    /// What was listed before the last write.
    before: Before,
    /// The refs that it moved.
    moves: Vec<Move>,
    /// Whether the last write is still under way: all that one request does is one write.
    writing: bool,
}

impl Repo {
    /// Keeps what the lists show while they lag. To be called before each change.
    pub(crate) fn before_change(&mut self) {
        if self.lag.writing {
            return;
        }
        let before = Before {
            issues: self.issues.clone(),
            labels: self.labels.clone(),
            comments: self.comments.clone(),
            reactions: self.reactions.clone(),
            checks: self.checks.clone(),
            statuses: self.statuses.clone(),
            runs: self.runs.clone(),
        };
        self.lag = Lag { before, moves: Vec::new(), writing: true };
    }

    /// Keeps where refs were. To be called when they are moved.
    pub(crate) fn moved(&mut self, moves: &[Move]) {
        self.before_change();
        self.lag.moves.extend_from_slice(moves);
    }

    /// What was begun is done: the next change is another write.
    pub(crate) fn written(&mut self) {
        self.lag.writing = false;
    }

    /// The lists as they are, or as they lag.
    pub(crate) fn listed(&self, lags: bool) -> Listed<'_> {
        let before = &self.lag.before;
        Listed {
            issues: if lags { &before.issues } else { &self.issues },
            labels: if lags { &before.labels } else { &self.labels },
            comments: if lags { &before.comments } else { &self.comments },
            reactions: if lags { &before.reactions } else { &self.reactions },
            checks: if lags { &before.checks } else { &self.checks },
            statuses: if lags { &before.statuses } else { &self.statuses },
            runs: if lags { &before.runs } else { &self.runs },
        }
    }

    /// The refs whose name begins so, as they are or as they lag.
    pub(crate) fn listed_refs(&self, prefix: &str, lags: bool) -> BTreeMap<String, String> {
        let mut refs = self.git.refs(prefix);
        let late =
            self.lag.moves.iter().rev().filter(|moved| lags && moved.name.starts_with(prefix));
        for Move { name, before, .. } in late {
            match before {
                Some(sha) => refs.insert(name.clone(), sha.clone()),
                None => refs.remove(name),
            };
        }
        refs
    }
}

impl Ask<'_> {
    /// Whether the list that is asked for lags. Each one that does is counted.
    pub(crate) fn list_lags(&mut self) -> bool {
        let lags = self.state.list_lag > 0;
        self.state.list_lag = self.state.list_lag.saturating_sub(1);
        lags
    }
}

impl State {
    /// The bot has asked for a write: lists lag behind what it changed, if they are to. A token that
    /// is minted, a question by GraphQL, or a push of what is there already changes nothing.
    pub(crate) fn lag_behind(&mut self) {
        if self.repos.values().any(|repo| repo.lag.writing) {
            self.list_lag = self.list_lag.max(self.lag_after_writes);
        }
    }

    /// Somebody looked or acted who is not the bot: by then the lists have caught up with it.
    pub(crate) fn time_passes(&mut self) {
        if self.lag_after_writes > 0 {
            self.list_lag = 0;
        }
    }
}
