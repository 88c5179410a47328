//! The arguments.

use crate::domain::{IndexDigest, Version, WatchName};
use clap::{Args, Parser, Subcommand};
use std::path::PathBuf;

/// Watches a container image's releases and keeps a downstream repository's digest pin current.
#[derive(Debug, Parser)]
#[command(
    name = "digest-bump",
    version,
    after_help = "Exit codes: 0 done · 1 the answer is no · 2 bad arguments or config · \
                  3 something could not be read or done, and is due again · 4 busy elsewhere\n\
                  Environment: DIGEST_BUMP_GITHUB_TOKEN, DIGEST_BUMP_LOG (filter), \
                  DIGEST_BUMP_LOG_FORMAT (text or json)"
)]
pub(super) struct Arguments {
    /// The config file
    #[arg(
        long,
        short,
        global = true,
        env = "DIGEST_BUMP_CONFIG",
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
        /// The release, such as 3.10.4
        version: Version,
        #[command(flatten)]
        chosen: Chosen,
    },
    /// Show the pin, every release and what became of it, from what is stored
    Status(Chosen),
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
    #[arg(long)]
    pub(super) watch: Option<WatchName>,
}

#[derive(Debug, Subcommand)]
pub(super) enum Wish {
    /// Propose this release: any newer one, an offered patch, a MAJOR after its migration
    Bump {
        /// The release, such as 3.10.4
        version: Version,
        #[command(flatten)]
        chosen: Chosen,
    },
}

#[derive(Debug, Args)]
pub(super) struct Pin {
    /// The directory, such as a checkout of the downstream
    #[arg(long)]
    pub(super) tree: PathBuf,
    /// Only see whether all sites agree; exit 1 if they do not
    #[arg(long, conflicts_with_all = ["to", "digest"], required_unless_present = "to")]
    pub(super) check: bool,
    /// The version to move the pin to
    #[arg(long, requires = "digest")]
    pub(super) to: Option<Version>,
    /// The digest of its index, sha256:…
    #[arg(long, requires = "to")]
    pub(super) digest: Option<IndexDigest>,
    #[command(flatten)]
    pub(super) chosen: Chosen,
}
