//! Beside: what several intents ask for, asked side by side. What comes of it is taken in the order
//! in which they were due, so that it does not matter who answered first.

use super::{learn::learn, world::World};
use crate::clients::github::GithubError;
use crate::config::Watch;
use crate::domain::{Check, ImageName, Learned, Memory, Timestamp};
use crate::policy::Intent;
use crate::sources::Sources;
use anyhow::Result;
use futures_util::future::join_all;
use std::collections::BTreeMap;
use tracing::{Instrument as _, info_span};

/// What may be asked beside anything else, but not beside its like: one answer spares the next
/// question, or forbids it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Lane<'a> {
    /// What tags of an image lead to: a registry's limit that one meets holds for the others.
    Looks(Option<&'a ImageName>),
    /// Upstream's contract document.
    Contract,
    /// What is attached to an image.
    Signatures(Option<&'a ImageName>),
    /// Upstream's history: where a release's tag is, is read once for all images.
    History,
    /// Nobody is asked.
    Remembered,
}

impl<'a> Lane<'a> {
    fn of(intent: &'a Intent, image: Option<&'a ImageName>) -> Self {
        match intent {
            Intent::Look(_) => Self::Looks(image),
            Intent::ReadContract(_) => Self::Contract,
            Intent::Check { check: Check::Signature, .. } => Self::Signatures(image),
            Intent::Check { check: Check::Revision | Check::Agreement, .. } => Self::History,
            Intent::Companion(image, intent) => Self::of(intent, Some(image)),
            Intent::Check { .. }
            | Intent::StartCanary(_)
            | Intent::Bury(_)
            | Intent::Propose { .. }
            | Intent::Close { .. }
            | Intent::Warn { .. }
            | Intent::StepBack { .. }
            | Intent::TakeUp { .. }
            | Intent::GiveUp { .. }
            | Intent::Conclude(_)
            | Intent::Cancel { .. }
            | Intent::Hold { .. }
            | Intent::Answer { .. } => Self::Remembered,
        }
    }
}

/// What came of one intent.
pub(super) struct Answered {
    pub(super) intent: Intent,
    pub(super) learned: Result<Learned>,
}

/// Learns what each of these intents asks for, and takes it into memory; what came of each, in
/// their order. One that was not asked any more, because of GitHub's rate limit, is left out.
pub(super) async fn learn_all(
    due: Vec<Intent>,
    watch: &Watch,
    sources: &Sources,
    memory: &mut Memory,
    world: &mut World,
    now: Timestamp,
) -> Vec<Answered> {
    let mut lanes: BTreeMap<Lane<'_>, Vec<(usize, &Intent)>> = BTreeMap::new();
    for (place, intent) in due.iter().enumerate() {
        lanes.entry(Lane::of(intent, None)).or_default().push((place, intent));
    }
    let (before, seen) = (&*memory, &*world);
    let asked = lanes.into_values().map(async |lane| {
        // What one lane learns is nothing to another: each judges by what was known before.
        let (mut memory, mut world) = (before.clone(), seen.clone());
        let mut answers = Vec::new();
        for (place, intent) in lane {
            let span =
                info_span!("candidate", version = intent.version().map(tracing::field::display));
            let learned = learn(intent, watch, sources, &mut memory, &mut world, now);
            let learned = learned.instrument(span).await;
            let limited = learned.as_ref().is_err_and(is_limit);
            answers.push((place, learned));
            if limited {
                break;
            }
        }
        (answers, world)
    });
    let mut answers = BTreeMap::new();
    for (lane, after) in join_all(asked).await {
        answers.extend(lane);
        world.take(after);
    }
    for learned in answers.values().flatten() {
        for seen in &learned.news {
            memory.observe(seen.fact.clone(), seen.at);
        }
        memory.findings.extend(learned.finding.clone());
    }
    let intents = due.into_iter().enumerate();
    let answered = intents
        .filter_map(|(place, intent)| Some(Answered { intent, learned: answers.remove(&place)? }));
    answered.collect()
}

/// GitHub's: with it nobody is asked anything more.
fn is_limit(error: &anyhow::Error) -> bool {
    let limit = |cause: &(dyn std::error::Error + 'static)| {
        matches!(cause.downcast_ref(), Some(GithubError::RateLimited { .. }))
    };
    error.chain().any(limit)
}
