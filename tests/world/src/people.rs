//! What people do in the downstream, and what they see there.

use crate::World;
use crate::push::Move;
use crate::repository::Entry;
use crate::state::{Actor, Issue, Remark, State, StoredComment};
use chrono::TimeDelta;
use std::{collections::BTreeMap, path::Path};

/// The person who pushes, merges and closes in tests.
const MAINTAINER: &str = "maya";

/// A pull request of the downstream, as it is now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pull {
    /// Its number.
    pub number: u64,
    /// Its title.
    pub title: String,
    /// Its body in Markdown; empty if it has none.
    pub body: String,
    /// The branch that it comes from.
    pub head_branch: String,
    /// The commit at the head.
    pub head_sha: String,
    /// The branch that it goes to.
    pub base_branch: String,
    /// `open` or `closed`.
    pub state: String,
    /// Whether it was merged.
    pub merged: bool,
    /// Whether it is a draft.
    pub draft: bool,
    /// Its labels' names.
    pub labels: Vec<String>,
    /// Who opened it.
    pub author: String,
}

/// A comment on an issue or pull request of the downstream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comment {
    /// Its id.
    pub id: u64,
    /// Who wrote it.
    pub author: String,
    /// Its text in Markdown.
    pub body: String,
    /// Whether it is shown small, as outdated.
    pub outdated: bool,
}

impl World {
    /// All pull requests of the downstream, open and closed, the oldest first.
    #[must_use]
    pub fn pulls(&self) -> Vec<Pull> {
        self.downstream(|state, name| {
            let issues = state.repos[name].issues.values();
            issues.filter_map(as_pull).collect()
        })
    }

    /// The open ones.
    #[must_use]
    pub fn open_pulls(&self) -> Vec<Pull> {
        let mut pulls = self.pulls();
        pulls.retain(|pull| pull.state == "open");
        pulls
    }

    /// What happened to the downstream's pull requests so far, in order: the number, and the action
    /// as a webhook names it. A merge is `closed`, too.
    #[must_use]
    pub fn pull_events(&self) -> Vec<(u64, String)> {
        self.inner.state().pull_events.clone()
    }

    /// Squash-merges a pull request into its base, as a person does.
    ///
    /// # Panics
    /// If it cannot be merged.
    pub fn merge(&self, number: u64) {
        let merged = self.downstream(|state, name| state.merge(name, number, MAINTAINER));
        assert!(merged.is_ok(), "#{number} cannot be merged: {}", merged.err().unwrap_or_default());
    }

    /// Closes an issue or pull request, as a person does.
    pub fn close(&self, number: u64) {
        // Only opening can be refused.
        let _ = self.downstream(|state, name| state.set_open(name, number, false, MAINTAINER));
    }

    /// Opens an issue or pull request again, as a person does.
    ///
    /// # Errors
    /// The status that GitHub answers: 422, for example when the branch is gone.
    pub fn reopen(&self, number: u64) -> Result<(), u16> {
        self.downstream(|state, name| state.set_open(name, number, true, MAINTAINER))
            .map_err(|_| 422)
    }

    /// Changes a pull request's draft state, as a person does.
    pub fn set_draft(&self, number: u64, draft: bool) {
        self.downstream(|state, name| state.set_draft(name, number, draft, MAINTAINER));
    }

    /// Rewrites a pull request's body, as a person does.
    pub fn edit_body(&self, number: u64, body: &str) {
        let wish = serde_json::json!({ "body": body });
        self.downstream(|state, name| state.retitle(name, number, &wish, MAINTAINER));
    }

    /// The branches of the downstream and the commits they are at.
    #[must_use]
    pub fn branches(&self) -> BTreeMap<String, String> {
        self.downstream(|state, name| {
            let refs = state.repos[name].git.refs("refs/heads/");
            refs.into_iter()
                .map(|(name, sha)| (name.trim_start_matches("refs/heads/").to_owned(), sha))
                .collect()
        })
    }

