//! The binary. Everything is in the library; see `docs/architecture.md`.

use std::process::ExitCode;

fn main() -> ExitCode {
    let environment = digest_bump::config::Environment::of_process();
    digest_bump::cli::run(std::env::args_os(), &environment)
}
