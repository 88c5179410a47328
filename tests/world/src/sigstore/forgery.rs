//! What may be wrong with a signature, one thing at a time.

use super::bundle::BundleVersion;

/// In which form a signature is written down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Form {
    /// cosign 2: a manifest whose layer is a simple-signing payload, the rest in its annotations.
    Legacy,
    /// cosign 3: a bundle.
    Bundle(BundleVersion),
}

impl Form {
    /// All forms.
    pub const ALL: [Self; 4] = [
        Self::Legacy,
        Self::Bundle(BundleVersion::V01),
        Self::Bundle(BundleVersion::V02),
        Self::Bundle(BundleVersion::V03),
    ];
}

macro_rules! forgeries {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {
        /// One thing that is wrong with a signature, everything else being genuine.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Forgery { $($(#[$doc])* $name),* }

        impl Forgery {
            /// All forgeries.
            pub const ALL: &[Self] = &[$(Self::$name),*];
        }
    };
}

forgeries! {
    // The certificate.
    /// The certificate is by an authority that has the trusted one's name and another key.
    OtherAuthority,
    /// The certificate is by an authority that the trust root knows, but not for this time.
    RetiredAuthority,
    /// The certificate hangs on the trusted authority by an intermediate that expired years ago.
    ExpiredIntermediate,
    /// The certificate was never shown to a certificate transparency log.
    NoSct,
    /// The certificate's timestamp names the trusted transparency log and is by another key.
    SctByWrongKey,
    /// The certificate's timestamp is by a transparency log that nobody trusts.
    SctOfUnknownLog,
    /// The certificate is not for code signing.
    NoCodeSigning,
    /// The certificate is itself that of an authority.
    LeafIsAuthority,
    /// The certificate's key is not for signatures.
    NoDigitalSignature,
    /// The certificate does not say who vouched for the identity.
    NoIssuer,
    // The log.
    /// The log entry is of other content, its signature and certificate are the right ones.
    EntryOfAnotherArtifact,
    /// The log entry has another signature by the same key over the same content.
    EntryOfAnotherSignature,
    /// The log entry has another certificate of the same identity.
    EntryOfAnotherCertificate,
    /// The log entry is in a log that nobody trusts.
    EntryByUnknownLog,
    /// The log's promise names the trusted log and is by another key.
    PromiseByWrongKey,
    /// The log's promise is for another time than the entry says.
    PromiseOverOtherBytes,
    /// A log entry with neither promise nor proof.
    NoPromiseNoProof,
    /// A log entry with a proof and no promise: nothing vouches for its time.
    NoPromise,
    /// A log entry with a promise and no proof, where the form wants a proof.
    NoProof,
    /// A hash of the inclusion proof is another.
    WrongProof,
    /// The checkpoint names the trusted log and is signed by another key.
    CheckpointByWrongKey,
    /// Signed and logged when the certificate had expired.
    LoggedAfterExpiry,
    /// Signed and logged before the certificate became valid.
    LoggedBeforeValidity,
    /// Everything happened ten years from now.
    LoggedInFuture,
    /// There is no log entry at all.
    NoLogEntry,
    /// A second log entry of the same signature, without promise and proof.
    SecondBareEntry,
    /// A second log entry of the same signature, as good as the first.
    SecondFullEntry,
    // What is signed.
    /// A signature of another digest, genuine in itself: a replay.
    AnotherDigest,
    /// The content was exchanged for one that names the right digest after it was signed.
    PayloadSwapped,
    /// The content names the digest in capitals.
    UpperCaseDigest,
    /// The content says that it is something other than a signature of an image.
    WrongType,
    /// One bit of the signature is another than in the log.
    SignatureCorrupted,
    /// The signature, which is the logged one, is by another key than the certificate's.
    SignatureByAnotherKey,
    // The legacy form alone.
    /// The annotation for the certificate has none.
    CertificateNotPem,
    /// The annotation for the certificate has two, that of somebody else first.
    TwoCertificates,
    /// The annotation with the signature is missing.
    NoSignatureAnnotation,
    /// The annotation with the certificate is missing.
    NoCertificateAnnotation,
    // The bundles alone.
    /// A statement about what is in the image: an attestation.
    SbomPredicate,
    /// A statement about how the image was built: an attestation.
    ProvenancePredicate,
    /// A statement about two subjects, of which the second is the image.
    RightSubjectSecond,
    /// A statement about nothing.
    NoSubject,
    /// A signature over the image's index itself instead of a statement about it.
    MessageSignature,
    /// The bundle says that it is of a kind that does not exist.
    UnknownMediaType,
    /// The bundle says that it is of a version that does not exist.
    UnknownVersion,
    /// The statement is signed twice with the same key.
    TwoSignatures,
}

impl Forgery {
    /// Whether there is such a thing in this form.
    #[must_use]
    pub fn concerns(self, form: Form) -> bool {
        let bundle = match form {
            Form::Legacy => None,
            Form::Bundle(version) => Some(version),
        };
        match self {
            // The third version has room for one certificate only.
            Self::ExpiredIntermediate => bundle != Some(BundleVersion::V03),
            // Who has no proof cannot be asked for one.
            Self::NoPromise | Self::NoProof | Self::WrongProof | Self::CheckpointByWrongKey => {
                bundle.is_some_and(BundleVersion::has_proof)
            }
            Self::CertificateNotPem
            | Self::TwoCertificates
            | Self::NoSignatureAnnotation
            | Self::NoCertificateAnnotation => bundle.is_none(),
            Self::SecondBareEntry
            | Self::SecondFullEntry
            | Self::SbomPredicate
            | Self::ProvenancePredicate
            | Self::RightSubjectSecond
            | Self::NoSubject
            | Self::MessageSignature
            | Self::UnknownMediaType
            | Self::UnknownVersion
            | Self::TwoSignatures => bundle.is_some(),
            _ => true,
        }
    }
}
