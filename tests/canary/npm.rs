//! pnpm, and a registry for npm packages in a process of its own.

use crate::{
    process::{Process, free_port},
    said,
};
use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};
use tempfile::TempDir;

/// What `.ci/canary.sh` fetched.
pub struct Tools {
    /// The folder with the binaries.
    pub bin: PathBuf,
    /// The folder with pnpm's store.
    pub store: PathBuf,
}

impl Tools {
    /// `None`, said aloud, where they are not there.
    pub fn find() -> Option<Self> {
        let bin = said::folder("DIGEST_BUMP_CANARY_TOOLS")?;
        Some(Self { bin, store: said::folder("DIGEST_BUMP_CANARY_STORE")? })
    }

    /// A command that finds them and has an end, without what changes the behaviour of tests.
    pub fn command(&self, program: &str) -> Command {
        let mut command = self.started("timeout".as_ref());
        command.args(["--kill-after=5", "100", program]);
        command
    }

    fn started(&self, program: &Path) -> Command {
        let path = std::env::vars_os().find(|(name, _)| name == "PATH").unwrap().1;
        let path = std::iter::once(self.bin.clone()).chain(std::env::split_paths(&path));
        let mut command = Command::new(program);
        command.env("PATH", std::env::join_paths(path).unwrap()).stdin(Stdio::null());
        for name in ["CI", "SKIP_DOCKER", "DOCKER_HOST", "CONNECTOR_IMAGE_OVERRIDE"] {
            command.env_remove(name);
        }
        command
    }
}

/// A registry at work. It dies with the test.
pub struct Npm {
    /// Where it listens, with a slash at the end.
    pub url: String,
    _process: Process,
    _folder: TempDir,
}

impl Npm {
    /// Starts an empty registry, and publishes the connector's package: 3.9.3, 3.10.0 and 3.12.0, and
    /// 3.11.0, which lacks an export.
    pub fn start(tools: &Tools) -> Self {
        let folder = tempfile::tempdir().unwrap();
        // It cannot be told to choose a port itself.
        let port = free_port();
        let config = folder.path().join("config.yaml");
        fs::write(&config, configured(folder.path(), port)).unwrap();
        let mut command = tools.started(&tools.bin.join("verdaccio"));
        command.arg("--config").arg(&config);
        let process = Process::start(&mut command, "http address");
        let npm =
            Self { url: format!("http://127.0.0.1:{port}/"), _process: process, _folder: folder };
        for (variant, version) in
            [("good", "3.9.3"), ("good", "3.10.0"), ("breaking", "3.11.0"), ("good", "3.12.0")]
        {
            npm.publish(tools, variant, version);
        }
        npm
    }

    fn publish(&self, tools: &Tools, variant: &str, version: &str) {
        let connectors = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/canary/connector");
        let package = tempfile::tempdir().unwrap();
        for entry in fs::read_dir(connectors.join(variant)).unwrap() {
            let path = entry.unwrap().path();
            let text = fs::read_to_string(&path).unwrap();
            let described = path.ends_with("package.json");
            let text = if described { versioned(&text, version) } else { text };
            fs::write(package.path().join(path.file_name().unwrap()), text).unwrap();
        }
        let mut command = tools.command("npm");
        // The client insists on a token; the registry does not look at it.
        let door = self.url.trim_start_matches("http:").to_owned();
        command
            .args(["publish", "--loglevel=error", "--fetch-retries=0", "--registry", &self.url])
            .arg(format!("--{door}:_authToken=anybody"))
            .current_dir(package.path());
        let output = command.output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
}

/// A package's description, of another version.
fn versioned(text: &str, version: &str) -> String {
    let mut package: serde_json::Value = serde_json::from_str(text).unwrap();
    package["version"] = version.into();
    package.to_string()
}

fn configured(folder: &Path, port: u16) -> String {
    let folder = folder.display();
    format!(
        "storage: {folder}/packages\nlisten: 127.0.0.1:{port}\nweb: {{ enable: false }}\n\
         auth: {{ htpasswd: {{ file: {folder}/htpasswd, max_users: -1 }} }}\n\
         packages: {{ '**': {{ access: $anonymous, publish: $anonymous }} }}\n\
         log: {{ type: stdout, format: json, level: warn }}\n"
    )
}
