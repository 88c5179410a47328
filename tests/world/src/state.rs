//! Everything that the world remembers, and the rules by which it changes.

use crate::{
    fault::Fault,
    log::Log,
    registry::Store,
    release::Release,
    repository::{FIRST_COMMIT, Repository, Signature},
    webhook::{Event, Hook},
    wire::{invented_sha, iso},
};
use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// Who is asking.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Actor {
    /// Nobody in particular.
    Anonymous,
    /// The bot, by its own token or by one minted for its installation.
    Bot,
    /// The bot's App itself, by a signed JWT.
    App,
    /// A person with a token.
    Person(String),
}

/// The world's memory.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) urls: Urls,
    pub(crate) upstream: String,
    pub(crate) downstream: String,
    pub(crate) bot: String,
    pub(crate) bot_branches: Vec<String>,
    pub(crate) tokens: BTreeMap<String, Actor>,
    pub(crate) repos: BTreeMap<String, Repo>,
    pub(crate) releases: Vec<Release>,
    pub(crate) registry: Store,
    pub(crate) npm_gone: bool,
    pub(crate) faults: Vec<Fault>,
    pub(crate) log: Log,
    pub(crate) list_lag: u32,
    pub(crate) rate: BTreeMap<String, u32>,
    pub(crate) hooks: Vec<Hook>,
    pub(crate) outbox: VecDeque<Event>,
    pub(crate) fixed_now: Option<DateTime<Utc>>,
    pub(crate) next_id: u64,
    pub(crate) commits_by_people: i64,
}

/// Where the world's doors are.
#[derive(Debug, Clone, Default)]
pub(crate) struct Urls {
    pub(crate) github: String,
    pub(crate) git: String,
    pub(crate) registry: String,
    pub(crate) storage: String,
    pub(crate) npm: String,
}

/// A repository with what GitHub keeps beside git.
#[derive(Debug)]
pub(crate) struct Repo {
    pub(crate) id: u64,
    pub(crate) git: Repository,
    pub(crate) issues: BTreeMap<u64, Issue>,
    /// The issues and pull requests from before the last write, for lists that lag.
    pub(crate) stale: BTreeMap<u64, Issue>,
    pub(crate) labels: BTreeMap<String, Label>,
    pub(crate) comments: BTreeMap<u64, StoredComment>,
    pub(crate) reactions: Vec<Reaction>,
    pub(crate) checks: BTreeMap<u64, Value>,
    pub(crate) statuses: Vec<(String, Value)>,
    pub(crate) permissions: BTreeMap<String, String>,
    pub(crate) created_at: DateTime<Utc>,
}

/// An issue, or a pull request if it has that part.
#[derive(Debug, Clone)]
pub(crate) struct Issue {
    pub(crate) number: u64,
    pub(crate) id: u64,
    pub(crate) title: String,
    pub(crate) body: Option<String>,
    pub(crate) open: bool,
    pub(crate) author: String,
    pub(crate) labels: Vec<String>,
    pub(crate) created_at: DateTime<Utc>,
    pub(crate) updated_at: DateTime<Utc>,
    pub(crate) closed_at: Option<DateTime<Utc>>,
    pub(crate) closed_by: Option<String>,
    pub(crate) pull: Option<PullPart>,
}

/// What a pull request has beyond an issue.
#[derive(Debug, Clone)]
pub(crate) struct PullPart {
    pub(crate) head: String,
    pub(crate) head_sha: String,
    pub(crate) base: String,
    pub(crate) base_sha: String,
    pub(crate) draft: bool,
    pub(crate) merged: Option<Merged>,
}

/// How a pull request was merged.
#[derive(Debug, Clone)]
pub(crate) struct Merged {
    pub(crate) at: DateTime<Utc>,
    pub(crate) by: String,
    pub(crate) sha: String,
}

/// A label of a repository.
#[derive(Debug, Clone)]
pub(crate) struct Label {
    pub(crate) id: u64,
    pub(crate) name: String,
    pub(crate) color: String,
    pub(crate) description: Option<String>,
}

/// A comment on an issue or pull request.
#[derive(Debug, Clone)]
pub(crate) struct StoredComment {
    pub(crate) id: u64,
    pub(crate) issue: u64,
    pub(crate) author: String,
    pub(crate) body: String,
    pub(crate) created_at: DateTime<Utc>,
    pub(crate) updated_at: DateTime<Utc>,
}

/// A reaction to a comment or (where there is none) an issue.
#[derive(Debug, Clone)]
pub(crate) struct Reaction {
    pub(crate) id: u64,
    pub(crate) issue: Option<u64>,
    pub(crate) comment: Option<u64>,
    pub(crate) author: String,
    pub(crate) content: String,
    pub(crate) created_at: DateTime<Utc>,
}

