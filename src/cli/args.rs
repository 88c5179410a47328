//! The arguments.

use crate::domain::{self, Digest, ImageName, IndexDigest, Ordered, Version, WatchName};
use clap::{Args, Parser, Subcommand};
use std::path::PathBuf;

const AFTER_HELP: &str = "\
Exit codes:
  0  Done, or the answer is yes
  1  The answer is no: sites disagree, a release is not known, the daemon is not healthy
  2  The arguments, the config or the environment cannot be used, or the token is missing
  3  Something could not be read or done, as where GitHub refuses the token; the next pass tries again
  4  Another process was at work the whole time

Environment:
  DIGEST_BUMP_GITHUB_TOKEN       Needed by serve and once; for the others where repositories are private
  DIGEST_BUMP_GITHUB_APP_KEY     The same for a GitHub App, whose key is not in a file
  DIGEST_BUMP_CONFIG             The config file
  DIGEST_BUMP_DATABASE_PASSWORD  Opens the PostgreSQL server that the config names
  DIGEST_BUMP_WEBHOOK_SECRET     What GitHub signs webhooks with; without it none is taken
  DIGEST_BUMP_LOG                What is logged to standard error, such as digest_bump=debug
  DIGEST_BUMP_LOG_FORMAT         text or json";

const REQUEST_HELP: &str = "\
Where comments command (`watch.downstream.commands`), a comment asks for the same: `config check` says how comments are \
heard and who is admitted.";

const VERIFY_HELP: &str = "\
Exit codes besides the usual ones; 10 to 13 are cosign's:
   1  A check failed, but not the signature
  10  Not signed
  11  There is no such tag or digest
  12  Signed by somebody else
  13  The signing certificate is not valid, or missing
  14  Vouched for by another OIDC issuer
  15  Signed from another git ref than expected
  16  Signed, but something else
  17  The signature is not valid
  18  The transparency log does not vouch for it
  19  It cannot be read
  20  Attested, but not signed
  21  The trusted root does not know the signer's authority or log, or is too old
  22  The registry could not be asked";

/// Watches a container image's releases and keeps a downstream repository's digest pin current.
#[derive(Debug, Parser)]
#[command(
    name = "digest-bump",
    version,
    after_help = AFTER_HELP
)]
pub(super) struct Arguments {
    /// The config file
    #[arg(
        long,
        short,
        global = true,
        env = "DIGEST_BUMP_CONFIG",
        hide_env = true,
        value_name = "FILE",
        default_value = "/etc/digest-bump.toml"
    )]
    pub(super) config: PathBuf,
    /// Print JSON for machines instead of text for people
    #[arg(long, global = true)]
    pub(super) json: bool,
    #[command(subcommand)]
    pub(super) command: Command,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Run as a daemon: one pass at the start, then by the schedule
    Serve,
    /// Do one settled pass, canaries included, and end: for cron
    Once,
    /// Say what a pass would do; write nothing anywhere and run no canary
    Plan(Chosen),
    /// Say why a release was proposed, offered, held or skipped, from what is stored
    Explain {
        /// The release: a version such as 3.10.4, or a git tag
        #[arg(value_name = "VERSION")]
        release: String,
        #[command(flatten)]
        chosen: Chosen,
    },
    /// Show the pin, every release and what became of it, from what is stored
    Status(Chosen),
    /// Say whether an image is what the release contract promises; record nothing
    #[command(after_help = VERIFY_HELP)]
    Verify(Verify),
    /// Look at the config
    Config {
        #[command(subcommand)]
        look: Look,
    },
    /// Ask the daemon on this machine whether it can read its database, over the config's `listen`
    Health,
    /// Ask the bot for something
    #[command(after_help = REQUEST_HELP)]
    Request {
        #[command(subcommand)]
        wish: Wish,
    },
    /// Move or check the pin in a plain directory, without network or database
    Pin(Pin),
}

#[derive(Debug, Args)]
pub(super) struct Verify {
    /// A version such as 3.10.4, or an image by digest: ghcr.io/owner/name@sha256:…
    #[arg(value_name = "RELEASE|IMAGE", required_unless_present_any = ["bundle", "legacy_signature"])]
    pub(super) claim: Option<Claim>,
    #[command(flatten)]
    pub(super) chosen: Chosen,
    #[command(flatten)]
    pub(super) files: Files,
}

/// What a release or an image is called on the command line.
#[derive(Debug, Clone)]
pub(super) enum Claim {
    Release(Version),
    Image { image: ImageName, digest: IndexDigest },
}

impl std::str::FromStr for Claim {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Some((image, digest)) = text.split_once('@') {
            let image = image.parse().map_err(|error| format!("{error}"))?;
            let digest = digest.parse().map_err(|error| format!("{error}"))?;
            return Ok(Self::Image { image, digest });
        }
        let version = version(text);
        version
            .map(Self::Release)
            .map_err(|error| format!("neither a version ({error}) nor an image with a digest"))
    }
}

