//! The way back: what became of each command is told where it was said, by one comment that is
//! rewritten as things proceed, and by a reaction.

use super::{
    hear::{grammar, is_on_ours},
    pass::Pass,
    view::view_of,
};
use crate::command::parse;
use crate::domain::{
    CanaryRun, CommandSource, Digest, Effect, Heard, IssueNumber, Order, OrderBook, Reaction,
    Request, RequestId, Ruled, Ruling, RunState, Verdict, Version, Wish,
};
use crate::policy::{self, Snapshot};
use crate::proposal::GONE;
use crate::render::{AnswerLine, Standing, WatchView, answer};
use anyhow::{Context as _, Result};

/// What is said to whoever was told something already, and is not to make the bot talk.
const HAD_ENOUGH: &str = "whoever may not push here has had enough answers for today";

impl Pass<'_> {
    /// Makes every answer say what is so at the end of the pass.
    pub(super) async fn answer_all(&mut self) -> Result<()> {
        // A memory that could not look back does not know which answers there are.
        if self.limited || self.memory.recalled().is_none() {
            return Ok(());
        }
        let ruled = self.heard.iter().filter(|heard| heard.rulings.is_some());
        let ruled: Vec<Heard> = ruled.cloned().collect();
        if ruled.is_empty() {
            return self.answer_unruled().await;
        }
        let (bot, now) = (self.bot, self.bot.clock.now());
        let snapshot = self.snapshot();
        let decision = &self.report.decision;
        let view = view_of(&bot.watch, &self.memory, &snapshot, decision, now);
        for heard in ruled {
            if self.limited {
                return Ok(());
            }
            match self.answer_one(&heard, &view, &snapshot).await {
                Ok(()) => {}
                Err(error) if error.is::<crate::store::StoreError>() => return Err(error),
                Err(error) => self.trouble(&error),
            }
        }
        self.answer_unruled().await
    }

    async fn answer_one(
        &mut self,
        heard: &Heard,
        view: &WatchView,
        snapshot: &Snapshot,
    ) -> Result<()> {
        let to = heard.said.source.clone();
        let rulings = heard.rulings.as_deref().unwrap_or_default();
        if rulings.is_empty() || matches!(to, CommandSource::Box(_)) {
            // Who had enough is told nothing: then it looks as if nobody had heard it. A box has no
            // place for an answer.
            if self.last_said(&to).is_some() {
                // It said that nobody could look yet.
                let lines = self.one_for_all(heard, Standing::Refused, HAD_ENOUGH);
                self.say(heard, &lines).await?;
            }
            self.take_eyes_back(to).await?;
            return self.forget(heard).await;
        }
        let lines = rulings.iter().map(|it| self.line(it, view, snapshot));
        let lines: Vec<AnswerLine> = lines.collect();
        if !self.say(heard, &lines).await? {
            return Ok(());
        }
        if lines.iter().any(|line| line.standing == Standing::Open) {
            return Ok(());
        }
        self.react_at_last(to, &lines).await?;
        if let Some(config) = &self.bot.watch.downstream.commands {
            self.outdate_before(config, heard, &lines).await?;
        }
        self.forget(heard).await
    }

    /// Puts the reaction that says what came of it in the place of the one that said it was heard.
    async fn react_at_last(&mut self, to: CommandSource, lines: &[AnswerLine]) -> Result<()> {
        let last = Effect::React { to: to.clone(), reaction: reaction(lines) };
        if !self.is_done(&last) {
            self.effect(&last).await?;
        }
        self.take_eyes_back(to).await
    }

    /// Tells those on whose commands nobody could rule that they are not forgotten. What they may do
    /// is not known: no more of them are told than strangers are.
    async fn answer_unruled(&mut self) -> Result<()> {
        let Some(config) = &self.bot.watch.downstream.commands else { return Ok(()) };
        let Some(text) = self.logged().map(went_wrong) else { return Ok(()) };
        let waiting = self.heard.iter().filter(|heard| {
            let said = &heard.said;
            heard.rulings.is_none()
                && !matches!(said.source, CommandSource::Box(_))
                && is_on_ours(&self.memory, said.number)
                && self.listens_to(config, said)
                && !self.may_be_done_with(said.at)
                && !self.is_stale(heard)
        });
        let waiting: Vec<Heard> = waiting.cloned().collect();
        let mut told: Vec<&str> = Vec::new();
        for heard in &waiting {
            let author = heard.said.author.as_str();
            if self.limited || self.strangers_had_enough(author, &told).await? {
                continue;
            }
            told.push(author);
            let lines = self.one_for_all(heard, Standing::Open, &text);
            match self.say(heard, &lines).await {
                Ok(_) => {}
                Err(error) if error.is::<crate::store::StoreError>() => return Err(error),
                Err(error) => self.trouble(&error),
            }
        }
        Ok(())
    }

    /// The same said of each command.
    fn one_for_all(&self, heard: &Heard, standing: Standing, text: &str) -> Vec<AnswerLine> {
        let Some(config) = &self.bot.watch.downstream.commands else { return Vec::new() };
        let lines = parse(&heard.said.body, &grammar(config)).into_iter();
        let lines = lines.map(|line| {
            let text = text.to_owned();
            AnswerLine { command: line.text, standing, text }
        });
        lines.collect()
    }

    /// Takes back the reaction that said that the comment was heard, if it was shown.
    pub(super) async fn take_eyes_back(&mut self, to: CommandSource) -> Result<()> {
        if let Some(id) = self.eyes(&to) {
            let reaction = Reaction::Eyes;
            let effect = Effect::TakeReactionBack { to, reaction, id };
            if !self.is_done(&effect) {
                self.effect(&effect).await?;
            }
        }
        Ok(())
    }

    /// Sends the answer or rewrites it. `false` if it may be there, and only not be listed yet; or if
    /// what it would answer is gone, and so forgotten.
    async fn say(&mut self, heard: &Heard, lines: &[AnswerLine]) -> Result<bool> {
        let to = heard.said.source.clone();
        let book = OrderBook::of(&self.memory.orders, &self.memory.requests);
        let kept = book.as_ref().map(|book| (self.bot.watch.name.as_str(), book));
        let body = answer(&to, &heard.said.author, lines, kept);
        let says = Digest::of(body.as_bytes()).short().to_owned();
        let number = IssueNumber(heard.said.number);
        let there = self.last_said(&to);
        if there.as_ref().is_some_and(|(_, said)| *said == says) {
            return Ok(true);
        }
        if let Some((answer, _)) = there {
            self.effect(&Effect::EditAnswer { to, answer, says, body }).await?;
            return Ok(true);
        }
        let effect = Effect::Answer { to: to.clone(), number, says, body };
        if self.may_be_unlisted(&effect).await? {
            return Ok(false);
        }
        if self.effect(&effect).await?.remote_id == GONE {
            self.forget(heard).await?;
            return Ok(false);
        }
        self.done(format!("answered {to} on {number}"));
        Ok(true)
    }

    /// GitHub's id of the reaction that said that the comment was heard.
    pub(super) fn eyes(&self, to: &CommandSource) -> Option<u64> {
        let seen = Effect::React { to: to.clone(), reaction: Reaction::Eyes };
        let key = seen.key(&self.bot.watch.name);
        let mut records = self.memory.effects.iter();
        records.find(|record| record.key == key)?.remote_id.as_ref()?.parse().ok()
    }

    /// GitHub's id of the answer, and what it says.
    pub(super) fn last_said(&self, to: &CommandSource) -> Option<(u64, String)> {
        let said = self.memory.effects.iter().filter_map(|record| {
            let done = record.done_at?;
            match &record.effect {
                Effect::Answer { to: it, says, .. } | Effect::EditAnswer { to: it, says, .. }
                    if it == to =>
                {
                    Some((done, record.remote_id.as_ref()?.parse().ok()?, says.clone()))
                }
                _ => None,
            }
        });
        said.max_by_key(|(done, ..)| *done).map(|(_, id, says)| (id, says))
    }

    fn line(&self, ruling: &Ruling, view: &WatchView, snapshot: &Snapshot) -> AnswerLine {
        let (standing, text) = match &ruling.outcome {
            Ruled::Asked { request } => self.of_request(*request, view),
            Ruled::Ordered { request, answer } => {
                let orders = &self.memory.orders;
                let order = orders.iter().find(|order| order.id == *request);
                (Standing::Done, order.map_or(answer.clone(), |it| of_order(it, orders, snapshot)))
            }
            Ruled::Told { answer } => (Standing::Told, answer.clone()),
            Ruled::Refused { why } => (Standing::Refused, why.clone()),
            Ruled::Unclear { why } => (Standing::Unclear, why.clone()),
        };
        AnswerLine { command: ruling.line.clone(), standing, text }
    }

    /// How a request stands, in words that stay true.
    fn of_request(&self, id: RequestId, view: &WatchView) -> (Standing, String) {
        let asked = self.memory.requests.iter().find(|asked| asked.id == id);
        let asked = match asked.context("no such request") {
            Ok(asked) => asked,
            Err(error) => return (Standing::Refused, error.to_string()),
        };
        match &asked.outcome {
            Some(outcome) if outcome.granted && self.has_failed(asked) => {
                (Standing::Failed, outcome.answer.clone())
            }
            Some(outcome) if outcome.granted => (Standing::Done, outcome.answer.clone()),
            Some(outcome) => (Standing::Refused, outcome.answer.clone()),
            None if asked.wish == Wish::Canary
                && let Some(run) = self.running(&asked.version) =>
            {
                (Standing::Open, format!("the canary runs since {}", run.started_at))
            }
            None => (Standing::Open, self.of_open(&asked.version, view)),
        }
    }

    /// Whether it asked for a canary, which then failed: by the first run since that told something.
    fn has_failed(&self, asked: &Request) -> bool {
        let of_it = self.memory.runs.iter().filter(|run| run.version == asked.version);
        let mut told = of_it.filter_map(|run| match run.state {
            RunState::Ended { at, verdict, .. } if at >= asked.at => Some(verdict),
            RunState::Ended { .. } | RunState::Running { .. } => None,
        });
        let first = told.find(|verdict| *verdict != Verdict::Inconclusive);
        asked.wish == Wish::Canary && first == Some(Verdict::Failed)
    }

    /// Why what was asked for of a release is not done yet.
    fn of_open(&self, version: &Version, view: &WatchView) -> String {
        let release = view.releases.iter().find(|it| it.version == *version);
        match (self.logged_about(version), release) {
            (Some(id), _) => went_wrong(id),
            (None, Some(release)) => format!("{version}: {}", release.lasting),
            (None, None) => self.logged().map_or_else(|| "it is looked at".to_owned(), went_wrong),
        }
    }

    /// The canary of a version that is under way.
    fn running(&self, version: &Version) -> Option<&CanaryRun> {
        let mut runs = self.memory.runs.iter().rev();
        runs.find(|run| run.version == *version && matches!(run.state, RunState::Running { .. }))
    }
}

