//! Trees and files as git has them, on their way between a git repository and GitHub's API.

use super::{FilePath, TreeId};

/// How git spells the mode of a folder.
pub const FOLDER_MODE: u32 = 0o040_000;

/// One entry of a tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TreeEntry {
    /// Its name in its folder.
    pub name: String,
    /// Its mode, as git spells it.
    pub mode: u32,
    /// The id of what it is: 40 hexadecimal digits.
    pub id: String,
}

/// A tree with its own entries, those of the trees below it left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedTree {
    /// Its id, as it is claimed.
    pub id: TreeId,
    /// Its entries, in any order.
    pub entries: Vec<TreeEntry>,
}

/// A file that is to stand in a tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TreeFile {
    /// Where.
    pub path: FilePath,
    /// Whether it is executable.
    pub executable: bool,
    /// Its whole content.
    pub content: Vec<u8>,
}

impl TreeFile {
    /// Its mode, as git spells it.
    #[must_use]
    pub const fn mode(&self) -> &'static str {
        if self.executable { "100755" } else { "100644" }
    }
}
