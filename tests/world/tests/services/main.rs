//! The world keeps its word: what a client sees at each of its doors.

#![expect(clippy::unwrap_used, reason = "a test fails by panic")]

mod artifacts;
mod client;
mod described;
mod examples;
mod github;
mod graphql;
mod images;
mod lags;
mod objects;
mod routes;
mod sigstore;
mod upstream;
mod webhooks;
