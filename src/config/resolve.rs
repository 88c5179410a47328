//! From what is written to what is meant. Every problem is collected, none ends the search.

use super::{
    duration,
    environment::{Environment, TOKEN},
    raw,
};
use crate::domain::{
    BranchName, FilePath, ImageName, LinePattern, MigrationRule, NpmRule, PinSite, Platform,
    Presence, RepoName, RetryRule, Rules, SiteShape, TagRule, WatchName,
};
use chrono_tz::Tz;
use croner::{Cron, parser::CronParser, parser::Seconds};
use regex::Regex;
use secrecy::SecretString;
use std::{
    collections::{BTreeMap, BTreeSet},
    net::SocketAddr,
    path::PathBuf,
    str::FromStr,
    time::Duration,
};

/// A config that makes sense.
#[derive(Debug, Clone)]
pub struct Config {
    /// The directory for the database, the git cache and the canary's work trees.
    pub state: PathBuf,
    /// The address of the status page.
    pub listen: Option<SocketAddr>,
    /// When passes run.
    pub schedule: Schedule,
    /// The base URL of GitHub's REST API.
    pub github_api: String,
    /// The base URL of GitHub's repositories.
    pub github_git: String,
    /// The token for GitHub, if there is one.
    pub github_token: Option<SecretString>,
    /// The base URL of the npm registry, if a watch needs one.
    pub npm_registry: Option<String>,
    /// Base URLs of registries, by the host in the image's name.
    pub registries: BTreeMap<String, String>,
    /// The pairs.
    pub watches: Vec<Watch>,
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
    /// The title of a pin bump, with `{image}`, `{from}` and `{to}`.
    pub title: String,
    /// Labels for its pull requests.
    pub labels: Vec<String>,
    /// Name and e-mail of its commits' author.
    pub author: (String, String),
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
    /// The places that spell the pin.
    pub sites: Vec<PinSite>,
}

/// The contract canary.
#[derive(Debug, Clone)]
pub struct CanaryConfig {
    /// The program and its arguments, placeholders not yet replaced.
    pub command: Vec<String>,
    /// When the whole process group is ended.
    pub time_limit: Duration,
    /// Variables, placeholders not yet replaced.
    pub env: BTreeMap<String, String>,
    /// Variables of the bot that the canary may see, with their values.
    pub passed: Vec<(String, std::ffi::OsString)>,
}

/// The problems so far; parsing goes on after each.
#[derive(Default)]
struct Problems(Vec<String>);

impl Problems {
    fn add(&mut self, place: &str, text: impl std::fmt::Display) {
        self.0.push(format!("{place}: {text}"));
    }

    fn take<T, E: std::fmt::Display>(&mut self, place: &str, result: Result<T, E>) -> Option<T> {
        result.map_err(|error| self.add(place, error)).ok()
    }

    fn parse<T: FromStr<Err: std::fmt::Display>>(&mut self, place: &str, text: &str) -> Option<T> {
        self.take(place, text.parse())
    }

    fn url(&mut self, place: &str, text: &str) -> Option<String> {
        let loopback = ["http://127.0.0.1", "http://localhost", "http://[::1]"];
        if text.starts_with("https://") || loopback.iter().any(|start| text.starts_with(start)) {
            return Some(text.trim_end_matches('/').to_owned());
        }
        self.add(place, format!("`{text}` is not an https URL"));
        None
    }
}

pub(super) fn resolve(raw: raw::Config, env: &Environment) -> Result<Config, Vec<String>> {
    let mut problems = Problems::default();
    let listen = raw.listen.as_deref().map(|text| problems.take("listen", address(text)));
    let schedule = schedule(&raw.schedule, &mut problems);
    let github_api = problems.url("github.api_url", &raw.github.api_url);
    let github_git = problems.url("github.git_url", &raw.github.git_url);
    let npm_registry = raw.npm.as_ref().map(|npm| problems.url("npm.registry", &npm.registry));
    let mut registries = BTreeMap::new();
    for (host, registry) in &raw.registries {
        let url = problems.url(&format!("registries.{host}.url"), &registry.url);
        registries.extend(url.map(|url| (host.clone(), url)));
    }
    let watches: Vec<Option<Watch>> =
        raw.watch.iter().enumerate().map(|(i, w)| watch(i, w, &raw, env, &mut problems)).collect();
    if watches.is_empty() {
        problems.add("watch", "there is none; add a `[[watch]]`");
    }
    let watches: Option<Vec<Watch>> = watches.into_iter().collect();
    if let Some(watches) = &watches {
        unique(watches, &mut problems);
    }
    let complete = || {
        Some(Config {
            state: raw.state,
            // One that is given but wrong is among the problems.
            listen: listen.flatten(),
            schedule: schedule?,
            github_api: github_api?,
            github_git: github_git?,
            github_token: env.github_token.clone(),
            npm_registry: npm_registry.flatten(),
            registries,
            watches: watches?,
        })
    };
    match complete() {
        Some(config) if problems.0.is_empty() => Ok(config),
        _ => Err(problems.0),
    }
}

