//! The complete content of a proposal. Everything is chosen here, nothing when it is applied.

use super::{
    draft::companion_pins, passed_over::passed_over, rows::rows, sketch::Sketch, told::by_hand,
};
use crate::config::Watch;
use crate::domain::{
    BranchName, CommitId, DraftMark, Effect, ImageName, IndexDigest, Marker, Memory, Pin, Plan,
    ProposalKind, PullNumber, Version,
};
use crate::edit::migration;
use crate::policy::{self, Candidate, Snapshot, Stage};
use crate::render::{Changes, PinBump, StubBody, pin_bump_body, stub_body};
use crate::repository::Repository;
use anyhow::{Context as _, Result, bail};
use std::collections::BTreeMap;

/// Everything that plans are made from.
#[derive(Debug, Clone, Copy)]
pub struct Workshop<'a> {
    /// The watch.
    pub watch: &'a Watch,
    /// What is remembered of it.
    pub memory: &'a Memory,
    /// The downstream's repository.
    pub git: &'a Repository,
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
    /// The plan of a sketch whose commit is `commit`; `over` is the open pull request that is
    /// rewritten.
    ///
    /// # Errors
    /// If a fact is missing, or the downstream cannot be read.
    pub async fn plan(
        &self,
        sketch: &Sketch,
        commit: CommitId,
        requested: bool,
        over: Option<PullNumber>,
    ) -> Result<Plan> {
        match sketch.kind {
            ProposalKind::PinBump => self.plan_pin_bump(sketch, commit, requested, over).await,
            ProposalKind::MigrationStub => self.plan_stub(sketch, commit).await,
        }
    }

    async fn plan_pin_bump(
        &self,
        sketch: &Sketch,
        commit: CommitId,
        requested: bool,
        over: Option<PullNumber>,
    ) -> Result<Plan> {
        let (to, kind) = (&sketch.to, sketch.kind);
        let version = &to.version;
        let run = self.run(&to.digest, version)?;
        let companions = companion_pins(self.watch, self.memory, version);
        let mut plan = self.outline(sketch, commit);
        plan.draft = sketch.withheld.is_some();
        let marker = Marker {
            from: Some(self.pin.digest.clone()),
            whole: sketch.withheld.as_ref().map(|it| it.tree.clone()),
            draft: self.draft_mark(over, sketch.is_partial()),
            companions: self.moved(&companions),
            ..marker_of(&plan, to, requested)
        };
        let rewritten = self.memory.pulls().find(|pull| Some(pull.number) == over);
        let branch = rewritten.map_or(&sketch.branch, |pull| &pull.branch);
        let (releases, candidate) = (self.releases(version), self.candidate(version)?);
        let (drifted, touched) = (self.drift(), self.touched(version));
        plan.body = pin_bump_body(&PinBump {
            title: &plan.title,
            from: self.pin,
            to,
            declared: policy::classify(&self.pin.version, version),
            understated: &candidate.understated,
            added: &policy::added_since(self.memory, &self.pin.digest, version),
            contract: &candidate.contract,
            touched: self.watch.rules.contract.as_ref().zip(touched.as_ref()),
            pinned_source: self.source(&self.pin.version),
            source: self.source(version),
            release_url: &self.release(version)?.url,
            requested_by: self.actor(version).filter(|_| requested),
            evidence: &self.evidence(to, kind),
            companions: &self.companions(version, &companions),
            canary: self.shown(run).context("the canary has not ended")?,
            before: self.before(),
            changes: Changes {
                sites: &sketch.draft.sites,
                prepared: run.prepared(),
                changeset: sketch.draft.changeset.as_ref(),
                drift: &drifted,
                left: &self.left(&sketch.draft.tree, run.prepared()).await?,
            },
            by_hand: &by_hand(&sketch.draft, sketch.withheld.as_ref()),
            withheld: sketch.withheld.as_ref().map(|it| it.told(branch)),
            retreat: self.retreat(version),
            passed_over: &passed_over(self, version),
            releases: &releases,
            how: &self.watch.downstream.how_to_ask(),
            marker: &marker,
        });
        Ok(plan)
    }

    /// A pull request that was a draft of the bot's is to be marked as ready, also one that a person
    /// had to complete and that is whole now.
    fn draft_mark(&self, over: Option<PullNumber>, partial: bool) -> DraftMark {
        let known = self.memory.pulls().find(|pull| Some(pull.number) == over);
        let Some(before) = known.and_then(|pull| pull.marker.as_ref()) else {
            return DraftMark::None;
        };
        match before.draft {
            DraftMark::Waits | DraftMark::Proved => DraftMark::Proved,
            DraftMark::None | DraftMark::Spent if before.whole.is_some() && !partial => {
                DraftMark::Proved
            }
            DraftMark::None | DraftMark::Spent => DraftMark::None,
        }
    }

    async fn plan_stub(&self, sketch: &Sketch, commit: CommitId) -> Result<Plan> {
        let (to, kind) = (&sketch.to, sketch.kind);
        let (from, version) = (&self.pin.version, &to.version);
        let Some(rule) = &self.watch.rules.migration else { bail!("no migration document") };
        let run = self.run(&to.digest, version).ok();
        let (release, candidate) = (self.release(version)?, self.candidate(version)?);
        let rows = rows(self, candidate);
        let mut plan = self.outline(sketch, commit);
        plan.draft = rule.draft;
        let marker = marker_of(&plan, to, false);
        plan.body = stub_body(&StubBody {
            from: self.pin,
            to,
            declared: policy::classify(from, version),
            understated: &candidate.understated,
            lost: &candidate.lost,
            companions: &candidate.companions,
            release_url: &release.url,
            document: &rule.path,
            draft: rule.draft,
            rows: migration::rows(&rows),
            uses: self.uses(&sketch.draft.base, &rule.path, &rows).await?.as_deref(),
            evidence: &self.evidence(to, kind),
            canary: run.and_then(|run| self.shown(run)),
            at_pin: self.at_pin(),
            releases: &self.releases(version),
            how: &self.watch.downstream.how_to_ask(),
            marker: &marker,
        });
        Ok(plan)
    }

    /// Those of the release's companion images whose pins move with the watched one's.
    pub(super) fn moved(&self, companions: &[Pin]) -> BTreeMap<ImageName, IndexDigest> {
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

    pub(super) fn candidate(&self, version: &Version) -> Result<&Candidate> {
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
        whole: None,
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