    /// A file's bytes at a branch or commit of the downstream.
    #[must_use]
    pub fn file(&self, revision: &str, path: &str) -> Option<Vec<u8>> {
        self.downstream(|state, name| state.repos[name].git.file(revision, path))
    }

    /// What `git diff` says between two branches or commits of the downstream.
    #[must_use]
    pub fn diff(&self, base: &str, head: &str) -> String {
        self.downstream(|state, name| {
            let git = &state.repos[name].git;
            let text = git.run_with(&["diff", base, head, "--"], &[], &[]);
            String::from_utf8_lossy(&text.unwrap_or_default()).into_owned()
        })
    }

    /// The downstream's bare repository on disk.
    #[must_use]
    pub fn bare_repo(&self) -> &Path {
        &self.inner.town_dir
    }

    /// Commits a file to a branch and pushes, as a person does. A branch that is not there begins
    /// at `main`. Gives the commit's id.
    ///
    /// # Panics
    /// If git does not take it.
    pub fn commit_to(&self, branch: &str, path: &str, content: &[u8], message: &str) -> String {
        let entry = Entry { mode: None, content: content.to_vec() };
        self.commit_entry(branch, path, entry, message)
    }

    /// The same with another file mode, such as `120000` for a symbolic link to the content.
    ///
    /// # Panics
    /// If git does not take it.
    pub fn commit_with_mode(
        &self,
        branch: &str,
        path: &str,
        mode: &str,
        content: &[u8],
        message: &str,
    ) -> String {
        let entry = Entry { mode: Some(mode.to_owned()), content: content.to_vec() };
        self.commit_entry(branch, path, entry, message)
    }

    fn commit_entry(&self, branch: &str, path: &str, entry: Entry, message: &str) -> String {
        self.downstream(|state, name| {
            let seconds = state.next_commit_time();
            let git = state.repos[name].git.clone();
            let full = format!("refs/heads/{branch}");
            let before = git.branch(branch);
            let from = before.clone().or_else(|| git.branch("main"));
            let files = BTreeMap::from([(path.to_owned(), entry)]);
            let sha = git.import(branch, from.as_deref(), &files, message, seconds);
            let moved = Move { name: full, before, after: Some(sha.clone()) };
            state.pushed(name, &[moved], MAINTAINER);
            sha
        })
    }

    /// Refuses to move any branch from now on, over git and through the API, with this reason, as a
    /// rule of the repository does; `None` takes pushes again.
    ///
    /// # Panics
    /// If the hook cannot be written.
    pub fn reject_pushes(&self, why: Option<&str>) {
        let why = why.map(|why| why.replace('\'', " "));
        let script = why.as_ref().map(|why| format!("#!/bin/sh\necho '{why}' >&2\nexit 1\n"));
        self.downstream(|state, name| {
            let written = state.repos[name].git.set_update_hook(script.as_deref());
            written.expect("the hook can be written");
            state.repo(name).frozen = why;
        });
    }

    /// Whether the bot's token may write workflow files, which GitHub asks a permission of its own
    /// for. What comes over git and what moves a branch through the API are judged.
    ///
    /// # Panics
    /// If the hook cannot be written.
    pub fn allow_workflows(&self, allowed: bool) {
        let script = "#!/bin/sh\n\
            [ \"$3\" = 0000000000000000000000000000000000000000 ] && exit 0\n\
            file=$(git diff --name-only main...\"$3\" -- .github/workflows | head -n 1)\n\
            [ -z \"$file\" ] && exit 0\n\
            echo \"refusing to allow a Personal Access Token to create or update workflow\" \
            \"\\`$file\\` without \\`workflow\\` scope\" >&2\nexit 1\n";
        self.downstream(|state, name| {
            let script = (!allowed).then_some(script);
            if script.is_some() || !state.repos[name].workflows {
                let written = state.repos[name].git.set_update_hook(script);
                written.expect("the hook can be written");
            }
            state.repo(name).workflows = allowed;
        });
    }

