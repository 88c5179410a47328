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
use crate::domain::{
    Heard, IgnoreScope, Ordered, PullFacts, PullState, Role, Ruled, Said, Version, Wish,
};
use crate::policy;
use crate::render;
use crate::store::Sentence;
use anyhow::{Context as _, Result};

/// What is said to whoever waited longer than anybody expects something to come of it.
const TOO_LATE: &str =
    "nobody could look into it for a day, and now nobody does: say it again if it still matters";

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
        let mut told_too_late = Vec::new();
        for heard in waiting {
            if self.limited {
                return Ok(());
            }
            if !self.listens_to(config, &heard.said) || self.may_be_done_with(heard.said.at) {
                self.forget(&heard).await?;
                continue;
            }
            let ruled = if self.is_stale(&heard) {
                self.too_late(config, &heard, &mut told_too_late).await
            } else {
                self.rule_on(config, &heard).await
            };
            match ruled {
                Ok(()) => {}
                Err(error) if error.is::<crate::store::StoreError>() => return Err(error),
                Err(error) => self.trouble(&error.context("a command")),
            }
        }
        Ok(())
    }

    /// Rules that nothing comes of what nobody could look into in time. Whoever saw that it was heard is
    /// told; what they may do is not asked any more, so no more of them are than strangers are. `told`
    /// are those of this pass.
    async fn too_late(
        &mut self,
        config: &CommandsConfig,
        heard: &Heard,
        told: &mut Vec<String>,
    ) -> Result<()> {
        let (to, author) = (&heard.said.source, &heard.said.author);
        let others: Vec<&str> = told.iter().map(String::as_str).collect();
        let noticed =
            self.eyes(to).is_some() && !self.strangers_had_enough(author, &others).await?;
        let mut sentences = Vec::new();
        if noticed || self.last_said(to).is_some() {
            told.push(author.clone());
            let lines = parse(&heard.said.body, &grammar(config)).into_iter();
            sentences.extend(lines.map(|line| (line.text, refused(TOO_LATE.to_owned()))));
        }
        self.record_rulings(heard, &sentences, true).await
    }

    async fn rule_on(&mut self, config: &CommandsConfig, heard: &Heard) -> Result<()> {
        let said = &heard.said;
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
        self.record_rulings(heard, &sentences, stranger).await
    }

    async fn record_rulings(
        &mut self,
        heard: &Heard,
        sentences: &[(String, Sentence)],
        stranger: bool,
    ) -> Result<()> {
        let bot = self.bot;
        let (store, name, now) = (&bot.store, &bot.watch.name, bot.clock.now());
        let ruled = store.record_rulings(self.lease, name, heard, sentences, stranger, now);
        let (rulings, requests, orders) = ruled.await?;
        for (line, _) in sentences {
            self.done(format!("heard `{line}` from {}", heard.said.author));
        }
        for request in requests {
            match self.memory.requests.iter_mut().find(|known| known.id == request.id) {
                Some(known) => (known.head, known.said_at) = (request.head, request.said_at),
                None => self.memory.requests.push(request),
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
            Command::Bump(version) => Sentence::Ask(Wish::Bump, version, None),
            Command::Canary(Some(version)) => Sentence::Ask(Wish::Canary, version, None),
            Command::Canary(None) => about_pull(pull, said, Wish::Canary, verb),
            Command::Rebase => about_pull(pull, said, Wish::Rebase, verb),
            Command::Recreate => about_pull(pull, said, Wish::Recreate, verb),
            Command::Hold(reason) => Sentence::Order(Ordered::Hold { reason }),
            Command::Unhold => Sentence::Order(Ordered::Unhold),
            Command::Unignore => Sentence::Order(Ordered::Unignore),
            Command::Ignore(scope) => {
                let Some(ordered) = Ordered::ignoring(scope, proposed(pull).as_ref()) else {
                    return refused("nothing is proposed here that `this` could be".to_owned());
                };
                // It may be about another release by now, which no commit of a person's changes.
                let same = |pull: &PullFacts| {
                    pull.marker.as_ref().is_some_and(|it| Some(&it.commit) == said.head.as_ref())
                };
                let seen = match pull {
                    Some(pull) if scope == IgnoreScope::This && !same(pull) => seen_by(said, pull),
                    _ => Ok(()),
                };
                seen.map_or_else(refused, |()| Sentence::Order(ordered))
            }
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
    match seen_by(said, pull) {
        Ok(()) => Sentence::Ask(wish, version, Some(pull.head.clone())),
        Err(why) => refused(why),
    }
}

/// Whether an open pull request is what it was when something was said of it; if not, why that is
/// not done.
fn seen_by(said: &Said, pull: &PullFacts) -> Result<(), String> {
    match &said.head {
        _ if pull.state != PullState::Open => Ok(()),
        Some(head) if *head == pull.head => Ok(()),
        Some(head) => Err(policy::moved_since(head, &pull.head)),
        None => {
            Err("nobody knows where the branch was when this was said: say it again".to_owned())
        }
    }
}
