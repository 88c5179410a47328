//! What is remembered of companion images.

use super::{
    Digest, Fact, FactKey, ImageFacts, ImageName, Marker, Memory, Observation, PullFacts,
    Timestamp, Version,
};

impl Memory {
    /// What is remembered of a companion image, as if it were the watched one: what was read of it,
    /// and what the pull requests propose of it.
    #[must_use]
    pub fn of_image(&self, companion: &ImageName) -> Self {
        let mut own = Self::default();
        let mut take = |fact: Fact, at| {
            own.observations.insert(fact.key(), Observation { fact, at });
        };
        let first = FactKey { aspect: "companion", subject: format!("{companion} ") };
        for (key, seen) in self.observations.range(first.clone()..) {
            match &seen.fact {
                Fact::Companion { fact, .. } if key.subject.starts_with(&first.subject) => {
                    take((**fact).clone(), seen.at);
                }
                _ => break,
            }
        }
        // It is one registry: a limit that the watched image met holds for this one as well.
        let limits = self.observations.values();
        let limits = limits.filter_map(|seen| Some((seen.fact.registry_limit()?, seen.at)));
        if let Some((until, at)) = limits.max() {
            take(Fact::RegistryLimit { until }, at);
        }
        let of_it = |pull: &PullFacts| {
            let marker = pull.marker.as_ref().and_then(|marker| of_companion(marker, companion));
            Fact::Pull(PullFacts { marker, ..pull.clone() })
        };
        for seen in self.observations.values() {
            if let Fact::Pull(pull) = &seen.fact {
                take(of_it(pull), seen.at);
            }
        }
        own
    }

    /// What there is to judge a companion image of the release `tag` by: [`Memory::of_image`], and
    /// what of the upstream's history its checks ask for.
    #[must_use]
    pub fn of_companion(&self, companion: &ImageName, tag: &str) -> Self {
        let mut own = self.of_image(companion);
        for (key, seen) in &self.observations {
            let wanted = match &seen.fact {
                Fact::Release(release) => release.tag == tag,
                Fact::TagCommit(_) | Fact::Descent(_) => true,
                _ => false,
            };
            if wanted {
                own.observations.insert(key.clone(), seen.clone());
            }
        }
        own.findings.clone_from(&self.findings);
        own
    }

    /// A companion image of `version`, if its tag was ever resolved.
    #[must_use]
    pub fn companion(&self, companion: &ImageName, version: &Version) -> Option<&ImageFacts> {
        let key = FactKey { aspect: "companion", subject: format!("{companion} image {version}") };
        match &self.observations.get(&key)?.fact {
            Fact::Companion { fact, .. } => match &**fact {
                Fact::Image(image) => Some(image),
                _ => None,
            },
            _ => None,
        }
    }

    /// Takes in a fact of a companion image's own.
    pub fn observe_companion(
        &mut self,
        image: &ImageName,
        fact: Fact,
        at: Timestamp,
    ) -> Option<Observation> {
        self.observe(Fact::Companion { image: image.clone(), fact: Box::new(fact) }, at)
    }

    /// As [`Memory::observe_image_tag`], for a tag of a companion image.
    pub fn observe_companion_tag(
        &mut self,
        image: &ImageName,
        version: &Version,
        to: Option<&Digest>,
        at: Timestamp,
    ) -> Option<Observation> {
        let seen = self.of_image(image).observe_image_tag(version, to, at)?;
        self.observe_companion(image, seen.fact, seen.at)
    }
}

/// What a marker says of a companion image; `None` if nothing.
fn of_companion(marker: &Marker, companion: &ImageName) -> Option<Marker> {
    let digest = marker.companions.get(companion)?.clone();
    Some(Marker { digest, from: None, ..marker.clone() })
}