    /// Whether the downstream has drafts: a private repository on a free plan has none.
    pub fn allow_drafts(&self, allowed: bool) {
        self.downstream(|state, name| state.repo(name).drafts = allowed);
    }

    /// Whether GitHub shows the commit as verified.
    #[must_use]
    pub fn is_verified(&self, commit: &str) -> bool {
        self.downstream(|state, name| state.repos[name].git.is_signed(commit))
    }

    /// Deletes a branch, as a person does; its pull requests are closed.
    pub fn delete_branch(&self, branch: &str) {
        self.downstream(|state, name| {
            let git = state.repos[name].git.clone();
            let full = format!("refs/heads/{branch}");
            // A branch that is not there is deleted already.
            let Some(before) = git.branch(branch) else {
                return;
            };
            if git.set_ref(&full, None).is_err() {
                return;
            }
            let moved = Move { name: full, before: Some(before), after: None };
            state.pushed(name, &[moved], MAINTAINER);
        });
    }

    /// Moves a branch to a commit with force, as a person does.
    ///
    /// # Panics
    /// If git does not know the commit.
    pub fn reset_branch(&self, branch: &str, commit: &str) {
        self.downstream(|state, name| {
            let git = state.repos[name].git.clone();
            let full = format!("refs/heads/{branch}");
            let before = git.branch(branch);
            git.set_ref(&full, Some(commit)).expect("the commit is there");
            let moved = Move { name: full, before, after: Some(commit.to_owned()) };
            state.pushed(name, &[moved], MAINTAINER);
        });
    }

    /// The comments on an issue or pull request, the oldest first.
    #[must_use]
    pub fn comments(&self, number: u64) -> Vec<Comment> {
        self.downstream(|state, name| {
            let comments = state.repos[name].comments.values();
            let plain = |comment: &&StoredComment| comment.remark.is_none();
            comments
                .filter(plain)
                .filter(|comment| comment.issue == number)
                .map(as_comment)
                .collect()
        })
    }

    /// Writes a comment as somebody, and gives its id.
    pub fn comment_as(&self, login: &str, number: u64, body: &str) -> u64 {
        self.downstream(|state, name| state.comment(name, number, login, body))
    }

    /// Writes a comment within the diff of a pull request as somebody, at its head as it is now, and
    /// gives its id.
    ///
    /// # Panics
    /// If there is no such pull request.
    pub fn remark_as(&self, login: &str, number: u64, path: &str, body: &str) -> u64 {
        self.remark_pending(login, number, path, body, Remark::AT_ONCE)
    }

    /// The same as part of a review that is submitted now, and was begun so many minutes ago.
    ///
    /// # Panics
    /// If there is no such pull request.
    pub fn review_as(
        &self,
        login: &str,
        number: u64,
        path: &str,
        body: &str,
        minutes_ago: i64,
    ) -> u64 {
        self.remark_pending(login, number, path, body, TimeDelta::minutes(minutes_ago))
    }

    fn remark_pending(
        &self,
        login: &str,
        number: u64,
        path: &str,
        body: &str,
        pending: TimeDelta,
    ) -> u64 {
        self.downstream(|state, name| {
            let pull = state.repos[name].issues[&number].pull.as_ref().expect("a pull request");
            let (path, commit) = (path.to_owned(), pull.head_sha.clone());
            let remark = Remark { path, commit, reply_to: None, pending };
            state.remark(name, number, login, body, remark)
        })
    }

    /// Replies as somebody in the thread that a comment within a diff began; gives the reply's id.
    ///
    /// # Panics
    /// If there is no such comment.
    pub fn reply_as(&self, login: &str, to: u64, body: &str) -> u64 {
        self.downstream(|state, name| {
            let first = &state.repos[name].comments[&to];
            let (number, remark) = (first.issue, first.remark.clone().expect("within a diff"));
            let remark = Remark { reply_to: Some(to), pending: Remark::AT_ONCE, ..remark };
            state.remark(name, number, login, body, remark)
        })
    }

