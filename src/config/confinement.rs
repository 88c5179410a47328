//! What confines a canary's steps on the bot's own host: how it is written, and what is meant.

use super::{duration, resolve::Problems, size};
use serde::Deserialize;
use std::path::PathBuf;

/// What confines the steps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Confinement {
    /// What has to be enforced.
    pub demand: Demand,
    /// What the steps can read and execute beside the system's own programs and libraries.
    pub tools: Vec<PathBuf>,
    /// Bytes that the exported tree and all that a run writes may take together.
    pub scratch: u64,
    /// Bytes of memory of a step.
    pub memory: u64,
    /// Processes and threads of a step.
    pub processes: u64,
    /// Open descriptors of each of its processes.
    pub open_files: u64,
    /// Bytes of one file.
    pub file_size: u64,
    /// Seconds of processor time of each of its processes.
    pub cpu_seconds: u64,
}

/// What has to be enforced.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema, serde::Serialize))]
#[serde(rename_all = "kebab-case")]
pub enum Demand {
    /// All that `docs/sandbox.md` lists. Takes bubblewrap.
    #[default]
    Strict,
    /// What Landlock can do: files, TCP and signals.
    Landlock,
    /// Nothing.
    Off,
}

/// What the steps can read, and how much they may take.
#[derive(Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(deny_unknown_fields))]
#[serde(default)]
pub(super) struct Raw {
    /// `strict` for all that `docs/sandbox.md` lists, which takes bubblewrap; `landlock` for files,
    /// TCP and signals alone; `off` for nothing: whatever is run may then do all that the bot's user
    /// can. Default: `strict`.
    demand: Demand,
    /// What the steps can read and execute beside the system's own programs and libraries, such as
    /// `/opt/node`. Default: none.
    tools: Vec<PathBuf>,
    /// How much the repository and all that a run writes may take together. Default: `4GiB`.
    scratch: String,
    /// The memory of a step. Default: `4GiB`.
    memory: String,
    /// Processes and threads of a step. Default: `512`.
    processes: u64,
    /// Open descriptors of each of its processes. Default: `4096`.
    open_files: u64,
    /// The size of one file. Default: `1GiB`.
    file_size: String,
    /// Processor time of each of its processes. Default: `1h`.
    cpu: String,
}

impl Default for Raw {
    fn default() -> Self {
        Self {
            demand: Demand::Strict,
            tools: Vec::new(),
            scratch: "4GiB".to_owned(),
            memory: "4GiB".to_owned(),
            processes: 512,
            open_files: 4096,
            file_size: "1GiB".to_owned(),
            cpu: "1h".to_owned(),
        }
    }
}

pub(super) fn resolve(place: &str, raw: &Raw, problems: &mut Problems) -> Option<Confinement> {
    let at = |key: &str| format!("{place}.{key}");
    for tool in raw.tools.iter().filter(|tool| !tool.is_absolute()) {
        problems.add(&at("tools"), format!("`{}` is not an absolute path", tool.display()));
    }
    let mut size = |key: &str, text: &str| problems.take(&at(key), size::parse(text));
    let (scratch, memory) = (size("scratch", &raw.scratch), size("memory", &raw.memory));
    let file_size = size("file_size", &raw.file_size);
    let cpu = problems.take(&at("cpu"), duration::parse(&raw.cpu));
    Some(Confinement {
        demand: raw.demand,
        tools: raw.tools.clone(),
        scratch: scratch?,
        memory: memory?,
        processes: raw.processes,
        open_files: raw.open_files,
        file_size: file_size?,
        cpu_seconds: cpu?.as_secs().max(1),
    })
}
