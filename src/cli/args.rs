//! The arguments.

use crate::domain::{IndexDigest, Version, WatchName};
use clap::{Args, Parser, Subcommand};
use std::path::PathBuf;

const AFTER_HELP: &str = "\
Exit codes:
  0  Done, or the answer is yes
  1  The answer is no: sites disagree, a release is not known, the daemon is not healthy
  2  The arguments or the config cannot be used, or the token is missing
  3  Something could not be read or done; it is due again in the next pass
  4  Another process was at work the whole time

Environment:
  DIGEST_BUMP_GITHUB_TOKEN  Needed by serve and once; for the others where repositories are private
  DIGEST_BUMP_CONFIG        The config file
  DIGEST_BUMP_LOG           What is logged to standard error, such as digest_bump=debug
  DIGEST_BUMP_LOG_FORMAT    text or json";

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
    /// Ask the daemon on this machine whether it is healthy, over the config's `listen`
    Health,
    /// Ask the bot for something
    Request {
        #[command(subcommand)]
        wish: Wish,
    },
    /// Move or check the pin in a plain directory, without network or database
    Pin(Pin),
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
}

#[derive(Debug, Args)]
pub(super) struct Pin {
    /// The directory, such as a checkout of the downstream
    #[arg(long, value_name = "DIR")]
    pub(super) tree: PathBuf,
    /// Only see whether all sites agree; exit 1 if they do not
    #[arg(long, conflicts_with_all = ["to", "digest"], required_unless_present = "to")]
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
