//! The checks of a commit: check runs, which Apps make, and commit statuses, which anybody with a
//! token may set.

use super::{error::GithubError, headers, json, reader::Reader, writer::Writer};
use crate::domain::{CommitId, OwnCheck, OwnReport, RepoName, Timestamp};
use http::{HeaderMap, Method};
use serde::Deserialize;
use serde_json::{Value, json};

/// More pages of check runs than these are not read: 100 stand on each.
const MAX_PAGES: usize = 10;
/// What the external id of each check run of the bot's begins with, whatever the run is called.
const MARK: &str = "digest-bump";

/// A check run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckRun {
    /// Its id: a later run has a higher one.
    pub id: u64,
    /// Its name. Foreign text.
    pub name: String,
    /// The App that made it; `None` if that is not told.
    pub app: Option<u64>,
    /// What its maker calls it.
    pub external_id: String,
    /// `queued`, `in_progress`, `completed` and so on.
    pub status: String,
    /// `success`, `failure`, `skipped` and so on; `None` if it has not concluded.
    pub conclusion: Option<String>,
    /// The check suite that it belongs to, if that is told.
    pub suite: Option<u64>,
    /// Its own line; empty if it has none. Foreign text.
    pub title: String,
    /// The page that people read; empty if there is none. Foreign text.
    pub url: String,
    /// When it began, if that is told.
    pub started_at: Option<Timestamp>,
    /// How long it took, in milliseconds; 0 if that is not known.
    pub took: u64,
}

/// A check suite: what one App does at a commit. GitHub makes one for each App that may write checks,
/// whether anything comes of it or not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckSuite {
    /// Its id.
    pub id: u64,
    /// `queued`, `in_progress`, `completed` and so on; `None` if that is not told.
    pub status: Option<String>,
}

/// A commit status: the newest one of its context.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommitStatus {
    /// What it is called. Foreign text.
    pub context: String,
    /// `success`, `failure`, `error` or `pending`.
    pub state: String,
    /// Its own line; empty if it has none. Foreign text.
    pub description: String,
    /// The page that people read; empty if there is none. Foreign text.
    pub url: String,
}

#[derive(Deserialize)]
struct Runs {
    check_runs: Vec<WireRun>,
}

#[derive(Deserialize)]
struct WireRun {
    id: u64,
    name: String,
    external_id: Option<String>,
    html_url: Option<String>,
    status: String,
    conclusion: Option<String>,
    started_at: Option<String>,
    completed_at: Option<String>,
    output: Option<WireOutput>,
    app: Option<WireId>,
    check_suite: Option<WireId>,
}

#[derive(Deserialize)]
struct Suites {
    check_suites: Vec<WireSuite>,
}

#[derive(Deserialize)]
struct WireSuite {
    id: u64,
    status: Option<String>,
}

#[derive(Deserialize)]
struct WireOutput {
    title: Option<String>,
}

#[derive(Deserialize)]
struct WireId {
    id: u64,
}

#[derive(Deserialize)]
struct Combined {
    statuses: Vec<WireStatus>,
}

#[derive(Deserialize)]
struct WireStatus {
    context: String,
    state: String,
    description: Option<String>,
    target_url: Option<String>,
}

impl Reader {
    /// Fetches the check runs of a commit, the newest of each name and App; only those of one `name`
    /// if it is given.
    ///
    /// # Errors
    /// As [`GithubError`] says.
    pub async fn fetch_check_runs(
        &self,
        repo: &RepoName,
        commit: &CommitId,
        name: Option<&str>,
    ) -> Result<Vec<CheckRun>, GithubError> {
        let path = format!("/repos/{repo}/commits/{commit}/check-runs");
        let mut url = self.transport.url(&path)?;
        url.query_pairs_mut().append_pair("per_page", "100");
        if let Some(name) = name {
            url.query_pairs_mut().append_pair("check_name", name);
        }
        let mut runs = Vec::new();
        for _ in 0..MAX_PAGES {
            let answer = self.transport.get(&url, &HeaderMap::new(), "commit").await?;
            runs.extend(parse_runs(&answer.body)?);
            match headers::next_page(&answer, &url, self.transport.base())? {
                Some(next) => url = next,
                None => return Ok(newest(runs)),
            }
        }
        Err(GithubError::malformed("a list of check runs without an end"))
    }

    /// Fetches the check suites of a commit; of more than 100 the first ones.
    ///
    /// # Errors
    /// As [`GithubError`] says.
    pub async fn fetch_check_suites(
        &self,
        repo: &RepoName,
        commit: &CommitId,
    ) -> Result<Vec<CheckSuite>, GithubError> {
        let path = format!("/repos/{repo}/commits/{commit}/check-suites?per_page=100");
        let url = self.transport.url(&path)?;
        let answer = self.transport.get(&url, &HeaderMap::new(), "commit").await?;
        let suites: Suites = json::object(&answer.body, "list of check suites")?;
        let read = suites.check_suites.into_iter();
        Ok(read.map(|wire| CheckSuite { id: wire.id, status: wire.status }).collect())
    }

