//! The sandbox, each clause by a canary that tries. A script prints `REACHED` where it got at what
//! it must not; where that can be had, the same script is run unconfined first, and has to reach it.
//!
//! The gate runs this twice, as root and as a user like any other (`.ci/sandbox.sh`).
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panic")]

mod ends;
mod files;
mod limits;
mod network;
mod only_landlock;
mod processes;
mod useful;

use digest_bump::canary::sandbox::{Cell, Demand, Limits, Run, Sandbox};
use std::{
    collections::BTreeMap,
    ffi::OsString,
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    sync::OnceLock,
    time::Duration,
};

const MIB: u64 = 1024 * 1024;
/// Far more than any step here needs: the machine may be busy.
const LONGEST: Duration = Duration::from_mins(2);

/// The program, which the gate's second run finds elsewhere.
fn launcher() -> PathBuf {
    named("DIGEST_BUMP_LAUNCHER")
        .map_or_else(|| env!("CARGO_BIN_EXE_digest-bump").into(), PathBuf::from)
}

fn named(variable: &str) -> Option<OsString> {
    std::env::vars_os().find(|(name, _)| name == variable).map(|(_, value)| value)
}

fn is_root() -> bool {
    nix::unistd::geteuid().is_root()
}

/// The strict sandbox, or a word that nothing was looked at.
async fn strict() -> Option<Sandbox> {
    static CHOSEN: OnceLock<Option<Sandbox>> = OnceLock::new();
    if let Some(chosen) = CHOSEN.get() {
        return chosen.clone();
    }
    let chosen = match Sandbox::choose(Demand::Strict, &launcher()).await {
        Ok(sandbox) => Some(sandbox),
        Err(refusal) => {
            let why = "the sandbox was not tried: apt install bubblewrap";
            assert!(named("DIGEST_BUMP_NO_SKIPS").is_none(), "{why}: {refusal}");
            // Not through the capture of the test's output.
            let said = format!("SKIPPED: {why}: {refusal}\n");
            std::io::Write::write_all(&mut std::io::stderr(), said.as_bytes()).unwrap();
            None
        }
    };
    CHOSEN.get_or_init(|| chosen).clone()
}

async fn off() -> Sandbox {
    Sandbox::choose(Demand::Off, &launcher()).await.unwrap()
}

/// A state directory as the bot has one, with a run in it.
struct Stand {
    folder: tempfile::TempDir,
}

impl Stand {
    fn new() -> Self {
        // Not below /tmp, of which a cell has one of its own.
        let folder = tempfile::tempdir_in("/var/tmp").unwrap();
        let stand = Self { folder };
        // What a cell's user may not even look up, it is refused for the wrong reason.
        fs::set_permissions(stand.folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        for part in ["tree", "home", "tmp"] {
            fs::create_dir_all(stand.work().join(part)).unwrap();
        }
        stand.file("canary/7/tree/file", "from the tree\n");
        stand
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn work(&self) -> PathBuf {
        self.path("canary/7")
    }

    fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        path
    }

    fn cell(&self, script: &str) -> Cell {
        let work = self.work();
        let environment = [
            ("PATH", OsString::from("/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin")),
            ("HOME", work.join("home").into()),
            ("TMPDIR", work.join("tmp").into()),
        ];
        Cell {
            program: "sh".into(),
            arguments: vec!["-c".to_owned(), script.to_owned()],
            environment: environment.map(|(name, value)| (name.to_owned(), value)).into(),
            directory: work.join("tree"),
            tree: work.join("tree"),
            home: work.join("home"),
            tmp: work.join("tmp"),
            read_only: Vec::new(),
            sockets: Vec::new(),
            network: Vec::new(),
            forward: Vec::new(),
            limits: Limits {
                memory: 2048 * MIB,
                processes: 100,
                open_files: 256,
                file_size: 64 * MIB,
                cpu_seconds: 60,
            },
        }
    }

    async fn open(&self, sandbox: &Sandbox, scratch: u64) -> Run {
        sandbox.open(&self.work().join("tree"), scratch).await.expect("a room")
    }

    /// Runs one step in a room of its own.
    async fn step(&self, sandbox: &Sandbox, cell: &Cell) -> Ended {
        let run = self.open(sandbox, 64 * MIB).await;
        ended(&run, cell).await
    }

    /// Runs the script unconfined, where it has to reach what it tries, and confined, where it
    /// must not.
    async fn is_kept_from(&self, script: &str) {
        let free = self.step(&off().await, &self.cell(script)).await;
        assert!(free.out.contains("REACHED"), "even unconfined: {free:#?}");
        self.cannot(script).await;
    }

    /// The same, where it cannot or should not be tried unconfined. Gives what was said.
    async fn cannot(&self, script: &str) -> Ended {
        let Some(sandbox) = strict().await else { return Ended::default() };
        let ended = self.step(&sandbox, &self.cell(&format!("{script}\necho TRIED"))).await;
        assert!(ended.out.contains("TRIED") && !ended.out.contains("REACHED"), "{ended:#?}");
        ended
    }
}

/// What a step showed.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
struct Ended {
    code: Option<i32>,
    out: String,
    err: String,
}

impl From<Output> for Ended {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code(),
            out: String::from_utf8_lossy(&output.stdout).into_owned(),
            err: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

async fn ended(run: &Run, cell: &Cell) -> Ended {
    let mut command = tokio::process::Command::from(run.command(cell).expect("a step"));
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    let output = tokio::time::timeout(LONGEST, command.output()).await;
    output.expect("the step ended").expect("the step started").into()
}

/// A process of the bot's user, in whose environment and memory there is a secret.
struct Victim(std::process::Child);

impl Victim {
    fn new() -> Self {
        let mut command = Command::new("sleep");
        Self(command.arg("600").env("TOKEN", "ghs_secret").spawn().unwrap())
    }

    fn id(&self) -> u32 {
        self.0.id()
    }

    fn is_alive(&mut self) -> bool {
        self.0.try_wait().unwrap().is_none()
    }
}

impl Drop for Victim {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Perl on one line, which Debian always has; `$!` says why a try failed.
fn perl(script: &str) -> String {
    assert!(!script.contains('\''));
    format!("perl -MSocket -e '{script}'")
}

fn quoted(path: &Path) -> String {
    format!("'{}'", path.display())
}

fn environment(names: &[(&str, &str)]) -> BTreeMap<String, OsString> {
    names.iter().map(|(name, value)| ((*name).to_owned(), (*value).into())).collect()
}
