//! The command line: arguments, output for people and for machines, exit codes.

mod args;
mod check;
mod exit;
mod hearing;
mod offline;
mod pin;
#[cfg(test)]
mod reference;
mod run;
mod text;
mod usable;
mod verify;

pub use exit::Exit;

use crate::canary::sandbox;
use crate::clock::Clock;
use crate::config::Environment;
use crate::telemetry;
use clap::Parser as _;
use std::{ffi::OsString, process::ExitCode, time::Duration};

/// How long threads that cannot be interrupted may go on after the command's end.
const LAST_WAIT: Duration = Duration::from_secs(1);

/// Runs the command that `arguments` name, program name first.
pub fn run(arguments: impl IntoIterator<Item = OsString>, environment: &Environment) -> ExitCode {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    if let Some(code) = sandbox::reenter(&arguments) {
        return code;
    }
    let arguments = match args::Arguments::try_parse_from(arguments) {
        Ok(arguments) => arguments,
        Err(error) => {
            // Help and version are printed this way too, and are no errors.
            let _ = error.print();
            return if error.use_stderr() { Exit::Usage.into() } else { Exit::Done.into() };
        }
    };
    let logs = telemetry::init(environment.log.as_deref(), environment.log_format.as_deref());
    if let Err(error) = logs {
        eprintln!("digest-bump: {error}");
        return Exit::Usage.into();
    }
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let outcome = match runtime {
        Ok(runtime) => {
            let outcome = runtime.block_on(run::command(arguments, environment, Clock::system()));
            // A blocking exchange that outlived its pass must not outlive the process's end.
            runtime.shutdown_timeout(LAST_WAIT);
            outcome
        }
        Err(error) => Err(error.into()),
    };
    match outcome {
        Ok(exit) => exit.into(),
        Err(error) => {
            eprintln!("digest-bump: {error:#}");
            Exit::of(&error).into()
        }
    }
}
