//! What reads foreign bytes, and what must hold of it whatever the bytes are. No target may panic;
//! most say more: an edit changes only its own bytes, what is shown is harmless and has an end,
//! and what was read is what a plain JSON parser finds there as well.
//!
//! `.ci/fuzz.sh` builds this with libFuzzer's instrumentation and runs each target for a while.
#![expect(clippy::missing_panics_doc, reason = "a target fails by panic")]
#![expect(clippy::expect_used, reason = "a target fails by panic")]

pub mod configuration;
pub mod documents;
pub mod files;
pub mod harmless;
#[cfg(fuzzing)]
pub mod images;
pub mod proxy;
pub mod reports;
pub mod signatures;
pub mod texts;

/// What takes the bytes of one run.
pub type Target = fn(&[u8]);

/// All targets. Each has a folder of its name in `seeds/`.
pub const TARGETS: &[(&str, Target)] = &[
    ("releases", documents::releases),
    ("pulls", documents::pulls),
    ("packument", documents::packument),
    #[cfg(fuzzing)]
    ("index", images::index),
    #[cfg(fuzzing)]
    ("image", images::image),
    #[cfg(fuzzing)]
    ("attached", images::attached),
    ("bundle", signatures::bundle),
    ("legacy", signatures::legacy),
    ("root", signatures::root),
    ("runner", reports::runner),
    ("junit", reports::junit),
    ("tap", reports::tap),
    ("notes", texts::notes),
    ("cell", texts::cell),
    ("marker", texts::marker),
    ("config", configuration::config),
    ("manifest", files::manifest),
    ("lines", files::lines),
    ("migration", files::migration),
    ("proxy", proxy::request),
];
