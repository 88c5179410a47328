//! Stories: a world, a bot, and what a maintainer sees.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panic")]

mod agreement;
mod answers;
mod app;
mod budgets;
mod by_checks;
mod by_workflow;
mod canary;
mod checks;
mod ci;
mod companion_majors;
mod companion_pins;
mod companion_tags;
mod companions;
mod confined;
mod conflicts;
mod contract;
mod crashes;
mod dashboard;
#[path = "../database/mod.rs"]
mod database;
mod drafts;
#[path = "../fuzz/src/harmless.rs"]
mod harmless;
mod honesty;
mod hostile;
mod known;
mod majors;
mod own_check;
mod patches;
mod people;
mod pin;
mod prepare;
mod prepared_drafts;
mod proposals;
mod quiet;
mod reader;
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
mod trials;
mod trust;
mod waiting;
