//! The certificate authority: certificates for keys that live for minutes.

use super::ct::CtLog;
use super::forgery::Forgery;
use super::key::{Key, sha256};
use super::signing::{San, Signing, Times};
use base64::{Engine, engine::general_purpose::STANDARD};
use chrono::{DateTime, Utc};
use rcgen::{
    BasicConstraints, CertificateParams, CustomExtension, DistinguishedName, DnType,
    ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose, SanType, date_time_ymd,
};
use std::time::Duration;
use x509_cert::{
    Certificate,
    der::{Decode, Encode, asn1::Utf8StringRef},
};

/// What the trust root calls the authority's organization.
pub(super) const ORGANIZATION: &str = "world.test";
pub(super) const NAME: &str = "fulcio";
pub(super) const RETIRED: &str = "fulcio of the past";
/// The year in which the retired authority and the intermediate expired.
const PAST: (i32, i32) = (2020, 2021);
const LIFE: (i32, i32) = (2020, 2049);

/// Fulcio's extensions, below `1.3.6.1.4.1.57264.1`: the numbers of those that the world writes.
mod fulcio {
    pub(super) const ISSUER_V1: u64 = 1;
    pub(super) const COMMIT_V1: u64 = 3;
    pub(super) const REPOSITORY_V1: u64 = 5;
    pub(super) const ISSUER: u64 = 8;
    pub(super) const REPOSITORY: u64 = 12;
    pub(super) const COMMIT: u64 = 13;
}
const TIMESTAMPS: [u64; 10] = [1, 3, 6, 1, 4, 1, 11129, 2, 4, 2];

/// An authority, with its certificate.
#[derive(Debug)]
pub(super) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pub(super) certificate: Vec<u8>,
    public: Vec<u8>,
}

impl Authority {
    /// One of the usual name, for all times.
    pub(super) fn trusted() -> Self {
        Self::made(NAME, LIFE, None)
    }

    /// One of the past.
    pub(super) fn retired() -> Self {
        Self::made(RETIRED, PAST, None)
    }

    /// One below this one, expired.
    pub(super) fn expired_intermediate(&self) -> Self {
        Self::made("fulcio intermediate", PAST, Some(self))
    }

    fn made(name: &str, (from, until): (i32, i32), above: Option<&Self>) -> Self {
        let key = Key::new();
        let public = key.public();
        let mut params = CertificateParams::default();
        params.distinguished_name = DistinguishedName::new();
        params.distinguished_name.push(DnType::OrganizationName, ORGANIZATION);
        params.distinguished_name.push(DnType::CommonName, name);
        let below = u8::from(above.is_none());
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(below));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        params.not_before = date_time_ymd(from, 1, 1);
        params.not_after = date_time_ymd(until, 12, 31);
        let signed = match above {
            None => params.self_signed(key.pair()),
            Some(above) => params.signed_by(key.pair(), &above.issuer),
        };
        let certificate = signed.expect("an authority's certificate").der().to_vec();
        Self { issuer: Issuer::new(params, key.into_pair()), certificate, public }
    }

    /// A certificate for a signing's key, with the timestamp of a transparency log.
    pub(super) fn issue(
        &self,
        signing: &Signing,
        times: Times,
        key: &Key,
        log: Option<&CtLog>,
    ) -> Vec<u8> {
        let mut params = params(signing, times, key);
        if let Some(log) = log {
            let before = self.signed(&params, key);
            let parsed = Certificate::from_der(&before).expect("a certificate");
            let content = parsed.tbs_certificate.to_der().expect("its content");
            let wrong = signing.has(Forgery::SctByWrongKey);
            let timestamps = log.timestamps(&content, &self.public, times.from, wrong);
            let extension = CustomExtension::from_oid_content(&TIMESTAMPS, timestamps);
            params.custom_extensions.push(extension);
        }
        self.signed(&params, key)
    }

    fn signed(&self, params: &CertificateParams, key: &Key) -> Vec<u8> {
        let certificate = params.signed_by(key.pair(), &self.issuer);
        certificate.expect("a certificate").der().to_vec()
    }
}

fn params(signing: &Signing, times: Times, key: &Key) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    // A positive number that stays the same when the timestamp is added.
    params.serial_number = Some([&[1], &sha256(&key.public())[..15]].concat().into());
    params.use_authority_key_identifier_extension = true;
    params.subject_alt_names = signing.sans().iter().map(name).collect();
    let seconds = |time: DateTime<Utc>| {
        Duration::from_secs(u64::try_from(time.timestamp()).expect("a time after 1970"))
    };
    params.not_before = date_time_ymd(1970, 1, 1) + seconds(times.from);
    params.not_after = date_time_ymd(1970, 1, 1) + seconds(times.until);
    params.key_usages = vec![if signing.has(Forgery::NoDigitalSignature) {
        KeyUsagePurpose::KeyAgreement
    } else {
        KeyUsagePurpose::DigitalSignature
    }];
    params.extended_key_usages = vec![if signing.has(Forgery::NoCodeSigning) {
        ExtendedKeyUsagePurpose::ClientAuth
    } else {
        ExtendedKeyUsagePurpose::CodeSigning
    }];
    if signing.has(Forgery::LeafIsAuthority) {
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    }
    params.custom_extensions = claims(signing);
    params
}

/// What the certificate says of the workflow. The older claims are bare bytes, the newer ones DER.
fn claims(signing: &Signing) -> Vec<CustomExtension> {
    let extension = |number: u64, content: Vec<u8>| {
        CustomExtension::from_oid_content(&[1, 3, 6, 1, 4, 1, 57264, 1, number], content)
    };
    let text = |text: &str| {
        let content = Utf8StringRef::new(text).and_then(|text| text.to_der());
        content.expect("a short text")
    };
    let (older, newer) = signing.issuers();
    let commit = signing.commit_sha();
    let mut claims = vec![
        extension(fulcio::COMMIT_V1, commit.into()),
        extension(fulcio::REPOSITORY_V1, "toon-protocol/connector".into()),
        extension(fulcio::REPOSITORY, text("https://github.com/toon-protocol/connector")),
        extension(fulcio::COMMIT, text(commit)),
    ];
    claims.extend(older.map(|issuer| extension(fulcio::ISSUER_V1, issuer.into())));
    claims.extend(newer.map(|issuer| extension(fulcio::ISSUER, text(issuer))));
    claims
}

fn name(san: &San) -> SanType {
    let (San::Uri(text) | San::Email(text)) = san;
    let text = text.as_str().try_into().expect("a name in ASCII");
    match san {
        San::Uri(_) => SanType::URI(text),
        San::Email(_) => SanType::Rfc822Name(text),
    }
}

/// A certificate as text.
pub(super) fn pem(certificate: &[u8]) -> String {
    let encoded = STANDARD.encode(certificate);
    let lines = encoded.as_bytes().chunks(64).map(String::from_utf8_lossy);
    let lines = lines.collect::<Vec<_>>().join("\n");
    format!("-----BEGIN CERTIFICATE-----\n{lines}\n-----END CERTIFICATE-----\n")
}
