//! From a candidate with evidence to a branch and a pull request.
//!
//! A [`Draft`] is the edited files and their tree; the canary runs on that tree. A [`Sketch`] is the
//! draft with its commit still to be made; a [`Plan`](crate::domain::Plan) everything that a
//! proposal consists of; its effects are performed by [`Performer`], which makes no choices.

mod answer;
mod canary;
mod comment;
mod draft;
mod evidence;
mod own_check;
mod passed_over;
mod perform;
mod plan;
mod rows;
mod sketch;
mod told;
mod unproved;
mod uses;
mod withheld;

pub use answer::{GONE, of_kind};
pub use draft::{Draft, companion_pins, draft_pin_bump};
pub use own_check::newest_check_run;
pub use perform::{Outcome, Performer};
pub use plan::{Workshop, effects_of};
pub use sketch::Sketch;
