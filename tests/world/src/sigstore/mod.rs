//! A private Sigstore: a certificate authority, a certificate transparency log and a log of
//! signatures, with keys made when it is made. What it signs is genuine in all but what a test
//! asks to be forged.

mod authority;
mod bundle;
mod canonical;
mod ct;
mod forgery;
mod key;
mod legacy;
mod log;
mod merkle;
mod root;
mod signed;
mod signer;
mod signing;

pub use bundle::{BundleVersion, Predicate};
pub(crate) use bundle::{EMPTY, referrer};
pub use forgery::{Forgery, Form};
pub(crate) use key::Key;
pub(crate) use legacy::{CONFIG as LEGACY_CONFIG, manifest as legacy_manifest};
pub use signed::Signed;
pub use signing::{San, Signing};

use authority::Authority;
use chrono::{DateTime, Utc};
use ct::CtLog;
use log::Log;
use signer::Signer;

/// Where the log would be.
const HOST: &str = "rekor.world.test";

/// A private deployment of Sigstore, complete enough to sign as cosign does in a workflow.
///
/// ```
/// # use world::{Signing, Sigstore};
/// let sigstore = Sigstore::new("2026-06-12T08:00:00Z".parse().unwrap());
/// let digest = format!("sha256:{}", "ab".repeat(32));
/// let signed = sigstore.sign(&Signing::new(), &digest);
/// assert!(String::from_utf8_lossy(&signed.payload).contains(&digest));
/// ```
#[derive(Debug)]
pub struct Sigstore {
    now: DateTime<Utc>,
    authority: Authority,
    /// In the trust root as well, but only for times long past.
    retired: Authority,
    /// Nobody trusts it, though it bears the name of the one that is trusted.
    other: Authority,
    /// Below the trusted authority, and expired long ago.
    intermediate: Authority,
    ct: CtLog,
    other_ct: CtLog,
    log: Log,
    other_log: Log,
    /// What it signed with before, still to be trusted.
    before: Vec<(Authority, CtLog, Log)>,
}

impl Sigstore {
    /// Makes a Sigstore with new keys. Unless a signing says otherwise, it signs at this time.
    #[must_use]
    pub fn new(now: DateTime<Utc>) -> Self {
        let authority = Authority::trusted();
        Self {
            now,
            intermediate: authority.expired_intermediate(),
            retired: Authority::retired(),
            other: Authority::trusted(),
            authority,
            ct: CtLog::new(),
            other_ct: CtLog::new(),
            log: Log::new(HOST),
            other_log: Log::new("other.world.test"),
            before: Vec::new(),
        }
    }

    /// Goes on with new keys. The trusted root has both from now on.
    pub fn rotate(&mut self) {
        let authority = std::mem::replace(&mut self.authority, Authority::trusted());
        let ct = std::mem::replace(&mut self.ct, CtLog::new());
        let log = std::mem::replace(&mut self.log, Log::new(HOST));
        self.intermediate = self.authority.expired_intermediate();
        self.before.push((authority, ct, log));
    }

    /// What a verifier has to believe: the trusted root's JSON, as `cosign --trusted-root` takes it.
    #[must_use]
    pub fn trusted_root(&self) -> String {
        root::trusted_root(self).to_string()
    }

    /// Signs an image's digest (`sha256:` and 64 small hexadecimal digits) in all forms.
    ///
    /// # Panics
    /// If it is no such digest.
    #[must_use]
    pub fn sign(&self, signing: &Signing, digest: &str) -> Signed {
        Signer::new(self, signing).sign(digest)
    }

    /// Signs a statement of another kind about a digest: an attestation, and no signature.
    ///
    /// # Panics
    /// If it is no such digest.
    #[must_use]
    pub fn attest(
        &self,
        signing: &Signing,
        predicate: Predicate,
        digest: &str,
        version: BundleVersion,
    ) -> Vec<u8> {
        let signer = Signer::new(self, signing);
        bundle::bundle(&signer, &bundle::statement(&signer, predicate, digest), version)
    }

    /// Signs bytes that are no image: a bundle with a message signature, as `cosign sign-blob`
    /// writes it.
    #[must_use]
    pub fn sign_blob(&self, signing: &Signing, bytes: &[u8], version: BundleVersion) -> Vec<u8> {
        let signer = Signer::new(self, signing);
        let content = bundle::message(&signer, &key::sha256(bytes));
        bundle::bundle(&signer, &content, version)
    }
}
