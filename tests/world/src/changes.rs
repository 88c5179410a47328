//! The rules by which the world changes: what a merge, a push or a closing brings about.

use crate::push::Move;
use crate::repository::{Repository, Signature};
use crate::state::{Label, Merged, PullPart, Remark, Repo, State, StoredComment};
use chrono::TimeDelta;
use serde_json::json;
use std::collections::BTreeMap;

impl State {
    /// A squash merge by a person.
    pub(crate) fn merge(&mut self, name: &str, number: u64, login: &str) -> Result<String, String> {
        let seconds = self.next_commit_time();
        let now = self.now();
        let repo = self.repos.get_mut(name).ok_or("no such repository")?;
        let issue = repo.issues.get(&number).ok_or("no such pull request")?;
        let pull = issue.pull.clone().ok_or("this is an issue")?;
        if !issue.open {
            return Err("it is closed".to_owned());
        }
        let base = repo.git.branch(&pull.base).ok_or("the base is gone")?;
        let head = repo.git.branch(&pull.head).ok_or("the branch is gone")?;
        let tree = repo.git.run(&["merge-tree", "--write-tree", &base, &head])?;
        let message = format!("{} (#{number})\n", issue.title);
        let author = Signature::maintainer(seconds);
        let merged = repo.git.write_commit(
            &tree,
            std::slice::from_ref(&base),
            &message,
            &author,
            &author,
        )?;
        repo.before_change();
        repo.git.set_ref(&format!("refs/heads/{}", pull.base), Some(&merged))?;
        if let Some(issue) = repo.issues.get_mut(&number) {
            issue.open = false;
            issue.touch(now);
            issue.closed_at = Some(now);
            issue.closed_by = Some(login.to_owned());
            if let Some(pull) = &mut issue.pull {
                pull.merged = Some(Merged { at: now, by: login.to_owned(), sha: merged.clone() });
            }
        }
        self.emit_issue(name, "closed", number, login, json!({}));
        let name_of_base = format!("refs/heads/{}", pull.base);
        let moved = Move { name: name_of_base, before: Some(base), after: Some(merged.clone()) };
        self.pushed(name, &[moved], login);
        Ok(merged)
    }

    /// Closes or opens an issue or pull request; `Err` is GitHub's sentence.
    pub(crate) fn set_open(
        &mut self,
        name: &str,
        number: u64,
        open: bool,
        login: &str,
    ) -> Result<(), String> {
        let now = self.now();
        let owner = name.split('/').next().unwrap_or_default().to_owned();
        let repo = self.repos.get_mut(name).ok_or("no such repository")?;
        let issue = repo.issues.get(&number).ok_or("no such issue")?;
        if issue.open == open {
            return Ok(());
        }
        if let (true, Some(pull)) = (open, issue.pull.as_ref()) {
            reopenable(repo, &owner, pull)?;
        }
        repo.before_change();
        let head = repo
            .issues
            .get(&number)
            .and_then(|issue| issue.pull.as_ref())
            .and_then(|pull| repo.git.branch(&pull.head));
        let Some(issue) = repo.issues.get_mut(&number) else {
            return Ok(());
        };
        issue.open = open;
        issue.touch(now);
        issue.closed_at = (!open).then_some(now);
        issue.closed_by = (!open).then(|| login.to_owned());
        if let (true, Some(pull), Some(head)) = (open, issue.pull.as_mut(), head) {
            pull.head_sha = head;
        }
        let action = if open { "reopened" } else { "closed" };
        self.emit_issue(name, action, number, login, json!({}));
        Ok(())
    }

    /// Makes a pull request a draft, or ready for review.
    pub(crate) fn set_draft(&mut self, name: &str, number: u64, draft: bool, login: &str) {
        let now = self.now();
        let repo = self.repo(name);
        repo.before_change();
        let Some(issue) = repo.issues.get_mut(&number) else {
            return;
        };
        let Some(pull) = issue.pull.as_mut().filter(|pull| pull.draft != draft) else {
            return;
        };
        pull.draft = draft;
        issue.touch(now);
        let action = if draft { "converted_to_draft" } else { "ready_for_review" };
        self.emit_issue(name, action, number, login, json!({}));
    }

