//! `verify`: is an image what the release contract promises? Asked now, nothing is recorded.

use super::{
    args::{self, Claim},
    exit::{Exit, Misuse},
    run::{chosen, memory, print, several},
};
use crate::clients::registry::RegistryError;
use crate::clock::Clock;
use crate::config::{Config, Watch};
use crate::daemon;
use crate::domain::{Check, Finding, ImageName, Judged, Verdict};
use crate::reconcile::{Examination, Target, examine};
use anyhow::{Result, bail};
use serde::Serialize;
use std::fmt::Write as _;

pub(super) async fn run(
    config: &Config,
    arguments: &args::Verify,
    claim: &Claim,
    clock: &Clock,
    json: bool,
) -> Result<Exit> {
    let (watch, target) = match claim {
        Claim::Release(version) => {
            (chosen(config, &arguments.chosen)?, Target::Release(version.clone()))
        }
        Claim::Image { image, digest } => {
            (about(config, &arguments.chosen, image)?, Target::Digest(digest.clone()))
        }
    };
    let store = daemon::read_store(config).await?;
    let memory = memory(store.as_ref(), watch).await?;
    let sources = daemon::sources_of(config, watch, store, clock)?;
    let examination = match examine(watch, &sources, memory, target, clock.now()).await {
        Ok(examination) => examination,
        Err(error) if is_missing(&error) => {
            eprintln!("digest-bump: {error:#}");
            return Ok(Exit::TagMissing);
        }
        Err(error) => return Err(error),
    };
    print(json, &VerifyView::of(&watch.upstream.image, &examination), table)?;
    Ok(exit(&examination))
}

/// The watch that is about this image.
fn about<'a>(config: &'a Config, which: &args::Chosen, image: &ImageName) -> Result<&'a Watch> {
    let named = several(config, which)?;
    let Some(watch) = named.iter().find(|watch| watch.upstream.image == *image) else {
        bail!(Misuse(format!("no watch is about {image}")));
    };
    Ok(watch)
}

fn is_missing(error: &anyhow::Error) -> bool {
    matches!(error.downcast_ref(), Some(RegistryError::NotFound { .. }))
}

/// A failed signature tells most: its outcomes have codes of their own.
fn exit(examination: &Examination) -> Exit {
    let signature = examination.findings.iter().find(|found| found.check == Check::Signature);
    let refused = signature.filter(|found| found.verdict != Verdict::Passed);
    let outcome = refused.and_then(Finding::signature_outcome);
    match (outcome, examination.verdict()) {
        (Some(outcome), _) => Exit::Signature(outcome),
        (None, Verdict::Passed) => Exit::Done,
        (None, Verdict::Failed) => Exit::No,
        (None, Verdict::Inconclusive) => Exit::Trouble,
    }
}

/// What was found of an image.
#[derive(Debug, Serialize)]
struct VerifyView {
    image: String,
    /// The release that it was judged as.
    version: Option<String>,
    digest: String,
    verdict: &'static str,
    findings: Vec<FindingView>,
}

#[derive(Debug, Serialize)]
struct FindingView {
    check: &'static str,
    verdict: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    outcome: Option<String>,
    summary: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    points: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    judged: Vec<Judged>,
}

impl VerifyView {
    fn of(image: &ImageName, examination: &Examination) -> Self {
        let findings = examination.findings.iter().map(|found| FindingView {
            check: found.check.name(),
            verdict: found.verdict.name(),
            outcome: found.detail.outcome.clone(),
            summary: found.summary.clone(),
            points: found.detail.points.clone(),
            judged: found.detail.judged.clone(),
        });
        Self {
            image: image.to_string(),
            version: examination.release.as_ref().map(ToString::to_string),
            digest: examination.image.digest.to_string(),
            verdict: examination.verdict().name(),
            findings: findings.collect(),
        }
    }
}

fn table(view: &VerifyView) -> String {
    let release = view.version.as_ref().map(|version| format!(":{version}")).unwrap_or_default();
    let mut out = format!("{}{release}@{}\n", view.image, view.digest);
    let width = view.findings.iter().map(|found| found.check.len()).max().unwrap_or_default();
    for found in &view.findings {
        let outcome = found.outcome.as_ref().map(|name| format!("{name}: ")).unwrap_or_default();
        let FindingView { check, verdict, summary, .. } = found;
        let _ = writeln!(out, "  {check:<width$}  {verdict:<12}  {outcome}{summary}");
        for point in &found.points {
            let _ = writeln!(out, "  {:<width$}  {:<12}  look at: {point}", "", "");
        }
    }
    if view.version.is_none() {
        out.push_str(
            "  no known release has this digest: only what every image must be was asked\n",
        );
    }
    out
}
