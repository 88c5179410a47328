//! What bubblewrap is told. Its options are carried out in order, as bind mounts have to be.

use super::{
    cell::Cell,
    wire::{INSIDE_UID, LAUNCHER, Network, PROXY_SOCKET, ROOM, in_room},
};
use std::{
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
};

/// Where it is looked for. Not along `PATH`: what is found is trusted.
pub(super) const PLACES: &[&str] = &["/usr/bin/bwrap", "/bin/bwrap", "/usr/local/bin/bwrap"];
/// The first release that has all of the options below; `--disable-userns` came last.
pub(super) const OLDEST: (u32, u32) = (0, 8);

/// The system's own programs and libraries.
const SYSTEM: &[&str] = &["/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32"];
/// What programs read of `/etc` and what says nothing of this host: no `/etc/ssl/private`, and no
/// file in which a password can stand.
const ETC: &[&str] = &[
    "/etc/alternatives",
    "/etc/ca-certificates",
    "/etc/ld.so.cache",
    "/etc/ld.so.conf",
    "/etc/ld.so.conf.d",
    "/etc/localtime",
    "/etc/mime.types",
    "/etc/pki/ca-trust",
    "/etc/pki/tls/certs",
    "/etc/ssl/certs",
    "/etc/ssl/openssl.cnf",
    "/etc/timezone",
];
/// What a room has for a cell's `/etc`, with its text.
pub(super) const MADE: &[(&str, &str)] = &[
    ("passwd", "step:x:1000:1000::/home:/bin/sh\nnobody:x:65534:65534::/:/bin/false\n"),
    ("group", "step:x:1000:\nnogroup:x:65534:\n"),
    ("hosts", "127.0.0.1 localhost\n::1 localhost\n"),
    ("nsswitch.conf", "passwd: files\ngroup: files\nhosts: files\n"),
];

/// A list of arguments that grows.
#[derive(Debug, Default)]
struct Words(Vec<OsString>);

impl Words {
    fn add<const N: usize>(&mut self, words: [&dyn AsRef<std::ffi::OsStr>; N]) {
        self.0.extend(words.map(|word| word.as_ref().to_owned()));
    }
}

/// A room: the host's own view, and in it a file system of `scratch` bytes that nobody else sees.
pub(super) fn room(scratch: u64, program: [OsString; 3]) -> Vec<OsString> {
    let mut words = Words::default();
    words.add([&"--unshare-user", &"--dev-bind", &"/", &"/", &"--perms", &"0700"]);
    words.add([&"--size", &scratch.to_string(), &"--tmpfs", &ROOM, &"--"]);
    words.0.extend(program);
    words.0
}

/// A cell in a room, whose first program is `program`. `socket` is the proxy's, in the room.
/// `launcher` is shown in it if it is there; otherwise `program` has to be an open descriptor.
pub(super) fn cell(
    cell: &Cell,
    socket: Option<&Path>,
    launcher: Option<&Path>,
    program: [OsString; 3],
) -> Vec<OsString> {
    let uid = INSIDE_UID.to_string();
    let mut words = Words::default();
    words.add([&"--unshare-all", &"--unshare-user", &"--disable-userns", &"--die-with-parent"]);
    words.add([&"--new-session", &"--cap-drop", &"ALL", &"--uid", &uid, &"--gid", &uid]);
    words.add([&"--hostname", &"cell", &"--clearenv"]);
    system(&mut words);
    words.add([&"--proc", &"/proc", &"--dev", &"/dev"]);
    words.add([&"--bind", &in_room("shm"), &"/dev/shm", &"--bind", &in_room("tmp"), &"/tmp"]);
    for path in &cell.read_only {
        words.add([&"--ro-bind", path, path]);
    }
    words.add([&"--bind", &in_room("tree"), &cell.tree]);
    words.add([&"--bind", &in_room("home"), &cell.home]);
    words.add([&"--bind", &in_room("tmp"), &cell.tmp]);
    for path in &cell.sockets {
        words.add([&"--bind", path, path]);
    }
    if let Some(socket) = socket {
        words.add([&"--bind", &socket, &PROXY_SOCKET]);
    }
    if let Some(launcher) = launcher {
        words.add([&"--ro-bind", &launcher, &LAUNCHER]);
    }
    // Both are file systems in memory whose size nothing bounds.
    words.add([&"--remount-ro", &"/dev", &"--remount-ro", &"/", &"--"]);
    words.0.extend(program);
    words.0
}

fn system(words: &mut Words) {
    for path in SYSTEM.iter().map(Path::new) {
        match fs::read_link(path) {
            Ok(target) => words.add([&"--symlink", &target, &path]),
            Err(_) => words.add([&"--ro-bind-try", &path, &path]),
        }
    }
    for path in ETC {
        words.add([&"--ro-bind-try", path, path]);
    }
    for (name, _) in MADE {
        words.add([&"--ro-bind", &in_room("etc").join(name), &Path::new("/etc").join(name)]);
    }
}

/// How the allowed part of the network is reached from a cell.
pub(super) fn network(cell: &Cell) -> Network {
    if cell.needs_proxy() { Network::Socket } else { Network::None }
}

/// Where it is, if it is there.
pub(super) fn find() -> Option<PathBuf> {
    PLACES.iter().map(PathBuf::from).find(|it| it.is_file())
}

/// The version in what `--version` prints, whole and as numbers.
pub(super) fn version(printed: &str) -> Option<(String, (u32, u32))> {
    let text = printed.trim().strip_prefix("bubblewrap ")?;
    let mut numbers = text.split('.').map(|it| it.parse::<u32>().ok());
    let found = (numbers.next()??, numbers.next()??);
    Some((text.to_owned(), found))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::canary::sandbox::cell::tests::bare;

    #[test]
    fn versions_are_compared_as_numbers() {
        assert_eq!(version("bubblewrap 0.8.0\n"), Some(("0.8.0".to_owned(), (0, 8))));
        assert!(version("bubblewrap 0.11.0").unwrap().1 > OLDEST);
        assert!(version("bubblewrap 0.6.1").unwrap().1 < OLDEST);
        assert_eq!(version("bwrap?"), None);
    }

    #[test]
    fn nothing_is_writable_but_the_room_and_what_is_read_only_is_bound_so() {
        let asked = Cell { read_only: vec!["/opt/node".into()], ..bare() };
        let words = cell(&asked, None, None, ["p".into(), "q".into(), "r".into()]);
        let words: Vec<_> = words.iter().map(|it| it.to_str().unwrap()).collect();
        let bound = words.windows(2).filter(|it| it[0] == "--bind").map(|it| it[1]);
        assert!(bound.clone().count() == 5 && bound.clone().all(|it| it.starts_with(ROOM)));
        assert!(words.windows(2).any(|it| it == ["--ro-bind", "/opt/node"]));
        assert!(words.windows(2).any(|it| it == ["--remount-ro", "/"]));
        for never in ["--share-net", "--dev-bind", "--cap-add", "/etc", "/run", "/sys"] {
            assert!(!words.contains(&never), "{never}");
        }
    }
}
