//! Which sockets a step may be given. Whoever can talk to a container engine can do all that the
//! engine's user can, on the host itself.

use super::refusal::Refusal;
use nix::sys::socket::{getsockopt, sockopt::PeerCredentials};
use std::{
    fs,
    os::unix::{
        fs::{FileTypeExt as _, MetadataExt as _},
        net::UnixStream,
    },
    path::Path,
};

/// Whether a step may be given the socket at `path`: only if neither the file nor who listens on it
/// is root's or the bot's own. `own_uid` is the bot's user. The file's owner is not enough: the
/// listener's user is what counts, and the file's says who could put another one in its place.
///
/// # Errors
/// If it may not, or it cannot be found out.
pub fn engine_socket_allowed(path: &Path, own_uid: u32) -> Result<(), Refusal> {
    let name = path.display();
    let unknown = |error: &dyn std::fmt::Display| {
        Refusal::of(&format!("whose the socket {name} is cannot be found out"), error)
            .remedy("use another executor")
    };
    let about = fs::metadata(path).map_err(|error| unknown(&error))?;
    if !about.file_type().is_socket() {
        return Err(Refusal::new(format!("{name} is not a socket")));
    }
    judge(path, "the file", about.uid(), own_uid)?;
    let stream = UnixStream::connect(path).map_err(|error| unknown(&error))?;
    let peer = getsockopt(&stream, PeerCredentials).map_err(|error| unknown(&error))?;
    judge(path, "who listens on it", peer.uid(), own_uid)
}

fn judge(path: &Path, what: &str, owner: u32, own_uid: u32) -> Result<(), Refusal> {
    let whose = match owner {
        0 => "root",
        it if it == own_uid => "the bot's own user",
        _ => return Ok(()),
    };
    Err(Refusal::new(format!(
        "no step gets the socket {}: {what} is {whose}, and an engine's socket is as good as its \
         user",
        path.display()
    ))
    .remedy("give it the socket of a rootless engine that belongs to another user")
    .remedy("use another executor"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::net::UnixListener;

    #[test]
    fn a_socket_of_roots_or_of_the_bots_is_refused_and_of_anyone_else_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("docker.sock");
        let _listener = UnixListener::bind(&path).unwrap();
        let own = nix::unistd::geteuid().as_raw();
        let refusal = engine_socket_allowed(&path, own).unwrap_err().to_string();
        assert!(refusal.contains("no step gets the socket"), "{refusal}");
        assert!(refusal.ends_with("or use another executor"), "{refusal}");
        for (owner, allowed) in [(0, false), (10_001, false), (1_000, true)] {
            assert_eq!(judge(&path, "it", owner, 10_001).is_ok(), allowed, "{owner}");
        }
        // To another bot this listener belongs to another user, unless it is root's.
        assert_eq!(engine_socket_allowed(&path, own + 1).is_ok(), own != 0);
    }

    #[test]
    fn the_listener_counts_not_the_file_alone() {
        if !nix::unistd::geteuid().is_root() {
            return; // Only root can give a file away; the gate's root run sees this.
        }
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("docker.sock");
        let _listener = UnixListener::bind(&path).unwrap();
        std::os::unix::fs::chown(&path, Some(1_000), Some(1_000)).unwrap();
        let refusal = engine_socket_allowed(&path, 10_001).unwrap_err().to_string();
        assert!(refusal.contains("who listens on it is root"), "{refusal}");
    }

    #[test]
    fn what_does_not_listen_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        fs::write(&file, "").unwrap();
        assert!(engine_socket_allowed(&file, 4_242).is_err());
        assert!(engine_socket_allowed(&folder.path().join("none"), 4_242).is_err());
    }
}
