//! What a test runner's report is asked for, and what it told.

use serde::{Deserialize, Serialize};

/// How a report is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum ReportFormat {
    /// Vitest's `--reporter=json`.
    VitestJson,
    /// Jest's `--json`.
    JestJson,
    /// `JUnit` XML, as many runners write it.
    Junit,
    /// The Test Anything Protocol, versions 13 and 14, nested or flat.
    Tap,
}

impl ReportFormat {
    /// All formats.
    pub const ALL: [Self; 4] = [Self::VitestJson, Self::JestJson, Self::Junit, Self::Tap];

    /// The name in the config.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::VitestJson => "vitest-json",
            Self::JestJson => "jest-json",
            Self::Junit => "junit",
            Self::Tap => "tap",
        }
    }
}

/// What a report has to show before it is believed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReportDemand {
    /// The test files that count, relative to the tree. Of each at least one test must have passed.
    /// Without any, all files count.
    pub files: Vec<String>,
    /// How many tests must have been executed and have passed in them together. Less than one is one.
    pub at_least: usize,
}

/// A test that failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FailedTest {
    /// Its file, as the report spells it.
    pub file: Option<String>,
    /// Its name, with the suites that it stands in.
    pub name: String,
    /// What it said, in one line; may be empty.
    pub message: String,
}

/// How many tests counted, and what became of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TestCounts {
    /// Those that passed, and those that failed.
    pub executed: usize,
    /// Of these, those that passed.
    pub passed: usize,
    /// Those that the report names and that did not run.
    pub skipped: usize,
}
