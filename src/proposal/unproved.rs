//! The plan of a draft pull request, which the downstream's own checks have to prove.

use super::{
    draft::companion_pins,
    plan::{Workshop, marker_of},
    sketch::Sketch,
};
use crate::domain::{
    BranchName, Check, CommitId, DraftMark, Marker, Plan, PullFacts, PullNumber, PullState,
};
use crate::render::{Changes, DraftBody, draft_body};
use anyhow::{Context as _, Result};

impl Workshop<'_> {
    /// The plan of a draft from its sketch, with the names of the files in it that were prepared.
    ///
    /// # Errors
    /// If the downstream's checks are not the canary, a fact is missing, or the downstream cannot be
    /// read.
    pub async fn plan_draft(
        &self,
        sketch: &Sketch,
        commit: CommitId,
        prepared: &[String],
    ) -> Result<Plan> {
        let rule = self.watch.rules.checks.as_ref().context("no checks are named")?;
        let (to, kind) = (&sketch.to, sketch.kind);
        let version = &to.version;
        let release = self.release(version)?;
        let mut plan = self.outline(sketch, commit);
        plan.draft = true;
        let marker = Marker {
            from: Some(self.pin.digest.clone()),
            draft: DraftMark::Waits,
            ..marker_of(&plan, to, false)
        };
        let mut evidence = self.evidence(to, kind);
        // What an earlier attempt showed is no news here.
        evidence.retain(|line| line.check != Check::Canary);
        let companions = companion_pins(self.watch, self.memory, version);
        let drifted = self.drift();
        plan.body = draft_body(&DraftBody {
            from: self.pin,
            to,
            names: &rule.names,
            companions: &self.companions(version, &companions),
            published_at: release.published_at,
            release_url: &release.url,
            evidence: &evidence,
            changes: Changes {
                sites: &sketch.draft.sites,
                prepared,
                changeset: sketch.draft.changeset.as_ref(),
                drift: &drifted,
                left: &self.left(&sketch.draft.tree, prepared).await?,
            },
            how: &self.watch.downstream.how_to_ask(),
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
