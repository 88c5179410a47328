//! The complete content of a proposal. Everything is chosen here, nothing when it is applied.

use super::{
    draft::{Draft, companion_pins, draft_pin_bump, draft_stub},
    passed_over::passed_over,
    rows::rows,
    told::by_hand,
};
use crate::clients::git::{Author, GitCache};
use crate::config::Watch;
use crate::domain::{
    BranchName, CommitId, DraftMark, Effect, ImageName, IndexDigest, Marker, Memory, Pin, Plan,
    ProposalKind, PullNumber, RunState, Verdict, Version,
};
use crate::edit::migration;
use crate::policy::{self, Candidate, Snapshot, Stage};
use crate::render::{
    Changes, PinBump, StubBody, commit_message, pin_bump_body, stub_body, stub_title,
};
use anyhow::{Context as _, Result, bail};
use std::collections::BTreeMap;

/// Everything that plans are made from.
#[derive(Debug, Clone, Copy)]
pub struct Workshop<'a> {
    /// The watch.
    pub watch: &'a Watch,
    /// What is remembered of it.
    pub memory: &'a Memory,
    /// The downstream's objects.
    pub git: &'a GitCache,
    /// What is pinned now.
    pub pin: &'a Pin,
    /// The head of the base branch.
    pub head: &'a CommitId,
    /// The watch, as it was decided on.
    pub snapshot: &'a Snapshot,
    /// Where each release stands.
    pub stages: &'a [(Version, Stage)],
    /// Now, for what a body says of waiting releases.
    pub now: crate::domain::Timestamp,
}

