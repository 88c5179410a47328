//! The rows of upstream's contract document that a reader of a proposal has to have in mind: those
//! that the notes of the releases name, and those that are not what they were.

use crate::domain::{ContractFound, ContractTerms, Memory, NoteItem, Notes, Version};
use std::collections::{BTreeMap, BTreeSet};

/// More items of one release than these nobody reads; it also bounds the work on hostile notes.
const MAX_ITEMS: usize = 500;
/// The row of the sections about the wire format.
const WIRE: &str = "wire format";

/// What a proposal says of upstream's contract.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Touched {
    /// How many rows the document has at the release.
    pub rows: usize,
    /// Whether all that it promised at the pin is promised still.
    pub kept: bool,
    /// The rows that are named or changed, in the order of their routes.
    pub touched: Vec<TouchedRow>,
}

/// One row: a route with its fields, or the wire format.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TouchedRow {
    /// The route, or `wire format`. Foreign text.
    pub row: String,
    /// What became of it since the pin.
    pub change: RowChange,
    /// What the notes say of it, with the release, the newest first. Foreign text.
    pub notes: Vec<(Version, String)>,
}

/// What became of a row since the pin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RowChange {
    /// Nothing.
    Kept,
    /// It was not there.
    New(Vec<String>),
    /// It has other fields.
    Fields {
        /// Those that it did not have.
        added: Vec<String>,
        /// Those that it has no more.
        gone: Vec<String>,
    },
    /// It is described in other words.
    Otherwise,
    /// It is there no more.
    Gone,
}

/// What the contract documents at two git tags and the notes of the releases between them make of
/// the contract; `None` if one of the documents is not known.
#[must_use]
pub fn touched<'a>(
    memory: &Memory,
    pinned: &str,
    tag: &str,
    releases: impl Iterator<Item = (&'a Version, &'a str)>,
) -> Option<Touched> {
    let (before, after) = (terms(memory, pinned)?, terms(memory, tag)?);
    let mut notes: BTreeMap<String, Vec<(Version, String)>> = BTreeMap::new();
    for (version, text) in releases {
        for item in items(&Notes::parse(text)).take(MAX_ITEMS) {
            for row in named(item, before, after) {
                notes.entry(row).or_default().push((version.clone(), item.text.clone()));
            }
        }
    }
    let routes: BTreeSet<&String> = before.routes.keys().chain(after.routes.keys()).collect();
    let mut rows: Vec<(String, RowChange)> =
        routes.into_iter().map(|route| (route.clone(), change(route, before, after))).collect();
    if let Some(change) = wire(before, after) {
        rows.push((WIRE.to_owned(), change));
    }
    let touched = rows.into_iter().filter_map(|(row, change)| {
        let notes = notes.remove(&row).unwrap_or_default();
        let told = !notes.is_empty() || change != RowChange::Kept;
        told.then_some(TouchedRow { row, change, notes })
    });
    Some(Touched {
        touched: touched.collect(),
        rows: after.routes.len() + usize::from(after.wire.is_some()),
        kept: after.dropped_since(before).is_empty(),
    })
}

fn terms<'a>(memory: &'a Memory, tag: &str) -> Option<&'a ContractTerms> {
    match memory.contract(tag)? {
        ContractFound::Document { terms, .. } => Some(terms),
        ContractFound::Absent | ContractFound::Unreadable { .. } => None,
    }
}

fn items(notes: &Notes) -> impl Iterator<Item = &NoteItem> {
    let sections = notes.sections.iter().flat_map(|section| &section.items);
    notes.breaking.iter().chain(sections).chain(&notes.prose)
}

/// The rows that an item names: by a route, or, where it names none, by a field.
fn named(item: &NoteItem, before: &ContractTerms, after: &ContractTerms) -> BTreeSet<String> {
    let (routes, fields) = ContractTerms::named_in(&item.text);
    let known = || before.routes.iter().chain(&after.routes);
    let by_route = known().filter(|(row, _)| routes.iter().any(|it| ContractTerms::same(it, row)));
    let mut rows: BTreeSet<String> = by_route.map(|(row, _)| row.clone()).collect();
    if routes.is_empty() {
        let by_field = known().filter(|(_, own)| fields.iter().any(|field| own.contains(field)));
        rows.extend(by_field.map(|(row, _)| row.clone()));
    }
    if item.text.to_lowercase().replace('-', " ").contains(WIRE) {
        rows.insert(WIRE.to_owned());
    }
    rows
}

