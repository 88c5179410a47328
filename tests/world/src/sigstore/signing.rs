//! Who signs, when, and what is wrong with it.

use super::forgery::Forgery;
use chrono::{DateTime, TimeDelta, Utc};

const ISSUER: &str = "https://token.actions.githubusercontent.com";
const REPOSITORY: &str = "https://github.com/toon-protocol/connector";

/// A name that a certificate is made out to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum San {
    /// A workflow, as a URI.
    Uri(String),
    /// A person, as an e-mail address.
    Email(String),
}

/// A signing that is being described: upstream's release workflow signs, and everything is in
/// order, unless told otherwise.
#[derive(Debug, Clone, Default)]
#[must_use = "a signing is done by `Sigstore::sign` or by publishing a release"]
pub struct Signing {
    sans: Option<Vec<San>>,
    issuer: Option<String>,
    issuer_v1: Option<String>,
    only_v1: bool,
    commit: Option<String>,
    reference: Option<String>,
    at: Option<DateTime<Utc>>,
    logged_at: Option<DateTime<Utc>>,
    valid: Option<(DateTime<Utc>, DateTime<Utc>)>,
    forgeries: Vec<Forgery>,
}

impl Signing {
    /// A signing of which nothing was said.
    pub fn new() -> Self {
        Self::default()
    }

    /// The identity, a URI; `release.yml` of upstream on `main`, unless told.
    pub fn identity(mut self, uri: &str) -> Self {
        self.sans = Some(vec![San::Uri(uri.to_owned())]);
        self
    }

    /// A workflow of upstream as the identity, such as `build-and-publish.yml` and
    /// `refs/tags/v3.10.0`.
    pub fn workflow(self, file: &str, reference: &str) -> Self {
        self.identity(&format!("{REPOSITORY}/.github/workflows/{file}@{reference}"))
    }

    /// A person instead of a workflow.
    pub fn email(mut self, address: &str) -> Self {
        self.sans = Some(vec![San::Email(address.to_owned())]);
        self
    }

    /// One more name in the certificate, after those that it has.
    pub fn second_san(mut self, san: San) -> Self {
        self.sans.get_or_insert_with(default_sans).push(san);
        self
    }

    /// One more name in the certificate, before those that it has.
    pub fn second_san_first(mut self, san: San) -> Self {
        self.sans.get_or_insert_with(default_sans).insert(0, san);
        self
    }

    /// A certificate that names nobody.
    pub fn without_san(mut self) -> Self {
        self.sans = Some(Vec::new());
        self
    }

    /// Who vouched for the identity; GitHub Actions, unless told.
    pub fn issuer(mut self, url: &str) -> Self {
        self.issuer = Some(url.to_owned());
        self
    }

    /// What the older of the two issuer extensions says; the same as the newer, unless told.
    pub fn issuer_v1(mut self, url: &str) -> Self {
        self.issuer_v1 = Some(url.to_owned());
        self
    }

    /// Only the older of the two issuer extensions.
    pub fn issuer_only_v1(mut self) -> Self {
        self.only_v1 = true;
        self
    }

    /// The commit that the workflow ran on, as the certificate has it.
    pub fn commit(mut self, sha: &str) -> Self {
        self.commit = Some(sha.to_owned());
        self
    }

    /// The name of the image in the payload; `ghcr.io/toon-protocol/connector`, unless told.
    pub fn reference(mut self, name: &str) -> Self {
        self.reference = Some(name.to_owned());
        self
    }

    /// When it is signed; a published image two minutes after it was published, unless told.
    pub fn at(mut self, time: DateTime<Utc>) -> Self {
        self.at = Some(time);
        self
    }

    /// When the log took it in; when it was signed, unless told.
    pub fn logged_at(mut self, time: DateTime<Utc>) -> Self {
        self.logged_at = Some(time);
        self
    }

    /// The certificate's life; five minutes before and after the signing, unless told.
    pub fn valid(mut self, from: DateTime<Utc>, until: DateTime<Utc>) -> Self {
        self.valid = Some((from, until));
        self
    }

    /// Something is wrong with it. Several things may be.
    pub fn forged(mut self, forgery: Forgery) -> Self {
        self.forgeries.push(forgery);
        self
    }

    /// Fills in what was not said: who, for which image, of which commit, when.
    pub(crate) fn or(
        mut self,
        identity: &str,
        image: &str,
        commit: &str,
        at: DateTime<Utc>,
    ) -> Self {
        self.sans.get_or_insert_with(|| vec![San::Uri(identity.to_owned())]);
        self.reference.get_or_insert_with(|| image.to_owned());
        self.commit.get_or_insert_with(|| commit.to_owned());
        self.or_at(at)
    }

    /// Fills in when, if that was not said.
    pub(crate) fn or_at(mut self, at: DateTime<Utc>) -> Self {
        self.at.get_or_insert(at);
        self
    }

    pub(super) fn has(&self, forgery: Forgery) -> bool {
        self.forgeries.contains(&forgery)
    }

    pub(super) fn sans(&self) -> Vec<San> {
        self.sans.clone().unwrap_or_else(default_sans)
    }

    /// The two issuer extensions, the older one first.
    pub(super) fn issuers(&self) -> (Option<&str>, Option<&str>) {
        if self.has(Forgery::NoIssuer) {
            return (None, None);
        }
        let newer = self.issuer.as_deref().unwrap_or(ISSUER);
        let older = self.issuer_v1.as_deref().unwrap_or(newer);
        (Some(older), (!self.only_v1).then_some(newer))
    }

    pub(super) fn commit_sha(&self) -> &str {
        self.commit.as_deref().unwrap_or("0000000000000000000000000000000000000000")
    }

    pub(super) fn image(&self) -> &str {
        self.reference.as_deref().unwrap_or("ghcr.io/toon-protocol/connector")
    }

    /// When it is signed, and the certificate's life around it.
    pub(super) fn times(&self, now: DateTime<Utc>) -> Times {
        let mut signed = self.at.unwrap_or(now);
        if self.has(Forgery::LoggedInFuture) {
            signed += TimeDelta::days(3650);
        }
        let around = (signed - TimeDelta::minutes(5), signed + TimeDelta::minutes(5));
        let (from, until) = self.valid.unwrap_or(around);
        let mut logged = self.logged_at.unwrap_or(signed);
        if self.has(Forgery::LoggedAfterExpiry) {
            logged = until + TimeDelta::minutes(1);
        }
        if self.has(Forgery::LoggedBeforeValidity) {
            logged = from - TimeDelta::minutes(1);
        }
        Times { from, until, logged }
    }
}

/// When what happens.
#[derive(Debug, Clone, Copy)]
pub(super) struct Times {
    pub(super) from: DateTime<Utc>,
    pub(super) until: DateTime<Utc>,
    pub(super) logged: DateTime<Utc>,
}

fn default_sans() -> Vec<San> {
    vec![San::Uri(format!("{REPOSITORY}/.github/workflows/release.yml@refs/heads/main"))]
}
