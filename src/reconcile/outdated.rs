//! Comments of the bot's that are not so any more: shown small, so that a long thread shows what counts.

use super::{hear::grammar, pass::Pass};
use crate::clients::github::GithubError;
use crate::command::{Command, Grammar, Needs, parse};
use crate::config::CommandsConfig;
use crate::domain::{CommandSource, Effect, Heard, Said};
use crate::proposal::of_kind;
use crate::render::{AnswerLine, Standing};
use anyhow::Result;

impl Pass<'_> {
    /// Has the answers shown small that are outdated by the one to `newest`, where both stand; `lines`
    /// is what that came to.
    pub(super) async fn outdate_before(
        &mut self,
        config: &CommandsConfig,
        newest: &Heard,
        lines: &[AnswerLine],
    ) -> Result<()> {
        let (bot, grammar) = (self.bot, grammar(config));
        let (repo, name) = (&bot.watch.downstream.repository, &bot.watch.name);
        let answered = bot.store.load_answered(repo, name, newest).await?;
        let done = carried_out(lines, &grammar);
        for earlier in answered.iter().filter(|it| is_outdated(it, &newest.said, &done, &grammar)) {
            let Some((answer, _)) = self.last_said(&earlier.said.source) else { continue };
            self.minimize(of_kind(&earlier.said.source, answer)).await?;
        }
        Ok(())
    }

    /// Has a comment of the bot's shown small, once in its life. It is only looks: a token that may not
    /// do so keeps nothing waiting.
    pub(super) async fn minimize(&mut self, comment: CommandSource) -> Result<()> {
        let effect = Effect::Minimize { comment };
        if self.is_done(&effect) {
            return Ok(());
        }
        let Err(error) = self.effect(&effect).await else { return Ok(()) };
        let refused = error.chain().any(|cause| {
            matches!(
                cause.downcast_ref(),
                Some(GithubError::Denied { .. } | GithubError::Rejected { .. })
            )
        });
        if !refused {
            return Err(error);
        }
        self.trouble(&error);
        Ok(())
    }
}

/// What of an answer was carried out: what is refused makes nothing untrue.
fn carried_out(lines: &[AnswerLine], grammar: &Grammar) -> Vec<Command> {
    let done = lines.iter().filter(|line| match line.standing {
        Standing::Done | Standing::Failed | Standing::Told => true,
        Standing::Open | Standing::Refused | Standing::Unclear => false,
    });
    done.filter_map(|line| command(&line.command, grammar)).collect()
}

fn command(line: &str, grammar: &Grammar) -> Option<Command> {
    parse(line, grammar).pop()?.said.ok()
}

/// Whether all that was answered to `earlier` is outdated by what was carried out of what `newest`
/// said. What was not understood is by whatever the same person says next; and what anybody may ask
/// hides nobody else's answer.
fn is_outdated(earlier: &Heard, newest: &Said, done: &[Command], grammar: &Grammar) -> bool {
    let rulings = earlier.rulings.as_deref().unwrap_or_default();
    let same_author = earlier.said.author == newest.author;
    let outdates = |later: &Command, earlier: &Command| {
        let harmless = later.verb().needs() == Needs::Read;
        (same_author || !harmless) && later.outdates(earlier)
    };
    let is_outdated = |line: &str| match command(line, grammar) {
        Some(earlier) => done.iter().any(|later| outdates(later, &earlier)),
        None => same_author,
    };
    !rulings.is_empty() && rulings.iter().all(|ruling| is_outdated(&ruling.line))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{CommandSource, HeardId, Ruled, Ruling, Timestamp};

    fn heard(author: &str, lines: &[&str]) -> Heard {
        let ruling = |line: &&str| Ruling {
            line: (*line).to_owned(),
            outcome: Ruled::Told { answer: String::new() },
        };
        Heard {
            id: HeardId(1),
            said: Said {
                source: CommandSource::Comment(1),
                number: 1,
                author: author.to_owned(),
                bot: false,
                body: String::new(),
                head: None,
                at: Timestamp::from_millis(0),
            },
            heard_at: Timestamp::from_millis(0),
            rulings: Some(lines.iter().map(ruling).collect()),
        }
    }

    /// Whether the answer to `earlier` is outdated when `newest` was answered so.
    fn judge(earlier: (&str, &[&str]), newest: (&str, &[&str]), standing: Standing) -> bool {
        let grammar = Grammar { prefix: "/bump".to_owned(), mention: None };
        let line = |command: &&str| AnswerLine {
            command: (*command).to_owned(),
            standing,
            text: String::new(),
        };
        let lines: Vec<AnswerLine> = newest.1.iter().map(line).collect();
        let (earlier, said) = (heard(earlier.0, earlier.1), heard(newest.0, newest.1).said);
        is_outdated(&earlier, &said, &carried_out(&lines, &grammar), &grammar)
    }

    #[test]
    fn an_answer_is_outdated_by_a_later_one_about_the_same() {
        for (earlier, newest, outdated) in [
            (&["/bump hold for now"][..], &["/bump unhold"][..], true),
            (&["/bump canary"], &["/bump canary 3.10.0"], true),
            (&["/bump canary 3.9.4"], &["/bump canary 3.10.0"], false),
            (&["/bump canary", "/bump hold"], &["/bump canary"], false),
            (&["/bump canary", "/bump hold"], &["/bump unhold", "/bump canary"], true),
            (&["/bump ignore minor"], &["/bump ignore patch"], false),
            (&["/bump ignore minor"], &["/bump unignore"], true),
            (&["/bump 3.10.4"], &["/bump 3.10.5"], true),
            (&["/bump help"], &["/bump explain"], false),
            (&["/bump explain 3.9.4"], &["/bump explain 3.10.0"], false),
            (&["/bump explain"], &["/bump explain"], true),
            (&["/bump cnary"], &["/bump canary"], true),
            (&[], &["/bump canary"], false),
        ] {
            let judged = judge(("ada", earlier), ("ada", newest), Standing::Done);
            assert_eq!(judged, outdated, "{earlier:?} {newest:?}");
        }
    }

    #[test]
    fn nobody_hides_what_is_still_so() {
        let hold = ("ada", &["/bump hold"][..]);
        for standing in [Standing::Refused, Standing::Unclear, Standing::Open] {
            assert!(!judge(hold, ("eve", &["/bump unhold"]), standing), "{standing:?}");
        }
        assert!(judge(hold, ("bob", &["/bump unhold"]), Standing::Done));
        let told = ("ada", &["/bump explain"][..]);
        assert!(!judge(told, ("eve", &["/bump explain"]), Standing::Told));
        assert!(!judge(("ada", &["/bump cnary"]), ("bob", &["/bump canary"]), Standing::Done));
    }
}
