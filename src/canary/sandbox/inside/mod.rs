//! This program, run again as a part of the sandbox. Each part starts with one thread, no
//! environment and no descriptor but the first three, and does what would otherwise have to happen
//! between `fork` and `exec`.

mod enter;
mod forward;
mod hold;
mod limits;
mod start;
mod watch;

use super::wire::{COULD_NOT_START, ENTER, HELD, HOLD, INSIDE, MARK};
use nix::fcntl::{FcntlArg, FdFlag, fcntl};
use std::{
    ffi::{OsStr, OsString},
    fs::{self, File},
    io,
    os::fd::AsRawFd as _,
    process::ExitCode,
};

/// If `arguments`, program name first, are those of a part of the sandbox: plays it, and gives its
/// exit code. To be asked before anything else is done with them, while there is one thread.
#[must_use]
pub fn reenter(arguments: &[OsString]) -> Option<ExitCode> {
    let [_, mark, who, rest @ ..] = arguments else { return None };
    if mark != MARK {
        return None;
    }
    let played = close_inherited().and_then(|()| play(who, rest));
    Some(match played {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            tell(&error.to_string());
            ExitCode::from(u8::try_from(COULD_NOT_START).unwrap_or(u8::MAX))
        }
    })
}

fn play(who: &OsStr, rest: &[OsString]) -> io::Result<u8> {
    match (who.to_str(), rest) {
        (Some(HOLD), [bubblewrap, scratch]) => hold::hold(bubblewrap, scratch),
        (Some(HELD), []) => hold::held(),
        (Some(ENTER), []) => enter::enter(),
        (Some(INSIDE), []) => start::inside(),
        _ => Err(io::Error::other("no part of the sandbox has these arguments")),
    }
}

/// Says something to whoever reads what the step prints.
fn tell(line: &str) {
    eprintln!("sandbox: {line}");
}

/// Closes what a careless part of the bot, or whoever started it, left open.
fn close_inherited() -> io::Result<()> {
    let open = fs::read_dir("/proc/self/fd")?
        .map(|entry| Ok(entry?.file_name().to_str().and_then(|name| name.parse::<i32>().ok())))
        .collect::<io::Result<Vec<_>>>()?;
    for descriptor in open.into_iter().flatten().filter(|it| *it > 2) {
        // The one by which the list was read is closed already.
        let _ = nix::unistd::close(descriptor);
    }
    Ok(())
}

/// This program as an open descriptor that the next program inherits, and the path by which that
/// finds it, whoever it is and wherever its root lies.
fn this_program() -> io::Result<(File, OsString)> {
    let file = File::open("/proc/self/exe")?;
    fcntl(&file, FcntlArg::F_SETFD(FdFlag::empty()))?;
    let path = format!("/proc/self/fd/{}", file.as_raw_fd());
    Ok((file, path.into()))
}

/// Becomes a user that is nobody, if the bot is root: a limit of processes does not bind root, and
/// a cell's processes would be root's to the rest of the host.
fn leave_root() -> io::Result<()> {
    use nix::unistd::{Gid, Uid, geteuid, setgroups, setresgid, setresuid};
    if geteuid().is_root() {
        let (uid, gid) =
            (Uid::from_raw(super::wire::NOT_ROOT), Gid::from_raw(super::wire::NOT_ROOT));
        setgroups(&[])?;
        setresgid(gid, gid, gid)?;
        setresuid(uid, uid, uid)?;
        // Otherwise the files of this process below /proc would stay root's.
        nix::sys::prctl::set_dumpable(true)?;
    }
    Ok(())
}
