//! The config file as it is written. Every key is here, with its default; unknown keys are errors.

use super::{raw_dashboard::Dashboard, raw_proposal::Proposal};
use serde::Deserialize;
use std::{collections::BTreeMap, path::PathBuf};

/// The whole file.
#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(deny_unknown_fields))]
pub(super) struct Config {
    /// The directory for the git cache, the canary's work trees, and SQLite's database. Required.
    pub(super) state: PathBuf,
    /// A PostgreSQL server for what is remembered, such as `postgres://bot@db.example/bumps`, for
    /// replicas on several machines. The password comes from `DIGEST_BUMP_DATABASE_PASSWORD`, or
    /// by libpq's own ways. A server on another machine must prove its name by TLS unless the URL
    /// says `sslmode`. Default: SQLite, `digest-bump.db` in the state directory.
    pub(super) database: Option<String>,
    /// The address of the status page, such as `127.0.0.1:8080`. Default: no page.
    pub(super) listen: Option<String>,
    /// Where readers of pull requests reach the status page, such as `https://bumps.example`: pull
    /// requests then link to all that their canary printed. Default: they do not.
    pub(super) public_url: Option<String>,
    /// When passes run.
    #[serde(default)]
    pub(super) schedule: Schedule,
    /// Where GitHub is.
    #[serde(default)]
    pub(super) github: Github,
    /// Where npm packages are. Required if a watch names a package. Default: none.
    pub(super) npm: Option<Npm>,
    /// Registries that are not at `https://<host of the image>`, by that host. Default: none.
    #[serde(default)]
    pub(super) registries: BTreeMap<String, Registry>,
    /// Whose certificates are believed.
    #[serde(default)]
    pub(super) tls: Tls,
    /// Whose signatures are believed.
    #[serde(default)]
    pub(super) sigstore: Sigstore,
    /// The upstream–downstream pairs. At least one.
    #[serde(default)]
    pub(super) watch: Vec<Watch>,
}

/// When passes run. One more runs at the start.
#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(deny_unknown_fields))]
#[serde(default)]
pub(super) struct Schedule {
    /// Five fields as in cron, or six with the seconds first. Default: `*/15 * * * *`.
    pub(super) cron: String,
    /// An IANA time zone. Default: `UTC`.
    pub(super) time_zone: String,
    /// Each pass starts up to this much later, so that many bots do not ask at once. Default: `30s`.
    pub(super) jitter: String,
    /// How long a pass may go on after SIGTERM. Default: `30s`.
    pub(super) grace: String,
}

impl Default for Schedule {
    fn default() -> Self {
        Self {
            cron: "*/15 * * * *".to_owned(),
            time_zone: "UTC".to_owned(),
            jitter: "30s".to_owned(),
            grace: "30s".to_owned(),
        }
    }
}

/// Where GitHub is.
#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(deny_unknown_fields))]
#[serde(default)]
pub(super) struct Github {
    /// The REST API. Default: `https://api.github.com`.
    pub(super) api_url: String,
    /// Where repositories are fetched from and pushed to. Default: `https://github.com`.
    pub(super) git_url: String,
    /// The GitHub App that the bot is, in the place of a token. Default: none.
    pub(super) app: Option<App>,
}

/// The GitHub App that the bot is. `config check` says what it may do, and what is missing.
#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(deny_unknown_fields))]
pub(super) struct App {
    /// The App ID on the App's page. Required.
    pub(super) id: u64,
    /// The file with one of the App's private keys, as it was downloaded. Default: the key is in
    /// `DIGEST_BUMP_GITHUB_APP_KEY`.
    pub(super) private_key_file: Option<PathBuf>,
    /// The number in the URL of the installation's page. Default: it is looked for, by the
    /// downstream's repository.
    pub(super) installation: Option<u64>,
}

impl Default for Github {
    fn default() -> Self {
        Self {
            api_url: "https://api.github.com".to_owned(),
            git_url: "https://github.com".to_owned(),
            app: None,
        }
    }
}

/// Where npm packages are.
#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(deny_unknown_fields))]
pub(super) struct Npm {
    /// What `npm config get registry` prints. Required.
    pub(super) registry: String,
}

/// Where a container registry is.
#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(deny_unknown_fields))]
pub(super) struct Registry {
    /// Its base URL. Required.
    pub(super) url: String,
}

/// Whose certificates are believed.
#[derive(Debug, Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(deny_unknown_fields))]
pub(super) struct Tls {
    /// A PEM file with certificate authorities that are believed beside the system's, by every
    /// client, git's included, but not by the canary. It is read once, at the start. Default: only
    /// the system's.
    pub(super) ca_file: Option<PathBuf>,
}

/// Whose signatures are believed: Sigstore's certificate authorities and logs, its *trusted root*.
#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(deny_unknown_fields))]
pub(super) struct Sigstore {
    /// Where the trusted root comes from. Default: `tuf`.
    #[serde(default)]
    pub(super) source: TrustSource,
    /// A file with a trusted root (`trusted_root.json`), of a private Sigstore say; read anew when
    /// it changes. Required by `source = "file"`. Default: none.
    pub(super) trusted_root: Option<PathBuf>,
    /// The TUF repository of a private Sigstore. Default: the public one's.
    pub(super) tuf_url: Option<String>,
    /// The file with that repository's first `root.json`. Required by `tuf_url`. Default: none.
    pub(super) tuf_root: Option<PathBuf>,
    /// With `tuf`: without a refresh for longer than this, no signature is believed. Default: `7d`.
    #[serde(default = "default_max_age")]
    pub(super) max_age: String,
}

fn default_max_age() -> String {
    "7d".to_owned()
}

