//! The names of the bot's branches. GitHub allows one open pull request from a branch, so the
//! name is the key that keeps a proposal unique, whatever else is lost.

use super::{Candidate, line::Line};
use crate::domain::{
    BranchName, BranchPrefix, Branches, Bump, DraftMark, ImageName, Invalid, Marker, PullFacts,
    PullState, Version,
};

/// Branches on which no pull request is opened begin with this, whatever the others begin with.
const SCRATCH: &str = "digest-bump/";
/// How many branches that carry a version are asked for.
const MAX_VERSIONED: usize = 10;

/// The branch for the stub of a line: `digest-bump/connector-4-migration`.
///
/// # Errors
/// If the image's name makes no branch name, which its type forbids.
pub fn stub_branch(branches: Branches<'_>, line: &Line) -> Result<BranchName, Invalid> {
    format!("{}-{line}-migration", branches.plain()).parse()
}

/// The branch for the pin: `digest-bump/connector`.
///
/// A pull request that a person closed without merging keeps its branch, so that reopening works,
/// and so does one that was merged with a person's commits; the next proposal then carries its
/// version in the name.
///
/// # Errors
/// If the image's name makes no branch name, which its type forbids.
pub fn pin_branch<'a>(
    branches: Branches<'_>,
    version: &Version,
    pulls: impl IntoIterator<Item = &'a PullFacts>,
) -> Result<BranchName, Invalid> {
    let plain = branches.plain();
    let kept =
        pulls.into_iter().any(|pull| pull.branch.as_str() == plain && keeps_its_branch(pull));
    if kept { format!("{plain}-{version}").parse() } else { plain.parse() }
}

/// The branch for a new draft: the pin's, unless that is taken by the pull request that is ready,
/// or kept; then `digest-bump/connector-draft`, and at last one that carries the version.
///
/// # Errors
/// If the image's name makes no branch name, which its type forbids.
pub fn draft_branch(
    branches: Branches<'_>,
    version: &Version,
    pulls: &[&PullFacts],
) -> Result<BranchName, Invalid> {
    let plain = branches.plain();
    let free = |name: &String| {
        let mut own = pulls.iter().filter(|pull| pull.branch.as_str() == *name);
        !own.any(|pull| pull.state == PullState::Open || keeps_its_branch(pull))
    };
    let names = [plain.clone(), format!("{plain}-draft")];
    names.into_iter().find(free).unwrap_or_else(|| format!("{plain}-{version}")).parse()
}

/// The branch on which a workflow is dispatched: `digest-bump/connector-canary-0123456789ab-1`. It is
/// there for one run.
///
/// # Errors
/// If the image's name makes no branch name, which its type forbids.
pub fn scratch_branch(image: &ImageName, marker: &str) -> Result<BranchName, Invalid> {
    format!("{}{marker}", scratch_prefix(image)).parse()
}

/// The marker of the dispatch that a branch was for, if it was for one.
#[must_use]
pub fn scratch_marker<'a>(image: &ImageName, branch: &'a BranchName) -> Option<&'a str> {
    branch.as_str().strip_prefix(&scratch_prefix(image))
}

fn scratch_prefix(image: &ImageName) -> String {
    format!("{SCRATCH}{}-canary-", image.short())
}

/// Whether a pull request's branch has to stay where it is: a declined one can be opened again,
/// and what a person committed before it was merged is not for the bot to overwrite.
fn keeps_its_branch(pull: &PullFacts) -> bool {
    let by_a_person = |marker: &Marker| marker.commit != pull.head;
    match pull.state {
        PullState::Open => false,
        PullState::Closed => {
            pull.marker.as_ref().is_none_or(|marker| marker.draft != DraftMark::Spent)
        }
        PullState::Merged => pull.marker.as_ref().is_none_or(by_a_person),
    }
}

/// Whether `branch` is one that [`pin_branch`] or [`stub_branch`] could have made for this image,
/// now or before another prefix was configured.
#[must_use]
pub fn is_own_branch(branch: &str, branches: Branches<'_>) -> bool {
    let of = |prefix: &BranchPrefix| {
        let rest = branch.strip_prefix(prefix.as_str());
        let rest = rest.and_then(|rest| rest.strip_prefix(branches.image.short()));
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
    };
    of(branches.prefix) || of(&BranchPrefix::default())
}

/// The branches whose pull requests have to be known before anything is decided: the pin's, the
/// stub of each line's, and those that remembered pull requests came from.
#[must_use]
pub fn branches_to_ask(
    branches: Branches<'_>,
    snapshot: &super::Snapshot,
    memory: &crate::domain::Memory,
) -> Vec<BranchName> {
    let newer = |bump| snapshot.candidates.iter().filter(move |c| c.bump == bump);
    let bump = pin_branch(branches, &Version::new(0, 0, 0), []);
    let draft = snapshot.by_checks.then(|| format!("{}-draft", branches.plain()).parse());
    let stubs = stub_branches(branches, snapshot);
    let known = memory.pulls().filter(|pull| pull.state != PullState::Merged);
    // Where the pin's own branch is kept for a declined pull request, the newer ones carry their
    // version: asked for only then, and only the newest, for a forgotten database's sake.
    let kept =
        memory.pulls().any(|pull| keeps_its_branch(pull) && Ok(&pull.branch) == bump.as_ref());
    let versioned = newer(Bump::Minor)
        .chain(newer(Bump::Patch))
        .take(if kept { MAX_VERSIONED } else { 0 })
        .map(|c| format!("{}-{}", branches.plain(), c.version).parse());
    let mut names: Vec<BranchName> = std::iter::once(bump.clone())
        .chain(draft)
        .chain(stubs)
        .chain(versioned)
        .filter_map(Result::ok)
        .chain(
            known.map(|pull| pull.branch.clone()).filter(|b| is_own_branch(b.as_str(), branches)),
        )
        .collect();
    names.sort();
    names.dedup();
    names
}

/// The stubs' branches: of each major, and of the newest releases that call themselves less.
fn stub_branches(
    branches: Branches<'_>,
    snapshot: &super::Snapshot,
) -> Vec<Result<BranchName, Invalid>> {
    let (mut majors, mut others) = (Vec::new(), Vec::new());
    for line in snapshot.candidates.iter().filter(|c| c.bump == Bump::Major).map(Candidate::line) {
        let list = if matches!(line, Line::Major(_)) { &mut majors } else { &mut others };
        if !list.contains(&line) {
            list.push(line);
        }
    }
    others.truncate(MAX_VERSIONED);
    majors.iter().chain(&others).map(|line| stub_branch(branches, line)).collect()
}
