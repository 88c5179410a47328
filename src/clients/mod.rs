//! The wires: one client for each outside service, each with its own typed error and with its base
//! URL as an argument. They fetch and they write what they are told; they decide nothing, retry
//! nothing and remember nothing but short-lived tokens and when npm's rate limit ends.

pub mod credential;
pub mod git;
pub mod github;
mod link;
pub mod npm;
pub mod registry;
pub mod sigstore;
pub mod wire;

/// Makes aws-lc-rs the TLS provider of the whole process, for every client. `main` and the tests'
/// set-up call this first; calling it again does nothing.
pub fn install_tls_provider() {
    // An error only says that a provider is installed already.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
}
