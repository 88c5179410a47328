//! The downstream's own checks of a commit → facts.

use super::{Gathered, Sources};
use crate::clients::github::{CheckRun, CommitStatus};
use crate::config::Watch;
use crate::domain::{CheckSeen, CheckState, ChecksFacts, CommitId, Fact, NamedChecks};
use anyhow::{Context as _, Result};
use futures_util::future::try_join_all;

pub(super) async fn observe(
    sources: &Sources,
    watch: &Watch,
    commits: &[CommitId],
) -> Result<Gathered> {
    let Some(rule) = &watch.rules.checks else { return Ok(Gathered::default()) };
    let repo = &watch.downstream.repository;
    let read = commits.iter().map(|commit| async move {
        let runs = sources.github.fetch_check_runs(repo, commit, None);
        let statuses = sources.github.fetch_statuses(repo, commit);
        let (runs, statuses) = tokio::join!(runs, statuses);
        let what = || format!("the checks of {} in {repo}", commit.short());
        let (runs, statuses) = (runs.with_context(what)?, statuses.with_context(what)?);
        anyhow::Ok(Fact::Checks(seen(commit, rule, &runs, &statuses)))
    });
    Ok(Gathered { facts: try_join_all(read).await?, ..Gathered::default() })
}

/// The named checks among what a commit has.
fn seen(
    commit: &CommitId,
    rule: &NamedChecks,
    runs: &[CheckRun],
    statuses: &[CommitStatus],
) -> ChecksFacts {
    let of_name = |name: &String| {
        let named = runs.iter().filter(|run| run.name == *name && !is_passed_over(run, runs));
        let runs = named.map(of_run);
        let statuses = statuses.iter().filter(|status| status.context == *name).map(of_status);
        let telling = runs.chain(statuses).max_by_key(|check| check.state.weight());
        telling.unwrap_or_else(|| missing(name))
    };
    ChecksFacts { commit: commit.clone(), checks: rule.names.iter().map(of_name).collect() }
}

/// Whether this run says nothing beside another one of the same App under the same name: it was
/// skipped where that one came to a conclusion, as a workflow is that a pull request does not concern;
/// or it was cancelled for a later one, as a second trigger on the same commit does.
fn is_passed_over(run: &CheckRun, runs: &[CheckRun]) -> bool {
    const NOTHING: [&str; 3] = ["skipped", "cancelled", "stale"];
    let conclusion = run.conclusion.as_deref();
    let mut others = runs.iter().filter(|other| other.name == run.name && other.app == run.app);
    match conclusion {
        Some("skipped") => {
            others.any(|other| other.conclusion.as_deref().is_some_and(|it| it != "skipped"))
        }
        Some("cancelled" | "stale") => others.any(|other| {
            let concluded = other.conclusion.as_deref().is_some_and(|it| !NOTHING.contains(&it));
            concluded && other.id > run.id
        }),
        _ => false,
    }
}

fn of_run(run: &CheckRun) -> CheckSeen {
    let state = match run.conclusion.as_deref() {
        None => CheckState::UnderWay,
        Some("success") => CheckState::Passed,
        Some("failure") => CheckState::Failed,
        Some(other) => CheckState::Other(other.to_owned()),
    };
    CheckSeen {
        name: run.name.clone(),
        state,
        title: run.title.clone(),
        url: run.url.clone(),
        took: run.took,
    }
}

fn of_status(status: &CommitStatus) -> CheckSeen {
    let state = match status.state.as_str() {
        "pending" => CheckState::UnderWay,
        "success" => CheckState::Passed,
        "failure" => CheckState::Failed,
        other => CheckState::Other(other.to_owned()),
    };
    CheckSeen {
        name: status.context.clone(),
        state,
        title: status.description.clone(),
        url: status.url.clone(),
        took: 0,
    }
}

fn missing(name: &str) -> CheckSeen {
    CheckSeen {
        name: name.to_owned(),
        state: CheckState::Missing,
        title: String::new(),
        url: String::new(),
        took: 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn run(name: &str, app: u64, conclusion: Option<&str>) -> CheckRun {
        CheckRun {
            id: app,
            name: name.to_owned(),
            app: Some(app),
            external_id: String::new(),
            status: if conclusion.is_some() { "completed" } else { "in_progress" }.to_owned(),
            suite: None,
            conclusion: conclusion.map(str::to_owned),
            title: String::new(),
            url: String::new(),
            started_at: None,
            took: 0,
        }
    }

    fn status(context: &str, state: &str) -> CommitStatus {
        let (context, state) = (context.to_owned(), state.to_owned());
        CommitStatus { context, state, description: String::new(), url: String::new() }
    }

    #[test]
    fn of_several_with_one_name_the_worst_counts() {
        let rule = NamedChecks {
            names: ["a", "b", "c", "d"].map(str::to_owned).to_vec(),
            time_limit: Duration::ZERO,
            sees_digest: false,
        };
        let runs = [
            run("a", 1, Some("success")),
            run("a", 2, Some("failure")),
            run("b", 1, Some("success")),
            run("b", 2, None),
            run("c", 1, Some("skipped")),
            run("else", 1, Some("failure")),
        ];
        let statuses = [status("c", "success"), status("b", "success")];
        let commit = "a".repeat(40).parse().unwrap();
        let found = seen(&commit, &rule, &runs, &statuses);
        let states: Vec<CheckState> = found.checks.into_iter().map(|it| it.state).collect();
        let skipped = CheckState::Other("skipped".to_owned());
        assert_eq!(
            states,
            [CheckState::Failed, CheckState::UnderWay, skipped, CheckState::Missing]
        );
    }

    #[test]
    fn of_several_workflows_the_worst_counts_and_what_was_skipped_says_nothing() {
        let rule = NamedChecks {
            names: vec!["test".to_owned()],
            time_limit: Duration::ZERO,
            sees_digest: false,
        };
        let commit = "a".repeat(40).parse().unwrap();
        let state = |conclusions: &[Option<&str>]| {
            let runs = conclusions.iter().zip(1..);
            let runs: Vec<CheckRun> = runs
                .map(|(conclusion, id)| CheckRun { id, ..run("test", 1, *conclusion) })
                .collect();
            seen(&commit, &rule, &runs, &[]).checks.remove(0).state
        };
        let skipped = || CheckState::Other("skipped".to_owned());
        assert_eq!(state(&[Some("failure"), Some("success")]), CheckState::Failed);
        assert_eq!(state(&[Some("skipped"), Some("success")]), CheckState::Passed);
        assert_eq!(state(&[Some("success"), Some("skipped")]), CheckState::Passed);
        assert_eq!(state(&[Some("skipped"), Some("skipped")]), skipped());
        // Their ids rise. What is cancelled makes room for a later one.
        let cancelled = || CheckState::Other("cancelled".to_owned());
        assert_eq!(state(&[Some("cancelled"), Some("success")]), CheckState::Passed);
        assert_eq!(state(&[Some("cancelled"), Some("failure")]), CheckState::Failed);
        assert_eq!(state(&[Some("cancelled"), None]), CheckState::UnderWay);
        assert_eq!(state(&[Some("success"), Some("cancelled")]), cancelled());
        assert_eq!(state(&[Some("cancelled"), Some("skipped")]), cancelled());
        assert_eq!(state(&[Some("skipped"), None]), CheckState::UnderWay);
    }
}
