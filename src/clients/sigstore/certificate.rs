//! The signing certificate: whose it is, and that its key is for signatures.

use super::bundle::Rejection;
use crate::domain::SignatureOutcome::BadCertificate;
use x509_cert::{
    Certificate,
    der::Decode as _,
    der::oid::db::rfc5280::{ID_CE_KEY_USAGE, ID_CE_SUBJECT_ALT_NAME},
    ext::pkix::{KeyUsage, SubjectAltName, name::GeneralName},
};

/// Who signed, by the certificate. It has exactly one subject alternative name, as Fulcio issues
/// it: of two, one reader would judge the first and another the second.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Name {
    /// A workflow, or another machine.
    Uri(String),
    /// A person.
    Email(String),
    /// Something else, as it is called there.
    Other,
}

/// The one name of a certificate whose key is for digital signatures (RFC 5280, section 4.2.1.3).
pub(super) fn signer(der: &[u8]) -> Result<Name, Rejection> {
    let bad = |why: String| Rejection::new(BadCertificate, why);
    let certificate = Certificate::from_der(der)
        .map_err(|error| bad(format!("the certificate cannot be read: {error}")))?;
    let (mut names, mut signs) = (Vec::new(), false);
    let extensions = certificate.tbs_certificate.extensions.unwrap_or_default();
    for extension in &extensions {
        let value = extension.extn_value.as_bytes();
        if extension.extn_id == ID_CE_SUBJECT_ALT_NAME {
            let list = SubjectAltName::from_der(value)
                .map_err(|error| bad(format!("its names cannot be read: {error}")))?;
            names.extend(list.0);
        } else if extension.extn_id == ID_CE_KEY_USAGE {
            signs = KeyUsage::from_der(value).is_ok_and(|usage| usage.digital_signature());
        }
    }
    if !signs {
        return Err(bad("the certificate's key is not for signatures".to_owned()));
    }
    match names.as_slice() {
        [GeneralName::UniformResourceIdentifier(uri)] => Ok(Name::Uri(uri.to_string())),
        [GeneralName::Rfc822Name(email)] => Ok(Name::Email(email.to_string())),
        [_] => Ok(Name::Other),
        names => Err(bad(format!("the certificate has {} names instead of one", names.len()))),
    }
}