    /// Gives a comment another text, wherever it stands. No webhook tells of it.
    pub fn edit_comment(&self, id: u64, body: &str) {
        self.downstream(|state, name| {
            let now = state.now();
            let repo = state.repo(name);
            repo.before_change();
            if let Some(comment) = repo.comments.get_mut(&id) {
                comment.edit(body, now);
            }
        });
    }

    /// Deletes a comment, wherever it stands. No webhook tells of it.
    pub fn delete_comment(&self, id: u64) {
        self.downstream(|state, name| {
            let repo = state.repo(name);
            repo.before_change();
            repo.comments.remove(&id);
        });
    }

    /// The replies in the thread of a comment within a diff, the oldest first.
    #[must_use]
    pub fn replies(&self, to: u64) -> Vec<Comment> {
        self.downstream(|state, name| {
            let comments = state.repos[name].comments.values();
            let of_thread = |comment: &&StoredComment| {
                comment.remark.as_ref().is_some_and(|remark| remark.reply_to == Some(to))
            };
            comments.filter(of_thread).map(as_comment).collect()
        })
    }

    /// Puts somebody into a team, such as `org/release-team`.
    pub fn join_team(&self, team: &str, login: &str) {
        let teams = &mut self.inner.state().teams;
        teams.entry(team.to_owned()).or_default().insert(login.to_owned());
    }

    /// The reactions to a comment: who, and which.
    #[must_use]
    pub fn reactions(&self, comment: u64) -> Vec<(String, String)> {
        self.downstream(|state, name| {
            let reactions = state.repos[name].reactions.iter();
            reactions
                .filter(|reaction| reaction.comment == Some(comment))
                .map(|reaction| (reaction.author.clone(), reaction.content.clone()))
                .collect()
        })
    }

    /// Opens an issue as somebody, and gives its number.
    pub fn open_issue_as(&self, login: &str, title: &str, body: &str) -> u64 {
        self.downstream(|state, name| {
            let body = Some(body.to_owned());
            let number = state.open_issue(name, login, title.to_owned(), body, None);
            state.emit_issue(name, "opened", number, login, serde_json::json!({}));
            number
        })
    }

    /// What somebody may do in the downstream: `admin`, `write`, `read` or `none`.
    pub fn set_permission(&self, login: &str, permission: &str) {
        self.downstream(|state, name| {
            let permissions = &mut state.repo(name).permissions;
            permissions.insert(login.to_owned(), permission.to_owned());
        });
    }

    /// A token for a person, for tests that go through REST as somebody else.
    #[must_use]
    pub fn token_of(&self, login: &str) -> String {
        let token = format!("ghp_world{login}");
        let person = Actor::Person(login.to_owned());
        self.inner.state().tokens.insert(token.clone(), person);
        token
    }

    pub(crate) fn downstream<T>(&self, work: impl FnOnce(&mut State, &str) -> T) -> T {
        let mut state = self.later();
        let name = state.downstream.clone();
        let result = work(&mut state, &name);
        drop(state);
        self.inner.deliver();
        result
    }
}

fn as_comment(comment: &StoredComment) -> Comment {
    let (author, body) = (comment.author.clone(), comment.body.clone());
    let outdated = comment.minimized.as_deref() == Some("OUTDATED");
    Comment { id: comment.id, author, body, outdated }
}

fn as_pull(issue: &Issue) -> Option<Pull> {
    let pull = issue.pull.as_ref()?;
    Some(Pull {
        number: issue.number,
        title: issue.title.clone(),
        body: issue.body.clone().unwrap_or_default(),
        head_branch: pull.head.clone(),
        head_sha: pull.head_sha.clone(),
        base_branch: pull.base.clone(),
        state: issue.state().to_owned(),
        merged: pull.merged.is_some(),
        draft: pull.draft,
        labels: issue.labels.clone(),
        author: issue.author.clone(),
    })
}
