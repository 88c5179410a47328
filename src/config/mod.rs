//! File and environment become a valid [`Config`] in the domain's types, or a list of all
//! problems. After this module nothing asks whether a setting makes sense.

mod access;
mod authorities;
mod canary;
mod commands;
mod confinement;
mod database;
mod duration;
mod environment;
mod known_issues;
mod proposal;
mod raw;
mod raw_canary;
mod raw_dashboard;
mod raw_downstream;
mod raw_proposal;
mod raw_upstream;
#[cfg(test)]
mod reference;
mod remote;
mod resolve;
mod size;
mod types;
mod unknown;
mod watch;

pub use access::{Access, AppAccess, Lacking};
pub use canary::{CanaryConfig, Prepare, Reading, ReportRule, Step};
pub use commands::{Admitted, CommandsConfig, DEFAULT_PREFIX};
pub use confinement::{Confinement, Demand};
pub use database::{Database, PostgresServer};
pub use environment::Environment;
pub use raw_downstream::CommitsBy;
pub use types::{
    Config, DashboardConfig, Downstream, Schedule, Trust, TrustSource, Upstream, Watch, is_workflow,
};

use std::{fmt, path::Path};

/// Everything that is wrong with a config, so that it can be mended in one go.
#[derive(Debug)]
pub struct ConfigError {
    /// Which file.
    pub file: String,
    /// One line for each problem, its place first.
    pub problems: Vec<String>,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} cannot be used:", self.file)?;
        for problem in &self.problems {
            // Some are pictures of several lines.
            write!(out, "\n  - {}", problem.replace('\n', "\n    "))?;
        }
        Ok(())
    }
}

impl std::error::Error for ConfigError {}

/// What there is to do where there is no config file.
const NO_FILE: &str = "there is no such file: name the config by --config or DIGEST_BUMP_CONFIG; \
                       the README has a small one";

/// Reads the config file and adds the environment's secrets.
///
/// # Errors
/// All problems that were found, each with its place.
pub fn load(file: &Path, environment: &Environment) -> Result<Config, ConfigError> {
    let name = file.display().to_string();
    let text = std::fs::read_to_string(file).map_err(|error| {
        let problem = match error.kind() {
            std::io::ErrorKind::NotFound => NO_FILE.to_owned(),
            _ => error.to_string(),
        };
        ConfigError { file: name.clone(), problems: vec![problem] }
    })?;
    parse(&text, &name, environment)
}

/// Like [`load`], from a text.
///
/// # Errors
/// All problems that were found, each with its place.
pub fn parse(text: &str, file: &str, environment: &Environment) -> Result<Config, ConfigError> {
    let failed = |problems| ConfigError { file: file.to_owned(), problems };
    let mut unknown = Vec::new();
    let file = toml::Deserializer::parse(text).and_then(|file| {
        serde_ignored::deserialize(file, |path| unknown.push(unknown::steps(&path)))
    });
    let mut problems: Vec<String> = unknown.iter().map(|way| unknown::problem(way, text)).collect();
    let resolved = file
        .map_err(|error| vec![error.to_string().trim().to_owned()])
        .and_then(|raw: raw::Config| resolve::resolve(raw, environment));
    match resolved {
        Ok(config) if problems.is_empty() => Ok(config),
        Ok(_) => Err(failed(problems)),
        Err(more) => {
            problems.extend(more);
            Err(failed(problems))
        }
    }
}
