//! The cheap checks: one file each, facts in, a [`Finding`] out. A failed check is a value.

mod agreement;
mod known_issue;
mod platforms;
mod revision;
mod signature;
mod sites;
mod tag_stability;
mod version_label;

pub use signature::Material;

use crate::domain::{
    Check, CommitId, Content, Detail, Digest, Finding, ImageFacts, Memory, Rules, SignatureOutcome,
    TaggedCommit, Timestamp, Verdict,
};
use crate::policy::inputs_of;
use std::collections::BTreeSet;

/// What a cheap check looks at.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'a> {
    /// The candidate's image.
    pub image: &'a ImageFacts,
    /// What is remembered of the watch.
    pub memory: &'a Memory,
    /// The watch's rules.
    pub rules: &'a Rules,
    /// The digest that is pinned now.
    pub pinned: Option<&'a Digest>,
}

/// The commits whose relation to the one of the release's tag [`Check::Revision`] has to know.
#[must_use]
pub fn revisions_to_compare(image: &ImageFacts, commit: &TaggedCommit) -> BTreeSet<CommitId> {
    revision::to_compare(&image.platforms, commit)
}

/// Answers a check from what is remembered. `None` for the canary, which takes a process and time,
/// and for the signature, which takes documents: see [`verify_signature`].
#[must_use]
pub fn verify(check: Check, subject: Subject<'_>, now: Timestamp) -> Option<Finding> {
    let answer = match check {
        Check::Platforms => platforms::verify(subject.image, &subject.rules.platforms),
        Check::VersionLabel => version_label::verify(subject.image),
        Check::Revision => revision::verify(subject, now),
        Check::TagStability => tag_stability::verify(subject),
        Check::Agreement => agreement::verify(subject, now),
        Check::KnownIssue => known_issue::verify(subject.image, &subject.rules.known_issues),
        Check::Sites => sites::verify(subject.memory.pin()),
        Check::Signature | Check::Canary => return None,
    };
    Some(finding(check, subject, answer, now))
}

/// Judges the image's signature; with it come the documents that the answer rests on. `None` if the
/// watch does not look at signatures.
#[must_use]
pub fn verify_signature(
    subject: Subject<'_>,
    material: Material<'_>,
    now: Timestamp,
) -> Option<(Finding, Vec<Content>)> {
    let rule = subject.rules.signature.as_ref()?;
    let (answer, contents) = signature::verify(subject.image, rule, material, now);
    Some((finding(Check::Signature, subject, answer, now), contents))
}

/// Whether a newer trusted root may judge a signature otherwise.
#[must_use]
pub fn looks_stale(finding: &Finding) -> bool {
    let stale = [SignatureOutcome::TrustRootStale, SignatureOutcome::BadCertificate];
    finding.signature_outcome().is_some_and(|outcome| stale.contains(&outcome))
}

/// The finding of a check whose facts could not be fetched; `why` is a sentence. Never a pass, never
/// a rejection.
#[must_use]
pub fn unanswered(check: Check, subject: Subject<'_>, why: &str, now: Timestamp) -> Finding {
    let answer = unsure("unavailable", why);
    finding(check, subject, answer, now)
}

fn finding(check: Check, subject: Subject<'_>, answer: Answer, now: Timestamp) -> Finding {
    let version = &subject.image.version;
    Finding {
        check,
        verdict: answer.verdict,
        version: version.clone(),
        subject: subject.image.digest.clone(),
        inputs: inputs_of(check, version, subject.rules, subject.memory, subject.pinned),
        summary: answer.summary,
        detail: answer.detail,
        at: now,
    }
}

/// What a check found.
#[derive(Debug)]
struct Answer {
    verdict: Verdict,
    /// One line for a maintainer.
    summary: String,
    detail: Detail,
}

fn passed(summary: impl Into<String>) -> Answer {
    Answer { verdict: Verdict::Passed, summary: summary.into(), detail: Detail::default() }
}

fn failed(summary: impl Into<String>) -> Answer {
    Answer { verdict: Verdict::Failed, summary: summary.into(), detail: Detail::default() }
}

/// Something that another look can mend.
fn unsure(outcome: &str, summary: impl Into<String>) -> Answer {
    let outcome = Some(outcome.to_owned());
    let detail = Detail { outcome, may_change: true, ..Detail::default() };
    Answer { verdict: Verdict::Inconclusive, summary: summary.into(), detail }
}

impl Answer {
    /// The answer under the check's own name for it.
    fn named(mut self, outcome: &str) -> Self {
        self.detail.outcome = Some(outcome.to_owned());
        self
    }
}
