//! The rows of a migration's section.

use super::plan::Workshop;
use crate::domain::{BreakingNote, Version};
use crate::policy::{Break, Candidate, break_in_notes};

/// What a migration to `to` is about, oldest first: all that broke since the pin, or since the
/// newest migration on the way that the document has a section for.
pub(super) fn rows(workshop: &Workshop<'_>, to: &Candidate) -> Vec<BreakingNote> {
    let pinned = &workshop.pin.version;
    let on_the_way = |done: &&Version| {
        done.cmp_precedence(pinned).is_gt() && done.cmp_precedence(&to.version).is_lt()
    };
    let done = workshop.memory.pin().map_or(&[][..], |facts| &facts.migrated_to);
    let done = done.iter().filter(on_the_way).max_by(|a, b| a.cmp_precedence(b));
    let after = done.unwrap_or(pinned);
    let breaks: Vec<Break> = if to.understated.is_empty() {
        let releases = workshop.releases(&to.version);
        releases.iter().rev().filter_map(|it| break_in_notes(it.version, it.notes)).collect()
    } else {
        to.understated.clone()
    };
    let open = breaks.into_iter().filter(|broken| broken.since.cmp_precedence(after).is_gt());
    open.flat_map(|broken| broken.rows).collect()
}
