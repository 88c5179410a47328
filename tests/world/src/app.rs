//! The bot's GitHub App: its key, by which it says who it is, where it is installed, and the tokens
//! that it is given there.

use crate::World;
use crate::state::{Actor, State};
use crate::wire::{invented_sha, iso};
use aws_lc_rs::{
    encoding::{AsDer as _, Pkcs8V1Der},
    rsa::KeySize,
    signature::{self, KeyPair as _, RsaKeyPair, UnparsedPublicKey},
};
use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::LazyLock,
};

/// The App's number.
pub(crate) const APP: u64 = 7;
/// The number of its one installation.
pub(crate) const INSTALLATION: u64 = 77;

/// What comes before the PKCS#1 form in the PKCS#8 form of a key of 2048 bits.
const PKCS8_HEAD: usize = 26;

/// The App's key. To make one takes a moment, so that a process has one for all worlds.
static KEY: LazyLock<RsaKeyPair> =
    LazyLock::new(|| RsaKeyPair::generate(KeySize::Rsa2048).expect("a key for the App"));

/// The App, and what it was given.
#[derive(Debug)]
pub(crate) struct App {
    /// What the installation was granted.
    pub(crate) permissions: Permissions,
    pub(crate) installed: bool,
    pub(crate) suspended: bool,
    /// How long a token lives.
    pub(crate) life: TimeDelta,
    /// How far this GitHub's clock is ahead of the world's.
    pub(crate) clock_ahead: TimeDelta,
    /// What each minted token is good for.
    pub(crate) grants: BTreeMap<String, Grant>,
    /// Everything that ever was a secret: JSON Web Tokens and minted tokens.
    pub(crate) spoken: BTreeSet<String>,
}

/// Permissions by name: `read` or `write`.
pub(crate) type Permissions = BTreeMap<String, String>;

/// What a minted token is good for.
#[derive(Debug, Clone)]
pub(crate) struct Grant {
    until: DateTime<Utc>,
    permissions: Permissions,
    /// Repositories by name; `None` is all of the installation's.
    repositories: Option<Vec<String>>,
}

impl Grant {
    /// Whether it has a permission at all, to read or to write.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.permissions.contains_key(name)
    }
}

impl Default for App {
    fn default() -> Self {
        Self {
            permissions: permissions(&[
                ("checks", "write"),
                ("contents", "write"),
                ("actions", "write"),
                ("issues", "write"),
                ("metadata", "read"),
                ("pull_requests", "write"),
                ("statuses", "write"),
                ("workflows", "write"),
            ]),
            installed: true,
            suspended: false,
            life: TimeDelta::hours(1),
            clock_ahead: TimeDelta::zero(),
            grants: BTreeMap::new(),
            spoken: BTreeSet::new(),
        }
    }
}

fn permissions(all: &[(&str, &str)]) -> Permissions {
    all.iter().map(|(name, level)| ((*name).to_owned(), (*level).to_owned())).collect()
}

impl Grant {
    /// Whether it is good for one of these permissions, in a repository.
    pub(crate) fn allows(&self, wanted: &[&str], repo: &str) -> bool {
        let name = repo.rsplit('/').next().unwrap_or(repo);
        let here = self.repositories.as_ref().is_none_or(|all| all.iter().any(|it| it == name));
        let may = |name: &&str| self.permissions.get(*name).is_some_and(|level| level == "write");
        here && wanted.iter().any(may)
    }
}

impl State {
    /// The time by this GitHub's own clock.
    pub(crate) fn github_now(&self) -> DateTime<Utc> {
        self.now() + self.app.clock_ahead
    }

    /// What a token is good for, if it is a minted one.
    pub(crate) fn grant_of(&self, token: &str) -> Option<&Grant> {
        self.app.grants.get(token)
    }

    /// Whether a minted token is past its end.
    pub(crate) fn has_expired(&self, token: &str) -> bool {
        self.grant_of(token).is_some_and(|grant| grant.until <= self.github_now())
    }

