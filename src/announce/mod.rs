//! What the bot tells beside its pull requests: the dashboard issue of a watch, found, opened and
//! rewritten. Its effects are performed by [`Performer`](crate::proposal::Performer).

mod dashboard;

pub use dashboard::{edit, find, open, says};
