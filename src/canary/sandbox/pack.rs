//! A directory as a stream of bytes, from the bot to the holder of a room. Both ends are this
//! program, so the form has no versions: kind, mode, path, and for a file or a link its content.

use std::{
    fs::{self, File, Permissions},
    io::{self, Read, Write},
    os::unix::{
        ffi::{OsStrExt as _, OsStringExt as _},
        fs::{PermissionsExt as _, symlink},
    },
    path::{Component, Path, PathBuf},
};

const DIRECTORY: u8 = b'd';
const FILE: u8 = b'f';
const LINK: u8 = b'l';
const END: u8 = b'.';
/// No path that the kernel takes is longer.
const LONGEST: u64 = 4096;

/// Writes what is below `root`. Links are links, never followed; what is neither file, directory
/// nor link is left out.
///
/// # Errors
/// If something cannot be read, or not be written to `to`.
pub(super) fn pack(root: &Path, to: &mut impl Write) -> io::Result<()> {
    pack_below(root, Path::new(""), to)?;
    to.write_all(&[END])?;
    to.flush()
}

fn pack_below(root: &Path, below: &Path, to: &mut impl Write) -> io::Result<()> {
    for entry in fs::read_dir(root.join(below))? {
        let entry = entry?;
        let path = below.join(entry.file_name());
        let about = entry.metadata()?;
        let mode = about.permissions().mode();
        if about.is_dir() {
            head(to, DIRECTORY, mode, &path)?;
            pack_below(root, &path, to)?;
        } else if about.is_symlink() {
            let target = fs::read_link(entry.path())?;
            head(to, LINK, mode, &path)?;
            bytes(to, target.as_os_str().as_bytes())?;
        } else if about.is_file() {
            let file = File::open(entry.path())?;
            head(to, FILE, mode, &path)?;
            to.write_all(&about.len().to_le_bytes())?;
            let copied = io::copy(&mut file.take(about.len()), to)?;
            if copied != about.len() {
                return Err(io::Error::other(format!("{} became shorter", path.display())));
            }
        }
    }
    Ok(())
}

fn head(to: &mut impl Write, kind: u8, mode: u32, path: &Path) -> io::Result<()> {
    to.write_all(&[kind])?;
    to.write_all(&(mode & 0o777).to_le_bytes())?;
    bytes(to, path.as_os_str().as_bytes())
}

fn bytes(to: &mut impl Write, what: &[u8]) -> io::Result<()> {
    to.write_all(&(what.len() as u64).to_le_bytes())?;
    to.write_all(what)
}

/// Makes below `root`, which is empty, what [`pack`] wrote.
///
/// # Errors
/// If the stream is not whole, leaves `root`, or something cannot be made.
pub(super) fn unpack(from: &mut impl Read, root: &Path) -> io::Result<()> {
    loop {
        let kind = u8::from_le_bytes(array(from)?);
        if kind == END {
            return Ok(());
        }
        let mode = u32::from_le_bytes(array(from)?);
        let path = path(from)?;
        if !path.components().all(|it| matches!(it, Component::Normal(_))) {
            return Err(io::Error::other(format!("{} leaves the tree", path.display())));
        }
        let place = root.join(path);
        match kind {
            DIRECTORY => fs::create_dir(&place)?,
            LINK => symlink(self::path(from)?, &place)?,
            FILE => {
                let length = u64::from_le_bytes(array(from)?);
                let mut file = File::create_new(&place)?;
                if io::copy(&mut from.take(length), &mut file)? != length {
                    return Err(io::ErrorKind::UnexpectedEof.into());
                }
            }
            other => return Err(io::Error::other(format!("an entry of the kind {other}"))),
        }
        if kind != LINK {
            // Whatever it was, the owner of the copy has to be able to work with it.
            let owner = if kind == DIRECTORY { 0o700 } else { 0o600 };
            fs::set_permissions(&place, Permissions::from_mode(mode | owner))?;
        }
    }
}

fn array<const N: usize>(from: &mut impl Read) -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    from.read_exact(&mut bytes)?;
    Ok(bytes)
}

fn path(from: &mut impl Read) -> io::Result<PathBuf> {
    let length = u64::from_le_bytes(array(from)?);
    if length > LONGEST {
        return Err(io::Error::other("a path is too long"));
    }
    let mut bytes = Vec::new();
    from.take(length).read_to_end(&mut bytes)?;
    Ok(std::ffi::OsString::from_vec(bytes).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tree_arrives_as_it_was_and_links_are_not_followed() {
        let [from, to] = [(); 2].map(|()| tempfile::tempdir().unwrap());
        let at = |name: &str| from.path().join(name);
        fs::create_dir_all(at("a/b")).unwrap();
        fs::write(at("a/b/file"), vec![7; 100_000]).unwrap();
        fs::write(at("run"), "#!/bin/sh\n").unwrap();
        fs::set_permissions(at("run"), Permissions::from_mode(0o755)).unwrap();
        symlink("/etc/passwd", at("a/link")).unwrap();
        let mut packed = Vec::new();
        pack(from.path(), &mut packed).unwrap();
        unpack(&mut packed.as_slice(), to.path()).unwrap();
        assert_eq!(fs::read(to.path().join("a/b/file")).unwrap(), vec![7; 100_000]);
        let mode = fs::metadata(to.path().join("run")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o755);
        assert_eq!(fs::read_link(to.path().join("a/link")).unwrap(), Path::new("/etc/passwd"));
    }

    #[test]
    fn what_leaves_the_tree_or_is_cut_off_is_an_error() {
        let to = tempfile::tempdir().unwrap();
        for name in ["../out", "/out", "a/../../out"] {
            let mut packed = Vec::new();
            head(&mut packed, DIRECTORY, 0o755, Path::new(name)).unwrap();
            packed.push(END);
            let error = unpack(&mut packed.as_slice(), to.path()).unwrap_err();
            assert!(error.to_string().ends_with("leaves the tree"), "{name}: {error}");
        }
        let mut packed = Vec::new();
        head(&mut packed, FILE, 0o644, Path::new("file")).unwrap();
        packed.extend(9_u64.to_le_bytes());
        packed.extend(b"12345678");
        let error = unpack(&mut packed.as_slice(), to.path()).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
    }
}
