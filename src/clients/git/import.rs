//! What became of an exported tree: the way back, for files that a tool wrote into it.

use super::{
    GitError, Objects,
    export::stays_inside,
    objects::{find_tree, read_blob},
};
use crate::domain::TreeId;
use git2::{ObjectType, Oid, Repository, Tree, TreeEntry};
use std::{
    collections::BTreeSet,
    ffi::OsStr,
    fs::{self, File},
    io::{self, BufReader, Read as _},
    os::unix::{
        ffi::{OsStrExt as _, OsStringExt as _},
        fs::PermissionsExt as _,
    },
    path::{Component, Path, PathBuf},
};
use tar::EntryType;

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

impl Objects {
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
            let mut import = Import::of(repository, &tree)?;
            import.walk(&from, Path::new(""))?;
            import.finish()
        })
        .await
    }

    /// Like [`Objects::differences`], from a tar archive of the folder. What it holds is foreign:
    /// nothing of it is written anywhere.
    ///
    /// # Errors
    /// As there, or if it is no whole archive.
    pub async fn differences_in_archive(
        &self,
        tree: &TreeId,
        archive: File,
    ) -> Result<Vec<Difference>, GitError> {
        let tree = tree.clone();
        self.local(move |repository| {
            let mut import = Import::of(repository, &tree)?;
            for entry in tar::Archive::new(BufReader::new(archive)).entries()? {
                let entry = entry?;
                let path = PathBuf::from(OsStr::from_bytes(&entry.path_bytes()));
                let path: PathBuf =
                    path.components().filter(|part| !matches!(part, Component::CurDir)).collect();
                import.archived(entry, &path)?;
            }
            import.finish()
        })
        .await
    }
}

struct Import<'repo> {
    repository: &'repo Repository,
    tree: Tree<'repo>,
    seen: BTreeSet<PathBuf>,
    found: Vec<Difference>,
}

/// What is at a path now.
enum There {
    Folder,
    File { content: Vec<u8>, executable: bool },
    Link { target: Vec<u8> },
    Other,
}

impl<'repo> Import<'repo> {
    fn of(repository: &'repo Repository, tree: &TreeId) -> Result<Self, GitError> {
        let tree = find_tree(repository, tree)?;
        Ok(Self { repository, tree, seen: BTreeSet::new(), found: Vec::new() })
    }

    /// Looks at one folder. `inside` is its path below the root; it is a folder there.
    fn walk(&mut self, root: &Path, inside: &Path) -> Result<(), GitError> {
        for entry in fs::read_dir(root.join(inside))? {
            let path = inside.join(entry?.file_name());
            let (whole, about) = (root.join(&path), fs::symlink_metadata(root.join(&path))?);
            let there = if about.is_dir() {
                There::Folder
            } else if about.is_symlink() {
                There::Link { target: fs::read_link(whole)?.into_os_string().into_vec() }
            } else if about.is_file() {
                not_larger(&path, about.len())?;
                let executable = about.permissions().mode() & 0o111 != 0;
                There::File { content: fs::read(whole)?, executable }
            } else {
                There::Other
            };
            let folder = matches!(there, There::Folder);
            self.see(&path, there)?;
            if folder {
                self.walk(root, &path)?;
            }
        }
        Ok(())
    }

    fn archived(
        &mut self,
        mut entry: tar::Entry<'_, impl io::Read>,
        path: &Path,
    ) -> Result<(), GitError> {
        let there = match entry.header().entry_type() {
            EntryType::Directory => There::Folder,
            EntryType::Symlink => {
                let target = entry.link_name_bytes().unwrap_or_default().into_owned();
                There::Link { target }
            }
            EntryType::Regular => {
                not_larger(path, entry.size())?;
                let executable = entry.header().mode()? & 0o111 != 0;
                let mut content = Vec::new();
                entry.read_to_end(&mut content)?;
                There::File { content, executable }
            }
            _ => There::Other,
        };
        if path.as_os_str().is_empty() { Ok(()) } else { self.see(path, there) }
    }

    fn see(&mut self, path: &Path, there: There) -> Result<(), GitError> {
        if self.seen.len() == MAX_ENTRIES {
            let what = "the folder".to_owned();
            return Err(GitError::TooLarge { what, limit: MAX_ENTRIES as u64 });
        }
        self.seen.insert(path.to_owned());
        let before = match self.tree.get_path(path) {
            Ok(entry) => Some(entry),
            Err(error) if error.code() == git2::ErrorCode::NotFound => None,
            Err(error) => return Err(GitError::local(error)),
        };
        match (there, before) {
            (There::Folder, Some(entry)) if entry.kind() == Some(ObjectType::Blob) => {
                self.other(path, "became a folder");
            }
            (There::Folder, _) => {}
            (There::Other, _) => self.other(path, "is no file"),
            (There::Link { target }, before) => {
                let id = Oid::hash_object(ObjectType::Blob, &target).map_err(GitError::local)?;
                if before.is_none_or(|entry| entry.filemode() != LINK || entry.id() != id) {
                    self.other(path, "is a new link");
                }
            }
            (There::File { content, executable: false }, None) => self.written(path, content),
            (There::File { .. }, None) => self.other(path, "is new and executable"),
            (There::File { content, executable }, Some(entry)) => {
                let id = Oid::hash_object(ObjectType::Blob, &content).map_err(GitError::local)?;
                if entry.kind() != Some(ObjectType::Blob) || entry.filemode() == LINK {
                    self.other(path, "became a file");
                } else if (entry.filemode() & 0o111 != 0) != executable {
                    self.other(path, "changed its mode");
                } else if id != entry.id() {
                    self.written(path, content);
                }
            }
        }
        Ok(())
    }

    /// What is gone is a difference too. In the order of the paths: folders are read in none.
    fn finish(mut self) -> Result<Vec<Difference>, GitError> {
        let tree = self.tree.clone();
        self.missing(&tree, Path::new(""))?;
        self.found.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(self.found)
    }

    fn missing(&mut self, tree: &Tree<'_>, inside: &Path) -> Result<(), GitError> {
        for entry in tree {
            let path = inside.join(OsStr::from_bytes(entry.name_bytes()));
            if entry.kind() == Some(ObjectType::Tree) {
                let below = self.repository.find_tree(entry.id()).map_err(GitError::local)?;
                self.missing(&below, &path)?;
            } else if !self.seen.contains(&path) && !self.was_left_out(&entry, &path)? {
                self.other(&path, "was removed");
            }
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

fn not_larger(path: &Path, size: u64) -> Result<(), GitError> {
    if size > FILE_LIMIT {
        return Err(GitError::TooLarge {
            what: format!("`{}`", path.display()),
            limit: FILE_LIMIT,
        });
    }
    Ok(())
}
