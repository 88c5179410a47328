//! The signing certificate's names.

use super::bundle::Rejection;
use crate::domain::SignatureOutcome::BadCertificate;
use x509_cert::{
    Certificate,
    der::Decode as _,
    ext::pkix::{SubjectAltName, name::GeneralName},
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

/// Reads the one name of a certificate.
pub(super) fn only_name(der: &[u8]) -> Result<Name, Rejection> {
    let bad = |why: String| Rejection::new(BadCertificate, why);
    let certificate = Certificate::from_der(der)
        .map_err(|error| bad(format!("the certificate cannot be read: {error}")))?;
    let mut names = Vec::new();
    let extensions = certificate.tbs_certificate.extensions.unwrap_or_default();
    for extension in &extensions {
        if extension.extn_id == x509_cert::der::oid::db::rfc5280::ID_CE_SUBJECT_ALT_NAME {
            let list = SubjectAltName::from_der(extension.extn_value.as_bytes())
                .map_err(|error| bad(format!("its names cannot be read: {error}")))?;
            names.extend(list.0);
        }
    }
    match names.as_slice() {
        [GeneralName::UniformResourceIdentifier(uri)] => Ok(Name::Uri(uri.to_string())),
        [GeneralName::Rfc822Name(email)] => Ok(Name::Email(email.to_string())),
        [_] => Ok(Name::Other),
        names => Err(bad(format!("the certificate has {} names instead of one", names.len()))),
    }
}
