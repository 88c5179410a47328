//! A config that makes sense, in the domain's types.

use super::{Access, Admitted, CanaryConfig, CommandsConfig, CommitsBy, Database};
use crate::domain::{
    BranchName, Branches, ChangesetRule, FilePath, HowToAsk, ImageName, Need, PinSite, Presence,
    RepoName, Rules, TitleTemplate, WatchName,
};
use chrono_tz::Tz;
use croner::Cron;
use rustls::pki_types::CertificateDer;
use secrecy::SecretString;
use std::{collections::BTreeMap, net::SocketAddr, path::PathBuf, time::Duration};

/// A config that makes sense.
#[derive(Debug, Clone)]
pub struct Config {
    /// The directory for the git cache, the canary's work trees, and SQLite's database.
    pub state: PathBuf,
    /// What remembers.
    pub database: Database,
    /// The address of the status page.
    pub listen: Option<SocketAddr>,
    /// When passes run.
    pub schedule: Schedule,
    /// The base URL of GitHub's REST API.
    pub github_api: String,
    /// The base URL of GitHub's repositories.
    pub github_git: String,
    /// As whom GitHub is asked.
    pub access: Access,
    /// The base URL of the npm registry, if a watch needs one.
    pub npm_registry: Option<String>,
    /// Base URLs of registries, by the host in the image's name.
    pub registries: BTreeMap<String, String>,
    /// Certificate authorities that are believed beside the system's.
    pub added_roots: Vec<CertificateDer<'static>>,
    /// Whose signatures are believed.
    pub trust: Trust,
    /// What GitHub signs webhooks with, if they are taken.
    pub webhook_secret: Option<SecretString>,
    /// This program, which runs itself again to confine a canary.
    pub program: PathBuf,
    /// The pairs.
    pub watches: Vec<Watch>,
}

/// Whose signatures are believed.
#[derive(Debug, Clone)]
pub struct Trust {
    /// Where the trusted root comes from.
    pub source: TrustSource,
    /// Without a refresh for longer than this, no signature is believed. Only for TUF.
    pub max_age: Duration,
}

/// Where the trusted root comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TrustSource {
    /// The public one that this program was built with.
    Embedded,
    /// A file.
    File(PathBuf),
    /// A TUF repository and the file with its first `root.json`; `None` is the public one.
    Tuf(Option<(String, PathBuf)>),
}

/// When passes run.
#[derive(Debug, Clone)]
pub struct Schedule {
    /// The cron line.
    pub cron: Cron,
    /// Whether the line has seconds.
    pub seconds: bool,
    /// The zone that the line is meant in.
    pub zone: Tz,
    /// Each pass starts up to this much later.
    pub jitter: Duration,
    /// How long a pass may go on after SIGTERM.
    pub grace: Duration,
}

/// One upstream–downstream pair.
#[derive(Debug, Clone)]
pub struct Watch {
    /// Its name.
    pub name: WatchName,
    /// What releases.
    pub upstream: Upstream,
    /// What pins.
    pub downstream: Downstream,
    /// What the decision goes by.
    pub rules: Rules,
    /// The contract canary.
    pub canary: CanaryConfig,
    /// Where readers of its pull requests reach the status page.
    pub public_url: Option<String>,
    /// The title of a pin bump.
    pub title: TitleTemplate,
    /// The changeset of a pin bump, if the downstream wants one.
    pub changeset: Option<ChangesetRule>,
    /// Labels for its pull requests.
    pub labels: Vec<String>,
    /// The label of those on whose branches people work.
    pub hands_off_label: Option<String>,
    /// Name and e-mail of its commits' author.
    pub author: (String, String),
}

impl Watch {
    /// What its branches are named after.
    #[must_use]
    pub fn branches(&self) -> Branches<'_> {
        Branches { prefix: &self.rules.branches, image: &self.upstream.image }
    }
}

/// What releases.
#[derive(Debug, Clone)]
pub struct Upstream {
    /// The repository.
    pub repository: RepoName,
    /// The image.
    pub image: ImageName,
}

/// What pins.
#[derive(Debug, Clone)]
pub struct Downstream {
    /// The repository.
    pub repository: RepoName,
    /// The branch that proposals are for.
    pub branch: BranchName,
    /// How commits get there.
    pub writer: CommitsBy,
    /// The places that spell the pin.
    pub sites: Vec<PinSite>,
    /// The copy of upstream's contract document, if there is one.
    pub mirror: Option<FilePath>,
    /// The dashboard issue, if there is to be one.
    pub dashboard: Option<DashboardConfig>,
    /// Comments that command, if they do.
    pub commands: Option<CommandsConfig>,
}

impl Downstream {
    /// How somebody asks the bot who reads there what it writes.
    #[must_use]
    pub fn how_to_ask(&self) -> HowToAsk {
        match &self.commands {
            None => HowToAsk::CommandLine,
            Some(rule) => HowToAsk::Comment { prefix: rule.prefix.clone() },
        }
    }

    /// Whether it has to be known who is in a team.
    fn admits_a_team(&self) -> bool {
        let allow = self.commands.iter().flat_map(|rule| &rule.allow);
        allow.into_iter().any(|it| matches!(it, Admitted::Team { .. }))
    }
}

/// The dashboard issue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DashboardConfig {
    /// Its title when it is opened, with `{image}`.
    pub title: String,
    /// Its labels when it is opened.
    pub labels: Vec<String>,
    /// Whether ticking the box of an offered patch asks for it.
    pub boxes: bool,
    /// Whether that counts also where nobody tells who did it.
    pub anonymous: bool,
}

/// Where GitHub demands a permission of its own for an edit.
const WORKFLOWS: &str = ".github/workflows/";

/// Whether GitHub demands a permission of its own for an edit of this file.
#[must_use]
pub fn is_workflow(path: &FilePath) -> bool {
    path.as_str().starts_with(WORKFLOWS)
}

impl Watch {
    /// The pin sites as they can be edited: where the token may not edit workflow files, those are
    /// left to a person.
    #[must_use]
    pub fn editable_sites(&self, may_edit_workflows: bool) -> Vec<PinSite> {
        let mut sites = self.downstream.sites.clone();
        for site in sites.iter_mut().filter(|site| is_workflow(&site.path)) {
            if !may_edit_workflows && site.presence != Presence::ByHand {
                site.presence = Presence::ByHand;
            }
        }
        sites
    }

    /// Whether a pin site that the bot edits lies below `.github/workflows`.
    #[must_use]
    pub fn edits_workflows(&self) -> bool {
        let edits = |site: &PinSite| is_workflow(&site.path) && site.presence != Presence::ByHand;
        self.downstream.sites.iter().any(edits)
    }

    /// What it needs to be permitted in its downstream.
    #[must_use]
    pub fn needs(&self) -> Vec<Need> {
        let reads_checks = self.rules.checks.is_some() || self.rules.ci_starts_within.is_some();
        let dispatches = self.rules.workflow.is_some();
        let mut needs = Need::of_watch(self.edits_workflows(), reads_checks, dispatches);
        needs.extend(self.downstream.admits_a_team().then_some(Need::TEAMS));
        needs
    }
}