    /// A token for the installation, or the words with which it is refused.
    pub(crate) fn mint_token(&mut self, wish: &Value) -> Result<Value, &'static str> {
        let asked = wish["permissions"].as_object().cloned();
        let enough = |name: &str, level: &Value| match self.app.permissions.get(name) {
            Some(granted) => granted == "write" || level == "read",
            None => false,
        };
        let asked = asked.map(|asked| asked.into_iter().collect::<Vec<_>>());
        if !asked.iter().flatten().all(|(name, level)| enough(name, level)) {
            return Err("The permissions requested are not granted to this installation.");
        }
        let permissions = asked.map_or_else(
            || self.app.permissions.clone(),
            |asked| {
                let asked = asked.into_iter();
                let text = |level: Value| level.as_str().unwrap_or_default().to_owned();
                let narrowed = asked.map(|(name, level)| (name, text(level)));
                narrowed.chain([("metadata".to_owned(), "read".to_owned())]).collect()
            },
        );
        let repositories = wish["repositories"].as_array().map(|all| {
            all.iter().filter_map(|it| it.as_str().map(str::to_owned)).collect::<Vec<_>>()
        });
        let town = self.downstream.rsplit('/').next().unwrap_or_default().to_owned();
        if repositories.iter().flatten().any(|name| *name != town) {
            return Err(
                "There is at least one repository that does not exist or is not accessible to the \
                 parent installation.",
            );
        }
        // In the form that tells the App; a pattern for the older form does not find it.
        let token = format!("ghs_{APP}_{}", invented_sha(&format!("token {}", self.id())));
        let until = self.github_now() + self.app.life;
        self.tokens.insert(token.clone(), Actor::Bot);
        self.app.spoken.insert(token.clone());
        let shape = json!({
            "token": token,
            "expires_at": iso(until),
            "permissions": permissions,
            "repository_selection": "selected",
        });
        self.app.grants.insert(token, Grant { until, permissions, repositories });
        Ok(shape)
    }

    /// Whether a JSON Web Token is the App's own and of now; else GitHub's words about it.
    pub(crate) fn judge_jwt(&mut self, token: &str) -> Result<(), (u16, &'static str)> {
        self.app.spoken.insert(token.to_owned());
        let undecodable = (401, "A JSON web token could not be decoded");
        let claims = verified(token).ok_or(undecodable)?;
        let whole = |name: &str| claims[name].as_i64();
        let issuer = claims["iss"].as_str().map(str::to_owned);
        if issuer.or_else(|| whole("iss").map(|id| id.to_string())) != Some(APP.to_string()) {
            return Err((404, "Integration not found"));
        }
        let now = self.github_now().timestamp();
        if whole("iat").is_none_or(|iat| iat > now) {
            return Err((
                401,
                "'Issued at' claim ('iat') must be an Integer representing the time that the \
                 assertion was issued",
            ));
        }
        match whole("exp") {
            Some(exp) if exp > now + 600 => {
                Err((401, "'Expiration time' claim ('exp') is too far in the future"))
            }
            Some(exp) if exp > now => Ok(()),
            _ => Err((
                401,
                "'Expiration time' claim ('exp') must be a numeric value representing the future \
                 time at which the assertion expires",
            )),
        }
    }
}

/// The claims of a token that the App's key has signed.
fn verified(token: &str) -> Option<Value> {
    let (signed, signature) = token.rsplit_once('.')?;
    let (header, claims) = signed.split_once('.')?;
    let part = |text: &str| -> Option<Value> {
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(text).ok()?).ok()
    };
    if part(header)?["alg"] != "RS256" {
        return None;
    }
    let key = KEY.public_key();
    let key = UnparsedPublicKey::new(&signature::RSA_PKCS1_2048_8192_SHA256, key.as_ref());
    key.verify(signed.as_bytes(), &URL_SAFE_NO_PAD.decode(signature).ok()?).ok()?;
    part(claims)
}

