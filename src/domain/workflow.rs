//! A workflow of the downstream's that the bot dispatches and follows, and what was seen of its
//! run.

use super::{CheckSeen, ReportDemand, ReportFormat};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// The workflow that the bot dispatches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkflowRule {
    /// Its file below `.github/workflows`, such as `digest-bump-canary.yml`.
    pub file: String,
    /// The name of the artifact in which it hands back what it has to show.
    pub artifact: String,
    /// How long its run is waited for.
    pub time_limit: Duration,
    /// Whether it tests the very image.
    pub sees_digest: bool,
    /// The reports that have to be in the artifact.
    pub reports: Vec<WorkflowReport>,
    /// The files that it may change or add, in which `*` stands for one folder or file name; none
    /// where it prepares nothing.
    pub files: Vec<String>,
}

impl WorkflowRule {
    /// What people and findings call it.
    #[must_use]
    pub fn name(&self) -> String {
        format!("workflow {}", self.file)
    }

    /// Whether its run has to leave the artifact.
    #[must_use]
    pub fn hands_back(&self) -> bool {
        !self.reports.is_empty() || !self.files.is_empty()
    }
}

/// A report in the artifact of a workflow's run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkflowReport {
    /// What it is called in pull requests.
    pub name: String,
    /// How it is written.
    pub format: ReportFormat,
    /// Where it is in the artifact.
    pub path: String,
    /// What it has to show.
    pub demand: ReportDemand,
}

/// What was last seen of the run that a dispatch began.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkflowFacts {
    /// The marker that the dispatch gave it, by which it is told from every other run.
    pub marker: String,
    /// GitHub's id of the run, once it was found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<u64>,
    /// Where it is.
    pub seen: CheckSeen,
}

/// Whether `path` fits one of `patterns`, in which `*` stands for one folder or file name.
#[must_use]
pub fn fits_path(patterns: &[String], path: &str) -> bool {
    let fits = |pattern: &String| {
        let (mut pattern, mut path) = (pattern.split('/'), path.split('/'));
        loop {
            match (pattern.next(), path.next()) {
                (None, None) => return true,
                (Some(wanted), Some(name)) if wanted == "*" || wanted == name => {}
                _ => return false,
            }
        }
    };
    patterns.iter().any(fits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_is_one_name() {
        let patterns = ["pnpm-lock.yaml", "packages/*/package.json"].map(str::to_owned);
        let fits = |path| fits_path(&patterns, path);
        assert!(fits("pnpm-lock.yaml") && fits("packages/sdk/package.json"));
        for path in ["a/pnpm-lock.yaml", "packages/package.json", "packages/a/b/package.json", ""] {
            assert!(!fits(path), "{path}");
        }
    }
}
