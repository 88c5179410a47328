//! As whom GitHub is asked: by a token, as a GitHub App, or as anybody.

use super::{
    environment::{APP_KEY, Environment, TOKEN},
    raw,
    resolve::Problems,
    types::Watch,
};
use jsonwebtoken::{Algorithm, EncodingKey};
use secrecy::{ExposeSecret as _, SecretString};
use std::{fmt, os::unix::fs::PermissionsExt as _, path::Path};

/// As whom GitHub is asked.
#[derive(Debug, Clone)]
pub enum Access {
    /// As anybody: enough to look at public repositories.
    Anybody(Lacking),
    /// By a token that stays.
    Token(SecretString),
    /// As a GitHub App.
    App(AppAccess),
}

/// What is lacking for more than looking.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lacking {
    /// The token.
    Token,
    /// The key of this GitHub App.
    AppKey(u64),
}

/// What it takes to act as a GitHub App.
#[derive(Debug, Clone)]
pub struct AppAccess {
    /// Its number.
    pub id: u64,
    /// Its key, which has signed once. Its `Debug` shows nothing of it.
    pub key: EncodingKey,
    /// The installation, if it is not to be looked for.
    pub installation: Option<u64>,
    /// What is careless about the key, for whoever runs the bot.
    pub careless: Option<String>,
}

/// What to do about it.
impl fmt::Display for Lacking {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Token => write!(
                out,
                "there is no token for GitHub: set {TOKEN}, or name a GitHub App in `[github.app]`"
            ),
            Self::AppKey(id) => write!(
                out,
                "there is no key for GitHub App {id}: name its file in \
                 `github.app.private_key_file`, or set {APP_KEY}"
            ),
        }
    }
}

/// `None` if something is wrong, which was added to the problems.
pub(super) fn resolve(
    raw: Option<&raw::App>,
    env: &Environment,
    problems: &mut Problems,
) -> Option<Access> {
    let Some(raw) = raw else {
        let token = env.github_token.clone();
        return Some(token.map_or(Access::Anybody(Lacking::Token), Access::Token));
    };
    if env.github_token.is_some() {
        let text = format!("{TOKEN} is set as well: unset it, or leave `[github.app]` out");
        problems.add("github.app", text);
        return None;
    }
    let (key, careless) = match (&raw.private_key_file, &env.github_app_key) {
        (Some(_), Some(_)) => {
            problems.add("github.app.private_key_file", format!("{APP_KEY} is set as well"));
            return None;
        }
        (None, None) => return Some(Access::Anybody(Lacking::AppKey(raw.id))),
        (None, Some(text)) => (problems.take(APP_KEY, parse(text)), None),
        (Some(file), None) => {
            let key = problems.take("github.app.private_key_file", read(file));
            (key, careless(file))
        }
    };
    Some(Access::App(AppAccess { id: raw.id, key: key?, installation: raw.installation, careless }))
}

/// One installation belongs to one account.
pub(super) fn check(access: &Access, watches: &[Watch], problems: &mut Problems) {
    let Access::App(AppAccess { installation: Some(_), .. }) = access else {
        return;
    };
    let mut owners: Vec<&str> = watches.iter().map(|it| it.downstream.repository.owner()).collect();
    owners.sort_unstable();
    owners.dedup();
    if owners.len() > 1 {
        let text = format!(
            "belongs to one account, and the downstreams to {}: leave it out, then each one's is \
             looked for",
            owners.join(" and ")
        );
        problems.add("github.app.installation", text);
    }
}

fn read(file: &Path) -> Result<EncodingKey, String> {
    let name = file.display();
    let text = std::fs::read_to_string(file).map_err(|error| {
        format!("`{name}` cannot be read: {error}; it is the file that the App's page gives when a private key is generated")
    })?;
    parse(&SecretString::from(text)).map_err(|why| format!("`{name}` {why}"))
}

/// Reads the key, and has it sign something: what is no RSA key of a sufficient length is found out
/// here. No error shows anything of the text.
fn parse(text: &SecretString) -> Result<EncodingKey, String> {
    let text = text.expose_secret();
    // An environment of one-line values spells the line ends.
    let lines = if text.contains('\n') { text.to_owned() } else { text.replace("\\n", "\n") };
    let lines = SecretString::from(lines);
    EncodingKey::from_rsa_pem(lines.expose_secret().trim().as_bytes())
        .and_then(|key| jsonwebtoken::crypto::sign(b"tried", &key, Algorithm::RS256).map(|_| key))
        .map_err(|_| {
            "is no RSA private key in PEM: generate one on the App's page, under \"Private keys\", \
             and give it as it was downloaded"
                .to_owned()
        })
}

fn careless(file: &Path) -> Option<String> {
    let mode = std::fs::metadata(file).ok()?.permissions().mode();
    (mode & 0o007 != 0).then(|| {
        let name = file.display();
        format!("every user of this machine can read `{name}`: chmod 0600 it")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_rsa_key_is_refused_and_not_shown() {
        for text in [
            "",
            "s3cret",
            "-----BEGIN RSA PRIVATE KEY-----\nczNjcmV0\n-----END RSA PRIVATE KEY-----\n",
            "-----BEGIN OPENSSH PRIVATE KEY-----\nczNjcmV0\n-----END OPENSSH PRIVATE KEY-----\n",
        ] {
            let why = parse(&text.into()).unwrap_err();
            assert!(why.starts_with("is no RSA private key in PEM") && !why.contains("s3cret"));
        }
        let elliptic = rcgen::KeyPair::generate().unwrap().serialize_pem();
        assert!(parse(&elliptic.into()).is_err(), "of another kind");
    }

    #[test]
    fn a_key_may_stand_on_one_line() {
        let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_RSA_SHA256).unwrap();
        let pem = key.serialize_pem();
        assert!(parse(&pem.clone().into()).is_ok());
        assert!(parse(&pem.trim().replace('\n', "\\n").into()).is_ok());
        let shown = format!("{:?}", parse(&pem.clone().into()).unwrap());
        assert!(!pem.lines().any(|line| shown.contains(line)), "{shown}");
    }
}
