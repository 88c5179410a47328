//! Starts a step in its room and watches it, outside its cell.

use super::{leave_root, start, this_program, watch};
use crate::canary::sandbox::{
    bubblewrap,
    cell::Cell,
    proxy::{Door, Proxy},
    wire::{Entry, INSIDE, Inside, LAUNCHER, MARK, Network, Place, Way, in_room},
};
use nix::{
    sched::{CloneFlags, setns},
    sys::{
        prctl,
        signal::{Signal, kill},
        wait::waitpid,
    },
    unistd::{Pid, getppid},
};
use std::{
    ffi::OsString,
    fs::{self, File},
    io,
    path::{Path, PathBuf},
    process::{Child, Command},
    thread,
    time::Duration,
};

/// How often it is looked whether the step has ended.
const GLANCE: Duration = Duration::from_millis(20);
/// How many glances there are between two looks at memory: a quarter of a second.
const GLANCES: u32 = 12;
/// What the kernel kills first when memory is short.
const FIRST_TO_DIE: &str = "1000";

/// Starts the step that standard input describes and waits for its end.
pub(super) fn enter() -> io::Result<u8> {
    let entry = Entry::told()?;
    // A wish: a host that forbids it kills by its own choice.
    let _ = fs::write("/proc/self/oom_score_adj", FIRST_TO_DIE);
    let launcher = fs::read_link("/proc/self/exe")?;
    let child = match &entry.way {
        Way::Bubblewrap { program, room } => in_cell(program, room, &launcher, &entry.cell)?,
        Way::Landlock => beside(&entry.cell)?,
    };
    watched(child, &entry)
}

/// Joins the room and starts a cell there. Has to happen while there is one thread.
fn in_cell(bubblewrap: &Path, room: &Place, launcher: &Path, cell: &Cell) -> io::Result<Child> {
    let (open, by_descriptor) = this_program()?;
    let mut opened = None;
    join(room)?;
    let socket = in_room("proxy").join(std::process::id().to_string());
    if cell.needs_proxy() {
        let door = std::os::unix::net::UnixListener::bind(&socket)?;
        door.set_nonblocking(true)?;
        serve(cell, || Ok(Door::Unix(tokio::net::UnixListener::from_std(door)?)))?;
    }
    // Bound read-only where the cell's user finds the way to it, since an open descriptor could be
    // opened anew for writing by whoever owns the file. Who does not find the way does not own it,
    // and a file that was replaced meanwhile is nobody's any more.
    let (shown, this): (_, OsString) = if launcher.is_file() {
        drop(open);
        (Some(launcher), LAUNCHER.into())
    } else {
        opened = Some(open);
        (None, by_descriptor)
    };
    let socket = cell.needs_proxy().then_some(socket);
    let arguments =
        bubblewrap::cell(cell, socket.as_deref(), shown, [this, MARK.into(), INSIDE.into()]);
    let told = Inside { cell: cell.clone(), network: bubblewrap::network(cell), landlock: false };
    let child = spawn(bubblewrap, &arguments, &told);
    drop(opened);
    child
}

/// Enters the namespaces of a room, as the user who owns them.
fn join(room: &Place) -> io::Result<()> {
    let of_holder = |name: &str| PathBuf::from(format!("/proc/{}/ns/{name}", room.holder));
    let gone = |error: io::Error| io::Error::other(format!("the run's room is gone: {error}"));
    let [users, mounts] = ["user", "mnt"].map(|name| File::open(of_holder(name)));
    let (users, mounts) = (users.map_err(gone)?, mounts.map_err(gone)?);
    let found = fs::read_link(of_holder("user")).map_err(gone)?;
    if found.to_str() != Some(&room.namespace) {
        return Err(gone(io::Error::other("its number was given to another process")));
    }
    leave_root()?;
    setns(&users, CloneFlags::CLONE_NEWUSER)?;
    setns(&mounts, CloneFlags::CLONE_NEWNS)?;
    std::env::set_current_dir("/")
}

/// Starts the step on the host itself, confined by Landlock.
fn beside(cell: &Cell) -> io::Result<Child> {
    let mut network = Network::None;
    if !cell.network.is_empty() {
        let door = std::net::TcpListener::bind((std::net::Ipv4Addr::LOCALHOST, 0))?;
        door.set_nonblocking(true)?;
        network = Network::Port(door.local_addr()?.port());
        serve(cell, || Ok(Door::Tcp(tokio::net::TcpListener::from_std(door)?)))?;
    }
    // What leaves its parent becomes a child of this process.
    prctl::set_child_subreaper(true)?;
    let told = Inside { cell: cell.clone(), network, landlock: true };
    let arguments = [MARK.into(), INSIDE.into()];
    spawn(Path::new("/proc/self/exe"), &arguments, &told)
}

fn spawn(program: &Path, arguments: &[OsString], told: &Inside) -> io::Result<Child> {
    Command::new(program)
        .args(arguments)
        .env_clear()
        .current_dir("/")
        .stdin(told.as_file()?)
        .spawn()
        .map_err(|error| io::Error::other(format!("{}: {error}", program.display())))
}

/// Runs the proxy in a thread, which ends with the process.
fn serve(cell: &Cell, door: impl FnOnce() -> io::Result<Door> + Send + 'static) -> io::Result<()> {
    let proxy = Proxy::new(&cell.places(), super::tell);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    thread::Builder::new().name("proxy".to_owned()).spawn(move || {
        runtime.block_on(async {
            match door() {
                Ok(door) => proxy.serve(door).await,
                Err(error) => super::tell(&format!("there is no proxy: {error}")),
            }
        });
    })?;
    Ok(())
}

/// Waits for the end of the step; ends it with the bot, and when it takes too much memory.
fn watched(mut child: Child, entry: &Entry) -> io::Result<u8> {
    let own = i32::try_from(std::process::id()).map_err(io::Error::other)?;
    let bot = Pid::from_raw(i32::try_from(entry.parent).map_err(io::Error::other)?);
    let mut glances = 0_u32;
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break status;
        }
        glances = glances.wrapping_add(1);
        let taken =
            if glances.is_multiple_of(GLANCES) { watch::memory(&watch::below(own)) } else { 0 };
        let too_much = taken.saturating_mul(1024) > entry.cell.limits.memory;
        if too_much {
            let most = entry.cell.limits.memory / (1024 * 1024);
            super::tell(&format!("the step was ended: it took more than {most} MiB of memory"));
        }
        if too_much || getppid() != bot {
            child.kill()?;
            break child.wait()?;
        }
        thread::sleep(GLANCE);
    };
    match entry.way {
        Way::Landlock => end_strays(own),
        Way::Bubblewrap { .. } => {}
    }
    Ok(start::code(status))
}

/// Ends what outlived the step. With bubblewrap it ended with the process namespace.
fn end_strays(own: i32) {
    loop {
        let strays = watch::below(own);
        if strays.is_empty() {
            return;
        }
        for stray in strays {
            let stray = Pid::from_raw(stray);
            let _ = kill(stray, Signal::SIGKILL);
            // Only children can be waited for; what is below them becomes one.
            let _ = waitpid(stray, None);
        }
    }
}
