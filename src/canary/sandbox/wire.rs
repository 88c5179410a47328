//! What this program tells itself when it is run again: who it shall be by its arguments, the rest
//! by standard input, where no other process can read it.

use super::cell::Cell;
use serde::{Deserialize, Serialize};
use std::{
    ffi::OsString,
    fs::File,
    io::{self, Read as _, Seek as _, Write as _},
    path::{Path, PathBuf},
};

/// The first argument of a process that is the sandbox's. No help names it.
pub(super) const MARK: &str = "canary-cell";
/// Becomes a room, by way of bubblewrap.
pub(super) const HOLD: &str = "hold";
/// Holds a room: fills it, and waits for the end of its standard input.
pub(super) const HELD: &str = "held";
/// Enters a room, or not; starts a step and watches it.
pub(super) const ENTER: &str = "enter";
/// Prepares a cell from the inside and becomes its program.
pub(super) const INSIDE: &str = "inside";

/// The exit status of a step that could not be started; standard error says why.
pub const COULD_NOT_START: i32 = 125;

/// Who a cell's processes are on the host if the bot is root. No account has this number: it is
/// above those that systemd gives out and below `nobody`.
pub(super) const NOT_ROOT: u32 = 65_533;
/// Who they are inside.
pub(super) const INSIDE_UID: u32 = 1_000;
/// Where a room's sized file system lies. Every Linux has this directory, nothing in a room needs
/// what is in it, and no tool chain lies below it.
pub(super) const ROOM: &str = "/sys";
/// Where a cell finds the socket of its proxy, and this program.
pub(super) const PROXY_SOCKET: &str = "/run/digest-bump/proxy";
pub(super) const LAUNCHER: &str = "/run/digest-bump/launcher";

/// The arguments of a process that shall be `who`.
pub(super) fn arguments(who: &str) -> [OsString; 2] {
    [MARK.into(), who.into()]
}

/// A path in the room.
pub(super) fn in_room(name: &str) -> PathBuf {
    Path::new(ROOM).join(name)
}

/// A room, as another process finds it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Place {
    /// The holder.
    pub(super) holder: u32,
    /// What its user namespace is called, `user:[…]`: numbers of processes are given out again.
    pub(super) namespace: String,
}

/// How a step is confined.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) enum Way {
    Bubblewrap { program: PathBuf, room: Place },
    Landlock,
}

/// What `enter` is told.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Entry {
    /// Who starts it. It ends when that process does.
    pub(super) parent: u32,
    pub(super) way: Way,
    pub(super) cell: Cell,
}

/// What `inside` is told.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Inside {
    pub(super) cell: Cell,
    pub(super) network: Network,
    /// Whether Landlock has to be applied.
    pub(super) landlock: bool,
}

/// How the allowed part of the network is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Network {
    None,
    /// Through the socket at [`PROXY_SOCKET`].
    Socket,
    /// The proxy listens on this port of the host's loopback.
    Port(u16),
}

impl Entry {
    pub(super) fn as_file(&self) -> io::Result<File> {
        as_file(self)
    }

    pub(super) fn told() -> io::Result<Self> {
        told()
    }
}

impl Inside {
    pub(super) fn as_file(&self) -> io::Result<File> {
        as_file(self)
    }

    pub(super) fn told() -> io::Result<Self> {
        told()
    }
}

/// A file in memory that nobody else can open.
fn as_file(value: &impl Serialize) -> io::Result<File> {
    use nix::sys::memfd::{MFdFlags, memfd_create};
    let mut file = File::from(memfd_create(c"step", MFdFlags::MFD_CLOEXEC)?);
    file.write_all(&serde_json::to_vec(value)?)?;
    file.rewind()?;
    Ok(file)
}

fn told<T: for<'a> Deserialize<'a>>() -> io::Result<T> {
    let mut text = Vec::new();
    io::stdin().lock().read_to_end(&mut text)?;
    Ok(serde_json::from_slice(&text)?)
}