/// Files that are verified by themselves, without network, config or database.
#[derive(Debug, Args)]
#[command(next_help_heading = "For files, offline")]
#[group(conflicts_with = "claim", multiple = true)]
pub(super) struct Files {
    /// The trusted root, such as Sigstore's
    #[arg(long, value_name = "FILE")]
    pub(super) trusted_root: Option<PathBuf>,
    /// What the whole identity in the certificate must match
    #[arg(long, value_name = "REGEXP")]
    pub(super) identity_regexp: Option<String>,
    /// The OIDC issuer, exactly
    #[arg(long, value_name = "URL")]
    pub(super) issuer: Option<String>,
    /// Accept signatures by people, too
    #[arg(long)]
    pub(super) allow_email_identity: bool,
    /// A Sigstore bundle
    #[arg(long, value_name = "FILE", conflicts_with = "legacy_signature")]
    pub(super) bundle: Option<PathBuf>,
    /// A manifest in cosign's own layout
    #[arg(long, value_name = "MANIFEST", requires = "payload")]
    pub(super) legacy_signature: Option<PathBuf>,
    /// What was signed there: the blobs of its layers
    #[arg(long, value_name = "FILE")]
    pub(super) payload: Vec<PathBuf>,
    /// What is to be signed, sha256:…
    #[arg(long, value_name = "DIGEST")]
    pub(super) digest: Option<Digest>,
    /// What is to be signed, as a file
    #[arg(long, value_name = "FILE", conflicts_with_all = ["digest", "legacy_signature"])]
    pub(super) artifact: Option<PathBuf>,
}

/// Which watch.
#[derive(Debug, Args)]
pub(super) struct Chosen {
    /// The watch's name; not needed where there is one watch
    #[arg(long, value_name = "NAME")]
    pub(super) watch: Option<WatchName>,
}

#[derive(Debug, Subcommand)]
pub(super) enum Wish {
    /// Propose this release: any newer one, an offered patch, a MAJOR after its migration
    Bump {
        /// The release, such as 3.10.4
        #[arg(value_parser = version)]
        version: Version,
        #[command(flatten)]
        chosen: Chosen,
    },
    /// Run the canary again at this release, whatever it showed before: any newer one, or the pinned
    ///
    /// Where the downstream's own checks are the canary, run them again at GitHub instead.
    Canary {
        /// The release, such as 3.10.4
        #[arg(value_parser = version)]
        version: Version,
        #[command(flatten)]
        chosen: Chosen,
    },
    /// Make the open pull request for this release anew, on the base branch of today
    Rebase {
        /// The release that it proposes, such as 3.10.4
        #[arg(value_parser = version)]
        version: Version,
        #[command(flatten)]
        chosen: Chosen,
    },
    /// The same where people committed to its branch: what is lost is named in it first
    Recreate {
        /// The release that it proposes, such as 3.10.4
        #[arg(value_parser = version)]
        version: Version,
        #[command(flatten)]
        chosen: Chosen,
    },
    /// Open and rewrite no pull request until `unhold`; releases are looked at as before
    Hold {
        /// Why, for whoever looks at the status
        reason: Option<String>,
        #[command(flatten)]
        chosen: Chosen,
    },
    /// Open and rewrite pull requests again
    Unhold {
        #[command(flatten)]
        chosen: Chosen,
    },
    /// Neither propose nor offer a release, or any of a kind, unless it is asked for
    Ignore {
        /// A release such as 3.10.4, or `major`, `minor`, `patch`
        #[arg(value_name = "RELEASE|KIND", value_parser = ignored)]
        what: Ordered,
        #[command(flatten)]
        chosen: Chosen,
    },
    /// Let everything count again that was ignored
    Unignore {
        #[command(flatten)]
        chosen: Chosen,
    },
}

/// What is asked for.
pub(super) enum Asked {
    /// Something about a release.
    Wish(domain::Wish, Version),
    /// That something is left alone from now on.
    Order(Ordered),
}

impl Wish {
    /// What is asked for, of which watch.
    pub(super) fn parts(self) -> (Asked, Chosen) {
        let of = |wish, version, chosen| (Asked::Wish(wish, version), chosen);
        match self {
            Self::Bump { version, chosen } => of(domain::Wish::Bump, version, chosen),
            Self::Canary { version, chosen } => of(domain::Wish::Canary, version, chosen),
            Self::Rebase { version, chosen } => of(domain::Wish::Rebase, version, chosen),
            Self::Recreate { version, chosen } => of(domain::Wish::Recreate, version, chosen),
            Self::Hold { reason, chosen } => (Asked::Order(Ordered::Hold { reason }), chosen),
            Self::Unhold { chosen } => (Asked::Order(Ordered::Unhold), chosen),
            Self::Ignore { what, chosen } => (Asked::Order(what), chosen),
            Self::Unignore { chosen } => (Asked::Order(Ordered::Unignore), chosen),
        }
    }
}

/// What may be ignored, as people type it.
fn ignored(text: &str) -> Result<Ordered, String> {
    let text = text.strip_prefix('v').unwrap_or(text);
    let ordered = Ordered::parse("ignore", Some(text), None);
    ordered.ok_or_else(|| "neither a release nor `major`, `minor` or `patch`".to_owned())
}

#[derive(Debug, Subcommand)]
pub(super) enum Look {
    /// Say whether it can be used, and what GitHub lets the bot do; change nothing
    Check,
}

#[derive(Debug, Args)]
pub(super) struct Pin {
    /// The directory, such as a checkout of the downstream
    #[arg(long, value_name = "DIR")]
    pub(super) tree: PathBuf,
    /// Only see whether all sites agree; exit 1 if they do not
    #[arg(long, conflicts_with_all = ["to", "digest"])]
    pub(super) check: bool,
    /// The version to move the pin to
    #[arg(long, requires = "digest", value_name = "VERSION", value_parser = version)]
    pub(super) to: Option<Version>,
    /// The digest of its index, sha256:…
    #[arg(long, requires = "to")]
    pub(super) digest: Option<IndexDigest>,
    #[command(flatten)]
    pub(super) chosen: Chosen,
}

/// A version as people type it, a git tag's `v` included.
pub(super) fn version(text: &str) -> Result<Version, semver::Error> {
    text.strip_prefix('v').unwrap_or(text).parse()
}
