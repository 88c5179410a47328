//! The bot's own check of a commit: a check run, or a commit status where the token is no App's.

use super::perform::{Outcome, Performer};
use crate::clients::github::{GithubError, conclusion, short, status};
use crate::domain::{CommitId, OWN_CHECK, OwnCheck, OwnReport};
use anyhow::{Context as _, Result};

impl Performer {
    /// Looks whether the bot's own check of `commit` says this already.
    pub(super) async fn probe_check(
        &self,
        commit: &CommitId,
        report: &OwnReport,
    ) -> Result<Option<Outcome>> {
        let OwnReport { state, title, .. } = report;
        let run = self.reader.fetch_own_check(&self.repository, commit).await?;
        let said = |run: &crate::clients::github::CheckRun| {
            run.conclusion.as_deref() == conclusion(*state) && run.title == *title
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
            it.context == OWN_CHECK && it.state == status(*state) && it.description == short(title)
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
        let own = self.reader.fetch_own_check(repo, commit).await.context(what)?;
        // What has concluded stays so: a run that begins again is another check run, and of one name
        // the newest counts.
        let begins = report.state == OwnCheck::Pending;
        let own = own.filter(|run| !begins || run.conclusion.is_none()).map(|run| run.id);
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

fn named(remote_id: String) -> Outcome {
    Outcome { remote_id, pull: None }
}
