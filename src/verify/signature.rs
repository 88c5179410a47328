//! Did the producer's own workflow sign the index?

use super::Answer;
use crate::clients::registry::Signatures;
use crate::clients::sigstore::Artifact;
use crate::clients::sigstore::{
    Expected, Rejection, Signer, TrustedRoot, Verified, verify_bundle, verify_legacy,
};
use crate::domain::{
    Content, Detail, ImageFacts, Judged, SignatureOutcome, SignatureRule, Timestamp, UnexpectedRef,
    Verdict,
};
use SignatureOutcome::{
    AttestationOnly, Malformed, NotRequired, RegistryUnavailable, TrustRootStale,
    UnexpectedRef as FromElsewhere, Unsigned,
};

/// What the signature of an image is judged by.
#[derive(Debug, Clone, Copy)]
pub struct Material<'a> {
    /// What is attached to the image.
    pub found: &'a Signatures,
    /// Whose word counts, or why nobody's does.
    pub root: Result<&'a TrustedRoot, &'a str>,
    /// When the image was first seen: signing follows the push.
    pub first_seen: Timestamp,
}

/// One signature, with the documents that it is in.
struct Candidate<'a> {
    verdict: Result<Verified, Rejection>,
    documents: Vec<(&'static str, &'a Content)>,
}

/// Judges what is attached to `image`. Also returns the documents that the answer rests on.
pub(super) fn verify(
    image: &ImageFacts,
    rule: &SignatureRule,
    material: Material<'_>,
    now: Timestamp,
) -> (Answer, Vec<Content>) {
    let root = match material.root {
        Ok(root) => root,
        Err(why) => {
            let mut answer = unsure(TrustRootStale, "");
            answer.summary = format!("no signature can be judged: {why}");
            return (answer, Vec::new());
        }
    };
    let mut candidates = candidates(image, rule, root, material.found);
    // The most telling first; of several good ones, one from where it is expected.
    let expected = |verified: &Verified| is_expected(verified, rule, image);
    candidates.sort_by_key(|candidate| match &candidate.verdict {
        Ok(verified) if expected(verified) => SignatureOutcome::Verified,
        Ok(_) => FromElsewhere,
        Err(rejection) => rejection.outcome,
    });
    let Some(first) = candidates.first() else {
        return (without(image, rule, material, now, None), Vec::new());
    };
    let answer = match &first.verdict {
        Ok(verified) => signed(verified, expected(verified), rule),
        Err(rejection) if rejection.outcome == AttestationOnly => {
            without(image, rule, material, now, Some(rejection))
        }
        Err(rejection) => refused(rejection, material.found),
    };
    with_documents(answer, image, root, first)
}

/// Every signature that is attached, judged.
fn candidates<'a>(
    image: &ImageFacts,
    rule: &SignatureRule,
    root: &TrustedRoot,
    found: &'a Signatures,
) -> Vec<Candidate<'a>> {
    let signer = Signer { identity: &rule.identity, issuer: &rule.issuer, email: false };
    let digest = image.digest.digest();
    let mut all = Vec::new();
    for signature in &found.legacy {
        let payloads: Vec<&[u8]> =
            signature.payloads.iter().map(|payload| payload.bytes.as_slice()).collect();
        let documents = || {
            let payloads = signature.payloads.iter().map(|payload| ("payload", payload));
            std::iter::once(("signature", &signature.manifest)).chain(payloads).collect()
        };
        match verify_legacy(root, signer, &signature.manifest.bytes, &payloads, digest) {
            Ok(verdicts) => all.extend(
                verdicts.into_iter().map(|verdict| Candidate { verdict, documents: documents() }),
            ),
            Err(why) => all.push(Candidate { verdict: Err(why), documents: documents() }),
        }
    }
    for bundle in &found.bundles {
        let artifact = Artifact::Digest(digest);
        let verdict =
            verify_bundle(root, signer, &bundle.bytes, artifact, Expected::ImageSignature);
        // What is no signature and not even genuine is nothing at all.
        if !matches!(&verdict, Err(rejection) if rejection.outcome == Unsigned) {
            all.push(Candidate { verdict, documents: vec![("bundle", bundle)] });
        }
    }
    all.extend(found.malformed.iter().map(|why| Candidate {
        verdict: Err(Rejection { outcome: Malformed, why: why.clone() }),
        documents: Vec::new(),
    }));
    all
}

/// A good signature; from another git ref than expected it is for the config to say.
fn signed(verified: &Verified, expected: bool, rule: &SignatureRule) -> Answer {
    let Verified { identity, signed_at, .. } = verified;
    let outcome = if expected { SignatureOutcome::Verified } else { FromElsewhere };
    let told = format!("signed by `{identity}` at {signed_at}");
    let (verdict, summary, points) = match (expected, rule.unexpected) {
        (true, _) => (Verdict::Passed, told, Vec::new()),
        (false, UnexpectedRef::Warn) => {
            let point =
                format!("it is signed by `{identity}`, which is not one of the expected refs");
            (Verdict::Passed, told, vec![point])
        }
        (false, UnexpectedRef::Deny) => {
            (Verdict::Failed, format!("{told}, which is not one of the expected refs"), Vec::new())
        }
    };
    let signed_at = Some(*signed_at);
    let outcome = Some(outcome.name().to_owned());
    Answer { verdict, summary, detail: Detail { outcome, signed_at, points, ..Detail::default() } }
}

