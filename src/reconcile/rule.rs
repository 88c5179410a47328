//! What becomes of each command: who may is asked now, and wishes are recorded. The loop carries them
//! out like any other wish; a command has no way of its own to the world.

use super::{
    hear::{grammar, is_listed, is_on_ours},
    pass::Pass,
    view::explain_to,
};
use crate::clients::github::GithubError;
use crate::command::{Command, Needs, Verb, help, parse};
use crate::config::{Admitted, CommandsConfig};
use crate::domain::{Heard, Ordered, PullFacts, PullState, Role, Ruled, Said, Version, Wish};
use crate::render;
use crate::store::Sentence;
use anyhow::{Context as _, Result};

impl Pass<'_> {
    /// Rules on what was heard. Comes after the world was read, so that it is ruled by what is so now.
    pub(super) async fn rule(&mut self) -> Result<()> {
        let bot = self.bot;
        let Some(config) = &bot.watch.downstream.commands else { return Ok(()) };
        self.acknowledge().await?;
        let ours =
            |heard: &&Heard| heard.rulings.is_none() && is_on_ours(&self.memory, heard.said.number);
        let waiting: Vec<Heard> = self.heard.iter().filter(ours).cloned().collect();
        if waiting.is_empty() || !self.knows_itself().await {
            return Ok(());
        }
        for heard in waiting {
            if self.limited {
                return Ok(());
            }
            if !self.listens_to(config, &heard.said) || self.may_be_done_with(heard.said.at) {
                self.forget(&heard).await?;
                continue;
            }
            match self.rule_on(config, &heard).await {
                Ok(()) => {}
                Err(error) if error.is::<crate::store::StoreError>() => return Err(error),
                Err(error) => self.trouble(&error.context("a command")),
            }
        }
        Ok(())
    }

    async fn rule_on(&mut self, config: &CommandsConfig, heard: &Heard) -> Result<()> {
        let (bot, said) = (self.bot, &heard.said);
        let known = self.roles.get(&said.author).copied();
        let role = match known {
            Some(role) => role,
            None => self.role_of(config, said).await?,
        };
        self.roles.insert(said.author.clone(), role);
        let stranger = role < Role::Write;
        let mut sentences = Vec::new();
        if !(stranger && self.strangers_had_enough(&said.author, &[]).await?) {
            for line in parse(&said.body, &grammar(config)) {
                let sentence = match line.said {
                    Err(mistake) => Sentence::Rule(Ruled::Unclear { why: mistake.why }),
                    Ok(command) => self.sentence(config, said, role, command),
                };
                sentences.push((line.text, sentence));
            }
        }
        let (store, name, now) = (&bot.store, &bot.watch.name, bot.clock.now());
        let ruled = store.record_rulings(self.lease, name, heard, &sentences, stranger, now);
        let (rulings, requests, orders) = ruled.await?;
        for (line, _) in &sentences {
            self.done(format!("heard `{line}` from {}", said.author));
        }
        for request in requests {
            if self.memory.requests.iter().all(|known| known.id != request.id) {
                self.memory.requests.push(request);
            }
        }
        self.memory.orders.extend(orders);
        if let Some(known) = self.heard.iter_mut().find(|it| it.id == heard.id) {
            known.rulings = Some(rulings);
        }
        Ok(())
    }

    /// What somebody may do now. Whoever the config lists may command like one who maintains.
    async fn role_of(&mut self, config: &CommandsConfig, said: &Said) -> Result<Role> {
        let bot = self.bot;
        let (github, author) = (&bot.sources.github, &said.author);
        if is_listed(config, author) {
            return Ok(Role::Maintain);
        }
        let repo = &bot.watch.downstream.repository;
        let role = github.fetch_role(repo, author).await;
        let role = role.with_context(|| format!("what {author} may do in {repo}"))?;
        if role >= Role::Maintain {
            return Ok(role);
        }
        for admitted in &config.allow {
            if let Admitted::Team { organisation, team } = admitted {
                let what = || format!("the team {organisation}/{team}");
                match github.fetch_is_member(organisation, team, author).await {
                    Ok(true) => return Ok(Role::Maintain),
                    Ok(false) => {}
                    // Who may not see the team lets nobody in for it, and everybody else as before.
                    Err(error @ GithubError::Denied { .. }) => {
                        self.trouble(&anyhow::Error::new(error).context(what()));
                    }
                    Err(error) => return Err(error).with_context(what),
                }
            }
        }
        Ok(role)
    }

    fn sentence(
        &self,
        config: &CommandsConfig,
        said: &Said,
        role: Role,
        command: Command,
    ) -> Sentence {
        let verb = command.verb();
        if role < needed(verb) {
            let why = format!(
                "`{verb}` takes the permission to {} in this repository, and {} has {role}",
                verb.needs(),
                said.author
            );
            return refused(why);
        }
        let pull = self.memory.pulls().find(|pull| pull.number.0 == said.number);
        match command {
            Command::Help => Sentence::Rule(Ruled::Told { answer: help(&grammar(config)) }),
            Command::Explain(version) => self.explained(version.or_else(|| proposed(pull)), verb),
            Command::Bump(version) => Sentence::Ask(Wish::Bump, version),
            Command::Canary(Some(version)) => Sentence::Ask(Wish::Canary, version),
            Command::Canary(None) => about_pull(pull, said, Wish::Canary, verb),
            Command::Rebase => about_pull(pull, said, Wish::Rebase, verb),
            Command::Recreate => about_pull(pull, said, Wish::Recreate, verb),
            Command::Hold(reason) => Sentence::Order(Ordered::Hold { reason }),
            Command::Unhold => Sentence::Order(Ordered::Unhold),
            Command::Unignore => Sentence::Order(Ordered::Unignore),
            Command::Ignore(scope) => match Ordered::ignoring(scope, proposed(pull).as_ref()) {
                Some(ordered) => Sentence::Order(ordered),
                None => refused("nothing is proposed here that `this` could be".to_owned()),
            },
        }
    }

    fn explained(&self, version: Option<Version>, verb: Verb) -> Sentence {
        let Some(version) = version else {
            return refused(format!("`{verb}` needs a version here, such as `{}`", verb.example()));
        };
        let (bot, now) = (self.bot, self.bot.clock.now());
        let how = bot.watch.downstream.how_to_ask();
        match explain_to(&how, &bot.watch, &self.memory, &version, now) {
            Ok(explanation) => Sentence::Rule(Ruled::Told {
                answer: render::as_text(&render::explain(&explanation)),
            }),
            Err(why) => refused(why),
        }
    }
}