/// What came of a standing order, in words that stay true.
fn of_order(order: &Order, orders: &[Order], snapshot: &Snapshot) -> String {
    if let Some(later) = order.gave_way_to(orders) {
        let Order { ordered, actor, at, .. } = later;
        return format!("it gave way to `{ordered}`, which {actor} said later, at {at}");
    }
    let left = policy::stays_open(order, snapshot).map(|left| format!("; {left}"));
    format!("{}{}", order.ordered.consequence(), left.unwrap_or_default())
}

/// What is said of a trouble of the bot's where people read who do not run it.
fn went_wrong(id: &str) -> String {
    format!("something went wrong on the bot's side, logged as `{id}`; it is tried again")
}

/// The reaction that says it all.
fn reaction(lines: &[AnswerLine]) -> Reaction {
    let any = |standing| lines.iter().any(|line| line.standing == standing);
    if any(Standing::Refused) || any(Standing::Failed) {
        Reaction::ThumbsDown
    } else if any(Standing::Unclear) {
        Reaction::Confused
    } else {
        Reaction::Rocket
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_of_it_is_what_the_reaction_says() {
        let of = |all: &[Standing]| {
            let line = |standing: &Standing| AnswerLine {
                command: String::new(),
                standing: *standing,
                text: String::new(),
            };
            reaction(&all.iter().map(line).collect::<Vec<_>>())
        };
        assert_eq!(of(&[Standing::Done, Standing::Told]), Reaction::Rocket);
        assert_eq!(of(&[Standing::Done, Standing::Unclear]), Reaction::Confused);
        assert_eq!(of(&[Standing::Unclear, Standing::Refused]), Reaction::ThumbsDown);
        assert_eq!(of(&[Standing::Done, Standing::Failed]), Reaction::ThumbsDown);
    }
}
