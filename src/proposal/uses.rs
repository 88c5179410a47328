//! Where the downstream uses the names that a migration is about.

use super::plan::Workshop;
use crate::domain::{BreakingNote, CommitId, FilePath, Mention};
use anyhow::{Context as _, Result};

/// More names than these nobody follows up.
const MAX_NAMES: usize = 20;
/// Shorter ones stand everywhere.
const SHORTEST: usize = 4;
/// Names of values and types, which stand everywhere as well.
const COMMON: [&str; 12] = [
    "true",
    "false",
    "null",
    "none",
    "string",
    "number",
    "boolean",
    "object",
    "array",
    "undefined",
    "error",
    "type",
];

impl Workshop<'_> {
    /// Where the names in the rows of a migration stand at `base`, apart from the migration document and
    /// the copy of the contract, which use nothing; `None` if nobody looked.
    pub(super) async fn uses(
        &self,
        base: &CommitId,
        document: &FilePath,
        rows: &[BreakingNote],
    ) -> Result<Option<Vec<Mention>>> {
        let tree = self.git.tree_of(base).await?;
        let found = self.git.mentions(&tree, &names(rows)).await;
        let Some(mut found) = found.context("where the names are used")? else { return Ok(None) };
        let mirror = self.watch.downstream.mirror.as_ref();
        let documents: Vec<&str> =
            mirror.into_iter().chain([document]).map(FilePath::as_str).collect();
        for mention in &mut found {
            mention.places.retain(|place| !documents.contains(&place.path.as_str()));
        }
        found.retain(|mention| !mention.places.is_empty());
        Ok(Some(found))
    }
}

/// The names that rows have in backticks: routes without their method, functions, fields.
fn names(rows: &[BreakingNote]) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    let texts = rows.iter().flat_map(|row| row.scope.iter().chain([&row.text]));
    for name in texts.flat_map(|text| spans(text)).filter_map(name) {
        if names.len() < MAX_NAMES && !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

/// What stands between two backticks each.
fn spans(text: &str) -> impl Iterator<Item = &str> {
    let closed = text.matches('`').count() / 2;
    text.split('`').skip(1).step_by(2).take(closed)
}

/// What is looked for, of one span of code; `None` if it is no name.
fn name(code: &str) -> Option<String> {
    let path = code.split_once(' ').and_then(|(method, path)| {
        let upper = !method.is_empty() && method.bytes().all(|b| b.is_ascii_uppercase());
        (upper && path.starts_with('/')).then_some(path)
    });
    let name = path.unwrap_or(code);
    // What comes before a parameter is what code spells.
    let name = name.split(['{', '<', ':', '(', '?']).next().unwrap_or_default();
    let name = if name.len() > 1 { name.trim_end_matches('/') } else { name };
    let plain = |c: char| c.is_ascii_alphanumeric() || "_./-$@".contains(c);
    let telling = name.len() >= SHORTEST
        && name.chars().all(plain)
        && name.contains(|c: char| c.is_ascii_alphabetic())
        && !COMMON.contains(&name.to_ascii_lowercase().as_str());
    telling.then(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_what_stands_in_backticks_and_is_no_common_word() {
        let row = |scope: Option<&str>, text: &str| BreakingNote {
            scope: scope.map(str::to_owned),
            text: text.to_owned(),
            commit: None,
        };
        let rows = [
            row(Some("`GET /admin/peers`"), "`relation` is no longer named, `null` instead"),
            row(Some("admin"), "`GET /admin/channels/{id}` and `openChannel(peer)`, not balance"),
            row(None, "`id`, `a b`, `relation`, `3.10.0`, `` and an open `span"),
        ];
        assert_eq!(names(&rows), ["/admin/peers", "relation", "/admin/channels", "openChannel"]);
        let many: Vec<BreakingNote> = (0..50).map(|n| row(None, &format!("`field{n}`"))).collect();
        assert_eq!(names(&many).len(), MAX_NAMES);
    }
}
