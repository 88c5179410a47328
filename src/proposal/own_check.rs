//! The bot's own check of a commit: a check run, or a commit status where the token is no App's.

use super::perform::{Outcome, Performer};
use crate::clients::github::{CheckRun, GithubError, conclusion, run_status, short, status};
use crate::domain::{CommitId, OwnCheck, OwnReport};
use anyhow::{Context as _, Result};

impl Performer {
    /// Looks whether the bot's own check of `commit` says this already.
    pub(super) async fn probe_check(
        &self,
        commit: &CommitId,
        report: &OwnReport,
    ) -> Result<Option<Outcome>> {
        let OwnReport { name, state, title, .. } = report;
        let run = self.reader.fetch_own_check(&self.repository, commit, name).await?;
        let said = |run: &CheckRun| {
            let there = run.status == run_status(*state)
                && run.conclusion.as_deref() == conclusion(*state)
                && run.title == *title;
            there || is_past(run, report)
        };
        if let Some(run) = run.filter(said) {
            return Ok(Some(named(format!("check run {}", run.id))));
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
    ) -> Result<Outcome> {
        let (repo, what) = (&self.repository, "the bot's own check");
        let own = self.reader.fetch_own_check(repo, commit, &report.name).await.context(what)?;
        if own.as_ref().is_some_and(|run| is_past(run, report)) {
            return Ok(named("check run".to_owned()));
        }
        // GitHub lets no check run leave its conclusion: what says something else is another check
        // run, and of one name the newest counts.
        let same = |run: &CheckRun| {
            run.conclusion.is_none() || run.conclusion.as_deref() == conclusion(report.state)
        };
        let own = own.filter(same).map(|run| run.id);
        match self.writer.report_check(repo, own, commit, report).await {
            Ok(()) => return Ok(named("check run".to_owned())),
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
