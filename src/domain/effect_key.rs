//! Under which name an effect is recorded.

use super::{Effect, OwnReport, WatchName};
use std::fmt;

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