impl Default for Sigstore {
    fn default() -> Self {
        Self {
            source: TrustSource::default(),
            trusted_root: None,
            tuf_url: None,
            tuf_root: None,
            max_age: default_max_age(),
        }
    }
}

/// Where the trusted root comes from.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema, serde::Serialize))]
#[serde(rename_all = "lowercase")]
pub(super) enum TrustSource {
    /// Fetched by The Update Framework, refreshed daily, and kept in the state directory.
    #[default]
    Tuf,
    /// The public one that this program was built with.
    Embedded,
    /// From `trusted_root`.
    File,
}

/// One upstream–downstream pair.
#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(deny_unknown_fields))]
pub(super) struct Watch {
    /// Its name in logs, commands and the status page: lower-case letters, digits, dashes. Required.
    pub(super) name: String,
    /// What releases. Required.
    pub(super) upstream: Upstream,
    /// What pins. Required.
    pub(super) downstream: Downstream,
    /// The contract canary. Required: nothing is proposed unproved.
    pub(super) canary: super::raw_canary::Raw,
    /// Where a MAJOR's stub goes. Default: MAJORs are only reported.
    pub(super) migration: Option<Migration>,
    /// What proposals look like, and which are made.
    #[serde(default)]
    pub(super) proposal: Proposal,
    /// The pauses after answers that told nothing, of the registry or of the canary; one more after
    /// the last pause holds the release. Default: `["1m", "10m", "1h"]`.
    #[serde(default = "default_retry")]
    pub(super) retry: Vec<String>,
}

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

/// What pins.
#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(deny_unknown_fields))]
pub(super) struct Downstream {
    /// `owner/name` on GitHub. Required.
    pub(super) repository: String,
    /// The branch that proposals are for. Default: `main`.
    #[serde(default = "default_branch")]
    pub(super) branch: String,
    /// How commits are made and get there. Default: `git`.
    #[serde(default)]
    pub(super) writer: CommitsBy,
    /// The places that spell the pin, the authorities among them in the order of their authority.
    /// At least one authority.
    #[serde(default)]
    pub(super) site: Vec<Site>,
    /// The copy of upstream's contract document: three lines of the downstream's own above the same
    /// bytes. Where it is no copy of the contract at any release from the pinned one on, the status
    /// and the dashboard say so. Needs `upstream.contract`. Default: it is not looked at.
    pub(super) contract_mirror: Option<String>,
    /// How long after a push to a pull request of the bot's CI has to start: a check run of another
    /// App, a commit status of somebody else's, or a check suite in progress. Where none has, status,
    /// dashboard and the bot's own check say so. `0` is for a downstream without CI: nobody looks.
    /// Default: `30m`.
    #[serde(default = "default_ci_starts_within")]
    pub(super) ci_starts_within: String,
    /// The issue that says where everything stands.
    #[serde(default)]
    pub(super) dashboard: Dashboard,
    /// Comments that command.
    #[serde(default)]
    pub(super) commands: super::commands::Raw,
}

fn default_ci_starts_within() -> String {
    "30m".to_owned()
}

fn default_branch() -> String {
    "main".to_owned()
}

/// How commits are made and get onto branches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema, serde::Serialize))]
#[serde(rename_all = "snake_case")]
pub enum CommitsBy {
    /// By a push over git, from a clone in the state directory. They are by `proposal.author`, and
    /// not signed.
    #[default]
    Git,
    /// Through GitHub's API. They are by whoever the token belongs to; those of an App are signed by
    /// GitHub and shown as "Verified". Where the canary is not run on this host (`canary.executor` is
    /// `checks` or `github-actions`), nothing is cloned.
    Api,
}

/// One place that spells the pin: either `json` or `line`.
#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(deny_unknown_fields))]
pub(super) struct Site {
    /// How people call it. Default: the path.
    pub(super) name: Option<String>,
    /// The file. Required.
    pub(super) path: String,
    /// A JSON pointer to an object with exactly `name`, `tag` and `digest`, in a file with
    /// `"schemaVersion": 1`. Default: none.
    pub(super) json: Option<String>,
    /// A regular expression over lines with `{{version}}` or `{{digest}}`. Default: none.
    pub(super) line: Option<String>,
    /// How many matches of `line` there must be. Default: one.
    pub(super) count: Option<usize>,
    /// What its absence means. Default: `required`.
    #[serde(default)]
    pub(super) when: When,
    /// The companion image whose pin stands here. Default: the watched image.
    pub(super) image: Option<String>,
    /// Whether the pin is read from here. Default: `false`.
    #[serde(default)]
    pub(super) authority: bool,
}

/// What a site's absence means.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema, serde::Serialize))]
#[serde(rename_all = "snake_case")]
pub(super) enum When {
    /// Nothing may be proposed.
    #[default]
    Required,
    /// It is skipped, and the proposal says so.
    IfPresent,
    /// It may be absent. Where it is there, the bot leaves it alone, and its proposals ask a person
    /// to edit it: for a workflow file, which takes a permission that the bot need not have.
    ByHand,
    /// The site is left out altogether.
    Off,
}

fn default_retry() -> Vec<String> {
    vec!["1m".to_owned(), "10m".to_owned(), "1h".to_owned()]
}

/// Where a MAJOR's stub goes.
#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(deny_unknown_fields))]
pub(super) struct Migration {
    /// The migration document. Required.
    pub(super) path: String,
    /// Whether a stub is opened as a draft, which nobody merges unfilled. Not every plan of GitHub's
    /// has drafts in private repositories. Default: `true`.
    #[serde(default = "default_draft")]
    pub(super) draft: bool,
}

fn default_draft() -> bool {
    true
}