/// The key as GitHub gives it to the App's owner.
fn pem() -> String {
    let whole: Pkcs8V1Der<'_> = KEY.as_der().expect("the key can be written down");
    let text = STANDARD.encode(&whole.as_ref()[PKCS8_HEAD..]);
    let lines: Vec<&str> =
        text.as_bytes().chunks(64).filter_map(|line| std::str::from_utf8(line).ok()).collect();
    let kind = "RSA PRIVATE KEY";
    format!("-----BEGIN {kind}-----\n{}\n-----END {kind}-----\n", lines.join("\n"))
}

impl World {
    /// The number of the bot's App.
    #[must_use]
    pub fn app_id(&self) -> u64 {
        APP
    }

    /// The number of the App's installation.
    #[must_use]
    pub fn installation_id(&self) -> u64 {
        INSTALLATION
    }

    /// The App's private key, in PEM.
    #[must_use]
    pub fn app_key(&self) -> String {
        pem()
    }

    /// A JSON Web Token by which the App says who it is, for tests that speak for it.
    ///
    /// # Panics
    /// If the key signs nothing.
    #[must_use]
    pub fn app_jwt(&self) -> String {
        let now = self.inner.state().github_now().timestamp();
        let claims = json!({ "iss": APP.to_string(), "iat": now - 60, "exp": now + 300 });
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let text = format!("{}.{}", part(&json!({ "alg": "RS256" })), part(&claims));
        let mut signature = vec![0; KEY.public_modulus_len()];
        let random = aws_lc_rs::rand::SystemRandom::new();
        let signed =
            KEY.sign(&signature::RSA_PKCS1_SHA256, &random, text.as_bytes(), &mut signature);
        signed.expect("the key signs");
        format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    /// What the downstream's owner grants the App from now on: `read` or `write` by name. Tokens
    /// that were minted before keep what they have.
    pub fn grant_app(&self, all: &[(&str, &str)]) {
        self.later().app.permissions = permissions(all);
    }

    /// Takes the App off the downstream, or puts it there again.
    pub fn install_app(&self, installed: bool) {
        self.later().app.installed = installed;
    }

    /// Suspends the App's installation, or lets it go on.
    pub fn suspend_app(&self, suspended: bool) {
        self.later().app.suspended = suspended;
    }

    /// How long tokens live that are minted from now on.
    ///
    /// # Panics
    /// If it is longer than time can be counted.
    pub fn set_token_life(&self, life: std::time::Duration) {
        self.later().app.life = TimeDelta::from_std(life).expect("no such long life");
    }

    /// Sets GitHub's clock so many seconds before the world's, or behind it.
    pub fn set_clock_ahead(&self, seconds: i64) {
        self.later().app.clock_ahead = TimeDelta::seconds(seconds);
    }

    /// The tokens that were minted and not revoked, in no particular order.
    #[must_use]
    pub fn minted_tokens(&self) -> Vec<String> {
        self.inner.state().app.grants.keys().cloned().collect()
    }

    /// What a minted token is good for, in one line: its repositories, then its permissions.
    #[must_use]
    pub fn token_scope(&self, token: &str) -> Option<String> {
        let state = self.inner.state();
        let grant = state.grant_of(token)?;
        let repositories = grant.repositories.as_ref().map(|all| all.join(", "));
        let permissions = grant.permissions.iter().map(|(name, level)| format!("{name}={level}"));
        let permissions: Vec<String> = permissions.collect();
        let repositories = repositories.as_deref().unwrap_or("all repositories");
        Some(format!("{repositories}: {}", permissions.join(" ")))
    }

    /// Makes every minted token worthless, as GitHub does when a key or an installation changes.
    pub fn revoke_minted_tokens(&self) {
        let mut state = self.later();
        let grants = std::mem::take(&mut state.app.grants);
        state.tokens.retain(|token, _| !grants.contains_key(token));
    }
}
