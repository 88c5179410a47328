//! Observe: the world's facts, taken into memory. The same for a pass and for a dry run; what is
//! new is handed back, and only a pass records it.

use super::{checks::awaited, dashboard, tags::Wanted, workflow::followed, world::World};
use crate::clients::git::GitCache;
use crate::config::Watch;
use crate::domain::{
    BranchName, Cached, CommitId, ConflictFacts, Fact, Memory, Observation, PullState, Timestamp,
};
use crate::policy::{AwaitedCi, awaited_ci, branches_to_ask, npm_drifts};
use crate::sources::{Gathered, Sources, read_pin};
use anyhow::Result;

/// What observing brought.
#[derive(Debug, Default)]
pub(super) struct Seen {
    pub(super) world: World,
    /// Facts that are new or say something else than before.
    pub(super) news: Vec<Observation>,
    /// Response bodies to remember.
    pub(super) fresh: Vec<Cached>,
    pub(super) troubles: Vec<anyhow::Error>,
}

impl Seen {
    /// Takes in what a source gave; whether it gave anything.
    fn take(&mut self, gathered: Result<Gathered>, memory: &mut Memory, now: Timestamp) -> bool {
        match gathered {
            Ok(gathered) => {
                let news = gathered.facts.into_iter().filter_map(|fact| memory.observe(fact, now));
                self.news.extend(news);
                self.fresh.extend(gathered.fresh);
                true
            }
            Err(error) => {
                self.troubles.push(error);
                false
            }
        }
    }
}

/// Reads releases, npm and the pin side by side, then the pull requests that they make relevant,
/// and the tags that were resolved before. `turn` counts the passes; a dry run has none.
pub(super) async fn observe(
    watch: &Watch,
    sources: &Sources,
    git: &GitCache,
    memory: &mut Memory,
    turn: Option<u64>,
    now: Timestamp,
) -> Seen {
    let mut seen = Seen::default();
    let (releases, npm, advisories, pin) = tokio::join!(
        sources.observe_releases(watch),
        sources.observe_npm(watch),
        // Seldom asked for, so it takes no room in every pass.
        Box::pin(sources.observe_advisories(watch)),
        read_pin(git, watch),
    );
    seen.world.releases_unknown = !seen.take(releases, memory, now);
    seen.take(advisories, memory, now);
    let mut npm = npm;
    if let Ok(gathered) = &mut npm {
        let drifts = npm_drifts(memory, &gathered.facts);
        gathered.facts.extend(drifts);
    }
    seen.world.npm_trouble = npm.as_ref().err().map(|error| format!("{error:#}"));
    seen.take(npm, memory, now);
    let why = seen.world.npm_trouble.clone();
    if memory.npm_trouble() != why.as_deref() {
        seen.news.extend(memory.observe(Fact::NpmTrouble { why }, now));
    }
    match pin {
        Ok(downstream) => {
            seen.news.extend(memory.observe(Fact::Pin(downstream.facts), now));
            let mirror = downstream.mirror.map(Fact::Mirror);
            seen.news.extend(mirror.and_then(|mirror| memory.observe(mirror, now)));
            seen.world.base = Some(downstream.base);
        }
        Err(error) => seen.troubles.push(error),
    }
    let now_known = seen.world.snapshot(watch, memory);
    let branches = branches_to_ask(watch.branches(), &now_known, memory);
    let tags = Wanted::in_pass(watch, memory, &now_known, turn);
    let (commits, dispatched) = (awaited(memory), followed(&watch.upstream.image, memory));
    let ci = awaited_ci(memory, watch.rules.ci_starts_within).filter(|awaited| awaited.due <= now);
    let ci: Vec<AwaitedCi> = ci.collect();
    let (dashboard, pulls, checks, workflows, ci, tags) = tokio::join!(
        Box::pin(dashboard::look(watch, sources, memory.dashboard(), now)),
        sources.observe_pulls(watch, &branches),
        Box::pin(sources.observe_checks(watch, &commits)),
        Box::pin(sources.observe_workflows(watch, &dispatched)),
        Box::pin(sources.observe_ci(watch, &ci)),
        tags.resolve(watch, sources, memory, now),
    );
    seen.take_dashboard(dashboard, memory, now);
    seen.world.pulls_known = seen.take(pulls, memory, now);
    seen.news.extend(conflicts(git, memory, seen.world.base.as_ref(), now).await);
    seen.take(checks, memory, now);
    seen.take(workflows, memory, now);
    seen.take(ci, memory, now);
    let (news, trouble) = tags.take(watch, memory, &mut seen.world, now);
    seen.news.extend(news);
    seen.troubles.extend(trouble);
    seen.world.asked.extend(branches);
    seen
}

/// Reads the pull requests from branches that only what was learned since made relevant: a release
/// may turn out to need a stub, which a person may have declined.
pub(super) async fn observe_more_pulls(
    watch: &Watch,
    sources: &Sources,
    memory: &mut Memory,
    world: &mut World,
    now: Timestamp,
) -> Seen {
    let mut seen = Seen::default();
    let now_known = world.snapshot(watch, memory);
    let known: Vec<BranchName> = memory.pulls().map(|pull| pull.branch.clone()).collect();
    let mut branches = branches_to_ask(watch.branches(), &now_known, memory);
    branches.retain(|branch| !world.asked.contains(branch) && !known.contains(branch));
    if !branches.is_empty() {
        let pulls = sources.observe_pulls(watch, &branches).await;
        seen.take(pulls, memory, now);
        world.asked.extend(branches);
    }
    seen
}

/// Those open pull requests of the bot's that no machine can merge into the base branch. A head that
/// is not known here, because the cache was lost, is nobody's conflict.
async fn conflicts(
    git: &GitCache,
    memory: &mut Memory,
    base: Option<&CommitId>,
    now: Timestamp,
) -> Vec<Observation> {
    let Some(base) = base else { return Vec::new() };
    let ours = memory.pulls().filter(|pull| {
        let marked = pull.marker.as_ref().is_some_and(|marker| marker.commit == pull.head);
        pull.state == PullState::Open && marked && memory.conflict(&pull.head).is_none()
    });
    let heads: Vec<CommitId> = ours.map(|pull| pull.head.clone()).collect();
    let mut news = Vec::new();
    for head in heads {
        if matches!(git.conflicts(base, &head).await, Ok(true)) {
            let fact = Fact::Conflict(ConflictFacts { head, base: base.clone() });
            news.extend(memory.observe(fact, now));
        }
    }
    news
}
