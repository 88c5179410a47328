//! What `config check` looks at on this machine beside the file: the directory that the bot writes
//! to, and the files that it reads later.

use crate::clients::sigstore::TrustedRoot;
use crate::config::{Config, TrustSource};
use nix::unistd::{AccessFlags, access, geteuid};
use std::{fs, path::Path};

/// Everything that keeps the bot from working here, one line for each, its key first.
pub(super) fn problems(config: &Config) -> Vec<String> {
    let state = state(&config.state).map(|why| format!("state: {why}"));
    state.into_iter().chain(trusted_root(&config.trust.source)).collect()
}

fn state(directory: &Path) -> Option<String> {
    // What is there of it: the first pass makes the rest.
    let there = directory.ancestors().find(|it| fs::symlink_metadata(it).is_ok())?;
    let why = if there.is_dir() {
        let error = access(there, AccessFlags::W_OK | AccessFlags::X_OK).err()?;
        format!("cannot be written by uid {}: {}", geteuid(), error.desc())
    } else {
        "is not a directory".to_owned()
    };
    let wanted = directory.display();
    if there == directory {
        return Some(format!("`{wanted}` {why}"));
    }
    Some(format!("`{wanted}` cannot be made: `{}` {why}", there.display()))
}

fn trusted_root(source: &TrustSource) -> Option<String> {
    match source {
        TrustSource::File(file) => {
            let root = match read(file) {
                Ok(root) => root,
                Err(why) => return Some(format!("sigstore.trusted_root: {why}")),
            };
            let root = TrustedRoot::parse(root, format!("`{}`", file.display()), None);
            root.err().map(|error| format!("sigstore.trusted_root: {error}"))
        }
        TrustSource::Tuf(Some((_, file))) => {
            read(file).err().map(|why| format!("sigstore.tuf_root: {why}"))
        }
        TrustSource::Tuf(None) | TrustSource::Embedded => None,
    }
}

fn read(file: &Path) -> Result<Vec<u8>, String> {
    fs::read(file).map_err(|error| format!("`{}` cannot be read: {error}", file.display()))
}
