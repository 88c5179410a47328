//! The holder of a room.

use super::{leave_root, this_program};
use crate::canary::sandbox::{
    bubblewrap::{self, MADE},
    pack::unpack,
    wire::{HELD, MARK, in_room},
};
use std::{
    ffi::OsStr,
    fs::{self, Permissions},
    io::{self, Read as _, Write as _},
    os::unix::{fs::PermissionsExt as _, process::CommandExt as _},
    process::Command,
};

/// Becomes bubblewrap, which makes the room and starts [`held`] in it.
pub(super) fn hold(program: &OsStr, scratch: &OsStr) -> io::Result<u8> {
    let scratch = scratch.to_str().and_then(|it| it.parse().ok());
    let scratch = scratch.ok_or_else(|| io::Error::other("the room's size is no number"))?;
    let (_open, this) = this_program()?;
    leave_root()?;
    let arguments = bubblewrap::room(scratch, [this, MARK.into(), HELD.into()]);
    Err(Command::new(program).args(arguments).env_clear().exec())
}

/// Fills the room from standard input, says so, and waits for the end of standard input.
pub(super) fn held() -> io::Result<u8> {
    let mut input = io::BufReader::with_capacity(64 * 1024, io::stdin().lock());
    for name in ["tree", "home", "tmp", "shm", "etc", "proxy"] {
        fs::create_dir(in_room(name))?;
    }
    for name in ["tmp", "shm"] {
        fs::set_permissions(in_room(name), Permissions::from_mode(0o1777))?;
    }
    for (name, text) in MADE {
        fs::write(in_room("etc").join(name), text)?;
    }
    unpack(&mut input, &in_room("tree"))?;
    let namespace = fs::read_link("/proc/self/ns/user")?;
    let mut output = io::stdout();
    writeln!(output, "ready {} {}", std::process::id(), namespace.display())?;
    output.flush()?;
    // Nothing more comes: this is how the end of the bot, or of the run, is heard.
    let _ = input.read(&mut [0])?;
    Ok(0)
}
