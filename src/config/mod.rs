//! File and environment become a valid [`Config`] in the domain's types, or a list of all
//! problems. After this module nothing asks whether a setting makes sense.

mod authorities;
mod database;
mod duration;
mod environment;
mod raw;
#[cfg(test)]
mod reference;
mod resolve;
mod types;
mod watch;

pub use database::{Database, PostgresServer};
pub use environment::Environment;
pub use types::{CanaryConfig, Config, Downstream, Schedule, Upstream, Watch};

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

/// Reads the config file and adds the environment's secrets.
///
/// # Errors
/// All problems that were found, each with its place.
pub fn load(file: &Path, environment: &Environment) -> Result<Config, ConfigError> {
    let name = file.display().to_string();
    let text = std::fs::read_to_string(file)
        .map_err(|error| ConfigError { file: name.clone(), problems: vec![error.to_string()] })?;
    parse(&text, &name, environment)
}

/// Like [`load`], from a text.
///
/// # Errors
/// All problems that were found, each with its place.
pub fn parse(text: &str, file: &str, environment: &Environment) -> Result<Config, ConfigError> {
    let failed = |problems| ConfigError { file: file.to_owned(), problems };
    let raw: raw::Config =
        toml::from_str(text).map_err(|error| failed(vec![error.to_string().trim().to_owned()]))?;
    resolve::resolve(raw, environment).map_err(failed)
}
