//! Observe: the world's facts, taken into memory. The same for a pass and for a dry run; what is
//! new is handed back, and only a pass records it.

use super::{
    checks::awaited, dashboard, mirror, tags::Wanted, trouble::in_words, workflow::followed,
    world::World,
};
use crate::config::Watch;
use crate::domain::{
    BranchName, Cached, CommitId, ConflictFacts, Effect, Fact, Marker, Memory, Observation,
    ProposalKind, PullNumber, PullState, Timestamp, Version,
};
use crate::edit::Files;
use crate::policy::{
    AwaitedCi, PinState, Proposal, Snapshot, awaited_ci, branches_to_ask, npm_drifts,
};
use crate::repository::Repository;
use crate::sources::{Downstream, Gathered, Sources, withdrawn};
use anyhow::{Context as _, Result};
use std::collections::BTreeSet;

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

    /// Takes in the downstream at the head of its base branch, and hands its files back. Where it
    /// could not be read nothing is to be decided.
    fn take_pin(
        &mut self,
        pin: Result<Downstream>,
        memory: &mut Memory,
        now: Timestamp,
    ) -> Option<Files> {
        match pin {
            Ok(Downstream { base, files, facts, mirror, fresh }) => {
                let facts = [Some(Fact::Pin(facts)), mirror.map(Fact::Mirror)];
                let news = facts.into_iter().flatten().filter_map(|fact| memory.observe(fact, now));
                self.news.extend(news);
                self.fresh.extend(fresh);
                self.world.base = Some(base);
                Some(files)
            }
            Err(error) => {
                self.troubles.push(error);
                self.world.base = None;
                None
            }
        }
    }
}

/// Reads releases, npm and the pin side by side, then the pull requests that they make relevant,
/// and the tags that were resolved before; the pin once more where a merge came between. `turn`
/// counts the passes; a dry run has none.
pub(super) async fn observe(
    watch: &Watch,
    sources: &Sources,
    git: &Repository,
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
        Box::pin(sources.observe_pin(git, watch)),
    );
    let releases = releases.map(|mut gathered| {
        gathered.facts.extend(withdrawn(&gathered.facts, memory));
        gathered
    });
    seen.world.releases_unknown = !seen.take(releases, memory, now);
    seen.take(advisories, memory, now);
    let mut npm = npm;
    if let Ok(gathered) = &mut npm {
        let drifts = npm_drifts(memory, &gathered.facts);
        gathered.facts.extend(drifts);
    }
    seen.world.npm_trouble = npm.as_ref().err().map(in_words);
    seen.take(npm, memory, now);
    let why = seen.world.npm_trouble.clone();
    if memory.npm_trouble() != why.as_deref() {
        seen.news.extend(memory.observe(Fact::NpmTrouble { why }, now));
    }
    let files = seen.take_pin(pin, memory, now);
    let copy = watch.downstream.mirror.as_ref().and_then(|path| files?.remove(path).flatten());
    let now_known = seen.world.snapshot(watch, memory);
    let branches = branches_to_ask(watch.branches(), &now_known, memory);
    let tags = Wanted::in_pass(watch, memory, &now_known, turn);
    let (commits, dispatched) = (awaited(memory), followed(&watch.upstream.image, memory));
    let pinned = known_pin(&now_known);
    let ci = awaited_ci(memory, watch.rules.ci_starts_within).filter(|awaited| awaited.due <= now);
    let ci: Vec<AwaitedCi> = ci.collect();
    let (mirror, dashboard, pulls, checks, workflows, ci, tags) = tokio::join!(
        Box::pin(mirror::look(watch, sources, memory, pinned, copy.as_deref())),
        Box::pin(dashboard::look(watch, sources, memory.dashboard(), now)),
        sources.observe_pulls(watch, &branches),
        Box::pin(sources.observe_checks(watch, &commits)),
        Box::pin(sources.observe_workflows(watch, &dispatched)),
        Box::pin(sources.observe_ci(watch, &ci)),
        tags.resolve(watch, sources, memory, now),
    );
    seen.take(mirror.map(|facts| Gathered { facts, ..Gathered::default() }), memory, now);
    seen.take_dashboard(dashboard, memory, now);
    let before = merged(memory);
    seen.world.pulls_known = seen.take(pulls, memory, now);
    if seen.world.base.is_some() && pin_is_outdated(&before, watch, memory, &seen.world) {
        let pin = Box::pin(sources.observe_pin(git, watch)).await;
        seen.take_pin(pin, memory, now);
    }
    let trees = Box::pin(head_trees(watch, sources, memory)).await;
    seen.take(trees, memory, now);
    let may_edit = sources.github.may_edit_workflows().filter(|_| watch.edits_workflows());
    // What an unknown token was refused is remembered; what GitHub says of others is so now.
    let news = may_edit.filter(|may_edit| *may_edit != memory.may_edit_workflows());
    let fact = news.map(|may_edit| Fact::WorkflowFiles { may_edit, told: now });
    seen.news.extend(fact.and_then(|fact| memory.observe(fact, now)));
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

