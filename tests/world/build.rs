//! Compiles the canary, a program of its own that uses nothing but the standard library.

use std::{path::PathBuf, process::Command};

fn main() {
    println!("cargo:rerun-if-changed=canary.rs");
    let canary = PathBuf::from(variable("OUT_DIR")).join("canary");
    let compiled = Command::new(variable("RUSTC"))
        .args(["--edition", "2024", "-C", "opt-level=1", "-o"])
        .arg(&canary)
        .arg("canary.rs")
        .status();
    assert!(compiled.is_ok_and(|status| status.success()), "the canary does not compile");
    println!("cargo:rustc-env=WORLD_CANARY={}", canary.display());
}

#[expect(
    clippy::disallowed_methods,
    reason = "cargo speaks to a build script through the environment"
)]
fn variable(name: &str) -> String {
    std::env::var(name).unwrap_or_default()
}
