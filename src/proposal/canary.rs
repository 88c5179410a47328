//! The canary runs that a proposal rests on.

use super::plan::Workshop;
use crate::domain::{CanaryRun, Check, CommitId, IndexDigest, RunState, Verdict, Version};
use crate::policy;
use crate::render::CanaryShown;
use anyhow::{Context as _, Result};

impl Workshop<'_> {
    /// The latest ended run at this digest on the pin as it is now.
    pub(super) fn run(&self, digest: &IndexDigest, version: &Version) -> Result<&CanaryRun> {
        let pinned = Some(self.pin.digest.digest());
        let inputs =
            policy::inputs_of(Check::Canary, version, &self.watch.rules, self.memory, pinned);
        let fits = |run: &&CanaryRun| {
            run.subject == *digest
                && run.version == *version
                && run.inputs == inputs
                && matches!(run.state, RunState::Ended { .. })
        };
        self.memory.runs.iter().rev().find(fits).context("the canary did not run")
    }

    /// The canary at the pinned digest, if it ran there.
    pub(super) fn at_pin(&self) -> Option<CanaryShown<'_>> {
        let run = self.run(&self.pin.digest, &self.pin.version).ok()?;
        self.shown(run)
    }

    /// The canary at the pinned digest, if it fails there.
    pub(super) fn before(&self) -> Option<CanaryShown<'_>> {
        self.at_pin().filter(|shown| shown.verdict == Verdict::Failed)
    }

    /// The commit that a proposal of `version` is made on: where its canary ran, if it did.
    #[must_use]
    pub fn base_of(&self, version: &Version) -> &CommitId {
        let run = self.target(version).and_then(|to| self.run(&to.digest, version));
        run.map_or(self.head, |run| &run.base)
    }

    /// A run that has ended, as a reader is shown it.
    pub(super) fn shown<'a>(&self, run: &'a CanaryRun) -> Option<CanaryShown<'a>> {
        CanaryShown::of(run, self.watch.public_url.as_deref())
    }
}
