//! A file of certificate authorities, read and checked.

use rustls::{
    RootCertStore,
    pki_types::{
        CertificateDer,
        pem::{self, PemObject as _},
    },
};
use std::path::Path;

/// Reads every certificate of a PEM file. What is none is found out here: later it would be an
/// error of the whole client.
pub(super) fn read(file: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let name = file.display();
    let text = std::fs::read(file).map_err(|error| format!("`{name}` cannot be read: {error}"))?;
    let certificates = CertificateDer::pem_slice_iter(&text)
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| match error {
            // Its own words are a list of bytes.
            pem::Error::MissingSectionEnd { .. } => format!("a block of `{name}` does not end"),
            error => format!("`{name}` is no PEM file: {error}"),
        })?;
    if certificates.is_empty() {
        return Err(format!("`{name}` holds no certificate in PEM"));
    }
    let mut roots = RootCertStore::empty();
    for (number, certificate) in certificates.iter().enumerate() {
        roots
            .add(certificate.clone())
            .map_err(|_| format!("block {} of `{name}` is no X.509 certificate", number + 1))?;
    }
    Ok(certificates)
}
