//! How the reader of a text asks the bot for something.

use super::Wish;
use std::fmt::Display;

/// What the reader of a text can do: it depends on where the text is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HowToAsk {
    /// Run this program where the bot runs.
    CommandLine,
    /// Write a comment there, since comments command.
    Comment {
        /// What a line begins with that commands.
        prefix: String,
    },
}

impl HowToAsk {
    /// The line that asks for a wish about a release. In a comment, what makes a pull request anew
    /// is about the one that it stands in.
    pub fn line(&self, wish: Wish, version: impl Display) -> String {
        match (self, wish) {
            (Self::CommandLine, wish) => {
                format!("digest-bump request {} {version}", wish.name())
            }
            // The verb of the command that is written most may be left out.
            (Self::Comment { prefix }, Wish::Bump) => format!("{prefix} {version}"),
            (Self::Comment { prefix }, Wish::Canary) => {
                format!("{prefix} {} {version}", wish.name())
            }
            (Self::Comment { prefix }, Wish::Rebase | Wish::Recreate) => {
                format!("{prefix} {}", wish.name())
            }
        }
    }

    /// The same as code in Markdown.
    pub fn say(&self, wish: Wish, version: impl Display) -> String {
        code(&self.line(wish, version))
    }

    /// What tells all that was found out about a release, as code in Markdown; `words` is the version,
    /// or nothing where the reader knows it.
    #[must_use]
    pub fn explain(&self, words: &str) -> String {
        let program = match self {
            Self::CommandLine => "digest-bump",
            Self::Comment { prefix } => prefix,
        };
        code(format!("{program} explain {words}").trim_end())
    }

    /// What lists all that can be asked for, as code in Markdown, where that is news: this program
    /// says so itself.
    #[must_use]
    pub fn help(&self) -> Option<String> {
        match self {
            Self::CommandLine => None,
            Self::Comment { prefix } => Some(code(&format!("{prefix} help"))),
        }
    }
}

/// A code span. A prefix may have a backtick in it, which would end the span.
fn code(line: &str) -> String {
    format!("`{}`", line.replace('`', "'"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_place_has_its_own_way_to_ask() {
        let comment = HowToAsk::Comment { prefix: "!pin".to_owned() };
        for (wish, by_comment, by_command) in [
            (Wish::Bump, "`!pin 3.10.4`", "`digest-bump request bump 3.10.4`"),
            (Wish::Canary, "`!pin canary 3.10.4`", "`digest-bump request canary 3.10.4`"),
            (Wish::Rebase, "`!pin rebase`", "`digest-bump request rebase 3.10.4`"),
            (Wish::Recreate, "`!pin recreate`", "`digest-bump request recreate 3.10.4`"),
        ] {
            assert_eq!(comment.say(wish, "3.10.4"), by_comment);
            assert_eq!(HowToAsk::CommandLine.say(wish, "3.10.4"), by_command);
        }
        assert_eq!(comment.explain("3.10.4"), "`!pin explain 3.10.4`");
        assert_eq!(HowToAsk::CommandLine.explain(""), "`digest-bump explain`");
        assert_eq!(
            (comment.help().as_deref(), HowToAsk::CommandLine.help()),
            (Some("`!pin help`"), None)
        );
    }

    #[test]
    fn no_prefix_ends_its_span() {
        let odd = HowToAsk::Comment { prefix: "/b`x`".to_owned() };
        assert_eq!(odd.say(Wish::Rebase, ""), "`/b'x' rebase`");
    }
}
