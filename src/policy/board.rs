//! Where a decision comes together.

use super::{
    chain::Walk,
    decide::Decision,
    snapshot::Snapshot,
    stage::{Intent, Stage},
};
use crate::domain::{RequestId, Timestamp, Version};
use std::collections::BTreeMap;

/// The stages and intents, as they come together. A stage that is set later wins.
#[derive(Default)]
pub(super) struct Board {
    pub(super) stages: BTreeMap<Version, Stage>,
    pub(super) due: Vec<Intent>,
    pub(super) wakes: Vec<Timestamp>,
}

impl Board {
    pub(super) fn set(&mut self, version: &Version, stage: Stage) {
        self.stages.insert(version.clone(), stage);
    }

    pub(super) fn answer(&mut self, request: RequestId, granted: bool, answer: String) {
        self.due.push(Intent::Answer { request, granted, answer });
    }

    pub(super) fn take(&mut self, walk: Walk<'_>) {
        self.stages.extend(walk.stages);
        self.due.extend(walk.due);
        self.wakes.extend(walk.wakes);
    }

    pub(super) fn finish(mut self, snapshot: &Snapshot) -> Decision {
        let stages = snapshot.candidates.iter().filter_map(|candidate| {
            self.stages.remove(&candidate.version).map(|stage| (candidate.version.clone(), stage))
        });
        let mut due = Vec::new();
        for intent in self.due {
            if !due.contains(&intent) {
                due.push(intent);
            }
        }
        Decision { stages: stages.collect(), due, wake: self.wakes.into_iter().min() }
    }
}
