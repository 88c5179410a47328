//! How steps end, and that everything ends with them.

use crate::{MIB, Stand, ended, launcher, named, off, strict};
use digest_bump::canary::sandbox::{Cell, Run};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use std::{
    io::{PipeReader, Read as _},
    process::{Child, Command, Stdio},
    sync::mpsc,
    thread,
    time::Duration,
};

/// Names the folder of a stand, and so tells the bot that is killed from the test.
const BOT: &str = "DIGEST_BUMP_TEST_BOT";
/// Leaves its session and its parent, says who it is, and keeps standard output open.
const STRAY: &str = "setsid perl -e 'fork and exit; $SIG{HUP} = $SIG{TERM} = \"IGNORE\"; $| = 1; \
                     print \"$$\\n\"; sleep 600' &";

/// Starts a step whose output goes into a pipe, and waits until there is a line: its stray's, who says who it is.
fn start(run: &Run, cell: &Cell) -> (Child, PipeReader, Option<i32>) {
    let (mut reader, writer) = std::io::pipe().unwrap();
    let mut command = run.command(cell).unwrap();
    let child = command.stdout(writer).stderr(Stdio::null()).spawn().unwrap();
    let mut line = String::new();
    while !line.ends_with('\n') {
        let mut byte = [0];
        reader.read_exact(&mut byte).unwrap();
        line.push(char::from(byte[0]));
    }
    (child, reader, line.trim().parse().ok())
}

/// Whether the last one who had the pipe is gone, soon.
fn is_silent(mut reader: PipeReader) -> bool {
    let (tell, told) = mpsc::channel();
    // If nobody closes the pipe, the thread stays; it does not keep the test from failing.
    thread::spawn(move || tell.send(std::io::copy(&mut reader, &mut std::io::sink())));
    told.recv_timeout(Duration::from_secs(20)).is_ok()
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_left_its_session_ends_with_the_step() {
    let stand = Stand::new();
    let cell = stand.cell(&format!("{STRAY} sleep 1"));
    // Unconfined it goes on.
    let run = stand.open(&off().await, MIB).await;
    let (mut child, _reader, stray) = start(&run, &cell);
    child.wait().unwrap();
    kill(Pid::from_raw(stray.unwrap()), Signal::SIGKILL).unwrap();
    let Some(sandbox) = strict().await else { return };
    let run = stand.open(&sandbox, MIB).await;
    let (mut child, reader, _) = start(&run, &cell);
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert!(is_silent(reader));
}

#[tokio::test(flavor = "multi_thread")]
async fn killing_the_step_ends_everything_also_a_flood() {
    let stand = Stand::new();
    let Some(sandbox) = strict().await else { return };
    for script in [format!("{STRAY} sleep 600"), format!("{STRAY} setsid yes & yes")] {
        let run = stand.open(&sandbox, MIB).await;
        let (mut child, reader, _) = start(&run, &stand.cell(&script));
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(is_silent(reader), "{script}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_death_of_the_bot_ends_everything() {
    let stand = Stand::new();
    if strict().await.is_none() {
        return;
    }
    let (mut reader, writer) = std::io::pipe().unwrap();
    let mut bot = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "ends::a_bot_that_will_be_killed", "--nocapture", "--ignored"])
        .env(BOT, stand.work())
        .env("DIGEST_BUMP_LAUNCHER", launcher())
        .stdout(writer)
        .spawn()
        .unwrap();
    let mut said = String::new();
    while !said.contains("the step is up") {
        let mut byte = [0];
        reader.read_exact(&mut byte).unwrap();
        said.push(char::from(byte[0]));
    }
    bot.kill().unwrap();
    bot.wait().unwrap();
    assert!(is_silent(reader));
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "started by the_death_of_the_bot_ends_everything"]
async fn a_bot_that_will_be_killed() {
    let Some(work) = named(BOT).map(std::path::PathBuf::from) else { return };
    let stand = Stand::new();
    let mut cell = stand.cell(&format!("{STRAY} sleep 0.5; echo the step is up; sleep 600"));
    for (place, name) in
        [(&mut cell.tree, "tree"), (&mut cell.home, "home"), (&mut cell.tmp, "tmp")]
    {
        *place = work.join(name);
    }
    cell.directory = cell.tree.clone();
    let run = strict().await.unwrap().open(&cell.tree, MIB).await.unwrap();
    run.command(&cell).unwrap().spawn().unwrap().wait().unwrap();
}

#[tokio::test]
async fn exit_statuses_and_signals_come_through() {
    let stand = Stand::new();
    let Some(sandbox) = strict().await else { return };
    let run = stand.open(&sandbox, MIB).await;
    for network in [vec![], vec!["192.0.2.1:443".parse().unwrap()]] {
        for (script, code) in [
            ("true", 0),
            ("exit 1", 1),
            ("exit 75", 75),
            ("kill -TERM $$", 143),
            ("kill -9 $$", 137),
        ] {
            let cell = Cell { network: network.clone(), ..stand.cell(script) };
            assert_eq!(ended(&run, &cell).await.code, Some(code), "{script}");
        }
        let nothing =
            Cell { program: "no-such-tool".into(), network: network.clone(), ..stand.cell("") };
        let seen = ended(&run, &nothing).await;
        assert_eq!(seen.code, Some(127));
        assert!(seen.err.starts_with("sandbox: `no-such-tool` could not be started"), "{seen:#?}");
    }
}

#[tokio::test]
async fn steps_of_a_run_share_what_they_write_and_runs_do_not() {
    let stand = Stand::new();
    let Some(sandbox) = strict().await else { return };
    let run = stand.open(&sandbox, MIB).await;
    ended(&run, &stand.cell("echo a >tree; echo b >~/home; echo c >/tmp/tmp")).await;
    let seen = ended(&run, &stand.cell("cat tree ~/home $TMPDIR/tmp")).await;
    assert_eq!(seen.out, "a\nb\nc\n", "{seen:#?}");
    let other = stand.step(&sandbox, &stand.cell("ls; ls ~ /tmp")).await;
    assert!(!other.out.contains("home\n") && other.out.starts_with("file\n"), "{other:#?}");
}

#[tokio::test]
async fn a_step_whose_room_is_gone_does_not_start() {
    let stand = Stand::new();
    let Some(sandbox) = strict().await else { return };
    let run = stand.open(&sandbox, MIB).await;
    let command = run.command(&stand.cell("echo REACHED")).unwrap();
    run.close().await;
    let mut command = tokio::process::Command::from(command);
    let output = command.stdout(Stdio::piped()).stderr(Stdio::piped()).output().await.unwrap();
    let code = output.status.code();
    assert_eq!(code, Some(digest_bump::canary::sandbox::COULD_NOT_START), "{output:?}");
    assert!(output.stdout.is_empty());
}
