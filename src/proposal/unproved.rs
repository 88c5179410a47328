//! The plan of a draft pull request, which the downstream's own checks have to prove.

use super::{
    draft::{Draft, companion_pins},
    plan::{Workshop, marker_of},
};
use crate::domain::{
    BranchName, Check, CommitId, DraftMark, Marker, Plan, ProposalKind, PullFacts, PullNumber,
    PullState, Version,
};
use crate::policy;
use crate::render::{Changes, DraftBody, draft_body};
use anyhow::{Context as _, Result};

impl Workshop<'_> {
    /// The commit of a draft for `version`.
    ///
    /// # Errors
    /// If a fact is missing, or git fails.
    pub async fn commit_draft(&self, version: &Version, draft: &Draft) -> Result<CommitId> {
        let to = self.target(version)?;
        // It is a commit like a proposal's, on whatever branch.
        let branch = policy::pin_branch(self.watch.branches(), version, [])?;
        let companions = companion_pins(self.watch, self.memory, version);
        Ok(self.commit_bump(branch, &to, draft, &companions).await?.commit)
    }

    /// The plan of the draft for `version`, from its edited files and the names of those that were
    /// prepared. Its commit is the one that a
    /// proposal of the same draft has, so that what its checks show counts for that.
    ///
    /// # Errors
    /// If the downstream's checks are not the canary, a fact is missing, or git fails.
    pub async fn plan_draft(
        &self,
        version: &Version,
        draft: &Draft,
        prepared: &[String],
    ) -> Result<Plan> {
        let rule = self.watch.rules.checks.as_ref().context("no checks are named")?;
        let (to, release) = (self.target(version)?, self.release(version)?);
        let kind = ProposalKind::PinBump;
        let pulls: Vec<&PullFacts> = self.memory.pulls().collect();
        let branch = policy::draft_branch(self.watch.branches(), version, &pulls)?;
        let companions = companion_pins(self.watch, self.memory, version);
        let mut plan = self.commit_bump(branch, &to, draft, &companions).await?;
        plan.draft = true;
        let marker = Marker {
            from: Some(self.pin.digest.clone()),
            draft: DraftMark::Waits,
            ..marker_of(&plan, &to, false)
        };
        let mut evidence = self.evidence(&to, kind);
        // What an earlier attempt showed is no news here.
        evidence.retain(|line| line.check != Check::Canary);
        let drifted = self.drift();
        plan.body = draft_body(&DraftBody {
            from: self.pin,
            to: &to,
            names: &rule.names,
            companions: &self.companions(version, &companions),
            published_at: release.published_at,
            release_url: &release.url,
            evidence: &evidence,
            changes: Changes {
                sites: &draft.sites,
                prepared,
                changeset: draft.changeset.as_ref(),
                drift: &drifted,
                left: &self.left(&draft.tree, prepared).await?,
            },
            marker: &marker,
        });
        Ok(plan)
    }

    /// The open draft, which the next one takes the place of.
    #[must_use]
    pub fn open_draft(&self) -> Option<(PullNumber, &BranchName)> {
        let waits = |pull: &&PullFacts| {
            let marker = pull.marker.as_ref().filter(|_| pull.state == PullState::Open);
            marker.is_some_and(|marker| marker.draft == DraftMark::Waits)
        };
        let pull = self.memory.pulls().filter(waits).max_by_key(|pull| pull.number)?;
        Some((pull.number, &pull.branch))
    }
}
