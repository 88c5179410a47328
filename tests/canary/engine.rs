//! A container engine with a socket like Docker's, and a registry with two images of a connector.

use crate::{
    process::{Process, free_port},
    said,
};
use std::{
    fs,
    os::{fd::OwnedFd, unix::net::UnixListener},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};
use tempfile::TempDir;

/// Both at work, with a store of their own. They die with the test, and their containers as well.
pub struct Engine {
    podman: PathBuf,
    folder: TempDir,
    port: u16,
    service: Option<Process>,
    _registry: Process,
}

impl Engine {
    /// `None`, said aloud, where something is not there.
    pub fn start() -> Option<Self> {
        let podman = said::folder("DIGEST_BUMP_PODMAN")?;
        let registry = said::folder("DIGEST_BUMP_DOCKER_REGISTRY")?;
        let folder = tempfile::tempdir().unwrap();
        let at = folder.path().display();
        let port = free_port();
        let write = |name: &str, text: String| fs::write(folder.path().join(name), text).unwrap();
        // Its locks as well, so that another podman is not met.
        write(
            "containers.conf",
            format!(
                "[containers]\ndefault_ulimits = [\"nofile=4096:4096\", \"nproc=4096:4096\"]\n\
                 [engine]\ncgroup_manager = \"cgroupfs\"\nevents_logger = \"file\"\n\
                 runtime = \"runc\"\nlock_type = \"file\"\ntmp_dir = \"{at}/tmp\"\n"
            ),
        );
        write(
            "registries.conf",
            format!("[[registry]]\nlocation = \"127.0.0.1:{port}\"\ninsecure = true\n"),
        );
        write(
            "registry.yml",
            format!(
                "version: 0.1\nstorage: {{ filesystem: {{ rootdirectory: {at}/registry }} }}\n\
                 http: {{ addr: '127.0.0.1:{port}' }}\n"
            ),
        );
        let mut serve = Command::new(registry);
        serve.arg("serve").arg(folder.path().join("registry.yml")).env_clear().stdin(Stdio::null());
        let registry = Process::start(&mut serve, "listening on");
        let mut engine = Self { podman, folder, port, service: None, _registry: registry };
        engine.service = Some(engine.serve());
        Some(engine)
    }

    /// Where Docker's clients find it.
    pub fn docker_host(&self) -> String {
        format!("unix://{}", self.socket().display())
    }

    /// Builds a connector's image, good or breaking, and pushes it. Gives its name with its digest.
    pub fn image(&self, breaking: bool) -> String {
        let name = if breaking { "breaking" } else { "good" };
        let context = self.folder.path().join(name);
        fs::create_dir(&context).unwrap();
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/canary/image/connector.c");
        let mut compile = Command::new("gcc");
        compile.args(["-Wall", "-Wextra", "-Werror", "-static", "-O1", "-s", "-o"]);
        compile.arg(context.join("connector")).arg(source);
        run(if breaking { compile.arg("-DBREAKING") } else { &mut compile });
        let recipe = "FROM scratch\nCOPY connector /connector\nUSER 65534:65534\n\
                      ENTRYPOINT [\"/connector\"]\n";
        fs::write(context.join("Dockerfile"), recipe).unwrap();
        let tag = format!("127.0.0.1:{}/connector:{name}", self.port);
        run(self.podman().args(["build", "--quiet", "--tag", &tag]).arg(&context));
        let digest = context.join("digest");
        run(self.podman().args(["push", "--quiet", "--digestfile"]).arg(&digest).arg(&tag));
        // It has to be pulled to be run.
        run(self.podman().args(["rmi", "--force", &tag]));
        format!("127.0.0.1:{}/connector@{}", self.port, fs::read_to_string(&digest).unwrap())
    }

    fn socket(&self) -> PathBuf {
        self.folder.path().join("podman.sock")
    }

    fn podman(&self) -> Command {
        let folder = self.folder.path();
        let mut command = Command::new(&self.podman);
        command
            .arg("--root")
            .arg(folder.join("root"))
            .arg("--runroot")
            .arg(folder.join("run"))
            .env("CONTAINERS_CONF", folder.join("containers.conf"))
            .env("CONTAINERS_REGISTRIES_CONF", folder.join("registries.conf"))
            .stdin(Stdio::null());
        command
    }

    /// The socket is made here and handed over, as systemd does: nothing has to be waited for.
    fn serve(&self) -> Process {
        let socket = UnixListener::bind(self.socket()).unwrap();
        let podman = self.podman();
        let mut shell = Command::new("sh");
        shell.args(["-c", "exec 3<&0 </dev/null; LISTEN_FDS=1 LISTEN_PID=$$ exec \"$@\"", "sh"]);
        shell.arg(podman.get_program()).args(podman.get_args());
        shell.args(["system", "service", "--time", "0"]);
        shell.envs(podman.get_envs().filter_map(|(name, value)| Some((name, value?))));
        shell.stdin(OwnedFd::from(socket)).stdout(Stdio::null()).stderr(Stdio::null());
        Process::of(shell.spawn().unwrap())
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        self.service = None;
        let _ = self.podman().args(["rm", "--all", "--force", "--time", "0"]).output();
        let _ = self.podman().args(["rmi", "--all", "--force"]).output();
    }
}

fn run(command: &mut Command) {
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {}: {said}", output.status);
}
