//! One child process with its whole group, from start to end.

use super::{
    command::Invocation,
    output::{Tail, last_line},
};
use crate::domain::{Verdict, human_duration};
use process_wrap::tokio::{ChildWrapper, CommandWrap, KillOnDrop, ProcessGroup};
use std::{
    os::unix::process::ExitStatusExt as _, process::ExitStatus, process::Stdio, time::Duration,
};
use tokio_util::sync::CancellationToken;

/// How a canary says of itself that it could not find out (`EX_TEMPFAIL` of sysexits.h).
const EXIT_TEMPFAIL: i32 = 75;
/// How long its streams are read after its end, should a grandchild keep them open.
const DRAIN: Duration = Duration::from_secs(2);

/// What a run showed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Outcome {
    pub(super) verdict: Verdict,
    pub(super) summary: String,
    pub(super) output: String,
    /// It was ended from outside before it could find out anything: that is no attempt.
    pub(super) interrupted: bool,
}

impl Outcome {
    pub(super) fn inconclusive(summary: impl Into<String>) -> Self {
        Self {
            verdict: Verdict::Inconclusive,
            summary: summary.into(),
            output: String::new(),
            interrupted: false,
        }
    }
}

/// Runs the command to its end, to its time limit, or until it is stopped.
pub(super) async fn run(invocation: &Invocation, stop: &CancellationToken) -> Outcome {
    let mut child = match spawn(invocation) {
        Ok(child) => child,
        Err(error) => {
            let program = invocation.program.to_string_lossy();
            return Outcome::inconclusive(format!(
                "the canary `{program}` could not be started: {error}"
            ));
        }
    };
    let tail = Tail::default();
    let readers = [
        child.stdout().take().map(|stream| tokio::spawn(tail.clone().follow(stream))),
        child.stderr().take().map(|stream| tokio::spawn(tail.clone().follow(stream))),
    ];
    let ended = tokio::select! {
        status = child.wait() => Some(status),
        () = tokio::time::sleep(invocation.time_limit) => None,
        () = stop.cancelled() => None,
    };
    // The group, not the child alone: whatever it left behind ends with it.
    if child.start_kill().is_ok() && ended.is_none() {
        let _ = child.wait().await;
    }
    for reader in readers.into_iter().flatten() {
        let _ = tokio::time::timeout(DRAIN, reader).await;
    }
    let output = tail.text();
    let interrupted = ended.is_none() && stop.is_cancelled();
    let (verdict, summary) = match ended {
        Some(Ok(status)) => judge(status, &output),
        Some(Err(error)) => {
            (Verdict::Inconclusive, format!("the canary could not be waited for: {error}"))
        }
        None if interrupted => {
            (Verdict::Inconclusive, "the canary was interrupted: the bot was stopped".to_owned())
        }
        None => {
            let limit = human_duration(invocation.time_limit);
            (Verdict::Inconclusive, format!("the canary did not end within {limit}, and was ended"))
        }
    };
    Outcome { verdict, summary, output, interrupted }
}

fn spawn(invocation: &Invocation) -> std::io::Result<Box<dyn ChildWrapper>> {
    let mut command = CommandWrap::with_new(&invocation.program, |command| {
        command
            .args(&invocation.arguments)
            .current_dir(&invocation.directory)
            .env_clear()
            .envs(&invocation.environment)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
    });
    command.wrap(ProcessGroup::leader()).wrap(KillOnDrop).spawn()
}

fn judge(status: ExitStatus, output: &str) -> (Verdict, String) {
    let last: String =
        last_line(output).unwrap_or("it printed nothing").chars().take(200).collect();
    match (status.code(), status.signal()) {
        (Some(0), _) => (Verdict::Passed, last),
        (Some(EXIT_TEMPFAIL), _) => (
            Verdict::Inconclusive,
            format!("the canary could not find out (exit status 75): {last}"),
        ),
        (Some(code), _) => {
            (Verdict::Failed, format!("the canary failed with exit status {code}: {last}"))
        }
        (None, Some(signal)) => {
            (Verdict::Inconclusive, format!("signal {signal} ended the canary: {last}"))
        }
        (None, None) => {
            (Verdict::Inconclusive, format!("the canary ended without a status: {last}"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    fn shell(script: &str, seconds: u64) -> Invocation {
        Invocation {
            program: "/bin/sh".into(),
            arguments: vec!["-c".to_owned(), script.to_owned()],
            environment: BTreeMap::from([("PATH".to_owned(), "/usr/bin:/bin".into())]),
            directory: "/".into(),
            time_limit: Duration::from_secs(seconds),
        }
    }

    async fn verdict(script: &str, seconds: u64) -> (Verdict, String) {
        let outcome = run(&shell(script, seconds), &CancellationToken::new()).await;
        (outcome.verdict, outcome.summary)
    }

    #[tokio::test]
    async fn the_exit_status_is_the_verdict() {
        let cases = [
            ("echo 13 passed", Verdict::Passed, "13 passed"),
            ("echo broken >&2; exit 1", Verdict::Failed, "exit status 1: broken"),
            ("echo no registry; exit 75", Verdict::Inconclusive, "no registry"),
            ("kill -9 $$", Verdict::Inconclusive, "signal 9"),
        ];
        for (script, expected, text) in cases {
            let (found, summary) = verdict(script, 20).await;
            assert_eq!(found, expected, "{script}: {summary}");
            assert!(summary.contains(text), "{summary}");
        }
    }

    #[tokio::test]
    async fn the_time_limit_ends_the_whole_group() {
        let mark = tempfile::tempdir().unwrap();
        let file = mark.path().join("late");
        let script = format!("(sleep 3; touch {}) & sleep 60", file.display());
        let (found, summary) = verdict(&script, 1).await;
        assert_eq!(found, Verdict::Inconclusive);
        assert!(summary.contains("did not end within 1 s"), "{summary}");
        tokio::time::sleep(Duration::from_secs(3)).await;
        assert!(!file.exists(), "the grandchild lived on");
    }

    #[tokio::test]
    async fn a_missing_program_is_no_failure_of_the_contract() {
        let mut invocation = shell("", 5);
        invocation.program = "/nowhere/canary".into();
        let outcome = run(&invocation, &CancellationToken::new()).await;
        assert_eq!(outcome.verdict, Verdict::Inconclusive);
        assert!(outcome.summary.contains("could not be started"), "{}", outcome.summary);
    }
}
