//! What proposals look like, as it is written in the config file.

use serde::Deserialize;
use std::collections::BTreeMap;

/// A changeset: what the downstream's packages are released as with a pin bump.
#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(deny_unknown_fields))]
pub(super) struct Changeset {
    /// The packages, at least one, and how each is released: `patch`, `minor` or `major`. Required.
    pub(super) packages: BTreeMap<String, crate::domain::PackageBump>,
    /// The folder of the changesets. Default: `.changeset`.
    #[serde(default = "default_changesets")]
    pub(super) folder: String,
}

fn default_changesets() -> String {
    ".changeset".to_owned()
}

/// What proposals look like, and which are made.
#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(deny_unknown_fields))]
#[serde(default)]
pub(super) struct Proposal {
    /// What happens to a patch. Default: `offer`.
    pub(super) patches: crate::domain::PatchPolicy,
    /// What happens when the pinned digest is not served any more, or its signature or its release is
    /// withdrawn: with `ask` the alarm says how to ask for the way back, with `open` the pull request
    /// to the newest older release with complete evidence is opened. Default: `ask`.
    pub(super) reversal: crate::domain::ReversalPolicy,
    /// The title of a pin bump, and the subject of its commit; `{image}`, `{from}` and `{to}` are
    /// replaced, and nothing else may stand in braces. 150 characters at most. Its type decides what
    /// a squash merge releases downstream: `chore` nothing, `fix` a patch. Default:
    /// `chore({image}): bump {from} → {to}`.
    pub(super) title: String,
    /// What the names of its branches begin with; not `agent/`. `dependabot/fetch-metadata` reads
    /// commits only on branches below `dependabot/`, such as `dependabot/docker/`. Default:
    /// `digest-bump/`.
    pub(super) branch_prefix: String,
    /// A changeset in each pin bump, for a downstream that wants one. Default: none.
    pub(super) changeset: Option<Changeset>,
    /// Labels for its pull requests. Default: none.
    pub(super) labels: Vec<String>,
    /// The label of a pull request on whose branch a person works, as long as the bot leaves it
    /// alone. Empty: none. Default: `hands-off`.
    pub(super) hands_off_label: String,
    /// The author of its commits, name and e-mail. Default:
    /// `digest-bump[bot] <digest-bump[bot]@users.noreply.github.com>`.
    pub(super) author: String,
}

impl Default for Proposal {
    fn default() -> Self {
        Self {
            patches: crate::domain::PatchPolicy::default(),
            reversal: crate::domain::ReversalPolicy::default(),
            title: "chore({image}): bump {from} → {to}".to_owned(),
            branch_prefix: "digest-bump/".to_owned(),
            changeset: None,
            labels: Vec::new(),
            hands_off_label: "hands-off".to_owned(),
            author: "digest-bump[bot] <digest-bump[bot]@users.noreply.github.com>".to_owned(),
        }
    }
}
