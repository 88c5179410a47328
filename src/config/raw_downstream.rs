//! What pins, as it is written in the config file.

use super::raw_dashboard::Dashboard;
use serde::Deserialize;

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
