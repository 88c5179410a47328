//! Builds the bot from its config, and lets it run: one settled pass, or a daemon.

mod alarm;
mod build;
mod doors;
mod once;
mod serve;

pub use build::{App, open_store, preview_of, read_store, sources_of};
pub use doors::{Means, means};
pub use once::once;
pub use serve::{bind, serve};
