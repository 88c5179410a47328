//! The rows of upstream's contract document that the notes touch.

use super::notes::brief;
use crate::domain::{FilePath, Version};
use crate::policy::{RowChange, Touched, TouchedRow};
use std::fmt::Write as _;

/// More rows than these are read in the document itself.
const MAX_ROWS: usize = 20;
/// More notes about one row than these are read in the notes.
const MAX_NOTES: usize = 3;

/// The section; empty if nothing is known of the document.
pub(super) fn section(document: Option<(&FilePath, &Touched)>, pinned: &Version) -> String {
    let Some((path, contract)) = document else { return String::new() };
    let kept = if contract.kept {
        format!("promises all that it did at {pinned}")
    } else {
        format!("no longer promises all that it did at {pinned}")
    };
    let rows = match contract.rows {
        1 => "its row".to_owned(),
        count => format!("its {count} rows"),
    };
    let head = format!("### The contract\n\nUpstream's `{path}` {kept}.");
    if contract.touched.is_empty() {
        return format!("{head} The notes name none of {rows}.");
    }
    let mut out = format!(
        "{head} Of {rows} these are named by the notes, or are not what they were:\n\n\
         | row | since the pin | what the notes say |\n| --- | --- | --- |"
    );
    for row in contract.touched.iter().take(MAX_ROWS) {
        let name = brief(&format!("`{}`", row.row));
        let _ = write!(out, "\n| {name} | {} | {} |", change(&row.change), notes(row));
    }
    if let Some(more @ 1..) = contract.touched.len().checked_sub(MAX_ROWS) {
        let _ = write!(out, "\n\nAnd {more} more.");
    }
    out
}

fn change(change: &RowChange) -> String {
    let names = |fields: &[String]| {
        let fields: Vec<String> = fields.iter().map(|field| format!("`{field}`")).collect();
        fields.join(", ")
    };
    let text = match change {
        RowChange::Kept => "as it was".to_owned(),
        RowChange::New(fields) if fields.is_empty() => "new".to_owned(),
        RowChange::New(fields) => format!("new: {}", names(fields)),
        RowChange::Fields { added, gone } => {
            let parts = [("more", added), ("no more", gone)];
            let parts = parts.iter().filter(|(_, fields)| !fields.is_empty());
            let parts: Vec<String> =
                parts.map(|(what, fields)| format!("{what}: {}", names(fields))).collect();
            parts.join("; ")
        }
        RowChange::Otherwise => "described otherwise".to_owned(),
        RowChange::Gone => "gone".to_owned(),
    };
    brief(&text)
}

fn notes(row: &TouchedRow) -> String {
    let told = row.notes.iter().take(MAX_NOTES);
    let mut told: Vec<String> =
        told.map(|(version, text)| format!("{version}: {}", brief(text))).collect();
    if let Some(more @ 1..) = row.notes.len().checked_sub(MAX_NOTES) {
        told.push(format!("and {more} more"));
    }
    if told.is_empty() { "nothing".to_owned() } else { told.join("; ") }
}
