//! Comments of the bot's that are not so any more: shown small, so that a long thread shows what counts.

use super::{hear::grammar, pass::Pass};
use crate::clients::github::GithubError;
use crate::command::{Grammar, Verb, parse};
use crate::config::CommandsConfig;
use crate::domain::{CommandSource, Effect, Heard};
use crate::proposal::of_kind;
use anyhow::Result;

impl Pass<'_> {
    /// Has the answers shown small that are outdated by the one to `newest`, where both stand.
    pub(super) async fn outdate_before(
        &mut self,
        config: &CommandsConfig,
        newest: &Heard,
    ) -> Result<()> {
        let (bot, grammar) = (self.bot, grammar(config));
        let (repo, name) = (&bot.watch.downstream.repository, &bot.watch.name);
        let answered = bot.store.load_answered(repo, name, newest).await?;
        for earlier in answered.iter().filter(|it| is_outdated(it, newest, &grammar)) {
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

/// Whether all that was answered to `earlier` is outdated by the answer to `newest`. What was not
/// understood is by whatever the same person says next.
fn is_outdated(earlier: &Heard, newest: &Heard, grammar: &Grammar) -> bool {
    let verbs = verbs(newest, grammar);
    let rulings = earlier.rulings.as_deref().unwrap_or_default();
    let same_author = earlier.said.author == newest.said.author;
    let is_outdated = |line: &str| {
        let said = parse(line, grammar).pop().and_then(|line| line.said.ok());
        said.map_or(same_author, |command| verbs.iter().any(|verb| verb.outdates(command.verb())))
    };
    !rulings.is_empty() && rulings.iter().all(|ruling| is_outdated(&ruling.line))
}

fn verbs(heard: &Heard, grammar: &Grammar) -> Vec<Verb> {
    let rulings = heard.rulings.iter().flatten();
    let lines = rulings.flat_map(|ruling| parse(&ruling.line, grammar));
    lines.filter_map(|line| Some(line.said.ok()?.verb())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{CommandSource, HeardId, Ruled, Ruling, Said, Timestamp};

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

    #[test]
    fn an_answer_is_outdated_by_a_later_one_about_the_same() {
        let grammar = Grammar { prefix: "/bump".to_owned(), mention: None };
        for (earlier, newest, outdated) in [
            (&["/bump hold for now"][..], &["/bump unhold"][..], true),
            (&["/bump canary"], &["/bump canary 3.10.0"], true),
            (&["/bump canary", "/bump hold"], &["/bump canary"], false),
            (&["/bump canary", "/bump hold"], &["/bump unhold", "/bump canary"], true),
            (&["/bump ignore minor"], &["/bump ignore patch"], false),
            (&["/bump ignore minor"], &["/bump unignore"], true),
            (&["/bump 3.10.4"], &["/bump 3.10.5"], true),
            (&["/bump help"], &["/bump explain"], false),
            (&["/bump cnary"], &["/bump canary"], true),
            (&[], &["/bump canary"], false),
        ] {
            let (earlier, newest) = (heard("ada", earlier), heard("ada", newest));
            assert_eq!(
                is_outdated(&earlier, &newest, &grammar),
                outdated,
                "{earlier:?} {newest:?}"
            );
        }
        let (mistake, other) = (heard("ada", &["/bump cnary"]), heard("bob", &["/bump canary"]));
        assert!(!is_outdated(&mistake, &other, &grammar), "somebody else said that");
    }
}
