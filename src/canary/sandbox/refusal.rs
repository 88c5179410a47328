//! Why a step is not run here, and what to do about it.

use std::fmt;

/// Another way to run a step; ends every list of remedies.
const OTHER_EXECUTOR: &str =
    "leave the canary to the downstream's own checks (`canary.executor = \"checks\"`)";
/// The explicit choice to confine nothing.
const OFF: &str =
    "set `canary.sandbox.demand = \"off\"`, if whatever is run may do all that the bot's user can";

/// What cannot be enforced or is not allowed here, with the remedies.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct Refusal {
    what: String,
    remedies: Vec<String>,
}

impl Refusal {
    pub(super) fn new(what: impl Into<String>) -> Self {
        Self { what: what.into(), remedies: Vec::new() }
    }

    /// What went wrong where, without a remedy.
    pub(super) fn of(where_: &str, error: &dyn fmt::Display) -> Self {
        Self::new(format!("{where_}: {error}"))
    }

    pub(super) fn remedy(mut self, remedy: impl Into<String>) -> Self {
        self.remedies.push(remedy.into());
        self
    }

    /// With the remedies that there always are where the host cannot enforce what is demanded.
    pub(super) fn or_elsewhere(self) -> Self {
        self.remedy(OTHER_EXECUTOR).remedy(OFF)
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.what)?;
        match self.remedies.as_slice() {
            [] => Ok(()),
            [one] => write!(out, "; {one}"),
            [first, more @ ..] => {
                write!(out, "; either {first}")?;
                more.iter().try_for_each(|it| write!(out, ", or {it}"))
            }
        }
    }
}
