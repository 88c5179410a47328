//! Who signed, and from where.

use crate::case::{RELEASE, attached, image, judge_as, now, outcome_of, rule};
use digest_bump::domain::{SignatureRule, UnexpectedRef, Verdict};
use world::{Form, San, Signing, Sigstore};

const REPOSITORY: &str = "https://github.com/toon-protocol/connector";

fn uri(text: &str) -> San {
    San::Uri(text.to_owned())
}

/// Who signed, in words; how; and what has to come of it.
pub(crate) fn identities() -> Vec<(&'static str, Signing, &'static str)> {
    let good = format!("{REPOSITORY}/.github/workflows/release.yml@refs/heads/main");
    let by = |identity: &str| Signing::new().identity(identity);
    vec![
        ("clean", Signing::new(), "verified"),
        (
            "the hand-run workflow, at this version's tag",
            Signing::new().workflow("build-and-publish.yml", "refs/tags/v3.10.0"),
            "verified",
        ),
        (
            "the hand-run workflow, at another version's tag",
            Signing::new().workflow("build-and-publish.yml", "refs/tags/v3.9.9"),
            "unexpected_ref",
        ),
        (
            "the hand-run workflow, at main",
            Signing::new().workflow("build-and-publish.yml", "refs/heads/main"),
            "unexpected_ref",
        ),
        (
            "a pull request",
            Signing::new().workflow("release.yml", "refs/pull/9/merge"),
            "unexpected_ref",
        ),
        (
            "a branch that is called like the expected end",
            Signing::new().workflow("release.yml", "refs/heads/x/release.yml@refs/heads/main"),
            "unexpected_ref",
        ),
        ("another workflow", Signing::new().workflow("pr.yml", "refs/heads/main"), "bad_identity"),
        ("a fork", by(&good.replace("toon-protocol", "evil")), "bad_identity"),
        (
            "a repository whose name begins alike",
            by(&good.replace("/connector/", "/connector-evil/")),
            "bad_identity",
        ),
        (
            "the good one as the end of another URL",
            by(&format!("https://evil.example/?u={good}")),
            "bad_identity",
        ),
        (
            "the good one on the second line",
            by(&format!("https://evil.example/\n{good}")),
            "bad_identity",
        ),
        ("a person", Signing::new().email("maya@toon.example"), "bad_identity"),
        ("a person called like the workflow", Signing::new().email(&good), "bad_identity"),
        ("nobody", Signing::new().without_san(), "bad_certificate"),
        (
            "two, the good one first",
            Signing::new().second_san(uri("https://evil.example/x")),
            "bad_certificate",
        ),
        (
            "two, the good one second",
            Signing::new().second_san_first(uri("https://evil.example/x")),
            "bad_certificate",
        ),
        (
            "the workflow and a person",
            Signing::new().second_san(San::Email("maya@toon.example".to_owned())),
            "bad_certificate",
        ),
        ("another issuer", Signing::new().issuer("https://accounts.example.com"), "bad_issuer"),
        (
            "an issuer that begins alike",
            Signing::new().issuer("https://token.actions.githubusercontent.com.evil.example"),
            "bad_issuer",
        ),
        ("the issuer in the older extension alone", Signing::new().issuer_only_v1(), "verified"),
        (
            "the older extension says the good one, the newer another",
            Signing::new()
                .issuer("https://accounts.example.com")
                .issuer_v1("https://token.actions.githubusercontent.com"),
            "bad_issuer",
        ),
    ]
}

#[test]
fn only_the_release_workflows_may_sign() {
    let sigstore = Sigstore::new(now());
    let cases = identities();
    for (name, signing, expected) in &cases {
        for form in Form::ALL {
            assert_eq!(outcome_of(signing, form, &sigstore), *expected, "{name}, {form:?}");
        }
    }
    eprintln!("{} identities in {} forms", cases.len(), Form::ALL.len());
}

#[test]
fn the_config_says_what_an_unexpected_ref_means_and_it_is_always_shown() {
    let sigstore = Sigstore::new(now());
    let signing = Signing::new().workflow("release.yml", "refs/pull/9/merge");
    let signed = sigstore.sign(&signing, image().as_str());
    let found = attached(&signed, Form::Legacy);
    let judged = |rule: SignatureRule| judge_as(RELEASE, rule, &found, &sigstore.trusted_root());

    let denied = judged(rule());
    assert_eq!(denied.verdict, Verdict::Failed);
    insta::assert_snapshot!(denied.summary, @"signed by `https://github.com/toon-protocol/connector/.github/workflows/release.yml@refs/pull/9/merge` at 2026-06-12T08:00:00Z, which is not one of the expected refs");

    let warned = judged(SignatureRule { unexpected: UnexpectedRef::Warn, ..rule() });
    assert_eq!(warned.verdict, Verdict::Passed);
    assert_eq!(warned.detail.outcome.as_deref(), Some("unexpected_ref"));
    insta::assert_snapshot!(warned.detail.points.join("\n"), @"it is signed by `https://github.com/toon-protocol/connector/.github/workflows/release.yml@refs/pull/9/merge`, which is not one of the expected refs");

    let any = judged(SignatureRule { expected: Vec::new(), ..rule() });
    assert_eq!(any.detail.outcome.as_deref(), Some("verified"));
    assert!(any.summary.contains("refs/pull/9/merge"), "{}", any.summary);
}
