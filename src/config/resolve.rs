//! From what is written to what is meant. Every problem is collected, none ends the search.

use super::{
    access, authorities,
    database::{Database, PostgresServer},
    duration,
    environment::Environment,
    raw,
    types::{Config, Schedule, Trust, TrustSource, Watch},
    watch::watch,
};
use chrono::DateTime;
use chrono_tz::Tz;
use croner::{Cron, parser::CronParser, parser::Seconds};
use std::{
    collections::{BTreeMap, BTreeSet},
    net::SocketAddr,
    str::FromStr,
};

/// The problems so far; parsing goes on after each.
#[derive(Default)]
pub(super) struct Problems(Vec<String>);

impl Problems {
    pub(super) fn add(&mut self, place: &str, text: impl std::fmt::Display) {
        self.0.push(format!("{place}: {text}"));
    }

    /// How many there are.
    #[cfg(test)]
    pub(super) fn count(&self) -> usize {
        self.0.len()
    }

    pub(super) fn take<T, E: std::fmt::Display>(
        &mut self,
        place: &str,
        result: Result<T, E>,
    ) -> Option<T> {
        result.map_err(|error| self.add(place, error)).ok()
    }

    pub(super) fn parse<T: FromStr<Err: std::fmt::Display>>(
        &mut self,
        place: &str,
        text: &str,
    ) -> Option<T> {
        self.take(place, text.parse())
    }

    pub(super) fn url(&mut self, place: &str, text: &str) -> Option<String> {
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
    if !raw.state.is_absolute() {
        // A shell alone would know what `~` is, and cron and a daemon begin in other directories.
        let text = format!("`{}` is not an absolute path", raw.state.display());
        problems.add("state", text);
    }
    let database = database(&raw, env, &mut problems);
    let schedule = schedule(&raw.schedule, &mut problems);
    let github_api = problems.url("github.api_url", &raw.github.api_url);
    let github_git = problems.url("github.git_url", &raw.github.git_url);
    let access = access::resolve(raw.github.app.as_ref(), env, &mut problems);
    let npm_registry = raw.npm.as_ref().map(|npm| problems.url("npm.registry", &npm.registry));
    let mut registries = BTreeMap::new();
    for (host, registry) in &raw.registries {
        let url = problems.url(&format!("registries.{host}.url"), &registry.url);
        registries.extend(url.map(|url| (host.clone(), url)));
    }
    let added_roots = match &raw.tls.ca_file {
        Some(file) => problems.take("tls.ca_file", authorities::read(file)),
        None => Some(Vec::new()),
    };
    let trust = trust(&raw.sigstore, &mut problems);
    let watches: Vec<Option<Watch>> =
        raw.watch.iter().enumerate().map(|(i, w)| watch(i, w, &raw, env, &mut problems)).collect();
    if watches.is_empty() {
        problems.add("watch", "there is none; add a `[[watch]]`");
    }
    let watches: Option<Vec<Watch>> = watches.into_iter().collect();
    if let Some(watches) = &watches {
        unique(watches, &mut problems);
        if let Some(access) = &access {
            access::check(access, watches, &mut problems);
        }
    }
    let complete = || {
        Some(Config {
            state: raw.state,
            database: database?,
            // One that is given but wrong is among the problems.
            listen: listen.flatten(),
            schedule: schedule?,
            github_api: github_api?,
            github_git: github_git?,
            access: access?,
            npm_registry: npm_registry.flatten(),
            registries,
            added_roots: added_roots?,
            trust: trust?,
            webhook_secret: env.webhook_secret.clone(),
            program: env.program.clone(),
            watches: watches?,
        })
    };
    match complete() {
        Some(config) if problems.0.is_empty() => Ok(config),
        _ => Err(problems.0),
    }
}

fn database(raw: &raw::Config, env: &Environment, problems: &mut Problems) -> Option<Database> {
    let Some(url) = &raw.database else {
        return Some(Database::Sqlite(raw.state.join("digest-bump.db")));
    };
    let server = PostgresServer::new(url, env.database_password.clone());
    problems.take("database", server).map(Database::Postgres)
}

fn trust(raw: &raw::Sigstore, problems: &mut Problems) -> Option<Trust> {
    let max_age = problems.take("sigstore.max_age", duration::parse(&raw.max_age));
    let source = match (raw.source, &raw.trusted_root, &raw.tuf_url, &raw.tuf_root) {
        (raw::TrustSource::Embedded, None, None, None) => Some(TrustSource::Embedded),
        (raw::TrustSource::File, Some(file), None, None) => Some(TrustSource::File(file.clone())),
        (raw::TrustSource::Tuf, None, None, None) => Some(TrustSource::Tuf(None)),
        (raw::TrustSource::Tuf, None, Some(url), Some(root)) => problems
            .url("sigstore.tuf_url", url)
            .map(|url| TrustSource::Tuf(Some((url, root.clone())))),
        _ => {
            let text = "`trusted_root` goes with `source = \"file\"`, and `tuf_url` and `tuf_root`, \
                        both or neither, with `source = \"tuf\"`";
            problems.add("sigstore", text);
            None
        }
    };
    Some(Trust { source: source?, max_age: max_age? })
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
    // Whether it ever comes does not depend on when that is asked: no field names a year.
    let comes = |cron: &Cron| cron.find_next_occurrence(&DateTime::UNIX_EPOCH, false).is_ok();
    if cron.as_ref().is_some_and(|cron| !comes(cron)) {
        problems.add("schedule.cron", format!("`{}` never comes", raw.cron));
    }
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
