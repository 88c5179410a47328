//! Objects that come from elsewhere than a git server: what is missing to read certain paths, and
//! putting it in. An id is the hash of what it names, so nothing is believed that came.

use super::{
    GitError, Objects,
    objects::{EXECUTABLE, FILE, FILE_LIMIT, find_tree, oid, read_blob},
};
use crate::domain::{BlobId, FOLDER_MODE, FilePath, ListedTree, TreeEntry, TreeFile, TreeId};
use git2::{Delta, ObjectType, Odb, Oid, Repository};
use std::collections::{BTreeMap, BTreeSet};

/// Nothing is taken away from this repository object by object. With so many it begins anew: what is
/// still wanted is fetched again.
const OBJECTS_LIMIT: usize = 50_000;
/// As git itself does it, one of the 256 folders of loose objects is counted for all of them.
const SAMPLE: &str = "objects/17";

/// An object that is not here.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Missing {
    /// A folder.
    Tree(TreeId),
    /// A file's content.
    Blob(BlobId),
}

/// What is wanted of the paths.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Entry {
    /// Only what stands there: the folders on the way.
    Named,
    /// The files' contents besides.
    Whole,
}

/// Where two trees differ, as far as they are here.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Differing {
    /// The paths of the files that are not the same.
    pub paths: BTreeSet<FilePath>,
    /// Folders that are not here, so that there may be more.
    pub missing: BTreeSet<Missing>,
}

impl Objects {
    /// Where `old` and `new` differ.
    ///
    /// # Errors
    /// If the objects cannot be read, or a path is none that the bot could write.
    pub async fn differing(&self, old: &TreeId, new: &TreeId) -> Result<Differing, GitError> {
        let (old, new) = (oid(old.as_str())?, oid(new.as_str())?);
        self.local(move |repository| {
            let odb = repository.odb().map_err(GitError::local)?;
            let mut differing = Differing::default();
            compare(repository, &odb, "", [Some(old), Some(new)], &mut differing)?;
            Ok(differing)
        })
        .await
    }

    /// The objects next on the way to `paths` in `tree` that are not here. When they are, there may
    /// be more.
    ///
    /// # Errors
    /// If the objects cannot be read.
    pub async fn missing(
        &self,
        tree: &TreeId,
        paths: &BTreeSet<FilePath>,
        wanted: Entry,
    ) -> Result<BTreeSet<Missing>, GitError> {
        let (tree, paths) = (tree.clone(), paths.clone());
        self.local(move |repository| {
            let odb = repository.odb().map_err(GitError::local)?;
            let root = oid(tree.as_str())?;
            if !odb.exists(root) {
                return Ok(BTreeSet::from([Missing::Tree(tree)]));
            }
            let mut missing = BTreeSet::new();
            for path in &paths {
                let found = first_missing(repository, &odb, root, path)?;
                let content = matches!(found, Some(Missing::Blob(_)));
                missing.extend(found.filter(|_| !content || wanted == Entry::Whole));
            }
            Ok(missing)
        })
        .await
    }

    /// Puts in those trees that are what their ids say; gives the ids of those.
    ///
    /// # Errors
    /// If the objects cannot be written.
    pub async fn put_trees(&self, trees: Vec<ListedTree>) -> Result<BTreeSet<TreeId>, GitError> {
        self.local(move |repository| {
            let odb = repository.odb().map_err(GitError::local)?;
            let mut put = BTreeSet::new();
            for ListedTree { id, entries } in trees {
                let Some(bytes) = spelled(entries) else { continue };
                let found = Oid::hash_object(ObjectType::Tree, &bytes).map_err(GitError::local)?;
                if found.to_string() == id.as_str() {
                    odb.write(ObjectType::Tree, &bytes).map_err(GitError::local)?;
                    put.insert(id);
                }
            }
            Ok(put)
        })
        .await
    }

    /// Puts in a file's content.
    ///
    /// # Errors
    /// [`GitError::Malformed`] if it is not what `id` says, or if the objects cannot be written.
    pub async fn put_blob(&self, id: &BlobId, content: Vec<u8>) -> Result<(), GitError> {
        let id = id.clone();
        self.local(move |repository| {
            let found = Oid::hash_object(ObjectType::Blob, &content).map_err(GitError::local)?;
            if found.to_string() != id.as_str() {
                let what = format!("what came as blob {id} is {found}");
                return Err(GitError::Malformed { what });
            }
            repository.blob(&content).map(drop).map_err(GitError::local)
        })
        .await
    }

    /// The files of `new` that are not the same in `old`.
    ///
    /// # Errors
    /// [`GitError::NotFound`] if one of the trees is unknown here, [`GitError::NotAFile`] where
    /// something else than a regular file was put, or a file was taken away.
    pub async fn files_between(
        &self,
        old: &TreeId,
        new: &TreeId,
    ) -> Result<Vec<TreeFile>, GitError> {
        let (old, new) = (old.clone(), new.clone());
        self.local(move |repository| {
            let (old, new) = (find_tree(repository, &old)?, find_tree(repository, &new)?);
            let diff = repository.diff_tree_to_tree(Some(&old), Some(&new), None);
            let diff = diff.map_err(GitError::local)?;
            diff.deltas().map(|delta| changed_file(repository, &delta)).collect()
        })
        .await
    }

