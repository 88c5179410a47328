//! How a reader checks each answer for themselves, with tools that are not ours.

use super::{
    companion::CompanionImage,
    evidence::{Evidence, all},
    notes::brief,
};
use crate::domain::{Check, Pin, RepoName, SignatureRule};
use std::fmt::Write as _;

/// What the commands are about.
#[derive(Debug, Clone, Copy)]
pub struct Examined<'a> {
    /// The image that was examined.
    pub pin: &'a Pin,
    /// The repository that it is built from.
    pub repository: &'a RepoName,
    /// The release's git tag. Foreign text.
    pub tag: &'a str,
    /// The npm package that belongs to it.
    pub package: Option<&'a str>,
    /// Who signs it.
    pub signature: Option<&'a SignatureRule>,
}

/// The command for one check, for a shell; `None` where there is none but the bot's own.
#[must_use]
pub fn command(check: Check, of: Examined<'_>) -> Option<String> {
    let image = format!("{}@{}", of.pin.image, of.pin.digest);
    let labels = |name: &str| {
        format!(
            "docker buildx imagetools inspect {image} --format '{{{{json .Image}}}}' \
             | jq 'map_values(.config.Labels[\"org.opencontainers.image.{name}\"])'"
        )
    };
    match check {
        Check::Signature => of.signature.map(|rule| {
            format!(
                "cosign verify {image} \\\n  --certificate-oidc-issuer {} \\\n  \
                 --certificate-identity-regexp {}",
                quoted(&rule.issuer),
                quoted(&format!("^(?:{})$", rule.identity.as_str())),
            )
        }),
        Check::Platforms => Some(format!(
            "docker buildx imagetools inspect {image} --raw \
             | jq -r '.manifests[].platform | \"\\(.os)/\\(.architecture)\"'"
        )),
        Check::VersionLabel => Some(labels("version")),
        Check::Revision => Some(format!(
            "{}\ncurl -s {} | jq '.sha, .parents[0].sha'",
            labels("revision"),
            quoted(&format!("https://api.github.com/repos/{}/commits/{}", of.repository, of.tag)),
        )),
        Check::TagStability => Some(format!(
            "docker buildx imagetools inspect {}:{} --format '{{{{.Manifest.Digest}}}}'",
            of.pin.image, of.pin.version
        )),
        Check::Agreement => of.package.map(|package| {
            let version = quoted(&format!("{package}@{}", of.pin.version));
            format!("npm view {version} gitHead dist.integrity --json")
        }),
        Check::KnownIssue => Some(format!("digest-bump explain {}", of.pin.version)),
        Check::Sites => Some("digest-bump pin --tree . --check".to_owned()),
        Check::Canary => None,
    }
}

/// All commands in one fence; empty if there is none.
#[must_use]
pub(super) fn commands(own: &[Evidence], companions: &[CompanionImage]) -> String {
    let mut commands = String::new();
    for (image, line) in all(own, companions) {
        if let Some(command) = &line.command {
            let _ = write!(commands, "\n# {image}{}\n{command}\n", line.check.question());
        }
    }
    if commands.is_empty() { commands } else { format!("```sh{commands}```") }
}

/// The documents that the answers rest on; empty if there is none.
#[must_use]
pub(super) fn documents(own: &[Evidence], companions: &[CompanionImage]) -> String {
    let mut documents = String::new();
    for judged in all(own, companions).flat_map(|(_, line)| &line.judged) {
        let _ = write!(documents, "\n- {}: `{}`", brief(&judged.role), judged.digest);
    }
    if documents.is_empty() {
        return documents;
    }
    format!("The bot keeps what it judged:\n{documents}")
}

/// A text as one word of a POSIX shell.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Digest, IdentityPattern, IndexDigest, UnexpectedRef};

    #[test]
    fn a_command_is_what_a_shell_takes() {
        assert_eq!(quoted("a'b $x"), r"'a'\''b $x'");
        let pin = Pin {
            image: "ghcr.io/o/r".parse().unwrap(),
            version: "3.10.0".parse().unwrap(),
            digest: IndexDigest::new(Digest::of(b"x")),
        };
        let rule = SignatureRule {
            identity: IdentityPattern::new(r"https://github\.com/o/r/.*|x").unwrap(),
            issuer: "https://issuer.example".to_owned(),
            expected: Vec::new(),
            unexpected: UnexpectedRef::Deny,
            required_from: None,
            grace: std::time::Duration::ZERO,
        };
        let repository = "o/r".parse().unwrap();
        let (package, signature) = (Some("@o/p"), Some(&rule));
        let of =
            Examined { pin: &pin, repository: &repository, tag: "v3.10.0'", package, signature };
        let all = Check::ALL.into_iter().filter_map(|check| command(check, of));
        let all = all.collect::<Vec<_>>().join("\n").replace(pin.digest.as_str(), "sha256:…");
        insta::assert_snapshot!(all, @r#"
        cosign verify ghcr.io/o/r@sha256:… \
          --certificate-oidc-issuer 'https://issuer.example' \
          --certificate-identity-regexp '^(?:https://github\.com/o/r/.*|x)$'
        docker buildx imagetools inspect ghcr.io/o/r@sha256:… --raw | jq -r '.manifests[].platform | "\(.os)/\(.architecture)"'
        docker buildx imagetools inspect ghcr.io/o/r@sha256:… --format '{{json .Image}}' | jq 'map_values(.config.Labels["org.opencontainers.image.version"])'
        docker buildx imagetools inspect ghcr.io/o/r@sha256:… --format '{{json .Image}}' | jq 'map_values(.config.Labels["org.opencontainers.image.revision"])'
        curl -s 'https://api.github.com/repos/o/r/commits/v3.10.0'\''' | jq '.sha, .parents[0].sha'
        npm view '@o/p@3.10.0' gitHead dist.integrity --json
        digest-bump explain 3.10.0
        docker buildx imagetools inspect ghcr.io/o/r:3.10.0 --format '{{.Manifest.Digest}}'
        digest-bump pin --tree . --check
        "#);
    }
}
