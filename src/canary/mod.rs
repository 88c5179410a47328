//! Runs the downstream's contract canary at a digest: a real child process in an exported tree,
//! bounded in time and output, with nothing of the bot's environment but what the config lists.
//!
//! A pass starts a run and goes on; the [`Supervisor`] carries it, says from time to time that it
//! is alive, and records its end. A run whose process died is found by its silence.

mod command;
mod output;
mod process;
pub mod sandbox;
mod supervisor;
pub mod work;

pub use command::Target;
pub use supervisor::{ALIVE_FOR, Order, Supervisor};
