//! What the command line says of a watch, as plain text.

use crate::domain::{Timestamp, Version, human_duration};
use crate::policy::{Ignored, PinState, Stage};
use std::fmt::Write as _;

/// The stage in one word, for a table.
#[must_use]
pub const fn stage_word(stage: &Stage) -> &'static str {
    match stage {
        Stage::Pinned => "pinned",
        Stage::Older => "older",
        Stage::Skipped { .. } => "skipped",
        Stage::Queued { .. } => "queued",
        Stage::Checking => "checking",
        Stage::Waiting { .. } => "waiting",
        Stage::CanaryRunning { .. } => "canary",
        Stage::Held { .. } => "held",
        Stage::Offered => "offered",
        Stage::Ready => "ready",
        Stage::Proposed { .. } => "proposed",
        Stage::Covered { .. } => "covered",
        Stage::Declined { .. } => "declined",
        Stage::Migrated => "migrated",
    }
}

/// The stage in one sentence.
#[must_use]
pub fn stage_line(version: &Version, stage: &Stage, now: Timestamp) -> String {
    match stage {
        Stage::Pinned => "the downstream pins it".to_owned(),
        Stage::Older => "it is older than the pin".to_owned(),
        Stage::Skipped { why } => why.clone(),
        Stage::Queued { behind } => format!("{behind} is looked at first"),
        Stage::Checking => "its facts are being collected".to_owned(),
        Stage::Waiting { until: Some(until), why } if *until > now => {
            format!("{why}; until {until} ({} from now)", human_duration(until.since(now)))
        }
        Stage::Waiting { why, .. } => format!("{why}; looked at again in each pass"),
        Stage::CanaryRunning { since } => {
            format!("the canary has been running for {}", human_duration(now.since(*since)))
        }
        Stage::Held { reasons } => reasons.join("; "),
        Stage::Offered => {
            format!("every check passed; `digest-bump request bump {version}` proposes it")
        }
        Stage::Ready => "every check passed; its pull request is due".to_owned(),
        Stage::Proposed { pull, hands_off: false } => format!("pull request {pull} proposes it"),
        Stage::Proposed { pull, hands_off: true } => {
            format!("pull request {pull} proposes it; a person works on its branch, hands off")
        }
        Stage::Covered { by } => format!("{by} contains it"),
        Stage::Declined { pull } => format!("pull request {pull} was closed without merging"),
        Stage::Migrated => format!(
            "its migration is in the document; `digest-bump request bump {version}` moves the pin"
        ),
    }
}

/// The status of a watch.
#[must_use]
pub fn status(
    watch: &str,
    pin: &PinState,
    stages: &[(Version, Stage)],
    ignored: &[Ignored],
    now: Timestamp,
) -> String {
    let mut out = match pin {
        PinState::Known { version, digest } => format!("{watch}: pinned at {version} ({digest})\n"),
        PinState::Unknown { why, .. } => format!("{watch}: the pin is unknown: {why}\n"),
    };
    let older = stages.iter().filter(|(_, stage)| *stage == Stage::Older).count();
    for (version, stage) in stages.iter().filter(|(_, stage)| *stage != Stage::Older) {
        let line = stage_line(version, stage, now);
        let _ = writeln!(out, "  {version:<10} {:<9} {line}", stage_word(stage));
    }
    if older > 0 {
        let _ = writeln!(out, "  {older} older releases");
    }
    for ignored in ignored {
        let _ = writeln!(out, "  {:<10} ignored   {}", ignored.tag, ignored.why);
    }
    out
}
