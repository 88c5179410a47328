//! The dashboard issue as it is written in the config file.

use serde::Deserialize;

/// The issue that says where everything stands, rewritten in place. It takes a token that may write
/// issues.
#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(deny_unknown_fields))]
#[serde(default)]
pub(super) struct Dashboard {
    /// Whether there is one. Default: `false`.
    pub(super) enabled: bool,
    /// Its title when it is opened; `{image}` is replaced. Default: `Digest bumps of {image}`.
    pub(super) title: String,
    /// Its labels when it is opened. Default: none.
    pub(super) labels: Vec<String>,
    /// Whether an offered patch has a box, and ticking it asks for the patch, as `request bump` does. A
    /// webhook tells who ticked it, and that person has to be one who may command
    /// (`downstream.commands`). Default: `false`.
    pub(super) checkboxes: bool,
    /// Whether a box counts as well that a pass finds ticked, without anybody to tell who did it: it
    /// may have been whoever may edit the issue. Without it boxes need the webhook. Default: `false`.
    pub(super) anonymous: bool,
}

impl Default for Dashboard {
    fn default() -> Self {
        Self {
            enabled: false,
            title: "Digest bumps of {image}".to_owned(),
            labels: Vec::new(),
            checkboxes: false,
            anonymous: false,
        }
    }
}
