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
    /// Whether ticking the box of an offered patch asks for it, as `request bump` does. Nobody is
    /// told who ticked: it may be whoever may edit the issue. Default: `false`.
    pub(super) checkboxes: bool,
}

impl Default for Dashboard {
    fn default() -> Self {
        Self {
            enabled: false,
            title: "Digest bumps of {image}".to_owned(),
            labels: Vec::new(),
            checkboxes: false,
        }
    }
}
