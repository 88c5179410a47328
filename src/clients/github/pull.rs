//! Pull requests, as far as the bot looks at them.

use super::{error::GithubError, json};
use crate::domain::{
    BranchName, CommitId, Invalid, PullFacts, PullNumber, PullState, RepoName, Timestamp,
};
use crate::render::parse_marker;
use serde::Deserialize;

/// A pull request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pull {
    /// Its number.
    pub number: PullNumber,
    /// What GraphQL calls it; empty if that is not told.
    pub node_id: String,
    /// The head branch, without the repository that it is in.
    pub branch: BranchName,
    /// `owner/name` of the repository that the head branch is in; `None` if that is deleted.
    pub head_repo: Option<String>,
    /// The commit at the head.
    pub head: CommitId,
    /// The branch to merge into.
    pub base: BranchName,
    /// Open, merged, or closed.
    pub state: PullState,
    /// Whether it is a draft.
    pub draft: bool,
    /// The title. Foreign text, once a person edited it.
    pub title: String,
    /// The body in Markdown, empty if there is none. Foreign text, once a person edited it.
    pub body: String,
    /// The page that people read.
    pub url: String,
    /// The login of who opened it; `None` if the account is deleted.
    pub author: Option<String>,
    /// The labels' names.
    pub labels: Vec<String>,
    /// When anything about it was last changed, comments included; `None` if that is not told.
    pub updated_at: Option<Timestamp>,
}

impl Pull {
    /// Whether its head is `branch` of `repo` itself: a fork may use the same branch name.
    #[must_use]
    pub fn is_from(&self, repo: &RepoName, branch: &BranchName) -> bool {
        let same_repo = |head: &String| head.eq_ignore_ascii_case(repo.as_str());
        self.branch == *branch && self.head_repo.as_ref().is_some_and(same_repo)
    }

    /// What the bot remembers of it.
    #[must_use]
    pub fn into_facts(self) -> PullFacts {
        PullFacts {
            number: self.number,
            marker: parse_marker(&self.body),
            branch: self.branch,
            head: self.head,
            state: self.state,
            draft: self.draft,
            title: self.title,
            url: self.url,
            updated_at: self.updated_at,
        }
    }
}

#[derive(Deserialize)]
struct Wire {
    number: u64,
    #[serde(default)]
    node_id: String,
    head: WireEnd,
    base: WireEnd,
    state: String,
    merged_at: Option<String>,
    #[serde(default)]
    draft: bool,
    title: String,
    body: Option<String>,
    html_url: String,
    user: Option<WireUser>,
    labels: Vec<WireLabel>,
    updated_at: Option<String>,
}

/// The head or the base.
#[derive(Deserialize)]
struct WireEnd {
    #[serde(rename = "ref")]
    branch: String,
    sha: String,
    repo: Option<WireRepo>,
}

#[derive(Deserialize)]
struct WireRepo {
    full_name: String,
}

#[derive(Deserialize)]
struct WireUser {
    login: String,
}

#[derive(Deserialize)]
struct WireLabel {
    name: String,
}

/// Reads a page of the list of pull requests, in the order of the page.
///
/// One whose branches have names that [`BranchName`] does not allow is left out: the bot makes no
/// such branch, so it cannot be one of its own.
pub(super) fn parse_list(body: &[u8]) -> Result<Vec<Pull>, GithubError> {
    json::list::<Wire>(body, "pull request")?
        .into_iter()
        .filter(|wire| {
            wire.head.branch.parse::<BranchName>().is_ok()
                && wire.base.branch.parse::<BranchName>().is_ok()
        })
        .map(read)
        .collect()
}

/// Reads a single pull request.
pub(super) fn parse_one(body: &[u8]) -> Result<Pull, GithubError> {
    read(json::object::<Wire>(body, "pull request")?)
}

