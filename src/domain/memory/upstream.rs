//! What is remembered of upstream: its releases, images, packages and documents.

use super::Memory;
use crate::domain::{
    Advisory, CommitId, ContractFound, Descent, Digest, Fact, ImageFacts, IndexDigest, Look,
    MirrorFacts, MirrorHunks, NpmDrift, NpmFacts, Observation, PinnedFacts, ReleaseFacts,
    TagCommit, TagFacts, Timestamp, Version,
};

impl Memory {
    /// All releases, in the order of their tags' text.
    pub fn releases(&self) -> impl Iterator<Item = &ReleaseFacts> {
        self.observations.values().filter_map(|seen| match &seen.fact {
            Fact::Release(release) => Some(release),
            _ => None,
        })
    }

    /// The image of `version`, if its tag was ever resolved.
    #[must_use]
    pub fn image(&self, version: &Version) -> Option<&ImageFacts> {
        let Some(Fact::Image(image)) = self.fact("image", version) else { return None };
        Some(image)
    }

    /// The last look at the tag of `version`, if it gave no image: what it gave, when, and how many
    /// looks in a row had found out nothing by then.
    #[must_use]
    pub fn no_image(&self, version: &Version) -> Option<(&Look, Timestamp, usize)> {
        let seen = self.seen("image", version)?;
        let Fact::NoImage { look, attempts, .. } = &seen.fact else { return None };
        Some((look, seen.at, *attempts))
    }

    /// The last rate limit of the registry that was met while tags were resolved again: its end, and
    /// when it was met.
    #[must_use]
    pub fn limit_met(&self) -> Option<(Timestamp, Timestamp)> {
        let seen = self.seen("registry_limit", "")?;
        let Fact::RegistryLimit { until } = seen.fact else { return None };
        Some((until, seen.at))
    }

    /// When the last rate limit of the registry that was met ends, or ended.
    #[must_use]
    pub fn registry_limit(&self) -> Option<Timestamp> {
        self.observations.values().filter_map(|seen| seen.fact.registry_limit()).max()
    }

    /// Why npm could not be asked the last time, if it could not.
    #[must_use]
    pub fn npm_trouble(&self) -> Option<&str> {
        let Some(Fact::NpmTrouble { why }) = self.fact("npm", "") else { return None };
        why.as_deref()
    }

    /// All images that were ever resolved.
    pub fn images(&self) -> impl Iterator<Item = &ImageFacts> {
        self.observations.values().filter_map(|seen| match &seen.fact {
            Fact::Image(image) => Some(image),
            _ => None,
        })
    }

    /// What became of the image tag of `version` since it was first resolved; `None` if it never
    /// was.
    #[must_use]
    pub fn image_tag(&self, version: &Version) -> Option<TagFacts> {
        match self.seen("image_tag", version).or_else(|| self.seen("image", version)) {
            Some(Observation { fact: Fact::ImageTag(tag), .. }) => Some(tag.clone()),
            Some(Observation { fact: Fact::Image(image), at }) => {
                let first = image.digest.digest().clone();
                Some(TagFacts::new(image.version.clone(), first, *at))
            }
            _ => None,
        }
    }

    /// What was found of upstream's contract document at a git tag, if it was looked for.
    #[must_use]
    pub fn contract(&self, tag: &str) -> Option<&ContractFound> {
        let Some(Fact::Contract(contract)) = self.fact("contract", tag) else { return None };
        Some(&contract.found)
    }

    /// Every version whose image tag was ever resolved; one may come twice.
    pub fn resolved_versions(&self) -> impl Iterator<Item = &Version> {
        self.observations.values().filter_map(|seen| match &seen.fact {
            Fact::Image(image) => Some(&image.version),
            Fact::ImageTag(tag) => Some(&tag.version),
            _ => None,
        })
    }

    /// Takes in what the image tag of `version` resolves to now (`None`: it is gone); returns what
    /// is then to be recorded.
    pub fn observe_image_tag(
        &mut self,
        version: &Version,
        to: Option<&Digest>,
        at: Timestamp,
    ) -> Option<Observation> {
        let known = self.image_tag(version);
        let new = || to.map(|first| TagFacts::new(version.clone(), first.clone(), at));
        let tag = known.clone().map(|tag| tag.then(to, at)).or_else(new)?;
        if known.as_ref() == Some(&tag) { None } else { self.observe(Fact::ImageTag(tag), at) }
    }

    /// The npm half of `version`, if the packument ever listed it.
    #[must_use]
    pub fn npm(&self, version: &Version) -> Option<&NpmFacts> {
        let Some(Fact::Npm(npm)) = self.fact("npm", version) else { return None };
        Some(npm)
    }

    /// Where a git tag of the upstream was when it was last looked at.
    #[must_use]
    pub fn tag_commit(&self, tag: &str) -> Option<&TagCommit> {
        let Some(Fact::TagCommit(tag)) = self.fact("tag_commit", tag) else { return None };
        Some(tag)
    }

    /// How `head` stands to `base`, if upstream was asked.
    #[must_use]
    pub fn descent(&self, base: &CommitId, head: &CommitId) -> Option<&Descent> {
        let Some(Fact::Descent(descent)) = self.fact("descent", format!("{base}...{head}")) else {
            return None;
        };
        Some(descent)
    }

    /// Whether npm has withdrawn `version`.
    #[must_use]
    pub fn npm_withdrawn(&self, version: &Version) -> bool {
        matches!(self.fact("npm", version), Some(Fact::NpmWithdrawn { .. }))
    }

    /// What became of the npm half of `version`, if it is not what it was, and when that was seen.
    #[must_use]
    pub fn npm_drift(&self, version: &Version) -> Option<(&NpmDrift, Timestamp)> {
        let seen = self.seen("npm_drift", version)?;
        let Fact::NpmDrift(drift) = &seen.fact else { return None };
        Some((drift, seen.at))
    }

    /// Every version of the npm package that is not what it was.
    pub fn npm_drifts(&self) -> impl Iterator<Item = &NpmDrift> {
        self.observations.values().filter_map(|seen| match &seen.fact {
            Fact::NpmDrift(drift) => Some(drift),
            _ => None,
        })
    }

    /// The upstream's published security advisories, as far as they were asked for.
    #[must_use]
    pub fn advisories(&self) -> &[Advisory] {
        let Some(Fact::Advisories { list }) = self.fact("advisories", "") else { return &[] };
        list
    }

    /// What the registry last served under a digest that is or was pinned; `None` if it was never
    /// asked.
    #[must_use]
    pub fn pinned(&self, digest: &IndexDigest) -> Option<&PinnedFacts> {
        let Some(Fact::Pinned(pinned)) = self.fact("pinned", digest) else { return None };
        Some(pinned)
    }

    /// The downstream's copy of upstream's contract document, if it was looked at.
    #[must_use]
    pub fn mirror(&self) -> Option<&MirrorFacts> {
        let Some(Fact::Mirror(mirror)) = self.fact("mirror", "") else { return None };
        Some(mirror)
    }

    /// Where the copy was last seen to differ from the document.
    #[must_use]
    pub fn mirror_hunks(&self) -> Option<&MirrorHunks> {
        let Some(Fact::MirrorHunks(hunks)) = self.fact("mirror_hunks", "") else { return None };
        Some(hunks)
    }
}
