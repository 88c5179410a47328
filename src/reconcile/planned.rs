//! What a dry run tells.

use crate::domain::{CommitId, ProposalKind, TreeId, Version};
use serde::Serialize;

/// One thing that a pass would do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "action", rename_all = "snake_case")]
pub enum PlannedAction {
    /// Run the canary.
    RunCanary {
        /// At this version.
        version: Version,
        /// The workflow that is dispatched for it, if one is.
        #[serde(skip_serializing_if = "Option::is_none")]
        by: Option<String>,
    },
    /// Cancel a workflow's run that nobody waits for any longer.
    Cancel {
        /// The canary run that it carries.
        run: i64,
        /// Why.
        why: String,
    },
    /// Open or rewrite a pull request.
    Propose {
        /// What for.
        kind: ProposalKind,
        /// What it proposes.
        version: Version,
        /// The open pull request that is rewritten, if there is one.
        over: Option<u64>,
        /// The branch.
        branch: String,
        /// The commit that is pushed; none where only GitHub's making it will tell.
        commit: Option<CommitId>,
        /// The tree of that commit.
        tree: TreeId,
        /// The title.
        title: String,
        /// The body.
        body: String,
        /// The edit, as a unified diff.
        diff: String,
        /// Whether the canary has to pass first.
        if_canary_passes: bool,
        /// Whether what is rewritten is a draft, which is then marked as ready.
        of_draft: bool,
        /// The request that is answered with it, if a person asked.
        answers: Option<i64>,
    },
    /// Open or rewrite the draft pull request on which the downstream's own checks run.
    Draft {
        /// What is to be proved.
        version: Version,
        /// The open draft that is rewritten, if there is one.
        over: Option<u64>,
        /// The branch.
        branch: String,
        /// The commit that is pushed; none where only GitHub's making it will tell.
        commit: Option<CommitId>,
        /// The title.
        title: String,
        /// The body.
        body: String,
        /// The edit, as a unified diff.
        diff: String,
        /// The checks that are waited for.
        checks: Vec<String>,
    },
    /// Make a draft pull request say why it is held.
    Hold {
        /// Its number.
        pull: u64,
        /// Why.
        why: String,
    },
    /// Close a pull request.
    Close {
        /// Its number.
        pull: u64,
        /// Why.
        why: String,
    },
    /// Make a pull request say that its tag moved.
    Warn {
        /// Its number.
        pull: u64,
        /// What happened.
        why: String,
    },
    /// Say in a pull request that a person works on its branch, and label it.
    StepBack {
        /// Its number.
        pull: u64,
    },
    /// Take that label off again.
    TakeUp {
        /// Its number.
        pull: u64,
    },
    /// Name the commits of people in a pull request, and make it anew without them.
    GiveUp {
        /// Its number.
        pull: u64,
    },
    /// Answer a request.
    Answer {
        /// Its number.
        request: i64,
        /// The answer.
        answer: String,
    },
    /// Open or rewrite the dashboard issue.
    Dashboard {
        /// The one that is rewritten, if there is one.
        over: Option<u64>,
        /// Its title when it is opened.
        title: String,
    },
}