    /// Fetches the newest commit status of each context.
    ///
    /// # Errors
    /// As [`GithubError`] says.
    pub async fn fetch_statuses(
        &self,
        repo: &RepoName,
        commit: &CommitId,
    ) -> Result<Vec<CommitStatus>, GithubError> {
        let path = format!("/repos/{repo}/commits/{commit}/status?per_page=100");
        let url = self.transport.url(&path)?;
        let answer = self.transport.get(&url, &HeaderMap::new(), "commit").await?;
        parse_statuses(&answer.body)
    }

    /// Fetches one check run.
    ///
    /// # Errors
    /// As [`GithubError`] says.
    pub async fn fetch_check_run(&self, repo: &RepoName, id: u64) -> Result<CheckRun, GithubError> {
        let url = self.transport.url(&format!("/repos/{repo}/check-runs/{id}"))?;
        let answer = self.transport.get(&url, &HeaderMap::new(), "check run").await?;
        Ok(read(json::object(&answer.body, "check run")?))
    }

    /// Looks for the bot's own check run of a commit, which is called `name`: the newest.
    ///
    /// # Errors
    /// As [`GithubError`] says.
    pub async fn fetch_own_check(
        &self,
        repo: &RepoName,
        commit: &CommitId,
        name: &str,
    ) -> Result<Option<CheckRun>, GithubError> {
        let runs = self.fetch_check_runs(repo, commit, Some(name)).await?;
        Ok(runs.into_iter().rev().find(|run| self.is_own(run, commit)))
    }

    /// Whether the bot is a GitHub App.
    #[must_use]
    pub const fn is_app(&self) -> bool {
        self.app.is_some()
    }

    /// Whether a check run of this commit is the bot's own, whatever it is called. Another App may use
    /// the same name.
    #[must_use]
    pub fn is_own(&self, run: &CheckRun, commit: &CommitId) -> bool {
        run.external_id == external_id(commit) && (self.app.is_none() || run.app == self.app)
    }
}

impl Writer {
    /// Makes the bot's check run of a commit, or rewrites the one with the id `own`; gives its id.
    /// GitHub lets only Apps do so.
    ///
    /// # Errors
    /// As [`GithubError`] says; [`GithubError::Denied`] if the token is no App's.
    pub async fn report_check(
        &self,
        repo: &RepoName,
        own: Option<u64>,
        commit: &CommitId,
        report: &OwnReport,
    ) -> Result<u64, GithubError> {
        let OwnReport { name, state, title, page, summary, text: printed, .. } = report;
        let summary = if summary.is_empty() { title } else { summary };
        let mut text = json!({
            "name": name,
            "external_id": external_id(commit),
            // An empty text takes away that of an earlier run.
            "output": { "title": title, "summary": summary, "text": printed },
        });
        if let Some(page) = page {
            text["details_url"] = json!(page);
        }
        if let Some(at) = report.started_at {
            text["started_at"] = at.to_string().into();
        }
        match conclusion(*state) {
            None => text["status"] = run_status(*state).into(),
            Some(conclusion) => {
                text["conclusion"] = conclusion.into();
                if let Some(at) = report.completed_at {
                    text["completed_at"] = at.to_string().into();
                }
            }
        }
        let runs = format!("/repos/{repo}/check-runs");
        let answer = if let Some(id) = own {
            let path = format!("{runs}/{id}");
            self.transport.write(Method::PATCH, &path, &text, "check run").await?
        } else {
            text["head_sha"] = json!(commit);
            self.transport.write(Method::POST, &runs, &text, "repository").await?
        };
        Ok(json::object::<WireId>(&answer.body, "check run")?.id)
    }

    /// Sets the bot's commit status.
    ///
    /// # Errors
    /// As [`GithubError`] says.
    pub async fn set_status(
        &self,
        repo: &RepoName,
        commit: &CommitId,
        report: &OwnReport,
    ) -> Result<(), GithubError> {
        let path = format!("/repos/{repo}/statuses/{commit}");
        let OwnReport { name, state, title, page, .. } = report;
        let mut text =
            json!({ "state": status(*state), "context": name, "description": short(title) });
        if let Some(page) = page {
            text["target_url"] = json!(page);
        }
        let answer = self.transport.write(Method::POST, &path, &text, "commit").await?;
        json::object::<Value>(&answer.body, "commit status").map(drop)
    }
}

/// By what the bot knows its own check run again.
fn external_id(commit: &CommitId) -> String {
    format!("{MARK} {commit}")
}