/// The pull requests that are known to be merged.
fn merged(memory: &Memory) -> BTreeSet<PullNumber> {
    let merged = memory.pulls().filter(|pull| pull.state == PullState::Merged);
    merged.map(|pull| pull.number).collect()
}

/// Whether a bump was merged since the pull requests in `before` were, and the pin that was read is not
/// what it moved the pin to. That was read first: it may be older than the merge, and what was merged
/// would be proposed again.
fn pin_is_outdated(
    before: &BTreeSet<PullNumber>,
    watch: &Watch,
    memory: &Memory,
    world: &World,
) -> bool {
    if merged(memory).is_subset(before) {
        return false;
    }
    let snapshot = world.snapshot(watch, memory);
    let pinned = known_pin(&snapshot);
    let ahead = |bump: &Proposal| {
        bump.kind == ProposalKind::PinBump
            && bump.state == PullState::Merged
            && !before.contains(&bump.pull)
            && pinned != Some(&bump.version)
    };
    snapshot.proposals.iter().any(ahead)
}

/// Reads the trees of those heads that a person may have made with the patch that was asked for.
async fn head_trees(watch: &Watch, sources: &Sources, memory: &Memory) -> Result<Gathered> {
    let asked = memory.pulls().filter(|pull| {
        let waits = |marker: &Marker| marker.whole.is_some() && marker.commit != pull.head;
        pull.state == PullState::Open && pull.marker.as_ref().is_some_and(waits)
    });
    let unread = asked.map(|pull| &pull.head).filter(|head| memory.head_tree(head).is_none());
    let mut gathered = Gathered::default();
    for head in unread {
        let repo = &watch.downstream.repository;
        let commit = sources.github.fetch_git_commit(repo, head).await;
        let tree = commit.with_context(|| format!("the commit {head}"))?.tree;
        gathered.facts.push(Fact::HeadTree { head: head.clone(), tree });
    }
    Ok(gathered)
}

/// The pinned version, once it is known.
const fn known_pin(snapshot: &Snapshot) -> Option<&Version> {
    match &snapshot.pin {
        PinState::Known { version, .. } => Some(version),
        PinState::Unknown { .. } => None,
    }
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
/// is not known, because the cache was lost, is nobody's conflict.
async fn conflicts(
    git: &Repository,
    memory: &mut Memory,
    base: Option<&CommitId>,
    now: Timestamp,
) -> Vec<Observation> {
    let Some(base) = base else { return Vec::new() };
    let ours = memory.pulls().filter(|pull| {
        let marked = pull.marker.as_ref().is_some_and(|marker| marker.commit == pull.head);
        let news = memory.conflict(&pull.head).is_none() && !is_made_on(memory, base, &pull.head);
        pull.state == PullState::Open && marked && news
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

/// Whether it is remembered that GitHub made `commit` on `base`. Then there is nothing to ask.
fn is_made_on(memory: &Memory, base: &CommitId, commit: &CommitId) -> bool {
    memory.effects.iter().any(|record| {
        let made = matches!(&record.effect, Effect::WriteCommit { base: on, .. } if on == base);
        made && record.remote_id.as_deref() == Some(commit.as_str())
    })
}
