//! Every text that a person reads, pure: pull requests, plans, explanations, the status.

mod body;
mod canary;
mod companion;
mod draft;
mod explanation;
mod known;
mod marker;
mod notes;
mod own_check;
mod report;
mod reproduce;
mod stub;
mod view;
mod warning;

pub use body::{Evidence, NotedRelease, PinBump, pin_bump_body, title};
pub use canary::CanaryShown;
pub use companion::CompanionImage;
pub use draft::{DraftBody, draft_body, held_body};
pub use explanation::Explanation;
pub use known::known_lines;
pub use marker::{marker, parse_marker, without_marker};
pub use own_check::{check_summary, check_text};
pub use report::{explain, release_line, stage_line, stage_word, status, understated_line};
pub use reproduce::{Examined, command};
pub use stub::{StubBody, stub_body, stub_title};
pub use view::{ProposalView, ReleaseView, RequestView, WatchView};
pub use warning::under_warning;