impl Issue {
    pub(crate) fn state(&self) -> &'static str {
        if self.open { "open" } else { "closed" }
    }
}

impl Repo {
    pub(crate) fn new(id: u64, git: Repository, created_at: DateTime<Utc>) -> Self {
        Self {
            id,
            git,
            issues: BTreeMap::new(),
            stale: BTreeMap::new(),
            labels: BTreeMap::new(),
            comments: BTreeMap::new(),
            reactions: Vec::new(),
            checks: BTreeMap::new(),
            statuses: Vec::new(),
            permissions: BTreeMap::new(),
            created_at,
        }
    }

    /// Keeps what the lists show while they lag. To be called before each change.
    pub(crate) fn before_change(&mut self) {
        self.stale = self.issues.clone();
    }

    /// The number that the next issue or pull request gets.
    pub(crate) fn next_number(&self) -> u64 {
        self.issues.keys().next_back().map_or(1, |last| last + 1)
    }

    pub(crate) fn permission(&self, login: &str) -> &str {
        self.permissions.get(login).map_or("read", String::as_str)
    }
}

impl State {
    /// A world in which nothing has happened. The names are upstream, downstream and the bot.
    pub(crate) fn new(
        urls: Urls,
        [upstream, downstream, bot]: [&str; 3],
        tokens: BTreeMap<String, Actor>,
    ) -> Self {
        Self {
            urls,
            upstream: upstream.to_owned(),
            downstream: downstream.to_owned(),
            bot: bot.to_owned(),
            bot_branches: Vec::new(),
            tokens,
            repos: BTreeMap::new(),
            releases: Vec::new(),
            registry: Store::default(),
            npm_gone: false,
            faults: Vec::new(),
            log: Log::default(),
            list_lag: 0,
            rate: BTreeMap::new(),
            hooks: Vec::new(),
            outbox: VecDeque::new(),
            fixed_now: None,
            next_id: 1000,
            commits_by_people: 0,
        }
    }

    pub(crate) fn now(&self) -> DateTime<Utc> {
        self.fixed_now.unwrap_or_else(system_now)
    }

    pub(crate) fn id(&mut self) -> u64 {
        self.next_id += 1;
        self.next_id
    }

    pub(crate) fn repo(&mut self, name: &str) -> &mut Repo {
        self.repos.get_mut(name).expect("the repository is known")
    }

    pub(crate) fn actor_of_token(&self, token: &str) -> Option<Actor> {
        self.tokens.get(token).cloned()
    }

    pub(crate) fn login_of(&self, actor: &Actor) -> String {
        match actor {
            Actor::Anonymous => String::new(),
            Actor::Bot | Actor::App => self.bot.clone(),
            Actor::Person(login) => login.clone(),
        }
    }

    pub(crate) fn may_push(&self, login: &str, repo: &str) -> bool {
        self.repos
            .get(repo)
            .is_some_and(|repo| matches!(repo.permission(login), "write" | "admin"))
    }

    /// Remembers it if the bot touches a ref that is not its own.
    pub(crate) fn judge_bot_ref(&mut self, repo: &str, full: &str) {
        let own = full.strip_prefix("refs/heads/").is_some_and(|branch| {
            self.bot_branches.iter().any(|pattern| {
                pattern
                    .strip_suffix('*')
                    .map_or(branch == pattern, |prefix| branch.starts_with(prefix))
            })
        });
        if !own {
            self.log.violation(format!(
                "the bot moved {full} of {repo}, which is not its own"
            ));
        }
    }

