//! Stories: a world, a bot, and what a maintainer sees.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panic")]

mod agreement;
mod answers;
mod budgets;
mod by_checks;
mod canary;
mod checks;
mod companion_majors;
mod companion_pins;
mod companion_tags;
mod companions;
mod confined;
mod contract;
mod crashes;
#[path = "../database/mod.rs"]
mod database;
mod drafts;
#[path = "../fuzz/src/harmless.rs"]
mod harmless;
mod honesty;
mod hostile;
mod known;
mod majors;
mod patches;
mod people;
mod pin;
mod prepare;
mod proposals;
mod quiet;
mod reports;
mod requests;
mod revision;
mod settings;
mod signatures;
mod soak;
mod sources;
mod stand;
mod steps;
mod stream;
mod tags;
mod tls;
mod trust;
mod waiting;
mod writers;