fn refused(why: String) -> Sentence {
    Sentence::Rule(Ruled::Refused { why })
}

const fn needed(verb: Verb) -> Role {
    match verb.needs() {
        Needs::Read => Role::Read,
        Needs::Write => Role::Write,
        Needs::Maintain => Role::Maintain,
    }
}

/// What a pull request proposes, if it is one of the bot's.
fn proposed(pull: Option<&PullFacts>) -> Option<Version> {
    Some(pull?.marker.as_ref()?.version.clone())
}

/// A wish about the pull request on which it was said. It is bound to the branch as it was then: who
/// said it has seen nothing else.
fn about_pull(pull: Option<&PullFacts>, said: &Said, wish: Wish, verb: Verb) -> Sentence {
    let open = pull.filter(|pull| pull.state == PullState::Open);
    let Some((pull, version)) = open.and_then(|pull| Some((pull, proposed(Some(pull))?))) else {
        return refused(format!(
            "`{verb}` is about an open pull request of the bot's: say it in one"
        ));
    };
    match &said.head {
        Some(head) if *head == pull.head => Sentence::Ask(wish, version),
        Some(head) => refused(format!(
            "the branch was at `{}` when this was said, and is at `{}` now: look at it, and say it \
             again",
            head.short(),
            pull.head.short()
        )),
        None => {
            refused("nobody knows where the branch was when this was said: say it again".to_owned())
        }
    }
}
