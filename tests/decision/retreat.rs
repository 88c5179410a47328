//! When the signature of what is pinned is looked at again, and what a look by another rule counts.

use crate::case::{digest, minutes_ago, version};
use crate::remembered::Told;
use digest_bump::domain::{
    Check, Detail, Fact, Finding, ImageFacts, SignatureOutcome, Timestamp, Verdict,
};
use digest_bump::policy::{Intent, decide, inputs_of};

const PINNED: &str = "3.9.3";
const HOUR: i64 = 60;

/// A watch that pins a release whose image was resolved.
fn told() -> Told {
    let mut told = Told::new();
    told.released(PINNED);
    let of = version(PINNED);
    told.observe(Fact::Image(ImageFacts {
        digest: digest(&of),
        version: of,
        platforms: Vec::new(),
    }));
    told
}

/// A look at the signature of what is pinned, by the rule of now.
fn looked(told: &mut Told, verdict: Verdict, at: Timestamp) {
    let of = version(PINNED);
    let inputs = inputs_of(Check::Signature, &of, &told.rules, &told.memory, None);
    told.memory.findings.push(Finding {
        check: Check::Signature,
        verdict,
        subject: digest(&of),
        version: of,
        inputs,
        summary: format!("{verdict}"),
        detail: Detail::default(),
        at,
    });
}

/// Whether it is looked at again, so many minutes before the time of the tests.
fn due(told: &Told, ago: i64) -> bool {
    let look = Intent::Check { version: version(PINNED), check: Check::Signature };
    decide(&told.snapshot(), minutes_ago(ago)).due.contains(&look)
}

/// Another rule than before, for the release that is pinned the same.
fn change_the_rule(told: &mut Told) {
    told.rules.signature.as_mut().unwrap().required_from = Some(version("1.0.0"));
}

#[test]
fn a_signature_that_held_is_looked_at_daily_and_sooner_after_a_look_that_told_nothing() {
    let mut told = told();
    assert!(!due(&told, 0), "it was never seen to be signed");
    looked(&mut told, Verdict::Failed, minutes_ago(100 * HOUR));
    assert!(!due(&told, 0), "nor was it now");
    looked(&mut told, Verdict::Passed, minutes_ago(80 * HOUR));
    assert!(!due(&told, 56 * HOUR + 1));
    assert!(due(&told, 56 * HOUR));
    looked(&mut told, Verdict::Inconclusive, minutes_ago(56 * HOUR));
    assert!(!due(&told, 55 * HOUR + 1));
    assert!(due(&told, 55 * HOUR));
    looked(&mut told, Verdict::Failed, minutes_ago(55 * HOUR));
    assert!(!due(&told, 31 * HOUR + 1));
    assert!(due(&told, 31 * HOUR));
}

#[test]
fn a_release_that_needs_no_signature_is_not_looked_at_again() {
    let mut told = told();
    looked(&mut told, Verdict::Passed, minutes_ago(80 * HOUR));
    let found = told.memory.findings.last_mut().unwrap();
    found.detail.outcome = Some(SignatureOutcome::NotRequired.name().to_owned());
    assert!(!due(&told, 0));
    looked(&mut told, Verdict::Failed, minutes_ago(70 * HOUR));
    assert_eq!(told.snapshot().retreat, None, "it never was signed");
}

#[test]
fn another_rule_is_looked_by_at_once_and_only_what_it_finds_counts() {
    let mut told = told();
    looked(&mut told, Verdict::Passed, minutes_ago(10 * HOUR));
    assert!(!due(&told, 0));
    change_the_rule(&mut told);
    assert!(due(&told, 0));
    looked(&mut told, Verdict::Failed, minutes_ago(9 * HOUR));
    assert!(!due(&told, 0));
    let why = "the signature of the pinned 3.9.3 does not hold any more: failed";
    assert_eq!(told.snapshot().retreat.as_deref(), Some(why));
    looked(&mut told, Verdict::Inconclusive, minutes_ago(8 * HOUR));
    assert_eq!(told.snapshot().retreat.as_deref(), Some(why), "that took nothing back");
}

#[test]
fn what_an_earlier_rule_found_is_no_reason_to_leave() {
    let mut told = told();
    looked(&mut told, Verdict::Passed, minutes_ago(10 * HOUR));
    looked(&mut told, Verdict::Failed, minutes_ago(9 * HOUR));
    assert!(told.snapshot().retreat.is_some());
    change_the_rule(&mut told);
    assert_eq!(told.snapshot().retreat, None);
    assert!(due(&told, 0), "it is looked at by the rule of now");
    // Nor where nobody looks at signatures any more.
    told.rules.signature = None;
    assert_eq!(told.snapshot().retreat, None);
    assert!(!due(&told, 0));
}
