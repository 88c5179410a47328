//! What the bot's branches are called.

use super::{BranchName, ImageName, invalid::text_type};

text_type! {
    /// What the names of the bot's branches begin with: `digest-bump/`. Not `agent/`, which starts
    /// other bots' review loops.
    BranchPrefix, "the beginning of branch names, such as `digest-bump/`", |text| {
        text.len() <= 60
            && text.strip_suffix('/').is_some_and(|name| name.parse::<BranchName>().is_ok())
            && !text.starts_with("agent/")
            && !text.starts_with("refs/")
    }
}

impl Default for BranchPrefix {
    fn default() -> Self {
        Self("digest-bump/".to_owned())
    }
}

/// What a watch's branches are named after.
#[derive(Debug, Clone, Copy)]
pub struct Branches<'a> {
    /// What all of them begin with.
    pub prefix: &'a BranchPrefix,
    /// The watched image.
    pub image: &'a ImageName,
}

impl Branches<'_> {
    /// The pin's own: `digest-bump/connector`.
    #[must_use]
    pub fn plain(self) -> String {
        format!("{}{}", self.prefix, self.image.short())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_makes_branch_names_and_starts_no_other_bot() {
        for bad in ["digest-bump", "/", "a//", "agent/", "refs/heads/", "a b/", ""] {
            assert!(bad.parse::<BranchPrefix>().is_err(), "{bad:?}");
        }
        let prefix = "dependabot/docker/".parse().unwrap();
        let image = "ghcr.io/o/connector".parse().unwrap();
        let plain = Branches { prefix: &prefix, image: &image }.plain();
        assert_eq!(plain, "dependabot/docker/connector");
        assert_eq!(BranchPrefix::default().as_str(), "digest-bump/");
    }
}
