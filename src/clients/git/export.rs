//! A tree as plain files, for whoever runs foreign code on it.

use super::{
    GitError, Objects,
    objects::{find_tree, read_blob},
};
use crate::domain::TreeId;
use git2::{ObjectType, Repository, Tree, TreeEntry};
use std::{
    ffi::OsStr,
    fs::{self, DirBuilder, OpenOptions},
    io::{self, Write as _},
    os::unix::{
        ffi::OsStrExt as _,
        fs::{DirBuilderExt as _, OpenOptionsExt as _, symlink},
    },
    path::{Component, Path, PathBuf},
};

/// A whole work tree. The townhouse's is 4 MB.
const EXPORT_LIMIT: u64 = 1 << 30;
const LINK: i32 = 0o120_000;
/// The longest target that Linux takes.
const LINK_LIMIT: u64 = 4096;

impl Objects {
    /// Writes the files of `tree` into the empty folder `into`, which is created if it is absent:
    /// contents byte for byte, executable bits, no `.git`, empty folders for submodules.
    ///
    /// Returns the symbolic links that were left out, because they point out of the tree or
    /// cannot be shown not to.
    ///
    /// # Errors
    /// If `into` is not empty or cannot be written, the tree is unknown here, it holds a name that
    /// is no file name (`..`, `.git`), or it is over 1 GiB.
    pub async fn export(&self, tree: &TreeId, into: &Path) -> Result<Vec<String>, GitError> {
        let (tree, into) = (tree.clone(), into.to_owned());
        self.local(move |repository| {
            let tree = find_tree(repository, &tree)?;
            DirBuilder::new().recursive(true).mode(0o700).create(&into)?;
            if fs::read_dir(&into)?.next().is_some() {
                return Err(io::Error::from(io::ErrorKind::DirectoryNotEmpty).into());
            }
            let mut export =
                Export { repository, root: into, room: EXPORT_LIMIT, left_out: Vec::new() };
            export.folder(&tree, Path::new(""))?;
            Ok(export.left_out)
        })
        .await
    }
}

struct Export<'repo> {
    repository: &'repo Repository,
    root: PathBuf,
    room: u64,
    left_out: Vec<String>,
}

impl Export<'_> {
    /// Writes one folder. `inside` is its path below the root; every part of it was created here,
    /// as a folder: whatever exists already is an error, so that no link can stand in between.
    fn folder(&mut self, tree: &Tree<'_>, inside: &Path) -> Result<(), GitError> {
        for entry in tree {
            let path = inside.join(name(&entry)?);
            match (entry.kind(), entry.filemode()) {
                (Some(ObjectType::Tree), _) => {
                    DirBuilder::new().create(self.root.join(&path))?;
                    let below = self.repository.find_tree(entry.id()).map_err(GitError::local)?;
                    self.folder(&below, &path)?;
                }
                (Some(ObjectType::Commit), _) => DirBuilder::new().create(self.root.join(&path))?,
                (_, LINK) => self.link(&entry, &path)?,
                (_, mode) => self.file(&entry, &path, mode)?,
            }
        }
        Ok(())
    }

    fn file(&mut self, entry: &TreeEntry<'_>, path: &Path, mode: i32) -> Result<(), GitError> {
        let what = path.to_string_lossy();
        let content = read_blob(self.repository, entry.id(), &what, self.room).map_err(
            |error| match error {
                GitError::TooLarge { .. } => {
                    GitError::TooLarge { what: "the exported tree".to_owned(), limit: EXPORT_LIMIT }
                }
                other => other,
            },
        )?;
        self.room -= content.len() as u64;
        let executable = mode & 0o111 != 0;
        OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(if executable { 0o755 } else { 0o644 })
            .open(self.root.join(path))?
            .write_all(&content)?;
        Ok(())
    }

    fn link(&mut self, entry: &TreeEntry<'_>, path: &Path) -> Result<(), GitError> {
        let what = path.to_string_lossy();
        let target = read_blob(self.repository, entry.id(), &what, LINK_LIMIT)?;
        let target = Path::new(OsStr::from_bytes(&target));
        if stays_inside(path, target) {
            symlink(target, self.root.join(path))?;
        } else {
            self.left_out.push(what.into_owned());
        }
        Ok(())
    }
}

/// A tree can be made by anybody, with any bytes for names.
fn name<'entry>(entry: &'entry TreeEntry<'_>) -> Result<&'entry OsStr, GitError> {
    let bytes = entry.name_bytes();
    let plain = !matches!(bytes, b"" | b"." | b"..")
        && !bytes.eq_ignore_ascii_case(b".git")
        && !bytes.contains(&b'/')
        && !bytes.contains(&0);
    if plain {
        Ok(OsStr::from_bytes(bytes))
    } else {
        Err(GitError::Corrupt("a file name in the tree is none".into()))
    }
}

/// Whether the link at `path` can only lead to places below the root: it climbs no higher than
/// the root, and climbs first. A `..` after a name could follow another link and come out
/// anywhere; without it, whatever a name leads to is inside if all links are.
pub(super) fn stays_inside(path: &Path, target: &Path) -> bool {
    let mut depth = path.components().count() - 1;
    let mut descending = false;
    for component in target.components() {
        match component {
            Component::CurDir => {}
            Component::Normal(_) => descending = true,
            Component::ParentDir if !descending && depth > 0 => depth -= 1,
            Component::ParentDir | Component::RootDir | Component::Prefix(_) => return false,
        }
    }
    !target.as_os_str().is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_stays_inside_or_is_left_out() {
        for (path, target, inside) in [
            ("a", "b", true),
            ("a", "./b/c", true),
            ("d/a", "../b", true),
            ("d/e/a", "../..", true),
            ("a", "..", false),
            ("d/a", "../../b", false),
            ("a", "/etc/passwd", false),
            ("a", "b/../c", false),
            ("a", "b/../../etc", false),
            ("a", "", false),
        ] {
            let found = stays_inside(Path::new(path), Path::new(target));
            assert_eq!(found, inside, "{path} -> {target}");
        }
    }
}
