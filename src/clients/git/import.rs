//! What became of an exported tree: the way back, for files that a tool wrote into it.

use super::{
    GitCache, GitError,
    export::stays_inside,
    objects::{find_tree, read_blob},
};
use crate::domain::TreeId;
use git2::{ObjectType, Oid, Repository, Tree, TreeEntry};
use std::{
    collections::BTreeSet,
    ffi::OsStr,
    fs::{self, Metadata},
    os::unix::{
        ffi::{OsStrExt as _, OsStringExt as _},
        fs::PermissionsExt as _,
    },
    path::{Path, PathBuf},
};

/// A lockfile may have some megabytes.
const FILE_LIMIT: u64 = 16 << 20;
/// So many files and folders are looked at.
const MAX_ENTRIES: usize = 200_000;
const LINK: i32 = 0o120_000;
/// The longest target that Linux takes.
const LINK_LIMIT: u64 = 4096;

/// One difference between a tree and the folder that it was exported into.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The path below the tree; bytes that are not UTF-8 are replaced.
    pub path: String,
    /// What is there now.
    pub now: Now,
}

/// What is at a path now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Now {
    /// A file with another content than before, or a new one, not executable.
    Written(Vec<u8>),
    /// Something else changed, in the words of a maintainer.
    Other(&'static str),
}

impl GitCache {
    /// What differs between `tree` and the folder `from`, into which it was exported. Empty folders
    /// and links that were left out of the export are no difference.
    ///
    /// # Errors
    /// If the tree is unknown here, the folder cannot be read, or holds more than 200,000 entries
    /// or a changed file over 16 MiB.
    pub async fn differences(
        &self,
        tree: &TreeId,
        from: &Path,
    ) -> Result<Vec<Difference>, GitError> {
        let (tree, from) = (tree.clone(), from.to_owned());
        self.local(move |repository| {
            let tree = find_tree(repository, &tree)?;
            let mut import = Import { repository, root: from, entries: 0, found: Vec::new() };
            import.folder(Some(&tree), Path::new(""))?;
            // Folders are read in no order.
            import.found.sort_by(|a, b| a.path.cmp(&b.path));
            Ok(import.found)
        })
        .await
    }
}

struct Import<'repo> {
    repository: &'repo Repository,
    root: PathBuf,
    entries: usize,
    found: Vec<Difference>,
}

impl Import<'_> {
    /// Compares one folder. `inside` is its path below the root; it is a folder there.
    fn folder(&mut self, tree: Option<&Tree<'_>>, inside: &Path) -> Result<(), GitError> {
        let mut seen = BTreeSet::new();
        for entry in fs::read_dir(self.root.join(inside))? {
            self.entries += 1;
            if self.entries > MAX_ENTRIES {
                let what = "the folder".to_owned();
                return Err(GitError::TooLarge { what, limit: MAX_ENTRIES as u64 });
            }
            let name = entry?.file_name();
            let path = inside.join(&name);
            let before = tree.and_then(|tree| entry_named(tree, &name));
            self.compare(before.as_ref(), &path)?;
            seen.insert(name.into_vec());
        }
        let gone = tree.into_iter().flat_map(|tree| tree.iter());
        for entry in gone.filter(|entry| !seen.contains(entry.name_bytes())) {
            let path = inside.join(OsStr::from_bytes(entry.name_bytes()));
            if !self.was_left_out(&entry, &path)? {
                self.other(&path, "was removed");
            }
        }
        Ok(())
    }

    fn compare(&mut self, before: Option<&TreeEntry<'_>>, path: &Path) -> Result<(), GitError> {
        let there = fs::symlink_metadata(self.root.join(path))?;
        if there.is_dir() {
            return match before.map(|entry| (entry.kind(), entry.id())) {
                Some((Some(ObjectType::Tree), id)) => {
                    let tree = self.repository.find_tree(id).map_err(GitError::local)?;
                    self.folder(Some(&tree), path)
                }
                // What stands in a submodule's place is no part of the tree.
                Some((Some(ObjectType::Commit), _)) | None => self.folder(None, path),
                Some(_) => {
                    self.other(path, "became a folder");
                    Ok(())
                }
            };
        }
        if there.is_symlink() {
            return self.link(before, path);
        }
        if !there.is_file() {
            self.other(path, "is no file");
            return Ok(());
        }
        self.file(before, path, &there)
    }

    fn file(
        &mut self,
        before: Option<&TreeEntry<'_>>,
        path: &Path,
        there: &Metadata,
    ) -> Result<(), GitError> {
        if there.len() > FILE_LIMIT {
            let what = format!("`{}`", path.display());
            return Err(GitError::TooLarge { what, limit: FILE_LIMIT });
        }
        let content = fs::read(self.root.join(path))?;
        let executable = there.permissions().mode() & 0o111 != 0;
        let Some(before) = before else {
            if executable {
                self.other(path, "is new and executable");
            } else {
                self.written(path, content);
            }
            return Ok(());
        };
        let id = Oid::hash_object(ObjectType::Blob, &content).map_err(GitError::local)?;
        if before.kind() != Some(ObjectType::Blob) || before.filemode() == LINK {
            self.other(path, "became a file");
        } else if (before.filemode() & 0o111 != 0) != executable {
            self.other(path, "changed its mode");
        } else if id != before.id() {
            self.written(path, content);
        }
        Ok(())
    }

    fn link(&mut self, before: Option<&TreeEntry<'_>>, path: &Path) -> Result<(), GitError> {
        let target = fs::read_link(self.root.join(path))?;
        let target = target.as_os_str().as_bytes();
        let id = Oid::hash_object(ObjectType::Blob, target).map_err(GitError::local)?;
        if before.is_none_or(|before| before.filemode() != LINK || before.id() != id) {
            self.other(path, "is a new link");
        }
        Ok(())
    }

    fn was_left_out(&self, entry: &TreeEntry<'_>, path: &Path) -> Result<bool, GitError> {
        Ok(match (entry.kind(), entry.filemode()) {
            // An empty folder is nothing to git.
            (Some(ObjectType::Commit), _) => true,
            (_, LINK) => {
                let what = path.to_string_lossy();
                let target = read_blob(self.repository, entry.id(), &what, LINK_LIMIT)?;
                !stays_inside(path, Path::new(OsStr::from_bytes(&target)))
            }
            _ => false,
        })
    }

    fn written(&mut self, path: &Path, content: Vec<u8>) {
        let path = path.to_string_lossy().into_owned();
        self.found.push(Difference { path, now: Now::Written(content) });
    }

    fn other(&mut self, path: &Path, what: &'static str) {
        let path = path.to_string_lossy().into_owned();
        self.found.push(Difference { path, now: Now::Other(what) });
    }
}

fn entry_named(tree: &Tree<'_>, name: &OsStr) -> Option<TreeEntry<'static>> {
    tree.get_name_bytes(name.as_bytes()).map(|entry| entry.to_owned())
}
