//! One binary for all targets, because linking the bot takes longer than fuzzing a parser needs.
//! `DIGEST_BUMP_FUZZ_TARGET` says which; without it the names are printed.
#![no_main]

use std::sync::OnceLock;

static TARGET: OnceLock<fuzz::Target> = OnceLock::new();

#[expect(clippy::disallowed_methods, reason = "the arguments are libFuzzer's")]
fn chosen() -> fuzz::Target {
    let name = std::env::var("DIGEST_BUMP_FUZZ_TARGET").unwrap_or_default();
    if let Some((_, target)) = fuzz::TARGETS.iter().find(|(it, _)| *it == name) {
        return *target;
    }
    for (name, _) in fuzz::TARGETS {
        println!("{name}");
    }
    std::process::exit(i32::from(!name.is_empty()));
}

libfuzzer_sys::fuzz_target!(
    init: {
        TARGET.get_or_init(chosen);
    },
    |bytes: &[u8]| TARGET.get_or_init(chosen)(bytes)
);
