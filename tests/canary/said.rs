//! What is looked for beside the tree, and what is said where it is not there.

use std::{io::Write as _, path::PathBuf};

/// The path that a variable names. Without one it is said aloud how to get it; where the gate
/// runs, that fails the test.
pub fn folder(variable: &str) -> Option<PathBuf> {
    let named = std::env::vars_os().find(|(name, _)| name == variable);
    if let Some((_, path)) = named {
        return Some(path.into());
    }
    let how = ".ci/canary.sh";
    // Not through `eprintln!`, whose words a passing test swallows.
    let said = format!("SKIPPED: {variable} is not set; eval \"$({how})\" sets it\n");
    let _ = std::io::stderr().write_all(said.as_bytes());
    assert!(!std::env::vars_os().any(|(name, _)| name == "DIGEST_BUMP_NO_SKIPS"));
    None
}
