//! The command line and the daemon as real processes: what a person types, what is printed, how
//! it exits, and what it leaves behind. The world's clock is the machine's.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panic")]

mod access;
#[path = "../e2e/bumps.rs"]
mod bumps;
mod busy;
mod config;
mod daemon;
mod health;
mod help;
mod history;
mod known;
mod logs;
mod looking;
mod once;
mod pin;
mod plan;
mod secrets;
#[path = "../e2e/settings.rs"]
mod settings;
mod stand;
mod stopping;
mod storage;
mod tags;
mod tls;
mod verify;
mod webhooks;
