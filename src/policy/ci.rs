//! Whether CI starts on the bot's pull requests: which heads are to be looked at, and what is said of
//! one at which nothing has started.

use crate::domain::{
    CommitId, Effect, EffectState, Fact, FactKey, Memory, PullFacts, PullState, Timestamp,
    human_duration,
};
use std::time::Duration;

/// Why no CI starts, usually.
pub const NO_CI: &str = "that is usually because the bot pushed with a workflow's own \
                         `GITHUB_TOKEN`, whose events start no workflows: give the bot a GitHub \
                         App or a personal access token";

/// A head at which CI was not seen yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AwaitedCi {
    /// The head.
    pub head: CommitId,
    /// From when on it is looked at: CI has had its time.
    pub due: Timestamp,
}

/// The heads of the bot's open pull requests at which CI was not seen yet; none if nobody looks. One
/// that a person pushed is that person's.
pub fn awaited_ci(memory: &Memory, within: Option<Duration>) -> impl Iterator<Item = AwaitedCi> {
    let within = within.into_iter();
    within.flat_map(|within| own_heads(memory).map(move |pull| (pull, within))).filter_map(
        |(pull, within)| {
            if memory.ci_started(&pull.head) == Some(true) {
                return None;
            }
            Some(AwaitedCi { head: pull.head.clone(), due: pushed_at(memory, pull) + within })
        },
    )
}

/// Whether nothing has started at `head`, as far as that is still looked for.
#[must_use]
pub fn no_ci_at(memory: &Memory, head: &CommitId, within: Option<Duration>) -> bool {
    within.is_some() && memory.ci_started(head) == Some(false)
}

/// One line for each open pull request of the bot's on which CI has not started in its time.
pub(super) fn ci_alarms(memory: &Memory, within: Option<Duration>) -> Vec<String> {
    let Some(within) = within else { return Vec::new() };
    let silent = own_heads(memory).filter(|pull| no_ci_at(memory, &pull.head, Some(within)));
    let line = |pull: &PullFacts| {
        format!(
            "no CI has started on pull request {} within {} of the push of {}; {NO_CI}. A downstream \
             that has none for pull requests says so: `ci_starts_within = \"0\"` in \
             `[watch.downstream]`",
            pull.number,
            human_duration(within),
            pull.head.short()
        )
    };
    silent.map(line).collect()
}

fn own_heads(memory: &Memory) -> impl Iterator<Item = &PullFacts> {
    memory.pulls().filter(|pull| {
        let ours = pull.marker.as_ref().is_some_and(|marker| marker.commit == pull.head);
        pull.state == PullState::Open && ours
    })
}

/// When the bot pushed the head. Where that is not remembered, it was there when the pull request was
/// first seen as it is.
fn pushed_at(memory: &Memory, pull: &PullFacts) -> Timestamp {
    let pushed = memory.effects.iter().filter_map(|record| match &record.effect {
        Effect::PushBranch { branch, commit }
            if record.state == EffectState::Done
                && *branch == pull.branch
                && *commit == pull.head =>
        {
            Some(record.done_at.unwrap_or(record.intended_at))
        }
        _ => None,
    });
    let seen = || {
        let key: FactKey = Fact::Pull(pull.clone()).key();
        memory.observations.get(&key).map(|seen| seen.at)
    };
    pushed.max().or_else(seen).unwrap_or(Timestamp::from_millis(0))
}
