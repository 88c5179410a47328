//! Looking for names in a whole tree. It is bounded: a repository may be of any size.

use super::{
    GitError, Missing, Objects,
    objects::{find_tree, oid, read_blob},
};
use crate::domain::{Mention, Place, TreeId};
use git2::{ObjectType, Odb, Oid, Repository, Tree, TreeEntry, TreeWalkMode, TreeWalkResult};
use std::collections::BTreeSet;

/// Larger files are data, or generated.
const FILE_LIMIT: u64 = 512 << 10;
/// So much is read at most.
const READ_LIMIT: usize = 64 << 20;
/// So many places of one name are kept.
const MAX_PLACES: usize = 500;
/// Files that no person edits, or that say what was.
const LEFT_OUT: [&str; 6] =
    ["pnpm-lock.yaml", "package-lock.json", "yarn.lock", "bun.lock", "cargo.lock", "changelog.md"];

/// The files of a tree that are looked through for names, as far as they are here.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Texts {
    /// How many there are, as far as their folders are here.
    pub files: usize,
    /// What those of them that are here weigh, in bytes.
    pub bytes: u64,
    /// Folders and files that are not here.
    pub missing: BTreeSet<Missing>,
}

impl Objects {
    /// What of `tree` would be looked through for names.
    ///
    /// # Errors
    /// If the objects cannot be read.
    pub async fn texts(&self, tree: &TreeId) -> Result<Texts, GitError> {
        let tree = oid(tree.as_str())?;
        self.local(move |repository| {
            let odb = repository.odb().map_err(GitError::local)?;
            let mut texts = Texts::default();
            count(repository, &odb, tree, &mut texts)?;
            Ok(texts)
        })
        .await
    }

    /// Where `names` stand in the files of `tree`, as whole words; those that stand nowhere are left
    /// out, and so are lockfiles, changelogs, and what is no text.
    ///
    /// # Errors
    /// [`GitError::NotFound`] if the tree is unknown here.
    pub async fn mentions(
        &self,
        tree: &TreeId,
        names: &[String],
    ) -> Result<Vec<Mention>, GitError> {
        let (tree, names) = (tree.clone(), names.to_vec());
        self.local(move |repository| {
            let tree = find_tree(repository, &tree)?;
            if names.is_empty() { Ok(Vec::new()) } else { mentions(repository, &tree, names) }
        })
        .await
    }
}

fn count(
    repository: &Repository,
    odb: &Odb<'_>,
    folder: Oid,
    texts: &mut Texts,
) -> Result<(), GitError> {
    if !odb.exists(folder) {
        texts.missing.insert(Missing::Tree(folder.to_string().parse()?));
        return Ok(());
    }
    let folder = repository.find_tree(folder).map_err(GitError::local)?;
    for entry in &folder {
        let id = entry.id();
        if entry.kind() == Some(ObjectType::Tree) {
            count(repository, odb, id, texts)?;
        } else if is_read(&entry) {
            texts.files += 1;
            if odb.exists(id) {
                let (size, _) = odb.read_header(id).map_err(GitError::local)?;
                texts.bytes += size as u64;
            } else {
                texts.missing.insert(Missing::Blob(id.to_string().parse()?));
            }
        }
    }
    Ok(())
}

/// Whether an entry is looked through.
fn is_read(entry: &TreeEntry<'_>) -> bool {
    let name = entry.name().unwrap_or_default().to_ascii_lowercase();
    let text = entry.kind() == Some(ObjectType::Blob) && entry.filemode() != LINK;
    text && !LEFT_OUT.contains(&name.as_str())
}

fn mentions(
    repository: &Repository,
    tree: &Tree<'_>,
    names: Vec<String>,
) -> Result<Vec<Mention>, GitError> {
    let mut found: Vec<Mention> =
        names.into_iter().map(|name| Mention { name, places: Vec::new(), cut: false }).collect();
    let (mut read, mut fault) = (0, None);
    let walked = tree.walk(TreeWalkMode::PreOrder, |folder, entry| {
        let name = entry.name().unwrap_or_default();
        if !is_read(entry) {
            return TreeWalkResult::Ok;
        }
        let path = format!("{folder}{name}");
        match read_blob(repository, entry.id(), &path, FILE_LIMIT) {
            Ok(bytes) => {
                read += bytes.len();
                search(&path, &bytes, &mut found);
            }
            Err(GitError::TooLarge { .. }) => {}
            Err(error) => {
                fault = Some(error);
                return TreeWalkResult::Abort;
            }
        }
        if read > READ_LIMIT {
            for mention in &mut found {
                mention.cut = true;
            }
            return TreeWalkResult::Abort;
        }
        TreeWalkResult::Ok
    });
    // Where the walk was stopped here, what it says of that is no news.
    match (fault, walked) {
        (Some(fault), _) => return Err(fault),
        (None, Err(error)) if read <= READ_LIMIT => return Err(GitError::local(error)),
        (None, _) => {}
    }
    found.retain(|mention| !mention.places.is_empty());
    Ok(found)
}

/// A symbolic link: its content is a path.
const LINK: i32 = 0o120_000;

fn search(path: &str, bytes: &[u8], found: &mut [Mention]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if text.contains('\0') {
        return;
    }
    for mention in found {
        if !text.contains(mention.name.as_str()) {
            continue;
        }
        for (line, number) in text.lines().zip(1..) {
            if mention.places.len() >= MAX_PLACES {
                mention.cut = true;
                break;
            }
            if has_word(line, &mention.name) {
                mention.places.push(Place { path: path.to_owned(), line: number });
            }
        }
    }
}

/// Whether `name` stands in `line` and is no part of a longer word.
fn has_word(line: &str, name: &str) -> bool {
    let word = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
    let (first, last) = (word(name.chars().next()), word(name.chars().next_back()));
    line.match_indices(name).any(|(at, _)| {
        let before = word(line[..at].chars().next_back());
        let after = word(line[at + name.len()..].chars().next());
        let inside = (first && before) || (last && after);
        !inside
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_a_whole_word() {
        for (line, name, expected) in [
            ("const balance = 1;", "balance", true),
            ("rebalance(balances)", "balance", false),
            ("fetch('/admin/peers')", "/admin/peers", true),
            ("fetch('/admin/peersonal')", "/admin/peers", false),
            ("fetch('http://c/admin/peers?x')", "/admin/peers", true),
            ("ébalance balance", "balance", true),
            ("", "balance", false),
        ] {
            assert_eq!(has_word(line, name), expected, "{line}");
        }
    }

    #[test]
    fn what_is_no_text_is_not_searched() {
        let found = |bytes: &[u8]| {
            let mut found = [Mention { name: "x".to_owned(), places: Vec::new(), cut: false }];
            search("a", bytes, &mut found);
            found[0].places.iter().map(|place| place.line).collect::<Vec<_>>()
        };
        assert_eq!(found(b"x\ny\nz x\n"), [1, 3]);
        assert_eq!(found(b"x\0"), [0; 0]);
        assert_eq!(found(b"x\xff"), [0; 0]);
        let many = "x\n".repeat(MAX_PLACES + 1);
        assert_eq!(found(many.as_bytes()).len(), MAX_PLACES);
    }
}
