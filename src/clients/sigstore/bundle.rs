//! One Sigstore bundle: is it genuine, by whom, and of what?

use super::{
    certificate::{self, Name},
    root::TrustedRoot,
};
use crate::clients::wire;
use crate::domain::{Digest, IdentityPattern, SignatureOutcome, Timestamp};
use SignatureOutcome::{
    AttestationOnly, BadCertificate, BadDigest, BadIdentity, BadIssuer, BadLog, BadSignature,
    Malformed, TrustRootStale, Unsigned,
};
use serde::Deserialize;
use sigstore_verify::{
    CertificateError, Error, TransparencyLogError, VerificationPolicy, VerificationResult,
    types::{Bundle, Sha256Hash, SignatureContent},
};
use std::collections::BTreeMap;

/// What the statement of a signature on an image calls itself (cosign 3).
const SIGN_PREDICATE: &str = "https://sigstore.dev/cosign/sign/v1";

/// What was signed.
#[derive(Debug, Clone, Copy)]
pub enum Artifact<'a> {
    /// What has this digest.
    Digest(&'a Digest),
    /// These bytes.
    Bytes(&'a [u8]),
}

/// Who may have signed.
#[derive(Debug, Clone, Copy)]
pub struct Signer<'a> {
    /// What the whole identity has to match.
    pub identity: &'a IdentityPattern,
    /// The OIDC issuer, exactly.
    pub issuer: &'a str,
    /// Whether a person's e-mail address is an identity, too.
    pub email: bool,
}

/// What kind of bundle is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expected {
    /// The signature of an image: a statement that says no more than "this is signed".
    ImageSignature,
    /// Any genuine bundle.
    Anything,
}

/// A genuine signature by who may sign.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// The identity in the certificate.
    pub identity: String,
    /// The OIDC issuer that vouched for it.
    pub issuer: String,
    /// When it was signed, by the log's clock or a timestamp authority's.
    pub signed_at: Timestamp,
}

/// Why a signature is not accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{why}")]
pub struct Rejection {
    /// Of which kind the reason is.
    pub outcome: SignatureOutcome,
    /// The reason, a fragment for a maintainer. May hold foreign text.
    pub why: String,
}

impl Rejection {
    pub(super) fn new(outcome: SignatureOutcome, why: impl Into<String>) -> Self {
        // Parts of it may be of whoever signed.
        Self { outcome, why: wire::excerpt(&why.into()) }
    }

    pub(super) fn malformed(why: impl Into<String>) -> Self {
        Self::new(Malformed, why)
    }
}

/// Verifies a bundle of version 0.1 to 0.3.
///
/// # Errors
/// Why it is not accepted. [`SignatureOutcome::AttestationOnly`] for a genuine statement by who may
/// sign that says something else about the image, where [`Expected::ImageSignature`] is wanted, and
/// [`SignatureOutcome::Unsigned`] for such a statement that is not even that.
pub fn verify_bundle(
    root: &TrustedRoot,
    signer: Signer<'_>,
    bundle: &[u8],
    artifact: Artifact<'_>,
    expected: Expected,
) -> Result<Verified, Rejection> {
    let text = std::str::from_utf8(bundle).map_err(|error| malformed(&error))?;
    let bundle = Bundle::from_json(text).map_err(|error| malformed(&error))?;
    let verified = || verify(root, signer, &bundle, artifact);
    if expected == Expected::Anything {
        return verified();
    }
    let said = statement(&bundle.content)?;
    if said.predicate_type != SIGN_PREDICATE {
        let why = format!("a statement of the kind {}", said.predicate_type);
        let outcome = if verified().is_ok() { AttestationOnly } else { Unsigned };
        return Err(Rejection::new(outcome, why));
    }
    let verified = verified()?;
    if let Artifact::Digest(digest) = artifact
        && !said.names(digest)
    {
        return Err(Rejection::new(BadDigest, "the statement spells the digest in another way"));
    }
    Ok(verified)
}

/// An in-toto statement, as far as it says what was signed.
#[derive(Deserialize)]
struct Statement {
    #[serde(rename = "predicateType")]
    predicate_type: String,
    #[serde(default)]
    subject: Vec<Subject>,
}

#[derive(Deserialize)]
struct Subject {
    #[serde(default)]
    digest: BTreeMap<String, String>,
}

impl Statement {
    /// Whether it names exactly this digest. `sigstore-verify` also takes one in capitals, which no
    /// registry knows.
    fn names(&self, digest: &Digest) -> bool {
        let hex = digest.as_str().strip_prefix("sha256:");
        let mut named = self.subject.iter().map(|it| it.digest.get("sha256").map(String::as_str));
        named.any(|named| named == hex)
    }
}

