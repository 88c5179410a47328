//! The pull request that opens a section in the migration document for a MAJOR.

use super::{
    body::{Evidence, fenced},
    marker::marker,
    notes::{NotedRelease, brief, folded, safe_url},
};
use crate::domain::{Check, FilePath, Marker, Pin, Verdict, Version};
use std::fmt::Write as _;

/// Everything that the body of a migration stub says.
#[derive(Debug)]
pub struct StubBody<'a> {
    /// What is pinned now, and stays pinned.
    pub from: &'a Pin,
    /// The MAJOR.
    pub to: &'a Pin,
    /// The release's page.
    pub release_url: &'a str,
    /// The migration document.
    pub document: &'a FilePath,
    /// How many rows the new section has.
    pub rows: usize,
    /// The checks with their answers; the canary's is news, not a gate.
    pub evidence: &'a [Evidence],
    /// The last lines that the canary printed.
    pub canary_output: &'a str,
    /// The releases from the pin to the MAJOR, newest first.
    pub releases: &'a [NotedRelease<'a>],
    /// What the bot writes for itself.
    pub marker: &'a Marker,
}

/// The title.
#[must_use]
pub fn stub_title(from: &Pin, to: &Version) -> String {
    format!("docs({}): migration stub for {} → {to}", from.image.short(), from.version)
}

/// The body in Markdown.
#[must_use]
pub fn stub_body(stub: &StubBody<'_>) -> String {
    let (from, to) = (&stub.from.version, &stub.to.version);
    let rows = match stub.rows {
        1 => "1 row".to_owned(),
        n => format!("{n} rows"),
    };
    let mut out = format!(
        "**{} {to} is a MAJOR. The pin stays at {from}; merging this changes no running code.**\n\n\
         This opens a section with {rows} in `{}`, taken from the breaking notes of \
         [{to}]({}). What the notes do not say is marked TODO, for a person to fill in here.\n\n\
         {}\n\n",
        stub.from.image.short(),
        stub.document,
        safe_url(stub.release_url),
        canary(stub),
    );
    let marker = marker(stub.marker);
    let _ = write!(
        out,
        "### The migration cycle\n\n\
         - [ ] Fill in the TODO cells of the new section\n\
         - [ ] Adapt the code that uses what changed\n\
         - [ ] Merge this\n\
         - [ ] Ask for the pin: `digest-bump request bump {to}`\n\n\
         The image is `{}@{}`.\n\n",
        stub.to.image, stub.to.digest,
    );
    let notes = folded(stub.releases, out.len() + marker.len());
    let _ = write!(out, "{notes}\n\n{marker}");
    out
}

fn canary(stub: &StubBody<'_>) -> String {
    let answer = stub.evidence.iter().find(|line| line.check == Check::Canary);
    let Some(answer) = answer else {
        return "The contract canary did not run.".to_owned();
    };
    let news = match answer.verdict {
        Verdict::Passed => "passes at this release as the code stands",
        Verdict::Failed => "fails at this release, so there is something to migrate",
        Verdict::Inconclusive => "gave no answer at this release",
    };
    let mut out = format!("The contract canary {news}: {}.", brief(&answer.summary));
    if !stub.canary_output.trim().is_empty() {
        let _ = write!(
            out,
            "\n\n<details>\n<summary>The last lines that it printed</summary>\n\n{}\n\n</details>",
            fenced(stub.canary_output)
        );
    }
    out
}
