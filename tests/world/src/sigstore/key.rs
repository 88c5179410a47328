//! Keys: all of them are P-256 with SHA-256, as in the public Sigstore.

use aws_lc_rs::{
    digest,
    signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair},
};
use rcgen::{KeyPair, PKCS_ECDSA_P256_SHA256, PublicKeyData, SigningKey};
use sha2::{Digest, Sha256};

/// A key that was made on the spot.
#[derive(Debug)]
pub(crate) struct Key(KeyPair);

impl Key {
    pub(crate) fn new() -> Self {
        Self(KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).expect("a P-256 key"))
    }

    /// A signature in DER. Two over the same bytes differ.
    pub(crate) fn sign(&self, bytes: &[u8]) -> Vec<u8> {
        self.0.sign(bytes).expect("a P-256 key signs")
    }

    /// A signature over bytes of which only the SHA-256 is known.
    pub(super) fn sign_digest(&self, sha256: &[u8]) -> Vec<u8> {
        let key =
            EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, self.0.serialized_der());
        let digest = digest::Digest::import_less_safe(sha256, &digest::SHA256);
        let signature = key.expect("the key again").sign_digest(&digest.expect("32 bytes"));
        signature.expect("a P-256 key signs").as_ref().to_vec()
    }

    /// The public key in DER.
    pub(super) fn public(&self) -> Vec<u8> {
        self.0.subject_public_key_info()
    }

    /// The public key as text.
    pub(crate) fn public_pem(&self) -> String {
        self.0.public_key_pem()
    }

    /// The name under which logs are known: the SHA-256 of the public key.
    pub(super) fn id(&self) -> Vec<u8> {
        sha256(&self.public())
    }

    pub(super) fn pair(&self) -> &KeyPair {
        &self.0
    }

    pub(super) fn into_pair(self) -> KeyPair {
        self.0
    }
}

pub(super) fn sha256(bytes: &[u8]) -> Vec<u8> {
    Sha256::digest(bytes).to_vec()
}