fn schedule(raw: &raw::Schedule, problems: &mut Problems) -> Option<Schedule> {
    let fields = raw.cron.split_whitespace().count();
    if !matches!(fields, 5 | 6) {
        problems.add("schedule.cron", format!("`{}` has {fields} fields, not 5 or 6", raw.cron));
        return None;
    }
    let seconds = fields == 6;
    let parser = CronParser::builder()
        .seconds(if seconds { Seconds::Required } else { Seconds::Disallowed })
        .build();
    let cron = parser.parse(&raw.cron);
    let cron = cron.map_err(|error| format!("`{}`: {error}", raw.cron));
    let cron = problems.take("schedule.cron", cron);
    let zone = raw.time_zone.parse::<Tz>();
    let zone = zone.map_err(|_| format!("`{}` is not an IANA time zone", raw.time_zone));
    let zone = problems.take("schedule.time_zone", zone);
    let jitter = problems.take("schedule.jitter", duration::parse(&raw.jitter));
    let grace = problems.take("schedule.grace", duration::parse(&raw.grace));
    Some(Schedule { cron: cron?, seconds, zone: zone?, jitter: jitter?, grace: grace? })
}

fn address(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| format!("`{text}` is not an address such as `127.0.0.1:8080`"))
}

fn unique(watches: &[Watch], problems: &mut Problems) {
    let (mut names, mut pairs) = (BTreeSet::new(), BTreeSet::new());
    for watch in watches {
        if !names.insert(&watch.name) {
            problems.add("watch.name", format!("`{}` stands twice", watch.name));
        }
        // The branch's name is made from the image: two watches would fight over it.
        if !pairs.insert((&watch.downstream.repository, watch.upstream.image.short())) {
            let text = format!("two watches move the same pin in {}", watch.downstream.repository);
            problems.add("watch", text);
        }
    }
}

fn watch(
    index: usize,
    raw: &raw::Watch,
    all: &raw::Config,
    env: &Environment,
    problems: &mut Problems,
) -> Option<Watch> {
    let at = |key: &str| format!("watch[{index}].{key}");
    let name = problems.parse(&at("name"), &raw.name);
    let upstream = &raw.upstream;
    let repository = problems.parse(&at("upstream.repository"), &upstream.repository);
    let image = problems.parse(&at("upstream.image"), &upstream.image);
    if upstream.npm.is_some() && all.npm.is_none() {
        let text = "needs `npm.registry`: what `npm config get registry` prints";
        problems.add(&at("upstream.npm"), text);
    }
    let downstream = downstream(&at("downstream"), &raw.downstream, problems);
    let rules = rules(&at, raw, problems);
    let canary = canary(&at("canary"), &raw.canary, env, problems);
    let author = author(&raw.proposal.author);
    if author.is_none() {
        problems.add(&at("proposal.author"), "is not of the form `Name <e-mail>`");
    }
    if !raw.proposal.title.contains("{to}") {
        problems.add(&at("proposal.title"), "does not contain `{to}`");
    }
    Some(Watch {
        name: name?,
        upstream: Upstream { repository: repository?, image: image? },
        downstream: downstream?,
        rules: rules?,
        canary: canary?,
        title: raw.proposal.title.clone(),
        labels: raw.proposal.labels.clone(),
        author: author?,
    })
}

fn author(text: &str) -> Option<(String, String)> {
    let (name, rest) = text.split_once(" <")?;
    let email = rest.strip_suffix('>')?;
    let plain = |part: &str| !part.is_empty() && !part.contains(['<', '>', '\n']);
    (plain(name) && plain(email)).then(|| (name.to_owned(), email.to_owned()))
}