fn read(wire: Wire) -> Result<Pull, GithubError> {
    let number = PullNumber(wire.number);
    let bad = |error: Invalid| GithubError::Malformed {
        what: format!("pull request {number}"),
        source: Some(error.into()),
    };
    let state = match (wire.state.as_str(), &wire.merged_at) {
        (_, Some(_)) => PullState::Merged,
        ("open", None) => PullState::Open,
        ("closed", None) => PullState::Closed,
        (other, None) => return Err(bad(Invalid::new("a pull request's state", other))),
    };
    Ok(Pull {
        number,
        node_id: wire.node_id,
        branch: wire.head.branch.parse().map_err(bad)?,
        head_repo: wire.head.repo.map(|repo| repo.full_name),
        head: wire.head.sha.parse().map_err(bad)?,
        base: wire.base.branch.parse().map_err(bad)?,
        state,
        draft: wire.draft,
        title: wire.title,
        body: wire.body.unwrap_or_default(),
        url: wire.html_url,
        author: wire.user.map(|user| user.login),
        labels: wire.labels.into_iter().map(|label| label.name).collect(),
        updated_at: wire.updated_at.and_then(|at| at.parse().ok()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    fn wire(change: impl Fn(&mut Value)) -> Value {
        let mut pull = json!({
            "number": 7, "node_id": "PR_7",
            "head": {"ref": "digest-bump/connector", "sha": "a".repeat(40), "repo": {"full_name": "O/r"}},
            "base": {"ref": "main", "sha": "b".repeat(40), "repo": {"full_name": "o/r"}},
            "state": "open", "merged_at": null, "draft": true, "title": "t", "body": null,
            "html_url": "https://github.com/o/r/pull/7", "user": {"login": "bot"},
            "labels": [{"name": "dependencies"}],
        });
        change(&mut pull);
        pull
    }

    fn read_one(change: impl Fn(&mut Value)) -> Result<Pull, String> {
        parse_one(wire(change).to_string().as_bytes()).map_err(|error| error.to_string())
    }

    #[test]
    fn a_pull_request_is_read() {
        let pull = read_one(|_| {}).unwrap();
        assert_eq!(pull.number, PullNumber(7));
        assert_eq!((pull.state, pull.draft), (PullState::Open, true));
        assert_eq!((pull.body.as_str(), pull.author.as_deref()), ("", Some("bot")));
        assert_eq!(pull.labels, ["dependencies"]);
    }

    #[test]
    fn merged_is_not_declined() {
        let state = |state: &str, merged: Value| {
            read_one(|pull| {
                pull["state"] = state.into();
                pull["merged_at"] = merged.clone();
            })
            .map(|pull| pull.state)
        };
        assert_eq!(state("closed", Value::Null), Ok(PullState::Closed));
        assert_eq!(state("closed", "2026-01-01T00:00:00Z".into()), Ok(PullState::Merged));
        assert!(state("odd", Value::Null).is_err());
    }

    #[test]
    fn a_fork_with_the_same_branch_name_is_another_thing() {
        let (repo, branch) = ("o/r".parse().unwrap(), "digest-bump/connector".parse().unwrap());
        assert!(read_one(|_| {}).unwrap().is_from(&repo, &branch));
        let fork = read_one(|pull| pull["head"]["repo"]["full_name"] = "x/r".into()).unwrap();
        assert!(!fork.is_from(&repo, &branch));
        let gone = read_one(|pull| pull["head"]["repo"] = Value::Null).unwrap();
        assert!(!gone.is_from(&repo, &branch));
    }

    #[test]
    fn a_foreign_branch_is_left_out_of_a_list_and_a_wrong_id_is_not() {
        let odd = wire(|pull| pull["head"]["ref"] = "fix #1 ü".into());
        let page = json!([odd, wire(|_| {})]).to_string();
        assert_eq!(parse_list(page.as_bytes()).unwrap().len(), 1);
        let wrong = json!([wire(|pull| pull["head"]["sha"] = "12".into())]).to_string();
        let error = parse_list(wrong.as_bytes()).unwrap_err().to_string();
        assert_eq!(error, "github's answer is malformed: pull request #7");
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(body: Vec<u8>) {
            let _ = parse_list(&body);
            let _ = parse_one(&body);
        }
    }
}
