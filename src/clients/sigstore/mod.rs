//! Sigstore: whether a signature is genuine, by whom, and of what. Keyless signatures only, and
//! offline given a trusted root.
//!
//! The crate `sigstore-verify` proves what `cosign verify` proves: the certificate's chain and
//! usage, its SCT, the log entry (promise or inclusion proof) and that it is of this signature,
//! certificate and payload, the signing time inside the certificate's life. What it leaves to its
//! callers is done here: cosign's own layout, which it does not know; exactly one name in the
//! certificate and one entry of the log, of which it would look at the first; the identity's
//! pattern; what kind of statement it is.

mod bundle;
mod certificate;
mod legacy;
mod root;
mod trust;
mod tuf;

pub use bundle::{Artifact, Expected, Rejection, Signer, Verified, verify_bundle};
pub use legacy::{verify_layer, verify_legacy};
pub use root::{RootError, TrustedRoot};
pub use trust::{Source, Trust};
