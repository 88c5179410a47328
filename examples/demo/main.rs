//! The main job on one machine: a local world on loopback ports, the real daemon against it in a
//! process of its own, and a story over real HTTP and real git.
//!
//! `cargo run --example demo` plays the story and leaves the status page open until Ctrl-C;
//! `-- --once` ends by itself; `-- --history DIR` plays a recorded history instead.

mod bot;
mod history;
#[path = "../../tests/e2e/settings.rs"]
#[expect(clippy::expect_used, reason = "shared with the tests; what it expects is compiled in")]
mod settings;
mod show;
mod story;

use anyhow::{Result, bail};
use std::{ffi::OsString, path::PathBuf, process::ExitCode};

/// The first argument with which this program runs as the daemon: an example cannot count on the
/// binary having been built, but it has the whole library.
const AS_DAEMON: &str = "as-daemon";

fn main() -> ExitCode {
    let mut arguments: Vec<OsString> = std::env::args_os().collect();
    if arguments.get(1).is_some_and(|argument| argument == AS_DAEMON) {
        arguments.remove(1);
        let environment = digest_bump::config::Environment::of_process();
        return digest_bump::cli::run(arguments, &environment);
    }
    match run(arguments.into_iter().skip(1)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("\n✗ {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: impl Iterator<Item = OsString>) -> Result<()> {
    let (mut once, mut past) = (false, None);
    let mut arguments = arguments;
    while let Some(argument) = arguments.next() {
        match argument.to_str() {
            Some("--once") => once = true,
            Some("--history") => past = Some(directory(arguments.next())?),
            _ => bail!("usage: demo [--once] [--history DIR]"),
        }
    }
    digest_bump::clients::install_tls_provider();
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(async {
        match past {
            Some(directory) => history::play(&directory, once).await,
            None => story::play(once).await,
        }
    })
}

fn directory(argument: Option<OsString>) -> Result<PathBuf> {
    match argument.map(PathBuf::from) {
        Some(directory) if directory.join("index.json").is_file() => Ok(directory),
        Some(directory) => bail!("{} has no index.json", directory.display()),
        None => bail!("--history wants a directory"),
    }
}
