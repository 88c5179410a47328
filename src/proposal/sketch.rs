//! A proposal up to its commit: the id of that has to be known before its text can be written.

use super::{
    draft::{Draft, companion_pins, draft_pin_bump, draft_stub},
    plan::Workshop,
    rows::rows,
    withheld::Withheld,
};
use crate::clients::git::Author;
use crate::config::CommitsBy;
use crate::domain::{
    BranchName, CommitId, Effect, ImageName, Pin, Plan, ProposalKind, PullFacts, PullNumber,
    RunState, Verdict, Version,
};
use crate::policy;
use crate::render::{commit_message, stub_title};
use anyhow::{Result, bail};

/// A proposal whose commit is still to be made.
#[derive(Debug, Clone)]
pub struct Sketch {
    /// What it is for.
    pub(super) kind: ProposalKind,
    /// What it proposes.
    pub(super) to: Pin,
    /// The edited files.
    pub(super) draft: Draft,
    /// The branch that it is on, unless a pull request is rewritten.
    pub branch: BranchName,
    /// Its title.
    title: String,
    /// Its commit's message.
    message: String,
    /// What of it is left to a person, because the token may not edit it.
    pub(super) withheld: Option<Withheld>,
    /// Its commit, where its id is known beforehand or it is there already.
    pub foretold: Option<CommitId>,
}

impl Sketch {
    /// The effect that makes its commit, where its id is not known beforehand; `branch` is where it
    /// is going to be.
    #[must_use]
    pub fn write_commit(&self, branch: &BranchName) -> Effect {
        Effect::WriteCommit {
            branch: branch.clone(),
            base: self.draft.base.clone(),
            tree: self.draft.tree.clone(),
            message: self.message.clone(),
        }
    }

    /// Whether a person has to complete it.
    #[must_use]
    pub const fn is_partial(&self) -> bool {
        self.withheld.is_some()
    }

    /// What tells its commit from every other one: its id, or what that is made of.
    #[must_use]
    pub fn identity(&self) -> String {
        let made_of = || format!("{} {} {}", self.draft.base, self.draft.tree, self.message);
        self.foretold.as_ref().map_or_else(made_of, CommitId::to_string)
    }

    /// What stands for its commit while that is not made.
    ///
    /// # Errors
    /// Never: the id is one.
    pub fn supposed(&self) -> Result<CommitId> {
        match &self.foretold {
            Some(commit) => Ok(commit.clone()),
            None => Ok("0".repeat(40).parse()?),
        }
    }
}