    /// Begins anew where damage was met, or where too much has gathered.
    ///
    /// # Errors
    /// If the file system fails.
    pub async fn refresh(&self) -> Result<(), GitError> {
        self.alone(|inner| {
            let sample = std::fs::read_dir(inner.path().join(SAMPLE));
            let objects = sample.map_or(0, |files| files.count() * 256);
            if inner.is_damaged() {
                inner.set_aside()?;
            } else if objects > OBJECTS_LIMIT {
                std::fs::remove_dir_all(inner.path())?;
            }
            Ok(())
        })
        .await
    }
}

/// The first object on the way to `path` that is not here. What is no folder ends the way.
fn first_missing(
    repository: &Repository,
    odb: &Odb<'_>,
    root: Oid,
    path: &FilePath,
) -> Result<Option<Missing>, GitError> {
    let mut at = root;
    for part in path.as_str().split('/') {
        let folder = repository.find_tree(at).map_err(GitError::local)?;
        let Some(entry) = folder.get_name(part) else { return Ok(None) };
        at = entry.id();
        let id = at.to_string();
        match entry.kind() {
            Some(ObjectType::Tree) if odb.exists(at) => {}
            Some(ObjectType::Tree) => return Ok(Some(Missing::Tree(id.parse()?))),
            Some(ObjectType::Blob) if matches!(entry.filemode(), FILE | EXECUTABLE) => {
                let there = odb.exists(at);
                return Ok(if there { None } else { Some(Missing::Blob(id.parse()?)) });
            }
            _ => return Ok(None),
        }
    }
    Ok(None)
}

/// What stands under a name.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Stands {
    id: Oid,
    mode: i32,
    folder: bool,
}

/// Compares the folders with these ids, of which one may be absent. `before` is their path with a slash
/// at its end.
fn compare(
    repository: &Repository,
    odb: &Odb<'_>,
    before: &str,
    folders: [Option<Oid>; 2],
    differing: &mut Differing,
) -> Result<(), GitError> {
    let there = folders.into_iter().flatten();
    let absent: Vec<Oid> = there.filter(|id| !odb.exists(*id)).collect();
    if !absent.is_empty() {
        for id in absent {
            differing.missing.insert(Missing::Tree(id.to_string().parse()?));
        }
        return Ok(());
    }
    let mut names: BTreeMap<Vec<u8>, [Option<Stands>; 2]> = BTreeMap::new();
    for (side, folder) in folders.into_iter().enumerate() {
        let Some(folder) = folder else { continue };
        let folder = repository.find_tree(folder).map_err(GitError::local)?;
        for entry in &folder {
            let folder = entry.kind() == Some(ObjectType::Tree);
            let what = Stands { id: entry.id(), mode: entry.filemode(), folder };
            names.entry(entry.name_bytes().to_owned()).or_default()[side] = Some(what);
        }
    }
    for (name, sides) in names.into_iter().filter(|(_, [old, new])| old != new) {
        let path = format!("{before}{}", String::from_utf8_lossy(&name));
        let below = sides.map(|side| side.filter(|it| it.folder).map(|it| it.id));
        if below.iter().any(Option::is_some) {
            compare(repository, odb, &format!("{path}/"), below, differing)?;
        }
        if sides.iter().flatten().any(|it| !it.folder) {
            let what = |_| GitError::Malformed { what: "a path that no edit has".to_owned() };
            differing.paths.insert(path.parse().map_err(what)?);
        }
    }
    Ok(())
}

/// The bytes of a tree, its entries in git's order; `None` if an entry has no id.
fn spelled(entries: Vec<TreeEntry>) -> Option<Vec<u8>> {
    // A folder is sorted as if its name ended with a slash.
    let key = |entry: &TreeEntry| {
        let slash = if entry.mode == FOLDER_MODE { "/" } else { "" };
        format!("{}{slash}", entry.name).into_bytes()
    };
    let sorted: BTreeMap<Vec<u8>, TreeEntry> =
        entries.into_iter().map(|entry| (key(&entry), entry)).collect();
    let mut bytes = Vec::new();
    for entry in sorted.into_values() {
        bytes.extend_from_slice(format!("{:o} {}\0", entry.mode, entry.name).as_bytes());
        bytes.extend_from_slice(Oid::from_str(&entry.id).ok()?.as_bytes());
    }
    Some(bytes)
}

fn changed_file(
    repository: &Repository,
    delta: &git2::DiffDelta<'_>,
) -> Result<TreeFile, GitError> {
    let file = delta.new_file();
    let path = file.path_bytes().or_else(|| delta.old_file().path_bytes()).unwrap_or_default();
    let path: FilePath = String::from_utf8_lossy(path).parse()?;
    let mode = i32::try_from(u32::from(file.mode())).unwrap_or_default();
    if delta.status() == Delta::Deleted || !matches!(mode, FILE | EXECUTABLE) {
        return Err(GitError::NotAFile { path });
    }
    let content = read_blob(repository, file.id(), path.as_str(), FILE_LIMIT)?;
    Ok(TreeFile { path, executable: mode == EXECUTABLE, content })
}
