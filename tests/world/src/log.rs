//! What was asked of the world, and what nobody should have asked.

use crate::reality::Judgement;
use std::collections::BTreeSet;

/// One of the world's doors.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Service {
    /// The REST interface.
    GitHub,
    /// Smart HTTP in front of the bare repositories.
    Git,
    /// The container registry, its token server and its storage.
    Registry,
    /// The npm packuments.
    Npm,
    /// The TUF repository with Sigstore's trusted root.
    Tuf,
}

/// One request, as it was answered.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a plain observation that a test asks for by its name"
)]
pub struct Request {
    /// Whom it asked.
    pub service: Service,
    /// The HTTP method.
    pub method: String,
    /// The path, with the query if there was one.
    pub path: String,
    /// The status that was sent; 0 if the connection was closed without one.
    pub status: u16,
    /// Whether it carried `If-None-Match`.
    pub if_none_match: bool,
    /// Whether it carried `If-Modified-Since`.
    pub if_modified_since: bool,
    /// Whether it carried an `Authorization` header, valid or not.
    pub authorised: bool,
    /// Whether it changed something: a GitHub request that is no GET or a push with commands, and
    /// it was performed, whatever the answer then claimed.
    pub write: bool,
    /// How many of the requests before it in the log had been answered when it came. It may have
    /// waited for those, and cannot have waited for the others.
    pub after: usize,
}

/// Everything that happened, and the judgement on it.
#[derive(Debug, Default)]
pub(crate) struct Log {
    pub(crate) requests: Vec<Request>,
    pub(crate) violations: Vec<String>,
    pub(crate) expected: Vec<String>,
    pub(crate) lenient: bool,
    /// Where an exchange does not agree with what GitHub publishes.
    pub(crate) mismatches: Vec<String>,
    pub(crate) expected_mismatches: Vec<String>,
    /// The published operations that were judged, with the statuses that were answered.
    pub(crate) judged: BTreeSet<(String, u16)>,
}

impl Log {
    /// Remembers something that a well-behaved bot does not do.
    pub(crate) fn violation(&mut self, what: impl Into<String>) {
        self.violations.push(what.into());
    }

    /// Remembers what a judgement came to.
    pub(crate) fn judgement(&mut self, judgement: Judgement) {
        self.judged.extend(judgement.judged);
        self.mismatches.extend(judgement.mismatches);
    }

    /// What a world that is dropped has to complain about.
    pub(crate) fn complaints(&self) -> Vec<String> {
        let expected = |seen: &str| self.expected_mismatches.iter().any(|text| seen.contains(text));
        // A story repeats itself; what is wrong with it is told once.
        let mismatches: BTreeSet<&String> =
            self.mismatches.iter().filter(|seen| !expected(seen)).collect();
        let mut complaints: Vec<String> = mismatches.into_iter().cloned().collect();
        if !self.lenient {
            complaints.extend(self.unusual());
        }
        complaints
    }

    /// What was unusual and not expected, or expected and never happened.
    fn unusual(&self) -> Vec<String> {
        let unexpected = self
            .violations
            .iter()
            .filter(|seen| !self.expected.iter().any(|text| seen.contains(text)))
            .cloned();
        let missing = self
            .expected
            .iter()
            .filter(|text| !self.violations.iter().any(|seen| seen.contains(*text)))
            .map(|text| format!("expected but never happened: {text}"));
        unexpected.chain(missing).collect()
    }
}
