//! A story, told with at most one death, and what the world and the memory look like at its end.

use crate::child::{self, End, Orders, Report};
use crate::database::{self, OnServer};
use crate::settings::{set, settings, watch};
use digest_bump::{
    clock::Clock,
    config::{self, CommitsBy, Config, Environment},
    daemon::{self, App},
    domain::{Digest, Timestamp, Wish},
    reconcile,
};
use std::{collections::BTreeMap, ffi::OsString, fs, time::Duration};
use tempfile::TempDir;
use toml::Value;
use world::{Pull, Request, Ticket, World};

/// The check of the downstream's own that may be the canary.
const CHECK: &str = "Connector Contract Canary";
/// The workflow of the downstream's that may carry the canary.
const WORKFLOW: &str = "digest-bump-canary.yml";
/// When the stories begin.
const START: &str = "2026-06-12T08:00:00Z";
/// Each act has its own time, whatever the acts before it took: times are part of what people read.
const PACE: Duration = Duration::from_hours(6);
/// Longer than a dead process's lease and canary count as alive.
const REST: Duration = Duration::from_secs(30);
/// A settle that needs more passes than this goes in circles.
const MOST_PASSES: usize = 24;

/// What happens next in a story.
#[derive(Debug, Clone, Copy)]
pub enum Act {
    /// Upstream publishes a release.
    Release(&'static str),
    /// The bot is called until it is settled.
    Settle,
    /// Commits are made through GitHub's API from now on.
    ThroughApi,
    /// The canary is left to the downstream's own checks, which pass on its base branch.
    LeaveToChecks,
    /// The canary is left to a workflow of the downstream's.
    LeaveToWorkflow,
    /// The canary is left to the downstream's own checks, and a workflow prepares the draft.
    LeaveToPreparedChecks,
    /// The run that was dispatched last hands back what it should, and succeeds.
    RunSucceeds,
    /// The downstream's CI comes to this on the head of the only draft.
    Ci(&'static str),
    /// The bot is called until a process of it ends by itself.
    Once,
    /// Somebody asks for a release.
    Request(&'static str),
    /// Somebody asks for the pull request for a release to be made anew, whoever committed to it.
    Recreate(&'static str),
    /// A maintainer commits to the branch of the open pull request.
    CommitByHand,
    /// Somebody commits something else to the base branch.
    BaseMovesOn,
    /// A maintainer merges the only open pull request.
    Merge,
    /// A maintainer commits what the only open pull request proposes, past it.
    BumpByHand,
    /// There is a dashboard from now on, with boxes.
    Dashboard,
    /// A maintainer ticks the box of a release there.
    Tick(&'static str),
    /// Comments command from now on.
    Commands,
    /// A maintainer says something in the open pull request.
    Say(&'static str),
}

/// Where a story's processes die.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Death {
    /// Nowhere.
    Never,
    /// One of them, at one of its steps.
    At { process: usize, step: usize },
    /// Any of them, after a time that this number seeds, [`MOST_IN_AN_ACT`] times in an act.
    AnyTime { seed: u64 },
}

/// A canary that dies more often counts as one that cannot be found out.
const MOST_IN_AN_ACT: u32 = 3;
/// About what a child takes that is left alone.
const LIFE: Duration = Duration::from_millis(900);

/// What a story came to.
#[derive(Debug)]
pub struct Told {
    /// The steps of each process, in order.
    pub steps: Vec<Vec<String>>,
    /// What it all looks like at the end, times and commits left out where they depend on the way.
    pub end: String,
    /// How many processes were killed.
    pub deaths: usize,
}

struct Stage {
    world: World,
    clock: Clock,
    begin: Timestamp,
    folder: TempDir,
    database: Option<OnServer>,
    config: String,
    death: Death,
    in_this_act: u32,
    told: Told,
}

/// Tells a story.
pub async fn tell(acts: &[Act], death: Death) -> Told {
    digest_bump::clients::install_tls_provider();
    let mut stage = Stage::new(death).await;
    for (number, act) in acts.iter().enumerate() {
        stage.play(*act).await;
        stage.turn_to(stage.begin + PACE * u32::try_from(number + 1).unwrap());
    }
    stage.told.end = stage.look().await;
    stage.settles_without_writing().await;
    stage.told
}

impl Stage {
    async fn new(death: Death) -> Self {
        let world = World::builder().now(START).start().await;
        let folder = tempfile::tempdir().unwrap();
        let database = OnServer::fresh().await;
        let mut config = settings(&world, &folder.path().join("state"));
        if let Some(database) = &database {
            set(&mut config, "database", database.url().into());
        }
        // A pass that starts a canary is over before the canary is: the same steps each time.
        set(watch(&mut config), "canary.env.CANARY_DELAY_MS", "300".into());
        let labels = Value::Array(vec!["dependencies".into()]);
        set(watch(&mut config), "proposal.labels", labels);
        Self {
            world,
            clock: Clock::manual(START.parse().unwrap()),
            begin: START.parse().unwrap(),
            folder,
            database,
            config: toml::to_string(&config).unwrap(),
            death,
            in_this_act: 0,
            told: Told { steps: Vec::new(), end: String::new(), deaths: 0 },
        }
    }

    async fn play(&mut self, act: Act) {
        self.in_this_act = 0;
        match act {
            Act::Release(version) => self.world.release(version).publish().await,
            Act::Settle => self.settle().await,
            Act::Once => {
                while self.process(None).await == End::Killed {
                    self.rest(REST);
                }
            }
            Act::ThroughApi => {
                let mut config: toml::Table = self.config.parse().unwrap();
                set(watch(&mut config), "downstream.writer", "api".into());
                self.config = toml::to_string(&config).unwrap();
            }
            Act::LeaveToChecks => self.leave_to_checks(&toml::Table::new()),
            Act::LeaveToWorkflow => self.leave_to_workflow(),
            Act::LeaveToPreparedChecks => {
                self.commit_workflow();
                self.leave_to_checks(&toml::toml! {
                    prepare = { workflow = "digest-bump-canary.yml", files = ["pnpm-lock.yaml"] }
                });
            }
            Act::RunSucceeds => {
                let run = self.world.dispatches().pop().expect("a run").id;
                let lockfile: &[u8] = b"lockfileVersion: '6.0'\n";
                let files: [(&str, &[u8]); 2] =
                    [("contract.tap", b"1..1\nok 1\n"), ("prepared/pnpm-lock.yaml", lockfile)];
                self.world.run_hands_back(run, "digest-bump", &files);
                self.world.run_concludes(run, "success");
            }
            Act::Ci(conclusion) => {
                let mut drafts = self.world.open_pulls();
                drafts.retain(|pull| pull.draft);
                assert_eq!(drafts.len(), 1, "{drafts:#?}");
                self.world.ci_concludes(&drafts[0].head_sha, CHECK, conclusion);
            }
            Act::Request(version) => {
                // Whoever sees the command die calls it again.
                while self.process(Some((Wish::Bump, version))).await == End::Killed {}
            }
            Act::Recreate(version) => {
                while self.process(Some((Wish::Recreate, version))).await == End::Killed {}
            }
            Act::CommitByHand => {
                let branch = self.world.open_pulls().remove(0).head_branch;
                self.world.commit_to(&branch, "README.md", b"# by hand\n", "docs: by hand");
            }
            Act::BaseMovesOn => {
                self.world.commit_to("main", "README.md", b"# elsewhere\n", "docs: elsewhere");
            }
            Act::Merge => {
                let open = self.world.open_pulls();
                assert_eq!(open.len(), 1, "{open:#?}");
                self.world.merge(open[0].number);
            }
            Act::BumpByHand => self.bump_by_hand(),
            Act::Dashboard => {
                let mut config: toml::Table = self.config.parse().unwrap();
                for key in ["enabled", "checkboxes", "anonymous"] {
                    set(watch(&mut config), &format!("downstream.dashboard.{key}"), true.into());
                }
                self.config = toml::to_string(&config).unwrap();
            }
            Act::Commands => {
                let mut config: toml::Table = self.config.parse().unwrap();
                set(watch(&mut config), "downstream.commands.enabled", true.into());
                self.config = toml::to_string(&config).unwrap();
                self.world.set_permission("maya", "write");
            }
            Act::Say(text) => {
                let pull = self.world.open_pulls().remove(0).number;
                self.world.comment_as("maya", pull, text);
            }
            Act::Tick(version) => {
                let issue = self.world.issues().remove(0);
                let empty = format!("[ ] <!-- request {version} -->");
                assert!(issue.body.contains(&empty), "{}", issue.body);
                let body = issue.body.replace(&empty, &empty.replace("[ ]", "[x]"));
                self.world.edit_body(issue.number, &body);
            }
        }
    }

    fn commit_workflow(&self) {
        let path = format!(".github/workflows/{WORKFLOW}");
        let text = include_bytes!("../../config/workflows/digest-bump-canary.yml");
        self.world.commit_to("main", &path, text, "Let digest-bump run the canary");
    }

    fn leave_to_workflow(&mut self) {
        self.commit_workflow();
        let mut config: toml::Table = self.config.parse().unwrap();
        let canary = toml::toml! {
            executor = "github-actions"
            workflow = "digest-bump-canary.yml"
            report = [{ name = "contract", format = "tap", path = "contract.tap" }]
            prepare = { files = ["pnpm-lock.yaml"] }
        };
        set(watch(&mut config), "canary", Value::Table(canary));
        self.config = toml::to_string(&config).unwrap();
    }

    fn leave_to_checks(&mut self, more: &toml::Table) {
        let mut config: toml::Table = self.config.parse().unwrap();
        let checks = Value::Array(vec![CHECK.into()]);
        let mut canary = toml::Table::from_iter([
            ("executor".to_owned(), Value::from("checks")),
            ("checks".to_owned(), checks),
        ]);
        canary.extend(more.clone());
        set(watch(&mut config), "canary", Value::Table(canary));
        self.config = toml::to_string(&config).unwrap();
        self.world.ci_concludes(&self.world.branches()["main"], CHECK, "success");
    }

    /// Calls the bot until nothing changes by itself within the hour.
    async fn settle(&mut self) {
        let mut ways = Vec::new();
        for _ in 0..MOST_PASSES {
            let end = self.process(None).await;
            ways.push(format!("{end:?}"));
            match end {
                End::Killed => self.rest(REST),
                End::Done(Report { troubles, .. }) if !troubles.is_empty() => {
                    // A push of the dead one may still be under way in the world.
                    let dying = matches!(self.death, Death::AnyTime { .. });
                    assert!(dying, "{troubles:?}");
                    self.rest(REST);
                }
                End::Done(Report { wake: None, .. }) => return,
                End::Done(Report { wake: Some(wake), .. }) => {
                    let wait = wake.parse::<Timestamp>().unwrap();
                    let wait = wait.since(self.clock.now());
                    if wait > Duration::from_hours(1) {
                        return;
                    }
                    self.rest(wait.max(REST));
                }
            }
        }
        panic!("not settled after {MOST_PASSES} passes: {ways:#?}");
    }

    fn bump_by_hand(&self) {
        let branch = self.world.open_pulls().remove(0).head_branch;
        let mut git = std::process::Command::new("git");
        git.arg("-C").arg(self.world.bare_repo()).args(["diff", "--name-only", "main", &branch]);
        let files = String::from_utf8(git.output().unwrap().stdout).unwrap();
        for file in files.lines() {
            let content = self.world.file(&branch, file).unwrap();
            self.world.commit_to("main", file, &content, "chore: bump by hand");
        }
    }

    fn rest(&self, time: Duration) {
        self.turn_to(self.clock.now() + time);
    }

    /// Turns both clocks.
    fn turn_to(&self, time: Timestamp) {
        self.clock.advance(time.since(self.clock.now()));
        self.world.set_now(&time.to_string());
    }

    async fn process(&mut self, request: Option<(Wish, &str)>) -> End {
        let number = self.told.steps.len();
        let file = |kind: &str| self.folder.path().join(format!("{number}.{kind}"));
        let orders = Orders {
            config: self.config.clone(),
            now: self.clock.now().to_string(),
            request: request.map(|(wish, version)| (wish, version.to_owned())),
            death: match self.death {
                Death::At { process, step } if process == number => Some(step),
                _ => None,
            },
            steps: file("steps"),
            report: file("report"),
        };
        let mut variables = vec![("DIGEST_BUMP_GITHUB_TOKEN", self.world.token())];
        if let Some(database) = &self.database {
            variables.push((database::PASSWORD, database.password()));
        }
        let life = self.life(number);
        let end = child::run(&orders, &variables, life).await;
        self.in_this_act += u32::from(end == End::Killed);
        let steps = fs::read_to_string(&orders.steps).unwrap_or_default();
        self.told.steps.push(steps.lines().map(str::to_owned).collect());
        self.told.deaths += usize::from(end == End::Killed);
        let asked = orders.death.is_some() || life.is_some();
        assert!(end != End::Killed || asked, "nobody asked it to die");
        end
    }

    /// How long a process lives, if it is to die at no step in particular.
    fn life(&self, process: usize) -> Option<Duration> {
        let Death::AnyTime { seed } = self.death else {
            return None;
        };
        let chance = Digest::of(format!("{seed} {process}").as_bytes());
        let chance = u32::from_str_radix(&chance.short()[..4], 16).unwrap();
        (self.in_this_act < MOST_IN_AN_ACT).then(|| LIFE * chance / 0x1_0000)
    }

    fn parsed(&self) -> Config {
        let mut all: BTreeMap<String, OsString> = BTreeMap::new();
        all.insert("PATH".into(), "/usr/bin:/bin".into());
        all.insert("DIGEST_BUMP_GITHUB_TOKEN".into(), self.world.token().into());
        if let Some(database) = &self.database {
            all.insert(database::PASSWORD.into(), database.password().into());
        }
        config::parse(&self.config, "the story's config", &Environment::of(all)).unwrap()
    }

    /// The world and the memory. Of the writes, which and how many: nothing is done twice.
    async fn look(&self) -> String {
        let mut lines: Vec<String> = self.world.pulls().iter().map(pull).collect();
        lines.extend(self.world.issues().iter().map(issue));
        let numbers: Vec<u64> = self.world.pulls().iter().map(|pull| pull.number).collect();
        for number in numbers {
            let comments = self.world.comments(number).into_iter();
            lines.extend(comments.map(|it| format!("#{number} {}", without_signing(&it.body))));
        }
        lines
            .extend(self.world.branches().into_iter().map(|(name, head)| format!("{name} {head}")));
        let mut writes: Vec<String> = self
            .world
            .writes()
            .iter()
            .filter(|it| !rewrites_the_dashboard(it))
            .map(|it| format!("{} {}", it.method, without_signing(&it.path)))
            .collect();
        writes.sort();
        lines.extend(writes);
        let config = self.parsed();
        let store = daemon::read_store(&config).await.unwrap().expect("there is a database");
        let memory = store.load_memory(&config.watches[0].name).await.unwrap();
        store.close().await;
        let view = reconcile::look_at(&config.watches[0], &memory, self.clock.now());
        lines.extend(
            view.releases
                .iter()
                .map(|it| format!("{} {}: {}", it.version, it.word, it.line))
                .map(|line| without_signing(&line)),
        );
        lines.extend(
            view.requests.iter().map(|it| format!("{} {} {:?}", it.version, it.state, it.answer)),
        );
        let work = fs::read_dir(self.folder.path().join("state/canary")).into_iter().flatten();
        lines.push(format!("{} work directories", work.count()));
        if config.watches[0].downstream.writer == CommitsBy::Api {
            lines = without_made_commits(&lines);
        }
        lines.join("\n")
    }

    async fn settles_without_writing(&self) {
        self.world.clear_requests();
        let app = App::build(self.parsed(), self.clock.clone()).await.unwrap();
        let mut reports = daemon::once(&app).await.unwrap();
        app.supervisor.stop().await;
        app.store.close().await;
        let report = reports.remove(0).expect("nobody else is at work");
        assert_eq!(report.performed, Vec::<String>::new());
        assert_eq!(report.troubles, Vec::<String>::new());
        assert_eq!(self.world.writes(), []);
    }
}

/// How often depends on what there was to tell on the way.
fn rewrites_the_dashboard(request: &Request) -> bool {
    request.method == "PATCH" && request.path.contains("/issues/")
}

/// All of an issue that a person sees, but when it was written.
fn issue(issue: &Ticket) -> String {
    let Ticket { number, title, body, open, .. } = issue;
    let lines = body.lines().filter(|line| !line.starts_with("As of "));
    let body = lines.map(without_signing).collect::<Vec<_>>().join("\n");
    format!("#{number} {title} (open {open})\n{body}")
}

/// All of a pull request that a person sees, and its head.
fn pull(pull: &Pull) -> String {
    let Pull { number, title, body, head_branch, head_sha, state, merged, draft, labels, .. } =
        pull;
    format!(
        "#{number} {title} ({state}, merged {merged}, draft {draft}, {labels:?}) \
         {head_branch} {head_sha}\n{}",
        without_signing(body)
    )
}

/// A commit that GitHub makes is another one each time, and nothing leads to one that a dead process
/// did not remember.
fn without_made_commits(lines: &[String]) -> Vec<String> {
    let id = regex::Regex::new(r"\b[0-9a-f]{40}\b").unwrap();
    let made = ["/git/blobs", "/git/trees", "/git/commits"];
    let kept = lines.iter().filter(|line| !made.iter().any(|path| line.ends_with(path)));
    kept.map(|line| id.replace_all(line, "<id>").into_owned()).collect()
}

/// What is signed with keys of the telling's own is of other bytes in each.
fn without_signing(body: &str) -> String {
    let signed =
        |line: &str| line.starts_with("- signature: ") || line.starts_with("- trusted root");
    // How old a release was when its evidence was found: that is later where somebody died.
    let lines = body.lines().filter(|line| !line.starts_with("| age at the last check |"));
    let kept = lines.map(|line| match line.rsplit_once("`sha256:") {
        Some((before, _)) if signed(line) => before,
        _ => line,
    });
    // The ids of check runs and reactions count what was asked for on the way, as does what quotes them.
    let run =
        regex::Regex::new(r#"(runs/|reactions/|comments/|comment |"held":")[0-9a-f]+"#).unwrap();
    run.replace_all(&kept.collect::<Vec<_>>().join("\n"), "$1…").into_owned()
}
