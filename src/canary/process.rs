//! One child process with its whole group, from start to end.

use super::output::Tail;
use process_wrap::tokio::{ChildWrapper, CommandWrap, KillOnDrop, ProcessGroup};
use std::{
    process::{Command, ExitStatus, Stdio},
    time::Duration,
};
use tokio_util::sync::CancellationToken;

/// How long its streams are read after its end, should a grandchild keep them open.
const DRAIN: Duration = Duration::from_secs(2);

/// How a process ended.
#[derive(Debug)]
pub(super) enum End {
    /// By itself.
    Exited(ExitStatus),
    /// It could not be started, or not be waited for.
    Broken(String),
    /// Its time was over.
    TimeLimit,
    /// From outside, before it could find out anything.
    Stopped,
}

/// Runs the command to its end, to its time limit, or until it is stopped. What it prints goes to
/// `tail`.
pub(super) async fn run(
    command: Command,
    time_limit: Duration,
    tail: &Tail,
    stop: &CancellationToken,
) -> End {
    let program = command.get_program().to_string_lossy().into_owned();
    let mut child = match spawn(command) {
        Ok(child) => child,
        Err(error) => return End::Broken(format!("`{program}` could not be started: {error}")),
    };
    let readers = [
        child.stdout().take().map(|stream| tokio::spawn(tail.clone().follow(stream))),
        child.stderr().take().map(|stream| tokio::spawn(tail.clone().follow(stream))),
    ];
    let ended = tokio::select! {
        status = child.wait() => Some(status),
        () = tokio::time::sleep(time_limit) => None,
        () = stop.cancelled() => None,
    };
    // The group, not the child alone: whatever it left behind ends with it.
    if child.start_kill().is_ok() && ended.is_none() {
        let _ = child.wait().await;
    }
    for reader in readers.into_iter().flatten() {
        let _ = tokio::time::timeout(DRAIN, reader).await;
    }
    match ended {
        Some(Ok(status)) => End::Exited(status),
        Some(Err(error)) => End::Broken(format!("it could not be waited for: {error}")),
        None if stop.is_cancelled() => End::Stopped,
        None => End::TimeLimit,
    }
}

fn spawn(mut command: Command) -> std::io::Result<Box<dyn ChildWrapper>> {
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut command = CommandWrap::from(tokio::process::Command::from(command));
    command.wrap(ProcessGroup::leader()).wrap(KillOnDrop).spawn()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", script]).stdin(Stdio::null());
        command
    }

    async fn end_of(command: Command, seconds: u64, tail: &Tail) -> End {
        run(command, Duration::from_secs(seconds), tail, &CancellationToken::new()).await
    }

    #[tokio::test]
    async fn both_streams_are_read_and_the_status_is_told() {
        let tail = Tail::default();
        let end = end_of(shell("echo 13; echo broken >&2; exit 3"), 20, &tail).await;
        let End::Exited(status) = end else { panic!("it did not exit") };
        assert_eq!(status.code(), Some(3));
        let mut lines: Vec<_> = tail.text().lines().map(str::to_owned).collect();
        lines.sort();
        assert_eq!(lines, ["13", "broken"]);
    }

    #[tokio::test]
    async fn the_time_limit_ends_the_whole_group() {
        let mark = tempfile::tempdir().unwrap();
        let file = mark.path().join("late");
        let script = format!("(sleep 3; touch {}) & sleep 60", file.display());
        let end = end_of(shell(&script), 1, &Tail::default()).await;
        assert!(matches!(end, End::TimeLimit), "{end:?}");
        tokio::time::sleep(Duration::from_secs(3)).await;
        assert!(!file.exists(), "the grandchild lived on");
    }

    #[tokio::test]
    async fn a_missing_program_is_told() {
        let end = end_of(Command::new("/nowhere/canary"), 5, &Tail::default()).await;
        let End::Broken(why) = end else { panic!("{end:?}") };
        assert!(why.starts_with("`/nowhere/canary` could not be started: "), "{why}");
    }

    #[tokio::test]
    async fn a_stop_is_no_time_limit() {
        let stop = CancellationToken::new();
        stop.cancel();
        let end = run(shell("sleep 60"), Duration::from_secs(50), &Tail::default(), &stop).await;
        assert!(matches!(end, End::Stopped), "{end:?}");
    }
}
