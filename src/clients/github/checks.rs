//! The checks of a commit: check runs, which Apps make, and commit statuses, which anybody with a
//! token may set.

use super::{error::GithubError, json, reader::Reader};
use crate::domain::{CommitId, RepoName, Timestamp};
use http::HeaderMap;
use serde::Deserialize;

/// More pages of a list than these are not read: 100 stand on each.
const MAX_PAGES: usize = 10;

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
pub(super) struct WireId {
    pub(super) id: u64,
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
    /// Fetches the check runs of a commit, the newest of each name in each check suite; only those of
    /// one `name` if it is given.
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
        let runs = self.transport.list(url, MAX_PAGES, "commit", parse_runs).await?;
        Ok(newest(runs.whole("check runs")?))
    }

    /// Fetches the check suites of a commit.
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
        let suites = self.transport.list(url, MAX_PAGES, "commit", parse_suites).await?;
        suites.whole("check suites")
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
        let statuses = self.transport.list(url, MAX_PAGES, "commit", parse_statuses).await?;
        statuses.whole("statuses")
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
}

/// The newest of each name in each check suite, by their ids. All workflows of a repository are one
/// App's, and each has a suite of its own: what one of them says is nothing of another's.
fn newest(mut runs: Vec<CheckRun>) -> Vec<CheckRun> {
    runs.sort_by_key(|run| run.id);
    let same = |run: &CheckRun, other: &CheckRun| {
        run.name == other.name && run.app == other.app && run.suite == other.suite
    };
    let later = |at: usize, run: &CheckRun| runs[at + 1..].iter().any(|other| same(run, other));
    let kept: Vec<bool> = runs.iter().enumerate().map(|(at, run)| !later(at, run)).collect();
    let mut kept = kept.into_iter();
    runs.retain(|_| kept.next().unwrap_or(false));
    runs
}

fn parse_runs(body: &[u8]) -> Result<Vec<CheckRun>, GithubError> {
    let runs: Runs = json::object(body, "list of check runs")?;
    Ok(runs.check_runs.into_iter().map(read).collect())
}

fn parse_suites(body: &[u8]) -> Result<Vec<CheckSuite>, GithubError> {
    let suites: Suites = json::object(body, "list of check suites")?;
    let read = suites.check_suites.into_iter();
    Ok(read.map(|wire| CheckSuite { id: wire.id, status: wire.status }).collect())
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
    use serde_json::{Value, json};

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
    fn a_run_of_one_suite_says_nothing_of_another() {
        let of = |id: u64, suite: u64| {
            let mut run = run(id, "test", 15_368);
            run["check_suite"] = json!({ "id": suite });
            run
        };
        let page = json!({ "check_runs": [of(5, 1), of(9, 2), of(7, 2), of(2, 1)] });
        let read = newest(parse_runs(page.to_string().as_bytes()).unwrap());
        let ids: Vec<u64> = read.iter().map(|run| run.id).collect();
        assert_eq!(ids, [5, 9]);
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