/// Verifies a bundle of whatever origin.
pub(super) fn verify(
    root: &TrustedRoot,
    signer: Signer<'_>,
    bundle: &Bundle,
    artifact: Artifact<'_>,
) -> Result<Verified, Rejection> {
    let entries = bundle.verification_material.tlog_entries.len();
    if entries != 1 {
        return Err(Rejection::new(BadLog, format!("{entries} log entries instead of one")));
    }
    if let Some(entry) = bundle.verification_material.tlog_entries.first()
        && !root.knows_log(entry.log_id.key_id.as_bytes())
    {
        return Err(Rejection::new(TrustRootStale, "the entry is in a log that is not known"));
    }
    let Some(certificate) = bundle.signing_certificate() else {
        return Err(Rejection::new(BadCertificate, "no signing certificate"));
    };
    let name = certificate::signer(certificate.as_bytes())?;
    // Who signed is judged below, when it is certain that the certificate is worth anything.
    let policy = VerificationPolicy::any_identity();
    let result = match artifact {
        Artifact::Digest(digest) => {
            let hex = &digest.as_str()["sha256:".len()..];
            let hash = Sha256Hash::from_hex(hex).map_err(|error| malformed(&error))?;
            root.verifier.verify(hash, bundle, &policy)
        }
        Artifact::Bytes(bytes) => root.verifier.verify(bytes, bundle, &policy),
    };
    let result = result.map_err(|error| rejection(&error))?;
    let proven = result.certificate_verified() && result.sct_verified() && result.tlog_verified();
    let times = result.verified_timestamps().iter().min();
    let (true, Some(time)) = (proven, times) else {
        return Err(Rejection::new(BadSignature, "the proof is not complete"));
    };
    let signed_at = Timestamp::from_millis(time.as_millisecond());
    authorise(name, &result, signer, signed_at)
}

/// Whether who signed may sign.
fn authorise(
    name: Name,
    result: &VerificationResult,
    signer: Signer<'_>,
    signed_at: Timestamp,
) -> Result<Verified, Rejection> {
    let issuer = result.issuer().unwrap_or_default().to_owned();
    let identity = match name {
        Name::Uri(uri) => uri,
        Name::Email(email) if signer.email => email,
        Name::Email(email) => {
            return Err(Rejection::new(BadIdentity, format!("the person {email}")));
        }
        Name::Other => {
            return Err(Rejection::new(BadIdentity, "it has no URI"));
        }
    };
    if issuer != signer.issuer {
        return Err(Rejection::new(BadIssuer, format!("`{issuer}`, for `{identity}`")));
    }
    if !signer.identity.matches(&identity) {
        return Err(Rejection::new(BadIdentity, format!("`{identity}`")));
    }
    let identity = identity.replace(char::is_control, " ");
    Ok(Verified { identity, issuer, signed_at })
}

/// The statement in a bundle; one of another kind where there is none.
fn statement(content: &SignatureContent) -> Result<Statement, Rejection> {
    let SignatureContent::DsseEnvelope(envelope) = content else {
        let predicate_type = "messageSignature".to_owned();
        return Ok(Statement { predicate_type, subject: Vec::new() });
    };
    serde_json::from_slice(envelope.payload.as_bytes())
        .map_err(|error| Rejection::malformed(format!("the statement: {error}")))
}

fn malformed(error: &dyn std::fmt::Display) -> Rejection {
    Rejection::malformed(error.to_string())
}

/// What a failure means to the people who act on it.
fn rejection(error: &Error) -> Rejection {
    let outcome = match error {
        Error::ArtifactMismatch(_) => BadDigest,
        Error::SignatureInvalid(_) | Error::Crypto(_) => BadSignature,
        Error::Certificate(CertificateError::NoValidAuthority { .. })
        | Error::TransparencyLog(TransparencyLogError::UnknownLog { .. })
        | Error::InvalidTrustRoot(_)
        | Error::TrustRoot(_)
        | Error::TrustedCertificate(_) => TrustRootStale,
        Error::Certificate(_) => BadCertificate,
        Error::TransparencyLog(_) | Error::Timestamp(_) => BadLog,
        Error::IssuerMismatch { .. } => BadIssuer,
        Error::IdentityMismatch { .. } => BadIdentity,
        // The enum is open; what nobody knows yet is nothing that can be trusted.
        _ => Malformed,
    };
    Rejection::new(outcome, error.to_string())
}
