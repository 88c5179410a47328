//! Comments that command, found by polling.

use super::{
    hear::{grammar, is_on_ours, known_head},
    pass::Pass,
};
use crate::clients::github::{GithubError, Remark, Remarks};
use crate::command::{Grammar, parse};
use crate::config::CommandsConfig;
use crate::domain::{CommandSource, Fact, Memory, Said, Timestamp};
use crate::store::STALE;
use anyhow::{Context as _, Result};
use std::time::Duration;

/// Lists may lag so far behind what they list: so much is read twice.
const OVERLAP: Duration = Duration::from_mins(2);

/// Of so many comments one pass asks whether they were edited: each takes a request.
const QUESTIONS: usize = 20;

impl Pass<'_> {
    /// Looks for comments that were written since the last look, and records those that command.
    pub(super) async fn poll(&mut self, rule: &CommandsConfig) -> Result<()> {
        let (bot, now) = (self.bot, self.bot.clock.now());
        let repo = &bot.watch.downstream.repository;
        let Some((from, until)) = self.memory.comments_read() else {
            let news = self.memory.observe(Fact::Comments { from: now, until: now }, now);
            return self.record(news).await;
        };
        // Commands may have been off meanwhile, or nobody there: then they are too old by now.
        let oldest = now - STALE;
        let (github, since) = (&bot.sources.github, oldest.max(until - OVERLAP));
        let (plain, reviews) = tokio::join!(
            github.fetch_remarks(repo, false, since),
            github.fetch_remarks(repo, true, since)
        );
        let lists =
            [plain.context("on issues and pull requests")?, reviews.context("within diffs")?];
        let grammar = grammar(rule);
        let all = lists.iter().flat_map(|list| &list.remarks);
        let commanding = all.filter(|remark| commands(remark, &grammar, &self.memory));
        let mut commanding: Vec<Remark> = commanding.cloned().collect();
        commanding.sort_by_key(|remark| (remark.created_at, remark.comment.id));
        let (mut said, mut edited, mut again) = (Vec::new(), Vec::new(), None::<Timestamp>);
        let mut questions = 0;
        for remark in commanding {
            let later = again.into_iter().chain([remark.updated_at]).min();
            let mut at = Some(remark.created_at);
            if looks_edited(&remark) {
                if bot.store.has_heard(repo, &source_of(&remark)).await? {
                    continue;
                }
                if self.limited || questions == QUESTIONS {
                    again = later;
                    continue;
                }
                questions += 1;
                at = match self.when_said(&remark).await {
                    Ok(at) => at,
                    Err(error) => {
                        again = later;
                        self.trouble(&error.context("whether a comment was edited"));
                        continue;
                    }
                };
            }
            match at {
                Some(at) if at < from.max(oldest) => {}
                Some(at) => said.extend(as_said(remark, at, &self.memory)),
                None => edited.extend(as_said(remark.clone(), remark.updated_at, &self.memory)),
            }
        }
        // What was drafted early may have been said late.
        said.sort_by_key(|said| said.at);
        bot.store.record_said(self.lease, repo, &said, now).await?;
        // It is asked once.
        bot.store.record_unheard(self.lease, repo, &edited, now).await?;
        let until = read_until(until, &lists, again);
        let news = self.memory.observe(Fact::Comments { from, until }, now);
        self.record(news).await
    }

    /// When a comment was said that looks edited; `None` if it was, or is gone.
    async fn when_said(&self, remark: &Remark) -> Result<Option<Timestamp>> {
        match self.bot.sources.github.fetch_publication(&remark.comment.node_id).await {
            Ok(publication) if publication.edited => Ok(None),
            Ok(publication) => Ok(Some(publication.published_at.unwrap_or(remark.created_at))),
            Err(GithubError::NotFound { .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}

/// Whether a comment was updated after it was created. It was edited then, or it stands within a diff
/// and was published after it was written: by a second, or by as long as a review was pending.
fn looks_edited(remark: &Remark) -> bool {
    remark.updated_at > remark.created_at
}

/// Whether a comment has commands in it, and stands where the bot listens.
fn commands(remark: &Remark, grammar: &Grammar, memory: &Memory) -> bool {
    is_on_ours(memory, remark.number) && !parse(&remark.comment.body, grammar).is_empty()
}

const fn source_of(remark: &Remark) -> CommandSource {
    let id = remark.comment.id;
    if remark.review { CommandSource::Review(id) } else { CommandSource::Comment(id) }
}

/// A comment as it is recorded; one of a deleted account commands nothing.
fn as_said(remark: Remark, at: Timestamp, memory: &Memory) -> Option<Said> {
    Some(Said {
        source: source_of(&remark),
        number: remark.number,
        author: remark.comment.author?,
        bot: remark.bot,
        body: remark.comment.body,
        head: known_head(memory, remark.number),
        at,
    })
}

/// How far all was read: to the newest comment, but not beyond the end of a list that was cut off,
/// nor beyond what is to be looked at `again`. Never back behind where it was `before`.
fn read_until(before: Timestamp, lists: &[Remarks], again: Option<Timestamp>) -> Timestamp {
    let newest = |list: &Remarks| list.remarks.iter().map(|remark| remark.updated_at).max();
    let all = lists.iter().filter_map(newest).max();
    let cut = lists.iter().filter(|list| !list.whole).filter_map(newest);
    let until = all.into_iter().chain(cut).chain(again).min();
    until.map_or(before, |until| until.max(before))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clients::github::Comment;

    const fn at(second: i64) -> Timestamp {
        Timestamp::from_millis(second * 1_000)
    }

    fn list(times: &[i64], whole: bool) -> Remarks {
        let remark = |second: &i64| Remark {
            comment: Comment {
                id: 1,
                node_id: String::new(),
                author: None,
                body: String::new(),
                thread: None,
            },
            review: false,
            number: 1,
            bot: false,
            created_at: at(*second),
            updated_at: at(*second),
        };
        Remarks { remarks: times.iter().map(remark).collect(), whole }
    }

    #[test]
    fn nothing_is_jumped_over() {
        for (plain, reviews, again, until) in [
            (list(&[], true), list(&[], true), None, 10),
            (list(&[11, 12], true), list(&[15], true), None, 15),
            (list(&[11, 12], false), list(&[15], true), None, 12),
            (list(&[11, 12], true), list(&[13, 15], false), None, 15),
            (list(&[11, 20], true), list(&[13, 15], false), None, 15),
            (list(&[11, 12], false), list(&[13, 15], false), None, 12),
            (list(&[11, 12], true), list(&[15], true), Some(at(13)), 13),
            // It is read again, as lists are from a little before.
            (list(&[9, 12], true), list(&[], true), Some(at(9)), 10),
            (list(&[8, 9], false), list(&[], true), None, 10),
        ] {
            assert_eq!(read_until(at(10), &[plain, reviews], again), at(until));
        }
    }
}
