//! Confines the steps of a canary on the bot's own host. `docs/sandbox.md` says what is enforced by
//! what, and what is not.
//!
//! With bubblewrap a run has a *room*: a mount namespace of its own that holds a sized file system
//! in memory with the exported tree, home and scratch. It lives as long as the run, so that steps
//! share what they write and none can write more than its size. Each step is a *cell*: bubblewrap
//! once more, started inside the room, with its own process, network, IPC and mount namespaces.
//! Whatever a step left behind dies with its process namespace, and what the run wrote with the
//! room.
//!
//! Three processes are this program once more, under arguments that no help names ([`reenter`]): the
//! holder of a room, who enters it to start a cell and watches it from outside, and who prepares
//! the inside. So nothing has to happen between `fork` and `exec`.

mod bubblewrap;
mod cell;
mod engine;
mod inside;
mod landlock;
mod pack;
mod probe;
pub mod proxy;
mod refusal;
mod room;
mod wire;

pub use cell::{Cell, Limits};
pub use engine::engine_socket_allowed;
pub use inside::reenter;
pub use refusal::Refusal;
pub use wire::COULD_NOT_START;

use room::Room;
use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
};
use wire::{Entry, Way};

/// What the config demands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Demand {
    /// All that `docs/sandbox.md` lists. Takes bubblewrap.
    Strict,
    /// What Landlock can do: files, TCP, signals. An explicit choice, to be logged.
    Files,
    /// Nothing. An explicit choice, to be logged.
    Off,
}

/// How steps are confined on this host. Chosen once, at the start and for `config check`.
#[derive(Debug, Clone)]
pub struct Sandbox {
    means: Means,
    /// This program, to be run again.
    launcher: PathBuf,
}

/// What a sandbox stands on.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Means {
    Bubblewrap { program: PathBuf, version: String },
    Landlock { abi: i32 },
    Nothing,
}

impl Sandbox {
    /// Looks what this host can do, bubblewrap by really starting a cell.
    /// `launcher` is this program, to be run again.
    ///
    /// # Errors
    /// A [`Refusal`] that names what cannot be enforced here, why, and the remedies.
    pub async fn choose(demand: Demand, launcher: &Path) -> Result<Self, Refusal> {
        let launcher = launcher.to_owned();
        let means = match demand {
            Demand::Off => Means::Nothing,
            Demand::Files => probe::landlock()?,
            Demand::Strict => return probe::bubblewrap(launcher).await,
        };
        Ok(Self { means, launcher })
    }

    /// For logs, `config check` and the pull request: `bubblewrap 0.8.0`, `Landlock ABI 7`, `off`.
    #[must_use]
    pub fn describe(&self) -> String {
        match &self.means {
            Means::Bubblewrap { version, .. } => format!("bubblewrap {version}"),
            Means::Landlock { abi } => format!("Landlock ABI {abi}"),
            Means::Nothing => "off".to_owned(),
        }
    }

    /// For the reader of a pull request: `confined by bubblewrap 0.8.0`, `not confined`.
    #[must_use]
    pub fn in_words(&self) -> String {
        match &self.means {
            Means::Nothing => "not confined".to_owned(),
            Means::Bubblewrap { .. } => format!("confined by {}", self.describe()),
            Means::Landlock { .. } => format!("confined in part, by {}", self.describe()),
        }
    }

    /// What this sandbox leaves open, one clause each, to be logged where it is chosen.
    #[must_use]
    pub fn leaves_open(&self) -> Vec<&'static str> {
        match &self.means {
            Means::Bubblewrap { .. } => Vec::new(),
            Means::Landlock { abi } => landlock::leaves_open(*abi),
            Means::Nothing => vec!["everything: a step can do whatever the bot's user can do"],
        }
    }

    /// Makes the room of one run. `tree` is the exported tree, which is copied into it, and
    /// `scratch` the bytes that the copy, home and temporary files may take together. Without
    /// bubblewrap the tree is used where it lies, and `scratch` bounds nothing.
    ///
    /// # Errors
    /// If the room cannot be made, or the tree does not fit.
    pub async fn open(&self, tree: &Path, scratch: u64) -> Result<Run, Refusal> {
        let room = match &self.means {
            Means::Bubblewrap { program, .. } => {
                Some(Room::open(program, &self.launcher, tree, scratch).await?)
            }
            Means::Landlock { .. } | Means::Nothing => None,
        };
        Ok(Run { sandbox: self.clone(), room })
    }
}

/// One run, whose steps share tree, home and temporary files. What was written vanishes with it.
#[derive(Debug)]
pub struct Run {
    sandbox: Sandbox,
    room: Option<Room>,
}

impl Run {
    /// Whether the tree is in a place of its own, which only its cells can see. Otherwise it is used
    /// where it lies.
    #[must_use]
    pub fn is_apart(&self) -> bool {
        self.room.is_some()
    }

    /// Ends the run: what it wrote is gone when this is done, and no step of it can start any more.
    /// Dropping it does the same a moment later.
    pub async fn close(self) {
        if let Some(room) = self.room {
            room.close().await;
        }
    }

    /// The command of one step, with an empty standard input. It has to be started once, by this
    /// process itself; killing it ends the step and whatever the step started. A step that a signal
    /// ended has the status 128 + signal, as in a shell, and one that could not be started has
    /// [`COULD_NOT_START`]; with [`Demand::Off`] both are as for any command.
    ///
    /// # Errors
    /// If the cell asks for what no step may have.
    pub fn command(&self, cell: &Cell) -> Result<Command, Refusal> {
        for socket in &cell.sockets {
            engine_socket_allowed(socket, nix::unistd::geteuid().as_raw())?;
        }
        let way = match (&self.sandbox.means, &self.room) {
            (Means::Bubblewrap { program, .. }, Some(room)) => {
                cell.check()?;
                Way::Bubblewrap { program: program.clone(), room: room.place() }
            }
            (Means::Nothing, _) => return Ok(plain(cell)),
            (Means::Landlock { .. } | Means::Bubblewrap { .. }, _) => {
                cell.check()?;
                Way::Landlock
            }
        };
        let entry = Entry { parent: std::process::id(), way, cell: cell.clone() };
        let told = entry.as_file().map_err(|error| Refusal::of("a step cannot be told", &error))?;
        let mut command = Command::new(&self.sandbox.launcher);
        command.args(wire::arguments(wire::ENTER)).env_clear().current_dir("/").stdin(told);
        Ok(command)
    }
}

/// The step as an ordinary command.
fn plain(cell: &Cell) -> Command {
    let mut command = Command::new(&cell.program);
    command
        .args(&cell.arguments)
        .env_clear()
        .envs(&cell.environment)
        .current_dir(&cell.directory)
        .stdin(Stdio::null());
    command
}

#[cfg(test)]
impl Sandbox {
    /// One with rooms that `launcher` would have to make.
    pub(super) fn in_rooms_of(launcher: &Path) -> Self {
        let means = Means::Bubblewrap { program: "/nowhere/bwrap".into(), version: String::new() };
        Self { means, launcher: launcher.to_owned() }
    }
}
