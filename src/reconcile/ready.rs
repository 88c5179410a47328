//! Drafts become ready for review when nothing is missing any more, and drafts again when something is.

use super::pass::Pass;
use crate::domain::{
    DraftMark, Effect, EffectRecord, EffectState, PullFacts, PullNumber, PullState,
};
use crate::policy::is_patched;
use anyhow::Result;

impl Pass<'_> {
    /// Marks those drafts as ready that nothing is missing of, and whose marking failed or was never
    /// begun.
    pub(super) async fn complete_ready(&mut self) -> Result<()> {
        let ripe = self.memory.pulls().filter(|pull| {
            let mut marker = pull.marker.iter();
            let at_head = marker.any(|it| it.commit == pull.head) || is_patched(&self.memory, pull);
            pull.state == PullState::Open && at_head && self.is_ripe(pull)
        });
        let numbers: Vec<PullNumber> = ripe.map(|pull| pull.number).collect();
        for number in numbers {
            if self.limited {
                return Ok(());
            }
            match self.mark_ready(number).await {
                Ok(()) => {}
                Err(error) if error.is::<crate::store::StoreError>() => return Err(error),
                Err(error) => self.trouble(&error),
            }
        }
        Ok(())
    }

    /// Whether it is a draft of the bot's with complete evidence, and with what only a person may edit.
    fn is_ripe(&self, pull: &PullFacts) -> bool {
        let Some(marker) = pull.marker.as_ref().filter(|_| pull.draft) else { return false };
        match (&marker.whole, marker.draft) {
            (_, DraftMark::Waits | DraftMark::Spent) | (None, DraftMark::None) => false,
            (None, DraftMark::Proved) => true,
            (Some(_), DraftMark::None | DraftMark::Proved) => is_patched(&self.memory, pull),
        }
    }

    /// Marks a pull request as ready that was a draft of the bot's. Once for what it says: a person
    /// who makes it a draft again means it.
    pub(super) async fn mark_ready(&mut self, number: PullNumber) -> Result<()> {
        let pull = self.memory.pulls().find(|pull| pull.number == number);
        let Some(pull) = pull.filter(|pull| self.is_ripe(pull)) else { return Ok(()) };
        let whole = pull.marker.as_ref().is_some_and(|marker| marker.whole.is_some());
        let effect = Effect::MarkReady { number, patched: whole.then(|| pull.head.clone()) };
        let key = effect.key(&self.bot.watch.name);
        let done = |record: &EffectRecord| record.key == key && record.state == EffectState::Done;
        if self.memory.effects.iter().any(done) {
            return Ok(());
        }
        let outcome = self.effect(&effect).await?;
        if let Some(mut ready) = outcome.pull {
            // GitHub's answer may lag behind the push of a moment ago.
            let known = self.memory.pulls().find(|pull| pull.number == number);
            ready.head = known.map_or(ready.head, |known| known.head.clone());
            self.remember_pull(ready).await?;
        }
        self.done(format!("marked pull request {number} as ready"));
        Ok(())
    }

    /// Makes a pull request a draft before it is rewritten for something that a person has to complete,
    /// where GitHub has drafts.
    pub(super) async fn make_draft(&mut self, number: PullNumber, key: &str) -> Result<()> {
        let pull = self.memory.pulls().find(|pull| pull.number == number);
        if pull.is_none_or(|pull| pull.draft) {
            return Ok(());
        }
        let outcome = self.effect(&Effect::MakeDraft { number, of: key.to_owned() }).await?;
        if let Some(mut draft) = outcome.pull {
            let known = self.memory.pulls().find(|pull| pull.number == number);
            draft.head = known.map_or(draft.head, |known| known.head.clone());
            let became_one = draft.draft;
            self.remember_pull(draft).await?;
            if !became_one {
                return Ok(());
            }
        }
        self.done(format!("made pull request {number} a draft: a person has to complete it"));
        Ok(())
    }
}