fn rules(at: &dyn Fn(&str) -> String, raw: &raw::Watch, problems: &mut Problems) -> Option<Rules> {
    let upstream = &raw.upstream;
    let place = at("upstream.tag_pattern");
    let pattern = problems.take(&place, Regex::new(&upstream.tag_pattern));
    if let Some(pattern) = &pattern
        && !pattern.capture_names().flatten().any(|name| name == "version")
    {
        problems.add(&place, "has no group `(?P<version>…)`");
    }
    if upstream.platforms.is_empty() {
        problems.add(&at("upstream.platforms"), "promises no platform");
    }
    let deadline = problems
        .take(&at("upstream.artifact_deadline"), duration::parse(&upstream.artifact_deadline));
    let retry: Vec<_> = raw
        .canary
        .retry
        .iter()
        .map(|text| problems.take(&at("canary.retry"), duration::parse(text)))
        .collect();
    let npm = upstream.npm.as_ref().map(|npm| npm_rule(at, npm, problems));
    let migration =
        raw.migration.as_ref().map(|m| problems.parse::<FilePath>(&at("migration.path"), &m.path));
    Some(Rules {
        tags: TagRule { pattern: pattern? },
        patches: raw.proposal.patches,
        npm: npm.flatten(),
        platforms: upstream.platforms.iter().cloned().map(Platform).collect(),
        artifact_deadline: deadline?,
        retry: RetryRule { pauses: retry.into_iter().collect::<Option<_>>()? },
        canary: format!("{:?} {:?}", raw.canary.command, raw.canary.env),
        migration: migration.flatten().map(|path| MigrationRule { path }),
    })
}

fn npm_rule(
    at: &dyn Fn(&str) -> String,
    raw: &raw::NpmPackage,
    problems: &mut Problems,
) -> Option<NpmRule> {
    let Some(guard) = &raw.guard else {
        return Some(NpmRule { package: raw.package.clone(), guard: None });
    };
    if !guard.pointer.starts_with('/') {
        problems.add(&at("upstream.npm.guard.pointer"), "does not begin with `/`");
    }
    let pattern = problems.take(&at("upstream.npm.guard.pattern"), Regex::new(&guard.pattern))?;
    Some(NpmRule { package: raw.package.clone(), guard: Some((guard.pointer.clone(), pattern)) })
}

fn downstream(place: &str, raw: &raw::Downstream, problems: &mut Problems) -> Option<Downstream> {
    let repository = problems.parse(&format!("{place}.repository"), &raw.repository);
    let branch = problems.parse(&format!("{place}.branch"), &raw.branch);
    let sites: Result<Vec<Option<PinSite>>, ()> = raw
        .site
        .iter()
        .enumerate()
        .map(|(i, raw)| site(&format!("{place}.site[{i}]"), raw, problems))
        // Not collected at once: every site's problems are wanted.
        .collect::<Vec<_>>()
        .into_iter()
        .collect();
    if !raw.site.iter().any(|site| site.authority && !matches!(site.when, raw::When::Off)) {
        problems.add(&format!("{place}.site"), "none is an authority, so the pin cannot be read");
    }
    let sites = sites.ok()?.into_iter().flatten().collect();
    Some(Downstream { repository: repository?, branch: branch?, sites })
}

/// `Ok(None)` is a site that is off; `Err` one with problems, which were added.
fn site(place: &str, raw: &raw::Site, problems: &mut Problems) -> Result<Option<PinSite>, ()> {
    let presence = match raw.when {
        raw::When::Required => Presence::Required,
        raw::When::IfPresent => Presence::IfPresent,
        raw::When::Off => return Ok(None),
    };
    let path = problems.parse::<FilePath>(&format!("{place}.path"), &raw.path);
    let shape = match (&raw.json, &raw.line, raw.count) {
        (Some(pointer), None, None) if pointer.starts_with('/') => {
            Some(SiteShape::Manifest { pointer: pointer.clone() })
        }
        (None, Some(line), count) if count != Some(0) => problems
            .take(&format!("{place}.line"), LinePattern::new(line))
            .map(|pattern| SiteShape::Line { pattern, count: count.unwrap_or(1) }),
        _ => {
            let text = "needs either `json` (a pointer, which begins with `/`) or `line` (with a `count` of 1 or more, if any)";
            problems.add(place, text);
            None
        }
    };
    let (Some(path), Some(shape)) = (path, shape) else {
        return Err(());
    };
    let name = raw.name.clone().unwrap_or_else(|| raw.path.clone());
    Ok(Some(PinSite { name, path, shape, presence, authority: raw.authority }))
}

fn canary(
    place: &str,
    raw: &raw::Canary,
    env: &Environment,
    problems: &mut Problems,
) -> Option<CanaryConfig> {
    if raw.command.first().is_none_or(String::is_empty) {
        problems.add(&format!("{place}.command"), "is empty");
    }
    if raw.pass_env.iter().any(|name| name == TOKEN) {
        let text = format!("must not name {TOKEN}: the canary runs foreign code");
        problems.add(&format!("{place}.pass_env"), text);
    }
    let limit = problems.take(&format!("{place}.time_limit"), duration::parse(&raw.time_limit));
    let passed = raw
        .pass_env
        .iter()
        .filter_map(|name| Some((name.clone(), env.get(name)?.clone())))
        .collect();
    Some(CanaryConfig {
        command: raw.command.clone(),
        time_limit: limit?,
        env: raw.env.clone(),
        passed,
    })
}
