//! A recorded history of releases, for tests that play the past.

use serde_json::Value;
use std::path::Path;

/// One recorded release.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistoryEntry {
    /// The git tag, such as `v1.0.0`.
    pub tag: String,
    /// When it was published, as RFC 3339.
    pub date: String,
    /// The commit that the tag is on.
    pub sha: String,
    /// That commit's first parent.
    pub parent: String,
    /// The release notes in Markdown.
    pub notes: String,
}

/// Reads a folder with `index.json` and one `vX.Y.Z.md` per release; the oldest comes first.
///
/// # Panics
/// If the folder is not of that form.
#[must_use]
pub fn history(dir: &Path) -> Vec<HistoryEntry> {
    let index = std::fs::read(dir.join("index.json")).expect("the history has an index");
    let index: Vec<Value> = serde_json::from_slice(&index).expect("the index is a JSON list");
    let text = |entry: &Value, field: &str| entry[field].as_str().unwrap_or_default().to_owned();
    index
        .iter()
        .map(|entry| {
            let tag = text(entry, "tag");
            let notes = std::fs::read_to_string(dir.join(format!("{tag}.md")));
            HistoryEntry {
                date: text(entry, "date"),
                sha: text(entry, "sha"),
                parent: text(entry, "parent"),
                notes: notes.expect("each release has its notes"),
                tag,
            }
        })
        .collect()
}
