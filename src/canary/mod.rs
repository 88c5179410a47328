//! Runs the downstream's contract canary at a digest: a list of steps, each a real child process in
//! an exported tree, bounded in time and output, with nothing of the bot's environment but what the
//! config lists, and believed only when it shows that it ran.
//!
//! A pass starts a run and goes on; the [`Supervisor`] carries it, says from time to time that it
//! is alive, and records its end. A run whose process died is found by its silence.

mod apart;
mod command;
mod judge;
mod mask;
mod output;
mod prepare;
mod process;
pub mod report;
pub mod sandbox;
mod steps;
mod supervisor;
pub mod work;
pub mod workflow;

pub use command::Target;
pub use prepare::Preparation;
pub use supervisor::{ALIVE_FOR, Order, Supervisor};
