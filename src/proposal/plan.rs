//! The complete content of a proposal. Everything is chosen here, nothing when it is applied.

use super::{draft::companion_pins, passed_over::passed_over, rows::rows, sketch::Sketch};
use crate::config::Watch;
use crate::domain::{
    BranchName, CommitId, DraftMark, Effect, ImageName, IndexDigest, Marker, Memory, Pin, Plan,
    ProposalKind, PullNumber, ReleaseFacts, Version,
};
use crate::edit::{self, migration};
use crate::policy::{self, Candidate, Snapshot, Stage};
use crate::render::{NotedRelease, PinBump, StubBody, pin_bump_body, stub_body};
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
    /// If a fact is missing.
    pub fn plan(
        &self,
        sketch: &Sketch,
        commit: CommitId,
        requested: bool,
        over: Option<PullNumber>,
    ) -> Result<Plan> {
        match sketch.kind {
            ProposalKind::PinBump => self.plan_pin_bump(sketch, commit, requested, over),
            ProposalKind::MigrationStub => self.plan_stub(sketch, commit),
        }
    }

    fn plan_pin_bump(
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
        let marker = Marker {
            from: Some(self.pin.digest.clone()),
            draft: self.draft_mark(over),
            companions: self.moved(&companions),
            ..marker_of(&plan, to, requested)
        };
        let (releases, release) = (self.releases(version), self.release(version)?);
        let (evidence, disagreements) = (self.evidence(to, kind), self.drift());
        plan.body = pin_bump_body(&PinBump {
            from: self.pin,
            to,
            declared: policy::classify(&self.pin.version, version),
            understated: &self.candidate(version)?.understated,
            added: &policy::added_since(self.memory, &self.pin.digest, version),
            contract: &self.candidate(version)?.contract,
            published_at: release.published_at,
            release_url: &release.url,
            requested_by: self.actor(version).filter(|_| requested),
            evidence: &evidence,
            companions: &self.companions(version, &companions),
            canary: self.shown(run).context("the canary has not ended")?,
            before: self.before(),
            sites: &sketch.draft.sites,
            prepared: run.prepared(),
            drift: &disagreements,
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

    fn plan_stub(&self, sketch: &Sketch, commit: CommitId) -> Result<Plan> {
        let (to, kind) = (&sketch.to, sketch.kind);
        let (from, version) = (&self.pin.version, &to.version);
        let Some(rule) = &self.watch.rules.migration else { bail!("no migration document") };
        let run = self.run(&to.digest, version).ok();
        let (release, candidate) = (self.release(version)?, self.candidate(version)?);
        let mut plan = self.outline(sketch, commit);
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
            rows: migration::rows(&rows(self, candidate)),
            evidence: &self.evidence(to, kind),
            canary: run.and_then(|run| self.shown(run)),
            releases: &self.releases(version),
            marker: &marker,
        });
        Ok(plan)
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

    pub(super) fn release(&self, version: &Version) -> Result<&ReleaseFacts> {
        policy::release_of(version, self.memory, &self.watch.rules.tags)
            .with_context(|| format!("release {version} is not known"))
    }

    /// The releases from the pin up to `version`, newest first.
    pub(super) fn releases(&self, version: &Version) -> Vec<NotedRelease<'_>> {
        self.stages
            .iter()
            .map(|(between, _)| between)
            .filter(|between| {
                between.cmp_precedence(&self.pin.version).is_gt()
                    && between.cmp_precedence(version).is_le()
            })
            .filter_map(|between| {
                let release = self.release(between).ok()?;
                Some(NotedRelease { version: between, url: &release.url, notes: &release.notes })
            })
            .collect()
    }

    pub(super) fn candidate(&self, version: &Version) -> Result<&Candidate> {
        self.snapshot.candidate(version).with_context(|| format!("{version} is no candidate"))
    }

    fn drift(&self) -> Vec<String> {
        self.memory
            .pin()
            .map(|facts| edit::disagreements(&facts.sites, self.pin))
            .unwrap_or_default()
    }

    /// Who asked for this version last.
    fn actor(&self, version: &Version) -> Option<&str> {
        let asked = self.memory.requests.iter().rev().find(|request| request.version == *version);
        asked.map(|request| request.actor.as_str())
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
