//! Every text that a person reads, pure: pull requests, plans, explanations, the status.

mod body;
mod marker;
mod notes;
mod report;
mod stub;
mod view;

pub use body::{Evidence, NotedRelease, PinBump, pin_bump_body, title};
pub use marker::{marker, parse_marker, without_marker};
pub use report::{explain, release_line, stage_line, stage_word, status, understated_line};
pub use stub::{StubBody, stub_body, stub_title};
pub use view::{Explanation, ProposalView, ReleaseView, RequestView, WatchView};
