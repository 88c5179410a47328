//! What the store remembers of one watch.

mod downstream;
mod upstream;

use super::{
    CanaryRun, EffectRecord, Fact, FactKey, Finding, NamedBreaks, Observation, Order, Request,
    Timestamp,
};
use std::{collections::BTreeMap, fmt};

/// Everything that a decision depends on besides the rules: the latest value of each fact, and
/// what the bot itself did.
#[derive(Debug, Clone, Default)]
pub struct Memory {
    /// The latest observation of each fact.
    pub observations: BTreeMap<FactKey, Observation>,
    /// Every finding, oldest first.
    pub findings: Vec<Finding>,
    /// Every canary run, oldest first.
    pub runs: Vec<CanaryRun>,
    /// Every request, oldest first.
    pub requests: Vec<Request>,
    /// Every standing order, oldest first, also those that were taken back.
    pub orders: Vec<Order>,
    /// Every effect, oldest first.
    pub effects: Vec<EffectRecord>,
    /// When the last pass ended, for whoever looks whether the bot is at work. No decision depends on it.
    pub last_pass: Option<Timestamp>,
    /// What the notes of the releases were read to break; derived from them.
    pub named_breaks: NamedBreaks,
}

impl Memory {
    /// Takes in `fact` if it is new or says something else than before, and is no older; returns the
    /// observation that is then to be recorded.
    pub fn observe(&mut self, fact: Fact, at: Timestamp) -> Option<Observation> {
        let key = fact.key();
        if self.observations.get(&key).is_some_and(|known| !fact.is_news_to(&known.fact)) {
            return None;
        }
        if let Fact::Release(release) = &fact {
            self.named_breaks.forget(&release.tag);
        }
        let observation = Observation { fact, at };
        self.observations.insert(key, observation.clone());
        Some(observation)
    }

    /// The latest observation of an aspect of something; `subject` is empty for what there is one of.
    fn seen(&self, aspect: &'static str, subject: impl fmt::Display) -> Option<&Observation> {
        self.observations.get(&FactKey { aspect, subject: subject.to_string() })
    }

    /// What it says.
    fn fact(&self, aspect: &'static str, subject: impl fmt::Display) -> Option<&Fact> {
        self.seen(aspect, subject).map(|seen| &seen.fact)
    }

    /// What the last pass could not read or do.
    #[must_use]
    pub fn troubles(&self) -> &[String] {
        let Some(Fact::Troubles { lines }) = self.fact("troubles", "") else { return &[] };
        lines
    }

    /// When this memory began, and whether one before it was lost; `None` until somebody looked.
    #[must_use]
    pub fn recalled(&self) -> Option<(Timestamp, bool)> {
        let seen = self.seen("recalled", "")?;
        let Fact::Recalled { lost } = seen.fact else { return None };
        Some((seen.at, lost))
    }
}