/// The status of a check run that says this.
#[must_use]
pub const fn run_status(state: OwnCheck) -> &'static str {
    match state {
        OwnCheck::Queued => "queued",
        OwnCheck::Running => "in_progress",
        OwnCheck::Success | OwnCheck::Failure | OwnCheck::Neutral => "completed",
    }
}

/// The conclusion of a check run that says this; `None` until it has one.
#[must_use]
pub const fn conclusion(state: OwnCheck) -> Option<&'static str> {
    match state {
        OwnCheck::Queued | OwnCheck::Running => None,
        OwnCheck::Success => Some("success"),
        OwnCheck::Failure => Some("failure"),
        OwnCheck::Neutral => Some("neutral"),
    }
}

/// The state of a commit status that says this. It knows no word for having found nothing out.
#[must_use]
pub const fn status(state: OwnCheck) -> &'static str {
    match state {
        OwnCheck::Queued | OwnCheck::Running => "pending",
        OwnCheck::Success => "success",
        OwnCheck::Failure => "failure",
        OwnCheck::Neutral => "error",
    }
}

/// GitHub takes 140 characters.
#[must_use]
pub fn short(title: &str) -> String {
    title.chars().take(140).collect()
}

/// The newest of each name and App, by their ids.
fn newest(mut runs: Vec<CheckRun>) -> Vec<CheckRun> {
    runs.sort_by_key(|run| run.id);
    let later = |at: usize, run: &CheckRun| {
        runs[at + 1..].iter().any(|other| other.name == run.name && other.app == run.app)
    };
    let kept: Vec<bool> = runs.iter().enumerate().map(|(at, run)| !later(at, run)).collect();
    let mut kept = kept.into_iter();
    runs.retain(|_| kept.next().unwrap_or(false));
    runs
}

fn parse_runs(body: &[u8]) -> Result<Vec<CheckRun>, GithubError> {
    let runs: Runs = json::object(body, "list of check runs")?;
    Ok(runs.check_runs.into_iter().map(read).collect())
}

fn read(wire: WireRun) -> CheckRun {
    let time = |text: Option<String>| text?.parse::<Timestamp>().ok();
    let started_at = time(wire.started_at);
    let took = started_at.zip(time(wire.completed_at));
    let took = took.map_or(0, |(from, to)| to.since(from).as_millis());
    CheckRun {
        id: wire.id,
        name: wire.name,
        app: wire.app.map(|app| app.id),
        external_id: wire.external_id.unwrap_or_default(),
        suite: wire.check_suite.map(|suite| suite.id),
        // One that was asked for again keeps its conclusion until it is completed once more.
        conclusion: wire.conclusion.filter(|_| wire.status == "completed"),
        status: wire.status,
        title: wire.output.and_then(|output| output.title).unwrap_or_default(),
        url: wire.html_url.unwrap_or_default(),
        started_at,
        took: u64::try_from(took).unwrap_or_default(),
    }
}

fn parse_statuses(body: &[u8]) -> Result<Vec<CommitStatus>, GithubError> {
    let combined: Combined = json::object(body, "combined status")?;
    let read = combined.statuses.into_iter().map(|wire| CommitStatus {
        context: wire.context,
        state: wire.state,
        description: wire.description.unwrap_or_default(),
        url: wire.target_url.unwrap_or_default(),
    });
    Ok(read.collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn run(id: u64, name: &str, app: u64) -> Value {
        json!({
            "id": id, "name": name, "external_id": null, "html_url": "https://example.com/1",
            "status": "completed", "conclusion": "success",
            "started_at": "2026-06-12T08:00:00Z", "completed_at": "2026-06-12T08:00:02Z",
            "output": { "title": null }, "app": { "id": app },
        })
    }

    #[test]
    fn the_newest_of_each_name_and_app_counts() {
        let page = json!({ "total_count": 4, "check_runs": [
            run(9, "a", 1), run(3, "a", 1), run(4, "a", 2), run(5, "b", 1),
        ]});
        let read = newest(parse_runs(page.to_string().as_bytes()).unwrap());
        let ids: Vec<u64> = read.iter().map(|run| run.id).collect();
        assert_eq!(ids, [4, 5, 9]);
        assert_eq!((read[0].took, read[0].conclusion.as_deref()), (2_000, Some("success")));
    }

    #[test]
    fn a_conclusion_counts_only_once_it_is_completed() {
        let mut again = run(1, "a", 1);
        again["status"] = "queued".into();
        let page = json!({ "check_runs": [again] });
        assert_eq!(parse_runs(page.to_string().as_bytes()).unwrap()[0].conclusion, None);
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(body: Vec<u8>) {
            let _ = parse_runs(&body);
            let _ = parse_statuses(&body);
        }
    }
}
