//! What a workflow's run came to: what it handed back is fetched, judged, and added to the edit. Reads
//! only, but for objects on this disk; a pass and a dry run share it.

use super::{canary::Subject, world::World};
use crate::canary::workflow::{HandedBack, conclude, prepared, unpack};
use crate::clients::github::GithubError;
use crate::config::Watch;
use crate::domain::{
    CanaryReport, CheckSeen, CheckState, Digest, FileChange, FilePath, Memory, RunId, TreeId,
    Verdict, WorkflowFacts, WorkflowRule,
};
use crate::policy::Concluded;
use crate::proposal::Draft;
use crate::repository::Repository;
use crate::sources::Sources;
use anyhow::{Context as _, Result, bail};
use std::collections::BTreeMap;

/// The largest archive that is fetched, in bytes.
const MAX_ARCHIVE_BYTES: u64 = 16 * 1024 * 1024;

/// What a workflow's run came to.
pub(super) enum Came {
    /// The canary's end, and the tree with what was prepared, if anything was.
    Ended(Concluded, Option<TreeId>),
    /// The draft is prepared: its checks come next.
    Prepared(Draft, Vec<String>),
}

/// What the run `id` came to, by what was last seen of its workflow and what that handed back.
pub(super) async fn came_to(
    id: RunId,
    watch: &Watch,
    sources: &Sources,
    git: &Repository,
    (memory, world): (&Memory, &World),
) -> Result<Came> {
    let run = memory.runs.iter().find(|run| run.id == id).context("no such run")?;
    let marker = run.dispatched.as_ref().context("no workflow carries the run")?;
    let Some(rule) = &watch.rules.workflow else {
        return Ok(unknown("no workflow is the canary any more"));
    };
    let facts = memory.workflow(marker).cloned().unwrap_or_else(|| never_seen(marker, rule));
    let handed_back = hand_back(watch, sources, rule, &facts).await?;
    let mut concluded = conclude(rule, &facts.seen, &handed_back);
    // At the pinned version there is no edit that something could be added to.
    let prepares = !rule.files.is_empty() && run.checked.as_ref() != Some(&run.base);
    if concluded.verdict != Verdict::Passed || !prepares {
        if watch.rules.checks.is_some() {
            return Ok(unprepared(&concluded));
        }
        return Ok(Came::Ended(concluded, None));
    }
    let files = handed_back.and_then(|files| prepared(rule, &files));
    let (tree, added) = match files {
        Ok(files) => add(git, &run.tree, rule, files).await?,
        Err(why) => return Ok(unknown(&format!("the draft could not be prepared: {why}"))),
    };
    if watch.rules.checks.is_none() {
        concluded.report.prepared = added;
        return Ok(Came::Ended(concluded, Some(tree)));
    }
    let pin = world.pin(watch, memory)?;
    let subject = Subject::of(&run.version, &pin, &run.base, watch, git, memory).await?;
    if subject.draft.tree != run.tree {
        return Ok(unknown("the edit is another one than what was prepared"));
    }
    Ok(Came::Prepared(Draft { tree, ..subject.draft }, added))
}

fn unknown(why: &str) -> Came {
    let (verdict, report) = (Verdict::Inconclusive, CanaryReport::NOTHING);
    Came::Ended(Concluded { verdict, summary: why.to_owned(), report }, None)
}

/// What prepares a draft says nothing of the release, whatever became of it.
fn unprepared(concluded: &Concluded) -> Came {
    let told = concluded.summary.split_once(": ").map_or("", |(_, told)| told);
    let summary = format!("the draft could not be prepared: {told}");
    let mut report = concluded.report.clone();
    for step in report.attempts.iter_mut().flatten() {
        step.verdict = Verdict::Inconclusive;
    }
    Came::Ended(Concluded { verdict: Verdict::Inconclusive, summary, report }, None)
}

fn never_seen(marker: &str, rule: &WorkflowRule) -> WorkflowFacts {
    let (name, state) = (rule.name(), CheckState::Missing);
    let seen = CheckSeen { name, state, title: String::new(), url: String::new(), took: 0 };
    WorkflowFacts { marker: marker.to_owned(), run: None, seen }
}

/// What the run left in its artifact; the inner error is that it left nothing that can be read,
/// the outer one that GitHub could not be asked.
async fn hand_back(
    watch: &Watch,
    sources: &Sources,
    rule: &WorkflowRule,
    facts: &WorkflowFacts,
) -> Result<Result<HandedBack, String>> {
    let concluded = matches!(facts.seen.state, CheckState::Passed | CheckState::Failed);
    let Some(run) = facts.run.filter(|_| concluded && rule.hands_back()) else {
        return Ok(Err("nobody asked for it".to_owned()));
    };
    let (github, repo) = (&sources.github, &watch.downstream.repository);
    let artifacts = match github.fetch_artifacts(repo, run).await {
        // A person deleted the run.
        Err(GithubError::NotFound { .. }) => return Ok(Err("its run is gone".to_owned())),
        artifacts => artifacts.context("the workflow's artifacts")?,
    };
    // A run that was run again has one of each attempt: the last one counts.
    let named = artifacts.into_iter().filter(|artifact| artifact.name == rule.artifact);
    let Some(artifact) = named.max_by_key(|artifact| artifact.id) else {
        return Ok(Err(format!("it left no artifact {}", rule.artifact)));
    };
    if artifact.expired {
        return Ok(Err(format!("its artifact {} has expired", rule.artifact)));
    }
    if artifact.size > MAX_ARCHIVE_BYTES {
        return Ok(Err(format!("its artifact is larger than {} MiB", MAX_ARCHIVE_BYTES >> 20)));
    }
    let archive = match github.download_artifact(repo, artifact.id).await {
        // Thrown away since it was listed.
        Err(GithubError::NotFound { .. }) => {
            return Ok(Err(format!("its artifact {} is gone", rule.artifact)));
        }
        archive => archive.with_context(|| format!("the artifact {}", rule.artifact))?,
    };
    if artifact.digest.is_some_and(|said| said != Digest::of(&archive).as_str()) {
        bail!("the artifact {} does not have the digest that GitHub tells of it", rule.artifact);
    }
    Ok(unpack(&archive).map_err(|error| error.to_string()))
}

/// `tree` with those of the files that differ from what it has.
async fn add(
    git: &Repository,
    tree: &TreeId,
    rule: &WorkflowRule,
    files: BTreeMap<FilePath, Vec<u8>>,
) -> Result<(TreeId, Vec<String>)> {
    let before = git.read_files_in(tree, &files.keys().cloned().collect()).await?;
    let same = |path: &FilePath, content: &Vec<u8>| {
        before.get(path).is_some_and(|old| old.as_ref() == Some(content))
    };
    let differing = files.into_iter().filter(|(path, content)| !same(path, content));
    let changes: Vec<FileChange> = differing
        .map(|(path, content)| {
            let notes = vec![format!("written by {}", rule.name())];
            FileChange { path, content, notes }
        })
        .collect();
    let added = changes.iter().map(|change| change.path.to_string()).collect();
    let tree = git.write_tree_on(tree, &changes).await.context("the prepared tree")?;
    Ok((tree, added))
}
