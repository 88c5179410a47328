//! The cheap checks: one file each, facts in, a [`Finding`] out. A failed check is a value.

mod platforms;
mod sites;
mod version_label;

use crate::domain::{Check, Digest, Finding, ImageFacts, PinFacts, Rules, Timestamp, Verdict};
use crate::policy::inputs_of;

/// What a cheap check looks at.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'a> {
    /// The candidate's image.
    pub image: &'a ImageFacts,
    /// The pin sites as they were last read.
    pub sites: Option<&'a PinFacts>,
    /// The watch's rules.
    pub rules: &'a Rules,
    /// The digest that is pinned now.
    pub pinned: Option<&'a Digest>,
}

/// Answers a cheap check. `None` for the canary, which takes a process and time.
#[must_use]
pub fn verify(check: Check, subject: Subject<'_>, now: Timestamp) -> Option<Finding> {
    let (verdict, summary) = match check {
        Check::Platforms => platforms::verify(subject.image, &subject.rules.platforms),
        Check::VersionLabel => version_label::verify(subject.image),
        Check::Sites => sites::verify(subject.sites),
        Check::Canary => return None,
    };
    Some(Finding {
        check,
        verdict,
        version: subject.image.version.clone(),
        subject: subject.image.digest.clone(),
        inputs: inputs_of(check, subject.rules, subject.sites, subject.pinned),
        summary,
        at: now,
    })
}

/// What a check found: the verdict, and one line for a maintainer.
type Answer = (Verdict, String);

fn passed(summary: impl Into<String>) -> Answer {
    (Verdict::Passed, summary.into())
}

fn failed(summary: impl Into<String>) -> Answer {
    (Verdict::Failed, summary.into())
}
