//! The rules, pure: what a release is, what must be true of it, and what is due.
//!
//! Nothing here reads a clock, waits, or fails for an outside reason. [`decide()`] looks at a whole
//! watch at once; the rest answers one question each.

mod again;
mod alarms;
mod anew;
mod assemble;
mod assess;
mod automatic;
mod board;
mod branch;
mod canary;
mod chain;
mod checks;
mod ci;
mod classify;
mod companion;
mod companion_pin;
mod contract;
mod decide;
mod departure;
mod draft;
mod honesty;
mod line;
mod mirror;
mod npm_drift;
mod orders;
mod pinned;
mod proposals;
mod pull;
mod requests;
mod required;
mod retreat;
mod snapshot;
mod soak;
mod stage;
mod stream;
mod stubs;
mod superseded;
mod tokens;
mod touched;
mod trials;
mod vocabulary;
mod wording;

pub use crate::domain::{Break, Look};
pub use again::{asked_again, is_run_on_request};
pub use alarms::{Moved, alarms, all_alarms, moved_under, tag_drift};
pub use anew::{hands_off, is_made_anew, is_patched, moved_since};
pub use assemble::{Looks, View};
pub use branch::{
    branches_to_ask, draft_branch, is_own_branch, pin_branch, scratch_branch, scratch_marker,
    stub_branch,
};
pub use canary::repairs;
pub use checks::{Concluded, conclude};
pub use ci::{AwaitedCi, NO_CI, awaited_ci, no_ci_at};
pub use classify::classify;
pub use companion_pin::CompanionPin;
pub use contract::Contract;
pub use decide::{Decision, decide};
pub use departure::departure;
pub use honesty::{added_since, break_in_notes};
pub use line::Line;
pub use mirror::{contract_to_read, hunks_of_drift, hunks_to_find, mirror_drift};
pub use npm_drift::{npm_drift_line, npm_drifts};
pub use orders::stays_open;
pub use required::{asked_checks, companion_checks, inputs_of, required_checks};
pub use snapshot::{
    Answer, Baseline, Candidate, Carrier, Checks, Companion, Ignored, Migration, PinState,
    Proposal, Readiness, Running, Snapshot, Unavailable,
};
pub use soak::{Soak, soak_points};
pub use stage::{Intent, Stage};
pub use stream::{admit, release_of};
pub use touched::{RowChange, Touched, TouchedRow, touched};
