//! The world held to reality: what GitHub publishes about itself, and whether the world agrees.
//!
//! Nothing of it is part of the world, and nothing is loaded unless a variable of the environment
//! says where a description lies. Where one does, every exchange of every test is judged, and a
//! world that was found wrong says so when it is dropped.

mod amendments;
mod describe;
mod graphql;
mod openapi;
mod rest;

use crate::wire::{Answer, Call};
use apollo_compiler::{Schema, validation::Valid};
use openapi::Description;
use std::sync::OnceLock;

/// Names the file with GitHub's `OpenAPI` description of its REST interface.
pub const OPENAPI: &str = "DIGEST_BUMP_OPENAPI";

/// Names the file with GitHub's GraphQL schema.
pub const GRAPHQL_SCHEMA: &str = "DIGEST_BUMP_GRAPHQL_SCHEMA";
/// Names the file with GitHub's examples of webhook payloads.
pub const WEBHOOK_EXAMPLES: &str = "DIGEST_BUMP_WEBHOOK_EXAMPLES";

/// What one exchange came to.
#[derive(Debug, Default)]
pub(crate) struct Judgement {
    /// The operation by its published name, with the status that was answered.
    pub(crate) judged: Option<(String, u16)>,
    /// What does not agree.
    pub(crate) mismatches: Vec<String>,
}

/// Holds one exchange at GitHub's door to what GitHub publishes, if that is at hand.
pub(crate) fn judge(call: &Call, answer: &Answer) -> Judgement {
    if call.path == crate::github::GRAPHQL {
        graphql::judge(call, answer)
    } else {
        rest::judge(call, answer)
    }
}

/// The description of the REST interface, if there is one to be held to. It is read once.
///
/// # Panics
/// If the variable names a file that is no such description.
pub(crate) fn description() -> Option<&'static Description> {
    static DESCRIPTION: OnceLock<Option<Description>> = OnceLock::new();
    let read = || variable(OPENAPI).map(|path| Description::read(&path));
    DESCRIPTION.get_or_init(read).as_ref()
}

/// The file that a variable names, for a test that cannot do without: where it names none, it says
/// aloud that the test is skipped.
#[must_use]
pub fn published(name: &str) -> Option<String> {
    let named = variable(name);
    if named.is_none() {
        eprintln!("SKIPPED: {name} names no file that GitHub publishes");
    }
    named
}

/// GitHub's GraphQL schema, if there is one to be held to. It is read when it is first needed.
///
/// # Panics
/// If the variable names a file that is no schema.
pub(crate) fn schema() -> Option<&'static Valid<Schema>> {
    static SCHEMA: OnceLock<Option<Valid<Schema>>> = OnceLock::new();
    let read = || variable(GRAPHQL_SCHEMA).map(|path| graphql::read(&path));
    SCHEMA.get_or_init(read).as_ref()
}

#[expect(
    clippy::disallowed_methods,
    reason = "the world is told by the environment what it is held to, whichever test starts it"
)]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}
