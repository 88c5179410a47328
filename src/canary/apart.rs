//! What a run wrote, read by the bot: where it lies on the host, or from inside the run's room, in
//! which nothing that a step left behind can lead the bot astray.

use super::sandbox::{Cell, Run};
use std::{
    fs::File,
    io::{self, Read as _, Seek as _},
    path::Path,
    process::Stdio,
    time::Duration,
};
use tokio::process::Command;

/// Reading takes moments; a step's left-overs may not make it longer.
const TIME_LIMIT: Duration = Duration::from_mins(2);
/// How the script says that there is no such file.
const ABSENT: i32 = 3;

/// The first bytes of the file at `path`, at most `limit`; `None` if there is no such file.
pub(super) async fn read(
    room: &Run,
    cell: &Cell,
    path: &Path,
    limit: u64,
) -> io::Result<Option<Vec<u8>>> {
    let script = "test -f \"$1\" || exit 3; exec head -c \"$2\" \"$1\"";
    let arguments = [path.to_string_lossy().into_owned(), limit.to_string()];
    let (status, mut file) = script_in(room, cell, script, arguments).await?;
    match status {
        Some(0) => {}
        Some(ABSENT) => return Ok(None),
        _ => return Err(io::Error::other("it cannot be read inside the run")),
    }
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    Ok(Some(bytes))
}

/// A tar archive of the whole tree.
pub(super) async fn archive(room: &Run, cell: &Cell) -> io::Result<File> {
    let tree = cell.tree.to_string_lossy().into_owned();
    let script = "cd \"$1\" && exec tar --create --file=- .";
    let (status, file) = script_in(room, cell, script, [tree]).await?;
    if status != Some(0) {
        return Err(io::Error::other("the tree cannot be read inside the run: is there a `tar`?"));
    }
    Ok(file)
}

/// Removes the file at `path`, if there is one.
pub(super) async fn remove(room: &Run, cell: &Cell, path: &Path) -> io::Result<()> {
    let path = path.to_string_lossy().into_owned();
    let (status, _) = script_in(room, cell, "exec rm -f \"$1\"", [path]).await?;
    if status == Some(0) { Ok(()) } else { Err(io::Error::other("it cannot be removed")) }
}

/// Runs a script of the bot's own in a cell of the room; its exit status, and what it printed.
async fn script_in(
    room: &Run,
    cell: &Cell,
    script: &str,
    arguments: impl IntoIterator<Item = String>,
) -> io::Result<(Option<i32>, File)> {
    let mut cell = cell.clone();
    let words = ["-c".to_owned(), script.to_owned(), "sh".to_owned()];
    cell.program = "/bin/sh".into();
    cell.arguments = words.into_iter().chain(arguments).collect();
    cell.environment = [("PATH".to_owned(), "/usr/bin:/bin".into())].into();
    cell.directory = cell.tree.clone();
    (cell.network, cell.sockets, cell.forward) = (Vec::new(), Vec::new(), Vec::new());
    let mut printed = tempfile::tempfile()?;
    let command = room.command(&cell).map_err(io::Error::other)?;
    let mut command = Command::from(command);
    command.stdout(Stdio::from(printed.try_clone()?)).stderr(Stdio::null()).kill_on_drop(true);
    let ended = tokio::time::timeout(TIME_LIMIT, command.status()).await;
    let status = ended.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??;
    printed.rewind()?;
    Ok((status.code(), printed))
}
