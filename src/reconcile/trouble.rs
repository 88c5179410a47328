//! What did not work: told whole to whoever runs the bot, and by a mark to whoever waits for it.

use super::{
    limit::{no_token, rate_limit},
    pass::Pass,
    recall::PutOff,
};
use crate::clients::npm::NpmError;
use crate::clients::registry::RegistryError;
use crate::domain::{Digest, Fact, Timestamp, Version};
use crate::policy::Intent;
use anyhow::Result;
use tracing::{debug, warn};

/// Something that did not work in this pass.
#[derive(Debug)]
pub(super) struct Trouble {
    /// The release that it keeps waiting, if it is one release.
    about: Option<Version>,
    /// What the log calls it.
    id: String,
}

/// What the log calls a trouble. It is the same from pass to pass, so that an answer that names it
/// need not be rewritten: numbers, such as those of times and ports, do not count.
fn id_of(text: &str) -> String {
    let lasting: String = text.chars().filter(|c| !c.is_ascii_digit()).collect();
    Digest::of(lasting.as_bytes()).short().to_owned()
}

/// What is told of an error and remembered: without the end of npm's rate limit, which each process
/// may see somewhere else.
pub(super) fn in_words(error: &anyhow::Error) -> String {
    match npm_limit(error) {
        Some(_) => format!("{error}: npm's rate limit holds"),
        None => format!("{error:#}"),
    }
}

/// When npm is asked again, if its rate limit is the error.
fn npm_limit(error: &anyhow::Error) -> Option<Timestamp> {
    match error.downcast_ref() {
        Some(NpmError::RateLimited { until }) => Some(*until),
        _ => None,
    }
}

impl Pass<'_> {
    /// Something that did not work. Whatever it was, it is due again in the next pass.
    pub(super) fn trouble(&mut self, error: &anyhow::Error) {
        self.trouble_about(None, error);
    }

    /// The same, where it was an intent that could not be carried out.
    pub(super) fn trouble_with(&mut self, intent: &Intent, error: &anyhow::Error) {
        self.trouble_about(self.release_of(intent), error);
    }

    /// Something that did not work, and that the next passes do not try again.
    pub(super) fn trouble_for_once(&mut self, error: &anyhow::Error) {
        let before = self.report.try_again;
        self.trouble(error);
        self.report.try_again = before;
    }

    fn trouble_about(&mut self, about: Option<Version>, error: &anyhow::Error) {
        if let Some(PutOff { until }) = error.downcast_ref() {
            self.report.wake = self.report.wake.into_iter().chain([*until]).min();
            return debug!(%error, "put off");
        }
        // Without a token nothing can be asked; why there is none is said once.
        let text = no_token(error).map_or_else(|| in_words(error), ToString::to_string);
        let id = id_of(&text);
        let limit = rate_limit(error);
        if let Some(until) = limit {
            self.limited = true;
            self.bot.limit.met(until);
        }
        let others = self.registry_limit(error).or_else(|| npm_limit(error));
        let until = limit.or(others);
        self.report.wake = self.report.wake.into_iter().chain(until).min();
        self.report.try_again |= until.is_none();
        if !self.report.troubles.contains(&text) {
            warn!(error = %text, id, "not done");
            self.report.troubles.push(text);
        }
        self.troubles.push(Trouble { about, id });
    }

    /// The release that an intent is about, if it is one.
    fn release_of(&self, intent: &Intent) -> Option<Version> {
        let of_pull = |number| {
            let pull = self.memory.pulls().find(|pull| pull.number == number)?;
            Some(pull.marker.as_ref()?.version.clone())
        };
        match intent {
            Intent::Bury(id) | Intent::Conclude(id) | Intent::Cancel { run: id, .. } => {
                let run = self.memory.runs.iter().find(|run| run.id == *id)?;
                Some(run.version.clone())
            }
            Intent::Hold { pull, .. }
            | Intent::Close { pull, .. }
            | Intent::Warn { pull, .. }
            | Intent::StepBack { pull }
            | Intent::TakeUp { pull }
            | Intent::GiveUp { pull, .. } => of_pull(*pull),
            intent => intent.version().cloned(),
        }
    }

    /// What the log calls that which keeps a release waiting, if something does.
    pub(super) fn logged_about(&self, version: &Version) -> Option<&str> {
        let mut troubles = self.troubles.iter();
        troubles.find(|it| it.about.as_ref() == Some(version)).map(|it| it.id.as_str())
    }

    /// What the log calls anything that did not work, if something did not.
    pub(super) fn logged(&self) -> Option<&str> {
        self.troubles.first().map(|it| it.id.as_str())
    }

    /// When the registry is asked again, if its rate limit caused `error`: not before the bot's own
    /// first pause, however short the limit is.
    fn registry_limit(&self, error: &anyhow::Error) -> Option<Timestamp> {
        let until = error.chain().find_map(|cause| match cause.downcast_ref() {
            Some(RegistryError::RateLimited { until }) => Some(*until),
            _ => None,
        })?;
        let pause = self.bot.watch.rules.retry.pauses.first().copied().unwrap_or_default();
        Some(until.max(self.bot.clock.now() + pause))
    }

    /// For the status page: what went wrong is seen there as long as it does.
    pub(super) async fn remember_troubles(&mut self) -> Result<()> {
        if self.memory.troubles() == self.report.troubles {
            return Ok(());
        }
        let lines = self.report.troubles.clone();
        let news = self.memory.observe(Fact::Troubles { lines }, self.bot.clock.now());
        self.record(news).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_trouble_at_another_time_has_the_same_id() {
        let at = |minute: u8| {
            id_of(&format!("the registry has enough until 2026-06-12T08:{minute}:00Z"))
        };
        assert_eq!(at(10), at(59));
        assert_ne!(at(10), id_of("github is out of reach: status 502"));
        let port = |port: u16| {
            id_of(&format!("npm (http://127.0.0.1:{port}) is out of reach: operation timed out"))
        };
        assert_eq!(port(9), port(40_001));
    }
}
