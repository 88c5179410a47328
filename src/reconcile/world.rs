//! What a pass goes by: what it saw itself, and that and the memory as the policy wants them.

use super::dashboard::DashboardRead;
use crate::config::Watch;
use crate::domain::{BranchName, CommitId, ImageName, IndexDigest, Memory, Pin, Version};
use crate::edit;
use crate::policy::{Looks, PinState, Snapshot, View};
use anyhow::{Result, bail};
use std::collections::BTreeSet;

/// What a pass saw beyond what is remembered. It is gone with the pass.
#[derive(Debug, Clone, Default)]
pub(super) struct World {
    /// The head of the downstream's base branch.
    pub(super) base: Option<CommitId>,
    /// Looks at the registry that gave no image.
    pub(super) looks: Looks,
    /// The upstream's git tags that were read.
    pub(super) tags_read: BTreeSet<String>,
    /// The image tags that were resolved in this pass, for the first time or again.
    pub(super) resolved: BTreeSet<(ImageName, Version)>,
    /// Why npm could not be asked.
    pub(super) npm_trouble: Option<String>,
    /// Whether the list of releases could not be read.
    pub(super) releases_unknown: bool,
    /// Whether the bot's pull requests were read.
    pub(super) pulls_known: bool,
    /// The branches whose pull requests were read.
    pub(super) asked: BTreeSet<BranchName>,
    /// The dashboard issue.
    pub(super) dashboard: DashboardRead,
}

impl World {
    /// Takes in what another look at the same world learned.
    pub(super) fn take(&mut self, other: Self) {
        self.looks.extend(other.looks);
        self.tags_read.extend(other.tags_read);
        self.resolved.extend(other.resolved);
    }

    /// The whole watch, as it is to be decided on.
    pub(super) fn snapshot(&self, watch: &Watch, memory: &Memory) -> Snapshot {
        let mut snapshot = Snapshot::of(View {
            memory,
            rules: &watch.rules,
            image: &watch.upstream.image,
            sites: &watch.downstream.sites,
            looks: &self.looks,
            npm_trouble: self.npm_trouble.as_deref(),
            live: self.base.is_some(),
        });
        // A workflow has no tree on which nothing but the sites differs from the pinned release's.
        if watch.rules.workflow.is_some() {
            return snapshot;
        }
        // Only now it is known what the sites are to agree with.
        if let (PinState::Known { version, digest }, Some(facts)) = (&snapshot.pin, memory.pin()) {
            let pin = pin_of(watch, version, digest);
            let sites = watch.editable_sites(memory.may_edit_workflows());
            snapshot.drifted = !edit::repairable(&sites, &facts.sites, &pin).is_empty();
        }
        snapshot
    }

    /// What the pin is, once it is known.
    pub(super) fn pin(&self, watch: &Watch, memory: &Memory) -> Result<Pin> {
        match self.snapshot(watch, memory).pin {
            PinState::Known { version, digest } => Ok(pin_of(watch, &version, &digest)),
            PinState::Unknown { why, .. } => bail!("the pin is unknown: {why}"),
        }
    }
}

fn pin_of(watch: &Watch, version: &Version, digest: &IndexDigest) -> Pin {
    let image = watch.upstream.image.clone();
    Pin { image, version: version.clone(), digest: digest.clone() }
}
