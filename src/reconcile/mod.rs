//! One pass: load, observe, decide, perform, record, and again until nothing is due.
//!
//! A pass takes no input and never waits. Whatever wakes it, it reads the store and the world, and
//! does what is due; what cannot go on yet is parked, and the pass says when to look again.

mod act;
mod announce;
mod answer;
mod beside;
mod bot;
mod canary;
mod checks;
mod confirm;
mod dashboard;
mod effects;
mod examine;
mod foresight;
mod hands;
mod hear;
mod history;
mod learn;
mod limit;
mod mirror;
mod observe;
mod outcome;
mod outdated;
mod own_checks;
mod pass;
mod planned;
mod poll;
mod preview;
mod ready;
mod recall;
mod rule;
mod tags;
mod tidy;
mod trouble;
mod view;
mod workflow;
mod world;

pub use bot::{Bot, PassReport};
pub use examine::{Examination, Target, examine};
pub use hear::{ANSWERS_TO_ONE_STRANGER, ANSWERS_TO_STRANGERS, grammar};
pub use limit::Limit;

pub use planned::PlannedAction;
pub use preview::Preview;
pub use view::{explain, known_issues, look_at};
