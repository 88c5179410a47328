//! Everything that the world remembers, and the rules by which it changes.

use crate::app::App;
use crate::fault::Fault;
use crate::github::{actions::Run, advisories::Advisory, shape, suites::Suite};
use crate::lists::Lag;
use crate::log::Log;
use crate::registry::Store;
use crate::release::Release;
use crate::repository::{Commit, FIRST_COMMIT, Repository};
use crate::sigstore::Sigstore;
use crate::tuf::Tuf;
use crate::webhook::{Event, Hook};
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;
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
    pub(crate) app: App,
    pub(crate) repos: BTreeMap<String, Repo>,
    pub(crate) releases: Vec<Release>,
    /// The one commit that upstream really has.
    pub(crate) upstream_begin: Option<Commit>,
    /// Upstream's commits beside its main line, and since when.
    pub(crate) strays: Vec<(DateTime<Utc>, String)>,
    pub(crate) advisories: Vec<Advisory>,
    pub(crate) registry: Store,
    pub(crate) sigstore: Sigstore,
    pub(crate) tuf: Tuf,
    pub(crate) npm_gone: bool,
    pub(crate) faults: Vec<Fault>,
    pub(crate) log: Log,
    pub(crate) list_lag: u32,
    /// So many lists lag after each write of the bot's.
    pub(crate) lag_after_writes: u32,
    pub(crate) rate: BTreeMap<String, u32>,
    pub(crate) hooks: Vec<Hook>,
    pub(crate) outbox: VecDeque<Event>,
    /// What happened to the downstream's pull requests, in order.
    pub(crate) pull_events: Vec<(u64, String)>,
    /// Who is in which team.
    pub(crate) teams: BTreeMap<String, BTreeSet<String>>,
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
    pub(crate) tuf: String,
}

/// A repository with what GitHub keeps beside git.
#[derive(Debug)]
pub(crate) struct Repo {
    pub(crate) id: u64,
    pub(crate) git: Repository,
    pub(crate) issues: BTreeMap<u64, Issue>,
    pub(crate) deleted_issues: BTreeSet<u64>,
    /// Whether there are pull requests alone.
    pub(crate) issues_disabled: bool,
    /// What lists that lag have not taken in.
    pub(crate) lag: Lag,
    pub(crate) labels: BTreeMap<String, Label>,
    pub(crate) comments: BTreeMap<u64, StoredComment>,
    pub(crate) reactions: Vec<Reaction>,
    pub(crate) checks: BTreeMap<u64, Value>,
    pub(crate) statuses: Vec<(String, Value)>,
    /// The check suites without a check run.
    pub(crate) suites: Vec<Suite>,
    /// The runs of workflows that were dispatched.
    pub(crate) runs: BTreeMap<u64, Run>,
    pub(crate) permissions: BTreeMap<String, String>,
    /// Whether the bot may write workflow files.
    pub(crate) workflows: bool,
    /// Whether a pull request can be a draft.
    pub(crate) drafts: bool,
    /// Why no branch may be moved, if none may.
    pub(crate) frozen: Option<String>,
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
    /// When others came to see it.
    pub(crate) published_at: DateTime<Utc>,
    /// When it was last edited, if it was.
    pub(crate) edited_at: Option<DateTime<Utc>>,
    /// Where it stands, if that is within a diff.
    pub(crate) remark: Option<Remark>,
    /// Why it was made small, if it was.
    pub(crate) minimized: Option<String>,
}

impl StoredComment {
    /// Somebody gave it another text.
    pub(crate) fn edit(&mut self, body: &str, now: DateTime<Utc>) {
        body.clone_into(&mut self.body);
        self.updated_at = now;
        self.edited_at = Some(now);
    }

    /// What GraphQL calls it.
    pub(crate) fn node_id(&self) -> String {
        let kind = if self.remark.is_some() { "PRRC" } else { "IC" };
        shape::node_id(kind, self.id)
    }
}

/// What a comment within a diff has beside others.
#[derive(Debug, Clone)]
pub(crate) struct Remark {
    pub(crate) path: String,
    pub(crate) commit: String,
    /// The comment that began the thread, if it is not this.
    pub(crate) reply_to: Option<u64>,
    /// So long before others saw it, it was written.
    pub(crate) pending: TimeDelta,
}

impl Remark {
    /// How long before it is published a comment is written that belongs to no review: GitHub's own
    /// examples have a second.
    pub(crate) const AT_ONCE: TimeDelta = TimeDelta::seconds(1);
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
    /// Something about it changed, later than what changed before: where a test has stopped the
    /// clock, that tells what a list has not taken in yet from what it has.
    pub(crate) fn touch(&mut self, now: DateTime<Utc>) {
        self.updated_at = now.max(self.updated_at + TimeDelta::seconds(1));
    }

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
            deleted_issues: BTreeSet::new(),
            issues_disabled: false,
            lag: Lag::default(),
            labels: BTreeMap::new(),
            comments: BTreeMap::new(),
            reactions: Vec::new(),
            checks: BTreeMap::new(),
            statuses: Vec::new(),
            suites: Vec::new(),
            runs: BTreeMap::new(),
            permissions: BTreeMap::new(),
            workflows: true,
            drafts: true,
            frozen: None,
            created_at,
        }
    }

    /// The number that the next issue or pull request gets.
    pub(crate) fn next_number(&self) -> u64 {
        let used = self.issues.keys().chain(&self.deleted_issues);
        used.max().map_or(1, |last| last + 1)
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
        fixed_now: Option<DateTime<Utc>>,
    ) -> Self {
        let now = fixed_now.unwrap_or_else(system_now);
        let sigstore = Sigstore::new(now);
        Self {
            urls,
            upstream: upstream.to_owned(),
            downstream: downstream.to_owned(),
            bot: bot.to_owned(),
            bot_branches: Vec::new(),
            tokens,
            app: App::default(),
            repos: BTreeMap::new(),
            releases: Vec::new(),
            upstream_begin: None,
            strays: Vec::new(),
            advisories: Vec::new(),
            registry: Store::default(),
            tuf: Tuf::new(&sigstore.trusted_root(), now),
            sigstore,
            npm_gone: false,
            faults: Vec::new(),
            log: Log::default(),
            list_lag: 0,
            lag_after_writes: 0,
            rate: BTreeMap::new(),
            hooks: Vec::new(),
            outbox: VecDeque::new(),
            pull_events: Vec::new(),
            teams: BTreeMap::new(),
            fixed_now,
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
        self.tokens.get(token).filter(|_| !self.has_expired(token)).cloned()
    }

    pub(crate) fn login_of(&self, actor: &Actor) -> String {
        match actor {
            Actor::Anonymous => String::new(),
            Actor::Bot | Actor::App => self.bot.clone(),
            Actor::Person(login) => login.clone(),
        }
    }

    pub(crate) fn may_push(&self, login: &str, repo: &str) -> bool {
        self.repos.get(repo).is_some_and(|repo| matches!(repo.permission(login), "write" | "admin"))
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
            self.log.violation(format!("the bot moved {full} of {repo}, which is not its own"));
        }
    }

    /// The time of the next commit by a person: always later than the one before.
    pub(crate) fn next_commit_time(&mut self) -> i64 {
        self.commits_by_people += 1;
        FIRST_COMMIT + 60 * self.commits_by_people
    }

    /// All tokens' text, for tests that look for leaks.
    pub(crate) fn secrets(&self) -> BTreeSet<String> {
        self.tokens.keys().chain(&self.app.spoken).cloned().collect()
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the world has a clock of its own, as the real services do"
)]
fn system_now() -> DateTime<Utc> {
    Utc::now()
}