/// Whether the signer is one of the expected, git ref included.
fn is_expected(verified: &Verified, rule: &SignatureRule, image: &ImageFacts) -> bool {
    let version = image.version.to_string();
    let (workflow, git_ref) = split(&verified.identity);
    rule.expected.is_empty()
        || rule.expected.iter().any(|text| {
            let text = text.replace("{version}", &version);
            let (wanted_workflow, wanted_ref) = split(&text);
            workflow.ends_with(wanted_workflow) && git_ref == wanted_ref
        })
}

/// Workflow and git ref. A ref may hold an `@`, a workflow's path on GitHub may not.
fn split(identity: &str) -> (&str, Option<&str>) {
    identity
        .split_once('@')
        .map_or((identity, None), |(workflow, git_ref)| (workflow, Some(git_ref)))
}

/// Nothing that is accepted, and something that is not. Where not all could be asked, a good one may
/// be there.
fn refused(rejection: &Rejection, found: &Signatures) -> Answer {
    let Rejection { outcome, why } = rejection;
    if let Some(gap) = found.gaps.first() {
        return unsure(RegistryUnavailable, &format!("{gap}; what could be read: {why}"));
    }
    if outcome.verdict() == Verdict::Inconclusive {
        return unsure(*outcome, why);
    }
    failed(*outcome, format!("{}: {why}", describe(*outcome)))
}

/// No signature at all, or only statements about the image.
fn without(
    image: &ImageFacts,
    rule: &SignatureRule,
    material: Material<'_>,
    now: Timestamp,
    attestation: Option<&Rejection>,
) -> Answer {
    if let Some(gap) = material.found.gaps.first() {
        return unsure(RegistryUnavailable, gap);
    }
    let required = rule.required_from.as_ref();
    let required = required.filter(|first| image.version.cmp_precedence(first).is_lt());
    if let Some(first) = required {
        let summary = format!("not signed; required from {first} on");
        let detail = Detail { outcome: Some(NotRequired.name().to_owned()), ..Detail::default() };
        return Answer { verdict: Verdict::Passed, summary, detail };
    }
    let outcome = if attestation.is_some() { AttestationOnly } else { Unsigned };
    let grace_ends = material.first_seen + rule.grace;
    let early = now < grace_ends;
    let yet = if early {
        format!(" yet, which is a failure from {grace_ends} on")
    } else {
        String::new()
    };
    let but = attestation.map(|it| format!("; there is only {}", it.why)).unwrap_or_default();
    let mut answer = failed(outcome, format!("not signed{yet}{but}"));
    answer.detail.may_change = true;
    if early {
        answer.verdict = Verdict::Inconclusive;
        answer.detail.too_early_until = Some(grace_ends);
    }
    answer
}

/// What an outcome is called in a sentence.
const fn describe(outcome: SignatureOutcome) -> &'static str {
    match outcome {
        SignatureOutcome::Verified => "signed as promised",
        FromElsewhere => "signed from another ref than expected",
        SignatureOutcome::BadIdentity => "signed by somebody else",
        SignatureOutcome::BadIssuer => "vouched for by another issuer",
        SignatureOutcome::BadDigest => "signed, but something else",
        SignatureOutcome::BadSignature => "the signature is not valid",
        SignatureOutcome::BadLog => "the transparency log does not vouch for the signature",
        SignatureOutcome::BadCertificate => "the signing certificate is not valid",
        TrustRootStale => "the trusted root does not know the signer's authority or log",
        Malformed => "the signature cannot be read",
        RegistryUnavailable => "signatures could not be asked for",
        AttestationOnly => "attested, but not signed",
        Unsigned => "not signed",
        NotRequired => "not signed, nor required to be",
    }
}

fn failed(outcome: SignatureOutcome, summary: String) -> Answer {
    let detail = Detail { outcome: Some(outcome.name().to_owned()), ..Detail::default() };
    Answer { verdict: Verdict::Failed, summary, detail }
}

/// Something that another look can mend.
fn unsure(outcome: SignatureOutcome, why: &str) -> Answer {
    let summary = format!("{}: {why}", describe(outcome));
    let mut answer = failed(outcome, summary);
    answer.verdict = Verdict::Inconclusive;
    answer.detail.may_change = true;
    answer
}

/// Adds what the answer rests on: the index, the signature that told most, and the trusted root.
fn with_documents(
    mut answer: Answer,
    image: &ImageFacts,
    root: &TrustedRoot,
    told: &Candidate<'_>,
) -> (Answer, Vec<Content>) {
    let mut contents = Vec::new();
    let mut judged = vec![("index".to_owned(), image.digest.digest().clone())];
    for (role, content) in &told.documents {
        judged.push(((*role).to_owned(), content.digest.clone()));
        contents.push((*content).clone());
    }
    let age = root.refreshed_at.map_or_else(String::new, |at| format!(", refreshed {at}"));
    judged.push((format!("trusted root ({}{age})", root.source), root.content.digest.clone()));
    contents.push(root.content.clone());
    let judged = judged.into_iter().map(|(role, digest)| Judged { role, digest });
    answer.detail.judged = judged.collect();
    (answer, contents)
}
