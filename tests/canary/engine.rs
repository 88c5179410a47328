//! A container engine with a socket like Docker's: rootless, and of a user of its own, who is neither
//! root nor the bot's. And the images of a connector that can really be run.

use crate::{process::Process, said};
use std::{
    fs,
    os::unix::fs::{FileTypeExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::{Mutex, MutexGuard, PoisonError},
    thread,
    time::Duration,
};
use tempfile::TempDir;

/// Far more than it needs: the machine may be busy.
const START_LIMIT: Duration = Duration::from_mins(1);
/// How often is looked whether it is up.
const GLANCE: Duration = Duration::from_millis(20);
/// Where it finds its helpers.
const PATH: &str = "/usr/local/sbin:/usr/sbin:/usr/local/bin:/usr/bin:/bin";

/// An engine at work, with a store of its own. It dies with the test, and its containers as well.
pub struct Engine {
    podman: PathBuf,
    user: String,
    folder: TempDir,
    service: Option<Process>,
    _alone: MutexGuard<'static, ()>,
}

/// Two engines of one user are not tried side by side.
static ALONE: Mutex<()> = Mutex::new(());

impl Engine {
    /// `None`, said aloud, where something is not there. Images of `ghcr.io` come from `registry`.
    pub fn start(registry: &str) -> Option<Self> {
        let podman = said::folder("DIGEST_BUMP_PODMAN")?;
        let user = said::folder("DIGEST_BUMP_ENGINE_USER")?.to_string_lossy().into_owned();
        let alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
        // The cell's user has to find the way to the socket, and /tmp is another one in a cell.
        let folder = tempfile::tempdir_in("/var/tmp").unwrap();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let at = folder.path().display();
        let write = |name: &str, text: String| fs::write(folder.path().join(name), text).unwrap();
        // Its locks as well, so that another podman is not met. No group of processes is bounded:
        // nobody gave this user one.
        write(
            "containers.conf",
            format!(
                "[containers]\ndefault_ulimits = [\"nofile=1024:1024\", \"nproc=4096:4096\"]\n\
                 [engine]\ncgroup_manager = \"cgroupfs\"\nevents_logger = \"file\"\n\
                 runtime = \"runc\"\nlock_type = \"file\"\ntmp_dir = \"{at}/own/tmp\"\n"
            ),
        );
        write(
            "storage.conf",
            format!(
                "[storage]\ndriver = \"vfs\"\nrunroot = \"{at}/own/run\"\n\
                 graphroot = \"{at}/own/root\"\n"
            ),
        );
        write(
            "registries.conf",
            format!(
                "[[registry]]\nprefix = \"ghcr.io\"\nlocation = \"{}\"\ninsecure = true\n",
                registry.trim_start_matches("http://")
            ),
        );
        write("policy.json", "{\"default\": [{\"type\": \"insecureAcceptAnything\"}]}".to_owned());
        let own = folder.path().join("own");
        fs::create_dir(&own).unwrap();
        run(Command::new("chown").arg(format!("{user}:")).arg(&own));
        let mut engine = Self { podman, user, folder, service: None, _alone: alone };
        engine.service = Some(engine.serve());
        Some(engine)
    }

    /// Where Docker's clients find it.
    pub fn docker_host(&self) -> String {
        format!("unix://{}", self.socket().display())
    }

    /// The socket.
    pub fn socket(&self) -> PathBuf {
        self.folder.path().join("own/podman.sock")
    }

    /// As the user whose engine it is, and with nothing of this process's environment.
    fn podman(&self) -> Command {
        let folder = self.folder.path();
        let mut command = Command::new("setpriv");
        command
            .args(["--reuid", &self.user, "--regid", &self.user, "--init-groups"])
            .arg(&self.podman)
            .env_clear()
            .env("PATH", PATH)
            .env("HOME", folder.join("own"))
            .env("XDG_RUNTIME_DIR", folder.join("own"))
            .env("CONTAINERS_CONF", folder.join("containers.conf"))
            .env("CONTAINERS_STORAGE_CONF", folder.join("storage.conf"))
            .env("CONTAINERS_REGISTRIES_CONF", folder.join("registries.conf"))
            .current_dir(folder)
            .stdin(Stdio::null());
        command
    }

    /// Who listens is who made the socket, so that it is not made here and handed over.
    fn serve(&self) -> Process {
        let mut serve = self.podman();
        serve.args(["system", "service", "--time", "0", &self.docker_host()]);
        serve.args(["--log-level", "error"]).stdout(Stdio::null()).stderr(Stdio::null());
        let process = Process::group(&mut serve);
        let socket = self.socket();
        let mut waited = Duration::ZERO;
        while !fs::metadata(&socket).is_ok_and(|it| it.file_type().is_socket()) {
            assert!(waited < START_LIMIT, "the engine does not come up");
            thread::sleep(GLANCE);
            waited += GLANCE;
        }
        // A group of both users would do; a cell has no groups.
        fs::set_permissions(&socket, fs::Permissions::from_mode(0o666)).unwrap();
        process
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        // It is two processes.
        if let Some(service) = self.service.take() {
            service.end_group();
        }
        let _ = self.podman().args(["rm", "--all", "--force", "--time", "0"]).output();
        // Ends the process that keeps the user's namespace.
        let _ = self.podman().args(["system", "migrate"]).output();
    }
}

/// The connector, good or breaking, as one executable that needs nothing beside it.
pub fn connector(breaking: bool) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("connector");
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/canary/image/connector.c");
    let mut compile = Command::new("gcc");
    compile.args(["-Wall", "-Wextra", "-Werror", "-static", "-O1", "-s", "-o"]).arg(&program);
    compile.arg(source);
    run(if breaking { compile.arg("-DBREAKING") } else { &mut compile });
    fs::read(&program).unwrap()
}

fn run(command: &mut Command) {
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {}: {said}", output.status);
}
