//! Upstream's contract document, at the pin and at a release.

use super::{Break, assemble::View};
use crate::domain::{BreakingNote, ContractFound, ContractTerms, Dropped, Memory, Version};

/// With more than this in one release, a reader gets the rest from the document.
const MAX_TOLD: usize = 3;

/// Whether the contract at a release was compared with the one at the pin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Contract {
    /// It is not to be: no document is configured, or the release is a MAJOR by its own word.
    NotAsked,
    /// One of the two was not read yet.
    Unread,
    /// It was.
    Compared,
    /// It cannot be; a sentence fragment for a maintainer.
    Uncompared(String),
}

/// How far the comparison of two releases is; `pinned` is `None` if there is no such release.
pub(super) fn compared(view: View<'_>, pinned: Option<&str>, tag: &str) -> Contract {
    let Some(path) = &view.rules.contract else { return Contract::NotAsked };
    let Some(pinned) = pinned else {
        return Contract::Uncompared(format!("{path}: the pinned version has no release"));
    };
    let mut fault = None;
    for tag in [pinned, tag] {
        match view.memory.contract(tag) {
            None => return Contract::Unread,
            Some(ContractFound::Document { .. }) => {}
            Some(ContractFound::Absent) => {
                fault.get_or_insert(format!("{path} is not there at {tag}"));
            }
            Some(ContractFound::Unreadable { why }) => {
                fault.get_or_insert(format!("{path} at {tag}: {why}"));
            }
        }
    }
    fault.map_or(Contract::Compared, Contract::Uncompared)
}

/// What the contract promises at the pinned tag and no more at the newest of `releases`, newest
/// first; since when as far as it is known. Where the newest has no document that can be read, it
/// takes nothing back: what the one before it dropped is still missing.
pub(super) fn dropped<'a>(
    view: View<'a>,
    pinned: Option<&str>,
    releases: impl Iterator<Item = (&'a Version, &'a str)>,
) -> Option<Break> {
    let path = view.rules.contract.as_ref()?;
    let before = terms(view.memory, pinned?)?;
    let mut releases = releases.peekable();
    let (_, tag) = releases.peek()?;
    view.memory.contract(tag)?;
    // A release whose document was not read, or cannot be, says nothing.
    let mut compared = releases.filter_map(|(version, tag)| {
        Some((version, terms(view.memory, tag)?.dropped_since(before)))
    });
    let (newest, dropped) = compared.next().filter(|(_, dropped)| !dropped.is_empty())?;
    let since = compared.take_while(|(_, dropped)| !dropped.is_empty()).last();
    Some(Break {
        since: since.map_or(newest, |(version, _)| version).clone(),
        why: format!("{path} {}", sentence(&dropped)),
        rows: dropped.iter().map(row).collect(),
    })
}

fn terms<'a>(memory: &'a Memory, tag: &str) -> Option<&'a ContractTerms> {
    match memory.contract(tag)? {
        ContractFound::Document { terms, .. } => Some(terms),
        ContractFound::Absent | ContractFound::Unreadable { .. } => None,
    }
}

/// "no longer names `/admin/a` and 2 more, and says something else of the wire format".
fn sentence(dropped: &[Dropped]) -> String {
    let names: Vec<String> = dropped.iter().filter_map(name).collect();
    let mut parts = Vec::new();
    if !names.is_empty() {
        let shown = names[..names.len().min(MAX_TOLD)].join(", ");
        let more = match names.len().saturating_sub(MAX_TOLD) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        parts.push(format!("no longer names {shown}{more}"));
    }
    if dropped.contains(&Dropped::Wire) {
        parts.push("says something else of the wire format".to_owned());
    }
    parts.join(", and ")
}

fn name(dropped: &Dropped) -> Option<String> {
    match dropped {
        Dropped::Route(route) => Some(format!("`{route}`")),
        Dropped::Field { route, field } => Some(format!("`{field}` of `{route}`")),
        Dropped::Wire => None,
    }
}

fn row(dropped: &Dropped) -> BreakingNote {
    let (scope, text) = match dropped {
        Dropped::Route(route) => (format!("`{route}`"), "no longer named".to_owned()),
        Dropped::Field { route, field } => {
            (format!("`{route}`"), format!("`{field}` is no longer named"))
        }
        Dropped::Wire => ("wire format".to_owned(), "described otherwise".to_owned()),
    };
    BreakingNote { scope: Some(scope), text, commit: None }
}