impl Workshop<'_> {
    /// The sketch of a proposal of this kind; `over` is the open pull request that is rewritten.
    ///
    /// # Errors
    /// If the evidence is not complete after all, a file cannot be edited, or the downstream cannot
    /// be read.
    pub async fn sketch(
        &self,
        kind: ProposalKind,
        version: &Version,
        over: Option<PullNumber>,
    ) -> Result<Sketch> {
        match kind {
            ProposalKind::PinBump => self.sketch_pin_bump(version).await,
            ProposalKind::MigrationStub => self.sketch_stub(version, over).await,
        }
    }

    async fn sketch_pin_bump(&self, version: &Version) -> Result<Sketch> {
        let to = self.target(version)?;
        let run = self.run(&to.digest, version)?;
        let passed = matches!(run.state, RunState::Ended { verdict: Verdict::Passed, .. });
        if !passed {
            bail!("the canary has not passed at {version}");
        }
        let companions = companion_pins(self.watch, self.memory, version);
        let draft = {
            let may = self.memory.may_edit_workflows();
            draft_pin_bump(self.git, self.watch, may, &run.base, &to, &companions).await?
        };
        let draft = draft.prepared_as(self.git, run).await?;
        let branch = policy::pin_branch(self.watch.branches(), version, self.memory.pulls())?;
        let withheld = self.withheld(&draft, &to, &companions).await?;
        let mut sketch = self.sketch_bump(to, draft, branch, &companions).await?;
        sketch.withheld = withheld;
        // The checks ran on a commit that is there: another one of the same content would be unproved.
        // What a workflow ran on is without the files that it prepared.
        let checked = run.checked.clone().filter(|commit| *commit != run.base);
        sketch.foretold = sketch.foretold.or(checked.filter(|_| run.dispatched.is_none()));
        Ok(sketch)
    }

    async fn sketch_stub(&self, version: &Version, over: Option<PullNumber>) -> Result<Sketch> {
        let to = self.target(version)?;
        let Some(rule) = &self.watch.rules.migration else { bail!("no migration document") };
        // The canary's tree moves the pin, which a stub does not; its base will do. It may not
        // have run at all: where the pin sites are broken there is no tree to run it on.
        let run = self.run(&to.digest, version).ok();
        let candidate = self.candidate(version)?;
        let (from, rows) = (&self.pin.version, rows(self, candidate));
        let over = self.memory.pulls().find(|pull| Some(pull.number) == over);
        let anew = over.is_some_and(|pull| policy::is_made_anew(self.memory, pull));
        let base = run.filter(|_| !anew).map_or(self.head, |run| &run.base);
        let draft = draft_stub(self.git, base, &rule.path, from, version, &rows).await?;
        let branch = policy::stub_branch(self.watch.branches(), &candidate.line())?;
        let title = stub_title(self.pin, version);
        let rest = format!("{}@{}\n", to.image, to.digest);
        self.sketched(ProposalKind::MigrationStub, branch, to, draft, title, &rest).await
    }

    /// The sketch of the draft pull request for `version`, from its edited files. Its commit is the
    /// one that a proposal of the same draft has, so that what its checks show counts for that.
    ///
    /// # Errors
    /// If a fact is missing, or the downstream cannot be read.
    pub async fn sketch_draft(&self, version: &Version, draft: &Draft) -> Result<Sketch> {
        let pulls: Vec<&PullFacts> = self.memory.pulls().collect();
        let branch = policy::draft_branch(self.watch.branches(), version, &pulls)?;
        self.sketch_on(branch, version, draft).await
    }

    /// The same on `branch`, for whoever wants nothing but the commit.
    ///
    /// # Errors
    /// As there.
    pub async fn sketch_on(
        &self,
        branch: BranchName,
        version: &Version,
        draft: &Draft,
    ) -> Result<Sketch> {
        let companions = companion_pins(self.watch, self.memory, version);
        self.sketch_bump(self.target(version)?, draft.clone(), branch, &companions).await
    }

    /// The sketch of a pin bump. A draft and what becomes of it are one commit.
    async fn sketch_bump(
        &self,
        to: Pin,
        draft: Draft,
        branch: BranchName,
        companions: &[Pin],
    ) -> Result<Sketch> {
        let title = self.watch.title.fill(&to.image, &self.pin.version, &to.version);
        let moved = self.moved(companions);
        let moved: Vec<&ImageName> = moved.keys().collect();
        let bump = self.candidate(&to.version)?.bump;
        let rest = commit_message(self.pin, &to, bump, &moved);
        self.sketched(ProposalKind::PinBump, branch, to, draft, title, &rest).await
    }

    /// `rest` is the commit's message below its title.
    async fn sketched(
        &self,
        kind: ProposalKind,
        branch: BranchName,
        to: Pin,
        draft: Draft,
        title: String,
        rest: &str,
    ) -> Result<Sketch> {
        let message = format!("{title}\n\n{rest}");
        let foretold = match self.watch.downstream.writer {
            CommitsBy::Git => Some(self.foretell(&to.version, &draft, &message).await?),
            CommitsBy::Api => None,
        };
        Ok(Sketch { kind, to, draft, branch, title, message, withheld: None, foretold })
    }

    /// The commit that is pushed over git. Fixed times make the same commit each time, so that a
    /// repeated push changes nothing.
    async fn foretell(&self, version: &Version, draft: &Draft, message: &str) -> Result<CommitId> {
        let (git, release) = (self.git, self.release(version)?);
        let at = git.commit_time(&draft.base).await?.max(release.published_at);
        let (name, email) = self.watch.author.clone();
        let author = Author { name, email };
        git.commit(&draft.base, &draft.tree, message, &author, at).await
    }

    /// The plan of a sketch without its body.
    pub(super) fn outline(&self, sketch: &Sketch, commit: CommitId) -> Plan {
        Plan {
            kind: sketch.kind,
            version: sketch.to.version.clone(),
            branch: sketch.branch.clone(),
            base: self.watch.downstream.branch.clone(),
            tree: sketch.draft.tree.clone(),
            commit,
            title: sketch.title.clone(),
            body: String::new(),
            labels: self.watch.labels.clone(),
            draft: false,
        }
    }
}
