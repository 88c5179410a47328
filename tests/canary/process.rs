//! A server in a process of its own.

use nix::{
    sys::signal::{Signal, killpg},
    unistd::Pid,
};
use std::{
    io::{BufRead as _, BufReader, Read},
    net::TcpListener,
    os::unix::process::CommandExt as _,
    process::{Child, Command, Stdio},
    sync::mpsc,
    time::Duration,
};

/// Far more than any of them needs: the machine may be busy.
const START_LIMIT: Duration = Duration::from_mins(1);

/// It is ended when it is dropped, which a panic does as well.
pub struct Process(Child);

impl Process {
    /// Starts it, and waits until it prints a line with that text to either stream.
    pub fn start(command: &mut Command, ready: &'static str) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let (out, err) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
        let process = Self(child);
        let (sender, lines) = mpsc::channel();
        read(out, sender.clone());
        read(err, sender);
        let mut said = Vec::new();
        loop {
            match lines.recv_timeout(START_LIMIT) {
                Ok(line) if line.contains(ready) => return process,
                Ok(line) => said.push(line),
                Err(error) => panic!("{command:?}: {error}, after {said:?}"),
            }
        }
    }

    /// Starts one that needs no waiting for, in a group of its own.
    pub fn group(command: &mut Command) -> Self {
        Self(command.process_group(0).spawn().unwrap())
    }

    /// Ends its whole group: for one that starts another, which outlives it.
    pub fn end_group(mut self) {
        let group = Pid::from_raw(i32::try_from(self.0.id()).unwrap());
        // Before it is waited for, as the number is given out again then.
        let _ = killpg(group, Signal::SIGKILL);
        let _ = self.0.wait();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Reads to the end: who is not read stops when the pipe is full.
fn read(stream: impl Read + Send + 'static, lines: mpsc::Sender<String>) {
    std::thread::spawn(move || {
        for line in BufReader::new(stream).lines().map_while(Result::ok) {
            let _ = lines.send(line);
        }
    });
}

/// A port that was free a moment ago, for those who cannot be told to choose one themselves.
pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}
