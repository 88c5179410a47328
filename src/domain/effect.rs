//! Effects: every write to the outside, named, keyed and probed.

use super::{
    BranchName, CommandSource, CommitId, EffectKey, IssueNumber, OwnReport, PullNumber, Reaction,
    Saying, Timestamp, TreeId,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// One write to the outside. A closed list; each has a probe that finds its result in the world.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "effect", rename_all = "snake_case")]
pub enum Effect {
    /// Have GitHub make a commit, to which nothing leads yet. Only then its id is known. Probe: the
    /// commit that was made before, or one of this content at the head of its branch.
    WriteCommit {
        /// The branch that it is for.
        branch: BranchName,
        /// The commit that it is made on.
        base: CommitId,
        /// Its tree.
        tree: TreeId,
        /// Its message.
        message: String,
    },
    /// Move a branch of the bot to a commit that the bot made. Probe: the ref's id.
    PushBranch {
        /// The branch.
        branch: BranchName,
        /// The commit.
        commit: CommitId,
    },
    /// Open a pull request. Probe: an open one with this head branch.
    OpenPull {
        /// The head branch.
        branch: BranchName,
        /// The branch to merge into.
        base: BranchName,
        /// The commit at the head, which makes the key unique.
        commit: CommitId,
        /// The title.
        title: String,
        /// The body in Markdown, marker included.
        body: String,
        /// Whether it is opened as a draft.
        draft: bool,
    },
    /// Rewrite a pull request's title and body, and close it if asked. Probe: its body.
    EditPull {
        /// Which one.
        number: PullNumber,
        /// The title.
        title: String,
        /// The body in Markdown, marker included.
        body: String,
        /// Whether it is closed as well.
        close: bool,
    },
    /// Put labels on a pull request. Probe: its labels.
    LabelPull {
        /// Which one.
        number: PullNumber,
        /// The labels' names.
        labels: Vec<String>,
        /// What they are put on it for, if not once in its life.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        since: Option<Saying>,
    },
    /// Take a label off a pull request. Probe: its labels.
    UnlabelPull {
        /// Which one.
        number: PullNumber,
        /// The label's name.
        label: String,
        /// What it was put on for.
        since: Saying,
    },
    /// Comment on a pull request. Probe: a comment of the bot's own that says the same thing.
    CommentPull {
        /// Which one.
        number: PullNumber,
        /// What it says.
        says: Saying,
        /// The comment in Markdown, marker included. Not recorded: the pull request has it.
        #[serde(skip)]
        body: String,
    },
    /// React to a comment. Probe: the reactions to it.
    React {
        /// To which.
        to: CommandSource,
        /// How.
        reaction: Reaction,
    },
    /// Take a reaction of the bot's back. Probe: the reactions to the comment.
    TakeReactionBack {
        /// To which comment.
        to: CommandSource,
        /// Which.
        reaction: Reaction,
        /// GitHub's id of it.
        id: u64,
    },
    /// Answer a comment that commands, where it stands. Probe: a comment of the bot's own with its
    /// marker.
    Answer {
        /// What it answers.
        to: CommandSource,
        /// The issue or pull request.
        number: IssueNumber,
        /// The fingerprint of the answer.
        says: String,
        /// The answer in Markdown, marker included. Not recorded: GitHub has it.
        #[serde(skip)]
        body: String,
    },
    /// Rewrite an answer. Probe: its body.
    EditAnswer {
        /// What it answers.
        to: CommandSource,
        /// GitHub's id of the answer.
        answer: u64,
        /// The fingerprint of the answer.
        says: String,
        /// The answer in Markdown, marker included. Not recorded, as it is rewritten.
        #[serde(skip)]
        body: String,
    },
    /// Have a comment of the bot's own shown small, because what it says is outdated. Probe: whether it
    /// is.
    Minimize {
        /// Which one.
        comment: CommandSource,
    },
    /// Mark a draft pull request as ready for review. Probe: whether it is a draft.
    MarkReady {
        /// Which one.
        number: PullNumber,
        /// The commit of a person's that completed it, if one had to.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        patched: Option<CommitId>,
    },
    /// Make a pull request a draft, because a person has to complete it. Probe: whether it is one.
    MakeDraft {
        /// Which one.
        number: PullNumber,
        /// What tells the rewriting that this is for from every other one.
        of: String,
    },
    /// Set the bot's own check of a commit that it pushed. Probe: the check.
    ReportCheck {
        /// The commit.
        commit: CommitId,
        /// What it says.
        #[serde(flatten)]
        report: OwnReport,
    },
    /// Dispatch a workflow of the downstream's on a branch of the bot's. Probe: a run of it that
    /// carries the marker.
    DispatchWorkflow {
        /// Its file below `.github/workflows`.
        workflow: String,
        /// The branch, which is at `commit`.
        branch: BranchName,
        /// The commit that it is to run on.
        commit: CommitId,
        /// What tells its run from every other one.
        marker: String,
        /// What else it is told, such as the digest.
        inputs: BTreeMap<String, String>,
    },
    /// Cancel a workflow's run that nobody waits for any longer. Probe: whether it is over.
    CancelWorkflow {
        /// GitHub's id of the run.
        run: u64,
    },
    /// Delete a branch of the bot's whose work is done. Probe: whether it is there.
    DeleteBranch {
        /// The branch.
        branch: BranchName,
        /// Where it has to be: elsewhere, somebody else has worked on it.
        commit: CommitId,
    },
    /// Open the dashboard issue. Probe: an issue of the bot's own with the watch's marker.
    OpenIssue {
        /// The one before, if that is gone: it makes the key unique.
        after: Option<IssueNumber>,
        /// The title.
        title: String,
        /// The body in Markdown, marker included. It is long, and not recorded: the issue has it.
        #[serde(skip)]
        body: String,
        /// The labels' names.
        labels: Vec<String>,
    },
    /// Rewrite the dashboard issue's body, and nothing else of it. Probe: its body.
    EditIssue {
        /// Which one.
        number: IssueNumber,
        /// The body in Markdown, marker included. Not recorded, as it is rewritten for ever.
        #[serde(skip)]
        body: String,
    },
}

/// How far an effect got.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EffectState {
    /// About to be performed; whether it was is unknown until it is probed.
    Intended,
    /// Performed, and recorded.
    Done,
}

/// An effect as the store remembers it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EffectRecord {
    /// Its key.
    pub key: EffectKey,
    /// What it is.
    pub effect: Effect,
    /// How far it got.
    pub state: EffectState,
    /// When it was first intended.
    pub intended_at: Timestamp,
    /// When it was recorded as done.
    pub done_at: Option<Timestamp>,
    /// What the outside calls the result: a pull request's number, a commit's id.
    pub remote_id: Option<String>,
}
