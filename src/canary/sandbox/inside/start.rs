//! The inside of a cell: limits, the way to the proxy, and then the step's program.

use super::{forward, limits};
use crate::canary::sandbox::{
    cell::Cell,
    landlock,
    wire::{Inside, Network},
};
use std::{
    collections::BTreeMap,
    ffi::OsString,
    io,
    os::unix::process::{CommandExt as _, ExitStatusExt as _},
    process::{Command, ExitStatus, Stdio},
};

/// The exit statuses of shells for what cannot be executed and what is not there.
const NOT_EXECUTABLE: u8 = 126;
const NOT_FOUND: u8 = 127;

/// Prepares the cell and becomes its program, or starts it beside what forwards to the proxy.
pub(super) fn inside() -> io::Result<u8> {
    let told = Inside::told()?;
    limits::set(&told.cell.limits)?;
    nix::sys::prctl::set_no_new_privs()?;
    if told.cell.program.is_empty() {
        return Ok(0); // A probe.
    }
    let port = match told.network {
        Network::None => None,
        Network::Port(port) => Some(port),
        Network::Socket => {
            let port = forward::start(&told.cell.forward)?;
            // Where there are services alone, what asks for a proxy asks for too much.
            (!told.cell.network.is_empty()).then_some(port)
        }
    };
    let mut command = command(&told.cell, port);
    if told.landlock {
        landlock::restrict(&told.cell, told.network).map_err(io::Error::other)?;
    }
    let error = match told.network {
        Network::None | Network::Port(_) => command.exec(),
        Network::Socket => match command.status() {
            Ok(status) => return Ok(code(status)),
            Err(error) => error,
        },
    };
    let name = told.cell.program.to_string_lossy();
    super::tell(&format!("`{name}` could not be started: {error}"));
    Ok(if error.kind() == io::ErrorKind::NotFound { NOT_FOUND } else { NOT_EXECUTABLE })
}

fn command(cell: &Cell, proxy: Option<u16>) -> Command {
    let mut command = Command::new(&cell.program);
    command
        .args(&cell.arguments)
        .env_clear()
        .envs(&cell.environment)
        .envs(proxy.map(names_of_proxy).unwrap_or_default())
        .current_dir(&cell.directory)
        .stdin(Stdio::null());
    command
}

/// By which variables programs find the proxy: `curl` reads the lower case, Go the upper, npm its
/// own, and Node from 24 on needs to be told to look.
fn names_of_proxy(port: u16) -> BTreeMap<&'static str, OsString> {
    let url = format!("http://127.0.0.1:{port}");
    let mut names = BTreeMap::from([
        ("NO_PROXY", OsString::new()),
        ("no_proxy", OsString::new()),
        ("NODE_USE_ENV_PROXY", "1".into()),
    ]);
    for name in [
        "HTTP_PROXY",
        "http_proxy",
        "HTTPS_PROXY",
        "https_proxy",
        "npm_config_proxy",
        "npm_config_https_proxy",
        "NPM_CONFIG_PROXY",
        "NPM_CONFIG_HTTPS_PROXY",
    ] {
        names.insert(name, url.clone().into());
    }
    names
}

/// As a shell has it: the exit status, or 128 and the signal.
pub(super) fn code(status: ExitStatus) -> u8 {
    let code = status.code().or_else(|| status.signal().map(|it| 128 + it));
    code.and_then(|it| u8::try_from(it).ok()).unwrap_or(u8::MAX)
}
