//! The bot's own check of a commit: a check run, or a commit status where the token is no App's.

use super::perform::{Outcome, Performer};
use crate::clients::github::{CheckRun, GithubError, conclusion, run_status, short, status};
use crate::domain::{CommitId, OwnCheck, OwnReport};
use anyhow::{Context as _, Result};

/// What the outcome calls a check run, before its id.
const CHECK_RUN: &str = "check run ";

impl Performer {
    /// Looks whether the bot's own check of `commit` says this already. `known` is what the check was
    /// called when it was last set.
    pub(super) async fn probe_check(
        &self,
        commit: &CommitId,
        report: &OwnReport,
        known: Option<&str>,
    ) -> Result<Option<Outcome>> {
        let OwnReport { name, state, title, .. } = report;
        let run = self.own_check(commit, name, known).await?;
        let said = |run: &CheckRun| {
            let there = run.status == run_status(*state)
                && run.conclusion.as_deref() == conclusion(*state)
                && run.title == *title;
            there || is_past(run, report)
        };
        if let Some(run) = run.filter(said) {
            return Ok(Some(check_run(run.id)));
        }
        let statuses = match self.reader.fetch_statuses(&self.repository, commit).await {
            // Who may not look has set none.
            Err(GithubError::Denied { .. }) => Vec::new(),
            statuses => statuses?,
        };
        let there = statuses.iter().any(|it| {
            it.context == *name && it.state == status(*state) && it.description == short(title)
        });
        Ok(there.then(|| named("commit status".to_owned())))
    }

    /// Sets the bot's own check of `commit`. It is for people, and what keeps a draft from being
    /// merged is that it is one: a token that may set neither loses nothing but the sight of it.
    pub(super) async fn report_check(
        &self,
        commit: &CommitId,
        report: &OwnReport,
        known: Option<&str>,
    ) -> Result<Outcome> {
        let (repo, what) = (&self.repository, "the bot's own check");
        let own = self.own_check(commit, &report.name, known).await.context(what)?;
        if let Some(run) = own.as_ref().filter(|run| is_past(run, report)) {
            return Ok(check_run(run.id));
        }
        // GitHub lets no check run leave its conclusion: what says something else is another check
        // run, and of one name the newest counts.
        let same = |run: &CheckRun| {
            run.conclusion.is_none() || run.conclusion.as_deref() == conclusion(report.state)
        };
        let own = own.filter(same).map(|run| run.id);
        match self.writer.report_check(repo, own, commit, report).await {
            Ok(id) => return Ok(check_run(id)),
            Err(GithubError::Denied { .. }) => {}
            Err(error) => return Err(error).context(what),
        }
        match self.writer.set_status(repo, commit, report).await {
            Ok(()) => Ok(named("commit status".to_owned())),
            Err(GithubError::Denied { message, .. }) => {
                tracing::warn!(%message, "the token may set no check and no status");
                Ok(named("not allowed".to_owned()))
            }
            Err(error) => Err(error).context(what),
        }
    }

    /// Whether this would make the first check run of its name. Who is no App sets a status, of which
    /// the last one counts.
    pub(super) async fn is_first_check(
        &self,
        commit: &CommitId,
        report: &OwnReport,
    ) -> Result<bool> {
        if !self.reader.is_app() {
            return Ok(false);
        }
        Ok(self.own_check(commit, &report.name, None).await?.is_none())
    }

    /// The bot's own check run of a commit that is called `name`, the newest. The list may not show
    /// yet what was written a moment ago; the one that is known is asked for by its id.
    async fn own_check(
        &self,
        commit: &CommitId,
        name: &str,
        known: Option<&str>,
    ) -> Result<Option<CheckRun>, GithubError> {
        let repo = &self.repository;
        if let Some(id) = known.and_then(id_of) {
            match self.reader.fetch_check_run(repo, id).await {
                Ok(run) if run.name == name && self.reader.is_own(&run, commit) => {
                    return Ok(Some(run));
                }
                Ok(_) | Err(GithubError::NotFound { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        self.reader.fetch_own_check(repo, commit, name).await
    }
}

/// The id of the check run that an outcome told of, if it told of one.
fn id_of(outcome: &str) -> Option<u64> {
    outcome.strip_prefix(CHECK_RUN)?.parse().ok()
}

/// What the newest of the check runs is called that these outcomes tell of.
#[must_use]
pub fn newest_check_run<'a>(outcomes: impl Iterator<Item = &'a str>) -> Option<String> {
    outcomes.filter_map(id_of).max().map(|id| check_run(id).remote_id)
}

fn check_run(id: u64) -> Outcome {
    named(format!("{CHECK_RUN}{id}"))
}

/// Whether a check run is further than a report that comes late: under way where it would be put back
/// into the queue, or concluded by what the report says the beginning of.
fn is_past(run: &CheckRun, report: &OwnReport) -> bool {
    match report.state {
        OwnCheck::Queued => run.status == "in_progress",
        OwnCheck::Running => {
            let began = report.started_at.zip(run.started_at);
            run.conclusion.is_some() && began.is_some_and(|(told, known)| told <= known)
        }
        OwnCheck::Success | OwnCheck::Failure | OwnCheck::Neutral => false,
    }
}

fn named(remote_id: String) -> Outcome {
    Outcome { remote_id, pull: None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Timestamp;

    #[test]
    fn a_late_report_puts_no_check_run_back() {
        use OwnCheck::{Failure, Neutral, Queued, Running, Success};
        let at = |seconds: i64| Some(Timestamp::from_millis(seconds * 1_000));
        let run = |status: &str, conclusion: Option<&str>| CheckRun {
            id: 1,
            name: "canary".to_owned(),
            app: None,
            external_id: String::new(),
            status: status.to_owned(),
            conclusion: conclusion.map(str::to_owned),
            suite: None,
            title: String::new(),
            url: String::new(),
            started_at: at(10),
            took: 0,
        };
        let past = |run: &CheckRun, state, started_at| {
            let report = OwnReport::new("canary".to_owned(), state, String::new());
            is_past(run, &OwnReport { started_at, ..report })
        };
        let (queued, running) = (run("queued", None), run("in_progress", None));
        let over = run("completed", Some("success"));
        // What is under way is not queued; after a conclusion another run may be.
        let is = [&queued, &running, &over].map(|run| past(run, Queued, None));
        assert_eq!(is, [false, true, false]);
        // What has concluded is begun anew only by a later run.
        let is = [9, 10, 11].map(|seconds| past(&over, Running, at(seconds)));
        assert_eq!(is, [true, true, false]);
        assert!([&queued, &running].iter().all(|run| !past(run, Running, at(10))));
        for state in [Success, Failure, Neutral] {
            assert!([&queued, &running, &over].iter().all(|run| !past(run, state, at(10))));
        }
    }
}
