//! A private certificate authority, made on the spot, and doors that speak TLS.

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use std::sync::Arc;
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        ServerConfig, crypto::aws_lc_rs, pki_types::PrivateKeyDer, version::TLS12, version::TLS13,
    },
};

/// The names under which the doors are reached.
pub(crate) const NAMES: [&str; 2] = ["localhost", "127.0.0.1"];

/// What a world with TLS shows: to whoever knocks, and to whoever wants to believe it.
#[derive(Clone)]
pub(crate) struct Tls {
    pub(crate) acceptor: TlsAcceptor,
    pub(crate) ca_pem: String,
}

impl Tls {
    /// Makes an authority, and one certificate of it for all doors, under these names.
    pub(crate) fn made_for(names: &[String]) -> Result<Self, Box<dyn std::error::Error>> {
        let mut authority = CertificateParams::default();
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        authority.distinguished_name.push(DnType::CommonName, "the world's own authority");
        let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate()?)?;
        let key = KeyPair::generate()?;
        let door = CertificateParams::new(names)?.signed_by(&key, &authority)?;
        let key = PrivateKeyDer::try_from(key.serialize_der())?;
        // Named here: whoever uses the world may not have chosen a provider for the process yet.
        let mut config =
            ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
                .with_protocol_versions(&[&TLS13, &TLS12])?
                .with_no_client_auth()
                .with_single_cert(vec![door.der().clone()], key)?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self { acceptor: TlsAcceptor::from(Arc::new(config)), ca_pem: authority.pem() })
    }
}
