//! Effects: every write to the outside, named, keyed and probed.

use super::{
    BranchName, CommandSource, CommitId, IssueNumber, PullNumber, Reaction, RunId, Timestamp,
    TreeId, Verdict, WatchName,
};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, fmt};

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

/// What a comment of the bot's says: each is said once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "says", rename_all = "snake_case")]
pub enum Saying {
    /// That a person works on the branch, and the bot does not any more.
    HandsOff {
        /// The bot's own last commit.
        since: CommitId,
        /// What people committed and was given up before, if so: then it is said once more.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        after: Option<CommitId>,
    },
    /// Which commits of people are given up, because somebody asked for that.
    GivenUp {
        /// The last of them, at the head of the branch.
        head: CommitId,
    },
}

impl fmt::Display for Saying {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::HandsOff { since, after: None } => write!(out, "hands-off {since}"),
            Self::HandsOff { since, after: Some(lost) } => {
                write!(out, "hands-off {since} after {lost}")
            }
            Self::GivenUp { head } => write!(out, "given-up {head}"),
        }
    }
}

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

/// The unique name of an effect. The same intent has the same key after any crash.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EffectKey(pub String);

impl fmt::Display for EffectKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(&self.0)
    }
}

impl Effect {
    /// The key under which `watch` records this effect. Texts enter by their digest.
    #[must_use]
    pub fn key(&self, watch: &WatchName) -> EffectKey {
        let text = match self {
            // Whatever branch it is for: one of the same content is as good.
            Self::WriteCommit { base, tree, message, .. } => {
                let of = fingerprint([message, message]);
                format!("{watch} commit {base} {tree} {of}")
            }
            Self::PushBranch { branch, commit } => format!("{watch} push {branch} {commit}"),
            Self::OpenPull { branch, commit, title, body, .. } => {
                format!("{watch} open {branch} {commit} {}", fingerprint([title, body]))
            }
            Self::EditPull { number, title, body, close } => {
                let verb = if *close { "close" } else { "edit" };
                format!("{watch} {verb} {number} {}", fingerprint([title, body]))
            }
            Self::LabelPull { number, labels, since } => {
                let since = since.as_ref().map(|since| format!(" {since}")).unwrap_or_default();
                format!("{watch} label {number} {}{since}", labels.join(","))
            }
            Self::UnlabelPull { number, label, since } => {
                format!("{watch} unlabel {number} {label} {since}")
            }
            Self::CommentPull { number, says, .. } => format!("{watch} comment {number} {says}"),
            Self::React { to, reaction } => format!("{watch} react {to} {}", reaction.name()),
            Self::TakeReactionBack { to, reaction, .. } => {
                format!("{watch} unreact {to} {}", reaction.name())
            }
            // Whatever it says first: there is one.
            Self::Answer { to, .. } => format!("{watch} answer {to}"),
            Self::EditAnswer { to, says, .. } => format!("{watch} answer {to} {says}"),
            // Once in its life: a person who has it shown again means it.
            Self::Minimize { comment } => format!("{watch} minimize {comment}"),
            // Once in its life: a person who makes it a draft again means it.
            Self::MarkReady { number, patched: None } => format!("{watch} ready {number}"),
            Self::MarkReady { number, patched: Some(commit) } => {
                format!("{watch} ready {number} {commit}")
            }
            Self::MakeDraft { number, of } => {
                format!("{watch} draft {number} {}", fingerprint([of, of]))
            }
            Self::ReportCheck { commit, report } => {
                let OwnReport { name, state, title, run, .. } = report;
                // The same line may be true of one run after another.
                let run = run.map(|run| format!(" run {run}")).unwrap_or_default();
                let line = fingerprint([name, title]);
                format!("{watch} check {commit} {}{run} {line}", state.name())
            }
            // The marker is of everything that it is about.
            Self::DispatchWorkflow { marker, .. } => format!("{watch} dispatch {marker}"),
            Self::CancelWorkflow { run } => format!("{watch} cancel {run}"),
            Self::DeleteBranch { branch, commit } => format!("{watch} delete {branch} {commit}"),
            // Whatever it would say now: there is one, and its text is only the first.
            Self::OpenIssue { after: None, .. } => format!("{watch} dashboard"),
            Self::OpenIssue { after: Some(gone), .. } => format!("{watch} dashboard after {gone}"),
            Self::EditIssue { number, body } => {
                format!("{watch} dashboard {number} {}", fingerprint([body, body]))
            }
        };
        EffectKey(text)
    }
}

/// Short and stable for the same texts; lengths keep two texts from flowing into each other.
fn fingerprint(texts: [&String; 2]) -> String {
    let [title, body] = texts;
    let joined = format!("{}\n{title}\n{body}", title.len());
    super::Digest::of(joined.as_bytes()).short().to_owned()
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
