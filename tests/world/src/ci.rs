//! The downstream's own CI, as far as anybody sees it from outside: the checks of its commits.

use crate::World;
use crate::github::{checks, suites::Suite};

impl World {
    /// A workflow of the downstream begins a check of this name at a commit.
    pub fn ci_begins(&self, sha: &str, name: &str) {
        self.downstream(|state, repo| checks::by_ci(state, repo, sha, name, None));
    }

    /// A workflow of the downstream concludes a check of this name at a commit, as GitHub spells
    /// it: `success`, `failure`, `skipped` and so on. One that has not begun begins first; one that
    /// has concluded already was run again.
    pub fn ci_concludes(&self, sha: &str, name: &str, conclusion: &str) {
        self.downstream(|state, repo| checks::by_ci(state, repo, sha, name, Some(conclusion)));
    }

    /// Another workflow of the downstream, whose check suite is its own, concludes a check of this name
    /// at a commit.
    pub fn other_ci_concludes(&self, sha: &str, name: &str, conclusion: &str) {
        self.downstream(|state, repo| checks::by_other_ci(state, repo, sha, name, conclusion));
    }

    /// A check suite is at a commit without a check run in it, in a status as GitHub spells it: `queued`
    /// is what each App has that may write checks, `in_progress` what has begun.
    pub fn ci_suite(&self, sha: &str, status: &str) {
        self.downstream(|state, repo| {
            let (id, sha, status) = (state.id(), sha.to_owned(), status.to_owned());
            state.repo(repo).suites.push(Suite { id, sha, status });
        });
    }

    /// Somebody sets a commit status, as other services do.
    pub fn sets_status(&self, sha: &str, context: &str, status: &str) {
        self.downstream(|state, repo| {
            let wish = serde_json::json!({ "context": context, "state": status });
            checks::by_somebody(state, repo, "maya", sha, &wish);
            state.repo(repo).written();
        });
    }

    /// The check runs of a commit, the oldest first: name, and conclusion or status.
    #[must_use]
    pub fn check_runs(&self, sha: &str) -> Vec<(String, String)> {
        self.downstream(|state, repo| {
            let runs = state.repos[repo].checks.values().filter(|run| run["head_sha"] == sha);
            let told = runs.map(|run| {
                let word = run["conclusion"].as_str().or(run["status"].as_str());
                let name = run["name"].as_str().unwrap_or_default();
                (name.to_owned(), word.unwrap_or_default().to_owned())
            });
            told.collect()
        })
    }

    /// The newest check run of this name, as GitHub shows it.
    #[must_use]
    pub fn check_run(&self, sha: &str, name: &str) -> Option<serde_json::Value> {
        self.downstream(|state, repo| {
            let mut runs = state.repos[repo].checks.values().rev();
            runs.find(|run| run["head_sha"] == sha && run["name"] == name).cloned()
        })
    }

    /// The newest commit status of this context, as GitHub shows it.
    #[must_use]
    pub fn status(&self, sha: &str, context: &str) -> Option<serde_json::Value> {
        self.downstream(|state, repo| {
            let mut all = state.repos[repo].statuses.iter().rev();
            let found = all.find(|(of, it)| of == sha && it["context"] == context);
            found.map(|(_, it)| it.clone())
        })
    }

    /// The commit statuses that were set, the oldest first: context and state.
    #[must_use]
    pub fn statuses(&self, sha: &str) -> Vec<(String, String)> {
        self.downstream(|state, repo| {
            let all = state.repos[repo].statuses.iter().filter(|(of, _)| of == sha);
            let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
            all.map(|(_, it)| (text(&it["context"]), text(&it["state"]))).collect()
        })
    }
}
