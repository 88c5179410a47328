//! The configured command, made concrete for one digest.

use crate::config::CanaryConfig;
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
    fn fill(&self, text: &str) -> String {
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

/// The command for `target`, to run in the tree below `work`.
pub(super) fn invocation(config: &CanaryConfig, target: &Target, work: &Path) -> Invocation {
    let mut environment: BTreeMap<String, OsString> = config.passed.iter().cloned().collect();
    // Not the bot's home: there are credentials in it.
    environment.insert("HOME".to_owned(), work.join("home").into());
    environment.insert("TMPDIR".to_owned(), work.join("tmp").into());
    for (name, value) in &config.env {
        environment.insert(name.clone(), target.fill(value).into());
    }
    let mut words = config.command.iter().map(|word| target.fill(word));
    Invocation {
        program: words.next().unwrap_or_default().into(),
        arguments: words.collect(),
        environment,
        directory: work.join("tree"),
        time_limit: config.time_limit,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Digest;

    #[test]
    fn placeholders_are_filled_and_nothing_is_inherited() {
        let config = CanaryConfig {
            command: vec!["run".into(), "{{version}}".into(), "a {{image}} b".into()],
            time_limit: Duration::from_secs(1),
            env: BTreeMap::from([("D".to_owned(), "{{digest}}".to_owned())]),
            passed: vec![("PATH".to_owned(), "/bin".into())],
        };
        let target = Target {
            image: "ghcr.io/o/i".parse().unwrap(),
            version: "3.10.0".parse().unwrap(),
            digest: IndexDigest::new(Digest::of(b"x")),
        };
        let made = invocation(&config, &target, Path::new("/work"));
        assert_eq!(made.program, "run");
        assert_eq!(made.arguments[0], "3.10.0");
        assert_eq!(made.arguments[1], format!("a ghcr.io/o/i@{} b", Digest::of(b"x")));
        let names: Vec<_> = made.environment.keys().map(String::as_str).collect();
        assert_eq!(names, ["D", "HOME", "PATH", "TMPDIR"]);
    }
}
