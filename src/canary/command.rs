//! The configured steps, made concrete for one digest.

use super::sandbox::{Cell, Limits};
use crate::config::{CanaryConfig, Step};
use crate::domain::{ImageName, IndexDigest, Version};
use std::{
    collections::BTreeMap,
    ffi::OsString,
    path::{Path, PathBuf},
};

/// What the canary is run at.
#[derive(Debug, Clone)]
pub struct Target {
    /// The image.
    pub image: ImageName,
    /// The version.
    pub version: Version,
    /// The digest.
    pub digest: IndexDigest,
}

impl Target {
    /// Replaces `{{version}}`, `{{digest}}` and `{{image}}` (`name@digest`).
    pub(super) fn fill(&self, text: &str) -> String {
        text.replace("{{version}}", &self.version.to_string())
            .replace("{{digest}}", self.digest.as_str())
            .replace("{{image}}", &format!("{}@{}", self.image, self.digest))
    }
}

/// The cell of `step` for `target`, in the tree below `work`.
pub(super) fn cell(config: &CanaryConfig, step: &Step, target: &Target, work: &Path) -> Cell {
    let mut environment: BTreeMap<String, OsString> = config.passed.iter().cloned().collect();
    // Not the bot's home: there are credentials in it.
    environment.insert("HOME".to_owned(), work.join("home").into());
    environment.insert("TMPDIR".to_owned(), work.join("tmp").into());
    for (name, value) in config.env.iter().chain(&step.env) {
        environment.insert(name.clone(), target.fill(value).into());
    }
    let mut words = step.command.iter().map(|word| target.fill(word));
    let confinement = &config.confinement;
    Cell {
        program: words.next().unwrap_or_default().into(),
        arguments: words.collect(),
        environment,
        directory: directory(step, work),
        tree: work.join("tree"),
        home: work.join("home"),
        tmp: work.join("tmp"),
        read_only: confinement.tools.clone(),
        sockets: step.sockets.clone(),
        network: step.network.clone(),
        forward: step.forward.clone(),
        limits: Limits {
            memory: confinement.memory,
            processes: confinement.processes,
            open_files: confinement.open_files,
            file_size: confinement.file_size,
            cpu_seconds: confinement.cpu_seconds,
        },
    }
}

/// Where `step` is run.
pub(super) fn directory(step: &Step, work: &Path) -> PathBuf {
    let tree = work.join("tree");
    step.directory.as_ref().map_or_else(|| tree.clone(), |below| tree.join(below.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Confinement, Demand, Reading};
    use crate::domain::Digest;
    use std::time::Duration;

    #[test]
    fn placeholders_are_filled_and_nothing_is_inherited() {
        let step = Step {
            name: "contract".to_owned(),
            setup: false,
            command: vec!["run".into(), "{{version}}".into(), "a {{image}} b".into()],
            directory: Some("packages/sdk".parse().unwrap()),
            env: BTreeMap::from([("D".to_owned(), "{{digest}}".to_owned())]),
            time_limit: Duration::from_secs(1),
            sees_digest: true,
            network: vec!["registry.example:443".parse().unwrap()],
            sockets: Vec::new(),
            forward: vec!["127.0.0.1:18080".parse().unwrap()],
            reading: Reading::Exit,
        };
        let config = CanaryConfig {
            check_name: "canary".to_owned(),
            prepare: None,
            steps: Vec::new(),
            confinement: Confinement {
                demand: Demand::Strict,
                tools: vec!["/opt/node".into()],
                scratch: 1,
                memory: 2,
                processes: 3,
                open_files: 4,
                file_size: 5,
                cpu_seconds: 6,
            },
            attempts: 1,
            required_passes: 1,
            keep_logs: Duration::ZERO,
            env: BTreeMap::from([
                ("A".to_owned(), "of all".to_owned()),
                ("D".to_owned(), "of all".to_owned()),
            ]),
            passed: vec![("PATH".to_owned(), "/bin".into())],
        };
        let target = Target {
            image: "ghcr.io/o/i".parse().unwrap(),
            version: "3.10.0".parse().unwrap(),
            digest: IndexDigest::new(Digest::of(b"x")),
        };
        let made = cell(&config, &step, &target, Path::new("/room"));
        assert_eq!(made.program, "run");
        assert_eq!(made.arguments[0], "3.10.0");
        assert_eq!(made.arguments[1], format!("a ghcr.io/o/i@{} b", Digest::of(b"x")));
        let names: Vec<_> = made.environment.keys().map(String::as_str).collect();
        assert_eq!(names, ["A", "D", "HOME", "PATH", "TMPDIR"]);
        assert_eq!(made.environment["D"], Digest::of(b"x").to_string().as_str());
        assert_eq!(made.directory, Path::new("/room/tree/packages/sdk"));
        assert_eq!((made.read_only, made.network.len()), (vec!["/opt/node".into()], 1));
        assert_eq!(made.forward, ["127.0.0.1:18080".parse().unwrap()]);
        assert_eq!((made.limits.memory, made.limits.cpu_seconds), (2, 6));
    }
}
