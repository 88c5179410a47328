//! The answer to a comment that commands: one comment, rewritten as things proceed.

use super::{notes::brief, order_book::order_line};
use crate::domain::{CommandSource, OrderBook};

const OPEN: &str = "<!-- digest-bump:answer:1 ";
const CLOSE: &str = " -->";

/// Where one command of the comment stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnswerLine {
    /// The command as it was written. Foreign text.
    pub command: String,
    /// How it stands.
    pub standing: Standing,
    /// What there is to say: one line of plain text, or for [`Standing::Told`] whole Markdown.
    pub text: String,
}

/// How a command stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Something is still to be done.
    Open,
    /// It is done.
    Done,
    /// It is done, and what it asked about turned out badly, which the text says.
    Failed,
    /// It asked for words, and here they are.
    Told,
    /// It is not done.
    Refused,
    /// It was not understood.
    Unclear,
}

impl Standing {
    const fn word(self) -> &'static str {
        match self {
            Self::Open => "⏳ under way",
            Self::Done | Self::Told => "✅ done",
            Self::Failed => "❌",
            Self::Refused => "❌ refused",
            Self::Unclear => "❓ not understood",
        }
    }
}

/// Whether a comment's text is the answer to this.
#[must_use]
pub fn answers_to(body: &str, to: &CommandSource) -> bool {
    body.contains(&format!("{OPEN}{to}{CLOSE}"))
}

/// The answer to `to` in Markdown. It keeps the orders that are in force, with the watch's name.
#[must_use]
pub fn answer(
    to: &CommandSource,
    author: &str,
    lines: &[AnswerLine],
    kept: Option<(&str, &OrderBook)>,
) -> String {
    let mut parts: Vec<String> = lines.iter().map(section).collect();
    if lines.iter().any(|line| line.standing == Standing::Open) {
        parts.push("This comment is rewritten as it goes on.".to_owned());
    }
    parts.push(format!("<sub>For {}. {OPEN}{to}{CLOSE}</sub>", brief(author)));
    parts.extend(kept.map(|(watch, book)| order_line(watch, book)));
    parts.join("\n\n")
}

fn section(line: &AnswerLine) -> String {
    let command = code_span(&line.command);
    match line.standing {
        Standing::Told => format!("{command}\n\n{}", line.text),
        Standing::Failed => format!("{command}: {} {}", line.standing.word(), plain(&line.text)),
        standing => format!("{command}: **{}** — {}", standing.word(), plain(&line.text)),
    }
}

/// Foreign text as code on one line.
fn code_span(text: &str) -> String {
    let text = text.replace('`', "'");
    let text: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    format!("`{}`", text.trim())
}

/// A sentence with foreign words in it. Code spans in it stay code, the rest is defused.
fn plain(text: &str) -> String {
    let pieces: Vec<&str> = text.split('`').collect();
    // An odd one out would leave a span open.
    if pieces.len().is_multiple_of(2) {
        return linked(&brief(text));
    }
    let pieces = pieces.iter().enumerate().map(|(index, piece)| match index % 2 {
        0 if piece.trim().is_empty() => (*piece).to_owned(),
        0 => {
            let (lead, tail) = (lead(piece), tail(piece));
            format!("{lead}{}{tail}", linked(&brief(piece.trim())))
        }
        _ => code_span(piece),
    });
    pieces.collect()
}

/// Pull requests of this repository are links again: that is how the bot names its own.
fn linked(defused: &str) -> String {
    defused.replace("pull request #&#8203;", "pull request #")
}

fn lead(piece: &str) -> &'static str {
    if piece.starts_with(' ') { " " } else { "" }
}

fn tail(piece: &str) -> &'static str {
    if piece.ends_with(' ') { " " } else { "" }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(command: &str, standing: Standing, text: &str) -> AnswerLine {
        AnswerLine { command: command.to_owned(), standing, text: text.to_owned() }
    }

    #[test]
    fn an_answer_has_a_part_for_each_command_and_is_found_again() {
        let to = CommandSource::Comment(7);
        let text = answer(
            &to,
            "ada",
            &[
                line("/bump 3.10.4", Standing::Open, "the canary runs"),
                line("/bump cnary", Standing::Unclear, "did you mean `canary`?"),
            ],
            None,
        );
        insta::assert_snapshot!(text, @"
        `/bump 3.10.4`: **⏳ under way** — the canary runs

        `/bump cnary`: **❓ not understood** — did you mean `canary`?

        This comment is rewritten as it goes on.

        <sub>For ada. <!-- digest-bump:answer:1 comment 7 --></sub>
        ");
        assert!(answers_to(&text, &to) && !answers_to(&text, &CommandSource::Comment(77)));
        assert!(!answers_to(&text, &CommandSource::Review(7)));
    }

    #[test]
    fn foreign_words_do_nothing() {
        let text = answer(
            &CommandSource::Comment(7),
            "eve",
            &[line(
                "/bump `x`\n/bump y @team",
                Standing::Refused,
                "no `<!-- -->` for @team\n# x <b> `odd",
            )],
            None,
        );
        assert!(!text.contains("\n# x") && !text.contains("<b>"), "{text}");
        assert!(!text.contains("\n/bump"), "{text}");
    }
}