    /// What a push does to the pull requests: a new head, or the end.
    pub(crate) fn after_push(&mut self, name: &str, login: &str) {
        let now = self.now();
        let Some(repo) = self.repos.get_mut(name) else {
            return;
        };
        let merged = |sha: &str| Merged { at: now, by: login.to_owned(), sha: sha.to_owned() };
        let heads = repo.git.refs("refs/heads/");
        let open = repo.issues.values().filter(|issue| issue.open);
        let changes: Vec<(u64, String, Change)> = open
            .filter_map(|issue| {
                let pull = issue.pull.as_ref()?;
                let change = change_of(&repo.git, &heads, pull)?;
                Some((issue.number, pull.head_sha.clone(), change))
            })
            .collect();
        if changes.is_empty() {
            return;
        }
        repo.before_change();
        for (number, _, change) in &changes {
            let Some(issue) = repo.issues.get_mut(number) else {
                continue;
            };
            issue.touch(now);
            if !matches!(change, Change::NewHead(_)) {
                issue.open = false;
                issue.closed_at = Some(now);
                issue.closed_by = Some(login.to_owned());
            }
            if let Some(pull) = &mut issue.pull {
                match change {
                    Change::NewHead(head) | Change::NothingAhead(head) => {
                        pull.head_sha.clone_from(head);
                    }
                    Change::TakenIn(base) => pull.merged = Some(merged(base)),
                    Change::Gone => {}
                }
            }
        }
        for (number, before, change) in changes {
            let (action, more) = match change {
                Change::NewHead(after) => {
                    ("synchronize", json!({ "before": before, "after": after }))
                }
                Change::NothingAhead(_) | Change::TakenIn(_) | Change::Gone => {
                    ("closed", json!({}))
                }
            };
            self.emit_issue(name, action, number, login, more);
        }
    }

    /// A comment by anybody.
    pub(crate) fn comment(&mut self, name: &str, number: u64, login: &str, body: &str) -> u64 {
        let id = self.store_comment(name, number, login, body, None);
        self.emit_comment(name, "created", id, login, json!({}));
        id
    }

    /// A comment within a diff by anybody.
    pub(crate) fn remark(
        &mut self,
        name: &str,
        number: u64,
        login: &str,
        body: &str,
        remark: Remark,
    ) -> u64 {
        let id = self.store_comment(name, number, login, body, Some(remark));
        self.emit_remark(name, "created", id, login, json!({}));
        id
    }

    fn store_comment(
        &mut self,
        name: &str,
        issue: u64,
        login: &str,
        body: &str,
        remark: Option<Remark>,
    ) -> u64 {
        let (id, now) = (self.id(), self.now());
        let repo = self.repo(name);
        repo.before_change();
        let (author, body) = (login.to_owned(), body.to_owned());
        let pending = remark.as_ref().map_or(TimeDelta::zero(), |remark| remark.pending);
        let (created_at, updated_at) = (now - pending, now);
        let comment = StoredComment {
            id,
            issue,
            author,
            body,
            created_at,
            updated_at,
            published_at: now,
            edited_at: None,
            remark,
            minimized: None,
        };
        repo.comments.insert(id, comment);
        if let Some(issue) = repo.issues.get_mut(&issue) {
            issue.touch(now);
        }
        id
    }

    /// Makes sure that the repository knows a label.
    pub(crate) fn ensure_label(&mut self, name: &str, label: &str) {
        let id = self.id();
        self.repo(name).before_change();
        self.repo(name).labels.entry(label.to_lowercase()).or_insert_with(|| Label {
            id,
            name: label.to_owned(),
            color: "ededed".to_owned(),
            description: None,
        });
    }
}

/// What a push did to an open pull request.
#[derive(Debug)]
enum Change {
    /// Its branch is at this commit now.
    NewHead(String),
    /// Its branch went back to where the base is.
    NothingAhead(String),
    /// The base took in its head, and is at this commit now.
    TakenIn(String),
    /// Its branch or its base is gone.
    Gone,
}

fn change_of(
    git: &Repository,
    heads: &BTreeMap<String, String>,
    pull: &PullPart,
) -> Option<Change> {
    let find = |branch: &str| heads.get(&format!("refs/heads/{branch}"));
    let (Some(head), Some(base)) = (find(&pull.head), find(&pull.base)) else {
        return Some(Change::Gone);
    };
    let moved = *head != pull.head_sha;
    match (moved, git.contains(base, head)) {
        (true, true) => Some(Change::NothingAhead(head.clone())),
        (true, false) => Some(Change::NewHead(head.clone())),
        (false, true) => Some(Change::TakenIn(base.clone())),
        (false, false) => None,
    }
}

fn reopenable(repo: &Repo, owner: &str, pull: &PullPart) -> Result<(), String> {
    let Some(head) = repo.git.branch(&pull.head) else {
        return Err(format!("state cannot be changed. The {} branch has been deleted.", pull.head));
    };
    if pull.merged.is_some() {
        return Err("state cannot be changed. The pull request has been merged.".to_owned());
    }
    if !repo.git.contains(&head, &pull.head_sha) {
        return Err(format!(
            "state cannot be changed. The {} branch was force-pushed or recreated.",
            pull.head
        ));
    }
    if repo.git.branch(&pull.base).is_some_and(|base| repo.git.contains(&base, &head)) {
        return Err(format!(
            "state cannot be changed. There are no new commits on the {owner}:{} branch.",
            pull.head
        ));
    }
    let other = repo.issues.values().find(|other| {
        other.open
            && other
                .pull
                .as_ref()
                .is_some_and(|other| other.head == pull.head && other.base == pull.base)
    });
    other.map_or(Ok(()), |other| {
        Err(format!(
            "state cannot be changed. There is already an open pull request (#{}) from {owner}:{} to {}.",
            other.number, pull.head, pull.base
        ))
    })
}
