//! `digest-bump` watches a container image's releases and keeps a downstream repository's digest
//! pin current. `docs/architecture.md` is the map; every module uses only lower floors.

pub mod announce;
pub mod canary;
pub mod cli;
pub mod clients;
pub mod clock;
pub mod command;
pub mod config;
pub mod daemon;
pub mod domain;
pub mod edit;
mod heartbeat;
pub mod http;
mod panics;
pub mod policy;
pub mod proposal;
pub mod reconcile;
pub mod render;
pub mod repository;
pub mod sources;
pub mod store;
pub mod telemetry;
pub mod verify;
