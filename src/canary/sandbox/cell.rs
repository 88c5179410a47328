//! One step's world, as the config describes it.

use super::refusal::Refusal;
use crate::domain::HostPort;
use core::net::SocketAddr;
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeMap,
    ffi::OsString,
    path::{Component, Path, PathBuf},
};

/// One step's world. Paths are absolute and mean the same inside and outside.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Cell {
    /// The program; a bare name is looked for in the `PATH` of `environment`.
    pub program: OsString,
    /// Its arguments.
    pub arguments: Vec<String>,
    /// All of its environment but what names the proxy.
    pub environment: BTreeMap<String, OsString>,
    /// The working directory, `tree` or below it.
    pub directory: PathBuf,
    /// Where the exported tree is found, writable.
    pub tree: PathBuf,
    /// Where the run's home directory is found, writable.
    pub home: PathBuf,
    /// Where the run's temporary files are found, writable. Inside they are in `/tmp` as well.
    pub tmp: PathBuf,
    /// What can be read and executed beside the system's own programs and libraries.
    pub read_only: Vec<PathBuf>,
    /// Unix sockets that it was given.
    pub sockets: Vec<PathBuf>,
    /// What it may reach on the network; if empty it has none.
    pub network: Vec<HostPort>,
    /// Services on the host's loopback that it finds at the same addresses of its own.
    pub forward: Vec<SocketAddr>,
    /// How much it may take.
    pub limits: Limits,
}

/// How much a step may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// Bytes of memory: of each process (`RLIMIT_DATA`), and, looked at four times a second, of all
    /// together. The files of the run count for `scratch`.
    pub memory: u64,
    /// Processes and threads.
    pub processes: u64,
    /// Open descriptors of each process.
    pub open_files: u64,
    /// Bytes of one file.
    pub file_size: u64,
    /// Seconds of processor time of each process.
    pub cpu_seconds: u64,
}

impl Cell {
    /// Whether it needs a way to the host at all.
    pub(super) fn needs_proxy(&self) -> bool {
        !self.network.is_empty() || !self.forward.is_empty()
    }

    /// All places that its proxy may connect to.
    pub(super) fn places(&self) -> Vec<HostPort> {
        let forwarded = self.forward.iter().map(|it| HostPort::of_address(it.ip(), it.port()));
        self.network.iter().cloned().chain(forwarded).collect()
    }

    /// Whether nothing in it opens what has to stay closed.
    ///
    /// # Errors
    /// If a path is not plain, or shows the bot's own files.
    pub(super) fn check(&self) -> Result<(), Refusal> {
        let own = [&self.tree, &self.home, &self.tmp, &self.directory];
        for path in own.into_iter().chain(&self.read_only).chain(&self.sockets) {
            if !is_plain(path) {
                return Err(Refusal::new(format!(
                    "`{}` is not an absolute path without `..`",
                    path.display()
                )));
            }
        }
        if !self.directory.starts_with(&self.tree) {
            return Err(Refusal::new(format!(
                "the working directory {} is not below the tree",
                self.directory.display()
            )));
        }
        if let Some(address) = self.forward.iter().find(|it| !it.ip().is_loopback()) {
            return Err(Refusal::new(format!("{address} is not on this host's loopback")));
        }
        for path in &self.read_only {
            // It would show other runs too, and what lies beside them.
            if self.tree.starts_with(path) {
                return Err(Refusal::new(format!(
                    "{} cannot be part of the tool chain: the bot's state is below it",
                    path.display()
                )));
            }
        }
        Ok(())
    }
}

fn is_plain(path: &Path) -> bool {
    path.is_absolute()
        && path.components().all(|it| matches!(it, Component::RootDir | Component::Normal(_)))
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A cell that asks for nothing.
    pub(in crate::canary::sandbox) fn bare() -> Cell {
        Cell {
            program: "true".into(),
            arguments: Vec::new(),
            environment: BTreeMap::new(),
            directory: "/state/canary/7/tree".into(),
            tree: "/state/canary/7/tree".into(),
            home: "/state/canary/7/home".into(),
            tmp: "/state/canary/7/tmp".into(),
            read_only: Vec::new(),
            sockets: Vec::new(),
            network: Vec::new(),
            forward: Vec::new(),
            limits: Limits {
                memory: 1 << 30,
                processes: 64,
                open_files: 256,
                file_size: 1 << 28,
                cpu_seconds: 60,
            },
        }
    }

    #[test]
    fn a_tool_chain_does_not_show_the_state() {
        let with = |path: &str| Cell { read_only: vec![path.into()], ..bare() }.check();
        assert!(with("/opt/node").is_ok());
        for path in ["/", "/state", "/state/canary/7/tree", "opt", "/opt/../state"] {
            assert!(with(path).is_err(), "{path}");
        }
    }

    #[test]
    fn nothing_but_this_hosts_loopback_is_forwarded() {
        let with = |address: &str| Cell { forward: vec![address.parse().unwrap()], ..bare() };
        assert!(with("127.0.0.1:18080").check().is_ok() && with("[::1]:18080").check().is_ok());
        for address in ["169.254.169.254:80", "0.0.0.0:18080", "10.0.0.1:18080"] {
            assert!(with(address).check().is_err(), "{address}");
        }
        let places = with("127.0.0.1:18080").places();
        assert_eq!(places, ["127.0.0.1:18080".parse::<HostPort>().unwrap()]);
    }

    #[test]
    fn a_step_starts_in_its_tree() {
        let within = |path: &str| Cell { directory: path.into(), ..bare() }.check();
        assert!(within("/state/canary/7/tree/packages/sdk").is_ok());
        for path in ["/state/canary/7", "/state/canary/7/tree/../home", "packages"] {
            assert!(within(path).is_err(), "{path}");
        }
    }
}
