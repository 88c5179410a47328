//! What a canary prints, without secrets: the bot's own, and whatever looks like a token.

use crate::clients::credential::Credential;
use regex::Regex;
use secrecy::{ExposeSecret as _, SecretString};
use std::sync::{Arc, LazyLock};

/// What stands in a secret's place.
const MASK: &str = "***";

/// Tokens that their issuers made recognisable, so that scanners find them: GitHub's, npm's,
/// GitLab's, Slack's, AWS's, a private key's block, a JSON Web Token; and whatever stands in an
/// `Authorization` header or in a URL before an `@`.
#[expect(clippy::expect_used, reason = "a constant, tried by the tests")]
static TOKENS: LazyLock<Regex> = LazyLock::new(|| {
    let forms = [
        r"gh[pousr]_[A-Za-z0-9]{20,}",
        r"github_pat_[A-Za-z0-9_]{20,}",
        r"npm_[A-Za-z0-9]{30,}",
        r"glpat-[A-Za-z0-9_-]{20,}",
        r"xox[abeoprs]-[A-Za-z0-9-]{10,}",
        r"(?:AKIA|ASIA)[A-Z0-9]{16}",
        r"eyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}",
        r"(?s)-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\z)",
        r"(?i)(?P<keep>authorization:\s*(?:basic|bearer|token)\s+)\S+",
        r"(?i)(?P<keep2>_authToken\s*=\s*)\S+",
        r"(?P<keep3>[a-z][a-z0-9+.-]*://[^\s/@:]*:)[^\s/@]+(?P<at>@)",
    ];
    Regex::new(&forms.join("|")).expect("the forms of tokens")
});

/// Takes secrets out of texts. Cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct Mask {
    secrets: Arc<[SecretString]>,
    credentials: Arc<[Credential]>,
}

impl Mask {
    /// Of these secrets and of whatever these credentials hold by then, beside what looks like one.
    pub(super) fn new(secrets: Vec<SecretString>, credentials: Vec<Credential>) -> Self {
        Self { secrets: secrets.into(), credentials: credentials.into() }
    }

    pub(super) fn text(&self, text: &str) -> String {
        // A token may have been minted after the canary began.
        let minted: Vec<SecretString> =
            self.credentials.iter().flat_map(Credential::secrets).collect();
        let known = self.secrets.iter().chain(&minted);
        let known = known.filter(|secret| !secret.expose_secret().is_empty());
        let text =
            known.fold(text.to_owned(), |text, secret| text.replace(secret.expose_secret(), MASK));
        TOKENS
            .replace_all(&text, format!("${{keep}}${{keep2}}${{keep3}}{MASK}${{at}}"))
            .into_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_secrets_and_whatever_looks_like_one_are_masked() {
        let credential = Credential::fixed("v1.0f3a".into());
        let mask = Mask::new(vec!["hunter22".into(), "".into()], vec![credential]);
        let long = "A1b2C3d4E5".repeat(4);
        for (text, masked) in [
            ("the password is hunter22!".to_owned(), "the password is ***!"),
            ("the token is v1.0f3a".to_owned(), "the token is ***"),
            (format!("GH_TOKEN=ghp_{long} x"), "GH_TOKEN=*** x"),
            (format!("GH_TOKEN=ghs_{long}"), "GH_TOKEN=***"),
            (format!("github_pat_{long}_{long}"), "***"),
            (format!("//npm.example/:_authToken=npm_{long}"), "//npm.example/:_authToken=***"),
            (format!("Authorization: Bearer {long}"), "Authorization: Bearer ***"),
            ("authorization: basic eC14Og==".to_owned(), "authorization: basic ***"),
            (
                "https://x-access-token:abc@git.example/a".to_owned(),
                "https://x-access-token:***@git.example/a",
            ),
            (
                "-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----\nafter"
                    .to_owned(),
                "***\nafter",
            ),
            ("-----BEGIN PRIVATE KEY-----\nMIIE cut".to_owned(), "***"),
            ("AKIAIOSFODNN7EXAMPLE".to_owned(), "***"),
            (format!("eyJ{long}.eyJ{long}.{long}"), "***"),
        ] {
            assert_eq!(mask.text(&text), masked, "{text}");
        }
    }

    #[test]
    fn what_is_no_secret_stays() {
        let mask = Mask::new(Vec::new(), Vec::new());
        for text in [
            "13 of 13 passed",
            "ghcr.io/toon-protocol/connector@sha256:0123456789abcdef0123456789abcdef",
            "http://127.0.0.1:4873/@toon-protocol/connector",
            "npm_config_registry",
            "see https://example.test/a@b",
        ] {
            assert_eq!(mask.text(text), text);
        }
    }
}
