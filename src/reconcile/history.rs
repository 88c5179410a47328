//! The upstream's history, as far as a check asks for it: fetched when the check is due.

use super::world::World;
use crate::clients::github::GithubError;
use crate::config::Watch;
use crate::domain::{
    Descent, Fact, ImageFacts, Memory, Observation, Relation, TagCommit, Timestamp,
};
use crate::policy::release_of;
use crate::sources::Sources;
use crate::verify::revisions_to_compare;

/// What was read, and what kept the rest from being read.
#[derive(Debug, Default)]
pub(super) struct Read {
    pub(super) news: Vec<Observation>,
    pub(super) trouble: Option<GithubError>,
}

/// Reads where the release's git tag is, once in a pass.
pub(super) async fn read_tag(
    image: &ImageFacts,
    watch: &Watch,
    sources: &Sources,
    memory: &mut Memory,
    world: &mut World,
    now: Timestamp,
) -> Read {
    let release = release_of(&image.version, memory, &watch.rules.tags);
    let Some(tag) = release.map(|release| release.tag.clone()) else {
        return Read::default();
    };
    if world.tags_read.contains(&tag) {
        return Read::default();
    }
    match sources.github.fetch_tag_commit(&watch.upstream.repository, &tag).await {
        Ok(at) => {
            world.tags_read.insert(tag.clone());
            let seen = TagCommit::seen(tag.clone(), at, memory.tag_commit(&tag));
            let news = memory.observe(Fact::TagCommit(seen), now);
            Read { news: news.into_iter().collect(), trouble: None }
        }
        Err(error) => Read { trouble: Some(error), ..Read::default() },
    }
}

/// Reads how the commits that the image says it was built from stand to that of its tag, where
/// they are not that one. Commits do not change: what upstream once knew is not asked again.
pub(super) async fn read_descent(
    image: &ImageFacts,
    watch: &Watch,
    sources: &Sources,
    memory: &mut Memory,
    now: Timestamp,
) -> Read {
    let release = release_of(&image.version, memory, &watch.rules.tags);
    let tag = release.and_then(|release| memory.tag_commit(&release.tag));
    let Some(commit) = tag.and_then(|tag| tag.at.clone()) else {
        return Read::default();
    };
    let mut read = Read::default();
    for revision in revisions_to_compare(image, &commit) {
        let known = memory.descent(&commit.id, &revision);
        if known.is_some_and(|known| known.relation != Relation::Unknown) {
            continue;
        }
        let repository = &watch.upstream.repository;
        match sources.github.fetch_relation(repository, &commit.id, &revision).await {
            Ok(relation) => {
                let base = commit.id.clone();
                let fact = Fact::Descent(Descent { base, head: revision, relation });
                read.news.extend(memory.observe(fact, now));
            }
            Err(error) => return Read { trouble: Some(error), ..read },
        }
    }
    read
}
