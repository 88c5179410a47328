//! What releases, as it is written in the config file.

use serde::Deserialize;

/// What releases.
#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(deny_unknown_fields))]
pub(super) struct Upstream {
    /// `owner/name` on GitHub. Required.
    pub(super) repository: String,
    /// The image with its registry, without tag. Required.
    pub(super) image: String,
    /// Which git tags are releases: a regular expression with a group `version`. Default:
    /// `^v(?P<version>\d+\.\d+\.\d+.*)$`.
    #[serde(default = "default_tag_pattern")]
    pub(super) tag_pattern: String,
    /// What every image promises. Default: `["linux/amd64", "linux/arm64"]`.
    #[serde(default = "default_platforms")]
    pub(super) platforms: Vec<String>,
    /// Who signs the image. Default: signatures are not looked at.
    pub(super) signature: Option<Signature>,
    /// The document with upstream's contract, in its repository. Where it drops a route or a field
    /// below `/admin/` that it has at the pin, or says something else of the wire format, a release
    /// is a MAJOR, whatever its version. Default: it is not looked at.
    pub(super) contract: Option<String>,
    /// What an image means that cannot be shown to be built from the release's commit: without a
    /// revision label, or with another commit in it. A younger commit always holds the release.
    /// Default: `warn`.
    #[serde(default)]
    pub(super) revision: crate::domain::RevisionPolicy,
    /// What is known of the tags of the image and of its companions and no check can find out, such as
    /// tags that hold another release's content: a file (its form is in `config/known-issues.toml`), `shipped` for the one
    /// that ships with the program, or `none`. Default: `shipped`.
    #[serde(default = "default_known_issues")]
    pub(super) known_issues: String,
    /// How long after its publication a release may lack its image or package. Default: `24h`.
    #[serde(default = "default_deadline")]
    pub(super) artifact_deadline: String,
    /// Further images that a release may have, under the same tags: each is examined as the watched
    /// one is, and moves in lockstep with it where a pin site names it. Default: none.
    #[serde(default)]
    pub(super) companion: Vec<Companion>,
    /// How old a release has to be before its canary runs and it is proposed, by the latest of its
    /// own, npm's and the transparency log's clocks; not if a security advisory of the upstream is
    /// about what is pinned, and not about the release. Default: `0`.
    #[serde(default = "default_age")]
    pub(super) minimum_release_age: String,
    /// The npm half of a release. Default: none.
    pub(super) npm: Option<NpmPackage>,
}

fn default_tag_pattern() -> String {
    r"^v(?P<version>\d+\.\d+\.\d+.*)$".to_owned()
}

fn default_platforms() -> Vec<String> {
    vec!["linux/amd64".to_owned(), "linux/arm64".to_owned()]
}

fn default_known_issues() -> String {
    "shipped".to_owned()
}

fn default_age() -> String {
    "0".to_owned()
}

fn default_deadline() -> String {
    "24h".to_owned()
}

/// A further image that a release may have.
#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(deny_unknown_fields))]
pub(super) struct Companion {
    /// The image with its registry, without tag. Required.
    pub(super) image: String,
    /// What it promises. Default: `["linux/amd64", "linux/arm64"]`.
    #[serde(default = "default_platforms")]
    pub(super) platforms: Vec<String>,
    /// Who signs it. Default: signatures are not looked at.
    pub(super) signature: Option<Signature>,
}

/// Who signs the image, keyless, by Sigstore.
#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(deny_unknown_fields))]
pub(super) struct Signature {
    /// A regular expression that the whole identity in the signing certificate must match. Required.
    pub(super) identity: String,
    /// The OIDC issuer that vouched for the signer. Default:
    /// `https://token.actions.githubusercontent.com`.
    #[serde(default = "default_issuer")]
    pub(super) issuer: String,
    /// The identities that are expected, with their git ref, or their ends; `{version}` stands for
    /// the release's. With none, every ref will do. Default: none.
    #[serde(default)]
    pub(super) expected: Vec<String>,
    /// What an identity means that is allowed, but not expected. Default: `deny`.
    #[serde(default)]
    pub(super) unexpected: crate::domain::UnexpectedRef,
    /// The first version that must be signed. Default: all.
    pub(super) required_from: Option<String>,
    /// How long after its image was first seen a release may still lack the signature. Default: `1h`.
    #[serde(default = "default_grace")]
    pub(super) grace: String,
}

fn default_issuer() -> String {
    "https://token.actions.githubusercontent.com".to_owned()
}

fn default_grace() -> String {
    "1h".to_owned()
}

/// The npm half of a release.
#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(deny_unknown_fields))]
pub(super) struct NpmPackage {
    /// The package's name. Required.
    pub(super) package: String,
    /// A JSON pointer into a version's entry of the packument, and the pattern that the text there
    /// must match: guards against another product under the same name. Default: no guard.
    pub(super) guard: Option<Guard>,
}

/// A guard on what a package is.
#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(deny_unknown_fields))]
pub(super) struct Guard {
    /// Such as `/repository/url`. Required.
    pub(super) pointer: String,
    /// A regular expression. Required.
    pub(super) pattern: String,
}