impl Workshop<'_> {
    /// The plan for a proposal of this kind; `over` is the open pull request that is rewritten.
    ///
    /// # Errors
    /// If the evidence is not complete after all, a file cannot be edited, or git fails.
    pub async fn plan(
        &self,
        kind: ProposalKind,
        version: &Version,
        requested: bool,
        over: Option<PullNumber>,
    ) -> Result<Plan> {
        match kind {
            ProposalKind::PinBump => self.plan_pin_bump(version, requested, over).await,
            ProposalKind::MigrationStub => self.plan_stub(version, over).await,
        }
    }

    async fn plan_pin_bump(
        &self,
        version: &Version,
        requested: bool,
        over: Option<PullNumber>,
    ) -> Result<Plan> {
        let to = self.target(version)?;
        let run = self.run(&to.digest, version)?;
        let passed = matches!(run.state, RunState::Ended { verdict: Verdict::Passed, .. });
        if !passed {
            bail!("the canary has not passed at {version}");
        }
        let companions = companion_pins(self.watch, self.memory, version);
        let draft = draft_pin_bump(self.git, self.watch, &run.base, &to, &companions).await?;
        let draft = draft.prepared_as(self.git, run).await?;
        let kind = ProposalKind::PinBump;
        let branch = policy::pin_branch(self.watch.branches(), version, self.memory.pulls())?;
        let mut plan = self.commit_bump(branch, &to, &draft, &companions).await?;
        let marker = Marker {
            from: Some(self.pin.digest.clone()),
            draft: self.draft_mark(over),
            companions: self.moved(&companions),
            ..marker_of(&plan, &to, requested)
        };
        let (releases, candidate) = (self.releases(version), self.candidate(version)?);
        let (drifted, touched) = (self.drift(), self.touched(version));
        plan.body = pin_bump_body(&PinBump {
            title: &plan.title,
            from: self.pin,
            to: &to,
            declared: policy::classify(&self.pin.version, version),
            understated: &candidate.understated,
            added: &policy::added_since(self.memory, &self.pin.digest, version),
            contract: &candidate.contract,
            touched: self.watch.rules.contract.as_ref().zip(touched.as_ref()),
            pinned_source: self.source(&self.pin.version),
            source: self.source(version),
            release_url: &self.release(version)?.url,
            requested_by: self.actor(version).filter(|_| requested),
            evidence: &self.evidence(&to, kind),
            companions: &self.companions(version, &companions),
            canary: self.shown(run).context("the canary has not ended")?,
            before: self.before(),
            changes: Changes {
                sites: &draft.sites,
                prepared: run.prepared(),
                changeset: draft.changeset.as_ref(),
                drift: &drifted,
                left: &self.left(&draft.tree, run.prepared()).await?,
            },
            by_hand: &by_hand(&draft),
            retreat: self.retreat(version),
            passed_over: &passed_over(self, version),
            releases: &releases,
            marker: &marker,
        });
        Ok(plan)
    }

    /// A pull request that was a draft of the bot's is to be marked as ready.
    fn draft_mark(&self, over: Option<PullNumber>) -> DraftMark {
        let known = self.memory.pulls().find(|pull| Some(pull.number) == over);
        match known.and_then(|pull| pull.marker.as_ref()).map(|marker| marker.draft) {
            Some(DraftMark::Waits | DraftMark::Proved) => DraftMark::Proved,
            Some(DraftMark::None | DraftMark::Spent) | None => DraftMark::None,
        }
    }

    async fn plan_stub(&self, version: &Version, over: Option<PullNumber>) -> Result<Plan> {
        let to = self.target(version)?;
        let Some(rule) = &self.watch.rules.migration else { bail!("no migration document") };
        // The canary's tree moves the pin, which a stub does not; its base will do. It may not
        // have run at all: where the pin sites are broken there is no tree to run it on.
        let run = self.run(&to.digest, version).ok();
        let (release, candidate) = (self.release(version)?, self.candidate(version)?);
        let (from, rows) = (&self.pin.version, rows(self, candidate));
        let over = self.memory.pulls().find(|pull| Some(pull.number) == over);
        let anew = over.is_some_and(|pull| policy::is_made_anew(self.memory, pull));
        let base = run.filter(|_| !anew).map_or(self.head, |run| &run.base);
        let draft = draft_stub(self.git, base, &rule.path, from, version, &rows).await?;
        let kind = ProposalKind::MigrationStub;
        let branch = policy::stub_branch(self.watch.branches(), &candidate.line())?;
        let title = stub_title(self.pin, version);
        let rest = format!("{}@{}\n", to.image, to.digest);
        let mut plan = self.commit(kind, branch, &to, &draft, title, &rest).await?;
        plan.draft = rule.draft;
        let marker = marker_of(&plan, &to, false);
        plan.body = stub_body(&StubBody {
            from: self.pin,
            to: &to,
            declared: policy::classify(from, version),
            understated: &candidate.understated,
            lost: &candidate.lost,
            companions: &candidate.companions,
            release_url: &release.url,
            document: &rule.path,
            draft: rule.draft,
            rows: migration::rows(&rows),
            uses: &self.uses(base, &rule.path, &rows).await?,
            evidence: &self.evidence(&to, kind),
            canary: run.and_then(|run| self.shown(run)),
            at_pin: self.at_pin(),
            releases: &self.releases(version),
            marker: &marker,
        });
        Ok(plan)
    }

    /// The plan of a pin bump without its body. A draft and what becomes of it are one commit.
    pub(super) async fn commit_bump(
        &self,
        branch: BranchName,
        to: &Pin,
        draft: &Draft,
        companions: &[Pin],
    ) -> Result<Plan> {
        let (from, kind) = (self.pin, ProposalKind::PinBump);
        let title = self.watch.title.fill(&to.image, &from.version, &to.version);
        let moved = self.moved(companions);
        let moved: Vec<&ImageName> = moved.keys().collect();
        let rest = commit_message(from, to, self.candidate(&to.version)?.bump, &moved);
        self.commit(kind, branch, to, draft, title, &rest).await
    }

    /// The plan without its body, which needs the commit's id. `rest` is the commit's message below
    /// its title.
    async fn commit(
        &self,
        kind: ProposalKind,
        branch: BranchName,
        to: &Pin,
        draft: &Draft,
        title: String,
        rest: &str,
    ) -> Result<Plan> {
        let release = self.release(&to.version)?;
        // Fixed times make the same commit each time, so that a repeated push changes nothing.
        let at = self.git.commit_time(&draft.base).await?.max(release.published_at);
        let message = format!("{title}\n\n{rest}");
        let (name, email) = self.watch.author.clone();
        let author = Author { name, email };
        let commit = self
            .git
            .commit(&draft.base, &draft.tree, &message, &author, at)
            .await
            .context("the commit")?;
        Ok(Plan {
            kind,
            version: to.version.clone(),
            branch,
            base: self.watch.downstream.branch.clone(),
            tree: draft.tree.clone(),
            commit,
            title,
            body: String::new(),
            labels: self.watch.labels.clone(),
            draft: false,
        })
    }

    /// Those of the release's companion images whose pins move with the watched one's.
    fn moved(&self, companions: &[Pin]) -> BTreeMap<ImageName, IndexDigest> {
        let named = companions.iter().filter(|pin| self.is_pinned(&pin.image));
        named.map(|pin| (pin.image.clone(), pin.digest.clone())).collect()
    }

    /// Whether a pin site names this companion image.
    pub(super) fn is_pinned(&self, companion: &ImageName) -> bool {
        let mut sites = self.watch.downstream.sites.iter();
        sites.any(|site| site.companion.as_ref() == Some(companion))
    }

    pub(super) fn target(&self, version: &Version) -> Result<Pin> {
        let image = self.memory.image(version).context("its image was never resolved")?;
        Ok(Pin {
            image: self.watch.upstream.image.clone(),
            version: version.clone(),
            digest: image.digest.clone(),
        })
    }

    fn candidate(&self, version: &Version) -> Result<&Candidate> {
        self.snapshot.candidate(version).with_context(|| format!("{version} is no candidate"))
    }
}

pub(super) fn marker_of(plan: &Plan, to: &Pin, requested: bool) -> Marker {
    Marker {
        kind: plan.kind,
        version: plan.version.clone(),
        digest: to.digest.clone(),
        commit: plan.commit.clone(),
        requested,
        from: None,
        companions: BTreeMap::new(),
        draft: DraftMark::None,
        held: None,
    }
}

/// The effects that make `plan` real, in their order; `over` is the open pull request that is
/// rewritten. The labels of a new one follow when its number is known.
#[must_use]
pub fn effects_of(plan: &Plan, over: Option<(PullNumber, &BranchName)>) -> Vec<Effect> {
    let branch = over.map_or(&plan.branch, |(_, branch)| branch).clone();
    let push = Effect::PushBranch { branch: branch.clone(), commit: plan.commit.clone() };
    let (title, body) = (plan.title.clone(), plan.body.clone());
    let pull = match over {
        Some((number, _)) => Effect::EditPull { number, title, body, close: false },
        None => Effect::OpenPull {
            branch,
            base: plan.base.clone(),
            commit: plan.commit.clone(),
            title,
            body,
            draft: plan.draft,
        },
    };
    vec![push, pull]
}
