//! The configured steps, made concrete for one digest.

use crate::config::{CanaryConfig, Step};
use crate::domain::{ImageName, IndexDigest, Version};
use std::{
    collections::BTreeMap,
    ffi::OsString,
    path::{Path, PathBuf},
    time::Duration,
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

/// A command that can be started.
#[derive(Debug)]
pub(super) struct Invocation {
    pub(super) program: OsString,
    pub(super) arguments: Vec<String>,
    /// The whole environment.
    pub(super) environment: BTreeMap<String, OsString>,
    pub(super) directory: PathBuf,
    pub(super) time_limit: Duration,
}

/// The command of `step` for `target`, to run in the tree below `work`.
pub(super) fn invocation(
    config: &CanaryConfig,
    step: &Step,
    target: &Target,
    work: &Path,
) -> Invocation {
    let mut environment: BTreeMap<String, OsString> = config.passed.iter().cloned().collect();
    // Not the bot's home: there are credentials in it.
    environment.insert("HOME".to_owned(), work.join("home").into());
    environment.insert("TMPDIR".to_owned(), work.join("tmp").into());
    for (name, value) in config.env.iter().chain(&step.env) {
        environment.insert(name.clone(), target.fill(value).into());
    }
    let mut words = step.command.iter().map(|word| target.fill(word));
    Invocation {
        program: words.next().unwrap_or_default().into(),
        arguments: words.collect(),
        environment,
        directory: directory(step, work),
        time_limit: step.time_limit,
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
    use crate::config::Reading;
    use crate::domain::Digest;

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
            reading: Reading::Exit,
        };
        let config = CanaryConfig {
            prepare: None,
            steps: Vec::new(),
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
        let made = invocation(&config, &step, &target, Path::new("/work"));
        assert_eq!(made.program, "run");
        assert_eq!(made.arguments[0], "3.10.0");
        assert_eq!(made.arguments[1], format!("a ghcr.io/o/i@{} b", Digest::of(b"x")));
        let names: Vec<_> = made.environment.keys().map(String::as_str).collect();
        assert_eq!(names, ["A", "D", "HOME", "PATH", "TMPDIR"]);
        assert_eq!(made.environment["D"], Digest::of(b"x").to_string().as_str());
        assert_eq!(made.directory, Path::new("/work/tree/packages/sdk"));
    }
}
