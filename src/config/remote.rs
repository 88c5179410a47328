//! A canary that is not run on the bot's own host: from what is written to what is meant.

use super::{
    canary, confinement, duration,
    raw_canary::{self, Executor, Raw, RawNamedReport, RawPrepare},
    resolve::Problems,
};
use crate::domain::{FilePath, ImageName, NamedChecks, ReportDemand, WorkflowReport, WorkflowRule};
use std::{collections::BTreeSet, time::Duration};

/// How long the remote is waited for where nothing else is said.
const TIME_LIMIT: &str = "2h";
/// What an artifact is called where nothing else is said.
const ARTIFACT: &str = "digest-bump";

/// The checks that are the canary, and the workflow that is dispatched: as the canary, or, beside
/// checks, to prepare the draft.
pub(super) fn resolve(
    place: &str,
    raw: &Raw,
    image: Option<&ImageName>,
    problems: &mut Problems,
) -> (Option<NamedChecks>, Option<WorkflowRule>) {
    idle_keys(place, raw, problems);
    match raw.executor {
        Executor::Local => (None, None),
        Executor::Checks => {
            let checks = named(place, raw, image, problems);
            let prepare = raw.prepare.as_ref();
            let workflow = prepare.and_then(|prepare| {
                workflow(place, "prepare.workflow", prepare.workflow.as_ref(), raw, problems)
            });
            (checks, workflow)
        }
        Executor::GithubActions => {
            (None, workflow(place, "workflow", raw.workflow.as_ref(), raw, problems))
        }
    }
}

/// A key that does nothing with this executor is a mistake: somebody believes that it does.
fn idle_keys(place: &str, raw: &Raw, problems: &mut Problems) {
    let executor = raw.executor;
    let mut only = |given: bool, key: &str, executors: &[Executor]| {
        if given && !executors.contains(&executor) {
            let names: Vec<String> =
                executors.iter().map(|it| format!("`executor = \"{}\"`", it.name())).collect();
            problems.add(&format!("{place}.{key}"), format!("is only for {}", names.join(" and ")));
        }
    };
    let (local, checks, actions) = (Executor::Local, Executor::Checks, Executor::GithubActions);
    only(!raw.checks.is_empty(), "checks", &[checks]);
    only(raw.workflow.is_some(), "workflow", &[actions]);
    only(!raw.report.is_empty(), "report", &[actions]);
    only(raw.artifact.is_some(), "artifact", &[checks, actions]);
    only(raw.time_limit.is_some(), "time_limit", &[checks, actions]);
    only(raw.sees_digest, "sees_digest", &[checks, actions]);
    only(!raw.step.is_empty(), "step", &[local]);
    only(raw.sandbox != confinement::Raw::default(), "sandbox", &[local]);
    only(raw.attempts != 1, "attempts", &[local]);
    only(raw.required_passes != 1, "required_passes", &[local]);
    only(!raw.env.is_empty(), "env", &[local]);
    only(raw.pass_env != raw_canary::default_pass_env(), "pass_env", &[local]);
    only(raw.keep_logs != raw_canary::default_keep_logs(), "keep_logs", &[local]);
    // A failure of the base branch's own checks is compared with, whatever the harness is.
    only(!raw.harness.is_empty(), "harness", &[local, actions]);
    let Some(RawPrepare { command, workflow, env, network, time_limit, files: _ }) = &raw.prepare
    else {
        return;
    };
    only(workflow.is_some(), "prepare.workflow", &[checks]);
    only(!command.is_empty(), "prepare.command", &[local]);
    only(!env.is_empty(), "prepare.env", &[local]);
    only(!network.is_empty(), "prepare.network", &[local]);
    only(*time_limit != raw_canary::default_time_limit(), "prepare.time_limit", &[local]);
}

fn named(
    place: &str,
    raw: &Raw,
    image: Option<&ImageName>,
    problems: &mut Problems,
) -> Option<NamedChecks> {
    let at = format!("{place}.checks");
    if raw.checks.is_empty() {
        problems.add(&at, "names no check");
    }
    if raw.checks.iter().any(|name| name.trim().is_empty()) {
        problems.add(&at, "has an empty name");
    }
    // It would wait for itself.
    if let Some(own) = canary::check_name(raw, image).filter(|own| raw.checks.contains(own)) {
        let text = format!("names `{own}`, which is the bot's own: give that another `check_name`");
        problems.add(&at, text);
    }
    if raw.checks.iter().collect::<BTreeSet<_>>().len() < raw.checks.len() {
        problems.add(&at, "names a check twice");
    }
    let time_limit = time_limit(place, raw, problems)?;
    Some(NamedChecks { names: raw.checks.clone(), time_limit, sees_digest: raw.sees_digest })
}

fn workflow(
    place: &str,
    key: &str,
    file: Option<&String>,
    raw: &Raw,
    problems: &mut Problems,
) -> Option<WorkflowRule> {
    let at = format!("{place}.{key}");
    let Some(file) = file else {
        problems.add(&at, "is missing: the file of a workflow, such as `digest-bump-canary.yml`");
        return None;
    };
    let name = file.strip_suffix(".yml").or_else(|| file.strip_suffix(".yaml"));
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    if !name.is_some_and(|name| !name.is_empty() && name.chars().all(plain)) {
        problems.add(&at, "is not the name of a file below `.github/workflows`");
    }
    let reports = raw.report.iter().enumerate();
    // Not collected at once: every report's problems are wanted.
    let reports: Vec<Option<WorkflowReport>> = reports
        .map(|(index, raw)| report(&format!("{place}.report[{index}]"), raw, problems))
        .collect();
    let files = raw.prepare.as_ref().map(|prepare| prepare.files.clone());
    if files.as_ref().is_some_and(Vec::is_empty) {
        problems
            .add(&format!("{place}.prepare.files"), "names none, so there is nothing to prepare");
    }
    Some(WorkflowRule {
        file: file.clone(),
        artifact: raw.artifact.clone().unwrap_or_else(|| ARTIFACT.to_owned()),
        time_limit: time_limit(place, raw, problems)?,
        sees_digest: raw.sees_digest,
        reports: reports.into_iter().collect::<Option<_>>()?,
        files: files.unwrap_or_default(),
    })
}

fn report(place: &str, raw: &RawNamedReport, problems: &mut Problems) -> Option<WorkflowReport> {
    problems.parse::<FilePath>(&format!("{place}.path"), &raw.path)?;
    for file in &raw.files {
        problems.parse::<FilePath>(&format!("{place}.files"), file)?;
    }
    if raw.at_least == 0 {
        problems.add(&format!("{place}.at_least"), "is 0: then nothing has to have run");
    }
    let demand = ReportDemand { files: raw.files.clone(), at_least: raw.at_least };
    let (name, path) = (raw.name.clone(), raw.path.clone());
    Some(WorkflowReport { name, format: raw.format, path, demand })
}

fn time_limit(place: &str, raw: &Raw, problems: &mut Problems) -> Option<Duration> {
    let limit = duration::parse(raw.time_limit.as_deref().unwrap_or(TIME_LIMIT));
    problems.take(&format!("{place}.time_limit"), limit)
}
