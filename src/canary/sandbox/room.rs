//! A run's room, from the bot's side.

use super::{
    pack::pack,
    refusal::Refusal,
    wire::{self, Place},
};
use std::{
    io::{self, PipeWriter},
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncRead, AsyncReadExt as _, BufReader},
    process::{Child, Command},
};

/// How long it may take until a room is filled: a tree is some hundred megabytes at most.
const FILLED_WITHIN: Duration = Duration::from_mins(1);
/// How long its holder may take to go; then it is killed.
const GONE_WITHIN: Duration = Duration::from_secs(5);
/// How much of an explanation is read.
const LONGEST_REASON: u64 = 4 * 1024;

/// A mount namespace with a sized file system, and who holds it.
#[derive(Debug)]
pub(super) struct Room {
    place: Place,
    /// The holder reads its end, so the room also ends with the bot.
    life: PipeWriter,
    /// Killed and waited for when it is dropped.
    holder: Child,
}

impl Room {
    /// Makes a room of `scratch` bytes, and copies `tree` into it.
    pub(super) async fn open(
        bubblewrap: &Path,
        launcher: &Path,
        tree: &Path,
        scratch: u64,
    ) -> Result<Self, Refusal> {
        let failed = |error: &dyn std::fmt::Display| {
            Refusal::of("the run's own file system cannot be made", error)
        };
        let (heard, life) = io::pipe().map_err(|error| failed(&error))?;
        let mut holder = Command::new(launcher)
            .args(wire::arguments(wire::HOLD))
            .arg(bubblewrap)
            .arg(scratch.to_string())
            .env_clear()
            .current_dir("/")
            .stdin(Stdio::from(heard))
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| failed(&error))?;
        let (said, complaints) = (holder.stdout.take(), holder.stderr.take());
        let filling = tokio::task::spawn_blocking({
            let (tree, mut life) = (tree.to_owned(), life.try_clone().map_err(|e| failed(&e))?);
            move || pack(&tree, &mut io::BufWriter::with_capacity(64 * 1024, &mut life))
        });
        let answer = async {
            let filled = filling.await;
            let first = first_line(said).await;
            if let Some(place) = first.as_deref().and_then(place) {
                return Ok(place);
            }
            // If it ended too early, its own words say more than a broken pipe.
            let words = all_of(complaints).await;
            match filled {
                Ok(Err(error)) if words.is_empty() => Err(failed(&error)),
                _ => Err(failed(&words)),
            }
        };
        let answer = tokio::time::timeout(FILLED_WITHIN, answer).await;
        let place = answer.map_err(|_| failed(&"it takes too long"))??;
        Ok(Self { place, life, holder })
    }

    /// Ends the room and waits until it is gone.
    pub(super) async fn close(self) {
        let Self { life, mut holder, .. } = self;
        drop(life);
        let _ = tokio::time::timeout(GONE_WITHIN, holder.wait()).await;
    }

    pub(super) fn place(&self) -> Place {
        self.place.clone()
    }
}

/// `ready HOLDER NAMESPACE`.
fn place(line: &str) -> Option<Place> {
    let (holder, namespace) = line.strip_prefix("ready ")?.split_once(' ')?;
    Some(Place { holder: holder.parse().ok()?, namespace: namespace.to_owned() })
}

async fn first_line(stream: Option<impl AsyncRead + Unpin>) -> Option<String> {
    let mut line = String::new();
    BufReader::new(stream?.take(LONGEST_REASON)).read_line(&mut line).await.ok()?;
    Some(line.trim_end().to_owned()).filter(|line| !line.is_empty())
}

async fn all_of(stream: Option<impl AsyncRead + Unpin>) -> String {
    let mut text = Vec::new();
    if let Some(stream) = stream {
        let _ = stream.take(LONGEST_REASON).read_to_end(&mut text).await;
    }
    String::from_utf8_lossy(&text).trim().replace('\n', "; ")
}

/// An empty directory with nothing in it to copy, for a probe.
pub(super) fn empty() -> io::Result<(tempfile::TempDir, PathBuf)> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().to_owned();
    Ok((folder, path))
}
