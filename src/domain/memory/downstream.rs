//! What is remembered of the downstream: its pins, the bot's pull requests, and what is said there.

use super::Memory;
use crate::domain::{
    ChecksFacts, CommitId, DashboardFacts, Fact, PinFacts, PullFacts, Request, Timestamp, TreeId,
    WorkflowFacts,
};

impl Memory {
    /// The pin sites as they were last read.
    #[must_use]
    pub fn pin(&self) -> Option<&PinFacts> {
        let Some(Fact::Pin(pin)) = self.fact("pin", "") else { return None };
        Some(pin)
    }

    /// What was last seen of the downstream's own checks of a commit; `None` if nobody looked.
    #[must_use]
    pub fn checks(&self, commit: &CommitId) -> Option<&ChecksFacts> {
        let Some(Fact::Checks(checks)) = self.fact("checks", commit) else { return None };
        Some(checks)
    }

    /// Whether CI has started at a head of the bot's; `None` if nobody looked.
    #[must_use]
    pub fn ci_started(&self, head: &CommitId) -> Option<bool> {
        let Some(Fact::Ci(ci)) = self.fact("ci", head) else { return None };
        Some(ci.started)
    }

    /// What was last seen of the run that was dispatched with this marker; `None` if nobody looked.
    #[must_use]
    pub fn workflow(&self, marker: &str) -> Option<&WorkflowFacts> {
        let Some(Fact::Workflow(workflow)) = self.fact("workflow", marker) else { return None };
        Some(workflow)
    }

    /// Whether files below `.github/workflows` may be edited, as far as is known. Of some tokens only
    /// a push that is refused tells; so whoever asks for a pull request to be made anew has it tried
    /// once more.
    #[must_use]
    pub fn may_edit_workflows(&self) -> bool {
        let kept_out = self.fact("workflow_files", "");
        let Some(Fact::WorkflowFiles { may_edit: false, told }) = kept_out else { return true };
        let anew = |asked: &Request| asked.wish.makes_anew() && asked.outcome.is_none();
        self.requests.iter().any(|asked| anew(asked) && asked.at > *told)
    }

    /// The tree of a commit at the head of a pull request, if it was asked for.
    #[must_use]
    pub fn head_tree(&self, head: &CommitId) -> Option<&TreeId> {
        let Some(Fact::HeadTree { tree, .. }) = self.fact("head_tree", head) else { return None };
        Some(tree)
    }

    /// The commit of the base branch with which this head of a pull request conflicts; `None` if it
    /// was never seen to.
    #[must_use]
    pub fn conflict(&self, head: &CommitId) -> Option<&CommitId> {
        let Some(Fact::Conflict(conflict)) = self.fact("conflict", head) else { return None };
        Some(&conflict.base)
    }

    /// What was last seen of the dashboard issue.
    #[must_use]
    pub fn dashboard(&self) -> Option<&DashboardFacts> {
        let Some(Fact::Dashboard(dashboard)) = self.fact("dashboard", "") else { return None };
        Some(dashboard)
    }

    /// Since when the downstream's comments are heard, and until when they were read.
    #[must_use]
    pub fn comments_read(&self) -> Option<(Timestamp, Timestamp)> {
        let Some(Fact::Comments { from, until }) = self.fact("comments", "") else { return None };
        Some((*from, *until))
    }

    /// All pull requests from the bot's branches.
    pub fn pulls(&self) -> impl Iterator<Item = &PullFacts> {
        self.observations.values().filter_map(|seen| match &seen.fact {
            Fact::Pull(pull) => Some(pull),
            _ => None,
        })
    }
}
