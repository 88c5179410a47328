//! What can be found out about a release's signature.

use super::Verdict;
use serde::{Deserialize, Serialize};
use std::fmt;

/// What was found out about a signature. Kept apart because people act on them differently.
///
/// In the order of how much one tells: of several failures the first is the one to report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SignatureOutcome {
    /// A good signature by who may sign.
    Verified,
    /// By who may sign, from a git ref that is not expected.
    UnexpectedRef,
    /// Genuine, by somebody else.
    BadIdentity,
    /// Genuine, vouched for by another OIDC issuer.
    BadIssuer,
    /// Genuine, of something else: a replay, or one platform's manifest.
    BadDigest,
    /// The signature does not belong to what was signed, or to the certificate.
    BadSignature,
    /// The transparency log's entry is not of this signature, or not the log's.
    BadLog,
    /// The certificate is not one that an authority of the trusted root issued for signing.
    BadCertificate,
    /// It names an authority or a log that the trusted root does not know (yet), or the trusted
    /// root is too old.
    TrustRootStale,
    /// It cannot be read.
    Malformed,
    /// Somewhere it could not be found out whether there is one.
    RegistryUnavailable,
    /// Only statements about the image, such as an SBOM or its provenance.
    AttestationOnly,
    /// There is none.
    Unsigned,
    /// There is none, and this release needs none.
    NotRequired,
}

impl SignatureOutcome {
    /// All of them, the most telling first.
    pub const ALL: [Self; 14] = [
        Self::Verified,
        Self::UnexpectedRef,
        Self::BadIdentity,
        Self::BadIssuer,
        Self::BadDigest,
        Self::BadSignature,
        Self::BadLog,
        Self::BadCertificate,
        Self::TrustRootStale,
        Self::Malformed,
        Self::RegistryUnavailable,
        Self::AttestationOnly,
        Self::Unsigned,
        Self::NotRequired,
    ];

    /// The name in files, tables and JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Verified => "verified",
            Self::UnexpectedRef => "unexpected_ref",
            Self::BadIdentity => "bad_identity",
            Self::BadIssuer => "bad_issuer",
            Self::BadDigest => "bad_digest",
            Self::BadSignature => "bad_signature",
            Self::BadLog => "bad_log",
            Self::BadCertificate => "bad_certificate",
            Self::TrustRootStale => "trust_root_stale",
            Self::Malformed => "malformed",
            Self::RegistryUnavailable => "registry_unavailable",
            Self::AttestationOnly => "attestation_only",
            Self::Unsigned => "unsigned",
            Self::NotRequired => "not_required",
        }
    }

    /// What it means for the check. What more time or another trusted root can mend is
    /// inconclusive.
    #[must_use]
    pub const fn verdict(self) -> Verdict {
        match self {
            Self::Verified | Self::NotRequired => Verdict::Passed,
            Self::TrustRootStale | Self::RegistryUnavailable => Verdict::Inconclusive,
            Self::UnexpectedRef
            | Self::BadIdentity
            | Self::BadIssuer
            | Self::BadDigest
            | Self::BadSignature
            | Self::BadLog
            | Self::BadCertificate
            | Self::Malformed
            | Self::AttestationOnly
            | Self::Unsigned => Verdict::Failed,
        }
    }
}

impl fmt::Display for SignatureOutcome {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(self.name())
    }
}
