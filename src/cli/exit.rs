//! Exit codes, the same for every command.

use crate::config::ConfigError;
use crate::domain::SignatureOutcome;
use std::process::ExitCode;

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// 0: done, or the answer is yes.
    Done,
    /// 1: the answer is no: sites disagree, a release is not known, the daemon is not healthy.
    No,
    /// 2: the arguments, the config or the environment cannot be used, or the token is missing.
    Usage,
    /// 3: something could not be read or done, as where GitHub refuses the token; the next pass tries
    /// again.
    Trouble,
    /// 4: somebody else was at work the whole time.
    Busy,
    /// 11, as cosign's: there is no such tag or digest.
    TagMissing,
    /// What is wrong with a signature, a code for each; cosign's where it has one.
    Signature(SignatureOutcome),
}

/// Something that whoever called has to change: an argument, the environment.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct Misuse(pub(super) String);

impl Exit {
    /// What an error comes to.
    #[must_use]
    pub fn of(error: &anyhow::Error) -> Self {
        if error.is::<ConfigError>() || error.is::<Misuse>() { Self::Usage } else { Self::Trouble }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Done => 0,
            Exit::No => 1,
            Exit::Usage => 2,
            Exit::Trouble => 3,
            Exit::Busy => 4,
            Exit::TagMissing => 11,
            Exit::Signature(outcome) => of_signature(outcome),
        })
    }
}

/// cosign has 10 (no signature), 12 (no matching signature) and 13 (no certificate); the others are
/// ours.
const fn of_signature(outcome: SignatureOutcome) -> u8 {
    match outcome {
        SignatureOutcome::Verified | SignatureOutcome::NotRequired => 0,
        SignatureOutcome::Unsigned => 10,
        SignatureOutcome::BadIdentity => 12,
        SignatureOutcome::BadCertificate => 13,
        SignatureOutcome::BadIssuer => 14,
        SignatureOutcome::UnexpectedRef => 15,
        SignatureOutcome::BadDigest => 16,
        SignatureOutcome::BadSignature => 17,
        SignatureOutcome::BadLog => 18,
        SignatureOutcome::Malformed => 19,
        SignatureOutcome::AttestationOnly => 20,
        SignatureOutcome::TrustRootStale => 21,
        SignatureOutcome::RegistryUnavailable => 22,
    }
}
