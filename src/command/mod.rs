//! The commands that people write in comments on GitHub: what they are, how they are read, and the
//! help. Who wrote a comment, and what becomes of a command, is not known here.

mod doubt;
mod help;
mod html;
mod mistake;
mod parse;
#[cfg(test)]
mod properties;
mod quote;
mod text;
mod verb;
mod words;

pub use help::help;
pub use mistake::{MAX_COMMANDS, Mistake};
pub use parse::parse;
pub use verb::{Needs, Verb};

use crate::domain::{IgnoreScope, Version};
use std::fmt;

/// How commands are spelled in a repository. What is empty matches nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grammar {
    /// The word that a command begins with: `/bump`.
    pub prefix: String,
    /// The name of the bot's account, without `@` and without `[bot]`. A command may begin with
    /// a mention of it instead.
    pub mention: Option<String>,
}

/// What a person asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// List the commands.
    Help,
    /// Say what was found out about this release, or about the one that is proposed.
    Explain(Option<Version>),
    /// Propose this release.
    Bump(Version),
    /// Run the contract canary again, at this release or at the one that is proposed.
    Canary(Option<Version>),
    /// Make the pull request anew, unless people committed to it.
    Rebase,
    /// Make the pull request anew in any case.
    Recreate,
    /// Open and rewrite no pull request, for this reason. Foreign text: one line, at most 200
    /// characters, all of which can be seen.
    Hold(Option<String>),
    /// End the hold.
    Unhold,
    /// Leave this out.
    Ignore(IgnoreScope),
    /// Leave nothing out any more.
    Unignore,
}

/// One line of a comment that addresses the bot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// The line as it was written. Foreign text: at most 100 characters, all of which can be seen.
    pub text: String,
    /// What it asks for, or why nobody can tell.
    pub said: Result<Command, Mistake>,
}

impl Grammar {
    /// The line to write for these words: `/bump rebase` for `rebase`.
    #[must_use]
    pub fn spell(&self, words: impl fmt::Display) -> String {
        format!("{} {words}", self.prefix)
    }

    /// The same as a code span.
    fn code(&self, words: impl fmt::Display) -> String {
        quote::code(&self.spell(words))
    }

    /// What a line says to the bot; `None` if it does not address it.
    fn addressed<'a>(&self, line: &'a str) -> Option<&'a str> {
        let said = past(line, &self.prefix).or_else(|| {
            let rest = past(line.strip_prefix('@')?, self.mention.as_deref()?)?;
            // GitHub's own spelling of the account of an App.
            Some(past(rest, "[bot]").unwrap_or(rest))
        })?;
        (said.is_empty() || said.starts_with(char::is_whitespace)).then(|| said.trim())
    }
}

/// What follows `word`, in capitals or not: phones write a capital at the start of a line.
fn past<'a>(text: &'a str, word: &str) -> Option<&'a str> {
    let (head, rest) = text.split_at_checked(word.len())?;
    (!word.is_empty() && head.eq_ignore_ascii_case(word)).then_some(rest)
}

impl Command {
    /// Whether what was answered to `earlier` is not so any more once this was carried out in the same
    /// place. Several orders to ignore something stand side by side.
    #[must_use]
    pub fn outdates(&self, earlier: &Self) -> bool {
        match (self, earlier) {
            (Self::Help, Self::Help)
            | (Self::Bump(_), Self::Bump(_))
            | (Self::Rebase | Self::Recreate, Self::Rebase | Self::Recreate)
            | (Self::Hold(_) | Self::Unhold, Self::Hold(_) | Self::Unhold)
            | (Self::Unignore, Self::Ignore(_) | Self::Unignore)
            | (Self::Ignore(_), Self::Unignore) => true,
            (Self::Explain(later), Self::Explain(earlier)) => later == earlier,
            (Self::Canary(later), Self::Canary(earlier)) => {
                later.is_none() || earlier.is_none() || later == earlier
            }
            _ => false,
        }
    }

    /// What kind of command it is.
    #[must_use]
    pub const fn verb(&self) -> Verb {
        match self {
            Self::Help => Verb::Help,
            Self::Explain(_) => Verb::Explain,
            Self::Bump(_) => Verb::Bump,
            Self::Canary(_) => Verb::Canary,
            Self::Rebase => Verb::Rebase,
            Self::Recreate => Verb::Recreate,
            Self::Hold(_) => Verb::Hold,
            Self::Unhold => Verb::Unhold,
            Self::Ignore(_) => Verb::Ignore,
            Self::Unignore => Verb::Unignore,
        }
    }
}

/// The words that follow the prefix, as `parse` reads them.
impl fmt::Display for Command {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verb = self.verb();
        match self {
            Self::Explain(Some(version)) | Self::Canary(Some(version)) | Self::Bump(version) => {
                write!(out, "{verb} {version}")
            }
            Self::Hold(Some(reason)) => write!(out, "{verb} {reason}"),
            Self::Ignore(scope) => write!(out, "{verb} {}", scope.name()),
            Self::Help
            | Self::Explain(None)
            | Self::Canary(None)
            | Self::Rebase
            | Self::Recreate
            | Self::Hold(None)
            | Self::Unhold
            | Self::Unignore => write!(out, "{verb}"),
        }
    }
}

#[cfg(test)]
impl Grammar {
    /// The spelling that the tests of this module use.
    fn usual() -> Self {
        Self { prefix: "/bump".to_owned(), mention: Some("digest-bump".to_owned()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_addresses_the_bot_by_prefix_or_mention_and_then_ends_the_word() {
        for (line, said) in [
            ("/bump", Some("")),
            ("/bump rebase", Some("rebase")),
            ("/Bump\trebase  now ", Some("rebase  now")),
            ("/bump\u{a0}rebase\u{3000}", Some("rebase")),
            ("@digest-bump", Some("")),
            ("@Digest-Bump rebase", Some("rebase")),
            ("@digest-bump[bot] rebase", Some("rebase")),
            ("@digest-bump[BOT]", Some("")),
            ("/bumpy", None),
            ("/bump/x", None),
            ("/bump: rebase", None),
            ("/bump\u{200b} rebase", None),
            ("/bum", None),
            ("/bumé", None),
            ("bump rebase", None),
            ("\u{200b}/bump rebase", None),
            ("/bump[bot] rebase", None),
            ("@digest-bump-other rebase", None),
            ("@digest-bump[bot]s rebase", None),
            ("@digest-bump[bot][bot] rebase", None),
            ("@ digest-bump rebase", None),
            ("@@digest-bump rebase", None),
            ("digest-bump rebase", None),
            ("@/bump rebase", None),
            ("", None),
        ] {
            assert_eq!(Grammar::usual().addressed(line), said, "{line:?}");
        }
    }

    #[test]
    fn what_is_not_configured_matches_nothing() {
        let none = Grammar { prefix: String::new(), mention: None };
        let empty = Grammar { prefix: String::new(), mention: Some(String::new()) };
        for line in ["", " rebase", "@digest-bump rebase", "@ rebase", "@[bot] rebase"] {
            assert_eq!((none.addressed(line), empty.addressed(line)), (None, None), "{line}");
        }
    }
}