    /// The time of the next commit by a person: always later than the one before.
    pub(crate) fn next_commit_time(&mut self) -> i64 {
        self.commits_by_people += 1;
        FIRST_COMMIT + 60 * self.commits_by_people
    }

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
        let tree = repo
            .git
            .run(&["merge-tree", "--write-tree", &base, &head])?;
        let message = format!("{} (#{number})\n", issue.title);
        let author = Signature::maintainer(seconds);
        let merged = repo
            .git
            .write_commit(&tree, &[base], &message, &author, &author)?;
        repo.before_change();
        repo.git
            .set_ref(&format!("refs/heads/{}", pull.base), Some(&merged))?;
        if let Some(issue) = repo.issues.get_mut(&number) {
            issue.open = false;
            issue.updated_at = now;
            issue.closed_at = Some(now);
            issue.closed_by = Some(login.to_owned());
            if let Some(pull) = &mut issue.pull {
                pull.merged = Some(Merged {
                    at: now,
                    by: login.to_owned(),
                    sha: merged.clone(),
                });
            }
        }
        self.emit_pull(name, "closed", number, login);
        self.emit_push(name, &pull.base, &merged, login);
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
        issue.updated_at = now;
        issue.closed_at = (!open).then_some(now);
        issue.closed_by = (!open).then(|| login.to_owned());
        let is_pull = issue.pull.is_some();
        if let (true, Some(pull), Some(head)) = (open, issue.pull.as_mut(), head) {
            pull.head_sha = head;
        }
        let action = if open { "reopened" } else { "closed" };
        if is_pull {
            self.emit_pull(name, action, number, login);
        } else {
            self.emit_issue(name, action, number, login);
        }
        Ok(())
    }

    /// What a push does to the pull requests: a new head, or the end.
    pub(crate) fn after_push(&mut self, name: &str, login: &str) {
        let now = self.now();
        let Some(repo) = self.repos.get_mut(name) else {
            return;
        };
        let heads = repo.git.refs("refs/heads/");
        let mut changes = Vec::new();
        for issue in repo.issues.values().filter(|issue| issue.open) {
            let Some(pull) = &issue.pull else { continue };
            let head = heads.get(&format!("refs/heads/{}", pull.head));
            let base = heads.get(&format!("refs/heads/{}", pull.base));
            match (head, base) {
                (Some(head), Some(base)) if repo.git.contains(base, head) => {
                    changes.push((issue.number, Some(head.clone()), "closed"));
                }
                (Some(head), Some(_)) if *head != pull.head_sha => {
                    changes.push((issue.number, Some(head.clone()), "synchronize"));
                }
                (Some(_), Some(_)) => {}
                _ => changes.push((issue.number, None, "closed")),
            }
        }
        if changes.is_empty() {
            return;
        }
        repo.before_change();
        for (number, head, action) in &changes {
            let Some(issue) = repo.issues.get_mut(number) else {
                continue;
            };
            issue.updated_at = now;
            if let (Some(head), Some(pull)) = (head, issue.pull.as_mut()) {
                pull.head_sha.clone_from(head);
            }
            if *action == "closed" {
                issue.open = false;
                issue.closed_at = Some(now);
                issue.closed_by = Some(login.to_owned());
            }
        }
        for (number, _, action) in changes {
            self.emit_pull(name, action, number, login);
        }
    }

    /// A comment by anybody.
    pub(crate) fn comment(&mut self, name: &str, number: u64, login: &str, body: &str) -> u64 {
        let (id, now) = (self.id(), self.now());
        let repo = self.repo(name);
        repo.before_change();
        repo.comments.insert(
            id,
            StoredComment {
                id,
                issue: number,
                author: login.to_owned(),
                body: body.to_owned(),
                created_at: now,
                updated_at: now,
            },
        );
        if let Some(issue) = repo.issues.get_mut(&number) {
            issue.updated_at = now;
        }
        self.emit_comment(name, "created", id, login);
        id
    }

    /// Makes sure that the repository knows a label.
    pub(crate) fn ensure_label(&mut self, name: &str, label: &str) {
        let id = self.id();
        self.repo(name)
            .labels
            .entry(label.to_lowercase())
            .or_insert_with(|| Label {
                id,
                name: label.to_owned(),
                color: "ededed".to_owned(),
                description: None,
            });
    }

    /// All tokens' text, for tests that look for leaks.
    pub(crate) fn secrets(&self) -> BTreeSet<String> {
        self.tokens.keys().cloned().collect()
    }

    /// A new token of the bot, as an installation gets it: it lives for an hour.
    pub(crate) fn mint_token(&mut self) -> (String, String) {
        let token = format!(
            "ghs_{}",
            &invented_sha(&format!("token {}", self.id()))[..36]
        );
        self.tokens.insert(token.clone(), Actor::Bot);
        let until = self.now() + chrono::TimeDelta::hours(1);
        (token, iso(until))
    }

    pub(crate) fn emit_push(&mut self, name: &str, branch: &str, sha: &str, login: &str) {
        let payload = json!({ "ref": format!("refs/heads/{branch}"), "after": sha });
        self.emit(name, "push", None, payload, login);
    }
}

fn reopenable(repo: &Repo, owner: &str, pull: &PullPart) -> Result<(), String> {
    let Some(head) = repo.git.branch(&pull.head) else {
        return Err(format!(
            "state cannot be changed. The {} branch has been deleted.",
            pull.head
        ));
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
    if repo
        .git
        .branch(&pull.base)
        .is_some_and(|base| repo.git.contains(&base, &head))
    {
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

#[expect(
    clippy::disallowed_methods,
    reason = "the world has a clock of its own, as the real services do"
)]
fn system_now() -> DateTime<Utc> {
    Utc::now()
}