fn change(route: &str, before: &ContractTerms, after: &ContractTerms) -> RowChange {
    let of = |terms: &ContractTerms| {
        let rows = terms.routes.iter().filter(|(row, _)| ContractTerms::same(row, route));
        let rows: Vec<&BTreeSet<String>> = rows.map(|(_, fields)| fields).collect();
        (!rows.is_empty()).then(|| rows.into_iter().flatten().cloned().collect::<BTreeSet<_>>())
    };
    let (Some(old), Some(new)) = (of(before), of(after)) else {
        return match of(after) {
            Some(fields) => RowChange::New(fields.into_iter().collect()),
            None => RowChange::Gone,
        };
    };
    let added: Vec<String> = new.difference(&old).cloned().collect();
    let gone: Vec<String> = old.difference(&new).cloned().collect();
    if added.is_empty() && gone.is_empty() {
        RowChange::Kept
    } else {
        RowChange::Fields { added, gone }
    }
}

fn wire(before: &ContractTerms, after: &ContractTerms) -> Option<RowChange> {
    match (&before.wire, &after.wire) {
        (None, None) => None,
        (None, Some(_)) => Some(RowChange::New(Vec::new())),
        (Some(_), None) => Some(RowChange::Gone),
        (Some(old), Some(new)) if old == new => Some(RowChange::Kept),
        (Some(_), Some(_)) => Some(RowChange::Otherwise),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{ContractFacts, Digest, Fact, Timestamp};

    const BEFORE: &str = "\
| GET | `/admin/peers` | `id`, `relation` |
| POST | `/admin/peers` | `id` |
| GET | `/admin/packets` | `total` |

## Wire format

OER.
";

    fn told(after: &str, notes: &str) -> (usize, bool, String) {
        let mut memory = Memory::default();
        for (tag, text) in [("v1", BEFORE), ("v2", after)] {
            let terms = ContractTerms::parse(text);
            let found = ContractFound::Document { digest: Digest::of(text.as_bytes()), terms };
            let fact = Fact::Contract(ContractFacts { tag: tag.to_owned(), found });
            memory.observe(fact, Timestamp::from_millis(0));
        }
        let version = "3.10.0".parse().unwrap();
        let notes = format!("### Features\n\n{notes}");
        let of = touched(&memory, "v1", "v2", std::iter::once((&version, notes.as_str()))).unwrap();
        let line = |row: &TouchedRow| {
            let notes: Vec<&str> = row.notes.iter().map(|(_, text)| text.as_str()).collect();
            format!("{}: {:?} {notes:?}\n", row.row, row.change)
        };
        (of.rows, of.kept, of.touched.iter().map(line).collect())
    }

    #[test]
    fn a_row_is_touched_by_its_route_or_else_by_one_of_its_fields() {
        for (notes, rows) in [
            ("* something else\n", vec![]),
            ("* `GET /admin/peers` is faster\n", vec!["GET /admin/peers"]),
            ("* `/admin/peers` is faster\n", vec!["GET /admin/peers", "POST /admin/peers"]),
            ("* `relation` may be null\n", vec!["GET /admin/peers"]),
            ("* `relation` of `GET /admin/packets`\n", vec!["GET /admin/packets"]),
            ("* relation in plain words\n", vec![]),
            ("* the wire-format is documented\n", vec!["wire format"]),
        ] {
            let (count, kept, told) = told(BEFORE, notes);
            let found: Vec<&str> =
                told.lines().filter_map(|line| Some(line.split_once(": ")?.0)).collect();
            assert_eq!((count, kept, found), (4, true, rows), "{notes}");
        }
    }

    #[test]
    fn what_is_not_what_it_was_is_told_without_a_note() {
        let after = BEFORE
            .replace("`id`, `relation`", "`id`, `since`")
            .replace("| POST | `/admin/peers` | `id` |\n", "| GET | `/admin/links` | `id` |\n")
            .replace("OER", "CBOR");
        let (count, kept, told) = told(&after, "* `GET /admin/links` is new\n");
        assert_eq!((count, kept), (4, false));
        insta::assert_snapshot!(told, @r#"
        GET /admin/links: New(["id"]) ["`GET /admin/links` is new"]
        GET /admin/peers: Fields { added: ["since"], gone: ["relation"] } []
        POST /admin/peers: Gone []
        wire format: Otherwise []
        "#);
        assert_eq!(touched(&Memory::default(), "v1", "v2", std::iter::empty()), None);
    }
}
