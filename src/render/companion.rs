//! What a pull request says of a companion image.

use super::evidence::Evidence;
use crate::domain::{ImageName, Pin, Platform, Version};
use crate::policy::CompanionPin;

/// A companion image of the proposed release.
#[derive(Debug, Clone)]
pub struct CompanionImage {
    /// The image.
    pub image: ImageName,
    /// The release.
    pub version: Version,
    /// Whether a pin site names it.
    pub needed: bool,
    /// What is pinned of it now.
    pub from: Option<CompanionPin>,
    /// The platforms that are new since then.
    pub added: Vec<Platform>,
    /// It at this release; `None` if the release has none.
    pub pin: Option<Pin>,
    /// What was asked of it, with the answers.
    pub evidence: Vec<Evidence>,
}

impl CompanionImage {
    /// Its rows in the table of what is pinned and what is proposed; none if the release has none.
    pub(super) fn rows(&self) -> String {
        let Some(to) = &self.pin else { return String::new() };
        let name = to.image.short();
        let from = self.from.as_ref();
        let version = from.and_then(|from| from.version.as_ref());
        let version = version.map(ToString::to_string).unwrap_or_default();
        let digest = from.and_then(|from| from.digest.as_ref());
        let digest = digest.map(|digest| format!("`{digest}`")).unwrap_or_default();
        format!(
            "| {name} | {version} | {} |\n| {name}: index digest | {digest} | `{}` |\n",
            to.version, to.digest
        )
    }
}
